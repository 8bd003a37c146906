"""How simulated providers count tokens: text by pieces as byte-pair tokenizers cut it, pictures by each provider's own rule. Pure.

A rule of its own, not the one that plans are made with: a text is really cut into pieces here, so that a cap can end an answer at one.
How long pieces are was set by what public tokenizers of each kind make of questions, prompts and Chinese.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

Size: TypeAlias = tuple[int, int]

_PIECE = re.compile(
    r" ?[A-Z]?[a-z]+(?:'(?:s|t|re|ve|m|d|ll))?| ?[A-Z]+| ?[^\x00-\x7f\s]+|\d{1,3}| ?[!-/:-@\[-`{-~]+|\s*\n+|\s+", re.ASCII
)
"""A word with the blank before it, a run of one kind of character, a line's end with what is blank before it."""
_UNKNOWN: Size = (512, 512)
"""Taken for a picture that is only named (nothing is fetched here), or that is only the beginning of one."""


@dataclass(frozen=True, slots=True)
class Counting:
    """How one provider counts."""

    letters: int
    """Of a word that is longer, every so many are one more token."""
    joined: float
    """Share of neighbouring Chinese characters that are one token together."""
    bytes_each: float
    """Of other scripts and emoji, bytes a token."""
    per_message: int
    per_request: int
    pictures: str
    """Which of the rules below."""

    def tokens(self, text: str) -> int:
        """Tokens of a text alone."""
        return _tokens(self, text)

    def cut(self, text: str, most: int) -> str:
        """The longest beginning of `text` that has at most so many tokens."""
        length, left = 0, most
        for piece in _PIECE.findall(text):
            taken = 0
            for part in _parts(self, piece):
                if left == 0:
                    return text[: length + taken]
                left -= 1
                taken += len(part)
            length += len(piece)
        return text

    def asked(self, texts: Sequence[str], sizes: Sequence[Size | None]) -> int:
        """Input tokens of a request."""
        told = sum(self.tokens(text) + self.per_message for text in texts)
        return self.per_request + told + sum(_picture(self.pictures, size or _UNKNOWN) for size in sizes)


def _parts(counting: Counting, piece: str) -> Iterator[str]:
    """The tokens of a piece; what takes several for one character comes once with it, then empty."""
    if piece.isascii():
        body = piece.strip()
        step = counting.letters if body.isalpha() else 24
        for start in range(0, len(piece), step):
            yield piece[start : start + step]
        return
    at = 0
    while at < len(piece):
        character = piece[at]
        if _is_chinese(character):
            after = piece[at + 1 : at + 2]
            both = bool(after) and _is_chinese(after) and (ord(character) * 31 + ord(after)) % 100 < 100 * counting.joined
            yield character + after if both else character
            if counting.joined < 0 and ord(character) % 100 < -100 * counting.joined:
                yield ""
            at += 1 + both
        else:
            run = 1
            while at + run < len(piece) and len(piece[at : at + run + 1].encode(errors="replace")) <= counting.bytes_each:
                run += 1
            yield piece[at : at + run]
            yield from [""] * (max(1, round(len(piece[at : at + run].encode(errors="replace")) / counting.bytes_each)) - 1)
            at += run


def _is_chinese(character: str) -> bool:
    return "\u3040" <= character <= "\u9fff"


@lru_cache(maxsize=1024)
def _tokens(counting: Counting, text: str) -> int:
    return sum(1 for piece in _PIECE.findall(text) for _ in _parts(counting, piece))


def _picture(rule: str, size: Size) -> int:
    width, height = size
    if rule == "tiles":
        return _tiles(width, height)
    if rule == "squares":
        return _squares(width, height)
    if width <= 384 and height <= 384:
        return 258
    return 258 * len(range(0, width, 768)) * len(range(0, height, 768))


def _tiles(width: int, height: int) -> int:
    """As OpenAI's models of 2024 do: into a square of 2048, the short side to 768, then 85 and 170 for each tile of 512."""
    long, short = max(width, height), min(width, height)
    if long > 2048:
        short, long = max(1, short * 2048 // long), 2048
    if short > 768:
        long, short = long * 768 // short, 768
    return 85 + 170 * (-(-long // 512)) * (-(-short // 512))


def _squares(width: int, height: int) -> int:
    """As Claude does: squares of 28 pixels, the picture made smaller until its longer side is 1568 and its squares are 1568."""
    scale = min(1.0, 1568 / max(width, height))
    while True:
        squares = math.ceil(width * scale / 28) * math.ceil(height * scale / 28)
        if squares <= 1568:
            return squares
        scale *= 0.995


OPENAI = Counting(letters=11, joined=0.38, bytes_each=6, per_message=4, per_request=3, pictures="tiles")
ANTHROPIC = Counting(letters=10, joined=-0.08, bytes_each=2.5, per_message=3, per_request=5, pictures="squares")
GEMINI = Counting(letters=11, joined=0.6, bytes_each=5, per_message=2, per_request=1, pictures="windows")


def size_of(raw: bytes) -> Size | None:
    """Width and height of a picture; None where they cannot be read."""
    kind = raw[:4]
    if kind == b"\x89PNG" and raw[12:16] == b"IHDR" and len(raw) >= 24:
        return int.from_bytes(raw[16:20], "big"), int.from_bytes(raw[20:24], "big")
    if kind == b"GIF8" and len(raw) >= 10:
        return int.from_bytes(raw[6:8], "little"), int.from_bytes(raw[8:10], "little")
    if raw[:2] == b"\xff\xd8":
        return _of_jpeg(raw)
    if kind == b"RIFF" and len(raw) >= 30:
        return _of_webp(raw)
    return None


def _of_jpeg(raw: bytes) -> Size | None:
    place = 2
    while place + 9 < len(raw) and raw[place] == 0xFF:
        marker = raw[place + 1]
        if marker in (0xC0, 0xC1, 0xC2, 0xC3):
            return int.from_bytes(raw[place + 7 : place + 9], "big"), int.from_bytes(raw[place + 5 : place + 7], "big")
        place += 2 + int.from_bytes(raw[place + 2 : place + 4], "big")
    return None


def _of_webp(raw: bytes) -> Size | None:
    if raw[12:16] == b"VP8 ":
        return int.from_bytes(raw[26:28], "little") % 16384, int.from_bytes(raw[28:30], "little") % 16384
    if raw[12:16] == b"VP8L":
        packed = int.from_bytes(raw[21:25], "little")
        return packed % 16384 + 1, (packed >> 14) % 16384 + 1
    return int.from_bytes(raw[24:27], "little") + 1, int.from_bytes(raw[27:30], "little") + 1
