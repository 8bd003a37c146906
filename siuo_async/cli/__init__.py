"""The command line. One module per group of commands; each parses, calls and prints, and holds no logic."""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import os
import sys
import traceback
from pathlib import Path
from typing import NoReturn

_TYPER_INTERRUPTED = 130
_STOPPED = "siuo: stopped; run the same command again to continue\n"


def _make_writable() -> None:
    """A closed stream, or one that knows few characters, is no reason to fail."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            setattr(sys, name, open(nowhere, "w", encoding="utf-8", closefd=False))  # noqa: SIM115 - for as long as the process lives
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


def _dump_nothing() -> None:
    """A crash leaves no image of the memory, which holds keys and answers; who wants one raises the soft limit from within."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def _without_keys(text: str) -> str:
    """What is about to be shown, without anything that this environment keeps secret."""
    from siuo_async.client.accounts import Environment
    from siuo_async.errors import ConfigError

    try:
        return Environment(os.environ, Path(".env")).secrets.out_of(text)
    except ConfigError:  # about the .env file
        return Environment(os.environ).secrets.out_of(text)


class _Filtered(logging.Handler):
    """What libraries complain of: a task's lost exception may quote what a server said."""

    def emit(self, record: logging.LogRecord) -> None:
        _tell(_without_keys(self.format(record)) + "\n")


def _told_app() -> int:
    """The command's exit code; what it makes of wrong words is shown without a key among them."""
    import typer

    from siuo_async.cli.app import app

    every: type[typer.BadParameter] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
    try:
        return int(app(standalone_mode=False) or 0)
    except typer.Abort:
        _tell("Aborted.\n")
        return 1
    except every as error:
        error.message = _without_keys(error.message)
        error.show()
        return int(error.exit_code)


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

    _dump_nothing()
    _make_writable()
    logging.lastResort = _Filtered(logging.WARNING)
    try:
        code = _told_app()
        if code == _TYPER_INTERRUPTED:
            _tell(_STOPPED)
            code = 3
        sys.exit(code)
    except SiuoError as error:
        from siuo_async.cli.output import complain

        with contextlib.suppress(OSError):
            complain(_without_keys(str(error)))
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(0)  # whoever read had enough; that is no bug
    except KeyboardInterrupt:
        _tell(_STOPPED)
        sys.exit(3)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EIO, errno.EBADF):
            _tell(f"siuo: the output cannot be written ({error.strerror}); the run itself is on disk\n")
            sys.exit(2)
        _tell(_without_keys(traceback.format_exc()))
        _tell("siuo: this is a bug; please report it with the lines above\n")
        sys.exit(1)
