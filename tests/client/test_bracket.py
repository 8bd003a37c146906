"""The search for a limit that nobody tells."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.client.bracket import (
    CHAIN_S,
    FIRST_REST_S,
    FIRST_STRIDE,
    FIRST_WHOLE_REST_S,
    LONGEST_REST_S,
    LONGEST_STRIDE,
    LONGEST_WHOLE_REST_S,
    NARROW,
    Bracket,
)

STEP_S = 0.25
LONG_AGO = 2 * CHAIN_S
"""So far apart, cuts do not belong together."""


def seconds_to_rise(bracket: Bracket) -> float:
    """How long the level must be held until it is raised."""
    for step in range(1, 10_000):
        if bracket.held(STEP_S):
            return step * STEP_S
    raise AssertionError("the level never rises")


def searched(limit: float, *, begin: float = 1.0, cuts: int = 40, **settings: object) -> Bracket:
    """After a search against a limit that turns away whatever is above it."""
    bracket = Bracket(begin, **settings)  # type: ignore[arg-type]
    now = 0.0
    for _ in range(cuts):
        while bracket.level <= limit:
            if bracket.narrow:
                return bracket
            now += seconds_to_rise(bracket)
        now += LONG_AGO
        bracket.rejected(now, bracket.level)
    return bracket


def test_a_level_that_holds_doubles_until_the_first_rejection() -> None:
    bracket = Bracket(2.0)
    levels = [bracket.level]
    for _ in range(4):
        seconds_to_rise(bracket)
        levels.append(bracket.level)
    assert levels == [2.0, 4.0, 8.0, 16.0, 32.0]


def test_a_level_that_was_held_too_shortly_stays() -> None:
    bracket = Bracket(2.0)
    wanted_s = seconds_to_rise(Bracket(2.0))
    assert not bracket.held(wanted_s - STEP_S)
    assert bracket.level == 2.0
    assert bracket.held(STEP_S)


def test_a_slow_rate_is_held_for_some_calls_and_not_only_for_some_seconds() -> None:
    assert seconds_to_rise(Bracket(0.1)) * 0.1 >= 2


def test_the_first_rejection_goes_back_to_what_held() -> None:
    bracket = Bracket(4.0)
    seconds_to_rise(bracket)
    bracket.rejected(0.0, 8.0)
    assert (bracket.level, bracket.bad, bracket.searching) == (4.0, 8.0, False)


def test_a_rejection_before_anything_held_halves_what_was_in_use() -> None:
    bracket = Bracket(8.0)
    bracket.rejected(0.0, 6.0)
    assert (bracket.level, bracket.bad) == (3.0, 6.0)


def test_between_what_held_and_what_was_turned_away_the_middle_is_next() -> None:
    bracket = Bracket(4.0)
    seconds_to_rise(bracket)
    bracket.rejected(0.0, 8.0)
    seconds_to_rise(bracket)
    assert bracket.level == 6.0


@pytest.mark.parametrize("limit", [0.3, 3.7, 55.0, 790.0])
def test_a_search_ends_just_below_the_limit(limit: float) -> None:
    bracket = searched(limit)
    assert limit * (1 - 2 * NARROW) <= bracket.level <= limit


@pytest.mark.parametrize("limit", [1, 2, 7, 100])
def test_a_search_of_whole_numbers_ends_at_the_limit(limit: int) -> None:
    bracket = searched(limit, whole=True, least=1)
    assert bracket.level == limit


def test_whole_levels_stay_whole() -> None:
    bracket = Bracket(5.0, whole=True, least=1)
    bracket.rejected(0.0, 5.0)
    for _ in range(20):
        assert bracket.level == int(bracket.level)
        seconds_to_rise(bracket)


def test_one_too_many_at_once_costs_one_slot() -> None:
    bracket = Bracket(16.0, whole=True, least=1)
    bracket.rejected(0.0, 13.0)
    assert bracket.level == 12.0


@pytest.mark.parametrize("level", [0.7, 3.3, 50.0, 60.0, 1_234.5])
def test_a_found_level_rests_before_its_upper_end_is_tried_again(level: float) -> None:
    bracket = Bracket(1.0)
    bracket.found(level)
    assert seconds_to_rise(bracket) >= FIRST_REST_S
    assert bracket.level == pytest.approx(level * (1 + NARROW))


@pytest.mark.parametrize(
    "whole, first_s, longest_s", [(False, FIRST_REST_S, LONGEST_REST_S), (True, FIRST_WHOLE_REST_S, LONGEST_WHOLE_REST_S)]
)
def test_the_rest_doubles_each_time_the_upper_end_is_turned_away(whole: bool, first_s: float, longest_s: float) -> None:
    bracket = Bracket(1.0, whole=whole)
    bracket.found(50.0)
    now, rests_s = 0.0, []
    for _ in range(6):
        rests_s.append(seconds_to_rise(bracket))
        now += LONG_AGO
        bracket.rejected(now, bracket.level)
        assert bracket.level == 50.0
    assert rests_s == [min(longest_s, first_s * 2**time) for time in range(6)]


def test_an_upper_end_that_holds_is_followed_by_ever_longer_strides() -> None:
    bracket = Bracket(1.0)
    bracket.found(50.0)
    seconds_to_rise(bracket)
    levels = [bracket.level]
    for _ in range(8):
        seconds_to_rise(bracket)
        levels.append(bracket.level)
    strides = [after / before - 1 for before, after in pairwise(levels)]
    assert strides[0] == pytest.approx(FIRST_STRIDE)
    assert strides == sorted(strides)
    assert strides[-1] == pytest.approx(bracket.longest_stride)
    assert strides[-1] <= LONGEST_STRIDE


def test_a_rejection_makes_the_next_stride_short_again() -> None:
    bracket = Bracket(1.0)
    bracket.found(50.0)
    for _ in range(6):
        seconds_to_rise(bracket)
    bracket.rejected(0.0, bracket.level)
    while not math.isinf(bracket.bad):
        seconds_to_rise(bracket)
    before = bracket.level
    seconds_to_rise(bracket)
    assert bracket.level / before - 1 == pytest.approx(FIRST_STRIDE)


def test_cuts_that_follow_each_other_go_deeper_each_time() -> None:
    bracket = Bracket(1.0)
    bracket.found(100.0)
    shares = []
    for cut in range(6):
        before = bracket.level
        bracket.rejected(cut * CHAIN_S / 2, before)
        shares.append(bracket.level / before)
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] <= 0.6


def test_cuts_that_are_far_apart_are_all_shallow() -> None:
    bracket = Bracket(1.0)
    bracket.found(100.0)
    for cut in range(6):
        before = bracket.level
        bracket.rejected(cut * LONG_AGO, before)
        assert bracket.level >= 0.85 * before


@pytest.mark.parametrize("begin, limit", [(100.0, 20.0), (64.0, 64.0 / 3)])
def test_a_level_far_above_its_limit_comes_down_in_a_few_cuts(begin: float, limit: float) -> None:
    bracket = Bracket(1.0)
    bracket.found(begin)
    cuts = 0
    while bracket.level > limit:
        cuts += 1
        bracket.rejected(cuts * CHAIN_S / 4, bracket.level)
    assert cuts <= 6


def test_at_its_ceiling_nothing_rises() -> None:
    bracket = Bracket(10.0, most=10.0)
    assert not any(bracket.held(100.0) for _ in range(50))
    assert bracket.level == 10.0


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("held"), st.floats(0.01, 100)),
        st.tuples(st.just("rejected"), st.floats(0, 1e5)),
        st.tuples(st.just("found"), st.floats(0.001, 1e5)),
    ),
    max_size=60,
)


@given(EVENTS, st.floats(0.02, 1e4), st.floats(1, 1e4), st.booleans())
def test_whatever_happens_a_level_stays_between_its_ends(
    events: list[tuple[str, float]], begin: float, most: float, whole: bool
) -> None:
    most = float(math.floor(most)) if whole else most
    least = 1.0 if whole else 1 / 60
    bracket = Bracket(begin, most=most, least=least, whole=whole)
    now = 0.0
    for what, number in events:
        now += number % 7
        match what:
            case "held":
                before = bracket.level
                rose = bracket.held(number)
                assert rose == (bracket.level > before) or bracket.level == before
            case "rejected":
                before = bracket.level
                bracket.rejected(now, min(number, before))
                assert bracket.level <= before
            case _:
                bracket.found(number)
        assert least <= bracket.level <= most
        assert math.isfinite(bracket.level)


def test_whatever_level_was_left_after_cuts_it_can_rise_again() -> None:
    bracket = Bracket(1.0)
    for cut in range(50):
        bracket.rejected(cut * 0.1, bracket.level)
    before = bracket.level
    for _ in range(200):
        seconds_to_rise(bracket)
    assert bracket.level > 100 * before
