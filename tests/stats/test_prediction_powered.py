"""Rates corrected by people's labels: what is known by hand, by ppi_py itself, and at the edges."""

from __future__ import annotations

import random
import sys
import warnings

import numpy as np
import pytest

from siuo_async.errors import ConfigError
from siuo_async.stats.prediction_powered import corrected_mean, weighted_mean


def one_each(count: int) -> list[int]:
    """A sample for each."""
    return list(range(count))


def test_where_everything_is_labelled_the_figure_is_the_labels_mean_whatever_the_judge_says() -> None:
    labels = [1.0, 0.0, 1.0, 1.0] * 25
    found = corrected_mean(labels, [0.0] * 100, [0] * 100, one_each(100))
    assert found is not None
    assert found.value == pytest.approx(0.75)
    # Wilson's of 75 of 100
    assert (found.low, found.high) == pytest.approx((0.6570, 0.8245), abs=2e-4)


def test_strata_count_by_their_size_not_by_their_labels() -> None:
    # 80 units that the judge calls 1: 10 labelled, 9 of them 1; 20 that it calls 0: 10 labelled, 4 of them 1.
    predictions = [1.0] * 80 + [0.0] * 20
    labels: list[float | None] = [1.0] * 9 + [0.0] + [None] * 70 + [1.0] * 4 + [0.0] * 6 + [None] * 10
    found = corrected_mean(labels, predictions, [0] * 80 + [1] * 20, one_each(100))
    assert found is not None
    assert found.value == pytest.approx(0.8 * 0.9 + 0.2 * 0.4)


def test_in_one_stratum_it_says_what_ppi_py_says_of_labels_apart_from_the_rest() -> None:
    """A few labelled out of very many, one answer each: the case that ppi_py's own interval is made for."""
    from ppi_py import ppi_mean_ci

    lot = random.Random(4)
    truth = [float(lot.random() < 0.6) for _ in range(20_000)]
    judge = [value if lot.random() < 0.85 else 1 - value for value in truth]
    labels: list[float | None] = [*truth[:400], *[None] * 19_600]
    found = corrected_mean(labels, judge, [0] * 20_000, one_each(20_000))
    assert found is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        low, high = ppi_mean_ci(np.array(truth[:400]), np.array(judge[:400]), np.array(judge[400:]), alpha=0.05)
    assert found.low == pytest.approx(float(np.squeeze(low)), abs=0.006)
    assert found.high == pytest.approx(float(np.squeeze(high)), abs=0.006)
    assert 0.5 < found.lam < 0.9


def test_a_judge_that_says_nothing_of_the_truth_is_not_taken() -> None:
    lot = random.Random(5)
    truth = [float(lot.random() < 0.5) for _ in range(2000)]
    noise = [float(lot.random() < 0.5) for _ in range(2000)]
    labels: list[float | None] = [*truth[:200], *[None] * 1800]
    found = corrected_mean(labels, noise, [0] * 2000, one_each(2000))
    assert found is not None
    assert found.lam < 0.2
    assert found.value == pytest.approx(sum(truth[:200]) / 200, abs=0.03)


def test_a_good_judge_makes_the_interval_narrower_than_labels_alone() -> None:
    lot = random.Random(6)
    truth = [float(lot.random() < 0.5) for _ in range(2000)]
    judge = [value if lot.random() < 0.95 else 1 - value for value in truth]
    labels: list[float | None] = [*truth[:100], *[None] * 1900]
    found = corrected_mean(labels, judge, [0] * 2000, one_each(2000))
    alone = weighted_mean(truth[:100], [20.0] * 100, one_each(100))
    assert found is not None
    assert alone is not None
    assert found.high - found.low < 0.7 * (alone.high - alone.low)


def test_labels_that_all_agree_leave_an_interval() -> None:
    labels: list[float | None] = [1.0] * 10 + [None] * 490
    found = corrected_mean(labels, [1.0] * 500, [0] * 500, one_each(500))
    assert found is not None
    assert found.value == found.high == 1.0
    assert found.low < 0.95


def test_answers_of_one_sample_that_are_alike_count_as_fewer() -> None:
    lot = random.Random(7)
    truth = [value for _ in range(100) for value in [float(lot.random() < 0.5)] * 3]
    judge = [value if lot.random() < 0.9 else 1 - value for value in truth]
    labels = [value if lot.random() < 0.7 else None for value in truth]
    samples = [number // 3 for number in range(300)]
    together = corrected_mean(labels, judge, [0] * 300, samples)
    apart = corrected_mean(labels, judge, [0] * 300, one_each(300))
    assert together is not None
    assert apart is not None
    assert together.value == apart.value
    assert together.high - together.low > 1.4 * (apart.high - apart.low)


def test_a_scale_keeps_its_own_units() -> None:
    labels: list[float | None] = [3.0, 5.0, 4.0, 4.0] + [None] * 96
    found = corrected_mean(labels, [4.0] * 100, [0] * 100, one_each(100), low=1, high=5)
    assert found is not None
    assert found.value == pytest.approx(4.0)
    assert 1 <= found.low < 4 < found.high <= 5


def test_a_stratum_without_labels_is_taken_with_the_largest_that_has_some() -> None:
    labels: list[float | None] = [1.0, 0.0] + [None] * 8 + [None] * 5
    found = corrected_mean(labels, [1.0] * 15, [0] * 10 + [1] * 5, one_each(15))
    assert found is not None
    assert found.value == pytest.approx(0.5)


def test_without_any_label_there_is_no_figure() -> None:
    assert corrected_mean([None, None], [1.0, 0.0], [0, 0], [0, 1]) is None
    assert weighted_mean([], [], []) is None


def test_labels_alone_count_by_their_weights() -> None:
    found = weighted_mean([1.0, 1.0, 0.0, 0.0], [3.0, 3.0, 1.0, 1.0], one_each(4))
    assert found is not None
    assert found.value == pytest.approx(0.75)
    assert found.effective <= 64 / 20  # Kish's


def test_without_the_package_a_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ppi_py", None)
    with pytest.raises(ConfigError, match=r"pip install 'siuo-async\[labels\]'"):
        corrected_mean([1.0, None], [1.0, 1.0], [0, 0], [0, 1])
