"""A limit group's door: slots, cooldown and pace for everything that a provider limits together.

Endpoints are the only throttle of a run. Whoever wants to send waits here, judges first (a verdict finishes a sample and frees its
pictures) and among equals the sample that began first, so that scores form early; nobody holds a slot while waiting for anything else.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import time
from collections.abc import Callable
from enum import IntEnum

from siuo_async.client.halt import Halt
from siuo_async.client.pace import Pace

UNPROVEN_SLOTS = 4
"""Calls in flight until the first success: a wrong key costs four calls, not hundreds."""
FIRST_COOLDOWN_S = 1.0
LONGEST_COOLDOWN_S = 60.0
SHORTEST_HINT_S = 0.05
"""A hint below this ("retry after 0") is none: following it would hammer the server."""


class Priority(IntEnum):
    """Who is served first."""

    JUDGE = 0
    GENERATION = 1


class LimitGroup:
    """What one provider limits together.

    Args:
        name: for messages and statistics.
        slots: calls in flight at most.
        pace: starts per second, or None for no pace.
    """

    def __init__(self, name: str, *, slots: int, pace: Pace | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self.slots = slots
        self.pace = pace
        self.in_use = 0
        self.proven = False
        self.cooldowns = 0
        self._clock = clock
        self._cool_until = 0.0
        self._hintless = 0
        self._limited_since: float | None = None
        self._waiting: list[tuple[int, int, int, _Waiter]] = []
        self._arrivals = 0
        self._pacing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many calls wait at the door."""
        return len(self._waiting)

    @property
    def cooling_s(self) -> float:
        """Seconds until calls may start again; 0 when they may."""
        return max(0.0, self._cool_until - self._clock())

    @property
    def limited_s(self) -> float:
        """Seconds since the first rejection after the last success; 0 without one."""
        return 0.0 if self._limited_since is None else self._clock() - self._limited_since

    async def enter(self, priority: Priority, halt: Halt, order: int = 0) -> None:
        """Waits for cooldown, slot and pace; `leave` must follow.

        Args:
            order: among waiters of one priority the lowest goes first, then who came first.

        Raises:
            StoppedEarly: `halt` was set before the call could start.
        """
        halt.check()
        if self.pace is None and not self.waiting and self._open():
            self.in_use += 1
            return
        waiter = _Waiter(asyncio.get_running_loop().create_future(), halt)
        self._arrivals += 1
        heapq.heappush(self._waiting, (priority, order, self._arrivals, waiter))
        self._wake()
        try:
            await waiter.turn
        except asyncio.CancelledError:
            if waiter.turn.done() and not waiter.turn.cancelled() and waiter.turn.exception() is None:
                self.leave()
            raise
        if halt.reason is not None:  # stopped after it was let in, before it woke up
            self.leave()
            halt.check()

    def leave(self) -> None:
        """Gives the slot back."""
        self.in_use -= 1
        self._wake()

    def succeeded(self) -> None:
        """Notes a reply that was no limit: the key works, the cooldown starts small again."""
        self._limited_since = None
        self._hintless = 0
        if not self.proven:
            self.proven = True
            self._wake()

    def rate_limited(self, started_at: float, hint_s: float | None) -> None:
        """Notes a 429 of a call that started at `started_at` (this group's clock): all wait.

        Calls that were already on the wire when the cooldown began tell nothing new, so an episode makes one cooldown.
        """
        now = self._clock()
        if self._limited_since is None:
            self._limited_since = now
        same_episode = started_at < self._cool_until
        if hint_s is None or hint_s < SHORTEST_HINT_S:
            if same_episode:
                return
            grown: float = min(LONGEST_COOLDOWN_S, FIRST_COOLDOWN_S * 2**self._hintless)
            hint_s = random.uniform(grown / 2, grown)  # noqa: S311 - spreads clients out, guards nothing
            self._hintless += 1
        if now + hint_s > self._cool_until:
            self._cool_until = now + hint_s
            self.cooldowns += not same_episode
            self._wake()

    def release_halted(self) -> None:
        """Sends those away whose endpoint was halted."""
        staying = []
        for entry in self._waiting:
            waiter = entry[-1]
            if waiter.halt.reason is None:
                staying.append(entry)
            elif not waiter.turn.done():
                waiter.turn.set_exception(waiter.halt.reason.with_traceback(None))
        heapq.heapify(staying)
        self._waiting = staying

    def _open(self) -> bool:
        allowed = self.slots if self.proven else min(self.slots, UNPROVEN_SLOTS)
        return self.in_use < allowed and self._clock() >= self._cool_until

    def _wake(self) -> None:
        """Lets in whoever may; with a pace, one after another in a task of its own."""
        if self.pace is not None:
            if self._pacing is None and self.waiting and self._open():
                self._pacing = asyncio.get_running_loop().create_task(self._let_in_paced(self.pace))
        else:
            while self.waiting and self._open():
                self._let_in()
        if self.waiting and (wait := self.cooling_s) and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(wait + 0.001, self._cooled)

    def _cooled(self) -> None:
        self._timer = None
        self._wake()

    async def _let_in_paced(self, pace: Pace) -> None:
        try:
            while self.waiting and self._open():
                await pace.turn()
                while self.waiting and self._open() and not self._let_in():
                    pass
        finally:
            self._pacing = None
        self._wake()

    def _let_in(self) -> bool:
        """Gives the next waiter a slot; False when that one had gone."""
        waiter = heapq.heappop(self._waiting)[-1]
        if waiter.turn.done():
            return False
        self.in_use += 1
        waiter.turn.set_result(None)
        return True


class _Waiter:
    __slots__ = ("halt", "turn")

    def __init__(self, turn: asyncio.Future[None], halt: Halt) -> None:
        self.turn = turn
        self.halt = halt
