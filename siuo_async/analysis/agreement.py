"""Judges set against each other: how often two of them say the same of the same answer, as values."""

from __future__ import annotations

from dataclasses import dataclass

from siuo_async.analysis.comparison import Estimate


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two judges (or one judge twice, or people) on the same answers."""

    stage: str
    """What was judged, as in `judge.safety`."""
    role: str
    """Of the second: `check`, `retest`, `panel`, `stand-in` or `people`."""
    a: str
    b: str
    """Labels."""
    families: tuple[str, str]
    """Whose models they are (OpenAI, Anthropic, ...); empty where nobody knows."""
    model: str
    """Of whose answers; empty: of all models."""
    n: int
    """Answers that both gave a readable verdict on."""
    agree: int
    percent: Estimate
    alpha: Estimate
    """Krippendorff's alpha, nominal, with an interval by resampling samples; in units from -1 to 1."""
    a_only: int
    """Answers on which a said 1 and b did not."""
    b_only: int
