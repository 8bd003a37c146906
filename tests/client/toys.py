"""A clock to set, and toy servers in virtual time for what learns their limits."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from siuo_async.client.controller import Cause, Controller
from siuo_async.client.limits import TICK_S
from siuo_async.providers.hints import LimitTold

STEP_S = 0.01


@dataclass
class Clock:
    """Seconds that pass when told to."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Rejected:
    """A toy's 429."""

    hint_s: float | None = None
    limit: str | None = None


class Bucket:
    """Refills evenly; starts full."""

    def __init__(self, per_s: float, holds: float | None = None) -> None:
        self.per_s, self.holds = per_s, holds or max(2.0, per_s)
        self.level, self.at = self.holds, -math.inf

    def ask(self, now: float, in_flight: int) -> Rejected | None:
        self.level = min(self.holds, self.level + max(0.0, min(now - self.at, 1e6)) * self.per_s)
        self.at = now
        if self.level < 1:
            return Rejected()
        self.level -= 1
        return None


class Minute:
    """So many in each minute of the clock; says how long to wait if asked to."""

    def __init__(self, per_minute: int, *, hints: bool = False) -> None:
        self.per_minute, self.hints = per_minute, hints
        self.minute, self.used = -1, 0

    def ask(self, now: float, in_flight: int) -> Rejected | None:
        if int(now // 60) != self.minute:
            self.minute, self.used = int(now // 60), 0
        if self.used >= self.per_minute:
            return Rejected(60 - now % 60 if self.hints else None)
        self.used += 1
        return None


class Crowded:
    """Serves so many at once."""

    def __init__(self, most: int) -> None:
        self.most = most

    def ask(self, now: float, in_flight: int) -> Rejected | None:
        return Rejected() if in_flight >= self.most else None


@dataclass
class World:
    """A client that always has more to send, its controller, and a server that lives in the same virtual time."""

    controller: Controller
    clock: Clock
    ask: Callable[[float, int], Rejected | None]
    latency_s: float = 0.4
    headers: Callable[[float], tuple[LimitTold, ...]] = lambda _: ()
    let_in: list[float] = field(default_factory=list)
    turned_away: list[float] = field(default_factory=list)
    _in_flight: int = 0
    _serving: int = 0
    _replies: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _due: float = 0.0
    _ticked: float = 0.0

    def run(self, seconds: float) -> World:
        """Lets time pass."""
        for _ in range(round(seconds / STEP_S)):
            self.clock.now += STEP_S
            now = self.clock.now
            while self._replies and self._replies[0][0] <= now:
                heapq.heappop(self._replies)[2]()
            cause = self._start(now)
            if now - self._ticked >= TICK_S:
                self.controller.tick(min(now - self._ticked, TICK_S + STEP_S), cause)
                self._ticked = now
        return self

    def _start(self, now: float) -> Cause:
        """Starts what may start; what holds back the next."""
        controller = self.controller
        while True:
            if controller.cooling_s > 0:
                return Cause.COOLDOWN
            if self._in_flight >= controller.slots:
                return Cause.SLOTS
            if controller.tokens_wait_s() > 0:
                return Cause.TOKENS
            rate = controller.calls_per_s
            if rate is not None:
                self._due = min(self._due, now + 1 / rate)
                if self._due > now:
                    return Cause.PACE
                self._due = max(self._due, now - STEP_S) + 1 / rate
            self._send(now)

    def _send(self, now: float) -> None:
        self._in_flight += 1
        self.controller.started()
        mark = self.controller.mark(self._in_flight)
        rejected = self.ask(now, self._serving)
        told = self.headers(now)
        if rejected is None:
            self.let_in.append(now)
            self._serving += 1
        else:
            self.turned_away.append(now)

        def reply() -> None:
            self.controller.tell(told, now, mark)
            self._in_flight -= 1
            if rejected is None:
                self._serving -= 1
                self.controller.succeeded(now)
            else:
                self.controller.rejected(now, mark.in_flight, rejected.hint_s, rejected.limit)

        delay_s = self.latency_s if rejected is None else 0.05
        heapq.heappush(self._replies, (now + delay_s, self.controller.calls, reply))

    def let_in_per_s(self, seconds: float) -> float:
        """Calls served per second over the last `seconds`."""
        return sum(at > self.clock.now - seconds for at in self.let_in) / seconds

    def turned_away_share(self, seconds: float) -> float:
        """Of the calls of the last `seconds`, those turned away."""
        since = self.clock.now - seconds
        away = sum(at > since for at in self.turned_away)
        return away / max(1, away + sum(at > since for at in self.let_in))
