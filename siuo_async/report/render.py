"""Draws grids: in the terminal with Rich, as Markdown for a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from siuo_async.report.grids import Grid, grids
from siuo_async.report.text import harmless, in_line, tame

MOST_ROWS = 30
"""Of a breakdown in the terminal; what is longer is no table to look at."""


def to_terminal(
    console: Console,
    summary: Mapping[str, Any],
    metrics: Mapping[str, str],
    warnings: Iterable[str],
    beside: Sequence[Grid] = (),
) -> None:
    """Prints a summary: protocol line, tables, what is shown beside them, warnings. Text from elsewhere is never read as markup."""
    summary, metrics = tame(summary), tame(metrics)
    style = "bold yellow" if summary["simulated"] or not summary["complete"] else "bold"
    console.print(Text(summary["protocol_line"], style=style))
    for grid in (*grids(summary, metrics), *beside):
        console.print()
        if grid.breakdown and len(grid.rows) > MOST_ROWS:
            longer = f"{in_line(grid.title)}: {len(grid.rows)} rows, shown by `siuo report --format markdown`"
            console.print(Text(longer, style="dim"))
            continue
        draw(console, grid)
    for warning in warnings:
        console.print(Text("! " + in_line(warning), style="yellow"))


def draw(console: Console, grid: Grid) -> None:
    """Prints one grid with its note."""
    console.print(_table(grid))
    if grid.note:
        console.print(Text(harmless(grid.note), style="dim"))


def _table(grid: Grid) -> Table:
    title = Text(in_line(grid.title), style="bold")
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for number, heading in enumerate(grid.headings):
        table.add_column(Text(harmless(heading)), justify="left" if number == 0 else "right", overflow="fold", no_wrap=number == 0)
    for row in grid.rows:
        table.add_row(*(Text(harmless(cell)) for cell in row))
    return table


def to_markdown(summary: Mapping[str, Any], metrics: Mapping[str, str], warnings: Iterable[str], beside: Sequence[Grid] = ()) -> str:
    """The same as GitHub Markdown, in which nothing from elsewhere is a link, a picture, a mention, HTML or a cell of its own."""
    summary, metrics = tame(summary), tame(metrics)
    blocks = [f"**{_escaped(summary['protocol_line'])}**"]
    for grid in (*grids(summary, metrics), *beside):
        head = "| " + " | ".join(map(_escaped, grid.headings)) + " |"
        rule = "|" + "|".join([" --- "] + [" ---: "] * (len(grid.headings) - 1)) + "|"
        body = ["| " + " | ".join(map(_escaped, row)) + " |" for row in grid.rows]
        note = ["", _escaped(grid.note)] if grid.note else []
        blocks.append("\n".join([f"### {_escaped(in_line(grid.title))}", "", head, rule, *body, *note]))
    blocks += [f"> {_escaped(in_line(warning))}" for warning in warnings]
    return "\n\n".join(blocks) + "\n"


_LIVE = re.compile(r"(?<=:)(?=//)|(?<=\bwww)(?=\.)|(?<=@)(?=\w)|(?<=\bmailto)(?=:)|(?<=\bxmpp)(?=:)", re.IGNORECASE)
"""Where an address begins to be one: pages make links of bare ones, and mentions of names behind an @, whatever is escaped."""
_JOINER = "\u2060"


def _escaped(text: str) -> str:
    safe = _LIVE.sub(_JOINER, harmless(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mark in "\\`*_[]|#~$":
        safe = safe.replace(mark, "\\" + mark)
    return safe.replace("\n", "<br>")
