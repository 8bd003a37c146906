"""The limits of a simulated provider: of requests, tokens and the day for each model, and of slots for all. Pure.

The clock is passed in, so that the same limits run behind a socket and in virtual time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

from siuo_async.simulator.meters import Bucket, Fixed, Meter, Sliding
from siuo_async.simulator.wire import Hints, LimitName, Quota

__all__ = ["Admission", "Hints", "LimitSettings", "Limiter", "Limits", "Unit"]

Unit: TypeAlias = Literal["requests", "tokens", "requests_day"]

CONCURRENCY_RETRY_S = 0.5
"""What a request is told to wait where all slots are taken: no server knows when one will be free."""
DAY_S = 86_400.0
_NAMES: Mapping[Unit, LimitName] = {"requests": "requests", "tokens": "tokens", "requests_day": "day"}


class Limiter(StrEnum):
    """How requests and tokens per minute are counted."""

    FIXED = "fixed"
    """A counter that starts again at the edges of fixed windows."""
    SLIDING = "sliding"
    """A log of what was let in, over a window that ends now."""
    BUCKET = "bucket"
    """A bucket that refills evenly."""


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """What is limited. Where not said otherwise, 0 is no limit."""

    limiter: Limiter = Limiter.SLIDING
    rpm: float = 0
    """Requests per minute and model: a window holds `rpm * window_s / 60` of them, at least one."""
    tpm: float = 0
    """Tokens per minute and model, counted as the requests are."""
    rpd: int = 0
    """Requests per model in the 86,400 s from the model's first request on; then as many again."""
    window_s: float = 60.0
    """Length of a window, so that short windows make short tests possible."""
    burst: float = 0
    """What a bucket holds, in requests (one of tokens holds the same part of its window); 0: as much as a window."""
    concurrency: int = 0
    """Requests at once, over all models."""
    phase_s: float = 0.0
    """Fixed windows: an edge, on the clock of the calls."""
    schedule: tuple[tuple[float, float], ...] = ()
    """`(at_s, factor)`, in order: from so many seconds after the first request on, `rpm`, `tpm` and `concurrency` are that
    many times what they are here. What was used before stays used."""
    other_rpm: float = 0
    """Requests per minute, evenly, by which another client uses up the limit of every model. One that finds no room is let in
    before this client's as soon as there is some, so `rpm - other_rpm` is left. It uses no tokens and nothing of the day."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether one request is let in, and where the limits stand after it."""

    admitted: bool
    quotas: Mapping[str, Quota] = field(default_factory=dict)
    """`Unit` -> its limit, of those that there are."""
    wait_s: float | None = None
    """Seconds until the same request could pass; None if it was let in."""
    by: LimitName | None = None
    """The limit that turned it away: of several the one that stays closed longest."""
    ceiling: int | None = None
    """What that limit holds."""


@dataclass(slots=True)
class _Lane:
    """What is counted for one model."""

    meters: dict[Unit, Meter]
    other_sent: float
    """When the other client sent the first of its requests that is not let in yet; never, without another client."""
    other_gap_s: float
    other_waits: float = -math.inf
    """Until when that request cannot pass."""

    def catch_up(self, now: float, window_s: float) -> None:
        """Let in what the other client has sent until `now`."""
        late_s = now - 2 * window_s - self.other_sent
        if late_s > 0:
            # What is older than any window counts for none, and the other client has given it up.
            self.other_sent += math.floor(late_s / self.other_gap_s) * self.other_gap_s
        while (at := max(self.other_sent, self.other_waits)) <= now:
            wait_s = self.meters["requests"].wait_s(at, 1)
            if wait_s > 0:
                self.other_waits = at + wait_s
            else:
                self.meters["requests"].take(at, 1)
                self.other_sent += self.other_gap_s


