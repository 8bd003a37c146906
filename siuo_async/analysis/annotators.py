"""Whether people agree with each other: pairs of annotators, and all of them where there are more than two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from siuo_async.analysis.agreement import Agreement
from siuo_async.analysis.comparison import Estimate
from siuo_async.analysis.questions import Question, Value
from siuo_async.stats.agreement import agreed

EVERYBODY = "all people"


def between_people(
    question: Question, rows: Sequence[tuple[str, Mapping[str, Value | None]]], annotators: Sequence[str]
) -> tuple[Agreement, ...]:
    """How far people agree in one stage, on the answers that were drawn; weights are left out, since it is people that are measured.

    Args:
        rows: by answer, the sample's id and what each annotator said; None for "cannot tell".
    """
    groups: list[tuple[str, ...]] = list(combinations(annotators, 2))
    if len(annotators) > 2:
        groups.append(tuple(annotators))
    found = (_agreement(question, rows, group) for group in groups)
    return tuple(each for each in found if each is not None)


def _agreement(question: Question, rows: Sequence[tuple[str, Mapping[str, Value | None]]], group: tuple[str, ...]) -> Agreement | None:
    samples: dict[str, int] = {}
    ratings, clusters = [], []
    for sample, said in rows:
        ratings.append([said.get(name) for name in group])
        clusters.append(samples.setdefault(sample, len(samples)))
    counted = agreed(ratings, clusters)
    if not counted.n or counted.share is None:
        return None
    pair = len(group) == 2
    first = question.choices[0].value
    both = [(each[0], each[1]) for each in ratings if pair and each[0] is not None and each[1] is not None]
    return Agreement(
        stage=question.stage,
        role="people",
        a=group[0] if pair else EVERYBODY,
        b=group[1] if pair else "",
        families=("", ""),
        model="",
        n=counted.n,
        agree=counted.agree,
        percent=_estimate(counted.share, counted.share_interval, 100.0),
        alpha=_estimate(counted.alpha, counted.alpha_interval, 1.0),
        a_only=sum(a == first != b for a, b in both),
        b_only=sum(b == first != a for a, b in both),
    )


def _estimate(value: float | None, interval: tuple[float, float] | None, scale: float) -> Estimate:
    if value is None:
        return Estimate(None)
    return Estimate(scale * value, *((None, None) if interval is None else (scale * interval[0], scale * interval[1])))
