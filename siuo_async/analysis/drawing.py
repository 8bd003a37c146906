"""Which answers people are asked about: drawn by lot within strata, so that what they say stands for all answers, with known weights.

Strata are model, what the judge's verdict comes to, and whether judges disagree. Models get the same number each; within a model a
stratum of N answers gets a number in proportion to the root of N (M. D. Bankier, "Power allocations", The American Statistician 42
(1988), 174-177), twice that where judges disagree: rare verdicts are where errors hide, and proportional shares would hardly see them.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TypeVar

from siuo_async.analysis.questions import Measure, Sheet
from siuo_async.analysis.units import Name, Unit
from siuo_async.errors import ConfigError

K = TypeVar("K")
FLOOR = 4
"""Units of a stratum that are drawn at least, where there are so many: from fewer no spread can be seen."""
_DISPUTED = 2.0
"""How much more likely a disputed unit is to be drawn."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """What one answer was as likely to be drawn from as another."""

    words: str
    size: int
    drawn: int

    @property
    def weight(self) -> float:
        """How many units each drawn one stands for: one over the probability of being drawn."""
        return self.size / self.drawn if self.drawn else 0.0


@dataclass(frozen=True, slots=True)
class Draw:
    """What was drawn."""

    strata: tuple[Stratum, ...]
    places: Mapping[Name, int]
    """Of every unit that could be drawn: its stratum, as a place in `strata`."""
    drawn: tuple[Name, ...]
    """In a random order."""


def draw(units: Sequence[Unit], sheet: Sheet, n: int, seed: int, *, whole: bool = False) -> Draw:
    """Draws about `n` units (all, where there are no more).

    Args:
        units: of the whole run; those without any text to show are left out.
        n: how many; a stratum's least number may make it a few more.
        seed: the same seed draws the same units of the same run.

    Raises:
        ConfigError: nothing can be drawn, or n is too small for this many models.
    """
    groups: dict[str, dict[str, list[Unit]]] = {}
    for unit in units:
        if unit.readable:
            groups.setdefault(unit.model, {}).setdefault(_kind(unit, sheet, whole=whole), []).append(unit)
    if not groups:
        raise ConfigError("there is nothing to label yet: no answer of this run holds text; run it first")
    if n < FLOOR * len(groups):
        raise ConfigError(f"--n {n} is too few for {len(groups)} models; take at least {FLOOR * len(groups)}")
    sizes = {(model, kind): len(held) for model, kinds in groups.items() for kind, held in kinds.items()}
    counts = _allocated(sizes, n)
    lot = random.Random(f"siuo label {seed}")  # noqa: S311 - a draw that can be repeated
    strata: list[Stratum] = []
    places: dict[Name, int] = {}
    drawn: list[Name] = []
    for (model, kind), count in counts.items():
        held = groups[model][kind]
        places.update((unit.name, len(strata)) for unit in held)
        strata.append(Stratum(f"{model}: {kind}", len(held), count))
        drawn += [unit.name for unit in lot.sample(held, count)]
    lot.shuffle(drawn)
    return Draw(tuple(strata), places, tuple(drawn))


def _kind(unit: Unit, sheet: Sheet, *, whole: bool) -> str:
    measure = next(each for each in sheet.measures if unit.told_of(each) and (whole or not each.whole))
    return f"{measure.metric} {_side(unit.judged(measure), measure)}{', judges disagree' if unit.disputed else ''}"


def _side(value: float | None, measure: Measure) -> str:
    return "without a verdict" if value is None else "high" if value >= (measure.low + measure.high) / 2 else "low"


def _allocated(sizes: Mapping[tuple[str, str], int], n: int) -> dict[tuple[str, str], int]:
    """How many of each stratum: what a model cannot use goes to the others."""
    models = list(dict.fromkeys(model for model, _ in sizes))
    wholes = {model: sum(size for (owner, _), size in sizes.items() if owner == model) for model in models}
    shares = _filled(dict.fromkeys(models, 1.0), wholes, min(n, sum(wholes.values())), floor=0)
    found: dict[tuple[str, str], int] = {}
    for model in models:
        own = {key: size for key, size in sizes.items() if key[0] == model}
        wish = {key: sqrt(size) * (_DISPUTED if key[1].endswith("disagree") else 1.0) for key, size in own.items()}
        found |= _filled(wish, own, shares[model], floor=FLOOR)
    return found


def _filled(wish: Mapping[K, float], most: Mapping[K, int], total: int, *, floor: int) -> dict[K, int]:
    """Whole numbers in proportion to `wish`, none above `most` or below the floor, that add up to `total` where the floor lets them."""
    found = {key: min(floor, most[key]) for key in wish}
    for _ in range(total - sum(found.values())):
        open_ = [key for key in wish if found[key] < most[key]]
        if not open_:
            break
        found[min(open_, key=lambda key: (found[key] + 0.5) / wish[key])] += 1
    return found
