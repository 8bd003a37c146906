"""The command line. One module per group of commands; each parses, calls and prints, and holds no logic."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import sys
import traceback
from typing import NoReturn

_TYPER_INTERRUPTED = 130
_PLAINER = (
    (r"^Invalid value for ", ""),
    (r"Input should be a valid integer.*", "must be a whole number"),
    (r"Input should be a valid number.*", "must be a number"),
    (r"Input should", "must"),
)
"""Typer names types of Python, which nobody typed."""
_STOPPED = "siuo: stopped; run the same command again to continue\n"


def _take_places() -> None:
    """Fills the places of closed streams, lest a socket or a journal gets one of them: what is printed would go into it."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest that is free, which is this one


def _make_writable() -> None:
    """A closed stream, or one that knows few characters, is no reason to fail."""
    _take_places()
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115 - for as long as the process lives
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _drop_unwritten() -> None:
    """What a stream will not take is dropped: Python would try again at exit, complain, and change the exit code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _tell(sentence: str) -> None:
    """Says it where somebody can still read it."""
    with contextlib.suppress(OSError):
        sys.stderr.write(sentence)


def _mistyped(error: Exception) -> str | None:
    """What to print where typer refuses what was typed; None for any other error."""
    if not hasattr(error, "format_message"):  # typer's errors have no public base in all versions
        return None
    told = str(error.format_message())
    if told.startswith("Usage:"):
        return f"{told}\n"  # nothing was typed: the help
    from siuo_async.cli.output import complaint

    for pattern, plain in _PLAINER:
        told = re.sub(pattern, plain, told)
    context = getattr(error, "ctx", None)
    place = context.command_path if context else "siuo"
    return complaint(f"{told[:1].lower()}{told[1:].rstrip('.')}; `{place} --help` shows what there is")


def _unusable(error: OSError) -> str:
    """Of a path that the system refuses in a way that nobody foresaw: too long, a ring of links, no right to look."""
    from siuo_async.cli.output import complaint

    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else str(error.filename)
    return complaint(f"{name} cannot be used ({error.strerror}); check the path, and who may read and write there")


def main() -> NoReturn:
    """Entry point of `siuo`: errors that are told to the user become one sentence and the exit code of the design."""
    try:
        _main()
    finally:
        _drop_unwritten()


def _main() -> NoReturn:
    if sys.platform == "win32":
        sys.stderr.write("siuo runs on Linux and macOS; on Windows, use it inside WSL.\n")
        sys.exit(2)
    from siuo_async.errors import SiuoError

    _make_writable()
    from typer import Abort

    try:
        from siuo_async.cli.app import app

        code = app(prog_name="siuo", standalone_mode=False)
    except SiuoError as error:
        from siuo_async.cli.output import complain

        with contextlib.suppress(OSError):
            complain(str(error))
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(0)  # whoever read had enough; that is no bug
    except (KeyboardInterrupt, Abort):
        _tell(_STOPPED)
        sys.exit(3)
    except Exception as error:
        if (wrong := _mistyped(error)) is not None:
            _tell(wrong)
            sys.exit(2)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EIO, errno.EBADF):
            _tell(f"siuo: the output cannot be written ({error.strerror}); the run itself is on disk\n")
            sys.exit(2)
        if isinstance(error, OSError) and error.filename is not None and error.strerror:
            _tell(_unusable(error))
            sys.exit(2)
        traceback.print_exc()
        _tell("siuo: this is a bug; please report it with the lines above\n")
        sys.exit(1)
    if code == _TYPER_INTERRUPTED:
        _tell(_STOPPED)
        sys.exit(3)
    sys.exit(code if isinstance(code, int) else 0)
