"""How models are compared: intervals, paired tests, letters, and what the intervals do not hold."""

from __future__ import annotations

from siuo_async.analysis.comparison import Comparison
from siuo_async.analysis.gathered import Gathered


def compare(run: Gathered, *, reference: str | None = None, seed: int = 0) -> Comparison | None:
    """The models of a run, compared on the samples that they share; None where nothing is scored yet."""
    return None
