"""What a limit group is held back by, in figures and in words. Pure: it looks at counters four times a second, and no call pays for it.

What holds back is told of the last ten seconds, not of an instant, and changes only when something else clearly outweighs it: else the
screen would flicker between two causes that take turns. How much of a limit was used counts only the time in which there was work and
the limit was believed in, with the limit as it was then, since learnt limits move.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from operator import sub
from typing import NamedTuple

from siuo_async.client.controller import Cause, Source
from siuo_async.client.limits import LimitGroup

RECENT_S, MINUTE_S = 10.0, 60.0
KEEPS_PLACE = 0.8
"""The cause that was told last stays while it has this share of the largest."""
MANY_STOCKS = 0.25
"""Of an hour's or a day's limit: while more is left, there is no need to say so."""
_LEAST_CALLS, _LEAST_S = 3, 1.0
"""Before so many calls, or after less time, no rate is told."""
_CALLS = "requests"
_UNITS = (_CALLS, "tokens", "input_tokens", "output_tokens")
_WORDS = {_CALLS: "calls", "tokens": "tokens", "input_tokens": "input tokens", "output_tokens": "output tokens"}
_WHO = {Source.USER: "yours", Source.HEADER: "told by headers", Source.LEARNT: "learnt", Source.UNKNOWN: "so far"}
_WHO_BRIEFLY = {**_WHO, Source.HEADER: "headers"}


@dataclass(frozen=True, slots=True)
class Use:
    """One limit per minute, and how much of it is used."""

    unit: str
    """In words: calls, tokens, input tokens, output tokens."""
    per_min: float | None = None
    """None where no limit is believed in."""
    source: Source = Source.UNKNOWN
    used: float | None = None
    """Share from 0 to 1; None where it cannot be told."""

    def as_json(self) -> dict[str, object]:
        """For `run_stats.json`."""
        per_min, used = (None if value is None else round(value, places) for value, places in ((self.per_min, 3), (self.used, 4)))
        return {"unit": self.unit, "per_min": per_min, "source": self.source.value, "used": used}


@dataclass(frozen=True, slots=True)
class Stock:
    """A limit of an hour or a day."""

    unit: str
    limit: float
    left: float
    window_s: float


@dataclass(frozen=True, slots=True)
class GroupView:
    """One limit group as it is told of: of the recent past, or of a whole session."""

    name: str
    cause: Cause | None
    """What held back for most of the time; None: it had no work."""
    calls: Use
    tokens: Use
    """Of several kinds of token the one that is used up most."""
    slots: int
    slots_source: Source
    most_slots: int
    in_use: int
    waiting: int
    proven: bool
    """Whether a reply has come yet."""
    waited_s: Mapping[Cause, float]
    """Since the session began."""
    per_s: float | None
    """Calls let through per second of time that passed; None until it can be told."""
    tokens_per_call: float | None
    cooling_s: float
    asked_to_wait: bool
    """Whether the provider said how long to cool down."""
    stocks: tuple[Stock, ...]
    through: int
    rejections: int
    cooldowns: int
    worked_s: float
    """Since the session began: somebody waited or was inside."""
    held_share: float = 0.0
    """Of the time: held back by whatever it was."""
    offline: bool = False
    elsewhere: bool = False
    """Whether another group of the run is held back, so that this one has only what that one leaves."""

    @property
    def held(self) -> bool:
        """Whether something held back for most of the time."""
        return self.offline or self.cause not in (None, Cause.NOTHING)

    @property
    def sentence(self) -> str:
        """The bottleneck in words."""
        low = min(self.stocks, key=lambda stock: stock.left / stock.limit, default=None)
        return _bottleneck(self) + (f"; {stock_words(low)}" if low is not None and low.left < MANY_STOCKS * low.limit else "")

    @property
    def few_words(self) -> str:
        """The bottleneck where there is little room."""
        return _briefly(self)

    def as_json(self) -> dict[str, object]:
        """For `run_stats.json`."""
        return {
            "bottleneck": self.sentence,
            "calls": self.calls.as_json(),
            "tokens": self.tokens.as_json(),
            "slots": {"at_once": self.slots, "source": self.slots_source.value},
            "stocks": [
                {"unit": stock.unit, "limit": stock.limit, "left": stock.left, "window_s": stock.window_s} for stock in self.stocks
            ],
            "let_through": self.through,
            "rejections": self.rejections,
            "cooldowns": self.cooldowns,
            "worked_s": round(self.worked_s, 3),
            "waited_s": {cause.value: round(self.waited_s[cause], 3) for cause in Cause if cause is not Cause.NOTHING},
        }


def _bottleneck(view: GroupView) -> str:
    if view.offline:
        return "offline"
    match view.cause:
        case None:
            return "nothing is asked of it now"
        case Cause.NOTHING:
            return "nothing is waiting" + (" here" if view.elsewhere else ": limited by the answers' own time")
        case Cause.COOLDOWN:
            if view.cooling_s >= 0.5:
                return f"waiting {_seconds(view.cooling_s)} " + ("as the provider asked" if view.asked_to_wait else "after a rejection")
            return f"held back by waits after rejections ({_seconds(view.waited_s[Cause.COOLDOWN])} in all)"
        case Cause.SLOTS:
            return _slots_words(view)
        case Cause.TOKENS:
            return _per_minute(view.tokens)
    if view.calls.per_min is None:
        so_far = f": {_rate(view.per_s)} calls a second so far" if view.per_s is not None else ""
        return f"still finding the limit{so_far}"
    return _per_minute(view.calls)


def _slots_words(view: GroupView) -> str:
    if not view.proven:
        return f"{_at_once(view.slots)} until the first reply"
    if view.slots_source is Source.UNKNOWN and view.slots < view.most_slots:
        return f"still finding the limit: {_at_once(view.slots)} so far"
    return f"held back by {_at_once(view.slots)} ({_slots_source(view)})"


def _at_once(slots: int) -> str:
    return f"{slots:,} {'call' if slots == 1 else 'calls'} at once"


def _slots_source(view: GroupView) -> str:
    if view.slots_source is not Source.USER and view.slots >= view.most_slots:
        return "all that this process can hold"
    return _WHO[view.slots_source]


def _per_minute(use: Use) -> str:
    if use.per_min is None:  # it was believed in for a while
        return f"held back by a limit of {use.unit} a minute"
    used = "" if use.used is None else f", {use.used:.0%} used"
    many = _number(use.per_min, use.source)
    unit = use.unit.removesuffix("s") if many == "1" else use.unit
    return f"held back by {many} {unit} a minute ({_WHO[use.source]}){used}"


def _briefly(view: GroupView) -> str:
    if view.offline:
        return "offline"
    use = view.tokens if view.cause is Cause.TOKENS else view.calls
    match view.cause:
        case None:
            return "idle"
        case Cause.NOTHING:
            return "nothing waits"
        case Cause.COOLDOWN:
            return f"cooling {_seconds(view.cooling_s)}" if view.cooling_s >= 0.5 else "waits after rejections"
        case Cause.SLOTS:
            return f"{view.slots:,} at once ({_WHO_BRIEFLY[view.slots_source]})"
    if use.per_min is None:
        return f"{_rate(view.per_s)} calls/s so far" if view.per_s is not None else "finding the limit"
    used = "" if use.used is None else f" {use.used:.0%} used"
    return f"{_number(use.per_min, use.source)} {use.unit}/min ({_WHO_BRIEFLY[use.source]}){used}"


def stock_words(stock: Stock) -> str:
    """What is left of a limit that holds for long."""
    whose = {3600.0: "this hour's limit", 86_400.0: "this day's limit"}.get(stock.window_s, f"the limit per {_seconds(stock.window_s)}")
    return f"{whose}: {_number(stock.left)} of {_number(stock.limit)} {_WORDS[stock.unit]} left"


def _number(value: float, source: Source = Source.HEADER) -> str:
    """Three digits are enough of what is learnt, and do not flicker."""
    rough = source in (Source.LEARNT, Source.UNKNOWN)
    return f"{float(f'{value:.3g}') if rough else round(value, 1):,.12g}"


def _rate(per_s: float | None) -> str:
    return "0" if per_s is None else f"{per_s:.0f}" if per_s >= 10 else f"{per_s:.2g}"


def _seconds(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 100 else f"{whole / 60:.0f} min"


class _Look(NamedTuple):
    """The counters at one moment, since the session began."""

    at: float
    waited_s: tuple[float, ...]
    """By cause, in order."""
    through: int
    used: tuple[float, ...]
    """By unit: what was used while a limit was believed."""
    allowed: tuple[float, ...]
    """By unit: what the limit allowed in that time."""


_CAUSES = tuple(Cause)
_NOBODY = _CAUSES.index(Cause.NOTHING)


class GroupMeter:
    """Looks at one limit group again and again.

    Args:
        group: what is looked at; what it did before is not counted.
    """

    def __init__(self, group: LimitGroup) -> None:
        self.group = group
        controller = group.controller
        self._before = (tuple(group.waited_s.values()), controller.rejections, controller.cooldowns)
        self._counts = self._first = self._count()
        self._looks: deque[_Look] = deque()
        """Of the last minute."""
        self._lately: deque[_Look] = deque()
        """Of the last ten seconds."""
        self._limits: list[tuple[int, float, Source]] = []
        """(number of the unit, limit per second, who says so) of each unit with a limit, as looked at last."""
        self._used = [0.0] * len(_UNITS)
        self._allowed = [0.0] * len(_UNITS)
        self._worked_s = 0.0
        self._at: float | None = None
        """When it was looked at last."""
        self._busy = False
        """Whether there was work then."""
        self._cause: Cause | None = None

    @property
    def worked(self) -> bool:
        """Whether the group had any work."""
        return self._worked_s > 0 or self._busy

    def look(self, now: float) -> None:
        """Takes the counters down.

        Args:
            now: seconds on a clock that does not jump.
        """
        group = self.group
        counts, before, busy = self._count(), self._counts, bool(group.in_use or group.waiting)
        passed_s = 0.0 if self._at is None else now - self._at
        if passed_s and (busy or self._busy or counts != before):
            if not self._looks:
                self._keep(self._taken_down(now - passed_s))
            self._worked_s += passed_s
            self._limits = self._believed()
            for number, per_s, _ in self._limits:
                self._used[number] += counts[number] - before[number]
                self._allowed[number] += per_s * passed_s
        self._at, self._busy, self._counts = now, busy, counts
        if not self._looks:
            return
        self._keep(self._taken_down(now))

    def recently(self, *, offline: bool = False) -> GroupView:
        """What held back lately."""
        looks = self._looks
        if not looks:
            return self._view(None, None, None, 0.0, offline=offline)
        last = looks[-1]
        near = self._lately[0]
        span_s = last.at - near.at
        waited = list(map(sub, last.waited_s, near.waited_s))
        self._cause = self._weightiest(waited, max(0.0, span_s - sum(waited)))
        held_share = (sum(waited) - waited[_NOBODY]) / span_s if span_s else 0.0
        searching = self._cause in (Cause.PACE, Cause.SLOTS) and not any(number == 0 for number, _, _ in self._limits)
        return self._view(self._cause, looks[0], near if searching else looks[0], min(1.0, held_share), offline=offline)

    def in_all(self) -> GroupView:
        """What held back most since the session began."""
        waited = dict(zip(_CAUSES, self._waited(), strict=True))
        cause = max(waited, key=lambda each: waited[each]) if any(waited.values()) else Cause.NOTHING if self._looks else None
        held_s = sum(waited.values()) - waited[Cause.NOTHING]
        view = self._view(cause, None, None, min(1.0, held_s / self._worked_s) if self._worked_s else 0.0)
        return replace(view, per_s=view.through / self._worked_s if self._worked_s >= _LEAST_S else None, cooling_s=0.0)

    def _keep(self, look: _Look) -> None:
        for looks, seconds in ((self._looks, MINUTE_S), (self._lately, RECENT_S)):
            looks.append(look)
            while looks[0].at < look.at - seconds:
                looks.popleft()

    def _taken_down(self, at: float) -> _Look:
        return _Look(at, self._waited(), int(self._counts[0] - self._first[0]), tuple(self._used), tuple(self._allowed))

    def _waited(self) -> tuple[float, ...]:
        """Seconds by cause, in order, since the session began."""
        return tuple(map(sub, self.group.waited_s.values(), self._before[0]))

    def _count(self) -> tuple[float, float, float, float]:
        controller = self.group.controller
        mark = controller.mark(0)
        return (controller.calls - controller.rejections, mark.tokens, mark.input_tokens, mark.output_tokens)

    def _believed(self) -> list[tuple[int, float, Source]]:
        controller = self.group.controller
        per_s, source = controller.limit_of(_CALLS)
        found = [(0, per_s, source)] if per_s else []
        return found + [(_UNITS.index(kind), *limit) for kind, limit in controller.token_limits().items()]

    def _weightiest(self, waited: list[float], idle_s: float) -> Cause | None:
        most = max(*waited, idle_s)
        if most <= 0:
            return self.group.cause if self._busy else None
        before = idle_s if self._cause is None else waited[_CAUSES.index(self._cause)]
        if before >= KEEPS_PLACE * most:
            return self._cause
        return None if idle_s == most else _CAUSES[waited.index(most)]

    def _uses(self, since: _Look | None) -> tuple[Use, Use]:
        """How much of the limits was used since then: (calls, the kind of token that is used up most)."""
        uses = [Use(_WORDS[_CALLS]), Use(_WORDS["tokens"])]
        for number, per_s, source in self._limits:
            used, allowed = (self._used[number], self._allowed[number]) if since is None else (
                self._used[number] - since.used[number], self._allowed[number] - since.allowed[number]
            )  # fmt: skip
            use = Use(_WORDS[_UNITS[number]], per_s * 60, source, max(0.0, min(1.0, used / allowed)) if allowed > 0 else None)
            if number == 0:
                uses[0] = use
            elif uses[1].per_min is None or (use.used or 0.0) > (uses[1].used or 0.0):
                uses[1] = use
        return uses[0], uses[1]

    def _view(
        self, cause: Cause | None, since: _Look | None, rate_since: _Look | None, held_share: float, *, offline: bool = False
    ) -> GroupView:
        group, controller = self.group, self.group.controller
        calls, tokens = self._uses(since)
        through = int(self._counts[0] - self._first[0])
        tokens_used = max(self._counts[1] - self._first[1], sum(self._counts[2:]) - sum(self._first[2:]))
        last = self._looks[-1] if self._looks else None
        per_s = None
        if rate_since is not None and last is not None and through >= _LEAST_CALLS and last.at - rate_since.at >= _LEAST_S:
            per_s = (last.through - rate_since.through) / (last.at - rate_since.at)
        return GroupView(
            name=group.name,
            cause=cause,
            calls=calls,
            tokens=tokens,
            slots=controller.slots,
            slots_source=controller.slots_source,
            most_slots=controller.most_slots,
            in_use=group.in_use,
            waiting=group.waiting,
            proven=controller.proven,
            waited_s=dict(zip(_CAUSES, self._waited(), strict=True)),
            per_s=per_s,
            tokens_per_call=tokens_used / through if through >= _LEAST_CALLS and tokens_used > 0 else None,
            cooling_s=controller.cooling_s,
            asked_to_wait=controller.asked_to_wait,
            stocks=tuple(
                Stock(unit, limit, left, controller.stock_window_s(unit))
                for unit, (limit, left) in controller.stocks().items()
                if left is not None
            ),
            through=through,
            rejections=controller.rejections - self._before[1],
            cooldowns=controller.cooldowns - self._before[2],
            worked_s=self._worked_s,
            held_share=held_share,
            offline=offline,
        )  # fmt: skip
