"""What a simulated provider lets in, for each way of counting, with a clock that the tests set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.simulator.limits import Admission, Limiter, Limits, LimitSettings
from siuo_async.simulator.wire import Quota

KINDS = list(Limiter)


def limits(kind: Limiter = Limiter.SLIDING, **settings: Any) -> Limits:
    return Limits(LimitSettings(limiter=kind, **settings))


def told(admission: Admission) -> tuple[Quota, float | None]:
    return admission.quotas["requests"], admission.wait_s


def let_in(limited: Limits, times: Iterator[float] | list[float], **asked: Any) -> int:
    return sum(limited.admit("m", now, **asked).admitted for now in times)


def every(gap_s: float, start: float, end: float) -> list[float]:
    return [start + gap_s * number for number in range(round((end - start) / gap_s))]


def test_without_a_limit_everything_is_let_in_and_nothing_is_told() -> None:
    limited = limits()
    assert [limited.admit("m", 0.0, tokens=10**9, in_flight=10**6) for _ in range(3)] == [Admission(True)] * 3
    assert limited.allowed(0.0) is None


def test_the_window_is_full_after_its_share_of_the_minute() -> None:
    limited = limits(rpm=120, window_s=1.0)
    assert told(limited.admit("m", 10.0)) == (Quota(120, 119, 1.0), None)
    assert told(limited.admit("m", 10.5)) == (Quota(120, 118, 1.0), None)
    assert told(limited.admit("m", 10.75)) == (Quota(120, 118, 0.75), 0.25)


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_turned_away_does_not_use_the_limit(kind: Limiter) -> None:
    limited = limits(kind, rpm=60, window_s=1.0)
    limited.admit("m", 0.0)
    for tenth in range(1, 10):
        refused = limited.admit("m", tenth / 10)
        assert (refused.admitted, refused.by, refused.ceiling) == (False, "requests", 1)
        assert refused.wait_s == pytest.approx(1 - tenth / 10)
    assert limited.admit("m", 1.0).admitted


def test_models_have_windows_of_their_own() -> None:
    limited = limits(rpm=1)
    assert limited.admit("a", 0.0).admitted
    assert limited.admit("b", 0.0).admitted
    assert limited.admit("a", 1.0).wait_s == 59.0


def test_slots_count_the_requests_beside_this_one() -> None:
    limited = limits(concurrency=2)
    found = [limited.admit("m", 0.0, in_flight=others) for others in (0, 1, 2)]
    assert [(one.admitted, one.by, one.ceiling) for one in found] == [(True, None, None)] * 2 + [(False, "concurrency", 2)]


def test_a_request_without_a_slot_uses_no_window() -> None:
    limited = limits(concurrency=1, rpm=1)
    assert limited.admit("m", 0.0, in_flight=1).quotas["requests"].remaining == 1
    assert limited.admit("m", 0.0).admitted


def test_a_fixed_window_begins_again_at_its_edges_whenever_it_was_used() -> None:
    limited = limits(Limiter.FIXED, rpm=3, phase_s=50.0)
    assert let_in(limited, [40.0, 41.0, 42.0, 43.0]) == 3
    assert told(limited.admit("m", 44.0)) == (Quota(3, 0, 6.0), 6.0)
    assert let_in(limited, [50.0, 51.0, 52.0, 53.0]) == 3
    assert limited.admit("m", 60.0).wait_s == 50.0


def test_a_bucket_lets_a_burst_through_and_then_its_rate() -> None:
    limited = limits(Limiter.BUCKET, rpm=600, burst=5)
    assert let_in(limited, [0.0] * 20) == 5
    assert told(limited.admit("m", 0.05)) == (Quota(600, 595, pytest.approx(0.45)), pytest.approx(0.05))
    assert let_in(limited, every(0.01, 0.06, 10.06)) == 100


def test_a_bucket_holds_a_window_unless_told_otherwise() -> None:
    assert let_in(limits(Limiter.BUCKET, rpm=600, window_s=2.0), [0.0] * 100) == 20


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_waits_as_long_as_told_is_let_in(kind: Limiter) -> None:
    limited = limits(kind, rpm=100, tpm=7_000, phase_s=0.7)
    now = 0.3
    for _ in range(1_000):
        wait_s = limited.admit("m", now, tokens=77).wait_s
        if wait_s is not None:
            now += wait_s
            assert limited.admit("m", now, tokens=77).admitted


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_are_counted_as_requests_are(kind: Limiter) -> None:
    limited = limits(kind, tpm=1_000)
    assert limited.admit("m", 0.0, tokens=600).quotas == {
        "tokens": Quota(1_000, 400, pytest.approx(36.0 if kind is Limiter.BUCKET else 60.0))
    }
    refused = limited.admit("m", 0.0, tokens=600)
    assert (refused.by, refused.wait_s) == ("tokens", pytest.approx(12.0 if kind is Limiter.BUCKET else 60.0))
    assert limited.admit("m", 0.0, tokens=400).admitted


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_charged_too_much_is_given_back(kind: Limiter) -> None:
    limited = limits(kind, tpm=1_000)
    limited.admit("m", 0.0, tokens=900)
    limited.settle("m", 0.0, 900, 100, at=0.0)
    assert limited.admit("m", 0.0, tokens=900).quotas["tokens"].remaining == 0


@pytest.mark.parametrize("kind", [Limiter.FIXED, Limiter.SLIDING])
def test_nothing_is_given_back_of_what_the_window_has_forgotten(kind: Limiter) -> None:
    limited = limits(kind, tpm=1_000)
    limited.admit("m", 0.0, tokens=900)
    limited.admit("m", 60.0, tokens=900)
    limited.settle("m", 61.0, 900, 100, at=0.0)
    assert not limited.admit("m", 61.0, tokens=200).admitted
    limited.settle("m", 62.0, 900, 100, at=60.0)
    assert limited.admit("m", 62.0, tokens=200).admitted


def test_what_the_log_gives_back_is_gone_with_its_entry() -> None:
    limited = limits(tpm=1_000)
    limited.admit("m", 0.0, tokens=900)
    limited.settle("m", 30.0, 900, 100, at=0.0)
    assert limited.admit("m", 30.0, tokens=1).quotas["tokens"].remaining == 899
    assert limited.admit("m", 60.0, tokens=1).quotas["tokens"].remaining == 998


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_for_more_than_the_limit_passes_when_nothing_else_counts(kind: Limiter) -> None:
    limited = limits(kind, tpm=1_000)
    assert limited.admit("m", 0.0, tokens=1_500).admitted
    assert limited.admit("m", 1.0, tokens=1).by == "tokens"
    assert limited.admit("m", 120.0, tokens=1_500).admitted


def test_the_limit_that_stays_closed_longest_is_named() -> None:
    limited = limits(rpm=1, tpm=10, window_s=60.0)
    limited.admit("m", 0.0, tokens=0)
    assert limited.admit("m", 1.0, tokens=5).by == "requests"
    limited = limits(Limiter.BUCKET, rpm=6_000, tpm=10, burst=0)
    limited.admit("m", 0.0, tokens=10)
    assert limited.admit("m", 0.0, tokens=10).by == "tokens"


def test_a_days_stock_is_spent_until_the_day_is_over() -> None:
    limited = limits(rpd=3)
    assert let_in(limited, [100.0, 5_000.0, 9_000.0]) == 3
    refused = limited.admit("m", 10_000.0)
    assert (refused.by, refused.wait_s, refused.ceiling) == ("day", 86_400 - 9_900, 3)
    assert refused.quotas["requests_day"] == Quota(3, 0, 86_400 - 9_900)
    assert limited.admit("m", 100.0 + 86_400).admitted


@pytest.mark.parametrize("kind", [Limiter.FIXED, Limiter.SLIDING])
def test_a_lowered_limit_stays_closed_until_what_was_used_has_drained(kind: Limiter) -> None:
    limited = limits(kind, rpm=60, schedule=((30.0, 0.5),))
    assert let_in(limited, every(1.0, 0.0, 30.0)) == 30
    assert let_in(limited, every(1.0, 30.0, 60.0)) == 0
    assert let_in(limited, every(1.0, 60.0, 180.0)) == 60


def test_a_bucket_that_shrinks_keeps_what_it_has_room_for() -> None:
    limited = limits(Limiter.BUCKET, rpm=60, schedule=((10.0, 0.5),))
    limited.admit("m", 0.0)
    assert let_in(limited, [10.0] * 100) == 30
    assert limited.admit("m", 10.0).wait_s == 2.0


@pytest.mark.parametrize("kind", KINDS)
def test_a_limit_that_is_raised_again_lets_in_as_much(kind: Limiter) -> None:
    limited = limits(kind, rpm=60, schedule=((60.0, 0.5), (120.0, 2.0)))
    let_in(limited, every(0.1, 0.0, 120.0))
    assert [limited.allowed(now) for now in (0.0, 60.0, 119.0, 120.0)] == [1.0, 0.5, 0.5, 2.0]
    assert let_in(limited, every(0.1, 180.0, 240.0)) == pytest.approx(240 if kind is Limiter.BUCKET else 120, abs=1)


def test_the_schedule_counts_from_the_first_request_and_scales_slots_too() -> None:
    limited = limits(concurrency=10, schedule=((5.0, 0.5),))
    assert limited.admit("m", 1_000.0, in_flight=9).admitted
    assert limited.admit("m", 1_004.9, in_flight=9).admitted
    assert not limited.admit("m", 1_005.0, in_flight=5).admitted
    limited.reset()
    assert limited.admit("m", 1_005.0, in_flight=9).admitted


@pytest.mark.parametrize("kind", KINDS)
def test_another_client_leaves_what_it_does_not_use(kind: Limiter) -> None:
    limited = limits(kind, rpm=60, other_rpm=40, burst=1 if kind is Limiter.BUCKET else 0)
    assert limited.allowed(0.0) == pytest.approx(20 / 60)
    let_in(limited, every(0.05, 0.0, 60.0))
    assert let_in(limited, every(0.05, 60.0, 660.0)) == pytest.approx(200, abs=2)


def test_another_client_was_there_before_the_first_request() -> None:
    assert limits(rpm=60, other_rpm=40).admit("m", 1_000.0).quotas["requests"].remaining == 19


def test_hours_without_a_request_cost_nothing() -> None:
    limited = limits(rpm=60_000, other_rpm=30_000, window_s=1.0)
    limited.admit("m", 0.0)
    assert limited.admit("m", 1e9).quotas["requests"].remaining in (59_498, 59_499, 59_500)


def test_a_limit_of_tokens_allows_requests_of_the_mean_size() -> None:
    limited = limits(tpm=6_000, rpm=600)
    assert limited.allowed(0.0) == 10.0
    limited.admit("m", 0.0, tokens=300)
    limited.settle("m", 0.0, 300, 50)
    assert limited.allowed(0.0) == 2.0


TRAFFIC = st.lists(st.tuples(st.floats(0, 20), st.integers(0, 400), st.floats(0, 1)), max_size=200)


@given(traffic=TRAFFIC, rpm=st.integers(1, 100), tpm=st.integers(1, 1_000))
def test_no_window_ever_holds_more_than_its_limit(traffic: list[tuple[float, int, float]], rpm: int, tpm: int) -> None:
    limited, now, passed = limits(rpm=rpm, tpm=tpm), 0.0, list[tuple[float, int]]()
    for gap_s, tokens, _ in traffic:
        now += gap_s
        if limited.admit("m", now, tokens=tokens).admitted:
            passed.append((now, tokens))
        last = [tokens for at, tokens in passed if at > now - 60 + 1e-6]
        assert len(last) <= rpm
        assert sum(last) <= max([tpm, *last])


@given(traffic=TRAFFIC, kind=st.sampled_from(KINDS), factor=st.floats(0.1, 3), other=st.integers(0, 50))
def test_what_is_told_can_always_be_meant(traffic: list[tuple[float, int, float]], kind: Limiter, factor: float, other: int) -> None:
    limited = limits(kind, rpm=40, tpm=900, rpd=100, other_rpm=other, schedule=((100.0, factor), (200.0, 1.0)))
    now = 5.0
    for gap_s, tokens, share in traffic:
        now += gap_s
        found = limited.admit("m", now, tokens=tokens)
        assert (found.wait_s is None) == (found.by is None) == found.admitted
        assert found.wait_s is None or 0 < found.wait_s <= 86_400
        assert all(0 <= quota.remaining <= quota.limit and 0 <= quota.reset_s <= 86_400 for quota in found.quotas.values())
        if found.admitted:
            limited.settle("m", now, tokens, tokens * share)
