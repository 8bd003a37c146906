"""Two runs set against each other: how far each model moved, whether by more than chance, and whether a margin was kept.

The models of two runs are compared as the models of one run are: what both runs gathered is counted anew over the samples that they
share, and stands side by side as one run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from siuo_async.analysis.comparing import compare
from siuo_async.analysis.comparison import Estimate, MetricComparison
from siuo_async.analysis.comparison_words import not_in_interval
from siuo_async.analysis.flips import Flip, flips
from siuo_async.analysis.gathered import Gathered, Item
from siuo_async.analysis.instrument import Part, Shared
from siuo_async.engine.scoreboard import ModelBoard
from siuo_async.stats.several import holm

LEVEL = 0.05
Kept = Literal["confirmed", "not confirmed", "worse"]
"""Of a margin; the three exclude each other."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One model's figure over the samples that are compared."""

    value: Estimate
    """As in summaries: a share of samples, by their votes where there are several answers."""
    per_answer: Estimate | None
    """The mean over answers; None where samples are not scored answer by answer."""
    k: int
    n: int
    total: int


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one metric from the first run to the second."""

    metric: str
    heading: str
    higher_is_better: bool
    tested: bool
    a: str
    """Label in the first run."""
    b: str
    before: Figure
    after: Figure
    difference: Estimate
    """after - before, in points; of means over answers where these are compared (`of_answers`)."""
    of_answers: bool
    n: int
    """Samples that both decided."""
    p: float | None
    p_adjusted: float | None
    """By Holm over the models that are compared."""
    method: str
    up: int
    """Samples that score higher than before."""
    down: int
    smallest_visible: float | None
    """The difference that the test finds with 80% power, in points."""
    on_scale: bool = False
    """Whether figures are points on a scale of the benchmark's own, and no percentages."""


@dataclass(frozen=True, slots=True)
class Margin:
    """Whether one model is no worse than before by more than a margin, at 95%."""

    a: str
    b: str
    metric: str
    points: float
    kept: Kept
    sentence: str


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two runs, compared."""

    a: str
    """The first run's directory."""
    b: str
    protocol_lines: tuple[str, str]
    metric: str
    """That margin and flips are about."""
    parts: tuple[Part, ...]
    shared: Shared
    changes: tuple[Change, ...]
    """Model by model, the primary metrics first."""
    margins: tuple[Margin, ...]
    """Empty where no margin was given."""
    flips: Mapping[str, tuple[Flip, ...]]
    """By models, as in `a -> b`."""
    not_in_interval: tuple[str, ...]
    simulated: bool
    partial: bool

    @property
    def differing(self) -> tuple[Part, ...]:
        """What makes the two no measure of the models alone."""
        return tuple(part for part in self.parts if part.stops)


def pair_name(one: str, other: str) -> str:
    """`gpt-x`, or `gpt-x -> gpt-y` where the two have different labels."""
    return one if one == other else f"{one} -> {other}"


def contrast(
    a: Gathered,
    b: Gathered,
    pairs: Sequence[tuple[str, str]],
    parts: tuple[Part, ...],
    shared: Shared,
    *,
    metric: str,
    margin: float | None = None,
    seed: int = 0,
) -> Contrast:
    """Compares models of two runs over the samples that both finished.

    Args:
        pairs: labels, in a and in b.
        metric: what margin and flips are about; one that samples score.
        margin: in points.
    """
    changes: list[Change] = []
    flipped: dict[str, tuple[Flip, ...]] = {}
    primaries: list[MetricComparison] = []
    joined = b
    for one, other in pairs:
        joined, names = _side_by_side(a, b, (one, other), shared.ids)
        compared = compare(joined, reference=names[0], seed=seed)
        flipped[pair_name(one, other)] = flips(a.items, b.items, (one, other), metric, shared.ids)
        if compared is not None:
            rates = joined.model(names[0])["metrics"]
            changes += [_change(found, names, (one, other), rates.get(found.metric) or {}) for found in compared.metrics]
            primaries.append(compared.metrics[0])
    changes = _adjusted(changes)
    standings = tuple(standing for each in primaries for standing in each.standings)
    return Contrast(
        a=str(a.directory.path),
        b=str(b.directory.path),
        protocol_lines=(str(a.summary["protocol_line"]), str(b.summary["protocol_line"])),
        metric=metric,
        parts=parts,
        shared=shared,
        changes=tuple(changes),
        margins=tuple(_margin(each, margin) for each in changes if each.metric == metric) if margin is not None else (),
        flips=flipped,
        not_in_interval=not_in_interval(joined, replace(primaries[0], standings=standings)) if primaries else (),
        simulated=bool(a.summary["simulated"] or b.summary["simulated"]),
        partial=not (a.summary["complete"] and b.summary["complete"]),
    )


