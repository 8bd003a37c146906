"""How long answers and verdicts will be: as earlier runs of the same benchmark had them, else typical figures with a wide range."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from siuo_async.benchmarks.base import GENERATE, SEARCH
from siuo_async.client.accounts import SIMULATED
from siuo_async.engine.journal import lines
from siuo_async.engine.records import CallRecord, parse
from siuo_async.engine.run_directory import all_runs
from siuo_async.errors import RunDirectoryError
from siuo_async.providers.token_counts import Range
from siuo_async.seals import BadLineError, checked
from siuo_async.values import Outcome

_ENOUGH = 5
"""Calls from which an earlier run tells more than typical figures do."""
_MOST_CALLS = 20_000
"""Of a run that are looked at."""
_MOST_RUNS = 6
_LEAST_SPREAD = 1.03
CHARS_PER_TOKEN, CHINESE_CHARS_PER_TOKEN = 4.4, 1.4
"""Of an answer, for the judge's prompt that will hold it."""


@dataclass(frozen=True, slots=True)
class Length:
    """Of one answer or verdict."""

    tokens: Range
    chars: float
    """Of its visible text."""
    source: str
    """Where that comes from, in words."""
    measured: bool = False
    cached: float = 0.0
    """Share of input tokens that came from the provider's cache."""
    latency_s: float | None = None
    """Of one call."""


@dataclass(slots=True)
class _Sums:
    """What earlier calls of one model in one stage came to."""

    calls: int = 0
    answers: int = 0
    output: float = 0.0
    squares: float = 0.0
    """Of output tokens per answer, for how sure the mean is."""
    chars: int = 0
    input: int = 0
    cached: int = 0
    latency_s: float = 0.0
    runs: list[str] = field(default_factory=list)

    def add(self, record: CallRecord, run: str) -> None:
        """Counts a call that gave a result."""
        output = 0 if record.stage == SEARCH else record.usage.output
        if output is None or not record.answers:
            return
        each = output / len(record.answers)
        self.calls += 1
        self.answers += len(record.answers)
        self.output += output
        self.squares += each * each * len(record.answers)
        self.chars += sum(len(answer.text) for answer in record.answers)
        self.input += record.usage.input or 0
        self.cached += record.usage.cached or 0
        self.latency_s += record.latency_s
        if run not in self.runs:
            self.runs.append(run)

    def length(self) -> Length:
        """The means, with a range that holds the true mean 95 times in 100."""
        mean = self.output / self.answers
        variance = max(0.0, self.squares / self.answers - mean * mean)
        sure = 2 * math.sqrt(variance / self.calls)
        spread = max(mean * (_LEAST_SPREAD - 1), sure)
        where = self.runs[0] if len(self.runs) == 1 else f"{len(self.runs)} runs"
        return Length(
            Range(max(0.0, mean - spread), mean, mean + spread),
            self.chars / self.answers,
            f"the mean of {self.calls} calls in {where}",
            measured=True,
            cached=self.cached / self.input if self.input else 0.0,
            latency_s=self.latency_s / self.calls,
        )


class Lengths:
    """What is known and what is assumed about the outputs of one benchmark.

    Args:
        results: the folder of runs; None looks at none.
        benchmark: as in manifests.
    """

    def __init__(self, results: Path | None, benchmark: str, *, chinese: bool = False) -> None:
        self._benchmark = benchmark
        self._chinese = chinese
        self._earlier: dict[tuple[str, str], _Sums] = {}
        for run, record in _records(results, benchmark) if results is not None else ():
            self._earlier.setdefault((f"{record.provider}/{record.model}", record.stage), _Sums()).add(record, run)

    def of(self, full_name: str, stage: str, cap: int | None, thinking_room: int = 0) -> Length:
        """Of one answer of a model in a stage.

        Args:
            full_name: `provider/model[@revision]`.
            cap: the most visible tokens.
            thinking_room: the most tokens of thinking; 0 where it does not think.
        """
        sums = self._earlier.get((full_name, stage))
        if sums is not None and sums.calls >= _ENOUGH:
            return sums.length()
        return self._typical(full_name, stage, cap, thinking_room)

    def found_chars(self) -> float | None:
        """How long the texts were that earlier searches found; None: nobody searched yet."""
        sums = [each for (_, stage), each in self._earlier.items() if stage == SEARCH and each.answers]
        return sum(each.chars for each in sums) / sum(each.answers for each in sums) if sums else None

    def _typical(self, full_name: str, stage: str, cap: int | None, thinking_room: int) -> Length:
        table = _typical()
        kind = GENERATE if stage == GENERATE else "judge"
        simulated = full_name.startswith(f"{SIMULATED}/")
        own = table.get(self._benchmark, {})
        found = own.get(stage) or own.get(kind) or table["*"][kind]
        if simulated:  # terse, where the benchmark does not ask for less
            found = [min(pair) for pair in zip(found, table["simulated"][kind], strict=True)]
        low, expected, high = found
        if cap is not None:
            low, expected, high = (min(value, cap) for value in (low, expected, high))
        chars = expected * (CHINESE_CHARS_PER_TOKEN if self._chinese else CHARS_PER_TOKEN)
        tokens, words = Range(low, expected, high), f"typical of {self._benchmark}"
        if thinking_room and not simulated:
            tokens += Range(*(min(value, thinking_room) for value in table["thinking"][kind]))
            words += " and of a model that thinks"
        return Length(tokens, chars, "typical of simulated models" if simulated else words)


def _records(results: Path, benchmark: str) -> Iterator[tuple[str, CallRecord]]:
    """(run, record) of the calls that gave a result, newest runs first."""
    runs = [run for run, manifest in all_runs(results) if manifest["benchmark"] == benchmark]
    for run in runs[:_MOST_RUNS]:
        try:
            for number, (_, line) in enumerate(lines(run.calls)):
                if number == _MOST_CALLS:
                    break
                try:
                    record = parse(checked(line))
                except BadLineError:
                    continue  # `siuo check` tells of it
                if not record.failed and record.answers[0].outcome is not Outcome.FAILED:
                    yield run.path.name, record
        except (OSError, RunDirectoryError):
            continue


@cache
def _typical() -> Mapping[str, Any]:
    return tomllib.loads(files(__package__).joinpath("typical_lengths.toml").read_text(encoding="utf-8"))
