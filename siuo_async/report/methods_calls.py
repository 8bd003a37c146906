"""What the calls of a run say of how it was made: when, with which parameters, and by whom they were served.

Counted from the records themselves, since only they know what was really sent, and what a server called its model.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import orjson

from siuo_async.analysis.gathered import Gathered
from siuo_async.benchmarks.base import GENERATE, SEARCH
from siuo_async.engine.records import CallRecord
from siuo_async.report.text import one_line
from siuo_async.values import Json

_LEFT_OUT = "left_out"
_MOST_VALUES = 4
"""Of one parameter, in words; how many more there are is said."""
_MOST_CHARS = 80
"""Of one value: a schema is no reading."""


@dataclass(slots=True)
class Facts:
    """What the calls of one model, or of one judge, have in common."""

    calls: int = 0
    first: str = ""
    last: str = ""
    """ISO 8601, UTC; empty where nobody noted it."""
    served: Counter[str] = field(default_factory=Counter)
    sent: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Parameter -> value as JSON -> calls."""
    left_out: Counter[str] = field(default_factory=Counter)
    """What was asked for and could not be sent -> calls."""
    several: int = 0
    """Calls that asked for more than one answer."""

    def add(self, call: CallRecord) -> None:
        """Counts one call."""
        self.calls += 1
        self.several += call.asked > 1
        if call.started_at:
            self.first = min(self.first or call.started_at, call.started_at)
            self.last = max(self.last, call.started_at)
        if call.served_model:
            self.served[call.served_model] += 1
        for name, value in call.sent.items():
            if name != _LEFT_OUT:
                self.sent[name][_as_json(value)] += 1
        left_out: Json = call.sent.get(_LEFT_OUT)
        if isinstance(left_out, Mapping):
            self.left_out.update(str(name) for name in left_out)

    def parameters(self) -> str:
        """`max_tokens 500, temperature 0.0 (in 80 of 81 calls)`; empty where none is known."""
        return ", ".join(f"{one_line(name, _MOST_CHARS)} {self._values(name)}" for name in sorted(self.sent))

    def _values(self, name: str) -> str:
        counted = sorted(self.sent[name].items(), key=lambda each: (-each[1], each[0]))
        if len(counted) == 1 and counted[0][1] == self.calls:
            return counted[0][0]
        told = [f"{value} (in {count} of {self.calls} calls)" for value, count in counted[:_MOST_VALUES]]
        more = [f"{len(counted) - _MOST_VALUES} other values"] if len(counted) > _MOST_VALUES else []
        return " or ".join(told + more)


def _as_json(value: Json) -> str:
    return one_line(orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode(), _MOST_CHARS)


@dataclass(frozen=True, slots=True)
class Made:
    """How a run was made."""

    models: Mapping[str, Facts]
    """By label: the calls that asked the model under test."""
    judges: Mapping[str, Facts]
    """By `provider/model`: the calls that asked for verdicts, of whoever gave them."""
    searches: int

    def span(self) -> tuple[str, str]:
        """When the first and the last call began, as `2026-11-21 19:24` in UTC; empty where nobody noted it."""
        every = [*self.models.values(), *self.judges.values()]
        return _minute(min((each.first for each in every if each.first), default="")), _minute(
            max((each.last for each in every), default="")
        )


def _minute(stamp: str) -> str:
    return one_line(stamp[:16].replace("T", " "))


def made(run: Gathered) -> Made:
    """Counts the calls of a run; one that several samples or models share counts for each."""
    models: dict[str, Facts] = {label: Facts() for label in run.labels}
    judges: dict[str, Facts] = defaultdict(Facts)
    searches = 0
    for label, call in _calls(run):
        if call.stage == SEARCH:
            searches += 1
        elif call.stage == GENERATE:
            models[label].add(call)
        else:
            judges[f"{call.provider}/{call.model}"].add(call)
    return Made(models, dict(sorted(judges.items())), searches)


def _calls(run: Gathered) -> Iterable[tuple[str, CallRecord]]:
    return ((label, call) for item in run.items for label, take in item.takes.items() for call in take.calls)
