"""How many tokens a text or a picture is to a model, reckoned before a call: an estimate with a range. Pure.

No tokenizer is fetched, since most providers publish none: a text is reckoned from its words, digits, signs and characters, which is
within a few percent of the open ones for what benchmarks ask. Pictures follow the providers' own rules. Both are data
(`token_counts.toml`). What a call really used always comes from the provider; whoever has seen some calls should trust them more.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType

from siuo_async.providers.picture_size import Size
from siuo_async.values import EMPTY, Json, Picture, Prompt

UNKNOWN_SIZE: Size = (1024, 1024)
"""Taken for a picture whose size cannot be read."""
_TURN_TOKENS, _REQUEST_TOKENS = 4, 3
"""What role and markers of a turn, and the start of the answer, take."""
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_DIGITS = re.compile(r"[0-9]{1,3}")
_SIGNS = re.compile(r"[!-/:-@\[-`{-~]+")
_LINES = re.compile(r"\n+")
_CJK = re.compile(r"[\u1100-\u11ff\u2e80-\u2fff\u3040-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_WIDE_SIGNS = re.compile(r"[\u3000-\u303f\uff00-\uffef]")
_USUAL = 7
"""Letters up to which a word is nearly always one token."""
_LONGER = 0.07
"""Tokens for each letter beyond; in a word as long as no word is, which is code or a key, one for each `_CODE` letters."""
_STRANGE, _CODE = 18, 2.5


@dataclass(frozen=True, slots=True)
class Range:
    """A number that is not known for certain."""

    low: float = 0.0
    expected: float = 0.0
    high: float = 0.0

    def __add__(self, other: Range) -> Range:
        """Both together; as if both erred the same way, since one rule made them."""
        return Range(self.low + other.low, self.expected + other.expected, self.high + other.high)

    def __mul__(self, times: float) -> Range:
        """So many of it."""
        return Range(self.low * times, self.expected * times, self.high * times)

    @classmethod
    def around(cls, expected: float, spread: float) -> Range:
        """From `expected / spread` to `expected * spread`."""
        return cls(expected / spread, expected, expected * spread)


@dataclass(frozen=True, slots=True)
class TextRule:
    """How a family of models counts text."""

    factor: float = 1.0
    cjk: float = 0.75
    """Tokens per Chinese, Japanese or Korean character."""
    other: float = 0.4
    """Tokens per character of other scripts, and accents."""
    spread: float = 1.12


@dataclass(frozen=True, slots=True)
class PictureRule:
    """How a family of models counts pictures; which fields count depends on the rule."""

    rule: str = "tiles"
    base: int = 85
    each: int = 170
    pixels: int = 32
    side: int | None = None
    most: int | None = None
    factor: float = 1.0
    spread: float = 1.05

    def of(self, size: Size) -> int:
        """Tokens of a picture of `size`."""
        return _RULES[self.rule](self, *size)


@dataclass(frozen=True, slots=True)
class Family:
    """How a family of models counts."""

    text: TextRule = TextRule()
    pictures: PictureRule = PictureRule()

    def text_tokens(self, text: str) -> Range:
        """Of a text alone."""
        plain, cjk, other = _characters(text)
        rule = self.text
        return Range.around(rule.factor * plain + rule.cjk * cjk + rule.other * other, rule.spread)

    def picture_tokens(self, size: Size | None) -> Range:
        """Of one picture; None: its size is not known."""
        rule = self.pictures
        if size is None:
            return Range(rule.of((256, 256)), rule.of(UNKNOWN_SIZE), rule.of((4096, 4096)) * rule.spread)
        return Range.around(rule.of(size), rule.spread)

    def prompt_tokens(self, prompt: Prompt, size_of: Callable[[Picture], Size | None]) -> tuple[Range, Range]:
        """(of the text with what turns take, of the pictures) of a prompt."""
        text, pictures = Range.around(_REQUEST_TOKENS, 1.0), Range()
        for turn in prompt:
            text += Range.around(_TURN_TOKENS, 1.0)
            for part in turn.parts:
                if isinstance(part, str):
                    text += self.text_tokens(part)
                else:
                    pictures += self.picture_tokens(size_of(part))
        return text, pictures


def family_of(dialect: str, model: str) -> Family:
    """How `model` counts: the last entry of its dialect that matches its name."""
    return _family_of(dialect, model.lower())


@lru_cache(maxsize=512)
def _family_of(dialect: str, model: str) -> Family:
    found = Family()
    for patterns, family in _table().get(dialect, ()):
        if any(fnmatchcase(model, pattern) for pattern in patterns):
            found = family
    return found


@lru_cache(maxsize=2048)
def _characters(text: str) -> tuple[float, int, int]:
    """(tokens of the ASCII part, CJK characters, other characters).

    Fitted by least squares to four open tokenizers over questions, prompts, code and Chinese: a word is 0.97 to 0.99 tokens and 0.01 to
    0.09 more for each letter beyond six, three digits are one, a run of signs 1.06 to 1.14, of line ends 0.4 to 1.1.
    """
    words = _WORD.findall(text)
    tokens = float(len(words))
    for word in words:
        if len(word) > _USUAL:
            tokens += len(word) / _CODE - 1 if len(word) > _STRANGE else _LONGER * (len(word) - _USUAL)
    tokens += 1.3 * len(_DIGITS.findall(text)) + 1.08 * len(_SIGNS.findall(text)) + 0.6 * len(_LINES.findall(text))
    if text.isascii():
        return tokens, 0, 0
    cjk, signs = len(_CJK.findall(text)), len(_WIDE_SIGNS.findall(text))
    beyond = len(text) - len(text.encode("ascii", "ignore"))
    return tokens + 0.3 * signs, cjk, beyond - cjk - signs


def _fitted(width: float, height: float, side: float) -> tuple[float, float]:
    scale = min(1.0, side / max(width, height))
    return width * scale, height * scale


def _tiles(rule: PictureRule, width: float, height: float) -> int:
    """512-px tiles after shrinking into 2048 x 2048 and to a short side of 768."""
    width, height = _fitted(width, height, 2048)
    scale = min(1.0, 768 / min(width, height))
    across, down = (max(1, math.ceil(round(length * scale) / 512)) for length in (width, height))
    return rule.base + rule.each * across * down


def _patches(rule: PictureRule, width: float, height: float) -> int:
    """Square patches after shrinking to the longest side and to the most patches."""
    if rule.side is not None:
        width, height = _fitted(width, height, rule.side)
    across, down = (math.ceil(round(length / rule.pixels, 6)) for length in (width, height))  # 1568.0000000000002 is 1568
    if rule.most is not None and across * down > rule.most:
        scale = math.sqrt(rule.most * rule.pixels**2 / (width * height))
        across, down = (max(1, math.floor(length * scale / rule.pixels)) for length in (width, height))
    return math.ceil(across * down * rule.factor)


def _windows(rule: PictureRule, width: float, height: float) -> int:
    """One for a small picture, else as many windows of 768 px as cover it."""
    if max(width, height) <= 384:
        return rule.each
    return rule.each * math.ceil(width / 768) * math.ceil(height / 768)


def _flat(rule: PictureRule, _width: float, _height: float) -> int:
    return rule.each


_RULES: Mapping[str, Callable[[PictureRule, float, float], int]] = MappingProxyType(
    {"tiles": _tiles, "patches": _patches, "windows": _windows, "flat": _flat}
)


@cache
def _table() -> Mapping[str, tuple[tuple[tuple[str, ...], Family], ...]]:
    parsed = tomllib.loads(files(__package__).joinpath("token_counts.toml").read_text(encoding="utf-8"))
    return MappingProxyType({dialect: tuple(_entry(entry) for entry in entries) for dialect, entries in parsed.items()})


def _entry(entry: Mapping[str, Json]) -> tuple[tuple[str, ...], Family]:
    return tuple(entry["match"]), Family(TextRule(**entry.get("text", EMPTY)), PictureRule(**entry.get("pictures", EMPTY)))
