"""What makes files survive: names that are on the disk, not only contents, and what to do where a disk will not take them.

A file's own sync says nothing of its name: until the folder is synced too, a power cut may take a new or replaced file away whole.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable
from pathlib import Path

from siuo_async.engine.private_files import private
from siuo_async.errors import StoppedEarly

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_CLOSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable, where its file system can.

    Raises:
        OSError: the disk failed or is full; that a folder cannot be synced here at all is passed over.
    """
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno == errno.EIO or error.errno in _FULL:
            raise


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it, durably; it is for nobody else's eyes where it is new.

    Raises:
        OSError: it cannot be made.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    for each in missing:
        sync_folder(each.parent)


def unwritable(path: Path, error: OSError) -> str:
    """One sentence: what cannot be written, why, and what to do, which depends on the reason."""
    if error.errno in _FULL:
        way = "make room and run the same command again"
    elif error.errno in _CLOSED:
        way = "make the folder writable and run the same command again"
    else:
        way = "look after the disk and run the same command again"
    return f"{path} cannot be written ({error.strerror or error}); {way}"


def write_parts(path: Path, parts: Iterable[bytes]) -> None:
    """Replaces a file at once, 0600: a crash leaves the old one or the new one. Only one part at a time is in memory.

    Raises:
        StoppedEarly: the disk would not take it.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.unlink(missing_ok=True)  # what a killed process with our number left, or somebody's link
        with open(temporary, "xb", opener=private) as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise StoppedEarly(unwritable(path, error)) from error
        raise


def sweep(folder: Path) -> None:
    """Takes away what processes that were killed had half written of files that are replaced at once."""
    with contextlib.suppress(OSError):
        for left in folder.glob(".*.*"):
            number = left.suffix[1:]
            if number.isascii() and number.isdecimal() and not _alive(int(number)):
                left.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
