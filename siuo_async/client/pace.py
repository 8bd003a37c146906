"""Pace: starts spread evenly over time, through `asyncio_throttle`.

The throttler lets a whole window through at once, and polls. So its window is 10 ms (or one call, where that takes longer), one waiter
at a time comes to it, and it is entered only when the window's time has come on a clock that does not drift: what a late timer costs
one window, the next makes up for, within bounds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from asyncio_throttle import Throttler

WINDOW_S = 0.01
"""A burst of one window more in a second is 1% of its rate."""
AIM = 0.994
"""Of the wanted rate, so that a late timer followed by one in time puts no call too many into a second."""
_POLL_S = 0.001
_MOST_LAG_S, _MOST_IDLE_S = 0.05, 0.01
"""What is made up for at most: of a late timer, and where nobody was waiting for one."""
_LONGEST_SLEEP_S = 0.5
"""A rate that rises meanwhile makes the turn come earlier."""


class Pace(Protocol):
    """When the next call may start. Only one waiter may be inside at a time."""

    rate_per_s: float

    async def turn(self) -> None:
        """Waits for the next start."""


class ThrottlerPace:
    """A pace of `rate_per_s` calls per second, which may be changed at any time."""

    def __init__(self, rate_per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._throttler = Throttler(rate_limit=1, period=0.0, retry_interval=_POLL_S)
        self._in_window = 0
        self._entered = 0.0
        self._due = clock()
        self.rate_per_s = rate_per_s

    @property
    def rate_per_s(self) -> float:
        """Calls per second."""
        return self._rate_per_s

    @rate_per_s.setter
    def rate_per_s(self, rate_per_s: float) -> None:
        if not rate_per_s > 0:
            raise ValueError("a pace needs a rate above zero")
        self._rate_per_s = rate_per_s
        self._window = max(1, int(rate_per_s * WINDOW_S))
        self._window_s = self._window / (rate_per_s * AIM)
        self._throttler.rate_limit = self._window
        self._due = min(self._due, max(self._clock(), self._entered + self._window_s))

    async def turn(self) -> None:
        """Waits until the next call may start."""
        most_lag_s = _MOST_IDLE_S
        if self._in_window >= self._window:
            while (left_s := self._due - self._clock()) > 0:
                most_lag_s = _MOST_LAG_S
                await asyncio.sleep(min(left_s, _LONGEST_SLEEP_S))
            self._in_window = 0
        if self._in_window == 0:
            # Everything of the last window is older than this, so the throttler's own window is empty now.
            self._throttler.period = max(0.0, min(self._window_s, self._clock() - self._entered) - 1e-6)
        async with self._throttler:
            self._entered = self._clock()
        if self._in_window == 0:
            self._due = max(self._due, self._entered - min(most_lag_s, self._window_s)) + self._window_s
        self._in_window += 1
