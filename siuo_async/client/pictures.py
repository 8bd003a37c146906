"""Pictures on their way to a provider: read, checked and base64-encoded once, in a thread, in a bounded cache.

A SIUO picture goes out seven times per model (one question, six verdicts), so encoding it once and sharing the bytes is most of what
there is to gain. Entries in flight are pinned; the rest is let go oldest first.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import partial

import pybase64

from siuo_async.errors import DataError
from siuo_async.values import Picture

CACHE_BYTES = 256 << 20


@dataclass(slots=True)
class _Entry:
    encoded: asyncio.Future[bytes]
    pins: int = 0
    size: int = field(default=0)


class PictureCache:
    """Base64 of pictures by content.

    Args:
        most_bytes: encoded bytes kept beyond what is pinned.
    """

    def __init__(self, most_bytes: int = CACHE_BYTES) -> None:
        self._most_bytes = most_bytes
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self.held_bytes = 0

    async def pin(self, picture: Picture) -> bytes:
        """The standard base64 of the picture's bytes, kept until `unpin`.

        Raises:
            DataError: the file is gone, or no longer what was hashed when the run began.
        """
        entry = self._entries.get(picture.sha256)
        if entry is None:
            # In a future of its own: a caller that is cancelled must not take the bytes away from others that wait for them.
            entry = _Entry(asyncio.get_running_loop().run_in_executor(None, _read_encoded, picture))
            self._entries[picture.sha256] = entry
            entry.encoded.add_done_callback(partial(self._loaded, picture.sha256, entry))
        else:
            self._entries.move_to_end(picture.sha256)
        entry.pins += 1
        try:
            return await asyncio.shield(entry.encoded)
        except BaseException:
            entry.pins -= 1
            self._let_go()
            raise

    def _loaded(self, sha256: str, entry: _Entry, encoded: asyncio.Future[bytes]) -> None:
        if encoded.cancelled() or encoded.exception() is not None:
            del self._entries[sha256]  # the next one reads it again
            return
        entry.size = len(encoded.result())
        self.held_bytes += entry.size
        self._let_go()

    def unpin(self, picture: Picture) -> None:
        """Says that a call no longer needs the bytes."""
        if (entry := self._entries.get(picture.sha256)) is not None and entry.pins > 0:
            entry.pins -= 1
            self._let_go()

    def _let_go(self) -> None:
        if self.held_bytes <= self._most_bytes:
            return
        for sha256, entry in list(self._entries.items()):
            if self.held_bytes <= self._most_bytes:
                return
            if entry.pins == 0 and entry.encoded.done():
                del self._entries[sha256]
                self.held_bytes -= entry.size


def _read_encoded(picture: Picture) -> bytes:
    try:
        with open(picture.path, "rb") as file:
            found = os.fstat(file.fileno())
            raw = file.read()
    except OSError as error:
        raise DataError(f"{picture.path} can no longer be read ({error.strerror}); put it back and run again") from error
    untouched = found.st_size == len(raw) == picture.size and found.st_mtime_ns == picture.mtime_ns
    if not untouched and hashlib.sha256(raw).hexdigest() != picture.sha256:
        raise DataError(f"{picture.path} changed since the run began; put the old file back, or start a new run with --fresh")
    return pybase64.b64encode(raw)
