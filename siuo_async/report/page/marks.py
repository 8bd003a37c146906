"""How a model is told from the others in every figure: a colour (Okabe and Ito's) and a shape, so that either alone is enough."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence

from siuo_async.report.page.svg import COLOURS, MODEL_COLOURS

SHAPES = ("o", "s", "^", "D", "v", "P", "X", "p", "<", "h", ">", "*")
"""matplotlib's names."""
_LEAST_SAVED = 5
"""Letters; leaving out fewer than that would only puzzle."""


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


def told_apart(names: Sequence[str], width: float) -> dict[str, str]:
    """Every name within `width`, and no two alike: what all begin and end with is left out before anything else is."""
    found = {name: shortened(name, width) for name in names}
    if all(name == short for name, short in found.items()):
        return found
    head, tail = _common(names), _common([name[::-1] for name in names])
    if any(head + tail >= len(name) for name in names):
        tail = 0
    inner = {name: f"{'…' if head else ''}{name[head : len(name) - tail]}{'…' if tail else ''}" for name in names}
    found = {name: shortened(short, width) for name, short in inner.items()}
    alike = Counter(found.values())
    numbered = enumerate(found.items(), 1)
    return {name: f"{shortened(short, width - 36)} ({number})" if alike[short] > 1 else short for number, (name, short) in numbered}


def _common(names: Sequence[str]) -> int:
    """How many letters all begin with, up to the last that ends a word; nothing where that saves little."""
    if len(set(names)) < 2:
        return 0
    least, most = min(names), max(names)
    same = next((at for at, (a, b) in enumerate(zip(least, most, strict=False)) if a != b), min(len(least), len(most)))
    shared = least[:same]
    end = max(map(shared.rfind, "-/_: ."))
    return end + 1 if end >= _LEAST_SAVED else 0


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
