"""Tokens per minute."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.client.budget import HOLDS_S, STARTS_WITH_S, TokenBudget

PER_S = 100.0


def budget() -> TokenBudget:
    return TokenBudget(PER_S, at=0.0)


def empty() -> TokenBudget:
    """A budget in which nothing is left."""
    spent = budget()
    spent.take(spent.balance)
    return spent


def test_it_starts_nearly_empty() -> None:
    assert budget().balance == PER_S * STARTS_WITH_S
    assert STARTS_WITH_S <= 1


def test_a_call_may_start_while_there_is_anything_and_go_into_debt() -> None:
    spent = budget()
    assert spent.wait_s(0.0) == 0.0
    spent.take(10 * PER_S)
    assert spent.balance < 0


def test_a_debt_is_waited_for_no_longer_than_it_takes() -> None:
    spent = empty()
    spent.take(3 * PER_S)
    assert spent.wait_s(0.0) == pytest.approx(3.0, abs=1e-3)
    assert spent.wait_s(2.0) == pytest.approx(1.0, abs=1e-3)


def test_who_waits_as_long_as_told_may_start() -> None:
    spent = empty()
    spent.take(1_234.5)
    assert spent.wait_s(spent.wait_s(0.0)) == 0.0


def test_idle_time_fills_it_no_further_than_it_holds() -> None:
    spent = empty()
    assert spent.wait_s(3_600.0) == 0.0
    assert spent.balance == PER_S * HOLDS_S


def test_settling_gives_back_what_a_call_did_not_use() -> None:
    spent = empty()
    spent.take(200.0)
    spent.settle(200.0, 50.0)
    assert spent.balance == -50.0


def test_settling_owes_what_a_call_used_beyond_its_estimate() -> None:
    spent = empty()
    spent.take(200.0)
    spent.settle(200.0, 500.0)
    assert spent.balance == -500.0


def test_giving_back_makes_no_more_than_it_holds() -> None:
    spent = budget()
    spent.settle(100 * PER_S, 0.0)
    spent.wait_s(1.0)
    assert spent.balance == PER_S * HOLDS_S


def test_draining_takes_what_is_left_and_forgives_no_debt() -> None:
    full, owing = budget(), empty()
    full.drain(1.0)
    assert full.balance == 0.0
    assert full.wait_s(1.0) > 0
    owing.take(500.0)
    owing.drain(1.0)
    assert owing.balance == -400.0


def test_another_limit_counts_from_now_on() -> None:
    spent = empty()
    spent.take(100.0)
    spent.change(10.0, 0.5)
    assert spent.balance == -50.0
    assert spent.wait_s(0.5) == pytest.approx(5.0, abs=1e-3)


def test_a_smaller_limit_holds_less() -> None:
    spent = budget()
    spent.wait_s(60.0)
    spent.change(1.0, 60.0)
    assert spent.balance == HOLDS_S


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 1_000), st.floats(0, 1_000)), min_size=1, max_size=40))
def test_what_is_spent_keeps_to_the_limit_whatever_the_estimates(calls: list[tuple[float, float, float]]) -> None:
    spent, now, used = budget(), 0.0, 0.0
    largest = max(max(estimate, really) for _, estimate, really in calls)
    for pause_s, estimate, really in calls:
        now += pause_s
        now += spent.wait_s(now)
        spent.take(estimate)
        spent.settle(estimate, really)
        used += really
        assert math.isfinite(spent.balance)
        assert used <= PER_S * (now + STARTS_WITH_S) + largest + 1e-6
