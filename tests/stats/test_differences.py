"""The interval of a paired difference always has a width, and what could have been seen follows from how many samples differ."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm, t

from siuo_async.stats.differences import difference_interval, smallest_visible
from siuo_async.stats.paired import mcnemar
from siuo_async.stats.resampling import design

N = 167
ALONE = design([0] * N, range(N))


def votes(up: int, down: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([1.0] * up + [-1.0] * down + [0.0] * (N - up - down))


@pytest.mark.parametrize(("up", "down"), [(20, 8), (3, 0), (40, 35)])
def test_votes_have_the_interval_of_bonett_and_price(up: int, down: int) -> None:
    """By its formula: shares with one more discordant sample each way, out of two samples more."""
    p12, p21 = (up + 1) / (N + 2), (down + 1) / (N + 2)
    half = t.ppf(0.975, N - 1) * sqrt((p12 + p21 - (p12 - p21) ** 2) / (N + 2))
    assert difference_interval(votes(up, down), ALONE) == pytest.approx((p12 - p21 - half, p12 - p21 + half), abs=3e-4)


@given(st.integers(2, 60), st.integers(0, 30), st.integers(0, 30))
def test_no_interval_is_without_a_width(n: int, up: int, down: int) -> None:
    differences = ([1.0] * up + [-1.0] * down + [0.0] * n)[:n]
    low, high = difference_interval(differences, design([0] * n, range(n)))
    assert -1 <= low < high <= 1
    assert low <= sum(differences) / n <= high or n < 10


def test_models_that_never_differ_may_still_do_so_by_some_points() -> None:
    low, high = difference_interval(votes(0, 0), ALONE)
    assert high == -low == pytest.approx(0.0165, abs=1e-3)


def test_a_scale_has_the_interval_of_shares_in_its_own_points() -> None:
    differences = np.random.default_rng(1).integers(-3, 4, size=N).astype(float)
    low, high = difference_interval(differences / 4, ALONE)
    assert difference_interval(differences, ALONE, span=4) == pytest.approx((4 * low, 4 * high))


def test_samples_that_come_in_pairs_widen_the_interval() -> None:
    differences = np.repeat(np.random.default_rng(2).integers(-1, 2, size=84), 2)[:N].astype(float)
    alone, paired = (difference_interval(differences, design([0] * N, clusters)) for clusters in (range(N), np.arange(N) // 2))
    assert 1.25 < (paired[1] - paired[0]) / (alone[1] - alone[0]) < 1.45


def test_one_cluster_tells_nothing() -> None:
    assert difference_interval([0.5, 0.5], design([0, 0], [0, 0])) == (-1, 1)


def test_the_smallest_visible_difference_is_miettinens_where_p_is_one_half() -> None:
    """At p = 1/2 a difference changes p(1 - p) by its square alone, so that v is all but the share of samples that differ."""
    found = smallest_visible(votes(30, 30), ALONE, 0.5)
    assert found is not None
    v = 62 / (N + 2)
    alpha, beta = norm.ppf(0.975), norm.ppf(0.8)
    assert found * sqrt(N) == pytest.approx(alpha * sqrt(v) + beta * sqrt(v - found**2), rel=0.01)


@pytest.mark.parametrize(("differing", "share"), [(0.3, 0.5), (0.2, 0.75), (0.1, 0.9)])
def test_a_difference_of_that_size_is_found_four_times_out_of_five(differing: float, share: float) -> None:
    """Exact: all counts of samples that differ, with the chance of each to one side."""
    count = round(differing * N / 2)
    found = smallest_visible(votes(count, count), ALONE, share)
    assert found is not None
    within = 2 * count / N * (share * (1 - share) + (share - found) * (1 - share + found)) / (2 * share * (1 - share))
    up, down = (within + found**2 + found) / 2, (within + found**2 - found) / 2
    power = 0.0
    for m in range(N + 1):
        rejected = [k for k in range(m + 1) if mcnemar(k, m - k) <= 0.05]
        power += float(binom.pmf(m, N, up + down) * binom.pmf(rejected, m, up / (up + down)).sum())
    assert 0.77 <= power <= 0.87


def test_models_that_never_differ_leave_a_difference_that_could_have_been_seen() -> None:
    found = smallest_visible(votes(0, 0), ALONE, 1.0)
    assert found is not None
    assert 0.03 < found < 0.06


def test_more_samples_and_fewer_tests_see_smaller_differences() -> None:
    few, many = (smallest_visible(np.tile([1.0, -1.0, 0, 0, 0], n), design([0] * 5 * n, range(5 * n)), 0.7) for n in (20, 80))
    strict = smallest_visible(np.tile([1.0, -1.0, 0, 0, 0], 80), design([0] * 400, range(400)), 0.7, level=0.01)
    assert few is not None
    assert many is not None
    assert strict is not None
    assert many < strict < few


def test_too_few_samples_see_nothing() -> None:
    assert smallest_visible([1.0, -1.0, 0.0], design([0] * 3, range(3)), 0.5) is None
    assert smallest_visible([], design([], []), 0.5) is None
