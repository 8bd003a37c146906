"""Which figures a run has: from summary, comparison and calls to what `figures` draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from siuo_async.analysis.comparison import Comparison, MetricComparison
from siuo_async.analysis.gathered import Gathered
from siuo_async.report.grids import probability
from siuo_async.report.leaderboard import bounds_lead
from siuo_async.report.page import figures
from siuo_async.report.page.facts import latencies, quantiles
from siuo_async.report.page.figures import Bar, Drawing, Point, Spread
from siuo_async.report.text import in_line, interval, money, percent, share

MOST_PAIRS = 15
"""Drawn; the table has all."""
_AXES = {
    frozenset({"safe", "effective"}): ("safe", "effective"),
    frozenset({"safety_rate", "refusal_rate"}): ("safety_rate", "refusal_rate"),
}
_LATENCY_NOTE = (
    "Thin: 5 to 95 of a hundred calls. Thick: the middle half. Tick: the median. Time on the wire only, without waiting for limits."
)
_OUTCOMES = ("answered", "declined", "filtered", "empty", "failed")


def _models(summary: Mapping[str, Any]) -> list[tuple[int, Mapping[str, Any]]]:
    return list(enumerate(summary["models"]))


def _is_share(rate: Mapping[str, Any]) -> bool:
    return rate.get("unit") != "points"


def primary(summary: Mapping[str, Any], headings: Mapping[str, str], comparison: Comparison | None) -> Drawing:
    """Every model's primary figure with its interval, the best first."""
    metric = summary["primary"]
    rates = [(number, model, model["metrics"][metric]) for number, model in _models(summary)]
    standings = {in_line(each.label): each for each in comparison.primary.standings} if comparison and comparison.metrics else {}
    higher = comparison.primary.higher_is_better if comparison and comparison.metrics else True
    rates.sort(key=lambda each: (each[2]["value"] is None, (-1 if higher else 1) * (each[2]["value"] or 0.0)))
    bars = []
    for number, model, rate in rates:
        letters = standings[model["label"]].letters if model["label"] in standings else ""
        bounds = (rate["worst"], rate["best"]) if rate.get("worst") is not None and rate["n"] != rate["total"] else None
        leads = bounds is not None and bounds_lead(model, rate)
        words = f"{bounds[0]:.1f}–{bounds[1]:.1f}" if bounds and leads else percent(rate)
        more = f"{share(rate)}  {letters}".strip() if rate.get("k") is not None else letters
        bars.append(Bar(model["label"], rate["value"], rate["low"], rate["high"], words, more, number, bounds))
    shares = all(_is_share(rate) for _, _, rate in rates)
    axis = f"{headings[metric].lower()}, {'percent' if shares else 'points'}"
    note = "Lines are 95% intervals." + (
        " Dotted: what the undecided could make of it; where they are many, that stands in the place of the figure."
        if any(bar.bounds for bar in bars)
        else ""
    )
    note += " Models that share a letter were not told apart." if any(each.letters for each in standings.values()) else ""
    return figures.intervals(headings[metric], bars, axis=axis, percent=shares, note=note)


def headline_crosses(summary: Mapping[str, Any], headings: Mapping[str, str]) -> Drawing | None:
    """Safe against effective, or safety against over-refusal, or the two headline metrics; None where there are not two."""
    available = set(summary["models"][0]["metrics"]) if summary["models"] else set()
    chosen = next((axes for names, axes in _AXES.items() if names <= available), None)
    if chosen is None and len(summary["headline"]) >= 2:
        chosen = (summary["headline"][0], summary["headline"][1])
    if chosen is None:
        return None
    x, y = chosen
    points = []
    for number, model in _models(summary):
        one, other = model["metrics"][x], model["metrics"][y]
        if one["value"] is not None and other["value"] is not None:
            words = f"{headings[x].lower()} {_told(one)}, {headings[y].lower()} {_told(other)}"
            points.append(Point(model["label"], number, one["value"], other["value"], _ends(one), _ends(other), words))
    if not points:
        return None
    both = tuple(_is_share(summary["models"][0]["metrics"][name]) for name in chosen)
    title = f"{headings[x]} against {headings[y].lower()}"
    note = "Lower is better for over-refusal: the best place is at the lower right." if y == "refusal_rate" else ""
    return figures.crosses(
        title, points, x=_axis(headings[x], both[0]), y=_axis(headings[y], both[1]), percent=(both[0], both[1]), note=note
    )


