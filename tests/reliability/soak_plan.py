"""What the long run suffers, and when: worked out from a seed before it begins, so that it can be printed and had again. Pure."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

FULL_MINUTES = 60
FULL_SAMPLES = 200_000
MODELS = ("sim/openai-flaky", "sim/anthropic-mixed", "sim/gemini-blunt")
JUDGE = "sim/openai-judge"
SPELL_S = (3.0, 9.0)
"""Shorter than six tries take, so calls outlive it; garbled replies get three, so of them some fail for good and are asked again."""
_LAST = 0.97
"""Of the work: what comes later might find nothing left to disturb."""


class Kind(StrEnum):
    """One thing that can happen."""

    KILL = "SIGKILL"
    TERM = "SIGTERM"
    HANG_UP = "SIGHUP"
    TWICE = "SIGINT twice"
    FULL = "file may not grow"
    PAUSE = "SIGSTOP, then SIGCONT"
    GONE = "server gone and back, all connections reset"
    HANGS = "server silent"
    ERRORS = "storm of 500 and 529"
    TURNED_AWAY = "storm of 429"
    GARBLED = "replies cut or HTML"
    RESETS = "replies reset"
    DOWN = "every reply an error, for longer"
    SCORE = "`siuo score` beside it"
    REPORT = "`siuo report` beside it"
    LIST = "`siuo ls` beside it"


ENDING = (Kind.KILL, Kind.TERM, Kind.HANG_UP, Kind.TWICE, Kind.FULL)
"""What ends a session."""
CUTTING = (Kind.KILL, Kind.TWICE, Kind.FULL)
"""What ends it without calls on the wire coming home to the journal."""
SERVER = (Kind.GONE, Kind.HANGS, Kind.ERRORS, Kind.TURNED_AWAY, Kind.GARBLED, Kind.RESETS)
BESIDE = (Kind.SCORE, Kind.REPORT, Kind.LIST)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens."""

    at: float
    """Share of the work that is done then."""
    kind: Kind
    seconds: float = 0.0
    share: float = 1.0
    """Of the replies, those that are hit."""
    early: bool = False
    """Kills: at any moment, also while the session is starting; else only once it has made a call."""

    def __str__(self) -> str:
        lasting = f" {self.seconds:.1f} s" if self.seconds else ""
        hit = f" {self.share:.0%}" if self.share < 1 else ""
        return f"{self.at:.1%} {self.kind.name.lower().replace('_', '-')}{lasting}{hit}"


@dataclass(frozen=True, slots=True)
class Size:
    """How long the long run is."""

    samples: int
    """Of all models together: as many lines of the data set are asked of each as there are models into it."""
    ending: int
    server: int
    pauses: int
    beside: int
    down: int = 0
    down_s: float = 40.0
    slots: int = 64
    """Calls at once, for each model and for the judge."""

    @property
    def lines(self) -> int:
        """Of the data set."""
        return -(-self.samples // len(MODELS))

    @classmethod
    def of(cls, minutes: float) -> Size:
        """What fits into about two thirds of so many minutes; 200,000 samples at 60."""
        scale = min(1.0, minutes / FULL_MINUTES)
        return cls(
            samples=max(300, round(FULL_SAMPLES * scale)),
            ending=round(5 + 13 * scale),
            server=round(8 + 40 * scale),
            pauses=round(1 + 5 * scale),
            beside=round(3 + 9 * scale),
            down=1,
            down_s=20 + 55 * scale,
        )


def planned(size: Size, seed: int) -> tuple[Event, ...]:
    """All events, in order.

    Sessions end in the first and the last third only, and more often in the first, since a session that continues goes through all
    that is finished; so one session lives through the middle third, and shows whether memory stays flat while the servers misbehave.
    """
    dice = random.Random(seed)
    events = [Event(_edge(dice), kind, early=dice.random() < 0.3) for kind in _each(ENDING, size.ending, dice)]
    for kind in _each(SERVER, size.server, dice):
        seconds = dice.uniform(1.0, 4.0) if kind is Kind.GONE else dice.uniform(*SPELL_S)
        share = dice.choice((0.3, 0.6, 0.95)) if kind in (Kind.ERRORS, Kind.GARBLED, Kind.RESETS, Kind.TURNED_AWAY) else 1.0
        events.append(Event(dice.uniform(0.01, _LAST), kind, seconds, share))
    events += [Event(dice.uniform(0.02, _LAST), Kind.PAUSE, dice.uniform(0.5, 5.0)) for _ in range(size.pauses)]
    events += [Event(dice.uniform(0.05, 0.6), kind) for kind in _each(BESIDE, size.beside, dice)]
    events += [Event(dice.uniform(0.05, 0.3), Kind.DOWN, size.down_s) for _ in range(size.down)]
    return tuple(sorted(events, key=lambda event: event.at))


def _each(kinds: Sequence[Kind], count: int, dice: random.Random) -> list[Kind]:
    """`count` kinds, each as often as the others or once more."""
    shuffled = dice.sample(kinds, len(kinds))
    return [shuffled[number % len(kinds)] for number in range(count)]


def _edge(dice: random.Random) -> float:
    return dice.uniform(0.0, 0.32) if dice.random() < 0.7 else dice.uniform(0.68, _LAST)


def limits_at(seed: int, *, seconds: float = 4 * 3600.0) -> tuple[tuple[float, float], ...]:
    """A server's limits: now and then for some seconds a small part of what they are, then all again."""
    dice, at, found = random.Random(seed), 0.0, []
    while at < seconds:
        at += dice.uniform(20, 90)
        found.append((round(at, 1), round(dice.uniform(0.05, 0.4), 2)))
        at += dice.uniform(4, 12)
        found.append((round(at, 1), 1.0))
    return tuple(found)


def told(events: Sequence[Event]) -> str:
    """The plan in a few lines."""
    counts = Counter(event.kind for event in events)
    return f"{len(events)} events, {len(counts)} kinds: " + ", ".join(map(str, events))
