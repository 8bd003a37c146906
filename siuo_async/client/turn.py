"""A bound on what is handled within one turn of the event loop, so that many calls that begin at once are no stall."""

from __future__ import annotations

import asyncio
from collections import deque


class Turn:
    """Counts bytes, and forgets them when the event loop goes round.

    Args:
        most_bytes: within one turn.
    """

    __slots__ = ("_left", "_most_bytes", "_waiting")

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = self._left = most_bytes
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    def has_room(self, size: int) -> bool:
        """Whether `size` bytes more may be handled now; what is larger than the bound may as the first of a turn."""
        return self._left >= size or self._left == self._most_bytes

    def take(self, size: int) -> None:
        """Counts what is handled now."""
        if self._left == self._most_bytes and size:
            asyncio.get_running_loop().call_soon(self._next)
        self._left -= size

    async def taken(self, size: int) -> None:
        """Waits for the turn in which there is room, and counts `size` bytes in it; who came first goes first."""
        if not self._waiting and self.has_room(size):
            self.take(size)
            return
        mine = asyncio.get_running_loop().create_future()
        self._waiting.append((size, mine))
        await mine

    def _next(self) -> None:
        self._left = self._most_bytes
        while self._waiting and self.has_room(self._waiting[0][0]):
            size, waiting = self._waiting.popleft()
            if not waiting.done():
                self.take(size)
                waiting.set_result(None)
