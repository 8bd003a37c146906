"""Runs commands in forks of a process that has imported the program once: a third of a second less for each.

Each command is a process of its own with its own folder, environment, output and exit code, and runs `siuo_async.cli.main`.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


class Forker:
    """The process that forks; one command at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        )

    def run(self, words: Sequence[str], folder: Path, env: Mapping[str, str], out: Path, limit_s: float, held: str = "") -> int:
        """The exit code of a command whose stdout and stderr go to `out`.1 and `out`.2.

        Args:
            held: a socket where somebody waits to be asked about its system calls (`tests.reliability.syscalls`).
        """
        with self._lock:
            assert self._process.stdin is not None
            told = {"words": words, "folder": str(folder), "env": dict(env), "out": str(out), "held": held}
            self._process.stdin.write(json.dumps(told) + "\n")
            self._process.stdin.flush()
            child = int(self._line())
            too_late = threading.Timer(limit_s, os.kill, (child, 9))
            too_late.start()
            try:
                return int(self._line())
            finally:
                too_late.cancel()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()


def _serve() -> None:
    _import_the_program()
    for line in sys.stdin:
        told = json.loads(line)
        child = os.fork()
        if child == 0:
            _command(told)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _import_the_program() -> None:
    cli = importlib.import_module("siuo_async.cli")
    for module in pkgutil.iter_modules(cli.__path__, "siuo_async.cli."):
        importlib.import_module(module.name)


def _command(told: Mapping[str, Any]) -> None:
    """Becomes the command; never returns."""
    code = 1
    try:
        os.setsid()
        os.chdir(told["folder"])
        os.environ.clear()
        os.environ.update(told["env"])
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number in (1, 2):
            os.dup2(os.open(f"{told['out']}.{number}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
        sys.argv = ["siuo", *told["words"]]
        if told["held"]:
            from tests.reliability.syscalls import be_held

            be_held(told["held"])
        from siuo_async.cli import main

        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
