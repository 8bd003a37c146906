"""A run as tables for a paper: LaTeX with `booktabs`, to be read in with `\\input`.

A table begins with its protocol line, in a comment and in its caption, so that it cannot be parted from what it measures. Wide or long
ones are taken apart, since what runs off a page is read by nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from siuo_async.analysis.comparison import Comparison, MetricComparison, Pair, Standing
from siuo_async.benchmarks.counting import MOST_UNDECIDED
from siuo_async.report.latex_text import PREAMBLE, escaped, in_comment
from siuo_async.report.leaderboard import bounds_lead, ranked
from siuo_async.report.text import interval, money, not_measured, percent, share

_MOST_ROWS = 40
"""Of one table: what fits on a page."""
_MOST_MODELS = 4
"""Side by side."""


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A table whose cells are LaTeX already."""

    label: str
    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def leaderboard(summary: Mapping[str, Any], metrics: Mapping[str, str], comparison: Comparison | None) -> str:
    """Models by the primary metric, with all the metrics that are shown beside it."""
    models = ranked(summary, comparison)
    standings = {each.label: each for each in comparison.primary.standings} if comparison else {}
    lettered = any(each.letters for each in standings.values()) and len(models) > 1
    headings = ["Model", *map(escaped, metrics.values()), *(["Group"] if lettered else []), "Cost (USD)"]
    rows = []
    for model in models:
        figures = [_cell(model, model["metrics"][metric]) for metric in metrics]
        letters = [_letters(standings.get(model["label"]))] if lettered else []
        rows.append((escaped(model["label"]), *figures, *letters, escaped(money(model["cost_usd"]).removeprefix("$"))))
    notes = [summary["note"].replace("below it", "in brackets"), *_undecided(models, metrics, summary["headline"]), *_baselines(models)]
    if any(bounds_lead(model, model["metrics"][metric]) for model in models for metric in metrics):
        share_of_undecided = f"More than {MOST_UNDECIDED:g}% are undecided where a range stands in bold"
        notes.append(
            f"{share_of_undecided}: it is what they leave of the figure, all counted as 0 or all as 1; behind it the decided alone."
        )
    notes += ["Models that share a letter were not told apart."] if lettered else []
    caption = f"Results on {summary['benchmark']}, in percent with 95% intervals."
    return _file(summary, [_Sheet("leaderboard", caption, tuple(headings), tuple(rows), tuple(notes))])


def categories(summary: Mapping[str, Any], metrics: Mapping[str, str], comparison: Comparison | None) -> str:
    """The primary metric by category, and by whatever else the benchmark tells apart."""
    models = ranked(summary, comparison)
    return _file(summary, [sheet for sheet in _breakdowns(summary, metrics, models) if sheet.rows])


def pairs(summary: Mapping[str, Any], comparison: Comparison | None) -> str:
    """Every tested difference between two models."""
    tested = [found for found in comparison.metrics if found.tested and found.pairs] if comparison else []
    return _file(summary, [_pairs(found) for found in tested])


def _pairs(found: MetricComparison) -> _Sheet:
    headings = ("Models", "Difference", "95\\% interval", "$n$", "Only first", "Only second", "$p$", "$p$ (Holm)")
    unit = "points of the scale" if any(pair.on_scale for pair in found.pairs) else "percentage points"
    notes = [f"Differences in {unit}, first minus second, on the samples that both decided.", *found.sentences[:3]]
    caption = f"Paired comparisons in {found.heading.lower()}."
    return _Sheet(f"pairs-{found.metric}", caption, headings, tuple(map(_pair, found.pairs)), tuple(notes))


def _pair(pair: Pair) -> tuple[str, ...]:
    each, p = pair.difference, (_p(pair.p), _p(pair.p_adjusted))
    between = "--" if each.low is None or each.high is None else f"${each.low:+z.{pair.places}f}$ to ${each.high:+z.{pair.places}f}$"
    value = "--" if each.value is None else f"${each.value:+z.{pair.places}f}$"
    return f"{escaped(pair.a)} / {escaped(pair.b)}", value, between, str(pair.n), str(pair.only_a), str(pair.only_b), *p


def _p(value: float | None) -> str:
    if value is None:
        return "--"
    return "$<$0.0001" if value < 0.0001 else f"{value:.4f}"


