"""Figures with their targets, as plain text and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

NOTHING = ""


@dataclass(frozen=True, slots=True)
class Target:
    """A bound that a figure is held to."""

    bound: float
    unit: str = ""
    at_least: bool = False
    """Else at most."""

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}{self.unit}"

    def met(self, value: float) -> bool:
        """Whether `value` keeps it."""
        return value >= self.bound if self.at_least else value <= self.bound

    def verdict(self, value: float) -> str:
        """The target and `met` or `NOT met`."""
        return f"{self} {'met' if self.met(value) else 'NOT met'}"


@dataclass(frozen=True, slots=True)
class Table:
    """One row of the bench, as it is printed."""

    title: str
    head: tuple[str, ...]
    """The first column is text, the others are figures."""
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """For a terminal."""
        cells = [self.head, *self.rows]
        widths = [max(len(row[column]) for row in cells) for column in range(len(self.head))]
        lines = ["  ".join(_padded(row, widths)).rstrip() for row in cells]
        return "\n".join([self.title, *lines, *(f"  {note}" for note in self.notes)])

    def markdown(self) -> str:
        """For `docs/performance.md`."""
        lines = [self.head, ("---", *("--:" for _ in self.head[1:])), *self.rows]
        table = "\n".join(f"| {' | '.join(row)} |" for row in lines)
        return "\n\n".join([f"**{self.title}**", table, *self.notes])


def _padded(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median of `values`, and in parentheses the lowest and the highest."""
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def megabytes(count: float) -> str:
    """Bytes as MB."""
    return f"{count / 1e6:.1f} MB"