def _axis(heading: str, is_share: bool) -> str:
    return f"{heading.lower()}, {'percent' if is_share else 'points'}"


def _told(rate: Mapping[str, Any]) -> str:
    spread = interval(rate)
    return percent(rate) + (f" ({spread})" if spread else "")


def _ends(rate: Mapping[str, Any]) -> tuple[float, float] | None:
    return None if rate["low"] is None else (float(rate["low"]), float(rate["high"]))


def pairs(comparison: Comparison) -> dict[str, Drawing]:
    """The differences between models, a figure for each metric that is tested."""
    return {metric.metric: _pairs(metric) for metric in comparison.metrics if metric.tested and metric.pairs}


def _pairs(metric: MetricComparison) -> Drawing:
    bars = []
    for pair in metric.pairs[:MOST_PAIRS]:
        found = pair.difference
        words = "–" if found.value is None else f"{found.value:+z.{pair.places}f}".replace("-", "−")
        p = "" if pair.p_adjusted is None else f"p {probability(pair.p_adjusted)}"
        bars.append(Bar((in_line(pair.a), in_line(pair.b)), found.value, found.low, found.high, words, p))
    left = len(metric.pairs) - len(bars)
    note = f"{left} more pairs stand in the table." if left > 0 else ""
    heading = in_line(metric.heading)
    return figures.intervals(f"Differences: {heading.lower()}", bars, axis="difference, points", zero=True, note=note)


def outcomes(summary: Mapping[str, Any]) -> Drawing:
    """What became of the answers."""
    rows = []
    for model in summary["models"]:
        parts = [(name, f"o-{name}", int(model["outcomes"][name])) for name in _OUTCOMES]
        asked = int((model.get("answers") or {}).get("asked") or 0)
        pending = max(0, asked - sum(count for _, _, count in parts))
        rows.append((str(model["label"]), [*parts, ("pending", "o-pending", pending)]))
    return figures.stacked("Outcomes of the answers", rows)


def costs(summary: Mapping[str, Any], headings: Mapping[str, str]) -> Drawing | None:
    """What a model's results cost, answers and verdicts, against its primary figure; None where no price is known."""
    metric = summary["primary"]
    points = []
    for number, model in _models(summary):
        rate, usd = model["metrics"][metric], model["cost_usd"]
        if rate["value"] is not None and usd is not None:
            words = f"{money(usd)}, {headings[metric].lower()} {_told(rate)}"
            points.append(Point(model["label"], number, float(usd), rate["value"], None, _ends(rate), words))
    if not points or not any(point.x for point in points):
        return None
    left = len(summary["models"]) - len(points)
    note = f"{left} models without a known price are not shown." if left else ""
    is_share = _is_share(summary["models"][0]["metrics"][metric])
    y = _axis(headings[metric], is_share)
    return figures.crosses(
        "Cost against score", points, x="cost of answers and verdicts, USD", y=y, percent=(False, is_share), note=note
    )


def latency(run: Gathered) -> Drawing | None:
    """How long the calls that gave answers took; None where nobody knows."""
    rows: Sequence[Spread] = [
        Spread(in_line(label), number, quantiles(found), len(found))  # type: ignore[arg-type]
        for number, label in enumerate(run.labels)
        if (found := latencies(run, label))
    ]
    return figures.spreads("Latency of the answers", rows, axis="seconds, logarithmic", note=_LATENCY_NOTE) if rows else None
