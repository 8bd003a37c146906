"""The first table of a report: who is ahead, by how much at least, out of how many, at what price.

Where too much is undecided, what the undecided could make of a figure stands in its place: a reader who takes one number along should
take the one that holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from siuo_async.analysis.comparison import Comparison, MetricComparison, Standing
from siuo_async.benchmarks.counting import MOST_UNDECIDED
from siuo_async.report.grid import Grid
from siuo_async.report.text import interval, money, not_measured, percent, share, share_of

BRACKETS = (
    f"[in brackets]: more than {MOST_UNDECIDED:g}% are undecided, so these are the bounds that they leave; below, the decided alone"
)
"""What stands under a table with bounds in the place of figures."""
BAR = 26
"""Columns of the screen that an interval is drawn in."""
_KEPT, _LETTERS = 0, 1


@dataclass(frozen=True, slots=True)
class _Column:
    heading: str
    cells: tuple[str, ...]
    drop: int
    """As in `Grid.drop`."""
    drawn: bool = False
    strong: bool = False


def bounds_lead(model: Mapping[str, Any], rate: Mapping[str, Any]) -> bool:
    """Whether what the undecided could make of a figure stands in the place of the figure."""
    if rate.get("worst") is None or not rate.get("total") or not rate["n"] or rate["n"] == rate["total"]:
        return False
    if model["samples"]["pending"]:  # what was not asked yet is no judge's silence; PARTIAL stands above the table
        return False
    undecided = 100 * (rate["total"] - rate["n"]) > MOST_UNDECIDED * rate["total"]
    return bool(model.get("bounds_are_headline")) or bool(undecided)


def leaderboard(summary: Mapping[str, Any], metrics: Mapping[str, str], comparison: Comparison | None = None) -> Grid:
    """Models by the primary metric, the best first."""
    models = ranked(summary, comparison)
    standings = _by_metric(comparison)
    columns = [
        *_places(models, comparison),
        *_metrics(summary, models, metrics),
        *_beside(summary, models, metrics, standings),
        _Column("Withheld", tuple(map(_withheld, models)), 2),
        _Column("Undecided", tuple(_undecided(model, summary["primary"]) for model in models), 3),
        _Column("Cut", tuple(str(model["answers"]["cut"]) for model in models), 6),
        _Column("Spend", tuple(money(model["cost_usd"]) for model in models), 1),
    ]
    drawn = next((number for number, column in enumerate(columns) if column.drawn), None)
    strong = next(number for number, column in enumerate(columns) if column.strong)
    return Grid(
        f"Leaderboard: {_lower(metrics[summary['primary']])}",
        tuple(column.heading for column in columns),
        tuple(zip(*(column.cells for column in columns), strict=True)),
        _note(summary, models, metrics, comparison),
        drop=tuple(column.drop for column in columns),
        drawn=drawn,
        strong=strong,
    )


def ranked(summary: Mapping[str, Any], comparison: Comparison | None) -> list[Mapping[str, Any]]:
    """The models, the best first."""
    if comparison:
        places = {standing.label: number for number, standing in enumerate(comparison.primary.standings)}
        return sorted(summary["models"], key=lambda model: places.get(model["label"], len(places)))
    primary = summary["primary"]
    return sorted(summary["models"], key=lambda model: _value(model["metrics"][primary]), reverse=True)


def _value(rate: Mapping[str, Any]) -> float:
    return -1.0 if rate["value"] is None else float(rate["value"])


def _by_metric(comparison: Comparison | None) -> Mapping[str, MetricComparison]:
    return {each.metric: each for each in comparison.metrics} if comparison else {}


def _standing(found: MetricComparison | None, label: str) -> Standing | None:
    return next((each for each in found.standings if each.label == label), None) if found else None


def _places(models: Sequence[Mapping[str, Any]], comparison: Comparison | None) -> list[_Column]:
    labels = tuple(model["label"] for model in models)
    named = _Column("Model", labels, _KEPT)
    if comparison is None or len(models) == 1:
        return [named]
    marks = []
    for label in labels:
        found = _standing(comparison.primary, label)
        marks.append(f"{found.rank} {found.letters}".strip() if found else "–")
    return [named, _Column("Rank", tuple(marks), _KEPT)]


def _metrics(summary: Mapping[str, Any], models: Sequence[Mapping[str, Any]], metrics: Mapping[str, str]) -> list[_Column]:
    """The primary metric with its drawing, what is never shown without it, then the others; none is ever left out."""
    primary, headline = summary["primary"], tuple(summary["headline"])
    columns = []
    for metric in sorted(metrics, key=lambda name: (name != primary, name not in headline)):
        rates = [model["metrics"][metric] for model in models]
        cells = tuple(cell(model, rate) for model, rate in zip(models, rates, strict=True))
        columns.append(_Column(metrics[metric], cells, _KEPT, strong=metric == primary))
        if metric == primary and rates[0].get("unit") != "points" and any(rate["n"] for rate in rates):
            bars = tuple(bar(rate, bounds=bounds_lead(model, rate)) for model, rate in zip(models, rates, strict=True))
            columns.append(_Column(_axis(), bars, 9, drawn=True))
    return columns


def cell(model: Mapping[str, Any], rate: Mapping[str, Any]) -> str:
    """`53.3  89/167` over its interval; where too much is undecided the bounds in brackets, over the figure of the decided."""
    if not_measured(rate):
        return percent(rate)
    if bounds_lead(model, rate):
        ends = {**rate, "low": rate["worst"], "high": rate["best"]}
        return f"[{interval(ends)}]\n{percent(rate)}  {share(rate)}"
    spread = f"\n{interval(rate)}" if rate["low"] is not None else ""
    return f"{share_of(rate, gap='  ')}{spread}"


def _axis() -> str:
    half = BAR // 2
    return "0" + "50".rjust(half) + "100".rjust(BAR - half - 1)


def bar(rate: Mapping[str, Any], *, bounds: bool = False) -> str:
    """An interval on a scale from 0 to 100 with its figure as a dot; or the bounds in brackets, as in the cell beside it."""
    if rate["value"] is None:
        return ""
    if bounds:
        first, last = (min(BAR - 1, int(each * BAR / 100)) for each in (rate["worst"], rate["best"]))
        inside = "┄" * (last - first - 1)
        return (" " * first + (f"[{inside}]" if first < last else "┄")).ljust(BAR)
    low = rate["value"] if rate["low"] is None else rate["low"]
    high = rate["value"] if rate["high"] is None else rate["high"]
    first, dot, last = (min(BAR - 1, int(each * BAR / 100)) for each in (low, rate["value"], high))
    marks = ["─" if first <= place <= last else " " for place in range(BAR)]
    if first < last:
        marks[first], marks[last] = "├", "┤"
    marks[dot] = "●"
    return "".join(marks).ljust(BAR)


def _beside(
    summary: Mapping[str, Any],
    models: Sequence[Mapping[str, Any]],
    metrics: Mapping[str, str],
    standings: Mapping[str, MetricComparison],
) -> list[_Column]:
    """A vote flatters above one half, so what single answers and whole samples score stands beside it; of one answer all are one."""
    primary, found = summary["primary"], []
    if summary.get("answers_per_sample") == 1:
        return []
    if all(f"{primary}_per_answer" in model["metrics"] for model in models):
        cells = tuple(_per_answer(model, primary, _standing(standings.get(primary), model["label"])) for model in models)
        found.append(_Column("Per answer", cells, 4))
    for metric in models[0]["metrics"]:
        if metric.endswith("_every_answer") and all(metric in model["metrics"] for model in models):
            words = metric.removesuffix("_every_answer").replace("_", " ").capitalize()
            found.append(_Column(f"{words} in every answer", tuple(cell(model, model["metrics"][metric]) for model in models), 5))
    return found


def _per_answer(model: Mapping[str, Any], primary: str, standing: Standing | None) -> str:
    rate = model["metrics"][f"{primary}_per_answer"]
    estimate = standing.per_answer if standing else None
    if estimate is None or estimate.low is None or estimate.high is None:
        return share_of(rate, gap="  ")  # no interval: answers of one sample are no independent draws, so Wilson's would be too narrow
    return f"{share_of(rate, gap='  ')}\n{estimate.low:.1f}–{estimate.high:.1f}"


def _withheld(model: Mapping[str, Any]) -> str:
    """Answers that the provider declined or filtered, out of all that are there."""
    withheld = model["outcomes"]["declined"] + model["outcomes"]["filtered"]
    there = model["answers"]["finished"]
    return f"{100 * withheld / there:.1f}  {withheld}/{there}" if there else "–"


def _undecided(model: Mapping[str, Any], primary: str) -> str:
    """Samples without a score, of those that are finished."""
    rate = model["metrics"][primary]
    if not rate.get("total"):
        return "–"
    return str(max(0, rate["total"] - rate["n"] - model["samples"]["pending"]))


def _note(
    summary: Mapping[str, Any], models: Sequence[Mapping[str, Any]], metrics: Mapping[str, str], comparison: Comparison | None
) -> str:
    note = str(summary["note"])
    if comparison and len(models) > 1 and any(each.letters for each in comparison.primary.standings):
        note += "\nmodels that share a letter were not told apart"
    if any(bounds_lead(model, model["metrics"][name]) for model in models for name in metrics):
        note += f"\n{BRACKETS}"
    for name in summary["headline"]:
        bounds = [
            f"{model['label']} {interval({**rate, 'low': rate['worst'], 'high': rate['best']})}"
            for model in models
            if (rate := model["metrics"][name])["n"] != rate["total"] and rate["worst"] is not None
            if not model["samples"]["pending"] and not bounds_lead(model, rate)
        ]
        if bounds:
            note += f"\nif the undecided all went one way or the other, {_lower(metrics[name])}: {', '.join(bounds)}"
    if baselines := models[0].get("baselines"):
        note += "\nfor comparison: " + ", ".join(f"{words} {value:.1f}" for words, value in baselines.items() if value is not None)
    return note + "".join(f"\n{model['label']}: {remark}" for model in models for remark in model.get("remarks") or ())


def _lower(heading: str) -> str:
    return " ".join(heading.lower().split())
