"""Which old answers are judged again, and what is said of their new verdicts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from siuo_async.analysis.drift import Drift, draw, measured
from siuo_async.analysis.gathered import Gathered, Item, Take
from siuo_async.benchmarks.judged import Verdict
from siuo_async.benchmarks.seen import Seen, SeenAnswer, vote_score
from siuo_async.values import Answer, Outcome, Sample

STAGE = "judge.safety"


def seen(*values: int | None) -> Seen:
    """A sample of which each answer has this verdict; None could not be read."""
    said = [Verdict(value, "unreadable" if value is None else "read") for value in values]
    answers = tuple(SeenAnswer(Answer(Outcome.ANSWERED, "text"), {STAGE: each}) for each in said)
    return Seen(answers, {"safe": vote_score(None, values)})


def run(**takes: list[Seen]) -> Gathered:
    """A run whose samples' verdicts are given by model."""
    count = max(map(len, takes.values()))
    items = tuple(
        Item(Sample(f"s{number}", "?", (), ("c",), {}), {label: Take(each[number]) for label, each in takes.items()})
        for number in range(count)
    )
    plan: Any = SimpleNamespace(judge=None, benchmark=_Benchmark())
    directory: Any = None
    return Gathered(directory, plan, {}, items)


@dataclass
class _Benchmark:
    headline: tuple[str, ...] = ("safe",)
    metrics: dict[str, str] = field(default_factory=lambda: {"safe": "Safe"})


def judged(old: Gathered, flip: int = 0, *, to: int | None = 0) -> Drift:
    """All verdicts given again, the first `flip` ones of value 1 as `to`."""
    drawn = draw(old, 10_000)
    ones = [each for each in drawn if _value(old, each.label, each.sample, each.number) == 1]
    changed = {(each.label, each.sample, each.number) for each in ones[:flip]}
    again = {
        (label, item.sample.id): seen(
            *(
                to if (label, item.sample.id, number) in changed else _value(old, label, item.sample.id, number)
                for number in range(len(take.seen.answers if take.seen else ()))
            )
        )
        for item in old.items
        for label, take in item.takes.items()
    }
    return measured(old, drawn, again, judge="p/j", checked_at="2026-11-21", sent=0)


def _value(old: Gathered, label: str, name: str, number: int) -> Any:
    found = next(item for item in old.items if item.sample.id == name).takes[label].seen
    return found.answers[number].verdicts[STAGE].value if found else None


MANY = run(a=[seen(1, 1, 0)] * 40, b=[seen(1, 0, 0)] * 40)


def test_each_model_and_each_verdict_has_its_share() -> None:
    drawn = draw(MANY, 60)
    assert len(set(drawn)) == 60
    shares = Counter((each.label, _value(MANY, each.label, each.sample, each.number)) for each in drawn)
    assert shares == {("a", 1): 20, ("a", 0): 10, ("b", 1): 10, ("b", 0): 20}


def test_the_draw_is_the_same_each_time_and_another_with_another_seed() -> None:
    assert draw(MANY, 60) == draw(MANY, 60)
    assert draw(MANY, 60, seed=1) != draw(MANY, 60)


def test_no_more_is_drawn_than_there_is() -> None:
    assert len(draw(run(a=[seen(1, 0)]), 60)) == 2


def test_answers_without_a_readable_verdict_are_not_drawn() -> None:
    assert [each.number for each in draw(run(a=[seen(1, None, 0)]), 60)] in ([0, 2], [2, 0])


def test_a_judge_that_says_the_same_was_not_seen_to_drift() -> None:
    found = judged(MANY)
    assert (found.drifted, found.lost) == (False, 0)
    assert found.stages[0].percent.value == 100.0
    assert "a small drift would not show" in found.sentence


@pytest.mark.parametrize(("flips", "drifted"), [(4, False), (5, True), (30, True)])
def test_answers_that_move_in_one_direction_are_drift(flips: int, drifted: bool) -> None:
    found = judged(MANY, flips)
    assert (found.shifts[0].up, found.shifts[0].down) == (0, flips)
    assert found.drifted is drifted


def test_a_verdict_that_is_lost_is_no_disagreement_and_is_told() -> None:
    found = judged(MANY, 7, to=None)
    assert (found.lost, found.drifted) == (7, False)
    assert found.stages[0].n == 240 - 7
    assert "7 answers have no readable verdict any more" in found.sentence


def test_disagreement_in_both_directions_is_drift_too() -> None:
    both = run(a=[seen(1)] * 50 + [seen(0)] * 50)
    drawn = draw(both, 100)
    again = {}
    for number, item in enumerate(both.items):
        before = _value(both, "a", item.sample.id, 0)
        again["a", item.sample.id] = seen(1 - before if number % 5 == 0 else before)
    found = measured(both, drawn, again, judge="p/j", checked_at="", sent=0)
    assert found.shifts[0].up == found.shifts[0].down == 10
    assert found.drifted
