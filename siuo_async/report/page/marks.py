"""How a model is told from the others in every figure: a colour (Okabe and Ito's) and a shape, so that either alone is enough."""

from __future__ import annotations

import unicodedata

from siuo_async.report.page.svg import COLOURS, MODEL_COLOURS

SHAPES = ("o", "s", "^", "D", "v", "P", "X", "p", "<", "h", ">", "*")
"""matplotlib's names."""


def mark(number: int) -> tuple[str, str]:
    """Colour and shape of the model with that number; of the first 24 no two are alike."""
    return COLOURS[f"c{number % MODEL_COLOURS}"], SHAPES[number % len(SHAPES)]


def shortened(name: str, width: float) -> str:
    """`name`, cut in its middle where it would be wider than `width` pixels at 12 pixels a letter's height.

    Of model names the end matters as much as the beginning: it holds size, date or step.
    """
    most = max(4, int(width / 7.4))
    if _columns(name) <= most:
        return name
    head, tail = "", ""
    for letter in name:
        if _columns(head + letter) > (most - 1) * 0.6:
            break
        head += letter
    for letter in reversed(name):
        if _columns(head + letter + tail) > most - 1:
            break
        tail = letter + tail
    return f"{head}…{tail}"


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
