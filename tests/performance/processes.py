"""Every run in a fresh process, on a core that no server has, with a terminal for its screen."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_ROWS, _COLUMNS = 50, 160
_SHOWN = 4000
"""Characters of what a process that failed had on its screen."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Who runs where; nobody is held to a core where there is only one, or where the system knows no such thing."""

    client: int | None = None
    servers: tuple[int | None, ...] = (None,)

    @classmethod
    def here(cls) -> Cores:
        """The first core for the client, the others (three at most) for a server process each."""
        if not hasattr(os, "sched_getaffinity"):
            return cls()
        first, *others = sorted(os.sched_getaffinity(0))
        return cls(first, tuple(others[:3])) if others else cls()


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that ended well."""

    out: bytes
    cpu_s: float


def run(words: Sequence[str], *, core: int | None, variables: Mapping[str, str] | None = None, cwd: Path | None = None) -> Ended:
    """Runs a program of Python's to its end, its standard error on a terminal that somebody reads.

    Raises:
        RuntimeError: it failed; the message holds the end of what it showed.
    """
    with _terminal() as (terminal, shown), tempfile.TemporaryFile() as out:
        environment = {**os.environ, "PYTHONPATH": _path(), "TERM": "xterm-256color", **(variables or {})}
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=cwd or ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=terminal,
        )
        if core is not None:
            os.sched_setaffinity(process.pid, {core})  # before it has threads: they inherit it
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        printed = out.read()
    if process.returncode:  # only now all that it showed has been read
        tail = (b"".join(shown) + printed).decode(errors="replace")[-_SHOWN:]
        raise RuntimeError(f"`python {' '.join(words)[:400]}` ended with {process.returncode}:\n{tail}")
    return Ended(printed, used.ru_utime + used.ru_stime)


def measured(kind: str, told: Any, *, core: int | None, variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Runs what `child` knows as `kind` with what it is to be told (a dataclass); its figures."""
    words = ["-m", "tests.performance.child", kind, json.dumps(asdict(told))]
    found: dict[str, Any] = json.loads(run(words, core=core, variables=variables).out)
    return found


def _path() -> str:
    """So that a peer that is on this process's path is on its children's."""
    return os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])


@contextmanager
def _terminal() -> Iterator[tuple[int, list[bytes]]]:
    """(a terminal's end to write to, what was written)."""
    reader, writer = pty.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
    shown: list[bytes] = []

    def drain() -> None:
        while True:
            try:
                block = os.read(reader, 1 << 16)
            except OSError:  # nobody holds the other end any more
                return
            if not block:
                return
            shown.append(block)
            del shown[:-200]

    thread = threading.Thread(target=drain, daemon=True)
    thread.start()
    try:
        yield writer, shown
    finally:
        os.close(writer)
        thread.join(5)
        os.close(reader)
