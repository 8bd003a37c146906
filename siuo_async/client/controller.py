"""What a limit group may do now: pace, slots, cooldown and token budgets, learnt from what the provider says and does. Pure.

    told of every start, success, rejection, failure, header and usage  ->  calls_per_s, slots, cool_until, budgets

What headers tell is used at once. What nobody tells is searched for (`bracket`): the pace doubles every two seconds until it is turned
away. A rejection without a reason may mean "too many at once" or "too many a minute"; which of the two shows in what follows. While a
provider lets nothing through, one call after another asks whether it is over, and what was let through from one such end to the next
is the limit per minute, since nothing more would have been.
"""

from __future__ import annotations

import copy
import math
import random
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from siuo_async.client.bracket import Bracket
from siuo_async.client.budget import TokenBudget
from siuo_async.client.told import LONG_RESET_S, ToldLimit
from siuo_async.providers.hints import LimitTold

START_PER_S = 1.0
"""The first pace towards a provider nobody knows anything about: the quota of a small account must outlast the search for it."""
FIRST_SLOTS = 16
"""Calls in flight after the first success: no provider's first tier rejects so few."""
MOST_SLOTS = 4_096
FREE_SLOTS = 64
"""Up to here slots grow while nothing is turned away; from here on only while more at once brings more answers a second."""
LEAST_GAIN = 0.3
"""Of the answers that as many slots more would bring if the server kept up with them."""
UNPROVEN_SLOTS = 4
"""Calls in flight until the first success: a wrong key costs four calls, not hundreds."""
LOCAL_TEST_S = 0.25
"""How long a level is tried on a server of this machine, which has a capacity but no account."""
TOLD_SHARE = 0.995
"""Of a limit that headers tell: a call that is late on its way must not fall into a minute that is full."""
FIRST_COOLDOWN_S, CAP_COOLDOWN_S = 0.5, 0.1
LONGEST_COOLDOWN_S = 16.0
SHORTEST_HINT_S = 0.05
"""A hint below this ("retry after 0") is none: following it would hammer the server."""
HINTS_BELIEVED = 2
"""From the next rejection in a row on, a hint is only the least that is waited."""
LONG_HINT_S = 2.0
"""Who says to wait this long does not mean the calls in flight."""
SUSPICION_S, CONFIRMED_S = 10.0, 2.0
"""How long "too many at once" stays a guess; all slots in use for so long without a rejection make it certain."""
MOST_SUSPICIONS, SAME_CROWDS = 3, 3
SHORTEST_CYCLE_S = 12.0
TRUST_S, MOST_DOUBTS, LONGEST_DOUBT_S = 30.0, 8, 4.0
"""For how long, and through how many rejections, a limit measured over a whole wait is kept."""
IDLE_S = 1_000.0
"""Rejections that lie further apart than the longest hint that is waited for are not "nothing but rejections"."""
QUIET_AFTER_FAILURE_S = 5.0
MOST_CHANGES = 4_000
LEAST_OF_MINUTE = 0.25
"""Of what was let through in the last minute: no row of rejections cuts deeper, a limit seldom falls further."""
FEW_CALLS = 8
"""Before this many, no rate can be measured."""
_MEASURED_S = 2.0
_HISTORY_S = 60.0


class Cause(StrEnum):
    """What holds back who waits at the door."""

    NOTHING = "nothing"
    PACE = "pace"
    SLOTS = "slots"
    TOKENS = "tokens"
    COOLDOWN = "cooldown"


class Source(StrEnum):
    """Who says that a limit is what it is."""

    USER = "user"
    HEADER = "header"
    LEARNT = "learnt"
    UNKNOWN = "not found yet"


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What the user allows at most; None leaves it to what is learnt."""

    calls_per_s: float | None = None
    tokens_per_s: float | None = None
    slots: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What the controller came to think, and why; for the log."""

    at: float
    calls_per_s: float | None
    slots: int
    tokens_per_s: float | None
    cool_s: float
    why: str