def _breakdowns(summary: Mapping[str, Any], metrics: Mapping[str, str], models: Sequence[Mapping[str, Any]]) -> Iterator[_Sheet]:
    primary = summary["primary"]
    titles = ["category", *(models[0].get("breakdowns") or {})] if models else []
    for title in titles:
        groups = [model["categories"] if title == "category" else model["breakdowns"][title] for model in models]
        for start in range(0, len(models), _MOST_MODELS):
            chosen = slice(start, start + _MOST_MODELS)
            rows = tuple((escaped(name), *(_in_group(each.get(name), primary) for each in groups[chosen])) for name in groups[0])
            labels = tuple(escaped(model["label"]) for model in models[chosen])
            caption = f"{metrics[primary]} by {title}, in percent with 95% intervals."
            yield _Sheet(f"by-{title}-{start}", caption, (escaped(title[:1].upper() + title[1:]), *labels), rows)


def _in_group(group: Mapping[str, Any] | None, metric: str) -> str:
    rate = group["metrics"].get(metric) if group else None
    return _figure(rate) if rate else "--"


def _cell(model: Mapping[str, Any], rate: Mapping[str, Any]) -> str:
    """A figure, or what the undecided leave of it where they are too many: the bounds in bold, behind them the decided alone."""
    if not bounds_lead(model, rate):
        return _figure(rate)
    bounds = interval({**rate, "low": rate["worst"], "high": rate["best"]})
    return f"\\textbf{{{escaped(bounds)}}} {{\\footnotesize {escaped(percent(rate))}}} {{\\scriptsize({escaped(share(rate))})}}"


def _figure(rate: Mapping[str, Any]) -> str:
    """`53.3 [45.7, 60.7] (89/167)` in three sizes."""
    if not_measured(rate) or rate["value"] is None:
        return escaped(percent(rate))
    places = 2 if rate.get("unit") == "points" else 1
    spread = "" if rate["low"] is None else f" {{\\footnotesize[{rate['low']:.{places}f}, {rate['high']:.{places}f}]}}"
    counted = "" if rate.get("k") is None or rate.get("unit") == "points" else f" {{\\scriptsize({rate['k']}/{rate['n']})}}"
    return f"{rate['value']:.{places}f}{spread}{counted}"


def _letters(standing: Standing | None) -> str:
    return escaped(standing.letters) if standing else "--"


def _undecided(models: Sequence[Mapping[str, Any]], metrics: Mapping[str, str], headline: Sequence[str]) -> Iterator[str]:
    """How far the undecided could move a figure."""
    for name in headline:
        rates = [(model, model["metrics"][name]) for model in models if name in model["metrics"]]
        told = [
            f"{model['label']} {rate['worst']:.1f}–{rate['best']:.1f}"
            for model, rate in rates
            if _open(rate) and not bounds_lead(model, rate)
        ]
        if told:
            yield f"If the undecided all went one way or the other, {metrics[name].lower()}: {', '.join(told)}."


def _open(rate: Mapping[str, Any]) -> bool:
    return rate.get("worst") is not None and rate.get("n") != rate.get("total")


def _baselines(models: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if models and (found := models[0].get("baselines")):
        yield "For comparison: " + ", ".join(f"{words} {value:.1f}" for words, value in found.items() if value is not None) + "."


def _file(summary: Mapping[str, Any], sheets: Sequence[_Sheet]) -> str:
    line = summary["protocol_line"]
    lines = [in_comment(line), "% Needs \\usepackage{booktabs}.", PREAMBLE]
    for sheet in sheets:
        parts = [sheet.rows[start : start + _MOST_ROWS] for start in range(0, len(sheet.rows), _MOST_ROWS)]
        for number, rows in enumerate(parts):
            lines += _table(sheet, rows, summary, number)
    return "\n".join(lines) + "\n"


def _table(sheet: _Sheet, rows: Sequence[tuple[str, ...]], summary: Mapping[str, Any], number: int) -> Iterator[str]:
    made_up = "\\textbf{SIMULATED: no figure says anything about a real model.} " if summary["simulated"] else ""
    continued = " (continued)" if number else ""
    name = "".join(char if char.isascii() and char.isalnum() else "-" for char in f"{summary['benchmark']}-{sheet.label}")
    yield ""
    yield "\\begin{table}[t]"
    yield "\\centering\\small"
    yield f"\\caption{{{made_up}{escaped(sheet.caption)}{continued} {{\\footnotesize {escaped(summary['protocol_line'])}.}}}}"
    yield f"\\label{{tab:{name}{f'-{number + 1}' if number else ''}}}"
    yield f"\\begin{{tabular}}{{@{{}}l{'r' * (len(sheet.headings) - 1)}@{{}}}}"
    yield "\\toprule"
    yield " & ".join(sheet.headings) + " \\\\"
    yield "\\midrule"
    yield from (" & ".join(row) + " \\\\" for row in rows)
    yield "\\bottomrule"
    yield "\\end{tabular}"
    for note in sheet.notes:
        yield from (f"\\par\\vspace{{2pt}}{{\\footnotesize {escaped(line)}}}" for line in note.split("\n") if line.strip())
    yield "\\end{table}"
