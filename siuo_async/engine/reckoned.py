"""What calls that were not made would use and cost: sums of ranges, corrected by what calls of the same kind really used."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import sqrt

from siuo_async.config import Price
from siuo_async.engine.lengths import Length
from siuo_async.engine.spending import PICO, cost_pico_usd
from siuo_async.providers.token_counts import Range
from siuo_async.values import Json, Usage

_ENOUGH = 5
"""Calls from which what they used corrects what is reckoned."""
_LEAST_SPREAD = 0.02
"""Of a figure that was corrected."""
_SIDES = ("low", "expected", "high")


@dataclass(frozen=True, slots=True)
class Called:
    """One call, reckoned."""

    text: Range
    """Input tokens."""
    pictures: Range
    n: int
    """Answers asked for."""
    upload_bytes: int
    cap: int | None
    """The most visible tokens of an answer."""


@dataclass(slots=True)
class Part:
    """What one model is asked in one stage about the answers of one model (its own, where it is the one under test)."""

    label: str
    """Who is asked."""
    full_name: str
    """`provider identity/model[@revision]`."""
    provider: str
    """As the user names it."""
    stage: str
    model: str
    """The label of the model under test."""
    price: Price | None
    calls: int = 0
    answers: int = 0
    text: Range = Range()
    pictures: Range = Range()
    output: Range = Range()
    upload_bytes: int = 0
    cost: Range | None = None
    """USD; None: nobody knows the price."""
    length: Length | None = None
    """What an answer was taken to be."""
    corrected_by: int = 0
    """Calls whose real use corrected the input."""
    _each: array[float] = field(default_factory=lambda: array("d"), repr=False)
    """Low, expected and high input of each call, and its number of answers: a price may depend on a call's length."""
    _reckoned: float = 0.0
    _used: int = 0
    _squares: float = 0.0

    def add(self, called: Called, length: Length) -> None:
        """Counts one call."""
        self.calls += 1
        self.answers += called.n
        self.text += called.text
        self.pictures += called.pictures
        self.output += length.tokens * called.n
        self.upload_bytes += called.upload_bytes
        self.length = length
        self._each.extend(getattr(called.text, side) + getattr(called.pictures, side) for side in _SIDES)
        self._each.append(called.n)

    def learn(self, called: Called, used: int) -> None:
        """Takes what a call that was made really used."""
        reckoned = called.text.expected + called.pictures.expected
        self.corrected_by += 1
        self._reckoned += reckoned
        self._used += used
        self._squares += (used / reckoned - 1) ** 2

    def settle(self) -> None:
        """Corrects the sums by what was learnt, and works out the cost; once, after the last call."""
        if self.corrected_by >= _ENOUGH:
            factor = self._used / self._reckoned
            spread = max(_LEAST_SPREAD, 2 * sqrt(self._squares / self.corrected_by) / sqrt(self.corrected_by))
            factors = (factor / (1 + spread), factor, factor * (1 + spread))
            self.text, self.pictures = (_scaled(found, factors) for found in (self.text, self.pictures))
            for at in range(0, len(self._each), 4):
                middle = self._each[at + 1]
                for side in range(3):
                    self._each[at + side] = middle * factors[side]
        else:
            self.corrected_by = 0
        self.cost = self.costs(self.price)

    def costs(self, price: Price | None) -> Range | None:
        """USD at that price; None: there is none."""
        if price is None and self.calls:
            return None
        if price is None or self.length is None:
            return Range()
        found = []
        for side, name in enumerate(_SIDES):
            output = getattr(self.length.tokens, name)
            cached = self.length.cached if name != "high" else 0.0
            pico = 0
            for at in range(0, len(self._each), 4):
                tokens = round(self._each[at + side])
                usage = Usage(tokens, round(output * self._each[at + 3]), round(cached * tokens))
                pico += cost_pico_usd(usage, None, price) or 0
            found.append(pico / PICO)
        return Range(*found)

    @property
    def input(self) -> Range:
        """All input tokens."""
        return self.text + self.pictures

    def as_json(self) -> dict[str, Json]:
        """For `--json`."""
        length = self.length
        return {
            "asked": self.label,
            "asked_of": self.full_name,
            "stage": self.stage,
            "model": self.model,
            "calls": self.calls,
            "answers": self.answers,
            "tokens": {"text": ranged(self.text), "pictures": ranged(self.pictures), "output": ranged(self.output)},
            "upload_bytes": self.upload_bytes,
            "cost_usd": None if self.cost is None else _sides(self.cost),
            "price": self.price and self.price.model_dump(exclude_none=True, exclude_defaults=True),
            "output_per_answer": length and {**_sides(length.tokens), "source": length.source, "measured": length.measured},
            "input_corrected_by_calls": self.corrected_by,
        }


def ranged(found: Range) -> dict[str, int]:
    """A range of tokens, whole."""
    return {name: round(value) for name, value in _sides(found).items()}


def _sides(found: Range) -> dict[str, float]:
    return {name: getattr(found, name) for name in _SIDES}


def _scaled(found: Range, factors: tuple[float, float, float]) -> Range:
    return Range(*(found.expected * factor for factor in factors))


def costs_together(parts: Iterable[Part]) -> Range | None:
    """Of several parts; None where a price is unknown."""
    whole = Range()
    for part in parts:
        if part.cost is None:
            return None
        whole += part.cost
    return whole
