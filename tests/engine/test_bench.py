"""Which samples are judged a second time."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from siuo_async.engine.bench import drawn
from siuo_async.engine.order import balanced, in_file_order
from siuo_async.values import Sample

SIZES = {"a": 60, "b": 30, "c": 7, "d": 3}
SAMPLES = tuple(Sample(f"{name}{number}", (name,), "?", (), {}) for name, size in SIZES.items() for number in range(size))
SHARES = (0.05, 0.1, 1 / 3, 0.5, 0.9)


def chosen(share: float, *, seed: int = 0, limit: int | None = None, role: str = "check") -> set[str]:
    samples = balanced(SAMPLES, seed)[:limit]
    return {sample.id for sample, taken in zip(samples, drawn(samples, share, seed, role), strict=True) if taken}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", SHARES)
def test_each_category_gives_about_its_share(share: float, seed: int) -> None:
    by_category = Counter(name[0] for name in chosen(share, seed=seed))
    for name, size in SIZES.items():
        assert abs(by_category[name] - share * size) < 2
    assert abs(by_category.total() - share * len(SAMPLES)) < 4


@pytest.mark.parametrize("seed", range(5))
def test_a_larger_share_holds_the_smaller_one(seed: int) -> None:
    sets = [chosen(share, seed=seed) for share in (*SHARES, 1.0)]
    assert all(smaller < larger for smaller, larger in pairwise(sets))
    assert len(sets[-1]) == len(SAMPLES)


@pytest.mark.parametrize("limit", [10, 33, 99])
def test_a_grown_limit_keeps_what_was_chosen(limit: int) -> None:
    first = {sample.id for sample in balanced(SAMPLES, 0)[:limit]}
    assert chosen(0.3, limit=limit) == chosen(0.3) & first


def test_a_pattern_in_the_file_is_not_met_at_every_turn() -> None:
    samples = tuple(Sample(str(number), ("a",), "?", (), {}) for number in range(300))
    taken = drawn(in_file_order(samples), 0.25, 0, "check")
    assert all(15 <= sum(taken[start::4]) <= 23 for start in range(4))


def test_another_seed_or_role_chooses_others() -> None:
    assert chosen(0.3) != chosen(0.3, role="retest") != chosen(0.3, seed=1)
