"""The search for a limit that nobody tells: between what held and what was turned away. Pure.

A level (calls per second, or calls at once) doubles until the first rejection. From then on it lies in a bracket: the highest level
that held under load, and the lowest that did not. The bracket is halved until it is narrow, then the level rests, and now and then the
upper end is tried again: ever less often while it fails, and with ever longer strides once it holds. So a limit that rises is found
again, and one that does not costs a rejection every so often.
"""

from __future__ import annotations

import math
from bisect import bisect
from dataclasses import dataclass

FIRST_REST_S, LONGEST_REST_S = 8.0, 32.0
FIRST_WHOLE_REST_S, LONGEST_WHOLE_REST_S = 20.0, 40.0
"""How long a found level rests before the upper end is tried again; doubled each time that fails."""
FEW_SLOTS, FIRST_FEW_REST_S = 8, 5.0
"""Fewer slots may be what others of the account left just then, so they rest for less."""
CHAIN_S = 5.0
"""Cuts that follow each other within this time go deeper each time: the limit itself has fallen."""
SLOW_PER_S = 2.0
"""Below this rate too few calls pass in that time to tell."""
CUTS = (0.9, 0.7, 0.6, 0.5)
FIRST_STRIDE, LONGEST_STRIDE, QUOTA_STRIDE = 0.04, 1.0, 0.15
"""By what share an unbounded level is raised, doubled each time that holds; where a quota is counted over a minute, that it holds for
some seconds tells little, so there the steps stay small."""
NARROW = 0.04
"""A bracket whose ends are this close, as a share, is not halved any more."""
FEW_CALLS, ENOUGH_CALLS, MANY_CALLS = 4, 5, 24
"""A slow rate is tried for this many calls, while searching and later, and rests for this many."""
FASTER_FROM = (4.0, 8.0, 32.0)
"""From these rates on the search goes faster, since quotas of that size bear it."""
SEARCH_SLOTS_S = 0.5
"""Slots double this often until the first rejection: the pace holds them back."""
_ROUNDING = 1e-6


@dataclass(slots=True)
class Bracket:
    """A level and what is known about it.

    Args:
        level: where to begin.
        most: never above this; a ceiling that the user set.
        least: never below this.
        whole: levels are whole numbers (calls at once), not rates.
        test_s: how long a level must be used under load before it counts as one that holds.
    """

    level: float
    most: float = math.inf
    least: float = 1 / 60
    whole: bool = False
    test_s: float = 3.0
    longest_stride: float = LONGEST_STRIDE
    good: float = 0.0
    """The highest level that held lately."""
    bad: float = math.inf
    """The lowest level that was turned away lately."""
    searching: bool = True
    _held_s: float = 0.0
    _rest_s: float = 0.0
    _stride: float = FIRST_STRIDE
    _chain: int = 0
    _cut_at: float = -math.inf
    _resting: bool = False

    def __post_init__(self) -> None:
        self._rest_s = self._first_rest_s
        self._set(self.level)

    @property
    def _first_rest_s(self) -> float:
        if not self.whole:
            return FIRST_REST_S
        return FIRST_WHOLE_REST_S if self.level >= FEW_SLOTS else FIRST_FEW_REST_S

    @property
    def narrow(self) -> bool:
        """Whether the limit is known as well as it will be."""
        return self.bad - self.level <= (1 if self.whole else NARROW * self.level) + _ROUNDING

    def held(self, seconds: float) -> bool:
        """Notes that the level was used to the full for so long without a rejection; True when it was raised."""
        if self.level >= self.most:
            return False
        self._held_s += seconds
        if self._held_s < self._wanted_s():
            return False
        self.good = self.level
        if self.searching:
            self._set(self.level * 2)
        elif not math.isinf(self.bad) and not self.narrow:
            self._set((self.level + self.bad) / 2)
        elif not math.isinf(self.bad):
            self._set(max(self.bad, self.level + 1) if self.whole else self.bad)
            self.bad = math.inf
            self._resting = True
        else:
            self._resting = False
            self._rest_s = self._first_rest_s
            self._set(max(self.level * (1 + self._stride), self.level + self.whole))
            self._stride = min(self.longest_stride, 2 * self._stride)
        return True

    def _wanted_s(self) -> float:
        if not math.isinf(self.bad) and self.narrow:
            return self._rest_s if self.whole else max(self._rest_s, min(MANY_CALLS / self.level, 60.0))
        if self.whole:
            return min(self.test_s, SEARCH_SLOTS_S) if self.searching else self.test_s
        if self.searching:
            return max(self.test_s / (1 + bisect(FASTER_FROM, self.level) / 2), FEW_CALLS / self.level)
        return max(self.test_s, min(ENOUGH_CALLS / self.level, 30.0))

    def rejected(self, now: float, level: float) -> None:
        """Notes a rejection while `level` was really used: the level falls.

        Args:
            now: seconds on any clock.
            level: what was in use, if that was less than the level allowed.
        """
        self._stride = FIRST_STRIDE
        chained = now - self._cut_at < CHAIN_S and (self.whole or self.level > SLOW_PER_S)
        self._chain = self._chain + 1 if chained else 0
        self._cut_at = now
        self.bad = max(level, self.least)
        if self._resting:
            self._rest_s = min(LONGEST_WHOLE_REST_S if self.whole else LONGEST_REST_S, 2 * self._rest_s)
        if self.whole and self._chain == 0:
            self._set(self.bad - 1)
            self.good = self.level
            if not self._resting:
                self._rest_s = self._first_rest_s
        elif 0 < self.good < min(self.level, self.bad):  # a step above what held
            self._set(self.good)
        elif self.searching:
            self._set(self.bad / 2)
        else:
            self._rest_s = self._first_rest_s
            self.good = 0.0
            self._set(self.bad * CUTS[min(self._chain, len(CUTS) - 1)])
        self.searching = self._resting = False

    def also_rejected(self, level: float) -> None:
        """Notes that of the calls of one rejection some were turned away at this lower level too."""
        self.bad = level
        self._set(level - 1)
        self.good = self.level

    def found(self, level: float) -> None:
        """Sets a level that was measured to hold: lower ones need not be searched."""
        self.searching = False
        self.longest_stride = QUOTA_STRIDE
        self._set(level)
        if self.whole:
            self._rest_s = self._first_rest_s
        self.good = self.level
        self.bad = self.level + 1 if self.whole else self.level * (1 + NARROW)
        self._stride = FIRST_STRIDE

    def _set(self, level: float) -> None:
        level = min(self.most, max(self.least, level))
        self.level = float(math.floor(level)) if self.whole else level
        self._held_s = 0.0
