"""The scores of one metric as arrays, a row for each sample that it is asked of and a column for each model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from siuo_async.analysis.gathered import Gathered
from siuo_async.stats.resampling import Design, design

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ScoreTable:
    """One metric of a run; NaN where a sample is pending or undecided."""

    labels: tuple[str, ...]
    values: Floats
    """Samples x models: votes, shares, points."""
    ones: Floats
    """Samples x models: answers that score 1."""
    answers: Floats
    """Samples x models: answers that are decided; 0 where they are not scored one by one."""
    undecided: tuple[int, ...]
    """Of each model: finished samples without a value."""
    finished: tuple[int, ...]
    """Of each model: samples that are not pending."""
    strata: NDArray[np.int64]
    """First category of each sample, as a number."""
    clusters: NDArray[np.int64]

    @property
    def scored(self) -> bool:
        """Whether any sample of any model has a value."""
        return bool((~np.isnan(self.values)).any())

    @property
    def by_answer(self) -> bool:
        """Whether answers are scored one by one."""
        return bool(self.answers.any())

    @property
    def means(self) -> Floats:
        """Samples x models: the mean over each sample's decided answers."""
        with np.errstate(invalid="ignore"):
            return self.ones / self.answers

    def design(self, rows: NDArray[np.bool_]) -> Design:
        """How those samples were drawn."""
        return design(self.strata[rows], self.clusters[rows])


def score_table(run: Gathered, metric: str, clusters: Sequence[int]) -> ScoreTable:
    """The scores of one metric.

    Args:
        clusters: of every sample of the run, in the order of asking.
    """
    labels = run.labels
    rows: list[list[tuple[float, int, int]]] = []
    places: list[int] = []
    undecided, finished = dict.fromkeys(labels, 0), dict.fromkeys(labels, 0)
    for place, item in enumerate(run.items):
        scores = [item.takes[label].score(metric) if label in item.takes else None for label in labels]
        if all(score is None for score in scores):
            continue
        places.append(place)
        row = []
        for label, score in zip(labels, scores, strict=True):
            if score is None:
                row.append((np.nan, 0, 0))
                continue
            finished[label] += 1
            undecided[label] += score.value is None
            known = [each for each in score.answers if each is not None]
            row.append((np.nan if score.value is None else score.value, sum(known), len(known)))
        rows.append(row)
    table = np.array(rows, dtype=float).reshape(len(rows), len(labels), 3)
    names = [run.items[place].sample.category[0] if run.items[place].sample.category else "" for place in places]
    strata = np.unique(np.array(names, dtype=object).astype(str), return_inverse=True)[1] if names else np.zeros(0, dtype=np.int64)
    return ScoreTable(
        labels,
        table[:, :, 0],
        table[:, :, 1],
        table[:, :, 2],
        tuple(undecided.values()),
        tuple(finished.values()),
        strata.astype(np.int64),
        np.array([clusters[place] for place in places], dtype=np.int64),
    )
