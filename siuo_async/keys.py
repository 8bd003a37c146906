r"""Keeping keys out of text: what servers echo must never reach a journal, a screen or a report.

It stands below every room that sends something, since models and search engines are both asked with keys. What is known of secrets
is a value (`Secrets`): the key that is used, and every other one that this process could tell, since a confused gateway repeats what
it was sent. This guards against carelessness (a key in an error, cut, masked, in base64, `%2F` or `\u002f` for `/`). A server that
*wants* to give a key away has it already and needs no run of ours.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

MARK = "[key]"
SHORTEST = 8
"""What is shorter (`EMPTY`, `none`, `sim`) stands in for a key and is left where it is: taking it out would spoil every text."""
PART = 12
"""So many characters of a key in a row are a part of it."""
MOST = 100_000
"""Characters of an error's text that are looked at; the rest is dropped."""
_MASK = r"A-Za-z0-9_\-*"
_REST_OF_PART = re.compile(rf"[{_MASK}.…]*")
_PASSWORD = re.compile(r"//[^/\s]+@")
_KEY_SHAPES = re.compile(
    rf"\b(?:(?:sk|pk|rk|gsk|xai|key|pplx|nvapi)-|gsk_|hf_|r8_)[{_MASK}]{{8,}}|\bAIza[0-9A-Za-z_\-]{{10,}}"
    rf"|\bBearer\s++[A-Za-z0-9._\-]{{8,}}|(?<![A-Za-z0-9_\-])[A-Za-z0-9_\-]++\*{{3,}}[{_MASK}]*"
)
_SURE_SHAPES = re.compile(
    r"\b(?:(?:sk|pk|rk|gsk|xai|pplx|nvapi)-|gsk_|hf_|r8_|ghp_)(?=(?:[a-z_\-]{0,60}+[A-Z0-9]){3})[A-Za-z0-9_\-]{16}|\bAIza[0-9A-Za-z_\-]{30}"
)
"""What nobody writes by chance."""
_NAMES = re.compile(r"(?i)(?:^|_)(?:(?:api|access|auth|secret)?key|token|secret|password|passwd|credentials?)(?:_|$)")
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_PIECES = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_]+")
_MOST_PIECES, _LONGEST_WORDS, _LEAST_SPOKEN, _YEAR, _DATE = 3, 20, 4, 4, 8
_VOWEL = re.compile(r"(?i)[aeiouy]|[^\x00-\x7f]")
_PROXIES = re.compile(r"(?i)(?:https?|all|ftp|ws|wss)_proxy")


@dataclass(frozen=True, slots=True)
class Secrets:
    """Keys that must not get out, longest first, so that none leaves the end of another that begins with it."""

    keys: tuple[str, ...] = field(default=(), repr=False)
    _telling: tuple[str, ...] = field(default=(), repr=False)
    """What an answer is searched for: keys that nobody says by chance, and what they look like elsewhere."""

    @classmethod
    def of(cls, *keys: str | None, sent: bool = True) -> Secrets:
        """Those among `keys` that are long enough to be kept.

        Args:
            sent: False for keys that are merely known here. An answer is searched for those as they are alone, since every form is
                looked for in every answer, and who was never sent a key has nothing to write in another way.
        """
        kept = sorted({key for key in keys if key and len(key) >= SHORTEST}, key=lambda key: (-len(key), key))
        telling = {form: None for key in kept if unmistakable(key) for form in (_forms(key) if sent else (key,))}
        return cls(tuple(kept), tuple(telling))

    def __or__(self, other: Secrets) -> Secrets:
        """Both."""
        if not other.keys:
            return self
        kept = sorted({*self.keys, *other.keys}, key=lambda key: (-len(key), key))
        return Secrets(tuple(kept), tuple(dict.fromkeys((*self._telling, *other._telling))))

    def out_of(self, text: str) -> str:
        """An error's `text` without keys, their parts, and anything of the shape of a key. Takes time in proportion to its length."""
        text = text[:MOST]
        if self.keys:
            text = _without_parts(_without_keys(text, self.keys), _parts(self.keys))
        return _KEY_SHAPES.sub(MARK, _PASSWORD.sub(f"//{MARK}@", text))

    def told_in(self, text: str) -> bool:
        """Whether `text`, which is an answer and of any length, holds a key."""
        for form in self._telling:  # noqa: SIM110 - a generator would cost more, and this is done for every call
            if form in text:
                return True
        return False

    def out_of_answer(self, text: str) -> str:
        """An answer's `text` without whole keys. What merely looks like one stays: it is what is measured."""
        if not self.told_in(text):
            return text
        return _without_keys(text, tuple(key for key in self.keys if unmistakable(key)))


NONE = Secrets()


def redact(text: str, key: str | None) -> str:
    """`text` of an error without `key`, its parts, or anything of the shape of a key (servers echo them)."""
    return Secrets.of(key).out_of(text)


def unmistakable(key: str | None) -> bool:
    """Whether a key is no word that a model or a page may use of itself: taking those out would change what is measured."""
    return key is not None and len(key) >= PART and any(c.isdigit() for c in key) and any(c.isalpha() for c in key)


def looks_like_a_key(text: str) -> bool:
    """Whether `text` holds what nobody writes by chance: for settings, in which a key must not stand."""
    return _SURE_SHAPES.search(text) is not None


