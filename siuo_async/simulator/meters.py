"""The three ways in which providers count what is used of one limit. Pure; the clock is passed in.

Amounts are requests or tokens alike. A request for more than a limit ever holds passes when nothing else counts against it, and
leaves the limit overdrawn until that has drained.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from siuo_async.simulator.wire import Quota

_NOTHING = 1e-9
"""What rounding may leave over: whoever waits exactly as long as told is let in."""


class Meter(Protocol):
    """What one limit has been used for. Times are seconds on any clock that does not go back."""

    def wait_s(self, now: float, amount: float, /) -> float:
        """Seconds until `amount` more could be taken; 0: now."""

    def take(self, now: float, amount: float, /) -> None:
        """Use `amount`, whether or not there is room."""

    def add(self, now: float, amount: float, at: float, /) -> None:
        """Correct what was taken at `at` by `amount`, which may be negative."""

    def resize(self, now: float, capacity: float, per_s: float, /) -> None:
        """From now on the limit holds `capacity` and, where it refills, does so at `per_s`. What was used stays used."""

    def quota(self, now: float, /) -> Quota:
        """Where the limit stands."""


@dataclass(slots=True)
class Fixed:
    """A counter that starts again at nothing at every edge `phase_s + k * window_s`."""

    capacity: float
    window_s: float
    phase_s: float = 0.0
    _used: float = 0.0
    _window: float = -math.inf
    """Number of the window that `_used` belongs to."""

    def _number(self, now: float) -> float:
        return math.floor((now - self.phase_s) / self.window_s + _NOTHING)

    def _turn(self, now: float) -> float:
        """Begin the window that `now` is in; the seconds to its end."""
        number = self._number(now)
        if number != self._window:
            self._window, self._used = number, 0.0
        return self.phase_s + (number + 1) * self.window_s - now

    def wait_s(self, now: float, amount: float, /) -> float:
        """Until the next edge, where there is no room."""
        rest_s = self._turn(now)
        return 0.0 if self._used + min(amount, self.capacity) <= self.capacity + _NOTHING else rest_s

    def take(self, now: float, amount: float, /) -> None:
        """Use `amount` of this window."""
        self._turn(now)
        self._used += amount

    def add(self, now: float, amount: float, at: float, /) -> None:
        """Correct this window, if `at` lies in it."""
        self._turn(now)
        if self._number(at) == self._window:
            self._used = max(0.0, self._used + amount)

    def resize(self, now: float, capacity: float, per_s: float, /) -> None:
        """The window holds `capacity`."""
        self.capacity = capacity

    def quota(self, now: float, /) -> Quota:
        """Reset: until the next edge."""
        rest_s = self._turn(now)
        return _quota(self.capacity, self.capacity - self._used, rest_s)


@dataclass(slots=True)
class Sliding:
    """A log of what was taken, each entry for `window_s` seconds."""

    capacity: float
    window_s: float
    _times: deque[float] = field(default_factory=deque)
    _amounts: dict[float, float] = field(default_factory=dict)
    """Time -> what was taken then and not given back."""
    _used: float = 0.0

    def _drop(self, now: float) -> None:
        while self._times and self._times[0] <= now - self.window_s + _NOTHING:
            self._used -= self._amounts.pop(self._times.popleft())
        if not self._times:
            self._used = 0.0  # no sum of rounding errors

    def wait_s(self, now: float, amount: float, /) -> float:
        """Until enough of the oldest entries are gone."""
        self._drop(now)
        over = self._used + min(amount, self.capacity) - self.capacity
        if over <= _NOTHING:
            return 0.0
        for time in self._times:
            over -= self._amounts[time]
            if over <= _NOTHING:
                return time + self.window_s - now
        return self.window_s

    def take(self, now: float, amount: float, /) -> None:
        """Log `amount`."""
        self._drop(now)
        if now not in self._amounts:
            self._times.append(now)
            self._amounts[now] = 0.0
        self._amounts[now] += amount
        self._used += amount

    def add(self, now: float, amount: float, at: float, /) -> None:
        """Correct the entry of `at`, if it is still in the window."""
        self._drop(now)
        if at in self._amounts:
            self._amounts[at] += amount
            self._used += amount

    def resize(self, now: float, capacity: float, per_s: float, /) -> None:
        """The window holds `capacity`."""
        self.capacity = capacity

    def quota(self, now: float, /) -> Quota:
        """Reset: until the window is empty."""
        self._drop(now)
        return _quota(self.capacity, self.capacity - self._used, self._times[-1] + self.window_s - now if self._times else 0.0)


@dataclass(slots=True)
class Bucket:
    """Holds `capacity`, is full at first, and refills by `per_s` a second."""

    capacity: float
    per_s: float
    at: float
    """When `_level` was true; at first, when the bucket was made."""
    _level: float = math.nan

    def __post_init__(self) -> None:
        self._level = self.capacity

    def _refill(self, now: float) -> None:
        self._level = min(self.capacity, self._level + max(0.0, now - self.at) * self.per_s)
        self.at = max(now, self.at)

    def wait_s(self, now: float, amount: float, /) -> float:
        """Until the bucket holds enough."""
        self._refill(now)
        lacking = min(amount, self.capacity) - self._level
        return 0.0 if lacking <= _NOTHING * max(1.0, self.capacity) else lacking / self.per_s

    def take(self, now: float, amount: float, /) -> None:
        """Take `amount` out, into debt of at most a whole bucket, so that no debt lasts longer than a window would."""
        self._refill(now)
        self._level = max(self._level - amount, -self.capacity)

    def add(self, now: float, amount: float, at: float, /) -> None:
        """Put back what was too much; when it was taken does not matter."""
        self._refill(now)
        self._level = min(self.capacity, self._level - amount)

    def resize(self, now: float, capacity: float, per_s: float, /) -> None:
        """What is in the bucket stays, as far as there is room."""
        self._refill(now)
        self.capacity, self.per_s = capacity, per_s
        self._level = min(self._level, capacity)

    def quota(self, now: float, /) -> Quota:
        """Reset: until the bucket is full."""
        self._refill(now)
        return _quota(self.capacity, self._level, (self.capacity - self._level) / self.per_s)


def _quota(capacity: float, left: float, reset_s: float) -> Quota:
    return Quota(math.floor(capacity + _NOTHING), max(0, math.floor(left + _NOTHING)), reset_s)
