"""Pace: starts spread evenly over time, through `asyncio_throttle`.

The throttler lets a whole window through at once and polls. A short window (50 ms) makes it smooth; one waiter at a time makes
it free; setting its poll to the time that really remains keeps it at the wanted rate; and the window is corrected by what the
starts measured so far lag behind.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from asyncio_throttle import Throttler

WINDOW_S = 0.05
_MOST_CORRECTION = 0.5
"""A window is never shortened below this share of its length, so a lag is caught up without a burst."""


class Pace(Protocol):
    """When the next call may start. Only one waiter may be inside at a time."""

    rate_per_s: float

    async def turn(self, cost: int = 1) -> None:
        """Waits for the next start."""


class ThrottlerPace:
    """A pace of `rate_per_s` calls per second."""

    def __init__(self, rate_per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        if not rate_per_s > 0:
            raise ValueError("a pace needs a rate above zero")
        self.rate_per_s = rate_per_s
        self._per_window = max(1, round(rate_per_s * WINDOW_S))
        self._window_s = self._per_window / rate_per_s
        self._throttler = Throttler(rate_limit=self._per_window, period=self._window_s)
        self._clock = clock
        self._starts: deque[float] = deque(maxlen=self._per_window)
        self._due: float | None = None

    async def turn(self, cost: int = 1) -> None:
        """Waits until the next call may start; `cost` calls take `cost` turns."""
        for _ in range(cost):
            await self._one()

    async def _one(self) -> None:
        now = self._clock()
        lag = 0.0 if self._due is None else now - self._due
        if lag > self._window_s:  # nobody was waiting: no credit is kept for idle time
            self._due, lag = now, 0.0
        self._throttler.period = self._window_s - min(max(lag, 0.0), self._window_s * _MOST_CORRECTION)
        if len(self._starts) == self._per_window:
            remaining = self._starts[0] + self._throttler.period - now
            self._throttler.retry_interval = max(remaining, 0.0001)
        async with self._throttler:
            started = self._clock()
        self._starts.append(started)
        self._due = (started if self._due is None else max(self._due, started - self._window_s)) + 1 / self.rate_per_s
