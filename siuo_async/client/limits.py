"""A limit group's door: slots, cooldown, pace and tokens for everything that a provider limits together.

Endpoints are the only throttle of a run. Whoever wants to send waits here, judges first (a verdict finishes a sample and frees its
pictures) and among equals the sample that began first, so that scores form early; nobody holds a slot while waiting for anything else.
What the limits are is the controller's business; here is who waits, and for how long for what.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable, Sequence
from enum import IntEnum

from siuo_async.client.controller import Cause, Controller, Mark
from siuo_async.client.halt import Halt
from siuo_async.client.pace import Pace, ThrottlerPace
from siuo_async.providers.hints import LimitTold

TICK_S = 0.25
_LONGEST_TOKEN_SLEEP_S = 1.0
"""A budget may grow meanwhile."""
_SAME_RATE = 0.002

Tokens = tuple[float, float]
"""(input, output)."""
Guess = Callable[[], Tokens]


class Priority(IntEnum):
    """Who is served first."""

    JUDGE = 0
    GENERATION = 1


class LimitGroup:
    """What one provider limits together.

    Args:
        name: for messages and statistics.
        controller: what may be done.
        pace: makes the pace for a rate per second.
        clock: the controller's.
    """

    def __init__(
        self,
        name: str,
        controller: Controller,
        *,
        pace: Callable[[float], Pace] = ThrottlerPace,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.controller = controller
        self.in_use = 0
        self.waited_s = dict.fromkeys(Cause, 0.0)
        """For how long somebody waited for what, as looked at four times a second."""
        self._make_pace = pace
        self._pace: Pace | None = None
        self._turn_held = False
        """A turn of the pace was waited for, and nobody could use it yet."""
        self._clock = clock
        self._waiting: list[tuple[int, int, int, _Waiter]] = []
        self._arrivals = 0
        self._pacing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._ticked = 0.0
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many calls wait at the door."""
        return len(self._waiting)

    @property
    def slots(self) -> int:
        """Calls in flight at most."""
        return self.controller.slots

    @property
    def cooling_s(self) -> float:
        """Seconds until calls may start again; 0 when they may."""
        return self.controller.cooling_s

    @property
    def cause(self) -> Cause:
        """What holds back who waits now."""
        controller = self.controller
        if not self._waiting:
            return Cause.NOTHING
        if controller.cooling_s > 0:
            return Cause.COOLDOWN
        if self.in_use >= controller.slots:
            return Cause.SLOTS
        if controller.tokens_wait_s() > 0:
            return Cause.TOKENS
        return Cause.NOTHING if controller.calls_per_s is None else Cause.PACE

    async def enter(self, priority: Priority, halt: Halt, order: int = 0, guess: Guess | None = None) -> Tokens | None:
        """Waits for cooldown, slot, tokens and pace; `leave` must follow.

        Args:
            order: among waiters of one priority the lowest goes first, then who came first.
            guess: tells, when it is this call's turn, about how many tokens it will use; asked only where tokens are counted.

        Returns: what it was let in with, to be settled; None where tokens are not counted.

        Raises:
            StoppedEarly: `halt` was set before the call could start.
        """
        halt.check()
        controller = self.controller
        if not self._waiting and self._open() and controller.calls_per_s is None and not controller.budgets:
            self._start(None)
            return None
        waiter = _Waiter(asyncio.get_running_loop().create_future(), halt, guess)
        self._arrivals += 1
        heapq.heappush(self._waiting, (priority, order, self._arrivals, waiter))
        self._wake()
        try:
            tokens = await waiter.turn
        except asyncio.CancelledError:
            if waiter.turn.done() and not waiter.turn.cancelled() and waiter.turn.exception() is None:
                self._unused(waiter.turn.result())
            raise
        if halt.reason is not None:  # stopped after it was let in, before it woke up
            self._unused(tokens)
            halt.check()
        return tokens

    def _unused(self, tokens: Tokens | None) -> None:
        if tokens is not None:
            self.controller.settled(tokens, (0.0, 0.0))
        self.leave()

    def leave(self) -> None:
        """Gives the slot back."""
        self.in_use -= 1
        self._wake()

    def succeeded(self, sent_at: float, in_flight: int = 1) -> None:
        """Notes a reply that was no limit, to a call that was let in at `sent_at` (this group's clock)."""
        proven = self.controller.proven
        self.controller.succeeded(sent_at, in_flight)
        if not proven:
            self._wake()

    def mark(self) -> Mark:
        """Where the counters stand, for a call that was just let in."""
        return self.controller.mark(self.in_use)

    def rejected(self, sent_at: float, mark: Mark, hint_s: float | None = None, limit: str | None = None) -> float:
        """Notes that a call was turned away by a limit, before its slot is given back: nobody slips in ahead of the cooldown.

        Returns: seconds that this call itself must wait before it comes again, though others need not.
        """
        wait_s = self.controller.rejected(sent_at, mark.in_flight, hint_s, limit)
        self._turn_held = False  # a turn from before the cooldown and a fresh one would make two starts at once
        self._wake()
        return wait_s

    def tell(self, told: Sequence[LimitTold], sent_at: float, mark: Mark) -> None:
        """Takes what a reply's headers say of the limits."""
        if told:
            self.controller.tell(told, sent_at, mark)

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

    def close(self) -> None:
        """Lets its timers go; nobody who waits is let in any more."""
        self._closed = True
        if self._pacing is not None:
            self._pacing.cancel()
        for timer in (self._timer, self._ticker):
            if timer is not None:
                timer.cancel()
        self._timer = self._ticker = None

    def _open(self) -> bool:
        return self.in_use < self.controller.slots and self._clock() >= self.controller.cool_until

    def _wake(self) -> None:
        """Lets in whoever may; with a pace or token budgets, one after another in a task of its own."""
        if not self._waiting or self._closed:
            return
        if self.controller.calls_per_s is not None or self.controller.budgets:
            if self._pacing is None and self._open():
                self._pacing = asyncio.get_running_loop().create_task(self._let_in_paced())
        else:
            while self._waiting and self._open():
                self._let_in()
        if self._waiting and self._timer is None and (wait_s := self.cooling_s):
            self._timer = asyncio.get_running_loop().call_later(wait_s + 0.001, self._cooled)

    def _cooled(self) -> None:
        self._timer = None
        self._wake()

    async def _let_in_paced(self) -> None:
        try:
            while self._waiting and self._open():
                if wait_s := self.controller.tokens_wait_s():
                    await asyncio.sleep(min(wait_s, _LONGEST_TOKEN_SLEEP_S))
                    continue
                await self._turn()
                while self._waiting and self._open() and self._turn_held:
                    self._turn_held = not self._let_in()
        finally:
            self._pacing = None
        self._wake()

    async def _turn(self) -> None:
        """Waits for a turn of the pace; one that could not be used is kept."""
        rate = self.controller.calls_per_s
        if rate is None or self._turn_held:
            self._turn_held = True
            return
        if self._pace is None:
            self._pace = self._make_pace(rate)
        self._keep_pace()
        await self._pace.turn()
        self._turn_held = True

    def _keep_pace(self) -> None:
        """Tells the pace its rate, if that is another now; who waits for a slow turn must not outwait a limit that rose."""
        rate = self.controller.calls_per_s
        if self._pace is not None and rate is not None and abs(self._pace.rate_per_s - rate) > _SAME_RATE * rate:
            self._pace.rate_per_s = rate

    def _let_in(self) -> bool:
        """Gives the next waiter a slot; False when that one had gone."""
        waiter = heapq.heappop(self._waiting)[-1]
        if waiter.turn.done():
            return False
        tokens = waiter.guess() if waiter.guess is not None and self.controller.budgets else None
        self._start(tokens)
        waiter.turn.set_result(tokens)
        return True

    def _start(self, tokens: Tokens | None) -> None:
        self.in_use += 1
        self.controller.started(tokens)
        if self._ticker is None:
            self._ticked = self._clock()
            self._ticker = asyncio.get_running_loop().call_later(TICK_S, self._tick)

    def _tick(self) -> None:
        """Looks four times a second at what holds callers back, as long as there are any."""
        now, cause = self._clock(), self.cause
        passed_s, self._ticked = now - self._ticked, now
        self.waited_s[cause] += passed_s
        self.controller.tick(passed_s, cause)
        self._keep_pace()
        busy = self.in_use or self._waiting
        self._ticker = asyncio.get_running_loop().call_later(TICK_S, self._tick) if busy else None
        self._wake()


class _Waiter:
    __slots__ = ("guess", "halt", "turn")

    def __init__(self, turn: asyncio.Future[Tokens | None], halt: Halt, guess: Guess | None) -> None:
        self.turn = turn
        self.halt = halt
        self.guess = guess
