"""Variances and draws that know categories and clusters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from siuo_async.stats.intervals import wilson
from siuo_async.stats.resampling import Design, Floats, bootstrap_means, design, mean_variance, share_interval

VALUES = np.random.default_rng(1).integers(0, 2, size=60).astype(float)


def drawn_once(values: Sequence[float] | Floats, drawn: Design, draws: int = 4000) -> Floats:
    column = np.asarray(values)[:, None]
    return bootstrap_means(column, np.ones_like(column), drawn, draws=draws, seed=3)


def test_one_category_of_single_samples_has_the_variance_of_any_mean() -> None:
    drawn = design([0] * 60, range(60))
    assert mean_variance(VALUES, drawn) == pytest.approx(VALUES.var(ddof=1) / 60)


def test_what_differs_between_categories_is_no_chance() -> None:
    values = [0.0] * 30 + [1.0] * 30
    assert mean_variance(values, design([0] * 30 + [1] * 30, range(60))) == 0
    assert mean_variance(values, design([0] * 60, range(60))) > 0


def test_categories_add_up_by_their_weights() -> None:
    by_hand = sum((part.size / 60) ** 2 * part.var(ddof=1) / part.size for part in (VALUES[:20], VALUES[20:]))
    assert mean_variance(VALUES, design([0] * 20 + [1] * 40, range(60))) == pytest.approx(by_hand)


def test_samples_that_are_copies_count_once() -> None:
    once = mean_variance(VALUES, design([0] * 60, range(60)))
    twice = mean_variance(np.repeat(VALUES, 2), design([0] * 120, np.arange(120) // 2))
    assert twice == pytest.approx(once)


def test_a_cluster_that_spans_categories_belongs_to_that_of_its_first_sample() -> None:
    found = design([0, 0, 1, 1, 1], [5, 6, 5, 8, 9])
    assert found.sizes == (2, 2)
    assert found.cluster_of[0] == found.cluster_of[2] < 2


def test_categories_of_a_single_cluster_are_taken_together() -> None:
    assert design([0, 0, 1, 2], range(4)).sizes == (2, 2)
    assert sorted(design([0, 0, 0, 1, 1, 2], range(6)).sizes) == [3, 3]
    assert design([0], [0]).sizes == (1,)
    assert mean_variance([1.0], design([0], [0])) is None


def test_draws_vary_as_the_formula_says() -> None:
    strata, clusters = np.repeat([0, 1, 2], 20), np.arange(60) // 2
    drawn = design(strata, clusters)
    variance = mean_variance(VALUES, drawn)
    assert variance is not None
    means = drawn_once(VALUES, drawn)[:, 0]
    assert means.mean() == pytest.approx(VALUES.mean(), abs=0.01)
    assert means.var(ddof=1) == pytest.approx(variance, rel=0.1)


def test_the_same_seed_draws_the_same_and_another_one_something_else() -> None:
    drawn, column = design([0] * 60, range(60)), VALUES[:, None]
    one, again, other = (bootstrap_means(column, np.ones_like(column), drawn, draws=50, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_columns_see_the_same_draws_so_that_a_constant_difference_stays_one() -> None:
    columns = np.stack([VALUES, VALUES + 2], axis=1)
    means = bootstrap_means(columns, np.ones_like(columns), design([0] * 60, range(60)), draws=100)
    assert np.allclose(means[:, 1] - means[:, 0], 2)


def test_unknown_samples_are_in_neither_sum() -> None:
    values, known = VALUES.copy(), np.ones(60)
    values[:30], known[:30] = 0, 0
    means = bootstrap_means(values[:, None], known[:, None], design([0] * 60, range(60)), draws=500)
    assert np.nanmean(means) == pytest.approx(VALUES[30:].mean(), abs=0.02)


def test_many_draws_are_made_in_parts_of_bounded_memory_without_changing_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    from siuo_async.stats import resampling

    drawn = design([0] * 60, range(60))
    monkeypatch.setattr(resampling, "_CHUNK", 60 * 7)
    means = drawn_once(VALUES, drawn, draws=100)
    assert means.shape == (100, 1)
    assert not np.isnan(means).any()


def test_one_cluster_cannot_be_resampled() -> None:
    with pytest.raises(ValueError, match="two clusters"):
        drawn_once([1.0, 0.0], design([0, 0], [0, 0]))


def test_the_interval_of_votes_is_wilsons() -> None:
    mean, n = VALUES.mean(), 60
    assert share_interval(mean, mean * (1 - mean) / n, n, n) == pytest.approx(wilson(mean * n, n))


@pytest.mark.parametrize("mean", [0.0, 1.0])
def test_the_interval_of_shares_that_are_all_alike_has_a_width(mean: float) -> None:
    assert share_interval(mean, 0.0, 60, 180) == wilson(60 * mean, 60)


def test_an_interval_without_a_known_variance_is_everything() -> None:
    assert share_interval(0.5, None, 1, 3) == (0, 1)
