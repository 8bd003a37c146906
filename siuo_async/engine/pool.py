"""A model's workers: enough to keep its slots in use, all taking samples by their places in one order.

Slots are learnt while the run goes on, so the number of workers follows them; nothing is made ahead for samples that nobody works on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from siuo_async.engine.scoreboard import ModelBoard

LEAST_WORKERS = 64
WORKERS_PER_SLOT = 4


class Pool:
    """The workers of one model.

    Args:
        board: tells how many samples there are, and is told how many were begun.
        live: lives the sample at a place of the order.
        slots: calls at once that the model, or its judge, takes now.
    """

    def __init__(
        self,
        board: ModelBoard,
        live: Callable[[int], Awaitable[None]],
        slots: Callable[[], int],
    ) -> None:
        self._board = board
        self._places = self._taken()
        self._live = live
        self._slots = slots
        self._wanted = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._no_more = board.total == 0
        self._bug: BaseException | None = None
        self._empty = asyncio.Event()

    def __len__(self) -> int:
        """How many workers there are."""
        return len(self._tasks)

    def grow(self) -> None:
        """Starts as many workers as are lacking: never more than samples are left."""
        self._wanted = max(LEAST_WORKERS, WORKERS_PER_SLOT * self._slots())
        if not self._no_more:
            lacking = min(self._wanted - len(self._tasks), self._board.total - self._board.begun)
            for _ in range(lacking):
                task = asyncio.create_task(self._work())
                self._tasks.add(task)
                task.add_done_callback(self._ended)
        self._look_if_empty()

    def cancel(self) -> None:
        """Ends all of them where they are; no others come."""
        self._no_more = True
        for task in self._tasks:
            task.cancel()
        self._look_if_empty()

    async def finished(self) -> None:
        """Returns when no worker is left and no sample is to be begun.

        Raises:
            BaseException: whatever ended a worker before its time.
        """
        await self._empty.wait()
        if self._bug is not None:
            raise self._bug

    async def _work(self) -> None:
        for position in self._places:
            await self._live(position)
            if len(self._tasks) > self._wanted:
                return

    def _taken(self) -> Iterator[int]:
        try:
            for position in range(self._board.total):
                if self._no_more:
                    return
                self._board.begun = position + 1
                yield position
        finally:
            self._no_more = True

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (bug := task.exception()) is not None:
            self._bug = self._bug or bug
            self._no_more = True
        self._look_if_empty()

    def _look_if_empty(self) -> None:
        if self._no_more and not self._tasks:
            self._empty.set()
