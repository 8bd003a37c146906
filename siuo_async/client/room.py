"""A bound on the memory that long replies of one account take together, so that a server gone wrong does not fill it.

Nobody waits while there is room, since a server whose reply is not read may cut it; beyond it only a few are read on at once.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from siuo_async.errors import CallError, ErrorKind

SMALL = 1 << 20
"""A reply up to this size is not counted."""
_BYTES = 128 << 20
"""Room for what replies have beyond that: hundreds at once with the log-probabilities of long answers."""
_PLACES = 2
"""So many replies may go on where there is no room left; they end, if only by their timeout, and make some."""


class Content(Protocol):
    """The body of a reply as it comes."""

    def at_eof(self) -> bool:
        """Whether everything was read."""

    async def readany(self) -> bytes:
        """What has come and was not read yet."""


class Room:
    """What the replies of one account hold.

    Args:
        most_bytes: the longest reply; a longer one is given up.
        room_bytes, places: see above.
    """

    __slots__ = ("_left", "_most_bytes", "_places")

    def __init__(self, most_bytes: int, room_bytes: int = _BYTES, places: int = _PLACES) -> None:
        self._most_bytes = most_bytes
        self._left = room_bytes
        self._places = asyncio.Semaphore(places)

    async def whole(self, content: Content) -> bytes:
        """The whole body of a reply.

        Raises:
            CallError: it is too long.
        """
        blocks: list[bytes] = []
        size = 0
        while not content.at_eof():
            blocks.append(await content.readany())
            size += len(blocks[-1])
            if size > SMALL:
                return await self._long(content, blocks, size)
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    async def _long(self, content: Content, blocks: list[bytes], size: int) -> bytes:
        counted = 0
        placed = False
        try:
            while not content.at_eof():
                if self._left <= 0 and not placed:
                    await self._places.acquire()
                    placed = True
                block = await content.readany()
                blocks.append(block)
                size += len(block)
                counted += len(block)
                self._left -= len(block)
                if size > self._most_bytes:
                    message = f"the reply is longer than {self._most_bytes >> 20} MiB"
                    raise CallError(ErrorKind.GARBLED, message, maybe_billed=True)
            return b"".join(blocks)
        finally:
            self._left += counted
            if placed:
                self._places.release()
