"""Agreement of raters: alpha against another implementation, and what is said where it is undefined."""

from __future__ import annotations

import random
from collections.abc import Sequence

import krippendorff
import numpy as np
import pytest

from siuo_async.stats.agreement import agreed, alpha, counted


def ratings(seed: int, *, units: int, raters: int, values: int, missing: float, error: float) -> list[list[int | None]]:
    dice = random.Random(seed)
    found: list[list[int | None]] = []
    for _ in range(units):
        true = dice.randrange(values)
        said = [true if dice.random() >= error else dice.randrange(values) for _ in range(raters)]
        found.append([None if dice.random() < missing else value for value in said])
    return found


def theirs(given: Sequence[Sequence[int | None]]) -> float:
    data = np.array([[np.nan if value is None else value for value in unit] for unit in given], dtype=float).T
    return float(krippendorff.alpha(reliability_data=data, level_of_measurement="nominal"))


@pytest.mark.parametrize("raters, values, missing", [(2, 2, 0.0), (2, 3, 0.2), (3, 2, 0.1), (5, 4, 0.4), (3, 5, 0.0)])
@pytest.mark.parametrize("seed", range(4))
def test_alpha_is_what_another_implementation_says(seed: int, raters: int, values: int, missing: float) -> None:
    given = ratings(seed, units=40, raters=raters, values=values, missing=missing, error=0.3)
    assert alpha(counted(given)) == pytest.approx(theirs(given), abs=1e-12)


def test_alpha_of_the_textbooks_data_for_two_raters() -> None:
    """K. Krippendorff (2011), section B: ten units, two values."""
    a, b = (0, 1, 0, 0, 0, 0, 0, 0, 1, 0), (1, 1, 1, 0, 0, 1, 0, 0, 0, 0)
    found = agreed(list(zip(a, b, strict=True)), range(10))
    assert found.alpha == pytest.approx(0.095, abs=0.001)
    assert (found.n, found.agree, found.share) == (10, 6, 0.6)


def test_units_that_one_rater_alone_knows_count_nowhere() -> None:
    found = agreed([(1, 1), (0, 0), (1, None), (None, None), (0, 1)], range(5))
    assert (found.n, found.agree) == (3, 2)
    assert found.alpha == pytest.approx(theirs([(1, 1), (0, 0), (0, 1)]))


def test_of_one_value_alone_alpha_is_undefined() -> None:
    found = agreed([(1, 1)] * 20, range(20))
    assert (found.alpha, found.alpha_interval, found.share) == (None, None, 1.0)
    assert found.share_interval == (pytest.approx(0.839, abs=0.001), 1.0), "Wilson's, for twenty of twenty"


def test_of_nothing_nothing_is_said() -> None:
    assert agreed([], []).share is None
    assert agreed([(1, None)], [0]).alpha is None


def test_where_nobody_disagreed_alpha_is_not_certain() -> None:
    found = agreed([(1, 1)] * 10 + [(0, 0)] * 10, range(20))
    assert found.alpha == 1.0
    assert found.alpha_interval is not None
    assert 0.5 < found.alpha_interval[0] < 0.8


def test_answers_of_one_sample_are_no_further_evidence() -> None:
    given = ratings(7, units=60, raters=2, values=2, missing=0.0, error=0.3)
    alone = agreed(given, range(60))
    tripled = agreed([unit for unit in given for _ in range(3)], [number for number in range(60) for _ in range(3)])
    assert alone.alpha_interval is not None
    assert tripled.alpha_interval is not None
    assert tripled.alpha == pytest.approx(alone.alpha, abs=0.01)
    assert tripled.alpha_interval == pytest.approx(alone.alpha_interval, abs=0.03)
    assert tripled.share_interval == pytest.approx(alone.share_interval, abs=0.02)


def test_the_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Two raters who each err on 20% of 80 units: they agree on 68%, and half of the units are of each value, so alpha is 0.36."""
    hits = []
    for seed in range(200):
        dice = np.random.default_rng(seed)
        true = dice.integers(0, 2, 80)
        a, b = (true ^ (dice.random(80) < 0.2) for _ in range(2))
        found = agreed(list(zip(a.tolist(), b.tolist(), strict=True)), range(80), draws=500, seed=seed)
        assert found.share_interval is not None
        assert found.alpha_interval is not None
        hits.append(
            (found.share_interval[0] <= 0.68 <= found.share_interval[1], found.alpha_interval[0] <= 0.36 <= found.alpha_interval[1])
        )
    shares = np.mean(hits, axis=0)
    assert 0.91 <= shares[0] <= 0.99
    assert 0.89 <= shares[1] <= 0.99


def test_samples_must_be_told_of_every_unit() -> None:
    with pytest.raises(ValueError, match="2 units, but samples of 1"):
        agreed([(1, 1), (0, 0)], [0])
