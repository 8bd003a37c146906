"""Tokens per minute: a token bucket that may go into debt. Pure; the clock is passed in.

A call is let in while there is anything in the bucket and takes its estimate out, be that more than there was; what it really used is
settled when it is known. It starts nearly empty and holds two seconds' worth, so that the first minute is no burst.
"""

from __future__ import annotations

from dataclasses import dataclass

HOLDS_S = 2.0
STARTS_WITH_S = 0.5


@dataclass(slots=True)
class TokenBudget:
    """What may be spent of one kind of token.

    Args:
        per_s: tokens per second.
        at: now, seconds on any clock.
    """

    per_s: float
    at: float
    balance: float = 0.0

    def __post_init__(self) -> None:
        self.balance = self.per_s * STARTS_WITH_S

    def wait_s(self, now: float) -> float:
        """Seconds until a call may start; 0 when it may now."""
        self._fill(now)
        return 0.0 if self.balance > 0 else -self.balance / self.per_s + 1e-6

    def take(self, tokens: float) -> None:
        """A call starts that will use about this many."""
        self.balance -= tokens

    def settle(self, estimate: float, used: float) -> None:
        """A call is over: the difference goes back, or is owed."""
        self.balance += estimate - used

    def drain(self, now: float) -> None:
        """The server says that there is nothing left."""
        self._fill(now)
        self.balance = min(self.balance, 0.0)

    def change(self, per_s: float, now: float) -> None:
        """Another limit from now on."""
        self._fill(now)
        self.per_s = per_s
        self.balance = min(self.balance, per_s * HOLDS_S)

    def _fill(self, now: float) -> None:
        self.balance = min(self.per_s * HOLDS_S, self.balance + (now - self.at) * self.per_s)
        self.at = now
