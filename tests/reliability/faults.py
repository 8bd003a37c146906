"""What a fault is, how it is inflicted and what is said of it; the faults themselves stand in a module per part."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a fault is inflicted."""

    folder: Path
    """Empty, for this fault alone."""
    seed: int
    times: int
    """How often it is to be inflicted."""

    @property
    def dice(self) -> random.Random:
        """Equal seeds give equal moments and choices."""
        return random.Random(self.seed)


@dataclass(slots=True)
class Seen:
    """What a fault did."""

    times: int = 0
    """How often it was really inflicted."""
    words: str = ""
    """What happened, with figures, as it stands in the table: one short line."""
    broken: list[str] = field(default_factory=list)
    """Each way in which the promise was not kept, in a sentence; empty: it was."""

    def expect(self, kept: object, otherwise: str) -> None:
        """Notes `otherwise` as broken unless `kept`."""
        if not kept:
            self.broken.append(otherwise)


def possible() -> str | None:
    """For faults that any machine can suffer."""
    return None


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table.

    A fault that finds its promise broken says so in `Seen.broken` and does not raise, so that one command shows all rows.
    """

    part: str
    """`crash`, `wire`, `network`, ..."""
    name: str
    promised: str
    """What must survive, in one short line."""
    inflict: Callable[[Scene], Seen]
    few: int = 1
    """How often in the test suite, where all faults together may take few minutes."""
    many: int = 1
    """How often in `make soak`."""
    needs: Callable[[], str | None] = possible
    """Why this machine cannot suffer it (no right to make a network, no such system call), or None where it can."""

    def __str__(self) -> str:
        return f"{self.part}: {self.name}"
