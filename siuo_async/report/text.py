"""Making text from elsewhere harmless to a terminal and to a page, and numbers readable.

Whatever is drawn passes `harmless`, the last line of defence. A summary passes `tame` before tables and sentences are made of it, since
only there a line break of ours can still be told from one in a label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import count as count_up
from typing import Any

from siuo_async.values import Json

_UNSEEN = "\u00ad\u061c\u180e\u200b\u200e\u200f\u2060-\u206f\ufeff\U000e0000-\U000e0fff"
"""What nobody sees, ordinary in many scripts: a direction in Hebrew, where a word ends in Thai, the form of a name in Japanese."""
_OBEYED = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and line feed
    "\u2028-\u202e"  # line ends of Unicode, and direction that lasts
    "\ufff9-\ufffb\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"  # notes between lines, and what is no character
)
_UNSAFE = re.compile(f"[{_OBEYED}{_UNSEEN}]")
_IS_UNSEEN = re.compile(f"[{_UNSEEN}]")
_MARKS = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_MOST_MARKS = 4
"""On one letter: more than any script in use puts there, and too few to reach into other lines."""
_STACKS = re.compile(f"({_MARKS}{{{_MOST_MARKS}}}){_MARKS}+")
_BREAKS = re.compile("[\t\n]+")
MOST_SENTENCE_CHARS = 4_000
"""Of a sentence that is told; what a server or a data file says may be of any length."""
_MOST_NAME_CHARS = 200
"""Of a label or a category in tables; files and JSON have them whole."""


def harmless(text: str) -> str:
    """`text` without control characters, escape sequences' first bytes, direction overrides, and what nobody sees.

    Each becomes U+FFFD; what nobody sees goes without a trace, since honest texts hold it and must stay readable.
    Line feeds stay; tabs are blanks, since a table cannot know how wide they come out.
    """
    if text.isascii() and text.isprintable():
        return text
    return _STACKS.sub(r"\1", _UNSAFE.sub(_in_place, text)).replace("\t", " ") or "\ufffd"


def _in_place(found: re.Match[str]) -> str:
    return "" if _IS_UNSEEN.match(found.group()) else "\ufffd"


def escaped_in_json(document: str) -> str:
    """A JSON text of the same value without a character that `harmless` takes out; its own line feeds stay."""
    return _UNSAFE.sub(_as_escape, document)


def _as_escape(found: re.Match[str]) -> str:
    units = found.group().encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def in_line(text: str) -> str:
    """`text` harmless and on one line."""
    return _BREAKS.sub(" ", harmless(text))


def sentence(text: str) -> str:
    """`text` harmless, on one line, cut where nobody would read on."""
    return in_line(text if len(text) <= MOST_SENTENCE_CHARS else text[:MOST_SENTENCE_CHARS] + "…")


def one_line(text: str, width: int = 200) -> str:
    """`text` harmless, on one line without needless blanks, cut to `width`."""
    flat = " ".join(harmless(text).split())
    return flat if len(flat) <= width else flat[: width - 1] + "…"


def tame(summary: Json) -> Json:
    """A copy of a summary in which every text stays on its line; names are cut to what a table can show.

    Names that would become the same get numbers, so that no two rows fall together.
    """
    given = dict.fromkeys(_names(summary))
    kept = {name: name for name in given if _name(name) == name}
    taken = set(given)
    for name in given:
        if name not in kept:
            plain = (f"{_name(name)} ({number})" if number > 1 else _name(name) for number in count_up(1))
            kept[name] = next(each for each in plain if each not in taken)
            taken.add(kept[name])
    return _tamed(summary, kept)


def _name(name: str) -> str:
    flat = in_line(name)
    return flat if len(flat) <= _MOST_NAME_CHARS else flat[: _MOST_NAME_CHARS - 1] + "…"


def _names(value: Json) -> Iterator[str]:
    """The names in nested objects and the labels of models, in order."""
    if isinstance(value, Mapping):
        yield from value
        if isinstance(value.get("label"), str):
            yield value["label"]
        for inner in value.values():
            yield from _names(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _names(inner)


def _tamed(value: Json, names: Mapping[str, str]) -> Json:
    if isinstance(value, str):
        return names.get(value) or in_line(value)
    if isinstance(value, Mapping):
        return {names[name]: _tamed(inner, names) for name, inner in value.items()}
    return [_tamed(inner, names) for inner in value] if isinstance(value, list | tuple) else value


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
