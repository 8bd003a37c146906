"""Many comparisons at once: p-values adjusted, and which models share a letter."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from string import ascii_lowercase


def holm(values: Sequence[float | None]) -> list[float | None]:
    """p-values adjusted over all that are tested, in their order; None stays None and is no test.

    Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979), 65-70.
    """
    tested = sorted((value, number) for number, value in enumerate(values) if value is not None)
    adjusted: list[float | None] = [None] * len(values)
    highest = 0.0
    for place, (value, number) in enumerate(tested):
        highest = max(highest, min(1.0, (len(tested) - place) * value))
        adjusted[number] = highest
    return adjusted


def letters(names: Sequence[str], differing: Collection[tuple[str, str]]) -> dict[str, str]:
    """A compact letter display: two names share a letter if and only if they are not among `differing`.

    Source: H.-P. Piepho, "An algorithm for a letter-based representation of all-pairwise comparisons", Journal of Computational
    and Graphical Statistics 13 (2004), 456-466 (insert and absorb).

    Args:
        names: in the order in which letters are given.
        differing: pairs, in any order.

    Returns:
        Name -> its letters; after z come aa, ab and so on, and letters of more than one character stand in brackets.
    """
    columns: list[frozenset[str]] = [frozenset(names)] if names else []
    for one, other in differing:
        split: list[frozenset[str]] = []
        for column in columns:
            split += [column - {one}, column - {other}] if {one, other} <= column else [column]
        columns = _absorbed(split)
    place = {name: number for number, name in enumerate(names)}
    columns.sort(key=lambda column: sorted(place[name] for name in column))
    return {name: "".join(_letter(number) for number, column in enumerate(columns) if name in column) for name in names}


def _absorbed(columns: Sequence[frozenset[str]]) -> list[frozenset[str]]:
    """Without those that another one holds whole."""
    distinct = list(dict.fromkeys(columns))
    return [column for column in distinct if not any(column < other for other in distinct)]


def _letter(number: int) -> str:
    if number < len(ascii_lowercase):
        return ascii_lowercase[number]
    first, second = divmod(number - len(ascii_lowercase), len(ascii_lowercase))
    return f"({ascii_lowercase[first % len(ascii_lowercase)]}{ascii_lowercase[second]})"
