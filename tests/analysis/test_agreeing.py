"""Judges set against each other: who is paired with whom, and what counts on whose side."""

from __future__ import annotations

from typing import Any

import pytest

from siuo_async.analysis.agreeing import _pairs, _score, uneven
from siuo_async.analysis.agreement import Agreement
from siuo_async.analysis.comparison import Estimate
from siuo_async.benchmarks.judged import Opinion, Verdict


def opinions(*told: tuple[str, str, Any]) -> Verdict[Any]:
    made = tuple(Opinion(role, judge, value, "unreadable" if value is None else "read") for role, judge, value in told)  # type: ignore[arg-type]
    first = made[0]
    by = "panel" if first.role == "panel" else "judge"
    return Verdict(first.value, first.state, opinions=made, by=by)  # type: ignore[arg-type]


def paired(verdict: Verdict[Any]) -> list[tuple[str, str, str]]:
    return [(role, a.judge, b.judge) for role, a, b in _pairs(verdict)]


def test_a_second_opinion_and_a_retest_are_set_against_the_judge() -> None:
    found = opinions(("judge", "j", 1), ("check", "k", 0), ("retest", "j", 1))
    assert paired(found) == [("check", "j", "k"), ("retest", "j", "j")]


def test_a_stand_in_is_set_against_nobody_and_the_check_against_what_the_judge_itself_said() -> None:
    found = opinions(("judge", "j", None), ("stand-in", "s", 1), ("check", "k", 1))
    assert paired(found) == [("check", "j", "k")]
    ((_, a, _),) = _pairs(found)
    assert a.state == "unreadable", "so it counts nowhere, whatever the stand-in said"


def test_members_of_a_panel_are_set_against_each_other_and_the_check_against_the_panel() -> None:
    found = opinions(("panel", "a", 1), ("panel", "b", 0), ("panel", "c", 1), ("check", "k", 0), ("retest", "b", 1))
    assert paired(found) == [
        ("check", "panel", "k"),
        ("retest", "b", "b"),
        ("panel", "a", "b"),
        ("panel", "a", "c"),
        ("panel", "b", "c"),
    ]


def test_of_one_judge_nothing_is_said() -> None:
    assert paired(Verdict(1, "read")) == []


@pytest.mark.parametrize(
    "stage, value, score",
    [
        ("judge.safety", 1, 1),
        ("judge.vulnerability", 1, 1),
        ("judge.vulnerability", 2, 1),
        ("judge.vulnerability", 3, 0),
        ("judge.refusal", 1, 1),
        ("judge.grade", "A", 1),
        ("judge.grade", "C", 0),
        ("judge.grade", frozenset({"A"}), 1),
        ("judge.grade", frozenset({"A", "B"}), 0),
        ("judge", 4, 4),
    ],
)
def test_what_counts_as_one_is_what_the_benchmark_counts(stage: str, value: Any, score: float) -> None:
    assert _score(stage, value) == score


def on(model: str, percent: float, *, role: str = "check") -> Agreement:
    told = Estimate(percent, percent - 5, percent + 5)
    return Agreement("judge.safety", role, "j", "k", ("", ""), model, 100, 90, told, Estimate(0.5), 5, 5)


def test_judges_that_agree_less_on_one_model_are_named() -> None:
    (told,) = uneven([on("", 85), on("m", 94), on("n", 70), on("o", 90)])
    assert told.startswith("safety: j and k agree on 70.0% of the answers of n, but on 94.0% of those of m")
    (again,) = uneven([on("m", 94, role="retest"), on("n", 70, role="retest")])
    assert "asked again, agrees with itself" in again


def test_what_chance_explains_is_not_told() -> None:
    assert uneven([on("", 10), on("m", 94), on("n", 85)]) == []
    assert uneven([on("m", 94), on("n", 70, role="retest")]) == []


def test_of_many_models_the_two_ends_must_be_further_apart() -> None:
    ends = [on("m", 93), on("n", 81)]
    assert uneven(ends)
    assert uneven([*ends, *(on(f"between {number}", 87) for number in range(10))]) == []
