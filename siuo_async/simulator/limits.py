"""The limits of a simulated provider: a sliding window per model and slots for all. Pure; the clock is passed in."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from siuo_async.simulator.wire import Quota


@dataclass(slots=True)
class Limits:
    """How many requests are let in.

    Args:
        rpm: requests per minute and model; 0: no limit.
        window_s: the window slides over this many seconds and holds `rpm * window_s / 60` requests, at least one.
        concurrency: requests at once, over all models; 0: no limit.
    """

    rpm: int
    window_s: float
    concurrency: int
    _starts: dict[str, deque[float]] = field(default_factory=dict)

    def has_slot(self, in_flight: int) -> bool:
        """Whether another request may run beside `in_flight` others."""
        return not self.concurrency or in_flight < self.concurrency

    def admit(self, model: str, now: float) -> tuple[Quota | None, float | None]:
        """Count one request of `model` at `now` (seconds on any clock).

        Returns:
            Where the limit stands (None without one), and the seconds to wait where the request is turned away, else None.
            A request that is turned away does not use the limit.
        """
        if not self.rpm:
            return None, None
        limit = max(1, round(self.rpm * self.window_s / 60))
        starts = self._starts.setdefault(model, deque())
        while starts and starts[0] <= now - self.window_s:
            starts.popleft()
        wait_s = None
        if len(starts) < limit:
            starts.append(now)
        else:
            wait_s = starts[0] + self.window_s - now
        return Quota(limit, limit - len(starts), starts[-1] + self.window_s - now), wait_s

    def reset(self) -> None:
        """Forget all requests."""
        self._starts.clear()
