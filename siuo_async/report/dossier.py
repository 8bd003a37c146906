"""Everything that is reported of one run, worked out once: terminal, page, exports and library only show it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from siuo_async.analysis.agreeing import agreements, uneven
from siuo_async.analysis.agreement import Agreement
from siuo_async.analysis.comparing import compare
from siuo_async.analysis.comparison import Comparison
from siuo_async.analysis.gathered import Gathered
from siuo_async.engine.summary import warnings
from siuo_async.report.methods import methods
from siuo_async.values import Json


@dataclass(frozen=True, slots=True)
class Dossier:
    """One run, ready to be reported."""

    run: Gathered
    comparison: Comparison | None
    """None where nothing is scored yet."""
    agreements: tuple[Agreement, ...]
    warnings: tuple[str, ...]
    """What a reader of the numbers must know, one sentence each."""
    methods: str


def dossier(run: Gathered, *, reference: str | None = None) -> Dossier:
    """Works out what is reported of a run.

    Args:
        reference: the label that all other models are compared with; None compares all pairs.
    """
    comparison = compare(run, reference=reference)
    agreed = agreements(run)
    return Dossier(run, comparison, agreed, (*warnings(run.summary), *uneven(agreed)), methods(run, comparison))


def as_json(found: Dossier) -> dict[str, Json]:
    """The summary, where the run is, and all that comparing its models and judges gave; unrounded."""
    return {
        **found.run.summary,
        "run": str(found.run.directory.path),
        "comparison": asdict(found.comparison) if found.comparison else None,
        "agreement": [asdict(each) for each in found.agreements],
    }
