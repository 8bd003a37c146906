"""A limit as headers tell it, carried forward to now."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.client.told import DAY_S, HOUR_S, LEAST_SHARE, LONG_RESET_S, MINUTE_S, ToldLimit

LIMIT = 600.0
PER_S = LIMIT / MINUTE_S


@dataclass
class Replies:
    """Tells a limit reply by reply, as a server would to one client."""

    told: ToldLimit = field(default_factory=ToldLimit)
    used: float = 0.0

    def reply(
        self,
        at: float,
        remaining: float | None,
        reset_s: float | None = None,
        *,
        limit: float | None = LIMIT,
        window_s: float | None = None,
        sent_at: float | None = None,
    ) -> bool:
        self.used += 1
        sent_at = at if sent_at is None else sent_at
        return self.told.tell(limit, remaining, reset_s, window_s=window_s, now=at, sent_at=sent_at, mark=self.used)


def test_a_limit_without_another_word_is_one_per_minute() -> None:
    replies = Replies()
    assert replies.reply(0.0, 599, 0.1)
    assert replies.told.per_s == PER_S
    assert not replies.told.is_stock


def test_only_another_limit_is_news() -> None:
    replies = Replies()
    assert replies.reply(0.0, 599)
    assert not replies.reply(1.0, 400)
    assert replies.reply(2.0, 299, limit=300.0)
    assert replies.told.limit == 300


@pytest.mark.parametrize("limit, remaining", [(None, None), (-1.0, -1.0), (0.0, None)])
def test_what_is_missing_or_cannot_be_meant_changes_nothing(limit: float | None, remaining: float | None) -> None:
    replies = Replies()
    replies.reply(0.0, 599)
    assert not replies.reply(1.0, remaining, limit=limit)
    assert (replies.told.limit, replies.told.remaining) == (LIMIT, 599)


def test_where_only_what_is_left_is_told_nothing_gives_way() -> None:
    replies = Replies()
    replies.reply(0.0, 3, limit=None)
    assert replies.told.share(0.0, replies.used) == 1.0


def test_calls_that_started_since_the_reply_are_taken_off() -> None:
    replies = Replies()
    replies.reply(0.0, 500)
    assert replies.told.left(0.0, replies.used + 20) == 480


def test_a_reply_to_an_older_call_is_ignored() -> None:
    replies = Replies(used=10)
    replies.reply(1.0, 590)
    replies.told.tell(LIMIT, 595.0, None, window_s=None, now=2.0, sent_at=0.5, mark=5)
    assert replies.told.remaining == 590
    assert replies.told.left(2.0, replies.used) == 590


def test_nothing_gives_way_while_enough_is_left() -> None:
    replies = Replies()
    replies.reply(0.0, 500)
    assert replies.told.share(0.0, replies.used) == 1.0


def test_the_less_is_left_the_more_gives_way_but_never_all() -> None:
    shares = []
    for remaining in (20.0, 10.0, 4.0, 0.0):
        replies = Replies()
        replies.reply(0.0, remaining)
        shares.append(replies.told.share(0.0, replies.used))
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] < 0.2
    replies.told.remaining = 0.0
    assert replies.told.share(0.0, replies.used + 10_000) == LEAST_SHARE > 0


# Windows of hours and days


@pytest.mark.parametrize("window_s, stock", [(1.0, False), (MINUTE_S, False), (HOUR_S, True), (DAY_S, True)])
def test_the_name_of_a_header_says_what_a_limit_is_counted_over(window_s: float, stock: bool) -> None:
    replies = Replies()
    replies.reply(0.0, 599, 30.0, window_s=window_s)
    assert replies.told.is_stock is stock
    assert replies.told.per_s == LIMIT / window_s


@pytest.mark.parametrize("reset_s, window_s", [(LONG_RESET_S, MINUTE_S), (LONG_RESET_S + 1, HOUR_S), (5 * HOUR_S, DAY_S)])
def test_what_takes_hours_to_be_whole_again_is_no_limit_per_minute(reset_s: float, window_s: float) -> None:
    replies = Replies()
    replies.reply(0.0, 599, reset_s)
    assert replies.told.window_s == window_s


def test_a_day_stays_a_day_when_its_end_comes_near() -> None:
    replies = Replies()
    replies.reply(0.0, 599, 5 * HOUR_S)
    replies.reply(5 * HOUR_S - 10, 300, 10.0)
    assert replies.told.is_stock


def test_a_day_that_refills_evenly_shows_in_how_slowly_it_becomes_whole_again() -> None:
    replies = Replies()
    per_call_s = DAY_S / 14_400
    for used in range(1, 12):
        replies.reply(used * 0.1, 14_400 - used, used * per_call_s, limit=14_400.0)
    assert replies.told.is_stock
    assert replies.told.window_s == pytest.approx(DAY_S, rel=0.1)


def test_a_minute_that_refills_evenly_is_taken_for_no_day() -> None:
    replies = Replies()
    for used in range(1, 200):
        replies.reply(used * 0.01, LIMIT - used, used / PER_S)
    assert not replies.told.is_stock


# Fixed windows


def fixed_window(ends_at: float, until: float, remaining: float) -> Replies:
    """Replies of a window that ends then; the last says that so many are left."""
    replies, at = Replies(), 0.0
    while at < until:
        replies.reply(at, 300, ends_at - at)
        at += 2.0
    replies.reply(until, remaining, ends_at - until)
    return replies


def test_a_window_whose_resets_name_one_moment_is_whole_again_at_that_moment() -> None:
    replies = fixed_window(60.0, until=40.0, remaining=7)
    assert replies.told.left(59.0, replies.used) == 7
    assert replies.told.left(60.5, replies.used) == LIMIT


def test_a_fixed_window_that_is_used_up_is_closed_until_it_ends() -> None:
    replies = fixed_window(60.0, until=40.0, remaining=0)
    assert replies.told.opens_at(41.0, replies.used) == pytest.approx(60.0)
    assert replies.told.opens_at(61.0, replies.used) is None


def test_a_fixed_window_with_something_left_is_open() -> None:
    replies = fixed_window(60.0, until=40.0, remaining=5)
    assert replies.told.opens_at(41.0, replies.used) is None
    assert replies.told.opens_at(41.0, replies.used + 5) is not None


def test_resets_that_move_on_are_no_end_of_a_window() -> None:
    replies = Replies()
    for second in range(0, 40, 2):
        replies.reply(second, 0, 30.0)
    assert replies.told.opens_at(40.0, replies.used) is None


def test_a_fixed_window_is_known_again_after_its_end() -> None:
    replies = fixed_window(60.0, until=58.0, remaining=0)
    for second in range(62, 80, 2):
        replies.reply(second, 0, 120.0 - second)
    assert replies.told.opens_at(80.0, replies.used) == pytest.approx(120.0)


def test_a_used_up_day_is_not_waited_for() -> None:
    """The server's next rejection says how long to wait, and that is held against what the user waits at most."""
    replies = fixed_window(5 * HOUR_S, until=40.0, remaining=0)
    assert replies.told.opens_at(41.0, replies.used) is None


