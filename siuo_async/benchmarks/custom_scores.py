"""From the scores of samples to the numbers of a custom benchmark: rates of ones, and means of points on a scale.

One tally serves every custom benchmark: what a sample came to is a `Scored`, whoever worked it out. Only integers are kept, so the
order in which samples finish changes nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from siuo_async.benchmarks.counting import AnswerCounts, JudgeCounts, RateCounts
from siuo_async.benchmarks.judged import Verdict
from siuo_async.benchmarks.seen import Score, Seen, SeenAnswer, vote_score
from siuo_async.stats import mean_rate
from siuo_async.values import EMPTY, Answer, Json, Sample

PER_ANSWER = "_per_answer"
"""Ends the name of the rate that counts answers."""
UNIT = "points"
"""`unit` of a metric that is a mean on a scale; all others are in percent."""
ALL = "all"
"""The category of samples that have none."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What one finished sample came to."""

    values: Mapping[str, int | bool | None]
    """Metric -> 1, 0, or None where it cannot be decided; a metric that is not there is not asked of this sample."""
    answers: tuple[Answer, ...] = ()
    """Of the model under test; counted by outcome."""
    verdicts: tuple[Verdict[Any], ...] = ()
    """Of the judge; counted by whether they could be read. Where there are as many as answers, each is of the answer in its place."""
    per_answer: Mapping[str, Sequence[int | bool | None]] = field(default_factory=lambda: EMPTY)
    """Metric -> the same for each of several answers."""
    points: Mapping[str, int | None] = field(default_factory=lambda: EMPTY)
    """Metric on a scale -> points above the scale's lower end, summed over the sample's answers; None where one is missing."""
    counts: Mapping[str, int] = field(default_factory=lambda: EMPTY)
    """Words -> how often; told apart from the metrics."""
    notes: Mapping[str, Json] = field(default_factory=lambda: EMPTY)
    """What an export tells beside; in no number."""


