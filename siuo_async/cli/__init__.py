"""The command line. One module per group of commands; each parses, calls and prints, and holds no logic."""

from __future__ import annotations

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
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - for as long as the process lives
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def main() -> NoReturn:
    """Entry point of `siuo`: errors that are told to the user become one sentence and the exit code of the design."""
    if sys.platform == "win32":
        sys.stderr.write("siuo runs on Linux and macOS; on Windows, use it inside WSL.\n")
        sys.exit(2)
    from siuo_async.errors import SiuoError

    _make_writable()
    try:
        from siuo_async.cli.app import app

        app(standalone_mode=True)
    except SystemExit as end:
        if end.code == _TYPER_INTERRUPTED:
            sys.stderr.write(_STOPPED)
            sys.exit(3)
        raise
    except SiuoError as error:
        from siuo_async.cli.output import complain

        complain(str(error))
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write(_STOPPED)
        sys.exit(3)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EIO, errno.EBADF):
            raise
        sys.stderr.write(f"siuo: the output cannot be written ({error.strerror}); the run itself is on disk\n")
        sys.exit(2)
    except Exception:
        traceback.print_exc()
        sys.stderr.write("siuo: this is a bug; please report it with the lines above\n")
        sys.exit(1)
    sys.exit(0)
