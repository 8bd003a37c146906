"""Paired tests say what published examples, other libraries and counting all flips say."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, permutation_test

from siuo_async.stats import paired
from siuo_async.stats.paired import mcnemar, sign_flip


def by_all_flips(differences: list[float]) -> float:
    """Slow and plain."""
    observed = abs(sum(differences))
    sums = [abs(sum(sign * each for sign, each in zip(signs, differences, strict=True))) for signs in flips(len(differences))]
    return sum(each >= observed - 1e-9 for each in sums) / len(sums)


def flips(length: int) -> itertools.product[tuple[int, ...]]:
    return itertools.product((1, -1), repeat=length)


def test_the_published_example_has_its_published_value() -> None:
    """Fagerland et al. 2013, table 1: 1 and 7 of 21 children; mid-p 0.039."""
    assert mcnemar(1, 7) == pytest.approx(0.0390625)
    assert mcnemar(7, 1) == mcnemar(1, 7)


@pytest.mark.parametrize(
    ("b", "c", "exact"),
    [(0, 5, 0.0625), (3, 9, 0.14599609375), (20, 41, 0.009853448195259268), (700, 800, 0.010559255466711506)],
)
def test_mid_p_is_the_exact_value_of_statsmodels_less_the_chance_of_what_was_seen(b: int, c: int, exact: float) -> None:
    """Its `mcnemar([[0, b], [c, 0]], exact=True)`, 0.15."""
    assert mcnemar(b, c) == pytest.approx(exact - binom.pmf(b, b + c, 0.5), rel=1e-9)


@pytest.mark.parametrize("count", [0, 1, 12])
def test_as_many_on_either_side_are_no_difference(count: int) -> None:
    assert mcnemar(count, count) == 1.0


def test_counts_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        mcnemar(-1, 2)


@given(st.lists(st.sampled_from([-1, -2 / 3, -1 / 3, 0, 1 / 3, 0.5, 1]), max_size=9))
def test_few_differences_are_tested_as_by_all_flips(differences: list[float]) -> None:
    assert sign_flip(differences) == pytest.approx(by_all_flips(differences))


def test_thirds_are_tested_as_scipy_tests_them() -> None:
    differences = np.random.default_rng(2).integers(-3, 5, size=14) / 3
    found = permutation_test((differences,), np.sum, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip(differences) == pytest.approx(float(found.pvalue))


def test_votes_are_tested_as_by_the_exact_binomial() -> None:
    differences = [1] * 30 + [-1] * 14 + [0] * 100
    assert sign_flip(differences) == pytest.approx(binomtest(14, 44).pvalue)


def test_samples_of_one_cluster_turn_together() -> None:
    differences, clusters = [1.0, 1.0, 1.0, 1.0, -1.0], [7, 7, 3, 3, 9]
    assert sign_flip(differences, clusters) == pytest.approx(by_all_flips([2.0, 2.0, -1.0]))
    assert sign_flip(differences, clusters) > sign_flip(differences)


def test_a_cluster_whose_samples_cancel_out_is_no_evidence() -> None:
    assert sign_flip([1.0, -1.0], [0, 0]) == 1.0
    assert sign_flip([]) == 1.0


def test_differences_without_a_common_step_are_drawn_with_a_seed() -> None:
    differences = np.random.default_rng(4).normal(0.5, 1, size=12)
    drawn = sign_flip(differences, seed=1)
    assert drawn == sign_flip(differences, seed=1)
    assert drawn == pytest.approx(by_all_flips(list(differences)), abs=4 * (0.25 / paired.DRAWS) ** 0.5)


def test_a_drawn_value_is_never_zero() -> None:
    differences = np.random.default_rng(5).uniform(1, 2, size=60)
    assert sign_flip(differences) == 1 / (paired.DRAWS + 1)


def test_twenty_thousand_samples_of_three_answers_are_exact() -> None:
    differences = np.array([1 / 3] * 10_100 + [-1 / 3] * 9_900)
    assert sign_flip(differences) == pytest.approx(binomtest(9_900, 20_000).pvalue, rel=1e-6)


def test_a_value_below_what_rounding_leaves_is_the_smallest_that_the_test_can_have() -> None:
    assert sign_flip([1.0] * 60) == pytest.approx(2.0**-59, rel=1)
    assert sign_flip([1.0] * 60) > 0
