"""Reads small files without a thread where the kernel has them in memory, so that nothing waits for a disk.

The way to a thread and back costs more CPU than reading and encoding 200 KB. Linux can be told to read only what needs no waiting
(`RWF_NOWAIT`); whatever it has not at hand, and any system or file system that cannot be told so, is for a thread. What is read within
one turn of the event loop is bounded, so that many readers at once are no stall.
"""

from __future__ import annotations

import errno
import os
import stat

import pybase64

from siuo_async.client.turn import Turn
from siuo_async.values import Picture

MOST_BYTES = 2 << 20
"""Larger files are read in a thread: what the way there costs is little beside them."""
BYTES_PER_TURN = 4 << 20
"""About 2 ms of reading and encoding."""
BYTES_PER_FILE = 1 << 15
"""Opening a file takes as long as reading and encoding this much, so that thousands of small ones are bounded too."""
_CANNOT_BE_ASKED = frozenset({errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS})


class PageCache:
    """Reads and encodes files that are in memory and unchanged."""

    def __init__(self) -> None:
        self._flag: int | None = getattr(os, "RWF_NOWAIT", None) if hasattr(os, "preadv") else None
        self._buffer = bytearray()
        """Used again, since fresh memory of this size is dearer than the reading."""
        self._turn = Turn(BYTES_PER_TURN)

    def takes(self, picture: Picture) -> bool:
        """Whether it is worth a try."""
        return self._flag is not None and picture.member is None and picture.size <= MOST_BYTES

    def has_room(self, picture: Picture) -> bool:
        """Whether it can be read within this turn of the event loop."""
        return self._turn.has_room(picture.size + BYTES_PER_FILE)

    def encoded(self, picture: Picture) -> bytes | None:
        """The base64 of a file as it was hashed; None where a thread has to look."""
        self._turn.take(picture.size + BYTES_PER_FILE)
        try:
            if not _as_hashed(os.stat(picture.path), picture):  # first, since opening a pipe would wait for its writer
                return None
            file = os.open(picture.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                return self._read(file, picture)
            finally:
                os.close(file)
        except OSError as error:  # not at hand, or gone, which a thread will tell
            if error.errno in _CANNOT_BE_ASKED:
                self._flag = None  # and may be slow to open, too
            return None

    def _read(self, file: int, picture: Picture) -> bytes | None:
        assert self._flag is not None
        if len(self._buffer) <= picture.size:
            self._buffer = bytearray(max(picture.size + 1, min(2 * picture.size, MOST_BYTES + 1)))
        with memoryview(self._buffer) as buffer:
            got = os.preadv(file, [buffer[: picture.size + 1]], 0, self._flag)
            if got != picture.size or not _as_hashed(os.fstat(file), picture):
                return None
            return pybase64.b64encode(buffer[:got])


def _as_hashed(found: os.stat_result, picture: Picture) -> bool:
    return stat.S_ISREG(found.st_mode) and found.st_size == picture.size and found.st_mtime_ns == picture.mtime_ns
