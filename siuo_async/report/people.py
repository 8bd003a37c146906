"""What people's labels say, as tables and sentences: corrected figures first, then where the judge errs, then whether people agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console

from siuo_async.analysis.agreement import Agreement
from siuo_async.analysis.comparison import Estimate
from siuo_async.analysis.confusion import MISSING, Confusion
from siuo_async.analysis.people import People, Rate
from siuo_async.report.grid import Grid
from siuo_async.report.render import as_markdown, bullets, draw, escaped, plain
from siuo_async.report.text import in_line
from siuo_async.values import Json

_DASH = "–"
_MOST_CLASSES = 3
"""That have a column each; of a scale the table of who says what tells."""
_MOST_SENTENCES = 6
"""Of models and figures, in the terminal."""


def people_to_terminal(console: Console, protocol_line: str, found: People, *, simulated: bool) -> None:
    """Prints all of it."""
    console.print(plain(console, in_line(protocol_line), "bold yellow" if simulated else "bold"))
    console.print(plain(console, in_line(_head(found))))
    for grid in _grids(found):
        draw(console, grid)
    console.print()
    bullets(console, _first(found))
    bullets(console, found.sentences, style="dim")


def people_to_markdown(protocol_line: str, found: People) -> str:
    """The same as Markdown."""
    blocks = [f"**{escaped(in_line(protocol_line))}**", escaped(in_line(_head(found)))]
    blocks += [as_markdown(grid) for grid in _grids(found)]
    blocks.append("\n".join(f"- {escaped(in_line(sentence))}" for sentence in (*_first(found, most=None), *found.sentences)))
    return "\n\n".join(blocks) + "\n"


def people_as_json(found: People) -> dict[str, Json]:
    """All of it, unrounded; figures in percent (or points), shares and errors too."""
    return _plain(asdict(found))  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _head(found: People) -> str:
    people = "1 person" if len(found.annotators) == 1 else f"{len(found.annotators)} people"
    return f"labels of {people} on {found.items} of the {found.drawn} answers drawn (draw {found.draw})"


def _grids(found: People) -> list[Grid]:
    metrics = dict.fromkeys((rate.metric, rate.heading) for rate in found.rates)
    stages = dict.fromkeys(each.stage for each in found.confusions)
    grids = [_rates([rate for rate in found.rates if rate.metric == metric], heading) for metric, heading in metrics]
    grids += [_judge([each for each in found.confusions if each.stage == stage]) for stage in stages]
    grids += [_table(each) for each in found.confusions if not each.model]
    return [*grids, *([_agreement(found.agreements)] if found.agreements else [])]


def _rates(rates: Sequence[Rate], heading: str) -> Grid:
    places = 1 if rates[0].unit == "percent" else 2
    rows = tuple(
        (
            rate.label,
            _figure(rate.corrected, places),
            _figure(rate.uncorrected, places),
            _figure(rate.labels_alone, places),
            f"{rate.labelled}/{rate.units}",
        )
        for rate in rates
    )
    columns = ("Model", "Corrected", "Judge alone", "Labels alone", "Labelled")
    return Grid(heading + (", percent" if places == 1 else ", points"), columns, rows, drop=(0, 0, 0, 2, 1), strong=1)


def _figure(estimate: Estimate, places: int = 1) -> str:
    if estimate.value is None:
        return _DASH
    spread = "" if estimate.low is None or estimate.high is None else f"\n{estimate.low:.{places}f}–{estimate.high:.{places}f}"
    return f"{estimate.value:.{places}f}{spread}"


def _judge(confusions: Sequence[Confusion]) -> Grid:
    """How often the judge is wrong, and of what people put into each class how much it finds; by model."""
    words = [each.word for each in confusions[0].found]
    words = words if len(words) <= _MOST_CLASSES else []
    rows = tuple(
        (
            each.model or "all models",
            str(each.labels),
            _figure(each.wrong),
            *(_figure(found.share) if found.labels else _DASH for found in each.found[: len(words)]),
        )
        for each in confusions
    )
    headings = ("Model", "Labels", "Wrong", *(f"Finds “{word}”" for word in words))
    note = "wrong: percent of verdicts that people do not share"
    if words:
        note += "; finds: of the answers that people put into a class, percent that the judge does too"
    if len(words) == 2:
        note += f" (sensitivity for “{words[0]}”, specificity)"
    return Grid(f"The judge against people, {confusions[0].stage}", headings, rows, note)


def _table(confusion: Confusion) -> Grid:
    judged = list(dict.fromkeys(word for cells in confusion.table.values() for word in cells))
    order = [word for word in confusion.table if word in judged] + [word for word in judged if word not in confusion.table]
    rows = tuple((f"people: {word}", *(f"{cells.get(each, 0.0):.1f}" for each in order)) for word, cells in confusion.table.items())
    headings = ("", *(each if each == MISSING else f"judge: {each}" for each in order))
    return Grid(f"Who says what, {confusion.stage}, percent of all answers", headings, rows)


def _agreement(agreements: Sequence[Agreement]) -> Grid:
    rows = tuple(
        (
            f"{each.a}, {each.b}" if each.b else each.a,
            each.stage,
            _figure(each.percent),
            _DASH if each.alpha.value is None else f"{each.alpha.value:.2f}" + _spread(each.alpha),
            f"{each.agree}/{each.n}",
        )
        for each in agreements
    )
    return Grid(
        "Whether people agree",
        ("Annotators", "Stage", "Percent", "Alpha", "Answers"),
        rows,
        "of the answers drawn, in which rare verdicts are more frequent than in the run; alpha: Krippendorff's, nominal; 1 is full "
        "agreement, 0 what chance gives; – where all labels are alike",
    )


def _spread(estimate: Estimate) -> str:
    return "" if estimate.low is None or estimate.high is None else f"\n{estimate.low:.2f}–{estimate.high:.2f}"


def _first(found: People, most: int | None = _MOST_SENTENCES) -> list[str]:
    """The primary figure of each model, then those where the judge lies outside."""
    primary = found.rates[0].metric if found.rates else ""
    first = [rate.sentence for rate in found.rates if rate.metric == primary]
    outside = [rate.sentence for rate in found.rates if rate.metric != primary and "outside" in rate.sentence]
    return [*first, *outside][:most]
