"""From a dossier to what the templates show: rows of plain text, figures, and nothing left to be worked out in a template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from siuo_async.analysis.comparison import Comparison, Estimate, MetricComparison, Pair
from siuo_async.benchmarks.counting import without_verdict
from siuo_async.report.dossier import Dossier
from siuo_async.report.grid import Grid
from siuo_async.report.grids import grids, probability
from siuo_async.report.leaderboard import leaderboard
from siuo_async.report.page import charts
from siuo_async.report.page.facts import Sent, sent
from siuo_async.report.page.figures import Drawing
from siuo_async.report.page.words import stage_words
from siuo_async.report.sentences import judge_health
from siuo_async.report.text import harmless, in_line, share_of, tame

_JUDGE_STATES = ("verdicts", "unreadable", "declined", "filtered", "failed", "re_asked")
_PLACES = MappingProxyType({"Outcomes of the answers": "outcomes", "Tokens and cost": "cost", "Counted apart": "apart"})
"""Tables that stand beside a figure; all others stand below the outcomes."""
_MARKS = ("SIMULATED", "IMPORTED", "PARTIAL")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a heat map."""

    words: str
    share: str
    """`3/3`, where there are counts."""
    level: int
    """From 0 for bad to 10 for good; -1 for no colour."""
    tip: str


@dataclass(frozen=True, slots=True)
class Heat:
    """Categories by models."""

    title: str
    labels: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    first: bool


@dataclass(frozen=True, slots=True)
class View:
    """All that the page says, but for the samples."""

    title: str
    run: str
    protocol_line: str
    marks: tuple[str, ...]
    sentences: tuple[str, ...]
    primary: Drawing | None
    crosses: Drawing | None
    metrics: tuple[MetricComparison, ...]
    pairs: Mapping[str, Drawing]
    """By metric."""
    heats: tuple[Heat, ...]
    outcomes: Drawing
    costs: Drawing | None
    latency: Drawing | None
    overall: Grid | None
    tables: Mapping[str, Grid]
    """By `_PLACES`, where they are there."""
    more_tables: tuple[Grid, ...]
    judge: Grid | None
    judge_words: tuple[str, ...]
    agreement: Grid | None
    sent: tuple[Sent, ...]
    warnings: tuple[str, ...]
    not_in_interval: tuple[str, ...]
    method: str
    methods: str
    simulated: bool


def view(dossier: Dossier) -> View:
    """Works out what the page shows."""
    run, comparison = dossier.run, dossier.comparison
    summary: Mapping[str, Any] = tame(dict(run.summary))
    headings = {name: in_line(words) for name, words in run.plan.benchmark.metrics.items()}
    shown_here = leaderboard(summary, headings, comparison) if summary["scored"] and summary["models"] else None
    rest = [grid for grid in grids(summary, headings) if not grid.heat and (shown_here is None or grid.title != shown_here.title)]
    tables = {_PLACES[grid.title]: grid for grid in rest if grid.title in _PLACES}
    more = tuple(grid for grid in rest if grid.title not in _PLACES)
    line = str(summary["protocol_line"])
    primary = summary["primary"]
    return View(
        title=f"{summary['benchmark']} · {', '.join(str(model['label']) for model in summary['models'][:3])}",
        run=in_line(run.directory.path.name),
        protocol_line=line,
        marks=tuple(word for word in line.split(" · ") if word in _MARKS or word.endswith("LEFT OUT")),
        sentences=tuple(in_line(each) for each in comparison.primary.sentences) if comparison and comparison.metrics else (),
        primary=charts.primary(summary, headings, comparison) if summary["scored"] else None,
        crosses=charts.headline_crosses(summary, headings) if summary["scored"] else None,
        metrics=comparison.metrics if comparison else (),
        pairs=charts.pairs(comparison) if comparison else {},
        heats=tuple(_heats(summary, headings[primary], higher=_higher(comparison))) if summary["scored"] else (),
        outcomes=charts.outcomes(summary),
        costs=charts.costs(summary, headings) if summary["scored"] else None,
        latency=charts.latency(run),
        overall=shown_here.without(shown_here.drawn) if shown_here and shown_here.drawn is not None else shown_here,
        tables=tables,
        more_tables=more,
        judge=_judge(summary),
        judge_words=tuple(in_line(each) for each in judge_health(summary, dossier.agreements)) or (_unjudged(summary),),
        agreement=_agreement(dossier),
        sent=tuple(sent(run)),
        warnings=tuple(in_line(each) for each in dossier.warnings),
        not_in_interval=tuple(in_line(each) for each in comparison.not_in_interval) if comparison else (),
        method=in_line(comparison.method) if comparison else "",
        methods=harmless(dossier.methods),
        simulated=bool(summary["simulated"]),
    )


def _higher(comparison: Comparison | None) -> bool:
    return comparison.primary.higher_is_better if comparison and comparison.metrics else True


