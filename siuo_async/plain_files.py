"""Reads files that must be files: in a run's directory a pipe would hang the program, and a device never end."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def must_be_plain(path: Path) -> None:
    """Raises OSError where something stands at `path` that is no file: a folder, a pipe, a device."""
    _check(os.stat(path).st_mode, path)


def plain_bytes(path: Path) -> bytes:
    """What a file holds.

    Raises:
        OSError: it cannot be read, or is no file.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb") as file:
        _check(os.fstat(handle).st_mode, path)
        return file.read()


def without_waiting(path: str, flags: int) -> int:
    """An opener for `open`: a pipe is opened without waiting for its writer, so that it can be told to be none of ours."""
    return os.open(path, flags | os.O_NONBLOCK)


def _check(mode: int, path: Path) -> None:
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is no file" if not stat.S_ISDIR(mode) else "it is a folder", str(path))