@dataclass(frozen=True, slots=True)
class Points:
    """A metric that is a mean on a scale of whole numbers."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Shape:
    """What a tally has to count."""

    rates: tuple[str, ...]
    """Metrics that are shares of samples, in order."""
    points: Mapping[str, Points] = field(default_factory=lambda: EMPTY)
    """Metrics that are means on a scale; they come first."""
    per_answer: tuple[str, ...] = ()
    """Metrics that are shares of answers."""
    answers: int = 1
    """Answers per sample."""
    cap: int | None = None
    judged: bool = False
    baselines: Mapping[str, float] = field(default_factory=lambda: EMPTY)
    """Words -> what needs no model, in percent."""


def scored_seen(result: Scored, shape: Shape, stage: str = "") -> Seen:
    """A result in the form that all benchmarks share; a rate of answers is the answers of the rate that it is named after.

    Args:
        stage: under which the judge was asked, where each answer has its verdict.
    """
    paired = len(result.verdicts) == len(result.answers)
    answers = tuple(
        SeenAnswer(answer, {stage: result.verdicts[number]} if paired else EMPTY) for number, answer in enumerate(result.answers)
    )
    scores = {metric: vote_score(value, result.per_answer.get(metric + PER_ANSWER, ())) for metric, value in result.values.items()}
    for metric, points in result.points.items():
        scores[metric] = Score(None if points is None else shape.points[metric].low + points / shape.answers)
    return Seen(answers, scores, result.notes)


class _Sums:
    """Points of the samples of one group."""

    __slots__ = ("points", "samples", "squares")

    def __init__(self) -> None:
        self.samples = self.points = self.squares = 0

    def add(self, points: int | None) -> None:
        if points is not None:
            self.samples += 1
            self.points += points
            self.squares += points * points


class _Group:
    """Counters of one category, or of all."""

    __slots__ = ("not_asked", "of_answers", "rates", "sums")

    def __init__(self, shape: Shape) -> None:
        self.not_asked = dict.fromkeys(shape.rates, 0)
        """Metric -> samples that it says nothing about; they are in no total of it."""
        self.rates = RateCounts()
        self.of_answers = RateCounts()
        self.sums = {metric: _Sums() for metric in shape.points}

    def add(self, scored: Scored) -> None:
        for metric in self.not_asked:
            if metric in scored.values:
                self.rates.count(metric, scored.values[metric])
            else:
                self.not_asked[metric] += 1
        for metric, values in scored.per_answer.items():
            for value in values:
                self.of_answers.count(metric, value)
        for metric, points in scored.points.items():
            self.sums[metric].add(points)


def check_scored(found: Scored, shape: Shape) -> None:
    """Raises TypeError or ValueError for what would crash a tally of this shape, or make a wrong number of it."""
    if not isinstance(found, Scored):
        raise TypeError(f"evaluate must return a Scored, not {type(found).__name__}")
    for name, items, kind in (("answers", found.answers, Answer), ("verdicts", found.verdicts, Verdict)):
        if not isinstance(items, tuple | list) or not all(isinstance(item, kind) for item in items):
            raise TypeError(f"`{name}` of a Scored must be a tuple of {kind.__name__}, as in (it,), not {type(items).__name__}")
    for name, known in (("values", shape.rates), ("per_answer", shape.per_answer), ("points", tuple(shape.points))):
        given = getattr(found, name)
        if not isinstance(given, Mapping):
            raise TypeError(f"`{name}` of a Scored must be a table by metric, not {type(given).__name__}")
        if unknown := [metric for metric in given if metric not in known]:
            there = f"there are {', '.join(known)}" if known else "there are none; only a tally of your own could count them"
            raise ValueError(f"evaluate gave {name} for {unknown}, but {there}")
    if wrong := {metric: value for metric, value in found.values.items() if value not in (0, 1, None)}:
        raise ValueError(f"a metric of a sample is 1, 0 or None, not {wrong}")
    if not isinstance(found.counts, Mapping) or not all(
        isinstance(word, str) and isinstance(number, int) and number >= 0 for word, number in found.counts.items()
    ):
        raise ValueError(f"`counts` of a Scored must be words and how often, from 0, not {found.counts!r:.60}")
    json.dumps(dict(found.notes), allow_nan=False)  # raises for what no export could hold


class ScoredTally:
    """Counters over the samples of one model.

    Args:
        shape: what is counted.
        samples: what is asked, for the totals of narrower categories; not kept.
    """

    def __init__(self, shape: Shape, samples: Iterable[Sample]) -> None:
        self._shape = shape
        self._all = _Group(shape)
        self._categories: dict[str, _Group] = {}
        self._narrower: dict[str, _Group] = {}
        self._totals = Counter(name for sample in samples if (name := _narrower(sample.category)))
        self._counts = AnswerCounts(shape.cap)
        self._judge = JudgeCounts()
        self._apart: Counter[str] = Counter()

    def add(self, category: tuple[str, ...], result: Scored) -> None:
        """Counts one finished sample."""
        for answer in result.answers:
            self._counts.add(answer)
        for verdict in result.verdicts:
            self._judge.add(verdict)
        self._apart.update(result.counts)
        self._all.add(result)
        self._in(self._categories, category[0]).add(result)
        if name := _narrower(category):
            self._in(self._narrower, name).add(result)

    def _in(self, groups: dict[str, _Group], name: str) -> _Group:
        if (found := groups.get(name)) is None:
            found = groups[name] = _Group(self._shape)
        return found

    def summary(self, totals: Mapping[str, int]) -> dict[str, Json]:
        """Metrics overall and by category, outcomes of the answers, the judge's health.

        Args:
            totals: samples asked for, by category.
        """
        total = sum(totals.values())
        found: dict[str, Json] = {
            "metrics": self._metrics(self._all, total),
            "categories": self._grouped(self._categories, totals),
            "counts": dict(sorted(self._apart.items())),
            "baselines": dict(self._shape.baselines),
            "outcomes": self._counts.outcomes(),
            "answers": self._counts.answers(total * self._shape.answers),
            "judge": self._judge.as_json() if self._shape.judged else None,
            "dropped": 0,
        }
        if self._totals:
            found["breakdowns"] = {"narrower category": self._grouped(self._narrower, self._totals)}
        return found

    def _grouped(self, groups: Mapping[str, _Group], totals: Mapping[str, int]) -> dict[str, Json]:
        """{name: {samples, metrics}}, by name; empty counters where no sample is finished."""
        return {
            name: {"samples": count, "metrics": self._metrics(groups.get(name) or _Group(self._shape), count)}
            for name, count in sorted(totals.items())
        }

    def _metrics(self, group: _Group, total: int) -> dict[str, Json]:
        means = {metric: self._mean(metric, group.sums[metric], total) for metric in self._shape.points}
        of_samples = {metric: group.rates.rate(metric, total - group.not_asked[metric]).as_json() for metric in self._shape.rates}
        of_answers = {metric: group.of_answers.rate(metric, total * self._shape.answers).as_json() for metric in self._shape.per_answer}
        return {**means, **of_samples, **of_answers}

    def _mean(self, metric: str, sums: _Sums, total: int) -> dict[str, Json]:
        """The mean score with its interval (`mean_rate` over points above the scale's low end); `k` is the sum of those points."""
        scale = self._shape.points[metric]
        span = scale.high - scale.low
        share = mean_rate(sums.points, sums.squares, sums.samples, span * self._shape.answers, max(total, sums.samples))
        on_scale = {
            name: None if (value := share[name]) is None else scale.low + value * span / 100
            for name in ("value", "low", "high", "worst", "best")
        }
        return {**on_scale, "k": sums.points, "n": sums.samples, "total": max(total, sums.samples), "unit": UNIT}


def _narrower(category: tuple[str, ...]) -> str:
    """The second level of a category with the first before it; empty where there is none."""
    return " / ".join(category[:2]) if len(category) > 1 else ""
