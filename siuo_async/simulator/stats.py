"""The counters behind `/stats`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from siuo_async.simulator.wire import Json


@dataclass(slots=True)
class Stats:
    """What the server saw. Requests count when they arrive, so that those of a killed client are counted too."""

    requests: int = 0
    by_route: Counter[str] = field(default_factory=Counter)
    by_persona: Counter[str] = field(default_factory=Counter)
    by_status: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    """Call id -> requests that passed the checks and the limits."""
    answered: Counter[str] = field(default_factory=Counter)
    """Call id -> replies with a whole answer, or with what is wrong with the request: what was worth paying for."""
    searches: Counter[str] = field(default_factory=Counter)
    """Kind of search endpoint -> requests. They are no model requests, so they count nowhere else."""
    tokens: Counter[str] = field(default_factory=Counter)
    """`input` and `output` of every request that was answered, whether the reply came through or not: what would be billed."""
    in_flight: int = 0
    max_in_flight: int = 0
    rate_limited: int = 0

    def arrived(self, route: str) -> None:
        """One request reached its handler."""
        self.requests += 1
        self.by_route[route] += 1
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)

    def reset(self) -> None:
        """Start again at zero; requests in flight stay in flight."""
        self.requests = self.rate_limited = 0
        self.max_in_flight = self.in_flight
        for counter in (self.by_route, self.by_persona, self.by_status, self.calls, self.answered, self.searches, self.tokens):
            counter.clear()

    def as_json(self, *, calls: bool) -> Json:
        """All counters; the map of call ids only where asked for."""
        told: dict[str, Json] = {
            "requests": self.requests,
            "by_route": dict(self.by_route),
            "by_persona": dict(self.by_persona),
            "by_status": dict(self.by_status),
            "searches": dict(self.searches),
            "tokens": dict(self.tokens),
            "distinct_call_ids": len(self.calls),
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "rate_limited": self.rate_limited,
        }
        return told | {"calls": dict(self.calls), "answered": dict(self.answered)} if calls else told
