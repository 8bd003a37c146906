"""How the files of a run are opened for writing: for nobody else's eyes, and never by way of a link.

Results may lie in a folder that others can write to. Whoever knows the name of a file that will be written there could put a link in
its place, to a file of the user's that would then be overwritten or grow.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path


def private(path: str | Path, flags: int) -> int:
    """A descriptor of a file of a run, 0600 where it is made now; an `opener` of `open`.

    Raises:
        OSError: it cannot be opened, or is a link, which no run makes.
    """
    try:
        return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a link, which no run makes: remove it, or move what it names here", str(path)) from error
        raise
