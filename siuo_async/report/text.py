"""Making text from elsewhere harmless to a terminal, and numbers readable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def harmless(text: str) -> str:
    """`text` without control characters, escape sequences' first bytes and direction overrides."""
    return _UNSAFE.sub("\ufffd", text)


def one_line(text: str, width: int = 200) -> str:
    """`text` harmless, on one line, cut to `width`."""
    flat = " ".join(harmless(text).split())
    return flat if len(flat) <= width else flat[: width - 1] + "…"


def percent(rate: Mapping[str, Any]) -> str:
    """`53.3`; a dash where nothing is decided, `not measured` where nothing was asked for."""
    if not_measured(rate):
        return "not measured"
    return "–" if rate["value"] is None else f"{rate['value']:.{_places(rate)}f}"


def interval(rate: Mapping[str, Any]) -> str:
    """`45.7–60.7`, Wilson 95%."""
    places = _places(rate)
    return "" if rate["low"] is None else f"{rate['low']:.{places}f}–{rate['high']:.{places}f}"


def _places(rate: Mapping[str, Any]) -> int:
    """Of a percentage one, of a mean on a scale two."""
    return 2 if rate.get("unit") == "points" else 1


def share(rate: Mapping[str, Any]) -> str:
    """`89/167`; with `of 170` when some are undecided."""
    of = f" of {rate['total']}" if rate["n"] != rate["total"] else ""
    return f"n={rate['n']}{of}" if rate.get("unit") == "points" else f"{rate['k']}/{rate['n']}{of}"


def share_of(rate: Mapping[str, Any], gap: str = " ") -> str:
    """`53.3 89/167`; `not measured` where nothing was asked for; a mean of several rates stands without counts."""
    if not_measured(rate):
        return percent(rate)
    if (missing := rate.get("cells_missing")) is None:
        return f"{percent(rate)}{gap}{share(rate)}"
    return percent(rate) + (f"{gap}{missing} cells open" if missing else "")


def not_measured(rate: Mapping[str, Any]) -> bool:
    """Whether nothing was asked for that would count in it."""
    return rate["value"] is None and rate.get("total") == 0


def money(usd: float | None) -> str:
    """`$0.0123`, or `?` where a price is unknown."""
    if usd is None:
        return "?"
    return f"${usd:.2f}" if usd >= 10 else f"${usd:.4f}"


def duration(seconds: float) -> str:
    """`42 s`, `3 min 10 s`, `2 h 05 min`, `31 days`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 86400} days"


def count(number: int | None) -> str:
    """`950`, `12.3k`, `4.5M`; `?` where nobody told."""
    if number is None:
        return "?"
    for limit, unit in ((10**6, "M"), (10**4, "k")):
        if number >= limit:
            return f"{number / (limit if unit == 'M' else 1000):.1f}{unit}"
    return str(number)
