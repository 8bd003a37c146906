"""The command line. One module per group of commands; each parses, calls and prints, and holds no logic."""

from __future__ import annotations

import os
import sys
import traceback
from typing import NoReturn


def main() -> NoReturn:
    """Entry point of `siuo`: errors that are told to the user become one sentence and the exit code of the design."""
    if sys.platform == "win32":
        sys.stderr.write("siuo runs on Linux and macOS; on Windows, use it inside WSL.\n")
        sys.exit(2)
    from siuo_async.errors import SiuoError

    try:
        from siuo_async.cli.app import app

        app(standalone_mode=True)
    except SiuoError as error:
        from siuo_async.cli.output import complain

        complain(str(error))
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("siuo: stopped; run the same command again to continue\n")
        sys.exit(3)
    except Exception:
        traceback.print_exc()
        sys.stderr.write("siuo: this is a bug; please report it with the lines above\n")
        sys.exit(1)
    sys.exit(0)
