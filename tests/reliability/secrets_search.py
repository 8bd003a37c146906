"""Searches every byte that a run left behind, or showed, for a key; knows nothing of how the program takes keys out."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

PART = 12
"""So many characters of a key in a row are a leak."""


def ways(key: str) -> dict[str, bytes]:
    """How a key may be written, by name."""
    raw = key.encode()
    escaped = "".join(c if c.isalnum() else f"\\u{ord(c):04x}" for c in key)
    found = {
        "plain": raw,
        "backwards slashes": key.replace("/", "\\/").encode(),
        "\\u": escaped.encode(),
        "URL": quote(key, safe="").encode(),
        "HTML": html.escape(key).encode(),
        "hex": raw.hex().encode(),
    }
    for before in range(3):
        coded = base64.b64encode(b"?" * before + raw + b"?" * (-(before + len(raw)) % 3))
        inner = coded[4 if before else 0 : -4]
        found[f"base64 {before}"] = inner
        found[f"base64url {before}"] = inner.replace(b"+", b"-").replace(b"/", b"_")
    for at in range(len(key) - PART + 1):
        found[f"characters {at} to {at + PART}"] = raw[at : at + PART]
    return {name: way.lower() for name, way in found.items() if len(way) >= PART - 1}


def told(what: bytes, key: str) -> str | None:
    """How `what` tells the key, or None."""
    low = what.lower()
    return next((name for name, way in ways(key).items() if way in low), None)


def files_below(folder: Path) -> Iterator[Path]:
    """Every file, hidden ones and those of dead processes included."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() or path.is_symlink():
            yield path


def leaks(folder: Path, *keys: str, shown: tuple[str | bytes, ...] = (), but: frozenset[str] = frozenset({".env"})) -> list[str]:
    """A sentence for each place that tells a key; empty where none does.

    Args:
        shown: what was printed, in order.
        but: names of files in which the user put the key.
    """
    found = []
    places: list[tuple[str, bytes]] = [
        (str(path.relative_to(folder)), path.read_bytes()) for path in files_below(folder) if path.name not in but
    ]
    places += [(str(path.relative_to(folder)), str(path).encode()) for path in files_below(folder)]
    places += [(f"output {number}", each.encode() if isinstance(each, str) else each) for number, each in enumerate(shown)]
    for key in keys:
        for name, content in places:
            if (how := told(content, key)) is not None:
                found.append(f"{name} tells a key ({how})")
    return found


def bytes_of(folder: Path) -> int:
    """How much was searched."""
    return sum(path.stat().st_size for path in files_below(folder) if path.is_file())
