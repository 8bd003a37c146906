"""A table as rows of plain text, with what a screen may do about its width and colours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len

GAP = 2
"""Columns of the screen between two columns of a table."""
EDGES = 2
_NARROWEST = 14
"""What words may be folded to before a table is taken apart."""


_JOINTS = re.compile(r"(?<=[-/_:@\s])(?=\S)")


@dataclass(frozen=True, slots=True)
class Grid:
    """One table."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    breakdown: bool = False
    """Whether a terminal may leave it out where it is long."""
    drop: tuple[int, ...] = ()
    """By column, when a narrow screen leaves it out: the greatest number first, 0 never; empty: none is left out."""
    drawn: int | None = None
    """The column that is a drawing, which pages have no use for."""
    strong: int | None = None
    """The column that a reader should look at first."""
    heat: tuple[tuple[float | None, ...], ...] = ()
    """By row and column: how good a cell is, from 0 to 1; None for what has no colour; empty: no table of colours."""

    dim: tuple[bool, ...] = ()
    """By row, whether it is of little interest."""
    flush: frozenset[int] = frozenset()
    """Columns of words, which begin at the left as the first one does."""

    def without(self, column: int) -> Grid:
        """The same without one column."""
        return self.of([each for each in range(len(self.headings)) if each != column])

    def of(self, columns: Sequence[int]) -> Grid:
        """The same with some of its columns, in this order."""

        def place(old: int | None) -> int | None:
            return columns.index(old) if old in columns else None

        return replace(
            self,
            headings=tuple(self.headings[each] for each in columns),
            rows=tuple(tuple(row[each] for each in columns) for row in self.rows),
            drop=tuple(self.drop[each] for each in columns) if self.drop else (),
            heat=tuple(tuple(row[each] for each in columns) for row in self.heat),
            drawn=place(self.drawn),
            strong=place(self.strong),
            flush=frozenset(new for new, old in enumerate(columns) if old in self.flush),
        )


@dataclass(frozen=True, slots=True)
class Fitted:
    """A table as a screen can show it."""

    grids: tuple[Grid, ...]
    """One below the other, each with the first column; a single one where all fits."""
    widths: tuple[tuple[int, ...], ...]
    """Of the columns, by grid."""
    left_out: tuple[str, ...]
    """Headings of the columns that are not shown, the most important first."""


def fitted(grid: Grid, width: int) -> Fitted:
    """`grid` within `width`: first without columns that may go, then with folded names, then taken apart."""
    left_out: list[str] = []
    while _total(_tight(grid)) > width and max(grid.drop, default=0):
        least = grid.drop.index(max(grid.drop))
        if least != grid.drawn:
            left_out.insert(0, " ".join(grid.headings[least].split()))
        grid = grid.without(least)
    tight = _folded(_tight(grid), {0, *grid.flush}, width)
    parts = _apart(tight, width)
    grids, widths = [], []
    for part in parts:
        chosen = grid.of(part)
        narrow = tuple(tight[column] for column in part)
        wide = (narrow[0], *(max(a, b) for a, b in zip(narrow[1:], _wide(chosen)[1:], strict=True)))
        grids.append(chosen)
        widths.append(wide if _total(wide) <= width else narrow)
    return Fitted(tuple(grids), tuple(widths), tuple(left_out))


def _folded(widths: Sequence[int], columns: set[int], width: int) -> tuple[int, ...]:
    """`widths` within `width` if that can be had by folding columns of words, the widest first."""
    found = list(widths)
    while (over := _total(found) - width) > 0:
        widest = max(columns, key=found.__getitem__)
        if found[widest] <= _NARROWEST:
            break
        next_widest = max((found[each] for each in columns if each != widest), default=_NARROWEST)
        found[widest] = max(_NARROWEST, min(found[widest] - 1, next_widest), found[widest] - over)
    return tuple(found)


def _apart(widths: Sequence[int], width: int) -> list[list[int]]:
    """Columns by table: as many as there is room for, and at least one beside the first."""
    parts, part = [], [0]
    for column in range(1, len(widths)):
        if len(part) > 1 and _total([widths[each] for each in (*part, column)]) > width:
            parts.append(part)
            part = [0]
        part.append(column)
    return [*parts, part]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1) + EDGES


def _tight(grid: Grid) -> tuple[int, ...]:
    """The least width of each column that breaks no word of its heading and no line of its cells."""
    return tuple(
        max(_lines(grid, number), max((cell_len(word.rstrip()) for word in _words(heading)), default=0))
        for number, heading in enumerate(grid.headings)
    )


def folded(text: str, width: int) -> str:
    """`text` on lines of at most `width`, broken where a name has a joint; a longer piece is left as it is."""
    return "\n".join(_packed(line, width) for line in text.split("\n"))


def _packed(line: str, width: int) -> str:
    if cell_len(line) <= width:
        return line
    lines = [""]
    for word in _words(line):
        if cell_len((lines[-1] + word).rstrip()) > width and lines[-1]:
            lines.append("")
        lines[-1] += word
    return "\n".join(each.rstrip() for each in lines)


def _words(text: str) -> list[str]:
    """Pieces that names and headings may be broken into."""
    return [piece for piece in _JOINTS.split(text) if piece]


def _wide(grid: Grid) -> tuple[int, ...]:
    return tuple(
        max(_lines(grid, number), *(cell_len(line) for line in heading.split("\n"))) for number, heading in enumerate(grid.headings)
    )


def _lines(grid: Grid, column: int) -> int:
    return max((cell_len(line) for row in grid.rows for line in row[column].split("\n")), default=0)
