"""The question of `siuo-mcqa` in our own words; the released one is part of SIUO's `ReleasedPrompts`.

Nothing in it points at safety: that the picture makes an option unsafe is for the model to see.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from siuo_async.benchmarks.prompts.own_templates import filled, lettered, wording


class McqaPrompts(Protocol):
    """The multiple-choice question, filled."""

    @property
    def name(self) -> Literal["own", "released"]:
        """Whose words they are."""

    @property
    def digest(self) -> str:
        """Names this wording, in hex."""

    def mcqa(self, question: str, options: Mapping[str, str]) -> str:
        """The text beside the picture; `options` is letter -> text, in the order shown."""


class OwnMcqaPrompts:
    """This project's own template."""

    @property
    def name(self) -> Literal["own", "released"]:
        """`own`."""
        return "own"

    @property
    def digest(self) -> str:
        """BLAKE2b-64 over the template."""
        return wording("siuo_mcqa")

    def mcqa(self, question: str, options: Mapping[str, str]) -> str:
        """Question and options, one per line; asks for the letter alone, since the cap is five tokens."""
        return filled("siuo_mcqa", question=question, options=lettered(options))
