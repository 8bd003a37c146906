"""Decisions from hashes: equal requests get equal decisions, whatever the order in which they come."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Dice:
    """Named draws for one call. Draws of different names or answers are independent."""

    root: bytes

    def share(self, what: str, index: int = 0) -> float:
        """A number in [0, 1), uniform over calls, for answer `index`."""
        digest = hashlib.blake2b(f"{what}\0{index}".encode(), digest_size=8, key=self.root).digest()
        return (int.from_bytes(digest, "big") >> 11) * 2.0**-53

    def pick(self, what: str, index: int, options: Sequence[T]) -> T:
        """One of `options`, all equally likely."""
        return options[int(self.share(what, index) * len(options))]

    def name(self, what: str, index: int = 0) -> str:
        """Sixteen hexadecimal digits."""
        return hashlib.blake2b(f"{what}\0{index}".encode(), digest_size=8, key=self.root).hexdigest()


def dice_for(seed: int, persona: str, identity: str) -> Dice:
    """The dice of one call.

    Args:
        seed: of the simulator.
        persona: whose decision it is.
        identity: the call's id, or what else tells this request from others.
    """
    return Dice(hashlib.blake2b(f"{seed}\0{persona}\0{identity}".encode(), digest_size=32).digest())