class Mark(NamedTuple):
    """What had been used in all when a call was let in, itself included."""

    calls: int
    in_flight: int
    tokens: float
    input_tokens: float
    output_tokens: float


NOTHING_YET = Mark(0, 0, 0.0, 0.0, 0.0)


@dataclass(slots=True)
class _Episode:
    """A rejection and what came of it, until calls get through again."""

    began: float
    accepted: int
    """Calls let through when it began."""
    kind: str
    turned_away: int = 1
    """Probes turned away in a row."""
    hint_s: float = 0.0
    first_start: float | None = None
    """When the first call after the cooldown was let in."""
    second_start: float = math.inf
    starts: int = 0
    measured: bool = False
    """Whether the wait that ended with `first_start` told what the limit is."""


@dataclass(slots=True)
class _Suspicion:
    """Rejections without a reason that are held to mean too many at once."""

    at: float
    crowd: int
    """Calls in flight at the last of them."""
    before: Bracket
    """The slots as they were, should it be wrong."""
    times: int = 1


def _was_closed(episode: _Episode) -> bool:
    """Whether nothing got through for a while: a quota was used up, rather than calls sent too fast."""
    waited_s = (episode.first_start or episode.began) - episode.began
    return waited_s >= LONG_HINT_S and (episode.turned_away > 1 or episode.hint_s >= LONG_HINT_S)


