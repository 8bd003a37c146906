"""How far judges agree: from the opinions that a run holds to agreement and its interval."""

from __future__ import annotations

from siuo_async.analysis.agreement import Agreement
from siuo_async.analysis.gathered import Gathered


def agreements(run: Gathered, *, seed: int = 0) -> tuple[Agreement, ...]:
    """Every pair of judges that a run has asked about the same answers, over all models and by model."""
    return ()
