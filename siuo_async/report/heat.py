"""Colours of a table: blue is good, orange is bad, and the text stands in black on both, so that it reads without seeing colours."""

from __future__ import annotations

from rich.color import Color
from rich.style import Style

_BAD, _MIDDLE, _GOOD = (230, 137, 54), (238, 238, 238), (92, 164, 214)
"""Told apart by the colour-blind too, and light enough for black text on light and dark screens."""


def colour(share: float | None) -> str | Style:
    """The style of a cell that is as good as `share`, from 0 to 1; none for None."""
    if share is None:
        return ""
    end, weight = (_GOOD, 2 * share - 1) if share >= 0.5 else (_BAD, 1 - 2 * share)
    red, green, blue = (round(a + (b - a) * min(1.0, weight)) for a, b in zip(_MIDDLE, end, strict=True))
    return Style(color=Color.from_rgb(0, 0, 0), bgcolor=Color.from_rgb(red, green, blue))
