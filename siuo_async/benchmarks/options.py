"""Moves the options of a multiple-choice item, so that no position is the right one by habit.

The released files put the right option first far too often (always answering A scores 59.6% in Chinese SafetyQA), so `corrected`
shows the options in another order: one drawn from the sample, or each shift in turn. Letters always run from A in the order shown.
Only where the question itself lists the options by letter they must stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b


@dataclass(frozen=True, slots=True)
class Shuffled:
    """Options as they are shown."""

    options: Mapping[str, str]
    """Letter -> text, from A, in the order shown."""
    gold: str
    """The right letter among them."""
    origin: Mapping[str, str]
    """Letter shown -> the letter that this option has in the file."""

    @property
    def letters(self) -> str:
        """The letters on offer, in order."""
        return "".join(self.options)


def shuffled(options: Mapping[str, str], gold: str, seed: int, sample_id: str) -> Shuffled:
    """The options in an order drawn from the seed and the sample alone, so that every model sees the same.

    Each option's place follows from BLAKE2b over seed, sample id and its own letter in the file.

    Args:
        options: letter -> text; at most 26.
        gold: the right letter.

    Raises:
        ValueError: `gold` is none of the letters.
    """

    def draw(letter: str) -> bytes:
        return blake2b("\0".join((str(seed), sample_id, letter)).encode(), digest_size=16).digest()

    return _relettered(options, gold, sorted(options, key=draw))


def lists_options(question: str, options: Iterable[str]) -> bool:
    """Whether a question lists these letters itself ("... A. yes B. no"), so that options in another order would contradict it."""
    return all(re.search(rf"(?<![A-Za-z0-9]){letter}\s*[.．:：、)）]", question) for letter in options)


def rotation(options: Mapping[str, str], gold: str, k: int) -> Shuffled:
    """The options shifted by `k` places: the one that stood at place k (from 0) is shown first.

    Raises:
        ValueError: `gold` is none of the letters.
    """
    order = list(options)
    shift = k % len(order) if order else 0
    return _relettered(options, gold, order[shift:] + order[:shift])


def _relettered(options: Mapping[str, str], gold: str, order: Iterable[str]) -> Shuffled:
    origin = {chr(ord("A") + place): letter for place, letter in enumerate(order)}
    if gold not in options:
        raise ValueError(f"the right letter {gold!r} is none of the options {', '.join(options)}")
    shown = next(letter for letter, was in origin.items() if was == gold)
    return Shuffled({letter: options[was] for letter, was in origin.items()}, shown, origin)
