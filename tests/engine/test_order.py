"""The order of samples: nested, balanced, seeded, and the same on every machine."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siuo_async.engine.order import balanced
from siuo_async.values import Sample
from tests.engine.samples import sample

SIZES = st.lists(st.integers(1, 30), min_size=1, max_size=9)


def samples(sizes: list[int]) -> list[Sample]:
    """Sorted by category, as the released files are."""
    return [sample(f"{category}-{number}", f"category {category}") for category, size in enumerate(sizes) for number in range(size)]


@given(SIZES, st.integers(0, 5), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=50)
def test_the_order_does_not_depend_on_the_order_in_the_file(sizes: list[int], seed: int, random: random.Random) -> None:
    given_order = samples(sizes)
    shuffled = random.sample(given_order, len(given_order))
    assert list(balanced(shuffled, seed)) == list(balanced(given_order, seed))
    assert Counter(each.id for each in balanced(shuffled, seed)) == Counter(each.id for each in given_order)


@given(SIZES, st.integers(0, 5))
@settings(deadline=None, max_examples=50)
def test_every_prefix_holds_each_category_in_about_its_share(sizes: list[int], seed: int) -> None:
    ordered = balanced(samples(sizes), seed)
    shares = {f"category {number}": size / len(ordered) for number, size in enumerate(sizes)}
    for length in range(len(ordered) + 1):
        held = Counter(each.category[0] for each in ordered[:length])
        assert all(abs(held[category] - share * length) <= 2 for category, share in shares.items())


def test_siuos_own_categories_are_balanced_to_about_one_sample() -> None:
    sizes = [17, 18, 29, 20, 21, 13, 20, 15, 14]
    for seed in range(20):
        ordered = balanced(samples(sizes), seed)
        for length in (10, 30, 50, 100):
            held = Counter(each.category[0] for each in ordered[:length])
            assert all(abs(held[f"category {n}"] - size * length / 167) < 1.5 for n, size in enumerate(sizes))


def test_another_seed_is_another_order() -> None:
    orders = {tuple(each.id for each in balanced(samples([10, 10]), seed)) for seed in range(10)}
    assert len(orders) == 10


@pytest.mark.parametrize(
    "seed, ids",
    [
        (0, ["1-0", "0-2", "2-0", "0-3", "1-1", "0-1", "0-0"]),
        (1, ["0-1", "1-1", "0-3", "0-0", "1-0", "0-2", "2-0"]),
    ],
)
def test_the_order_is_the_same_on_every_machine(seed: int, ids: list[str]) -> None:
    assert [each.id for each in balanced(samples([4, 2, 1]), seed)] == ids


def test_sub_categories_are_balanced_too() -> None:
    made = [Sample(f"{sub}{number}", ("wide", sub), "") for sub in "ab" for number in range(10)]
    assert Counter(each.category[1] for each in balanced(made, 0)[:10]) == Counter(a=5, b=5)


def test_nothing_has_an_order_too() -> None:
    assert list(balanced([], 0)) == []
