"""The command line. One module per group of commands; each parses, calls and prints, and holds no logic."""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import os
import sys
from typing import NoReturn

_TYPER_INTERRUPTED = 130
_INTERRUPTED = "siuo: stopped; run the same command again to continue\n"


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


def _dump_nothing() -> None:
    """A crash leaves no image of the memory, which holds keys and answers; who wants one raises the soft limit from within."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


class _Filtered(logging.Handler):
    """What libraries complain of: a task's lost exception may quote what a server said."""

    def emit(self, record: logging.LogRecord) -> None:
        from siuo_async.cli.last_words import without_keys

        _tell(without_keys(self.format(record)) + "\n")


def main() -> NoReturn:
    """Entry point of `siuo`: errors that are told to the user become one sentence and the exit code of the design."""
    try:
        _main()
    except KeyboardInterrupt:  # while modules were loaded, or while the end was told
        _tell(_INTERRUPTED)
        sys.exit(3)
    finally:
        _drop_unwritten()


def _main() -> NoReturn:
    if sys.platform == "win32":
        sys.stderr.write("siuo runs on Linux and macOS; on Windows, use it inside WSL.\n")
        sys.exit(2)
    _dump_nothing()
    _make_writable()
    logging.lastResort = _Filtered(logging.WARNING)
    from typer import Abort

    try:
        from siuo_async.cli.app import app

        code = app(prog_name="siuo", standalone_mode=False)
    except BrokenPipeError:
        sys.exit(0)  # whoever read had enough; that is no bug
    except (KeyboardInterrupt, Abort):
        code = _TYPER_INTERRUPTED
    except Exception as error:
        sys.exit(_ended_by(error))
    if code == _TYPER_INTERRUPTED:
        _tell(_INTERRUPTED)
        sys.exit(3)
    sys.exit(code if isinstance(code, int) else 0)


def _ended_by(error: Exception) -> int:
    """Says what ended the command; its exit code."""
    sys.dont_write_bytecode = True  # what follows is loaded only now: on a disk that is full Python would keep half of it
    from siuo_async.cli import last_words
    from siuo_async.errors import NO_MEMORY, SiuoError, is_starved

    if is_starved(error):
        _tell(f"siuo: {NO_MEMORY}\n")
        return 3
    if isinstance(error, SiuoError):
        _tell(last_words.of_a_sentence(str(error)))
        return error.exit_code
    if (wrong := last_words.of_what_was_mistyped(error)) is not None:
        _tell(wrong)
        return 2
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EIO, errno.EBADF):
        _tell(f"siuo: the output cannot be written ({error.strerror}); the run itself is on disk\n")
        return 2
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        _tell(last_words.of_an_unusable_path(error))
        return 2
    _tell(last_words.of_a_bug(error))
    return 1
