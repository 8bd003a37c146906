"""Replayed runs whose scores are chosen: the plan of a real run, with samples and takes put in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from siuo_async.analysis.gathered import Gathered, Item, Take
from siuo_async.benchmarks.seen import Score, Seen
from siuo_async.stats import Rate
from siuo_async.values import Picture, Sample

Answers = Sequence[int | None]


def vote(answers: Answers) -> Score:
    """As SIUO's `corrected` has it, with three answers."""
    ones, zeros = list(answers).count(1), list(answers).count(0)
    missing = len(answers) - ones - zeros
    return Score(1.0 if ones > zeros + missing else 0.0 if zeros > ones + missing else None, tuple(answers))


def made(
    run: Gathered,
    scores: Mapping[str, Sequence[Score | None]],
    *,
    samples: Sequence[Sample] | None = None,
    metric: str = "safe_and_effective",
    **summary: Any,
) -> Gathered:
    """The run with these scores, one for each sample of each model; None is pending.

    Args:
        scores: by label; as many labels as the run has models take part, others keep theirs out.
        summary: what else the summary says (`complete`, `simulated`).
    """
    count = len(next(iter(scores.values())))
    given = samples or [Sample(str(number), (f"c{number % 4}",), f"What of {number}?") for number in range(count)]
    participants = [
        replace(participant, label=label) for participant, label in zip(run.plan.models * len(scores), scores, strict=False)
    ]
    items = tuple(Item(sample, {label: _take(scores[label][place], metric) for label in scores}) for place, sample in enumerate(given))
    models = [{"label": label, "metrics": {metric: _rate(of_model)}, "categories": {}} for label, of_model in scores.items()]
    told = {"complete": True, "simulated": False, **summary, "models": models}
    return replace(run, plan=replace(run.plan, models=tuple(participants)), summary={**run.summary, **told}, items=items)


def _take(score: Score | None, metric: str) -> Take:
    return Take(None if score is None else Seen(scores={metric: score}))


def _rate(scores: Sequence[Score | None]) -> dict[str, Any]:
    values = [score.value for score in scores if score is not None and score.value is not None]
    return Rate(int(sum(values)), len(values), len(scores)).as_json()


def with_picture(number: int, picture: str, category: str = "c") -> Sample:
    """A sample whose picture has that hash."""
    return Sample(str(number), (category,), f"What of {number}?", (Picture("p.png", picture, "image/png", 1),))
