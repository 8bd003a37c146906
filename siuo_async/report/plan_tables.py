"""A plan in tables that fit 80 columns: who is asked how much, for how many tokens and dollars, how long, and how to pay less."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from siuo_async.report.grid import Fitted, Grid, fitted
from siuo_async.report.render import bullets, draw
from siuo_async.report.text import count, duration


def plan_grids(plan: Mapping[str, Any]) -> list[Grid]:
    """The grids of one plan as `siuo plan --json` has it, ways to pay less aside."""
    found = [_asked(plan)]
    if any(group["seconds"] is not None for group in plan["time"]["groups"]):
        found.append(_times(plan["time"]))
    return found


def draw_ways(console: Console, ways: Sequence[Mapping[str, Any]]) -> None:
    """Prints the ways to pay less: as a table where it fits, else one below the other, so that what is to be typed stays whole."""
    grid = _ways(ways)
    if _is_whole(fitted(grid, console.width), grid):
        draw(console, grid)
        return
    console.print(Text(f"\n{grid.title}", style="bold"))
    told = (f"{flag}  saves {saves}, costs {then} then; {lost}" for flag, saves, then, lost in grid.rows)
    bullets(console, told)


def _is_whole(shown: Fitted, grid: Grid) -> bool:
    """Whether no cell is folded and no column taken apart."""
    widths = shown.widths[0]
    return len(shown.grids) == 1 and all(len(row[each]) <= width for row in grid.rows for each, width in enumerate(widths))


def usd(value: float) -> str:
    """`$0.0012`, `$1.23`, `$1,234`: as many places as help."""
    if value and value < 0.1:
        return f"${value:.4f}"
    return f"${value:,.2f}" if value < 1000 else f"${value:,.0f}"


def usd_range(cost: Mapping[str, float] | None) -> str:
    """`$1.23 (0.90–2.10)`; `unknown` where a price is."""
    if cost is None:
        return "unknown"
    if not cost["high"]:
        return "$0"
    low, high = (usd(cost[side]).removeprefix("$") for side in ("low", "high"))
    return f"{usd(cost['expected'])} ({low}–{high})"


def _asked(plan: Mapping[str, Any]) -> Grid:
    """One row for each model, one for each judge over all models, and the sum."""
    rows = [_row(row["label"] + ("" if row["role"] == "model" else f" ({row['role']})"), row) for row in plan["asked"]]
    if len(rows) > 1:
        rows.append(_row("together", plan["total"]))
    return Grid("What it takes", ("Asked", "Calls", "In", "of pictures", "Out", "USD"), tuple(rows))


def _row(name: str, row: Mapping[str, Any]) -> tuple[str, ...]:
    tokens = row["tokens"]
    pictures, text = tokens["pictures"]["expected"], tokens["text"]["expected"]
    return (
        _cut(name, 26),
        f"{row['calls']}",
        count(text + pictures),
        count(pictures) if pictures else "–",
        count(tokens["output"]["expected"]),
        usd_range(row["cost_usd"]),
    )


def _times(time: Mapping[str, Any]) -> Grid:
    rows = [
        (
            _cut(group["name"], 34),
            "–" if group["rpm"] is None else count(round(group["rpm"])),
            "–" if group["tpm"] is None else count(round(group["tpm"])),
            "–" if group["at_once"] is None else f"{group['at_once']:g}",
            "unknown" if group["seconds"] is None else duration(group["seconds"]),
        )
        for group in time["groups"]
    ]
    return Grid("At the limits that are known", ("Limits of", "calls/min", "tokens/min", "at once", "Takes"), tuple(rows))


def _ways(ways: Sequence[Mapping[str, Any]]) -> Grid:
    rows = [(way["flag"], usd(way["saves_usd"]), usd(way["cost_usd"]), way["precision"]) for way in ways]
    return Grid("To pay less", ("Type", "Saves", "Costs then", "What is lost"), tuple(rows))


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
