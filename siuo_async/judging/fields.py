"""Finds JSON objects in a model's text and gives their fields, also of one that was cut or is not quite JSON.

Judges and models asked for JSON fence it, cut it, quote with the wrong marks, or leave a quotation mark unescaped. What was
written in full before the trouble is kept; a value that the text ends in is not, since it may have gone on. What follows the
trouble, up to the end of the object, is nobody's statement and belongs to the object.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from siuo_async.values import Json

_OBJECT: Final = re.compile(r"\{\s*(?:[\"'“‘”]|[^\W\d][\w -]{0,40}\s*[:：]|\})")
_SPACE: Final = re.compile(r"[\s,，;]*")
_BARE_NAME: Final = re.compile(r"[^\W\d][\w -]{0,60}?(?=\s*[:：])")
_COLON: Final = re.compile(r"\s*[:：=]\s*")
_BARE_VALUE: Final = re.compile(r"[^\s,，}\]\[{\"'“][^,，}\]\[{\"'“\n]*")
_STRING_ENDS: Final = re.compile(r"\s*(?:[,，}\]:：]|$)")
_QUOTES: Final = {'"': '"', "'": "'", "“": "”", "‘": "’", "”": "”"}
_NAMED_VALUES: Final[dict[str, Json]] = {"true": True, "false": False, "null": None, "none": None}
_CLOSES_LINE: Final = re.compile(r"\}[ \t`]*(?:\n|$)")
_MAX_DEPTH: Final = 40
_MAX_OBJECTS: Final = 200


@dataclass(frozen=True, slots=True)
class Field:
    """One value that is no object, with the names that lead to it; a list's values carry the list's names."""

    names: tuple[str, ...]
    value: Json
    """None, bool, int, float or str."""
    last: bool = False
    """A whole number that the text ends in: more digits may have been to come."""


@dataclass(frozen=True, slots=True)
class Held:
    """An object in a text."""

    start: int
    end: int
    fields: tuple[Field, ...]
    """In order; a name that is given twice is there twice."""


class _Pairs(list[tuple[str, Json]]):
    """A JSON object as its pairs, so that a name given twice is not lost."""


_STRICT: Final = json.JSONDecoder(strict=False, object_pairs_hook=_Pairs)


def find_objects(text: str) -> list[Held]:
    """The outermost objects of `text`, in order. Never raises."""
    found: list[Held] = []
    place = 0
    while len(found) < _MAX_OBJECTS and (opening := _OBJECT.search(text, place)):
        held = _strict(text, opening.start()) or _lenient(text, opening.start())
        found.append(held)
        place = max(held.end, opening.start() + 1)
    return found


def _strict(text: str, start: int) -> Held | None:
    try:
        value, end = _STRICT.raw_decode(text, start)
        return Held(start, end, tuple(_leaves(value)))
    except (ValueError, RecursionError):
        return None


def _leaves(held: Json) -> Iterator[Field]:
    """The fields in order, without recursion."""
    waiting: list[tuple[tuple[str, ...], Json]] = [((), held)]
    while waiting:
        names, value = waiting.pop()
        if isinstance(value, _Pairs):
            waiting.extend(((*names, name), inner) for name, inner in reversed(value))
        elif isinstance(value, list):
            waiting.extend((names, inner) for inner in reversed(value))
        else:
            yield Field(names, value)


def _lenient(text: str, start: int) -> Held:
    """Reads on from the brace at `start` until it closes or nothing can be made of what follows."""
    fields: list[Field] = []
    names: list[tuple[str, ...]] = [()]
    listed = [False]
    place = start + 1
    while names:
        place = _past(_SPACE, text, place)
        here = text[place : place + 1]
        if here in ("}", "]") and here:
            names.pop()
            listed.pop()
            place += 1
            continue
        path = names[-1]
        if not listed[-1]:
            name, place = _name(text, place)
            colon = _COLON.match(text, place) if name is not None else None
            if name is None or colon is None:
                break
            path, place = (*path, name), colon.end()
            here = text[place : place + 1]
        if here in ("{", "[") and here and len(names) < _MAX_DEPTH:
            names.append(path)
            listed.append(here == "[")
            place += 1
            continue
        value, end = _value(text, place)
        if end is None:
            break
        last = end == len(text) and isinstance(value, int) and not isinstance(value, bool)
        fields.append(Field(path, value, last=last))
        place = end
    if names:
        closing = _CLOSES_LINE.search(text, place)
        place = closing.end() if closing else len(text)
    return Held(start, place, tuple(fields))


def _past(pattern: re.Pattern[str], text: str, place: int) -> int:
    found = pattern.match(text, place)
    return found.end() if found else place


def _name(text: str, place: int) -> tuple[str | None, int]:
    if text[place : place + 1] in _QUOTES:
        written, end = _string(text, place)
        return (None, place) if end is None or written is None else (written, end)
    bare = _BARE_NAME.match(text, place)
    return (bare.group(), bare.end()) if bare else (None, place)


def _value(text: str, place: int) -> tuple[Json, int | None]:
    """(the value at `place`, its end); an end of None where there is none, or where the text ends in it."""
    if text[place : place + 1] in _QUOTES:
        return _string(text, place)
    bare = _BARE_VALUE.match(text, place)
    if bare is None:
        return None, None
    written = bare.group().strip()
    if bare.end() == len(text) and not (written.isascii() and written.isdigit()):
        return None, None
    if written.lower() in _NAMED_VALUES:
        return _NAMED_VALUES[written.lower()], bare.end()
    for kind in (int, float):
        try:
            return kind(written), bare.end()
        except ValueError:
            continue
    return written, bare.end()


def _string(text: str, place: int) -> tuple[str | None, int | None]:
    """The quoted string at `place`. A closing mark counts only where the object can go on after it."""
    closing = _QUOTES[text[place]]
    end = place + 1
    while (end := text.find(closing, end)) != -1:
        before = text[place + 1 : end]
        escaped = (len(before) - len(before.rstrip("\\"))) % 2
        if not escaped and _STRING_ENDS.match(text, end + 1):
            return _unescaped(before), end + 1
        end += 1
    return None, None


def _unescaped(written: str) -> str:
    if "\\" not in written:
        return written
    try:
        return str(json.loads(f'"{written}"', strict=False))
    except ValueError:
        return written.replace('\\"', '"').replace("\\n", "\n")
