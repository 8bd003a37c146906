"""The command line. One module per group of commands; each parses, calls and prints, and holds no logic."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
import traceback
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
    from siuo_async.errors import NO_MEMORY, SiuoError, is_starved

    _make_writable()
    try:
        from siuo_async.cli.app import app

        app(standalone_mode=True)
    except SystemExit as end:
        if end.code == _TYPER_INTERRUPTED:
            _tell(_STOPPED)
            sys.exit(3)
        raise
    except SiuoError as error:
        from siuo_async.cli.output import complain

        with contextlib.suppress(OSError):
            complain(str(error))
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(0)  # whoever read had enough; that is no bug
    except KeyboardInterrupt:
        _tell(_STOPPED)
        sys.exit(3)
    except Exception as error:
        if is_starved(error):
            _tell(f"siuo: {NO_MEMORY}\n")
            sys.exit(3)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EIO, errno.EBADF):
            _tell(f"siuo: the output cannot be written ({error.strerror}); the run itself is on disk\n")
            sys.exit(2)
        traceback.print_exc()
        _tell("siuo: this is a bug; please report it with the lines above\n")
        sys.exit(1)
    sys.exit(0)
