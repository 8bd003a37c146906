"""p-values adjusted as statsmodels does, and letters that say exactly which models differ."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.stats.several import holm, letters

NAMES = "abcdef"


@pytest.mark.parametrize(
    ("values", "adjusted"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.2, 0.2, 0.001, 0.0499, 0.9], [0.6, 0.6, 0.005, 0.1996, 0.9]),
        ([0.03], [0.03]),
        ([0.5, 0.6, 0.7], [1.0, 1.0, 1.0]),
    ],
)
def test_holm_is_what_statsmodels_says(values: list[float], adjusted: list[float]) -> None:
    """Its `multipletests(values, method="holm")`, 0.15."""
    assert holm(values) == pytest.approx(adjusted)


def test_what_is_no_test_is_not_counted() -> None:
    assert holm([0.01, None, 0.04]) == [0.02, None, 0.04]
    assert holm([]) == []


@given(st.sets(st.sampled_from(list(combinations(NAMES, 2)))))
def test_two_models_share_a_letter_if_and_only_if_they_do_not_differ(differing: set[tuple[str, str]]) -> None:
    given_letters = letters(NAMES, differing)
    for one, other in combinations(NAMES, 2):
        assert bool(set(given_letters[one]) & set(given_letters[other])) == ((one, other) not in differing)
    assert all(given_letters.values())


def test_the_chain_of_neighbours_gets_the_letters_that_everybody_writes() -> None:
    assert letters("abcd", [("a", "c"), ("a", "d"), ("b", "d")]) == {"a": "a", "b": "ab", "c": "bc", "d": "c"}


def test_models_that_all_differ_or_never_do() -> None:
    assert letters("abc", list(combinations("abc", 2))) == {"a": "a", "b": "b", "c": "c"}
    assert letters("abc", []) == {"a": "a", "b": "a", "c": "a"}
    assert letters([], []) == {}


def test_after_z_letters_stand_in_brackets() -> None:
    names = [f"m{number}" for number in range(28)]
    given_letters = letters(names, list(combinations(names, 2)))
    assert (given_letters["m25"], given_letters["m26"], given_letters["m27"]) == ("z", "(aa)", "(ab)")