def in_variables(variables: Mapping[str, str], names: Iterable[str] = ()) -> Iterator[str]:
    """The secrets among the variables of a process: of these `names`, of names that keys usually have, and passwords of proxies."""
    wanted = frozenset(names)
    for name, value in variables.items():
        value = value.strip()
        if name in wanted or (_NAMES.search(name) and unmistakable(value) and not _wordy(value)):
            yield value
        elif _PROXIES.fullmatch(name):
            yield from _of_proxy(value)


def _wordy(value: str) -> bool:
    """Whether a value is words, short numbers and dates in a row, as a path, a file, a model or a project is called.

    Such a one may stand in an answer, in the name of the model that is asked, or in a setting, and be no secret.
    """
    if value.startswith(("/", "~")):
        return True
    return all(map(_is_words, _BETWEEN_WORDS.split(value)))


def _is_words(part: str) -> bool:
    """Whether letters and digits without anything between them are a few words with a short number, or a date."""
    pieces = _PIECES.findall(part)
    if len(pieces) <= 1:
        return not part.isdigit() or len(part) <= _DATE
    return len(part) <= _LONGEST_WORDS and len(pieces) <= _MOST_PIECES and all(map(_is_word, pieces))


def _is_word(piece: str) -> bool:
    """Whether a piece of a few in a row is a year, or can be spoken."""
    if piece.isdigit():
        return len(piece) <= _YEAR
    return len(piece) < _LEAST_SPOKEN or _VOWEL.search(piece) is not None


def _of_proxy(url: str) -> Iterator[str]:
    """The password in a proxy's URL, as it is sent and as it stands there."""
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
    except ValueError:
        return
    if parts.password:
        user, password = unquote(parts.username or ""), unquote(parts.password)
        yield from (password, parts.password, base64.b64encode(f"{user}:{password}".encode()).decode())


def place_of(settings: Any, told: Callable[[str], bool], *, where: str = "") -> str | None:
    """Where in nested settings the first text (or name) stands of which `told` is true, as `params.api_key`; None: nowhere."""
    if isinstance(settings, str | Path):
        return (where or "the settings") if told(str(settings)) else None
    if isinstance(settings, Mapping):
        if any(told(str(name)) for name in settings):
            return where or "the settings"
        inside = [(str(name), value) for name, value in settings.items()]
    elif isinstance(settings, list | tuple):
        inside = [(str(number), value) for number, value in enumerate(settings)]
    else:
        return None
    found = (place_of(value, told, where=f"{where}.{name}".lstrip(".")) for name, value in inside)
    return next((place for place in found if place is not None), None)


@lru_cache(maxsize=64)
def _forms(key: str) -> tuple[str, ...]:
    """A key as it may stand in an answer: as it is, quoted for a URL, JSON or HTML, and in base64, whatever stands before it there."""
    plain = [key, quote(key, safe=""), quote(key), json.dumps(key)[1:-1], json.dumps(key)[1:-1].replace("/", "\\/"), html.escape(key)]
    return tuple(dict.fromkeys((*plain, *_in_base64(key))))


def _in_base64(key: str) -> list[str]:
    """What any text that holds the key has in base64: three ways, for where it begins, without the digits that its neighbours share."""
    found = []
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + key.encode()).decode().rstrip("=")
        bits = 8 * (before + len(key.encode()))
        found.append(coded[(0, 2, 3)[before] : bits // 6])
    return [*found, *(form.replace("+", "-").replace("/", "_") for form in found)]


def _without_keys(text: str, keys: tuple[str, ...]) -> str:
    escaped = "%" in text or "\\" in text or "&" in text
    for key in keys:
        for form in _forms(key):
            if form in text:
                text = text.replace(form, MARK)
        if escaped:
            text = _escaped(key).sub(MARK, text)
    return text


@lru_cache(maxsize=64)
def _escaped(key: str) -> re.Pattern[str]:
    """Finds a key of which any character but letters and digits may be escaped for a URL, JSON or HTML."""
    return re.compile("".join(map(_any_way, key)))


def _any_way(c: str) -> str:
    if c.isalnum():
        return c
    code = f"{ord(c):02x}"
    named = html.escape(c)
    return f"(?:{re.escape(c)}|(?i:%{code}|\\\\u00{code}|\\\\x{code}|&#x{code};)|\\\\{re.escape(c)}|&#{ord(c)};|{re.escape(named)})"


@lru_cache(maxsize=16)
def _parts(keys: tuple[str, ...]) -> frozenset[str]:
    """Every part of these keys, in small letters, as host names are."""
    return frozenset(key[at : at + PART].lower() for key in keys for at in range(len(key) - PART + 1))


def _without_parts(text: str, parts: frozenset[str]) -> str:
    """`text` without whatever has a part of a key in a row, and the masked rest of it."""
    folded = text.lower()
    if len(folded) != len(text):
        folded = text
    spans = _spans(at for at in range(len(text) - PART + 1) if folded[at : at + PART] in parts)
    kept, done = [], 0
    for start, end in spans:
        if start < done:
            continue
        while start > done and _REST_OF_PART.fullmatch(text[start - 1]):
            start -= 1
        rest = _REST_OF_PART.match(text, end)
        kept.append(text[done:start] + MARK)
        done = rest.end() if rest else end
    return "".join((*kept, text[done:]))


def _spans(starts: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Places of parts that touch each other as (start, end)."""
    first = last = -1
    for at in starts:
        if first < 0:
            first = at
        elif at > last + PART:
            yield first, last + PART
            first = at
        last = at
    if first >= 0:
        yield first, last + PART
