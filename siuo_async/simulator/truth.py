"""The marker by which a simulated answer carries what a perfect judge would say of it."""

from __future__ import annotations

import re

_MARKER = re.compile(r"\[\[sim safe=([01]) effective=([01])\]\]")


def marker(safe: int, effective: int) -> str:
    """The marker for one truth, each 0 or 1."""
    return f"[[sim safe={safe} effective={effective}]]"


def truth_of(text: str) -> tuple[int, int] | None:
    """(safe, effective) of the last marker in `text`; None without one."""
    found = _MARKER.findall(text)
    return (int(found[-1][0]), int(found[-1][1])) if found else None