def _heats(summary: Mapping[str, Any], heading: str, *, higher: bool) -> list[Heat]:
    models, primary = summary["models"], summary["primary"]
    labels = tuple(str(model["label"]) for model in models)
    dimensions = {"category": [model["categories"] for model in models]}
    for title in models[0].get("breakdowns") or {} if models else {}:
        dimensions[title] = [model["breakdowns"][title] for model in models]
    return [
        Heat(
            f"{heading} by {title}",
            labels,
            tuple((name, tuple(_cell(groups.get(name), primary, higher=higher) for groups in per_model)) for name in per_model[0]),
            first=number == 0,
        )
        for number, (title, per_model) in enumerate(dimensions.items())
        if per_model and per_model[0]
    ]


def _cell(group: Mapping[str, Any] | None, metric: str, *, higher: bool) -> Cell:
    """Its colour is the middle of the interval, which few samples draw towards one half: a cell of three is no strong colour."""
    rate = group["metrics"].get(metric) if group else None
    if not rate or rate["value"] is None:
        return Cell("–", "", -1, "not measured" if rate is None else "nothing decided")
    points = rate.get("unit") == "points"
    counted = rate.get("k") is not None and not points
    words = f"{rate['value']:.2f}" if points else f"{rate['value']:.1f}"
    share = f"{rate['k']}/{rate['n']}" if counted else f"n={rate['n']}" if rate.get("n") is not None else ""
    spread = "" if rate["low"] is None else f", 95% interval {rate['low']:.1f}–{rate['high']:.1f}"
    level = -1
    if not points and rate["low"] is not None:
        middle = (rate["low"] + rate["high"]) / 20
        level = round(middle if higher else 10 - middle)
    return Cell(words, share, level, f"{share_of(rate)}{spread}")


def _judge(summary: Mapping[str, Any]) -> Grid | None:
    judged = [(model["label"], model["judge"]) for model in summary["models"] if model.get("judge")]
    if not judged:
        return None
    names = [name for name in _JUDGE_STATES if any(name in judge for _, judge in judged)]
    names += ["stood_in"] if any(judge.get("stood_in") for _, judge in judged) else []
    rows = []
    for label, judge in judged:
        missing = without_verdict(judge)
        share = f"{100 * missing / judge['verdicts']:.1f}" if judge.get("verdicts") else "–"
        rows.append((str(label), *(str(judge.get(name, 0)) for name in names), share))
    headings = tuple(name.replace("_", "-").capitalize() for name in names)
    return Grid("Verdicts", ("Model", *headings, "Missing, %"), tuple(rows))


def _unjudged(summary: Mapping[str, Any]) -> str:
    return f"judge {summary['judge']}: no verdict yet" if summary["judge"] else "No judge was asked."


def _agreement(dossier: Dossier) -> Grid | None:
    if not dossier.agreements:
        return None
    rows = tuple(
        (
            in_line(stage_words(each.stage)),
            in_line(each.role),
            in_line(each.model) or "all models",
            in_line(f"{each.a} / {each.b}"),
            f"{each.agree}/{each.n}",
            _estimate(each.percent, 1),
            _estimate(each.alpha, 2),
            f"{each.a_only} / {each.b_only}",
        )
        for each in dossier.agreements
    )
    headings = ("What", "Second", "Answers of", "Judges a / b", "Agree", "Percent", "Krippendorff's α", "Only a / only b said 1")
    return Grid("Agreement", headings, rows, "in brackets 95% intervals by resampling samples")


def _estimate(estimate: Estimate, places: int) -> str:
    if estimate.value is None:
        return "–"
    spread = "" if estimate.low is None or estimate.high is None else f" [{estimate.low:.{places}f}, {estimate.high:.{places}f}]"
    return f"{estimate.value:.{places}f}{spread}"


def pair_rows(metric: MetricComparison) -> Sequence[tuple[str, ...]]:
    """The pairs of a metric: models, difference, interval, p, p after Holm, samples, the smallest difference that can be seen."""
    return [
        (
            in_line(f"{pair.a} − {pair.b}"),
            _signed(pair.difference.value, pair.places),
            _between(pair),
            probability(pair.p),
            probability(pair.p_adjusted),
            str(pair.n),
            f"{pair.only_a} / {pair.only_b}",
            "–" if pair.smallest_visible is None else f"{pair.smallest_visible:.{pair.places}f}",
        )
        for pair in metric.pairs
    ]


def _between(pair: Pair) -> str:
    low, high = (_signed(each, pair.places) for each in (pair.difference.low, pair.difference.high))
    return "–" if pair.difference.low is None else f"{low} to {high}"


def _signed(value: float | None, places: int) -> str:
    """`+1.2`, `−0.3`; a dash where there is none."""
    return "–" if value is None else f"{value:+z.{places}f}".replace("-", "−")
