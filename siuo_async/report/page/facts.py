"""What calls tell beside their answers: how long they took, what they cost, which parameters were really sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from siuo_async.analysis.gathered import Gathered, Take
from siuo_async.benchmarks.base import GENERATE, SEARCH
from siuo_async.config import Price
from siuo_async.engine.records import CallRecord
from siuo_async.engine.spending import Spend, price_of_call

LATENCY_SHARES = (5, 25, 50, 75, 95)
_MOST_FORMS = 12
"""Different sets of parameters shown for one model and stage; users' own may differ by sample."""
_LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True)
class Sent:
    """One set of parameters, and how often it was sent."""

    label: str
    stage: str
    parameters: str
    """As JSON."""
    left_out: tuple[str, ...]
    served: tuple[str, ...]
    calls: int


def latencies(run: Gathered, label: str) -> list[float]:
    """Seconds of the calls that gave a model's answers, shortest first; calls that failed or were imported are not in it."""
    calls = (call for item in run.items for call in item.takes[label].calls)
    return sorted(call.latency_s for call in calls if call.stage == GENERATE and not call.failed and call.latency_s > 0)


def quantiles(ordered: Sequence[float], shares: Iterable[int] = LATENCY_SHARES) -> tuple[float, ...]:
    """Of ordered numbers, between neighbours by proportion."""
    last = len(ordered) - 1
    found = []
    for share in shares:
        place = last * share / 100
        below = int(place)
        above = min(below + 1, last)
        found.append(ordered[below] + (ordered[above] - ordered[below]) * (place - below))
    return tuple(found)


def money_of(take: Take, prices: Mapping[str, Price]) -> tuple[float | None, float | None]:
    """US dollars of one sample: of its answers, of its verdicts; None where a call's price is unknown."""
    answering, judging = Spend(), Spend()
    for call in take.calls:
        if call.stage != SEARCH:
            (answering if call.stage == GENERATE else judging).add(call, price_of_call(call, prices))
    return answering.usd, judging.usd


def tokens_of(calls: Iterable[CallRecord], *, judging: bool) -> tuple[int, int]:
    """Input and output of one sample's calls, as far as they were told."""
    chosen = [call.usage for call in calls if call.stage != SEARCH and (call.stage != GENERATE) == judging]
    return sum(each.input or 0 for each in chosen), sum(each.output or 0 for each in chosen)


def sent(run: Gathered) -> list[Sent]:
    """Which parameters each model and its judges were really sent, as often as they differ."""
    seen: Counter[tuple[str, str, bytes, str | None]] = Counter()
    for label in run.labels:
        for item in run.items:
            for call in item.takes[label].calls:
                if call.stage != SEARCH:
                    who = label if call.stage == GENERATE else f"{call.provider}/{call.model}"
                    seen[who, call.stage, orjson.dumps(call.sent, default=_plain), call.served_model] += 1
    forms: dict[tuple[str, str, str], tuple[set[str], set[str], int]] = {}
    for (who, stage, raw, name), calls in seen.items():
        parameters = orjson.loads(raw)
        left_out = parameters.pop(_LEFT_OUT, None) or ()
        form = orjson.dumps(parameters, option=orjson.OPT_SORT_KEYS).decode()
        outside, served, before = forms.get((who, stage, form), (set(), set(), 0))
        forms[who, stage, form] = outside | set(map(str, left_out)), served | ({name} if name else set()), before + calls
    found = [
        Sent(who, stage, form, tuple(sorted(outside)), tuple(sorted(served)), calls)
        for (who, stage, form), (outside, served, calls) in forms.items()
    ]
    order = {label: number for number, label in enumerate(run.labels)}
    found.sort(key=lambda each: (order.get(each.label, len(order)), each.label, each.stage, -each.calls, each.parameters))
    shown: Counter[tuple[str, str]] = Counter()
    kept = []
    for each in found:
        shown[each.label, each.stage] += 1
        if shown[each.label, each.stage] <= _MOST_FORMS:
            kept.append(each)
    return kept


def _plain(value: object) -> object:
    """What orjson does not know: read-only mappings."""
    return dict(value) if isinstance(value, Mapping) else str(value)
