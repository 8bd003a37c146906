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
    _resets: tuple[tuple[float, float, float], ...] = ()
    """The last three of (when, what was used, seconds until it is whole again)."""
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
            self.limit = limit
        if window_s is not None:
            self.window_s = window_s
        elif reset_s is not None:
            self._infer_window(now, remaining, reset_s)
        if remaining is not None and remaining >= 0 and mark >= self._mark:
            self.remaining, self._at, self._mark = remaining, sent_at, mark
            self._measure(sent_at, remaining, mark)
            if reset_s is not None:
                self._look_at(now, now + reset_s)
        return (self.limit, self.is_stock) != before

    def _infer_window(self, now: float, remaining: float | None, reset_s: float) -> None:
        """Where no name says that a limit holds for an hour or a day, how slowly it becomes whole again does."""
        if reset_s > LONG_RESET_S:
            self.window_s = max(self.window_s, HOUR_S if reset_s <= HOUR_S else DAY_S)
        used = 0.0 if remaining is None else self.limit - remaining
        if used < 1 or reset_s <= 0:
            return
        self._resets = (*self._resets[-2:], (now, used, reset_s))
        if len(self._resets) < 3:
            return
        (_, least, _), *_, (_, most, _) = self._resets
        wholes = [reset * self.limit / used for _, used, reset in self._resets]
        if _alike(wholes) and min(least, most) >= 3 and not _alike([least, most]) and sum(wholes) / 3 > LONG_RESET_S:
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
                self._refill_per_s += 0.5 * (max(-self.per_s, min(refill_per_s, self.per_s)) - self._refill_per_s)

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
        if self.remaining is None or self.limit <= 0:
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
