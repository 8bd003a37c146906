"""Draws a report: in the terminal with Rich, as Markdown for a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from siuo_async.analysis.agreement import Agreement
from siuo_async.analysis.comparison import Comparison
from siuo_async.report.grid import Grid, fitted, folded
from siuo_async.report.grids import grids
from siuo_async.report.heat import colour
from siuo_async.report.sentences import NOT_IN_INTERVAL, first_sentences, last_sentences
from siuo_async.report.text import harmless, in_line, tame

MOST_ROWS = 30
"""Of a breakdown in the terminal; what is longer is no table to look at."""
_PLAINER = str.maketrans(
    {
        "–": "-",
        "−": "-",
        "→": ">",
        "·": "|",
        "─": "-",
        "├": "|",
        "┤": "|",
        "┄": ".",
        "●": "o",
        "▸": ">",
        "≈": "~",
        "…": "...",
        "•": "*",
        "×": "x",
    }
)
"""For terminals that know no more than ASCII."""


def to_terminal(
    console: Console,
    summary: Mapping[str, Any],
    metrics: Mapping[str, str],
    warnings: Iterable[str],
    beside: Sequence[Grid] = (),
    *,
    comparison: Comparison | None = None,
    agreements: Sequence[Agreement] = (),
) -> None:
    """Prints a summary: protocol line, tables, what is shown beside them, warnings. Text from elsewhere is never read as markup."""
    summary, metrics = tame(summary), tame(metrics)
    style = "bold yellow" if summary["simulated"] or not summary["complete"] else "bold"
    console.print(plain(console, summary["protocol_line"], style))
    head, *others = [*grids(summary, metrics, comparison), *beside]
    draw(console, head)
    console.print()
    bullets(console, first_sentences(summary, comparison, agreements))
    for grid in others:
        draw(console, grid)
    if limits := last_sentences(comparison):
        console.print()
        console.print(plain(console, NOT_IN_INTERVAL, "bold"))
        bullets(console, limits, style="dim")
    bullets(console, warnings, mark="!", style="yellow")


def draw(console: Console, grid: Grid) -> None:
    """Prints a table in the width that there is; what is too long or too wide is said, never folded into nonsense."""
    console.print()
    if grid.breakdown and len(grid.rows) > MOST_ROWS:
        longer = f"{in_line(grid.title)}: {len(grid.rows)} rows, shown by `siuo report --format markdown`"
        console.print(plain(console, longer, "dim"))
        return
    shown = fitted(grid, console.width)
    for number, (part, widths) in enumerate(zip(shown.grids, shown.widths, strict=True)):
        console.print(plain(console, in_line(grid.title) + (" (continued)" if number else ""), "bold"))
        if grid.rows:
            console.print(_table(console, part, widths))
    if grid.note:
        console.print(plain(console, grid.note, "dim"))
    if shown.left_out:
        told = f"not shown in {console.width} columns: {', '.join(shown.left_out)}; `--format markdown` has them"
        console.print(plain(console, told, "dim"))


def bullets(console: Console, sentences: Iterable[str], *, mark: str = "•", style: str = "") -> None:
    """Prints sentences, each with its second line below its first word."""
    for words in sentences:
        lines = Table.grid(padding=(0, 1))
        lines.add_row(plain(console, mark, style), plain(console, in_line(words), style))
        console.print(lines)


def plain(console: Console, text: str, style: str | Style = "") -> Text:
    """Harmless `text` as this terminal can show it."""
    safe = harmless(text)
    return Text(safe if console.encoding.startswith("utf") else safe.translate(_PLAINER), style=style)


def _table(console: Console, grid: Grid, widths: Sequence[int]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for number, (heading, width) in enumerate(zip(grid.headings, widths, strict=True)):
        side = "left" if number in (0, grid.drawn, *grid.flush) else "right"
        table.add_column(plain(console, folded(heading, width)), justify=side, overflow="fold", width=width)  # type: ignore[arg-type]
    for place, row in enumerate(grid.rows):
        cells = (folded(cell, width) for cell, width in zip(row, widths, strict=True))
        table.add_row(*(plain(console, cell, style) for cell, style in zip(cells, _styles(grid, place), strict=True)))
    return table


def _styles(grid: Grid, row: int) -> list[str | Style]:
    if grid.heat:
        return [colour(share) for share in grid.heat[row]]
    if grid.dim and grid.dim[row]:
        return ["dim"] * len(grid.headings)
    return ["bold" if number == grid.strong else "" for number in range(len(grid.headings))]


def to_markdown(
    summary: Mapping[str, Any],
    metrics: Mapping[str, str],
    warnings: Iterable[str],
    beside: Sequence[Grid] = (),
    *,
    comparison: Comparison | None = None,
    agreements: Sequence[Agreement] = (),
) -> str:
    """The same as GitHub Markdown, in which nothing from elsewhere is a link, a picture, a mention, HTML or a cell of its own."""
    summary, metrics = tame(summary), tame(metrics)
    head, *others = [*grids(summary, metrics, comparison), *beside]
    blocks = [f"**{escaped(summary['protocol_line'])}**", as_markdown(head)]
    blocks += listed(first_sentences(summary, comparison, agreements))
    blocks += map(as_markdown, others)
    if limits := last_sentences(comparison):
        blocks += [f"### {NOT_IN_INTERVAL}", *listed(limits)]
    blocks += [f"> {escaped(in_line(warning))}" for warning in warnings]
    return "\n\n".join(blocks) + "\n"


def listed(sentences: Sequence[str]) -> list[str]:
    """Sentences as one list of a page, or nothing."""
    return ["\n".join(f"- {escaped(in_line(words))}" for words in sentences)] if sentences else []


def as_markdown(grid: Grid) -> str:
    """A table of a page, with all its columns but the drawn one."""
    grid = grid if grid.drawn is None else grid.without(grid.drawn)
    head = "| " + " | ".join(map(escaped, grid.headings)) + " |"
    words = {0, *grid.flush}
    rule = "|" + "|".join(" --- " if number in words else " ---: " for number in range(len(grid.headings))) + "|"
    body = ["| " + " | ".join(map(escaped, row)) + " |" for row in grid.rows]
    note = ["", escaped(grid.note)] if grid.note else []
    return "\n".join([f"### {escaped(in_line(grid.title))}", "", head, rule, *body, *note])


_LIVE = re.compile(r"(?<=:)(?=//)|(?<=\bwww)(?=\.)|(?<=@)(?=\w)|(?<=\bmailto)(?=:)|(?<=\bxmpp)(?=:)", re.IGNORECASE)
"""Where an address begins to be one: pages make links of bare ones, and mentions of names behind an @, whatever is escaped."""
_JOINER = "\u2060"


def escaped(text: str) -> str:
    """`text` as a cell or a line of a page."""
    safe = _LIVE.sub(_JOINER, harmless(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mark in "\\`*_[]|#~$":
        safe = safe.replace(mark, "\\" + mark)
    return safe.replace("\n", "<br>")
