"""Trouble to order: what a server suffers for some seconds, told while it runs, so that whoever tests chooses the moment.

A persona's mischief hits first tries alone, for ever; trouble hits whatever comes while it lasts. Pure: the clock is passed in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from siuo_async.simulator.dice import Dice
from siuo_async.simulator.personas import Mischief
from siuo_async.simulator.wire import Json


class Trouble(StrEnum):
    """What ails the server."""

    ERRORS = "errors"
    """It says that it is unwell."""
    GARBLED = "garbled"
    """Half a reply, or a page of HTML."""
    RESETS = "resets"
    """Connections are reset where a reply is due."""
    TURNED_AWAY = "turned-away"
    """Every request is one too many, whatever the limits are."""
    HANGS = "hangs"
    """Nothing is answered before it is over."""
    GONE = "gone"
    """Every connection is reset, and nobody listens."""


_MISCHIEF = {
    Trouble.ERRORS: (Mischief.SERVER,),
    Trouble.GARBLED: (Mischief.CUT, Mischief.HTML),
    Trouble.RESETS: (Mischief.RESET,),
}


@dataclass(frozen=True, slots=True)
class Spell:
    """One trouble and how long it lasts.

    Raises:
        ValueError: no spell can be meant; one sentence.
    """

    trouble: Trouble
    begins: float
    """On the clock of the caller."""
    seconds: float
    share: float = 1.0
    """Of the requests, those that are hit; of no account to `hangs` and `gone`."""

    def __post_init__(self) -> None:
        if not (0 < self.seconds < math.inf and 0 < self.share <= 1):
            raise ValueError(f"a spell needs seconds above 0 and a share in (0, 1], not {self.seconds:g} and {self.share:g}")

    @classmethod
    def told(cls, body: Json, now: float) -> Spell:
        """From `{"trouble": "errors", "seconds": 8, "share": 0.5}`, beginning now. Raises ValueError, one sentence."""
        try:
            return cls(Trouble(body["trouble"]), now, float(body["seconds"]), float(body.get("share", 1.0)))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f'a spell looks like {{"trouble": "errors", "seconds": 8, "share": 0.5}}, not {body!r:.80}') from error

    def left_s(self, now: float) -> float:
        """Until it is over; 0 once it is."""
        return max(0.0, self.begins + self.seconds - now)

    def mischief(self, now: float, dice: Dice, attempt: int) -> Mischief | None:
        """What goes wrong with the reply to try number `attempt` of a call, decided when the reply is due."""
        kinds = _MISCHIEF.get(self.trouble)
        if kinds is None or not self.left_s(now) or dice.share("spell", attempt) >= self.share:
            return None
        return dice.pick("spell's kind", attempt, kinds)

    def turns_away(self, now: float) -> bool:
        """Whether requests are turned away at the door."""
        return self.trouble is Trouble.TURNED_AWAY and self.left_s(now) > 0

    def held_s(self, now: float) -> float:
        """How much longer nothing is answered."""
        return self.left_s(now) if self.trouble is Trouble.HANGS else 0.0
