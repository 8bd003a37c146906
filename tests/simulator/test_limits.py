"""Sliding windows and slots."""

from __future__ import annotations

from siuo_async.simulator.limits import Limits
from siuo_async.simulator.wire import Quota


def test_without_a_limit_everything_is_let_in_and_nothing_is_told() -> None:
    limits = Limits(0, 60, 0)
    assert [limits.admit("m", 0.0) for _ in range(3)] == [(None, None)] * 3


def test_the_window_is_full_after_its_share_of_the_minute() -> None:
    limits = Limits(120, 1.0, 0)
    assert limits.admit("m", 10.0) == (Quota(2, 1, 1.0), None)
    assert limits.admit("m", 10.5) == (Quota(2, 0, 1.0), None)
    assert limits.admit("m", 10.75) == (Quota(2, 0, 0.75), 0.25)


def test_a_request_turned_away_does_not_use_the_limit() -> None:
    limits = Limits(60, 1.0, 0)
    limits.admit("m", 0.0)
    for tenth in range(1, 10):
        assert limits.admit("m", tenth / 10)[1] is not None
    assert limits.admit("m", 1.0)[1] is None


def test_models_have_windows_of_their_own() -> None:
    limits = Limits(1, 60, 0)
    assert limits.admit("a", 0.0)[1] is None
    assert limits.admit("b", 0.0)[1] is None
    assert limits.admit("a", 1.0)[1] == 59.0


def test_slots_count_the_requests_beside_this_one() -> None:
    limits = Limits(0, 60, 2)
    assert [limits.has_slot(others) for others in (0, 1, 2)] == [True, True, False]
