"""What stops a model though its endpoint works: answers that no honest score could be made from."""

from __future__ import annotations

from collections import Counter

from siuo_async.benchmarks.base import GENERATE
from siuo_async.engine.asking import Target
from siuo_async.engine.records import CallRecord
from siuo_async.errors import StoppedEarly
from siuo_async.values import Answer, Outcome

EMPTIES_STOP = 10
"""If this many first finished answers of a model are all cut before any visible text, the rest would be too."""


class Guards:
    """Watches the answers of all models of a session.

    Args:
        accept_served: go on when a provider serves another model under the same name.
    """

    def __init__(self, *, accept_served: bool) -> None:
        self._accept_served = accept_served
        self._served: dict[str, str] = {}
        self._answers: Counter[str] = Counter()
        self._empties: Counter[str] = Counter()

    def served(self, target: Target, stage: str, record: CallRecord, *, fresh: bool) -> StoppedEarly | None:
        """Why the endpoint must stop: another model behind the same name would mix two models in one score."""
        if record.served_model is None:
            return None
        first = self._served.setdefault(target.full_name, record.served_model)
        if record.served_model == first or not fresh or self._accept_served:
            return None
        role = "model" if stage == GENERATE else "judge"
        return StoppedEarly(
            f"{target.full_name} ({role}) was served as '{first}' and now as '{record.served_model}'; it was stopped so that one score "
            "does not mix them; --accept-served goes on, --fresh begins again"
        )

    def answered(self, target: Target, answer: Answer) -> StoppedEarly | None:
        """Why the model must stop: it spends its whole cap on thinking."""
        if self._answers[target.label] >= EMPTIES_STOP:
            return None
        self._answers[target.label] += 1
        self._empties[target.label] += answer.outcome is Outcome.EMPTY and answer.cut
        if self._empties[target.label] < EMPTIES_STOP:
            return None
        return StoppedEarly(
            f"{target.label}: the first {EMPTIES_STOP} answers were all cut before any visible text, so it spends its cap on thinking; "
            "give it room with --thinking-tokens 8192 (or a reasoning setting with --param)"
        )
