"""A finished sample as every reader of results sees it, whatever the benchmark: its answers, what was said of them, what it scores.

Tallies count results as they come and forget them; comparing models, exports and reports need them one by one, in one form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from siuo_async.benchmarks.judged import Verdict
from siuo_async.values import EMPTY, Answer, Json, quick_value


@quick_value
class Score:
    """What one sample adds to one metric."""

    value: float | None
    """Its part of the metric's mean: 1 or 0 for a vote, a share where answers are averaged, points on a scale, and in SIUO's
    `released` also -1; None where it is undecided. The mean of `value` over the decided samples is the summary's figure."""
    answers: tuple[int | None, ...] = ()
    """1, 0 or None for each of its answers; empty where answers are not scored one by one."""

    @property
    def mean(self) -> float | None:
        """The mean over its answers, of those that are decided; `value` where answers are not scored one by one."""
        known = [each for each in self.answers if each is not None]
        return sum(known) / len(known) if known else None if self.answers else self.value


@quick_value
class SeenAnswer:
    """One answer, and what was said of it."""

    answer: Answer
    verdicts: Mapping[str, Verdict[Any]] = field(default_factory=lambda: EMPTY)
    """By stage, as in `judge.safety`; those that a rule gave without a judge included."""


@quick_value
class Seen:
    """One finished sample."""

    answers: tuple[SeenAnswer, ...] = ()
    scores: Mapping[str, Score] = field(default_factory=lambda: EMPTY)
    """Metric -> score; a metric that is not there is not asked of this sample."""
    notes: Mapping[str, Json] = field(default_factory=lambda: EMPTY)
    """What else a reader wants to see (the letter that was read, the search's state); in no number."""


def vote_score(value: int | float | bool | None, answers: Sequence[int | bool | None] = ()) -> Score:
    """A score of whole numbers or truths."""
    return Score(None if value is None else float(value), tuple(None if each is None else int(each) for each in answers))
