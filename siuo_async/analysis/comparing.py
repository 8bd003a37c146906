"""How models are compared: intervals, paired tests, letters, and what the intervals do not hold.

The primary metrics are tested, the others get intervals: more stars than questions would find differences where there are none. What
is computed and why stands in `docs/statistics.md`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, Final, Literal

import numpy as np

from siuo_async.analysis.clusters import clusters_of
from siuo_async.analysis.comparison import CategoryCell, Comparison, Estimate, MetricComparison, Pair, Standing
from siuo_async.analysis.comparison_words import Wording, method_words, metric_sentences, not_in_interval, pair_sentence
from siuo_async.analysis.gathered import Gathered
from siuo_async.analysis.score_table import Floats, ScoreTable, score_table
from siuo_async.benchmarks.custom import Judged
from siuo_async.errors import ConfigError
from siuo_async.stats.differences import difference_interval, smallest_visible
from siuo_async.stats.paired import mcnemar, sign_flip
from siuo_async.stats.redraw import redraw_sd_of_mean, redraw_sd_of_votes
from siuo_async.stats.resampling import bootstrap_means, share_interval
from siuo_async.stats.several import holm, letters

LEVEL: Final = 0.05
_NOTHING: Final = Estimate(None)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One metric of a run, and how it is looked at."""

    run: Gathered
    metric: str
    table: ScoreTable
    tested: bool
    reference: str | None
    seed: int

    @property
    def repeated(self) -> bool:
        """Whether a sample has several draws of the same prompt, each scored; released scripts know votes alone."""
        benchmark = self.run.plan.benchmark
        several = benchmark.answers // benchmark.prompts_per_sample > 1
        return several and self.table.by_answer and self.run.plan.config.protocol != "released"

    @property
    def compared(self) -> Floats:
        """What pairs are compared by: means over answers where there are several, else the figure's own scores.

        A mean is of no use while its vote is open for want of verdicts; a tie of known answers is as good as any other.
        """
        if not self.repeated:
            return self.table.values
        known = ~np.isnan(self.table.values) | (self.table.answers == self.run.plan.benchmark.answers)
        return np.where(known, self.table.means, np.nan)

    @property
    def scale(self) -> tuple[int, int] | None:
        """The ends of a metric in points."""
        benchmark = self.run.plan.benchmark
        if isinstance(benchmark, Judged) and benchmark.spec.judge and (scale := benchmark.spec.judge.scale):
            return (scale.low, scale.high) if self.metric == benchmark.primary else None
        return None

    @property
    def span(self) -> float:
        """The largest difference of two scores; an unreadable verdict is -1 in SIUO's `released`."""
        if self.scale:
            return float(self.scale[1] - self.scale[0])
        return 2.0 if bool(np.nanmin(self.compared, initial=0.0) < 0) else 1.0

    @property
    def unit(self) -> float:
        """Points in a difference of 1."""
        return 1.0 if self.scale else 100.0

    @property
    def step(self) -> float:
        """The smallest difference of two scores."""
        votes = bool(np.isin(self.compared[~np.isnan(self.compared)], (0, 1)).all())
        return 1.0 if votes else 1.0 / self.run.plan.benchmark.answers

    @property
    def higher_is_better(self) -> bool:
        return self.metric not in self.run.plan.benchmark.lower_is_better

    @property
    def words(self) -> Wording:
        benchmark = self.run.plan.benchmark
        return Wording(
            metric=self.metric,
            heading=benchmark.metrics.get(self.metric, self.metric),
            higher_is_better=self.higher_is_better,
            answers=benchmark.answers if self.repeated else 1,
            scale=self.scale,
            simulated=bool(self.run.summary["simulated"]),
            partial=not self.run.summary["complete"],
            own="definition" in benchmark.settings(),
        )


