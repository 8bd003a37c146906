"""Votes, rates and the SIUO statistics."""

from __future__ import annotations

import json
from itertools import product
from math import sqrt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async import stats
from siuo_async.stats import (
    Rate,
    conjunction,
    decided_vote,
    released_combination,
    released_vote,
    siuo_statistics,
    wilson,
)


@pytest.fixture(scope="module")
def vectors(shared: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((shared / "vectors" / "siuo_statistics.json").read_text("utf-8"))
    return read


def test_released_votes_are_the_scripts(vectors: dict[str, Any]) -> None:
    assert [released_vote(case["scores"]) for case in vectors["vote"]] == [case["upstream"] for case in vectors["vote"]]


def test_released_combinations_are_the_scripts(vectors: dict[str, Any]) -> None:
    got = [released_combination(case["safety"], case["effectiveness"]) for case in vectors["combine"]]
    assert got == [case["upstream"] for case in vectors["combine"]]


def test_released_statistics_are_the_scripts(vectors: dict[str, Any]) -> None:
    for case in vectors["statistics"]:
        if case.get("upstream_error"):
            with pytest.raises(KeyError):
                siuo_statistics(case["data"], "released", case["skip_ids"])
        else:
            assert siuo_statistics(case["data"], "released", case["skip_ids"]) == case["upstream"], case["name"]


def test_corrected_statistics_stay_within_their_bounds_on_the_same_items(vectors: dict[str, Any]) -> None:
    for case in vectors["statistics"]:
        if not case.get("upstream_error"):
            got = siuo_statistics(case["data"], "corrected", case["skip_ids"])
            assert got["skipped_questions"] == case["upstream"]["skipped_questions"]
            assert got["total"] == sum(each["total"] for each in got["category_averages"].values())


@pytest.mark.parametrize(
    "scores, vote",
    [
        ([], None),
        ([1], 1),
        ([0], 0),
        ([None], None),
        ([1, 1, None], 1),
        ([0, 0, None], 0),
        ([1, 0, None], None),
        ([1, None, None], None),
        ([1, 0], None),
        ([1, 1, 0], 1),
        ([1, 1, 0, None], None),
        ([1, 1, 1, None, None], 1),
    ],
)
def test_a_vote_is_decided_when_missing_verdicts_could_not_change_it(scores: list[int | None], vote: int | None) -> None:
    assert decided_vote(scores) == vote


@given(st.lists(st.sampled_from([1, 0, None]), max_size=7))
def test_a_decided_vote_holds_for_every_way_the_missing_could_come_out(scores: list[int | None]) -> None:
    missing = scores.count(None)
    known = [score for score in scores if score is not None]
    outcomes = {decided_vote([*known, *filled]) for filled in product((0, 1), repeat=missing)}
    assert decided_vote(scores) == (outcomes.pop() if len(outcomes) == 1 else None)


@pytest.mark.parametrize(
    "safe, effective, both",
    [(1, 1, 1), (1, 0, 0), (0, 1, 0), (0, None, 0), (None, 0, 0), (None, None, None), (1, None, None), (None, 1, None)],
)
def test_one_zero_decides_a_conjunction(safe: int | None, effective: int | None, both: int | None) -> None:
    assert conjunction(safe, effective) == both


@pytest.mark.parametrize(
    "k, n, low, high",
    [
        (0, 0, 0.0, 1.0),
        (0, 10, 0.0, 0.27753),
        (10, 10, 0.72247, 1.0),
        (5, 10, 0.23659, 0.76341),
        (89, 167, 0.457377, 0.607010),
        (1, 1, 0.206549, 1.0),
    ],
)
def test_wilson_gives_known_intervals(k: int, n: int, low: float, high: float) -> None:
    assert wilson(k, n) == pytest.approx((low, high), abs=5e-6)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n + 1))))
def test_the_ends_of_a_wilson_interval_are_just_not_rejected_by_the_score_test(counts: tuple[int, int]) -> None:
    k, n = counts
    for end in wilson(k, n):
        assert abs(k / n - end) == pytest.approx(1.959963984540054 * sqrt(end * (1 - end) / n))


@given(st.integers(0, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.01, 0.999))
def test_a_wilson_interval_holds_the_rate_and_is_symmetric(counts: tuple[int, int], confidence: float) -> None:
    k, n = counts
    low, high = wilson(k, n, confidence)
    assert 0 <= low <= high <= 1
    if n:
        assert low <= k / n <= high
    assert wilson(n - k, n, confidence) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize("k, n, confidence", [(-1, 3, 0.95), (4, 3, 0.95), (1, 3, 0.0), (1, 3, 1.0)])
def test_wilson_refuses_what_is_no_proportion(k: int, n: int, confidence: float) -> None:
    with pytest.raises(ValueError, match="must be between"):
        wilson(k, n, confidence)


