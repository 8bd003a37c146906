"""Means of shares and of rates, and calibration."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.stats import Calibration, Rate, macro_rate, mean_rate, wilson

POINTS = st.lists(st.integers(0, 4), min_size=1, max_size=60)


def rotated(points: list[int], asked: int | None = None) -> dict[str, float | int | None]:
    return mean_rate(sum(points), sum(p * p for p in points), len(points), 4, len(points) if asked is None else asked)


def test_a_mean_rate_counts_points() -> None:
    got = rotated([4, 2, 0], asked=4)
    assert got["value"] == 50
    assert (got["k"], got["n"], got["total"]) == (6, 12, 16)
    assert (got["worst"], got["best"]) == (100 * 6 / 16, 100 * 10 / 16)


def test_samples_that_are_all_right_or_all_wrong_count_once_each() -> None:
    got = rotated([4] * 30 + [0] * 70)
    low, high = wilson(30, 100)
    # The variance is taken over n - 1, so the effective size is a little under n and bounded by it.
    assert (got["low"], got["high"]) == pytest.approx((100 * low, 100 * high))


def test_independent_answers_count_nearly_each() -> None:
    draw = random.Random(3)
    got = rotated([sum(draw.random() < 0.6 for _ in range(4)) for _ in range(400)])
    low, high = wilson(0.6 * 1600, 1600)
    assert (got["high"] or 0) - (got["low"] or 0) == pytest.approx(100 * (high - low), rel=0.1)


@given(POINTS)
def test_a_mean_interval_holds_the_mean_and_is_never_narrower_than_for_independent_answers(points: list[int]) -> None:
    got = rotated(points)
    low, high = wilson(sum(points), 4 * len(points))
    assert 0 <= (got["low"] or 0) <= 100 * low + 1e-9
    assert 100 >= (got["high"] or 0) >= 100 * high - 1e-9


def test_the_mean_of_nothing_is_undefined() -> None:
    got = mean_rate(0, 0, 0, 4, 3)
    assert [got[name] for name in ("value", "low", "high", "worst", "best")] == [None, None, None, 0, 100]


@pytest.mark.parametrize("counts", [(5, 3, 2, 4, 2), (4, 20, 1, 4, 1), (4, 4, 2, 4, 1), (9, 81, 1, 4, 1), (8, 8, 1, 4, 1)])
def test_sums_that_no_samples_have_are_an_error(counts: tuple[int, int, int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"samples|units"):
        mean_rate(*counts)


def test_cells_count_the_same_however_large_they_are() -> None:
    got = macro_rate([Rate(1, 10, 10), Rate(900, 1000, 1000)])
    assert got["value"] == 50
    assert (got["k"], got["n"], got["total"], got["cells_missing"]) == (901, 1010, 1010, 0)


def test_one_cell_keeps_its_own_interval() -> None:
    cell = Rate(7, 20, 25)
    got = macro_rate([cell])
    assert {**got, "cells_missing": 0} == pytest.approx({**cell.as_json(), "cells_missing": 0})


def test_equal_cells_narrow_the_interval_by_the_root_of_their_number() -> None:
    cell = Rate(50, 100, 100)
    got = macro_rate([cell] * 4)
    assert (got["high"] or 0) - 50 == pytest.approx(((cell.high or 0) - 50) / 2)


def test_an_empty_cell_leaves_the_mean_undefined_and_is_counted() -> None:
    got = macro_rate([Rate(1, 2, 2), Rate(0, 0, 5)])
    assert [got[name] for name in ("value", "low", "high", "cells_missing")] == [None, None, None, 1]
    assert (got["worst"], got["best"]) == (25, 75)
    assert macro_rate([])["value"] is None


def test_stated_confidence_is_binned_by_five_points() -> None:
    counted = Calibration()
    for number, correct in ((0, 0), (4, 1), (5, 0), (94, 1), (95, 1), (100, 0)):
        counted.add(number, correct)
    counted.add(None, 1)
    told = counted.as_json()
    assert [(each["low"], each["high"], each["n"]) for each in told["bins"]] == [(0, 4, 2), (5, 9, 1), (90, 94, 1), (95, 100, 2)]
    assert (told["n"], told["unstated"]) == (6, 1)
    assert told["accuracy"] == 50


def test_the_calibration_error_is_the_weighted_distance_of_the_bins() -> None:
    counted = Calibration()
    for number, correct in ((80, 1), (80, 1), (80, 0), (80, 0), (20, 1), (20, 0)):
        counted.add(number, correct)
    told = counted.as_json()
    assert told["ece"] == pytest.approx(4 / 6 * 30 + 2 / 6 * 30)
    assert told["mean_confidence"] == pytest.approx(60)


def test_a_calibration_without_answers_is_undefined() -> None:
    told = Calibration().as_json()
    assert told == {"n": 0, "unstated": 0, "mean_confidence": None, "accuracy": None, "ece": None, "bins": []}


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), max_size=30), st.randoms(use_true_random=False))
def test_the_order_of_probabilities_changes_nothing(answers: list[tuple[float, int]], shuffle: random.Random) -> None:
    one, other = Calibration(probabilities=True), Calibration(probabilities=True)
    for answer in answers:
        one.add(*answer)
    shuffle.shuffle(answers)
    for answer in answers:
        other.add(*answer)
    assert one.as_json() == other.as_json()


def test_probabilities_and_percent_give_the_same_figures() -> None:
    percent, shares = Calibration(), Calibration(probabilities=True)
    for number, correct in ((80, 1), (95, 0), (33, 1), (100, 1)):
        percent.add(number, correct)
        shares.add(number / 100, correct)
    assert {**shares.as_json(), "bins": 0} == pytest.approx({**percent.as_json(), "bins": 0})


@pytest.mark.parametrize("probabilities, confidence", [(False, 101), (False, -1), (False, 0.5), (True, 1.5), (True, float("nan"))])
def test_a_confidence_out_of_range_is_an_error(probabilities: bool, confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        Calibration(probabilities).add(confidence, 1)