@dataclass(slots=True)
class Limits:
    """How many requests are let in. Times are seconds on any one clock that does not go back."""

    settings: LimitSettings = field(default_factory=LimitSettings)
    _lanes: dict[str, _Lane] = field(default_factory=dict)
    _first: float | None = None
    _changes: int = 0
    """How many entries of the schedule are in force."""
    _requests: int = 0
    _tokens: float = 0.0
    """What was let in, for the mean size of a request."""

    def admit(self, model: str, now: float, tokens: float = 0, in_flight: int = 0) -> Admission:
        """Count one request of `model`. One that is turned away uses nothing.

        Args:
            model: whose limits count.
            now: the time.
            tokens: what the request is charged at the door: its input and its cap.
            in_flight: the other requests that are being served, of all models.
        """
        lane = self._lane(model, now)
        slots = self._slots(now)
        if slots is not None and in_flight >= slots:
            return Admission(False, self._standing(lane, now), CONCURRENCY_RETRY_S, "concurrency", slots)
        waits = {unit: meter.wait_s(now, tokens if unit == "tokens" else 1) for unit, meter in lane.meters.items()}
        slowest = max(waits, key=waits.__getitem__, default=None)
        if slowest is not None and waits[slowest] > 0:
            quotas = self._standing(lane, now)
            return Admission(False, quotas, waits[slowest], _NAMES[slowest], lane.meters[slowest].quota(now).limit)
        for unit, meter in lane.meters.items():
            meter.take(now, tokens if unit == "tokens" else 1)
        self._requests += 1
        self._tokens += tokens
        return Admission(True, self._standing(lane, now))

    def settle(self, model: str, now: float, charged: float, used: float, at: float | None = None) -> None:
        """Correct what a request was charged at the door to what it used; only of tokens.

        Args:
            model: as let in.
            now: the time.
            charged: the tokens it was let in with.
            used: the tokens of its reply's usage.
            at: when it was let in, so that nothing is given back that the window has forgotten; None: as if just now.
        """
        lane = self._lane(model, now)
        self._tokens += used - charged
        if "tokens" in lane.meters:
            lane.meters["tokens"].add(now, used - charged, now if at is None else at)

    def allowed(self, now: float) -> float | None:
        """Requests per second of one model that this client can get through now; None: as many as it likes.

        Only what limits a rate: neither slots nor the day, and no burst that is still unused. A limit of tokens counts in
        requests of the mean size so far.
        """
        told, factor = self.settings, self._factor(now)
        rates = []
        if told.rpm:
            rates.append(max(0.0, self._rate(told.rpm * factor) - told.other_rpm / 60))
        if told.tpm and self._tokens > 0:
            rates.append(self._rate(told.tpm * factor) * self._requests / self._tokens)
        return min(rates, default=None)

    def _standing(self, lane: _Lane, now: float) -> dict[str, Quota]:
        """Where the limits stand, per minute as servers tell it, whatever a window or a bucket holds."""
        factor, told = self._factor(now), {}
        per_minute = dict(self._limited())
        for unit, meter in lane.meters.items():
            quota = meter.quota(now)
            limit = round(per_minute[unit] * factor) if unit in per_minute else quota.limit
            used = quota.limit - quota.remaining
            told[str(unit)] = quota if limit == quota.limit else Quota(limit, max(0, limit - used), quota.reset_s)
        return told

    def reset(self) -> None:
        """Forget all requests, and that there was a first one."""
        self._lanes.clear()
        self._first, self._changes = None, 0
        self._requests, self._tokens = 0, 0.0

    def _slots(self, now: float) -> int | None:
        most = self.settings.concurrency
        return max(1, round(most * self._factor(now))) if most else None

    def _factor(self, now: float) -> float:
        """What the schedule multiplies the limits by."""
        since = 0.0 if self._first is None else now - self._first
        return next((factor for at_s, factor in reversed(self.settings.schedule) if at_s <= since), 1.0)

    def _lane(self, model: str, now: float) -> _Lane:
        """What is counted for `model`, with all that has happened by now."""
        if self._first is None:
            self._first = now
        schedule = self.settings.schedule
        while self._changes < len(schedule) and self._first + schedule[self._changes][0] <= now:
            self._change(self._first + schedule[self._changes][0], schedule[self._changes][1])
            self._changes += 1
        lane = self._lanes.get(model)
        if lane is None:
            lane = self._lanes[model] = self._opened(now)
        lane.catch_up(now, self.settings.window_s)
        return lane

    def _change(self, at: float, factor: float) -> None:
        for lane in self._lanes.values():
            lane.catch_up(at, self.settings.window_s)
            lane.other_waits = -math.inf
            for unit, per_minute in self._limited():
                lane.meters[unit].resize(at, self._capacity(unit, per_minute * factor), per_minute * factor / 60)

    def _opened(self, now: float) -> _Lane:
        """A lane with nothing used but what the other client sent in the window before."""
        told, factor = self.settings, self._factor(now)
        since = now - told.window_s if told.other_rpm else now
        meters: dict[Unit, Meter] = {unit: self._meter(unit, per_minute * factor, since) for unit, per_minute in self._limited()}
        if told.rpd:
            meters["requests_day"] = Fixed(told.rpd, DAY_S, now)
        gap_s = 60 / told.other_rpm if told.other_rpm and told.rpm else math.inf
        return _Lane(meters, since + gap_s, gap_s)

    def _limited(self) -> list[tuple[Unit, float]]:
        both: list[tuple[Unit, float]] = [("requests", self.settings.rpm), ("tokens", self.settings.tpm)]
        return [(unit, per_minute) for unit, per_minute in both if per_minute]

    def _meter(self, unit: Unit, per_minute: float, since: float) -> Meter:
        told, capacity = self.settings, self._capacity(unit, per_minute)
        match told.limiter:
            case Limiter.FIXED:
                return Fixed(capacity, told.window_s, told.phase_s)
            case Limiter.SLIDING:
                return Sliding(capacity, told.window_s)
            case Limiter.BUCKET:
                return Bucket(capacity, per_minute / 60, since)

    def _capacity(self, unit: Unit, per_minute: float) -> float:
        told = self.settings
        if told.limiter is not Limiter.BUCKET:
            return self._window(per_minute)
        if not told.burst:
            return max(1.0, per_minute * told.window_s / 60)
        if unit == "requests":
            return max(1.0, told.burst)
        return max(1.0, told.burst * told.tpm / told.rpm) if told.rpm else max(1.0, per_minute * told.window_s / 60)

    def _window(self, per_minute: float) -> int:
        return max(1, round(per_minute * self.settings.window_s / 60))

    def _rate(self, per_minute: float) -> float:
        """Per second; a window's whole number decides where there are windows."""
        if self.settings.limiter is Limiter.BUCKET:
            return per_minute / 60
        return self._window(per_minute) / self.settings.window_s