class Controller:
    """The limits of one group.

    Args:
        ceilings: the user's.
        start_per_s: the pace to begin with where nobody tells one; None: no pace until a rejection asks for one.
        first_slots: calls in flight to begin with.
        most_slots: calls in flight that this process can hold.
        clock: seconds that do not jump.
        dice: from 0 to 1; spreads clients out.
    """

    def __init__(
        self,
        ceilings: Ceilings | None = None,
        *,
        start_per_s: float | None = None,
        first_slots: int = FIRST_SLOTS,
        most_slots: int = MOST_SLOTS,
        clock: Callable[[], float] = time.monotonic,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self.ceilings = ceilings or Ceilings()
        self._clock, self._dice = clock, dice
        self._start_per_s = start_per_s if self.ceilings.calls_per_s is None and self.ceilings.slots is None else None
        self._rate = None if self._start_per_s is None else Bracket(self._start_per_s)
        most = min(self.ceilings.slots or most_slots, most_slots)
        test_s = 2.0 if start_per_s is not None else LOCAL_TEST_S
        first = most if self.ceilings.slots else min(first_slots, most)
        self._slots = Bracket(first, most=most, least=1, whole=True, test_s=test_s)
        self._told: dict[str, ToldLimit] = {}
        self.budgets: dict[str, TokenBudget] = {}
        if self.ceilings.tokens_per_s is not None:
            self.budgets["tokens"] = TokenBudget(self.ceilings.tokens_per_s * TOLD_SHARE, clock())
        self.proven = False
        self.cool_until = 0.0
        self.calls = 0
        """Let in so far."""
        self.rejections = 0
        self.cooldowns = 0
        self.changes: deque[Change] = deque(maxlen=MOST_CHANGES)
        self._used = {"tokens": 0.0, "input_tokens": 0.0, "output_tokens": 0.0}
        self._episode: _Episode | None = None
        self._reacted = -math.inf
        """Calls let in before this tell nothing new."""
        self._limited_since: float | None = None
        self._rejected_at = -math.inf
        self._quiet_until = 0.0
        self._answered_s = 0.0
        """How long a rejection takes to come, about."""
        self._kind: str | None = None
        """What rejections without a reason turned out to mean: `requests` or `concurrency`."""
        self._suspicion: _Suspicion | None = None
        self._answers = 0
        self._trial: tuple[float, int] | None = None
        """(since when, answers by then) all slots have been in use."""
        self._before: tuple[float, float] | None = None
        """(answers per second, slots) before slots were raised last."""
        self._contradictions = 0
        self._passed = (-math.inf, 0)
        """(when, most in flight) of calls that got through lately."""
        self._trusted_until = -math.inf
        self._doubts = 0
        self._rate_cuts: deque[tuple[int, float]] = deque(maxlen=SAME_CROWDS)
        self._history: deque[tuple[float, int]] = deque()
        self._begun = 0.0
        """When the first call was let in."""
        self._cycle: tuple[float, int] | None = None
        """(when, calls let through by then) of the last end of an episode."""

    # What may be done now

    @property
    def slots(self) -> int:
        """Calls in flight at most."""
        slots = int(self._slots.level)
        return slots if self.proven else min(slots, UNPROVEN_SLOTS)

    @property
    def calls_per_s(self) -> float | None:
        """Starts per second at most; None: no pace."""
        ceiling = self.ceilings.calls_per_s
        wanted = math.inf if ceiling is None else ceiling
        if self._rate is not None:
            wanted = min(wanted, self._rate.level)
        told = self._told.get("requests")
        if told is not None and not told.is_stock and told.limit:
            wanted = min(wanted, told.per_s * TOLD_SHARE * told.share(self._clock(), self.calls))
        return None if wanted == math.inf else wanted

    @property
    def cooling_s(self) -> float:
        """Seconds until calls may start again; 0 when they may."""
        return max(0.0, self.cool_until - self._clock())

    def tokens_wait_s(self) -> float:
        """Seconds until there are tokens for another call; 0 when there are."""
        now = self._clock()
        return max((budget.wait_s(now) for budget in self.budgets.values()), default=0.0)

    @property
    def counts_tokens(self) -> bool:
        """Whether calls need an estimate of their tokens."""
        return bool(self.budgets)

    @property
    def limited_s(self) -> float:
        """Seconds since the first rejection after the last success; 0 without one."""
        return 0.0 if self._limited_since is None else self._clock() - self._limited_since

    # What happened

    def started(self, tokens: tuple[float, float] | None = None) -> None:
        """A call was let in that will use about so many (input, output) tokens; None where nobody counts them."""
        if not self.calls:
            self._begun = self._clock()
        self.calls += 1
        if tokens is not None:
            self._take(tokens)
        if self._episode is not None:
            self._after_cooldown(self._episode)

    def mark(self, in_flight: int) -> Mark:
        """Where the counters stand; kept with a call that was just let in, the last of so many."""
        return Mark(self.calls, in_flight, self._used["tokens"], self._used["input_tokens"], self._used["output_tokens"])

    def succeeded(self, sent_at: float, in_flight: int = 1) -> None:
        """A reply came that was no limit, to a call let in at `sent_at` as the last of so many in flight."""
        if in_flight >= self._passed[1] or self._clock() - self._passed[0] > SUSPICION_S:
            self._passed = (self._clock(), in_flight)
        self.proven = True
        self._answers += 1
        self._limited_since = None
        if self._episode is not None and self._episode.first_start is not None and sent_at >= self._episode.first_start:
            self._over(self._episode)

    def failed(self) -> None:
        """The provider has trouble of its own: nothing grows for a while."""
        self._quiet_until = self._clock() + QUIET_AFTER_FAILURE_S
        self._limited_since = None  # trouble of another kind

    def settled(self, estimate: tuple[float, float], used: tuple[float, float]) -> None:
        """A call is over that used so many (input, output) tokens; all zero where it was turned away."""
        for unit, budget in self.budgets.items():
            expected, really = _of(unit, estimate), _of(unit, used)
            budget.settle(expected, really)
            self._used[unit] += really - expected

    def rejected(self, sent_at: float, in_flight: int, hint_s: float | None = None, limit: str | None = None) -> float:
        """A call let in at `sent_at` was turned away by a limit.

        Args:
            in_flight: calls in flight when it was let in, itself included.
            hint_s: how long the server says to wait.
            limit: which limit it names: `requests`, `tokens` or `concurrency`.

        Returns: for how long this call must wait while others need not: too many at once is mended by fewer at once.
        """
        now = self._clock()
        self.rejections += 1
        if self._limited_since is None or now - self._rejected_at > IDLE_S:
            self._limited_since = now
        self._rejected_at = now
        hint_s = 0.0 if hint_s is None or hint_s < SHORTEST_HINT_S else hint_s
        known = limit if limit in ("requests", "concurrency", "tokens") else None
        if sent_at <= self._reacted:
            if hint_s and known != "concurrency" and self._kind != "concurrency":
                self._cool(now, hint_s)
                return 0.0
            if self._suspicion is not None and self._slots.level >= in_flight > self._passed[1]:
                self._slots.also_rejected(in_flight)  # of those that came together, the least in flight tells most
            return hint_s
        kind = known or self._guess(now, in_flight, hint_s)
        self._answered_s += 0.3 * (min(now - sent_at, 2.0) - self._answered_s)
        episode = self._episode if self._episode is not None and sent_at < self._episode.second_start else None
        first = episode is None
        if episode is None:
            episode = self._episode = _Episode(now, self.calls - self.rejections, kind, hint_s=hint_s)
        else:
            episode.turned_away += 1
            episode.hint_s = max(episode.hint_s, hint_s)
        if first or kind == "concurrency" or self._kind != kind:
            self._react(now, kind, in_flight)
        episode.first_start, episode.second_start, episode.starts = None, math.inf, 0
        self._reacted = now
        self.cooldowns += 1
        cap = kind == "concurrency"
        self._cool(now, CAP_COOLDOWN_S if cap else self._cooldown_s(episode.turned_away, hint_s))
        self._note(f"turned away ({kind})")
        return hint_s if cap else 0.0

    def tell(self, told: Iterable[LimitTold], sent_at: float, mark: Mark) -> None:
        """What the headers of a reply say of the limits."""
        now = self._clock()
        for each in told:
            name = _name_of(each)
            limit = self._told.get(name)
            if limit is None:
                limit = self._told[name] = ToldLimit()
            used = mark.calls if each.unit == "requests" else getattr(mark, each.unit)
            changed = limit.tell(each.limit, each.remaining, each.reset_s, window_s=each.window_s, now=now, sent_at=sent_at, mark=used)
            if changed and limit.limit:
                self._told_anew(name, limit, now)
            if each.unit == "requests" and (opens := limit.opens_at(now, self.calls)) is not None and opens > self.cool_until:
                self.cool_until = opens
                self._note("this minute's calls are used up")

    def tick(self, seconds: float, cause: Cause) -> None:
        """Time passed in which `cause` held callers back."""
        now = self._clock()
        self._history.append((now, self.calls - self.rejections))
        while self._history[0][0] < now - _HISTORY_S:
            self._history.popleft()
        for unit, budget in self.budgets.items():
            self._follow(unit, budget, now)
        if cause is Cause.SLOTS and self._suspicion is not None and now - max(self._suspicion.at, self._reacted) > CONFIRMED_S:
            self._kind, self._suspicion = "concurrency", None
        if cause is not Cause.SLOTS:
            self._trial = None
        if now < self._quiet_until:
            return
        if cause is Cause.PACE and self._rate is not None and self._rate.level <= (self.calls_per_s or 0.0) * 1.001:
            if self._rate.held(seconds):
                self._note("nothing was turned away")
        elif cause is Cause.SLOTS and self._more_is_faster(now) and self._slots.held(seconds):
            self._note("all in use, nothing was turned away")

    # What is believed

    def limit_of(self, unit: str) -> tuple[float | None, Source]:
        """(limit per second, who says so) of `requests`, or of `tokens` as the narrowest kind of them."""
        ceiling = self.ceilings.calls_per_s if unit == "requests" else self.ceilings.tokens_per_s
        found: list[tuple[float, Source]] = [] if ceiling is None else [(ceiling, Source.USER)]
        names = ("requests",) if unit == "requests" else ("tokens", "input_tokens", "output_tokens")
        told = (self._told[name] for name in names if name in self._told)
        found += [(each.per_s, Source.HEADER) for each in told if each.limit and not each.is_stock]
        if unit == "requests" and self._rate is not None and not self._rate.searching:
            found.append((self._rate.level, Source.LEARNT))
        return min(found, default=(None, Source.UNKNOWN), key=lambda each: each[0] or 0.0)

    @property
    def slots_source(self) -> Source:
        """Who says how many may be in flight."""
        if self.ceilings.slots is not None and self._slots.level >= self.ceilings.slots:
            return Source.USER
        return Source.UNKNOWN if self._slots.searching else Source.LEARNT

    def stocks(self) -> dict[str, tuple[float, float | None]]:
        """unit (or unit/seconds, where a header's name says both) -> (limit, what is left) of limits that hold for an hour or a day."""
        return {unit: (told.limit, told.remaining) for unit, told in self._told.items() if told.limit and told.is_stock}

    def recent_per_s(self, seconds: float = _HISTORY_S) -> float:
        """Calls let through per second over the last `seconds`, at most a minute."""
        if not self._history:
            return 0.0
        now = self._clock()
        begin = next((each for each in self._history if each[0] >= now - seconds), self._history[-1])
        return (self.calls - self.rejections - begin[1]) / max(now - begin[0], 0.25)

    # Inside

    @property
    def _tokens_are_told(self) -> bool:
        return any(unit in self._told for unit in self.budgets)

    def _take(self, tokens: tuple[float, float]) -> None:
        for unit, budget in self.budgets.items():
            budget.take(_of(unit, tokens))
            self._used[unit] += _of(unit, tokens)

    def _after_cooldown(self, episode: _Episode) -> None:
        """The first call after a cooldown is a probe; the next waits until that one would have been turned away."""
        episode.starts += 1
        if episode.first_start is None:
            episode.first_start = self._clock()
            self._learn_from(episode)
            if self._kind != "concurrency":
                self.cool_until = max(self.cool_until, episode.first_start + max(CAP_COOLDOWN_S, 1.5 * self._answered_s))
        elif episode.starts == 2:
            episode.second_start = self._clock()
            self._close(episode)

    def _over(self, episode: _Episode) -> None:
        if episode.starts < 2:
            self._close(episode)
        self._episode = None

    def _close(self, episode: _Episode) -> None:
        """Calls get through again."""
        if _was_closed(episode):
            assert episode.first_start is not None
            if episode.measured:
                self._trusted_until = episode.first_start + TRUST_S
                self._doubts = 0
            if self._cycle is None or episode.first_start - self._cycle[0] >= SHORTEST_CYCLE_S:
                self._cycle = (episode.first_start, episode.accepted)

    def _learn_from(self, episode: _Episode) -> None:
        """If calls get through again now: what passed since they last did, over that time, is the limit where quotas are counted."""
        end, episode.measured = episode.first_start, False
        if end is None or not _was_closed(episode) or (episode.kind == "tokens" and self._tokens_are_told):
            return
        start, passed = self._cycle or (self._begun, 0)
        if end - start < SHORTEST_CYCLE_S:
            return
        per_s = (episode.accepted - passed) / max(end - start, 1.0)
        if per_s > 0:
            if self._rate is None:
                self._rate = Bracket(per_s)
            self._rate.found(per_s)
            self._kind, episode.measured = "requests", True
            self._note("what passed between two waits")

    def _guess(self, now: float, in_flight: int, hint_s: float) -> str:
        """What a rejection without a reason means."""
        if in_flight <= 1 or hint_s >= LONG_HINT_S:
            return "requests"
        told = self._told.get("requests")
        if told is not None and told.remaining is not None and not told.is_stock:
            return "concurrency" if told.left(now, self.calls) > max(2.0, 0.02 * told.limit) else "requests"
        if self._kind == "concurrency" and in_flight > 0.9 * self._slots.good:
            return "concurrency"
        if self._kind == "requests" and not self._same_crowd(in_flight):
            return "requests"
        if in_flight <= self._passed[1] and now - self._passed[0] < SUSPICION_S:
            return "requests"  # as many at once got through
        doubted = self._suspicion is not None and now - self._suspicion.at < SUSPICION_S and self._suspicion.times >= MOST_SUSPICIONS
        return "requests" if doubted else "concurrency"

    def _same_crowd(self, in_flight: int) -> bool:
        """Whether lower paces were turned away at the same number of calls in flight each time: then it is that number."""
        if len(self._rate_cuts) < SAME_CROWDS or in_flight < UNPROVEN_SLOTS:
            return False
        near = all(abs(crowd - in_flight) <= max(1, 0.05 * crowd) for crowd, _ in self._rate_cuts)
        rate = self._rate.level if self._rate else math.inf
        return near and rate < 0.8 * self._rate_cuts[0][1]

    def _react(self, now: float, kind: str, in_flight: int) -> None:
        if kind == "concurrency":
            self._suspect(now, in_flight)
            self._slots.rejected(now, in_flight)
            return
        if self._suspicion is not None and now - self._suspicion.at < SUSPICION_S and self._kind != "concurrency":
            self._slots, self._suspicion = self._suspicion.before, None
        if kind == "tokens":
            for budget in self.budgets.values():
                budget.drain(now)
            if self._tokens_are_told:
                return
            # The user's ceiling says nothing of the server's limit: where no header does, the pace has to learn it.
        self._kind = "requests"
        measured = self._measured()
        if self._rate is None:
            told = self._told.get("requests")
            known = None if told is None or told.is_stock or not told.limit else told.per_s
            self._rate = Bracket(known or measured, searching=known is None)
        self._rate_cuts.append((in_flight, self._rate.level))
        if now < self._trusted_until and self._doubts < MOST_DOUBTS:
            self._doubts += 1  # what was measured over a whole wait is not thrown away for what an uneven minute leaves behind
            return
        self._rate.least = max(1 / 60, LEAST_OF_MINUTE * self._passed_in_minute() / _HISTORY_S)
        self._rate.rejected(now, min(self._rate.level, max(measured, self._rate.level / 4)))

    def _more_is_faster(self, now: float) -> bool:
        """Whether slots may grow: beyond some, only once all calls of a level were answered, faster than before it."""
        level = self._slots.level
        if level < FREE_SLOTS:
            return True
        if self._trial is None:
            self._trial = (now, self._answers)
        since, answers = self._trial
        if self._answers - answers < level:
            return False
        per_s, self._trial = (self._answers - answers) / max(now - since, 1e-3), None
        if self._before is not None and level > self._before[1]:
            before_per_s, before = self._before
            if per_s < before_per_s * (1 + LEAST_GAIN * (level / before - 1)):
                self._before = None
                self._slots.found(before)
                self._note("more at once brought no more answers")
                return False
        self._before = (per_s, level)
        return True

    def _suspect(self, now: float, in_flight: int) -> None:
        """Notes that a rejection is held to mean "too many at once"; too many that contradict it end that."""
        if self._kind == "concurrency":
            self._contradictions = self._contradictions + 1 if in_flight <= self._slots.good else 0
            if self._contradictions >= MOST_SUSPICIONS:
                self._kind, self._contradictions = None, 0
        elif self._suspicion is not None and now - self._suspicion.at < SUSPICION_S:
            self._suspicion.at, self._suspicion.crowd = now, in_flight
            self._suspicion.times += 1
        else:
            self._suspicion = _Suspicion(now, in_flight, copy.copy(self._slots))

    def _passed_in_minute(self) -> int:
        return self.calls - self.rejections - (self._history[0][1] if self._history and self._history[0][0] > self._begun + 1 else 0)

    def _measured(self) -> float:
        """Calls let through per second lately."""
        rate = self.calls_per_s
        wanted_s = _MEASURED_S if rate is None else max(_MEASURED_S, 8 / rate)
        return max(self.recent_per_s(wanted_s), START_PER_S if self.calls < FEW_CALLS else 1 / 60)

    def _cooldown_s(self, times: int, hint_s: float) -> float:
        if self._doubts and self._clock() < self._trusted_until:
            times = max(times, self._doubts)
            return max(hint_s, min(LONGEST_DOUBT_S, FIRST_COOLDOWN_S * 2.0 ** (times - 1)))
        if hint_s:  # one that proves too short again and again does not know who else is waiting
            times -= HINTS_BELIEVED
            if times < 1:
                return hint_s
            return max(hint_s, self._cooldown_s(times, 0.0))
        return min(LONGEST_COOLDOWN_S, FIRST_COOLDOWN_S * 3.0 ** (times - 1)) * (0.75 + 0.25 * self._dice())

    def _cool(self, now: float, seconds: float) -> None:
        self.cool_until = max(self.cool_until, now + seconds)

    def _told_anew(self, unit: str, limit: ToldLimit, now: float) -> None:
        if limit.is_stock:
            self._told_stock(unit, now)
        elif unit == "requests":
            if self._rate is not None and self._rate.searching:
                self._rate = None  # no need to search for what is told
        else:
            per_s = limit.per_s * TOLD_SHARE
            if unit == "tokens" and self.ceilings.tokens_per_s is not None:
                per_s = min(per_s, self.ceilings.tokens_per_s)
            if unit in self.budgets:
                self.budgets[unit].change(per_s, now)
            else:
                self.budgets[unit] = TokenBudget(per_s, now)
        self._note("headers")

    def _told_stock(self, unit: str, now: float) -> None:
        """What was or could have been taken for a limit per minute is none: it neither paces nor ends the search for one."""
        if unit == "requests" and self._rate is None and self._start_per_s is not None:
            self._rate = Bracket(max(self._start_per_s, self._measured()))
        elif unit == "tokens" and self.ceilings.tokens_per_s is not None:
            self.budgets[unit].change(self.ceilings.tokens_per_s * TOLD_SHARE, now)
        else:
            self.budgets.pop(unit, None)

    def _follow(self, unit: str, budget: TokenBudget, now: float) -> None:
        """The server counts tokens in its own way: where its count runs out, ours gives way."""
        told = self._told.get(unit)
        if told is None or told.remaining is None or told.is_stock or not told.limit:
            return
        share = told.share(now, self._used[unit])
        wanted = told.per_s * TOLD_SHARE * share
        if unit == "tokens" and self.ceilings.tokens_per_s is not None:
            wanted = min(wanted, self.ceilings.tokens_per_s)
        budget.change(wanted, now)

    def _note(self, why: str) -> None:
        calls, tokens = self.calls_per_s, min((budget.per_s for budget in self.budgets.values()), default=None)
        self.changes.append(Change(self._clock(), calls, self.slots, tokens, self.cooling_s, why))

    # For whoever tells of it

    def token_limits(self) -> dict[str, tuple[float, Source]]:
        """kind of token -> (limit per second, who says so), of each kind that is limited per minute."""
        told = {kind: self._told[kind] for kind in ("tokens", "input_tokens", "output_tokens") if kind in self._told}
        found: dict[str, tuple[float, Source]] = {
            kind: (limit.per_s, Source.HEADER) for kind, limit in told.items() if limit.limit and not limit.is_stock
        }
        ceiling = self.ceilings.tokens_per_s
        if ceiling is not None and ceiling < found.get("tokens", (math.inf,))[0]:
            found["tokens"] = (ceiling, Source.USER)
        return found

    @property
    def most_slots(self) -> int:
        """What the slots can grow to."""
        return int(self._slots.most)

    @property
    def asked_to_wait(self) -> bool:
        """Whether the provider said how long a cooldown that goes on has to be: with a rejection, or in headers before one."""
        return self._episode is None or self._episode.hint_s > 0

    def stock_window_s(self, unit: str) -> float:
        """Seconds that one of the `stocks` has to last for."""
        return self._told[unit].window_s


def _name_of(told: LimitTold) -> str:
    """Limits of a minute and of a day come in one reply, so those whose name says a long window are kept apart."""
    return told.unit if told.window_s is None or told.window_s <= LONG_RESET_S else f"{told.unit}/{told.window_s:.0f}"


def _of(unit: str, tokens: tuple[float, float]) -> float:
    return tokens[0] if unit == "input_tokens" else tokens[1] if unit == "output_tokens" else tokens[0] + tokens[1]
