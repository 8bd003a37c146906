"""The most that a call may cost, before it is sent. Pure; learns from what calls really used.

At first all is as dear as it can be: a token is at least one byte of text, a picture takes what its model may count for a large one.
After some calls of the same model in the same role the dearest of them, with a margin, counts instead, save for a picture larger than
all that were seen. The output is bounded by the cap that is sent, which is no guess. Where a server counts more than this all the same,
whatever comes later is taken to be dearer by as much.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from siuo_async.config import Price
from siuo_async.engine.spending import dearest_input
from siuo_async.values import Picture, Prompt, Usage

_ENVELOPE, _PER_TURN, _PER_SCHEMA = 64, 16, 600
"""Tokens around a prompt, around a turn of it, and for saying what form the answer must have."""
_ENOUGH = 5
"""Calls, until what was seen counts."""
_MARGIN, _DOUBT = 1.25, 5.0
"""What is added to the most that was seen: a quarter, and 5 times it divided by the calls that were seen."""
_PICTURE_MARGIN = 1.25
"""Over the most tokens that a picture is thought to take with a model."""
_BYTES_PER_TOKEN = 8
"""At the very most, for text of any length: what is left of a call's input is what its pictures took."""
UNCAPPED = 32_768
"""Output tokens of an answer without a cap, until some were seen."""

Extent: TypeAlias = tuple[int, int]
"""How large a picture is: in pixels, and in tokens as its model is thought to count it; larger than all others where nobody knows."""


@dataclass(frozen=True, slots=True)
class Size:
    """What a call sends, as far as it costs."""

    text_bytes: int
    pictures: int
    around: int = _ENVELOPE
    """Tokens of what is neither."""
    largest: Extent = (0, 0)
    """Of the pictures."""

    @classmethod
    def of(cls, prompt: Prompt, extent: Callable[[Picture], Extent] = lambda _: (0, 0), *, schema: bool = False) -> Size:
        """Of a prompt, of its pictures, and whether the answer must have a form."""
        text = pictures = pixels = tokens = 0
        for turn in prompt:
            for part in turn.parts:
                if isinstance(part, Picture):
                    pictures += 1
                    own = extent(part)
                    pixels, tokens = max(pixels, own[0]), max(tokens, own[1])
                else:
                    text += len(part) if part.isascii() else len(part.encode("utf-8", "surrogatepass"))
        return cls(text, pictures, _ENVELOPE + _PER_TURN * len(prompt) + _PER_SCHEMA * schema, (pixels, tokens))


@dataclass(slots=True)
class UpperBound:
    """Of one model in one role.

    Args:
        price: per token.
        picture_tokens: of a large picture, before any was seen.
    """

    price: Price
    picture_tokens: int
    calls: int = 0
    per_byte: float = 0.0
    """The most input tokens per byte that a call had, its pictures' tokens among them."""
    per_picture: float = 0.0
    """The most input tokens per picture that a call can have had."""
    largest: Extent = (0, 0)
    """Of the pictures that were seen."""
    most_output: int = 0
    """Of one answer."""
    dearer: float = 1.0
    """How much dearer than its bound a call was, at most."""

    def pico_usd(self, size: Size, cap: int | None, n: int) -> int:
        """In 10^-12 USD.

        Args:
            cap: the output tokens that one answer may have, thinking included; None: nobody says.
            n: answers.
        """
        each = self._uncapped() if cap is None else cap
        tokens = self.input_tokens(size)
        bound = dearest_input(self.price, tokens) + n * each * round(self.price.at(tokens).output * 10**6)
        return bound if self.dearer == 1.0 else int(bound * self.dearer) + 1

    def input_tokens(self, size: Size) -> int:
        """At most."""
        per_byte, per_picture = 1.0, _PICTURE_MARGIN * max(self.picture_tokens, size.largest[1])
        if self.calls >= _ENOUGH:
            margin = _MARGIN + _DOUBT / self.calls
            per_byte = min(per_byte, self.per_byte * margin)
            if self.per_picture and all(own <= seen for own, seen in zip(size.largest, self.largest, strict=True)):
                per_picture = min(per_picture, self.per_picture * margin)
        return size.around + int(per_byte * size.text_bytes + per_picture * size.pictures) + 1

    def learn(self, size: Size, n: int, usage: Usage) -> None:
        """Takes what a call used."""
        if usage.input is None or usage.output is None:
            return
        self.calls += 1
        self.per_byte = max(self.per_byte, usage.input / max(size.text_bytes, 1))
        if size.pictures:
            self.per_picture = max(self.per_picture, (usage.input - size.text_bytes / _BYTES_PER_TOKEN) / size.pictures)
            self.largest = (max(self.largest[0], size.largest[0]), max(self.largest[1], size.largest[1]))
        self.most_output = max(self.most_output, -(-usage.output // max(n, 1)))

    def was(self, bound: int, cost: int) -> None:
        """Takes what a call cost that was thought to cost `bound` at most."""
        if cost > bound > 0:
            self.dearer = max(self.dearer, self.dearer * cost / bound)

    def _uncapped(self) -> int:
        if self.calls < _ENOUGH or not self.most_output:
            return UNCAPPED
        return min(UNCAPPED, int(self.most_output * (2 + _DOUBT / self.calls)))