def test_a_minute_whose_reset_is_hours_away_is_not_waited_for() -> None:
    replies = Replies()
    for second in range(0, 40, 2):
        replies.reply(second, 0, 5 * HOUR_S - second, window_s=MINUTE_S)
    assert replies.told.opens_at(40.0, replies.used) is None


# What comes back


def refilled(others_per_s: float, remaining: float = 400.0, seconds: int = 20) -> Replies:
    """Ten replies a second of an evenly refilled limit that others use too."""
    replies = Replies()
    for tenth in range(seconds * 10):
        remaining += (PER_S - others_per_s) * 0.1 - 1
        replies.reply(tenth * 0.1, round(remaining), 10.0 + tenth * 0.001)
    return replies


@pytest.mark.parametrize("others_per_s", [0.0, 4.0, 8.0])
def test_what_comes_back_is_measured_and_what_others_use_is_taken_off(others_per_s: float) -> None:
    replies = refilled(others_per_s)
    now = 20.0
    gain = replies.told.left(now + 1, replies.used) - replies.told.left(now, replies.used)
    assert gain == pytest.approx(PER_S - others_per_s, rel=0.15)


def test_with_another_client_the_pace_gives_way_to_what_that_leaves() -> None:
    replies = refilled(6.0, remaining=121.0)
    share = replies.told.share(20.0, replies.used)
    assert share == pytest.approx((PER_S - 6.0) / PER_S, abs=0.15)


def test_the_edge_of_a_fixed_window_is_no_refill() -> None:
    replies = Replies()
    for second in range(10):
        replies.reply(second, 100 - second)
    replies.reply(10.0, 400)
    assert replies.told.left(11.0, replies.used) - replies.told.left(10.0, replies.used) <= 0.1 * PER_S


HEADERS = st.tuples(
    st.floats(0, 100),
    st.one_of(st.sampled_from([None, -1.0, 0.0]), st.floats(0.001, 1e6)),
    st.one_of(st.none(), st.floats(-1, 1e6)),
    st.one_of(st.none(), st.floats(0, 7 * DAY_S)),
    st.one_of(st.none(), st.sampled_from([60.0, 300.0, 5 * HOUR_S])),
    st.sampled_from([None, 1.0, MINUTE_S, HOUR_S, DAY_S]),
    st.integers(0, 50),
)


@given(st.lists(HEADERS, min_size=1, max_size=30))
def test_whatever_headers_say_something_may_always_pass(
    replies: list[tuple[float, float | None, float | None, float | None, float | None, float | None, int]],
) -> None:
    told, now = ToldLimit(), 0.0
    for pause_s, limit, remaining, reset_s, edge, window_s, mark in replies:
        now += pause_s
        reset_s = reset_s if edge is None else edge - now % edge  # the end of a fixed window
        told.tell(limit, remaining, reset_s, window_s=window_s, now=now, sent_at=now - 0.5, mark=mark)
        assert LEAST_SHARE <= told.share(now, 50) <= 1
        opens = told.opens_at(now, 50)
        assert opens is None or now < opens <= now + LONG_RESET_S


def test_one_reset_of_hours_does_not_make_a_stock_for_good() -> None:
    replies = Replies()
    replies.reply(0.0, 500, reset_s=10_000.0)
    assert replies.told.is_stock
    for second in range(1, 5):
        replies.reply(float(second), 500, reset_s=10.0)
    assert replies.told.window_s == MINUTE_S


def test_a_stock_of_the_day_stays_one_while_it_refills_evenly() -> None:
    replies = Replies()
    for second in range(100):
        replies.reply(float(second), LIMIT - second, reset_s=second * DAY_S / LIMIT)
    assert replies.told.is_stock


def test_a_sliding_window_that_is_told_in_whole_seconds_is_no_stock() -> None:
    replies = Replies()
    for at, (used, reset_s) in enumerate([(200, 60.0), (210, 60.5), (224, 61.0)]):
        replies.reply(float(at), LIMIT - used, reset_s=reset_s)
    assert not replies.told.is_stock


def test_limits_that_alternate_do_not_look_like_somebody_elses_use() -> None:
    replies = Replies()
    for second in range(60):
        limit, remaining = (600.0, 500) if second % 2 else (60.0, 10)
        replies.reply(float(second), remaining, limit=limit)
    assert replies.told.share(60.0, replies.used) == 1.0
