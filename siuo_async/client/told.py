"""A limit as a provider's headers tell it, carried forward from the reply to now. Pure; the clock is passed in.

What a reply says is as old as its call: calls that started since have used more, and time has given some back. How much comes back
is measured from reply to reply, others' use taken off. A fixed window gives all back at once: its resets name the same moment again and
again, those of a bucket or a sliding window move on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MINUTE_S, HOUR_S, DAY_S = 60.0, 3_600.0, 86_400.0
LONG_RESET_S = 120.0
"""No limit per minute takes longer than this to be whole again: it is one per hour or day, a stock and no pace."""
HORIZON_S = 2.0
"""What is left must last this long, or the pace gives way before the limit is hit."""
LEAST_SHARE = 0.02
"""Nothing is ever held back for good by what headers say: they may be wrong."""
APART = 1.25
"""Uses whose ratio is below this prove nothing: resets in whole seconds make as much of a difference."""
SOON_TIMES = 3
"""Replies in a row that must contradict it before a stock counts as a limit per minute again."""
_EDGE_TOLERANCE_S, _EDGE_APART_S = 1.2, 3.0
_MEASURED_S = 1.0
_ALIKE = 0.1
"""Numbers that differ by less than this share are the same."""


@dataclass(slots=True)
class ToldLimit:
    """One limit of headers: requests, or one kind of token, per window."""

    limit: float = 0.0
    window_s: float = MINUTE_S
    remaining: float | None = None
    _at: float = 0.0
    """When the call that told it was sent."""
    _mark: float = 0.0
    """What had been used in all when that call was sent, itself included."""
    _edge: float | None = None
    """When the window ends."""
    _anchor: tuple[float, float] | None = None
    _fixed: bool = False
    _refill_per_s: float = 0.0
    """What comes back per second, others' use taken off, as measured."""
    _resets: tuple[tuple[float, float], ...] = ()
    """The last three of (what was used, seconds from nothing to all at the rate at which that comes back), of uses well apart."""
    _whole_soon: int = 0
    """Replies in a row by which it is whole again within a minute or two."""
    _since: tuple[float, float, float] | None = None
    """(when, what was left, what had been used) from which the refill is measured."""

    @property
    def per_s(self) -> float:
        """The limit per second."""
        return self.limit / self.window_s

    @property
    def is_stock(self) -> bool:
        """Whether it holds for an hour or a day rather than a minute."""
        return self.window_s > LONG_RESET_S

    def tell(
        self,
        limit: float | None,
        remaining: float | None,
        reset_s: float | None,
        *,
        window_s: float | None,
        now: float,
        sent_at: float,
        mark: float,
    ) -> bool:
        """Takes what a reply says; True when the limit itself is another than before.

        Args:
            limit, remaining: in requests or tokens; None where not told.
            reset_s: seconds until it is whole again.
            window_s: what the limit is counted over, where the header's name says it.
            now, sent_at: when the reply came, when its call was sent.
            mark: all that had been used when the call was sent, itself included.
        """
        before = (self.limit, self.is_stock)
        if limit is not None and limit > 0:
            if limit != self.limit:
                self._since = None  # what is left of one limit says nothing of what came back of another
            self.limit = limit
        if window_s is not None:
            self.window_s = window_s
        elif reset_s is not None:
            self._infer_window(remaining, reset_s)
        if remaining is not None and remaining >= 0 and mark >= self._mark:
            self.remaining, self._at, self._mark = remaining, sent_at, mark
            self._measure(sent_at, remaining, mark)
            if reset_s is not None:
                self._look_at(now, now + reset_s)
        return (self.limit, self.is_stock) != before

    def _infer_window(self, remaining: float | None, reset_s: float) -> None:
        """Where no name says that a limit holds for an hour or a day, how slowly it becomes whole again does."""
        used = 0.0 if remaining is None else self.limit - remaining
        whole_s = reset_s * self.limit / used if used >= 1 else 0.0
        if reset_s > LONG_RESET_S:
            self.window_s = max(self.window_s, HOUR_S if reset_s <= HOUR_S else DAY_S)
        self._whole_soon = self._whole_soon + 1 if reset_s <= LONG_RESET_S and 0 < whole_s <= LONG_RESET_S else 0
        if self.is_stock and self._whole_soon >= SOON_TIMES:
            self.window_s, self._resets = MINUTE_S, ()  # a clock had jumped, or whoever stands between told another's limit
        if whole_s > 0 and (not self._resets or not 1 / APART < used / self._resets[-1][0] < APART):
            self._resets = (*self._resets[-2:], (used, whole_s))
            uses, wholes = zip(*self._resets, strict=True)
            if (
                len(wholes) == 3
                and _alike(wholes)
                and min(uses) >= 3
                and max(uses) >= APART**2 * min(uses)
                and sum(wholes) / 3 > LONG_RESET_S
            ):
                self.window_s = sum(wholes) / 3  # what is used refills evenly, and takes that long from nothing to all

    def _look_at(self, now: float, edge: float) -> None:
        self._edge = edge
        if self._anchor is None or now >= self._anchor[1]:
            self._anchor = (now, edge)
        elif now - self._anchor[0] >= _EDGE_APART_S:
            self._fixed = abs(edge - self._anchor[1]) <= _EDGE_TOLERANCE_S
            self._anchor = (now, edge)

    def _measure(self, sent_at: float, remaining: float, mark: float) -> None:
        if self._since is None:
            self._since = (sent_at, remaining, mark)
        elif (passed_s := sent_at - self._since[0]) >= _MEASURED_S:
            refill_per_s = (remaining - self._since[1] + mark - self._since[2]) / passed_s
            self._since = (sent_at, remaining, mark)
            if refill_per_s <= 3 * self.per_s + 1:  # more is the edge of a fixed window
                self._refill_per_s += 0.5 * (min(max(refill_per_s, -self.per_s), self.per_s) - self._refill_per_s)

    def left(self, now: float, used: float) -> float:
        """What is probably left; `used`: all that was used up to now."""
        if self.remaining is None:
            return self.limit
        left = self.remaining - (used - self._mark)
        if self._fixed and self._edge is not None:
            return left if now < self._edge else self.limit
        return min(self.limit, left + (now - self._at) * self._refill_per_s)

    def share(self, now: float, used: float) -> float:
        """By how much the pace gives way: 1 while what is left, with what comes back, is enough for the next seconds."""
        if self.remaining is None or self.per_s <= 0:
            return 1.0
        sustainable_per_s = self._refill_per_s + (self.left(now, used) + 1.0) / HORIZON_S
        return min(1.0, max(LEAST_SHARE, sustainable_per_s / self.per_s))

    def opens_at(self, now: float, used: float) -> float | None:
        """When a fixed window that is used up ends; None where nothing need be waited for.

        An end that is hours away is left to the next rejection, which is held against the longest wait that the user allows.
        """
        if not self._fixed or self._edge is None or not now < self._edge <= now + LONG_RESET_S:
            return None
        return self._edge if self.left(now, used) < 1 else None


def _alike(numbers: Sequence[float]) -> bool:
    return max(numbers) - min(numbers) <= _ALIKE * max(numbers)