def _side_by_side(a: Gathered, b: Gathered, labels: tuple[str, str], ids: Sequence[str]) -> tuple[Gathered, tuple[str, str]]:
    """A run of two models, of which each is asked in its own run; their labels there."""
    names = (f"{labels[0]} (A)", f"{labels[1]} (B)")
    parts = [_restricted(run, label, name, set(ids)) for run, label, name in zip((a, b), labels, names, strict=True)]
    old, new = ({item.sample.id: item.takes[name] for item in part.items} for part, name in zip(parts, names, strict=True))
    items = tuple(Item(item.sample, {names[0]: old[item.sample.id], names[1]: new[item.sample.id]}) for item in parts[1].items)
    plan = replace(parts[1].plan, models=(*parts[0].plan.models, *parts[1].plan.models))
    summary: dict[str, Any] = {**parts[1].summary, "models": [*parts[0].summary["models"], *parts[1].summary["models"]]}
    for word, either in (("simulated", any), ("complete", all)):
        summary[word] = either(run.summary[word] for run in (a, b))
    return Gathered(b.directory, plan, summary, items), names


def _restricted(run: Gathered, label: str, name: str, ids: set[str]) -> Gathered:
    """One model of a run over some of its samples, all of them finished, under another label; no journal is read for it."""
    participant = next(each for each in run.plan.models if each.label == label)
    kept = [item for item in run.items if item.sample.id in ids]
    plan = replace(
        run.plan,
        models=(replace(participant, label=name),),
        all_samples=[item.sample for item in kept],
        config=run.plan.config.model_copy(update={"limit": None}),
    )
    board = ModelBoard(plan.models[0].target(plan.generation()), plan.benchmark, plan.samples(), plan.prices or {})
    for position, item in enumerate(kept):
        board.finish(position, item.sample.category, item.takes[label].result)
    items = tuple(Item(item.sample, {name: item.takes[label]}) for item in kept)
    return Gathered(run.directory, plan, {**run.summary, "models": [board.as_json()]}, items)


def _change(found: MetricComparison, names: tuple[str, str], labels: tuple[str, str], rate: Mapping[str, Any]) -> Change:
    (pair,) = found.pairs
    turned = pair.a == names[0]
    spread = pair.difference
    figures = {each.label: Figure(each.value, each.per_answer, each.k, each.n, each.total) for each in found.standings}
    return Change(
        metric=found.metric,
        heading=found.heading,
        higher_is_better=found.higher_is_better,
        tested=found.tested,
        a=labels[0],
        b=labels[1],
        before=figures[names[0]],
        after=figures[names[1]],
        difference=_turned(spread) if turned else spread,
        of_answers=pair.of_answers,
        n=pair.n,
        p=pair.p,
        p_adjusted=pair.p,
        method=pair.method,
        up=pair.only_b if turned else pair.only_a,
        down=pair.only_a if turned else pair.only_b,
        smallest_visible=pair.smallest_visible,
        on_scale=rate.get("unit") == "points",
    )


def _turned(spread: Estimate) -> Estimate:
    return Estimate(*(None if each is None else -each for each in (spread.value, spread.high, spread.low)))


def _adjusted(changes: Sequence[Change]) -> list[Change]:
    """Each metric is one family of tests, over all models that are compared."""
    found = list(changes)
    for metric in {each.metric for each in changes}:
        places = [number for number, each in enumerate(found) if each.metric == metric]
        for number, p in zip(places, holm([found[number].p for number in places]), strict=True):
            found[number] = replace(found[number], p_adjusted=p)
    return found


def _margin(change: Change, points: float) -> Margin:
    """Non-inferiority by the 95% interval, so at a one-sided level of 2.5%."""
    low, high = change.difference.low, change.difference.high
    if low is not None and high is not None and not change.higher_is_better:
        low, high = -high, -low  # as if higher were better, so that one rule holds for both
    kept: Kept = "not confirmed"
    if low is not None and high is not None:
        kept = "confirmed" if low > -points else "worse" if high < -points else "not confirmed"
    return Margin(change.a, change.b, change.metric, points, kept, _margin_sentence(change, points, kept))


def _margin_sentence(change: Change, points: float, kept: Kept) -> str:
    name = pair_name(change.a, change.b)
    spread = change.difference
    if spread.value is None or spread.low is None or spread.high is None:
        return f"not confirmed: {name} has too few shared samples in {change.heading} to say anything of a margin"
    shown = f"{spread.value:+.1f} points (95% interval {spread.low:+.1f} to {spread.high:+.1f}, {change.n} samples)"
    worse = "lower" if change.higher_is_better else "higher"
    what = f"{change.heading} is {worse} than {'before' if change.a == change.b else f'that of {change.a}'} by"
    if kept == "confirmed":
        return f"confirmed: {name}: that {what} {points:g} points or more is ruled out at 95%: {shown}"
    if kept == "worse":
        return f"worse: {name}: {what} more than {points:g} points: {shown}"
    return f"not confirmed: {name}: that {what} {points:g} points or more cannot be ruled out at 95%: {shown}"