def compare(run: Gathered, *, reference: str | None = None, seed: int = 0) -> Comparison | None:
    """The models of a run, compared on the samples that they share; None where nothing is scored yet.

    Args:
        reference: the label that all others are compared with; None compares all pairs.
        seed: of what is drawn: the bootstrap, and permutation tests too large to be exact.

    Raises:
        ConfigError: there is no model with that label.
    """
    if reference is not None and reference not in run.labels:
        raise ConfigError(f"--reference {reference}: the run has no model with that label; it has: {', '.join(run.labels)}")
    clusters = clusters_of([item.sample for item in run.items])
    benchmark = run.plan.benchmark
    found = []
    for metric in dict.fromkeys((*benchmark.headline, *benchmark.metrics)):
        table = score_table(run, metric, clusters)
        if table.scored:
            asked = _Asked(run, metric, table, metric in benchmark.headline, reference, seed)
            found.append((asked, _metric(asked)))
    if not found:
        return None
    distinct, count = len(set(clusters)), len(run.items)
    return Comparison(
        metrics=tuple(metric for _, metric in found),
        cells=_cells(run),
        clusters=distinct,
        samples=count,
        not_in_interval=not_in_interval(run, found[0][1]),
        method=method_words(run, tuple(metric for _, metric in found), distinct),
    )


def _metric(asked: _Asked) -> MetricComparison:
    variances = _variances(asked)
    unranked = [_standing(asked, label, variance) for label, variance in zip(asked.table.labels, variances, strict=True)]
    standings = _ranked(unranked, higher=asked.higher_is_better)
    pairs = _pairs(asked, [standing.label for standing in standings])
    if asked.tested and asked.reference is None and any(pair.p is not None for pair in pairs):
        differing = [(pair.a, pair.b) for pair in pairs if pair.p_adjusted is not None and pair.p_adjusted < LEVEL]
        shared = letters([standing.label for standing in standings if standing.value.value is not None], differing)
        standings = [replace(standing, letters=shared.get(standing.label, "")) for standing in standings]
    visible = [pair.smallest_visible for pair in pairs if pair.smallest_visible is not None]
    compared = MetricComparison(
        metric=asked.metric,
        heading=asked.words.heading,
        tested=asked.tested,
        higher_is_better=asked.higher_is_better,
        reference=asked.reference,
        standings=tuple(standings),
        pairs=tuple(pairs),
        smallest_visible=median(visible) if visible else None,
        sentences=(),
    )
    rates = {label: asked.run.model(label)["metrics"].get(asked.metric) or {} for label in asked.table.labels}
    finished = dict(zip(asked.table.labels, asked.table.finished, strict=True))
    return replace(compared, sentences=metric_sentences(asked.words, compared, rates, finished))


def _ranked(standings: Sequence[Standing], *, higher: bool) -> list[Standing]:
    """The best first; those without a figure last."""

    def key(standing: Standing) -> float:
        value = standing.value.value
        return float("inf") if value is None else -value if higher else value

    ordered = sorted(standings, key=key)
    keys = [key(standing) for standing in ordered]
    return [replace(standing, rank=1 + keys.index(own)) for standing, own in zip(ordered, keys, strict=True)]


def _variances(asked: _Asked) -> list[float | None]:
    """Of each model's mean over answers, by resampling samples; the same draws for all models."""
    unknown: list[float | None] = [None] * len(asked.table.labels)
    drawn = asked.table.design(np.ones(len(asked.table.values), dtype=bool))
    if not asked.repeated or drawn.clusters < 2:
        return unknown
    draws = bootstrap_means(asked.table.ones, asked.table.answers, drawn, seed=asked.seed)
    met = np.sum(~np.isnan(draws), axis=0) > 1
    return [float(np.nanvar(draws[:, column], ddof=1)) if met[column] else None for column in range(len(unknown))]


def _standing(asked: _Asked, label: str, variance: float | None) -> Standing:
    column = asked.table.labels.index(label)
    rate: Mapping[str, Any] = asked.run.model(label)["metrics"].get(asked.metric) or {}
    per_answer, of_votes, of_mean = _of_answers(asked, column, variance) if asked.repeated else (None, None, None)
    return Standing(
        label=label,
        rank=0,
        value=Estimate(rate.get("value"), rate.get("low"), rate.get("high")),
        per_answer=per_answer,
        letters="",
        k=int(rate.get("k") or 0),
        n=int(rate.get("n") or 0),
        total=int(rate.get("total") or 0),
        draw_sd=of_votes,
        draw_sd_per_answer=of_mean,
        undecided=asked.table.undecided[column],
    )