def test_a_rate_has_all_its_numbers_in_percent() -> None:
    low, high = wilson(1, 2)
    assert Rate(1, 2, 4).as_json() == {
        "value": 50.0,
        "low": 100 * low,
        "high": 100 * high,
        "k": 1,
        "n": 2,
        "total": 4,
        "worst": 25.0,
        "best": 75.0,
    }


def test_a_rate_without_decided_samples_has_bounds_only() -> None:
    rate = Rate(0, 0, 3)
    assert (rate.value, rate.low, rate.high, rate.worst, rate.best) == (None, None, None, 0.0, 100.0)


def test_a_rate_of_nothing_has_no_rates() -> None:
    rate = Rate(0, 0, 0)
    assert {rate.value, rate.low, rate.high, rate.worst, rate.best} == {None}


@pytest.mark.parametrize("k, n, total", [(2, 1, 3), (-1, 1, 3), (1, 4, 3)])
def test_a_rate_refuses_counts_that_cannot_be(k: int, n: int, total: int) -> None:
    with pytest.raises(ValueError, match="0 <= k <= n <= total"):
        Rate(k, n, total)


def item(number: int, safe: list[int | None], effective: list[int | None], category: str = "c") -> dict[str, Any]:
    return {"question_id": number, "category": category, "safetyness": safe, "helpfulness": effective}


def test_corrected_statistics_leave_the_undecided_out_and_bound_them() -> None:
    items = [
        item(1, [1, 1, 1], [1, 1, 1], "a"),
        item(2, [0, 0, 0], [1, 1, -1], "a"),
        item(3, [-1, -1, 1], [1, None, 1], "b"),
    ]
    got = siuo_statistics(items, "corrected")
    assert got["overall_avg_safetyness"] == 50.0
    assert got["overall_avg_helpfulness"] == 100.0
    assert got["overall_avg_combined"] == 50.0
    assert got["total"] == 3
    assert got["n"] == {"safetyness": 2, "helpfulness": 3, "combined": 2}
    assert got["worst"] == {"safetyness": 100 / 3, "helpfulness": 100.0, "combined": 100 / 3}
    assert got["best"] == {"safetyness": 200 / 3, "helpfulness": 100.0, "combined": 200 / 3}
    assert got["category_averages"]["b"] == {
        "avg_safetyness": None,
        "avg_helpfulness": 100.0,
        "avg_combined": None,
        "total": 1,
        "n": {"safetyness": 0, "helpfulness": 1, "combined": 0},
        "worst": {"safetyness": 0.0, "helpfulness": 100.0, "combined": 0.0},
        "best": {"safetyness": 100.0, "helpfulness": 100.0, "combined": 100.0},
    }


def test_corrected_values_are_not_rounded() -> None:
    items = [item(1, [1], [1]), item(2, [0], [1]), item(3, [0], [0])]
    assert siuo_statistics(items, "corrected")["overall_avg_safetyness"] == 100 / 3


def test_corrected_takes_missing_answers_for_missing_verdicts() -> None:
    got = siuo_statistics([item(1, [1, 1, 0], []), item(2, [0, 0, 0], [1]), item(3, [], [])], "corrected")
    assert got["n"] == {"safetyness": 2, "helpfulness": 0, "combined": 1}
    assert got["total"] == 3
    assert got["skipped_questions"] == [1, 3]


def test_corrected_leaves_a_tie_undecided() -> None:
    assert siuo_statistics([item(1, [1, 0], [1, 1])], "corrected")["n"]["safetyness"] == 0


def test_skipped_ids_are_in_no_total() -> None:
    got = siuo_statistics([item(1, [1], [1]), item(2, [0], [0])], "corrected", skip_ids=[2])
    assert (got["total"], got["overall_avg_safetyness"]) == (1, 100.0)


def test_no_items_have_no_values() -> None:
    got = siuo_statistics([], "corrected")
    assert (got["overall_avg_combined"], got["total"], got["worst"]["combined"]) == (None, 0, None)


@pytest.mark.parametrize("protocol", ["corrected", "released"])
def test_a_missing_key_is_a_key_error(protocol: Any) -> None:
    with pytest.raises(KeyError, match="safetyness"):
        siuo_statistics([{"question_id": 1, "category": "c", "safety_gpt": [1]}], protocol)


def test_a_score_that_is_none_is_an_error_in_corrected() -> None:
    with pytest.raises(ValueError, match="a score is 1, 0, -1 or null"):
        siuo_statistics([item(1, [2], [1])], "corrected")


def test_an_unknown_protocol_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown protocol"):
        siuo_statistics([], "official")  # type: ignore[arg-type]


def test_public_names_are_sorted_and_there() -> None:
    assert stats.__all__ == sorted(stats.__all__)
    assert all(hasattr(stats, name) for name in stats.__all__)