def _of_answers(asked: _Asked, column: int, variance: float | None) -> tuple[Estimate, float | None, float | None]:
    """The mean over all answers with its interval, and how far vote and mean would move with new answers; in percent and points."""
    ones, answers = asked.table.ones[:, column], asked.table.answers[:, column]
    known = answers > 0
    ones, answers = ones[known], answers[known]
    if not len(ones):
        return _NOTHING, None, None
    mean = float(ones.sum() / answers.sum())
    low, high = share_interval(mean, variance, len(np.unique(asked.table.clusters[known])), int(answers.sum()))
    all_of_them = asked.run.plan.benchmark.answers
    of_votes = redraw_sd_of_votes(ones[answers == all_of_them].astype(int), all_of_them)
    of_mean = redraw_sd_of_mean(ones.astype(int), answers.astype(int))
    percent = Estimate(100 * mean, 100 * low, 100 * high)
    return percent, None if of_votes is None else 100 * of_votes, None if of_mean is None else 100 * of_mean


def _pairs(asked: _Asked, ordered: Sequence[str]) -> list[Pair]:
    """All pairs, the better model first; with a reference each other model against it."""
    if asked.reference is not None:
        names = [(label, asked.reference) for label in ordered if label != asked.reference]
    else:
        names = [(one, other) for place, one in enumerate(ordered) for other in ordered[place + 1 :]]
    shared = {(a, b): _shared(asked, a, b) for a, b in names}
    tests = sum(int(rows.sum()) >= 2 for rows in shared.values())
    pairs = [_pair(asked, a, b, rows, LEVEL / max(1, tests)) for (a, b), rows in shared.items()]
    adjusted = holm([pair.p for pair in pairs])
    words = asked.words
    told = [replace(pair, p_adjusted=p) for pair, p in zip(pairs, adjusted, strict=True)]
    return [replace(pair, sentence=pair_sentence(words, pair, tests)) for pair in told]


def _shared(asked: _Asked, a: str, b: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Samples that both decided."""
    one, other = (asked.compared[:, asked.table.labels.index(label)] for label in (a, b))
    return np.asarray(~np.isnan(one) & ~np.isnan(other))


def _pair(asked: _Asked, a: str, b: str, rows: np.ndarray[tuple[int], np.dtype[np.bool_]], level: float) -> Pair:
    one, other = (asked.compared[rows, asked.table.labels.index(label)] for label in (a, b))
    differences = one - other
    n, unit, span = len(differences), asked.unit, asked.span
    if n < 2:
        return Pair(asked.metric, a, b, n, _NOTHING, None, None, "none", 0, 0, None, "", asked.repeated, level)
    drawn = asked.table.design(rows)
    low, high = difference_interval(differences, drawn, span=span)
    visible = None
    if asked.tested:
        share = (float((one + other).mean()) / 2 - (asked.scale[0] if asked.scale else 0)) / span
        visible = smallest_visible(differences, drawn, share, step=asked.step, span=span, level=level)
    above, below = int((differences > _CLOSE).sum()), int((differences < -_CLOSE).sum())
    method: Literal["permutation", "mcnemar", "none"] = "none"
    p = None
    if asked.tested:
        clusters = asked.table.clusters[rows]
        alone = drawn.clusters == n
        method = "mcnemar" if alone and not asked.repeated and set(np.unique(np.abs(differences))) <= {0.0, 1.0} else "permutation"
        p = mcnemar(above, below) if method == "mcnemar" else sign_flip(differences, clusters, seed=asked.seed)
    return Pair(
        metric=asked.metric,
        a=a,
        b=b,
        n=n,
        difference=Estimate(unit * _mean(differences), unit * low, unit * high),
        p=p,
        p_adjusted=None,
        method=method,
        only_a=above,
        only_b=below,
        smallest_visible=None if visible is None else unit * visible,
        sentence="",
        of_answers=asked.repeated,
        level=level,
        on_scale=asked.scale is not None,
    )


def _mean(differences: Floats) -> float:
    """0 where rounding alone keeps it from that: as many thirds up as down are no difference."""
    found = float(differences.mean())
    return found if abs(found) > _CLOSE else 0.0


_CLOSE: Final = 1e-9
"""Means of thirds that differ by less are equal."""


def _cells(run: Gathered) -> tuple[CategoryCell, ...]:
    """The primary metric by first category, as in the summary."""
    found = []
    for label in run.labels:
        for category, group in (run.model(label).get("categories") or {}).items():
            if rate := group["metrics"].get(run.plan.benchmark.primary):
                value = Estimate(rate["value"], rate["low"], rate["high"])
                found.append(CategoryCell(category, label, value, rate["k"], rate["n"], rate["total"]))
    return tuple(sorted(found, key=lambda cell: cell.category))
