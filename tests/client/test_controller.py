"""What a limit group may do, learnt from what a provider says and does."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.client.controller import (
    CAP_COOLDOWN_S,
    CONFIRMED_S,
    FIRST_COOLDOWN_S,
    FIRST_SLOTS,
    FREE_SLOTS,
    IDLE_S,
    LONG_HINT_S,
    LONGEST_COOLDOWN_S,
    MOST_SUSPICIONS,
    QUIET_AFTER_FAILURE_S,
    SHORTEST_HINT_S,
    START_PER_S,
    TOLD_SHARE,
    UNPROVEN_SLOTS,
    Cause,
    Ceilings,
    Controller,
    Source,
)
from siuo_async.client.limits import TICK_S
from siuo_async.client.told import DAY_S, HOUR_S, LONG_RESET_S
from siuo_async.providers.hints import LimitTold
from tests.client.toys import Bucket, Clock, Crowded, Minute, Rejected, World


class Client:
    """A controller, its clock, and what happens to its calls in a few words."""

    def __init__(self, ceilings: Ceilings | None = None, *, start_per_s: float | None = START_PER_S, proven: bool = True) -> None:
        self.clock = Clock()
        self.controller = Controller(ceilings, start_per_s=start_per_s, clock=self.clock, dice=lambda: 1.0)
        if proven:
            self.succeed()

    def succeed(self, calls: int = 1, in_flight: int = 1) -> None:
        for _ in range(calls):
            self.controller.started()
            self.controller.succeeded(self.clock.now, in_flight)

    def reject(self, in_flight: int = 1, hint_s: float | None = None, limit: str | None = None, *, after_s: float = 0.05) -> None:
        """A call starts when the cooldown is over and is turned away a moment later."""
        self.clock.now += self.controller.cooling_s + 0.001
        sent_at = self.clock.now
        self.controller.started()
        self.clock.now += after_s
        self.controller.rejected(sent_at, in_flight, hint_s, limit)

    def hold(self, seconds: float, cause: Cause) -> None:
        """`cause` holds callers back for so long."""
        for _ in range(round(seconds / TICK_S)):
            self.clock.now += TICK_S
            self.controller.tick(TICK_S, cause)

    def told(self, *limits: LimitTold) -> None:
        """A reply with these headers comes at once."""
        self.controller.started()
        self.controller.tell(limits, self.clock.now, self.controller.mark(1))

    @property
    def per_s(self) -> float:
        """The pace; there is one."""
        assert self.controller.calls_per_s is not None
        return self.controller.calls_per_s


def requests(
    limit: float | None, remaining: float | None = None, reset_s: float | None = None, window_s: float | None = None
) -> LimitTold:
    return LimitTold("requests", limit, remaining, reset_s, window_s)


def tokens(
    limit: float | None, remaining: float | None = None, reset_s: float | None = None, window_s: float | None = None
) -> LimitTold:
    return LimitTold("tokens", limit, remaining, reset_s, window_s)


# Slow start


def test_towards_a_stranger_the_pace_begins_slowly_and_doubles_while_it_holds_callers_back() -> None:
    client = Client()
    paces = [client.per_s]
    while len(paces) < 5:
        client.hold(TICK_S, Cause.PACE)
        if client.per_s != paces[-1]:
            paces.append(client.per_s)
    assert paces == [START_PER_S * 2**step for step in range(5)]


@pytest.mark.parametrize("cause", [Cause.NOTHING, Cause.SLOTS, Cause.TOKENS, Cause.COOLDOWN])
def test_a_pace_that_holds_nobody_back_does_not_grow(cause: Cause) -> None:
    client = Client()
    client.hold(120, cause)
    assert client.per_s == START_PER_S


@pytest.mark.parametrize("cause", [Cause.NOTHING, Cause.PACE, Cause.TOKENS, Cause.COOLDOWN])
def test_slots_that_are_not_all_in_use_do_not_grow(cause: Cause) -> None:
    client = Client()
    client.hold(120, cause)
    assert client.controller.slots == FIRST_SLOTS


def test_slots_double_while_all_are_in_use() -> None:
    client = Client()
    client.hold(60, Cause.SLOTS)
    assert client.controller.slots == FREE_SLOTS  # from here on only while that brings more answers


def test_a_server_of_this_machine_has_no_pace_until_it_asks_for_one() -> None:
    client = Client(start_per_s=None)
    client.succeed(50)
    assert client.controller.calls_per_s is None
    client.reject(limit="requests")
    assert client.controller.calls_per_s is not None


def test_until_the_first_success_few_are_in_flight() -> None:
    client = Client(proven=False)
    assert client.controller.slots == UNPROVEN_SLOTS
    client.succeed()
    assert client.controller.slots == FIRST_SLOTS


def test_trouble_of_the_provider_pauses_growth() -> None:
    client = Client()
    for _ in range(20):
        client.controller.failed()
        client.hold(QUIET_AFTER_FAILURE_S - TICK_S, Cause.PACE)
        client.controller.failed()
        client.hold(QUIET_AFTER_FAILURE_S - TICK_S, Cause.SLOTS)
    assert (client.per_s, client.controller.slots) == (START_PER_S, FIRST_SLOTS)
    client.hold(2 * QUIET_AFTER_FAILURE_S, Cause.PACE)
    assert client.per_s > START_PER_S


# The user's ceilings


def test_the_users_rate_is_the_pace_from_the_start_and_stays_it() -> None:
    client = Client(Ceilings(calls_per_s=20.0))
    assert client.per_s == 20
    client.hold(120, Cause.PACE)
    assert client.per_s == 20


def test_the_users_slots_are_the_slots_and_need_no_pace() -> None:
    client = Client(Ceilings(slots=300))
    assert (client.controller.slots, client.controller.calls_per_s) == (300, None)
    client.hold(120, Cause.SLOTS)
    assert client.controller.slots == 300
    assert client.controller.slots_source is Source.USER


def test_below_the_users_rate_a_rejection_is_learnt_from() -> None:
    client = Client(Ceilings(calls_per_s=20.0))
    client.succeed(40)
    client.reject(limit="requests")
    assert client.per_s < 20


@pytest.mark.parametrize("limit, per_s", [(600.0, 10.0 * TOLD_SHARE), (60_000.0, 20.0)])
def test_of_the_users_rate_and_the_told_one_the_lower_holds(limit: float, per_s: float) -> None:
    client = Client(Ceilings(calls_per_s=20.0))
    client.told(requests(limit, limit - 1))
    assert client.per_s == pytest.approx(per_s)


# Rejections and cooldowns


def test_one_episode_makes_one_cut_and_one_cooldown_however_many_were_turned_away() -> None:
    client = Client(start_per_s=100.0)
    sent_at = client.clock.now
    client.clock.now += 0.05
    client.controller.rejected(sent_at, 1, None, "requests")
    after_one = client.per_s
    for _ in range(60):
        client.clock.now += 0.001
        client.controller.rejected(sent_at, 1, None, "requests")
    assert client.per_s == after_one < 100
    assert client.controller.cooldowns == 1
    assert client.controller.cooling_s <= FIRST_COOLDOWN_S


def test_one_episode_of_too_many_at_once_costs_slots_once() -> None:
    client = Client()
    sent_at = client.clock.now
    client.clock.now += 0.05
    for _ in range(10):
        client.controller.rejected(sent_at, FIRST_SLOTS, None, "concurrency")
    assert client.controller.slots == FIRST_SLOTS - 1


def test_a_call_that_started_before_the_cut_tells_nothing_but_how_long_to_wait() -> None:
    client = Client(start_per_s=100.0)
    sent_at = client.clock.now
    client.clock.now += 0.05
    for hint_s in (1.0, 5.0, 2.0):
        client.controller.rejected(sent_at, 1, hint_s)
    assert client.controller.cooldowns == 1
    assert client.controller.cooling_s == 5.0


@pytest.mark.parametrize("limit", [None, "requests", "tokens", "day"])
def test_a_hint_is_obeyed(limit: str | None) -> None:
    client = Client()
    client.reject(hint_s=7.0, limit=limit)
    assert client.controller.cooling_s == 7.0


@pytest.mark.parametrize("hint_s", [0.0, SHORTEST_HINT_S / 2])
def test_a_hint_of_nothing_is_none(hint_s: float) -> None:
    client = Client()
    client.reject(hint_s=hint_s)
    assert client.controller.cooling_s >= FIRST_COOLDOWN_S / 2


def test_a_hint_of_too_many_at_once_is_obeyed_by_fewer_slots() -> None:
    client = Client()
    sent_at = client.clock.now
    client.clock.now += 0.05
    itself_waits_s = client.controller.rejected(sent_at, FIRST_SLOTS, 7.0, "concurrency")
    assert client.controller.slots < FIRST_SLOTS
    assert client.controller.cooling_s <= CAP_COOLDOWN_S + 1e-9
    assert itself_waits_s == 7.0


def test_where_all_wait_the_call_itself_has_nothing_more_to_wait_for() -> None:
    client = Client()
    sent_at = client.clock.now
    client.clock.now += 0.05
    assert client.controller.rejected(sent_at, 1, 7.0, "requests") == 0


def test_a_hint_that_proves_too_short_again_and_again_is_only_the_least_that_is_waited() -> None:
    client = Client()
    cooldowns_s = []
    for _ in range(8):
        client.reject(hint_s=1.0, limit="requests")
        cooldowns_s.append(client.controller.cooling_s)
    assert cooldowns_s[0] == 1.0
    assert cooldowns_s == sorted(cooldowns_s)
    assert 1.0 < cooldowns_s[-1] <= LONGEST_COOLDOWN_S


def test_cooldowns_without_a_hint_grow_up_to_a_bound_and_a_success_begins_anew() -> None:
    client = Client()
    cooldowns_s = []
    for _ in range(8):
        client.reject(limit="requests")
        cooldowns_s.append(client.controller.cooling_s)
    assert cooldowns_s == sorted(cooldowns_s)
    assert (cooldowns_s[0], cooldowns_s[-1]) == (FIRST_COOLDOWN_S, LONGEST_COOLDOWN_S)
    client.clock.now += client.controller.cooling_s + 1
    client.succeed()
    client.reject(limit="requests")
    assert client.controller.cooling_s == pytest.approx(FIRST_COOLDOWN_S)


def test_cooldowns_of_several_clients_are_spread_out() -> None:
    ends = set()
    for dice in (0.0, 0.3, 1.0):
        client = Client()
        client.controller._dice = lambda dice=dice: dice  # type: ignore[misc]
        client.reject(limit="requests")
        ends.add(client.controller.cooling_s)
    assert len(ends) == 3
    assert FIRST_COOLDOWN_S / 2 <= min(ends) <= max(ends) <= FIRST_COOLDOWN_S


def test_after_a_cooldown_one_call_asks_whether_it_is_over() -> None:
    client = Client()
    client.reject(hint_s=5.0, limit="requests")
    client.clock.now += 5.001
    assert client.controller.cooling_s == 0
    client.controller.started()
    assert client.controller.cooling_s > 0


def test_a_row_of_rejections_with_nothing_between_is_one_cut() -> None:
    client = Client(start_per_s=100.0)
    client.succeed(200)
    client.reject(limit="requests")
    after_one = client.per_s
    for _ in range(2):
        client.reject(limit="requests")
    assert client.per_s == after_one


def test_idle_time_is_no_time_of_being_limited() -> None:
    client = Client()
    client.clock.now += 5_000
    assert client.controller.limited_s == 0
    client.reject(after_s=0.0)
    client.clock.now += 100
    client.reject()
    assert client.controller.limited_s >= 100
    client.succeed()
    assert client.controller.limited_s == 0


# What a rejection means


def test_a_named_limit_of_requests_lowers_the_pace_and_no_slots() -> None:
    client = Client(start_per_s=50.0)
    client.reject(FIRST_SLOTS, limit="requests")
    assert client.per_s < 50
    assert client.controller.slots == FIRST_SLOTS


def test_a_named_limit_of_calls_at_once_lowers_the_slots_and_no_pace() -> None:
    client = Client(start_per_s=50.0)
    client.reject(FIRST_SLOTS, limit="concurrency")
    assert client.per_s == 50
    assert client.controller.slots < FIRST_SLOTS


@pytest.mark.parametrize("in_flight, hint_s", [(1, None), (FIRST_SLOTS, LONG_HINT_S)])
def test_alone_or_told_to_wait_long_it_is_the_pace_that_was_too_high(in_flight: int, hint_s: float | None) -> None:
    client = Client(start_per_s=50.0)
    client.reject(in_flight, hint_s)
    assert client.per_s < 50
    assert client.controller.slots == FIRST_SLOTS


def test_in_a_crowd_and_without_a_word_it_is_first_held_to_be_the_crowd() -> None:
    client = Client(start_per_s=50.0)
    client.reject(FIRST_SLOTS)
    assert client.per_s == 50
    assert client.controller.slots < FIRST_SLOTS


def test_a_crowd_that_was_no_reason_gets_its_slots_back() -> None:
    client = Client(start_per_s=50.0)
    client.reject(FIRST_SLOTS)
    client.succeed(3, in_flight=FIRST_SLOTS // 2)
    client.reject(FIRST_SLOTS // 2)
    assert client.controller.slots == FIRST_SLOTS
    assert client.per_s < 50


def test_a_crowd_is_not_suspected_for_ever() -> None:
    client = Client(start_per_s=50.0)
    for _ in range(MOST_SUSPICIONS + 1):
        client.reject(FIRST_SLOTS)
        client.succeed(3)
    assert client.per_s < 50


def test_a_crowd_is_certain_once_all_slots_were_in_use_and_nothing_was_turned_away() -> None:
    client = Client(start_per_s=50.0)
    client.reject(FIRST_SLOTS)
    client.succeed(3)
    client.hold(CONFIRMED_S + 2 * TICK_S, Cause.SLOTS)
    fewer = client.controller.slots
    for _ in range(MOST_SUSPICIONS + 2):
        client.clock.now += 30
        client.reject(fewer)
        client.succeed(3)
    assert client.per_s == 50
    assert client.controller.slots < fewer


@pytest.mark.parametrize("remaining, fewer_slots", [(500.0, True), (0.0, False)])
def test_headers_say_whether_the_pace_or_the_crowd_was_too_much(remaining: float, fewer_slots: bool) -> None:
    client = Client()
    client.told(requests(600.0, remaining, window_s=60.0))
    client.reject(FIRST_SLOTS)
    assert (client.controller.slots < FIRST_SLOTS) is fewer_slots


def test_where_tokens_are_counted_a_rejection_for_tokens_empties_the_budget_and_leaves_the_pace() -> None:
    client = Client(start_per_s=50.0)
    client.told(LimitTold("tokens", 6_000.0, 6_000.0, None, 60.0))
    client.clock.now += 60
    assert client.controller.tokens_wait_s() == 0
    client.reject(FIRST_SLOTS, limit="tokens")
    assert client.controller.tokens_wait_s() > 0
    assert (client.per_s, client.controller.slots) == (50, FIRST_SLOTS)


def test_where_nobody_counts_tokens_a_rejection_for_tokens_lowers_the_pace() -> None:
    client = Client(start_per_s=50.0)
    client.reject(FIRST_SLOTS, limit="tokens")
    assert client.per_s < 50
    assert client.controller.slots == FIRST_SLOTS


# What headers tell


def test_a_told_limit_is_taken_at_once_and_not_searched_for() -> None:
    client = Client()
    client.told(requests(1_200.0, 1_199.0, 0.05))
    assert client.per_s == pytest.approx(20 * TOLD_SHARE)
    assert client.controller.limit_of("requests") == (20.0, Source.HEADER)
    client.hold(120, Cause.PACE)
    assert client.per_s == pytest.approx(20 * TOLD_SHARE)


@pytest.mark.parametrize("limit", [60.0, 6_000.0])
def test_another_told_limit_is_followed(limit: float) -> None:
    client = Client()
    client.told(requests(1_200.0, 1_199.0))
    client.told(requests(limit, limit - 1))
    assert client.per_s == pytest.approx(limit / 60 * TOLD_SHARE)


def test_the_pace_gives_way_before_what_is_left_is_used_up() -> None:
    client = Client()
    client.told(requests(1_200.0, 3.0))
    assert client.per_s < 10


DAYS = [requests(200.0, 199.0, 5 * HOUR_S), requests(200.0, 199.0, 100.0, DAY_S), requests(5_000.0, 4_999.0, None, HOUR_S)]


@pytest.mark.parametrize("day", DAYS)
def test_a_limit_of_hours_is_a_stock_and_the_pace_is_searched_for_all_the_same(day: LimitTold) -> None:
    client = Client()
    client.told(day)
    assert client.per_s == START_PER_S
    assert client.controller.limit_of("requests") == (None, Source.UNKNOWN)
    assert list(client.controller.stocks().values()) == [(day.limit, day.remaining)]


def test_a_limit_that_turns_out_to_be_of_a_day_is_no_pace_any_more_but_there_is_one() -> None:
    client = Client()
    per_call_s = DAY_S / 14_400
    for used in range(1, 40):
        client.clock.now += 0.1
        client.told(requests(14_400.0, 14_400.0 - used, used * per_call_s))
    assert client.controller.stocks()
    assert client.per_s < 100


@pytest.mark.parametrize("day_first", [False, True])
def test_limits_of_a_minute_and_of_a_day_in_one_reply_are_kept_apart(day_first: bool) -> None:
    client = Client()
    minute, day = requests(600.0, 599.0, 0.1, 60.0), requests(14_400.0, 14_000.0, 5 * HOUR_S, DAY_S)
    for _ in range(3):
        client.told(*((day, minute) if day_first else (minute, day)))
    assert client.per_s == pytest.approx(10 * TOLD_SHARE)
    assert client.controller.limit_of("requests") == (10.0, Source.HEADER)
    assert list(client.controller.stocks().values()) == [(14_400.0, 14_000.0)]


def test_tokens_of_a_minute_and_of_a_month_in_one_reply_are_kept_apart() -> None:
    client = Client()
    for _ in range(3):
        client.told(tokens(60_000.0, 59_000.0, None, 60.0), tokens(10**9, 10**8, None, 30 * DAY_S))
    assert client.controller.limit_of("tokens") == (1_000.0, Source.HEADER)
    assert client.controller.budgets["tokens"].per_s == pytest.approx(1_000 * TOLD_SHARE)


def test_a_used_up_minute_is_waited_out_until_its_end() -> None:
    client = Client()
    ends = client.clock.now + 60
    for remaining in (500.0, 400.0, 300.0, 0.0):
        client.clock.now += 5
        client.told(requests(600.0, remaining, ends - client.clock.now))
    assert client.controller.cool_until == pytest.approx(ends)


def test_a_used_up_day_is_not_waited_out_in_silence() -> None:
    client = Client()
    ends = client.clock.now + 5 * HOUR_S
    for remaining in (500.0, 400.0, 300.0, 0.0):
        client.clock.now += 5
        client.told(requests(600.0, remaining, ends - client.clock.now, DAY_S))
    assert client.controller.cooling_s == 0


# Tokens


def test_told_tokens_make_a_budget_and_tokens_of_a_day_none() -> None:
    client = Client()
    assert not client.controller.counts_tokens
    client.told(LimitTold("output_tokens", 10**6, 10**5, 5 * HOUR_S, None))
    assert not client.controller.counts_tokens
    client.told(LimitTold("input_tokens", 6_000.0, 5_000.0, 1.0, None))
    assert list(client.controller.budgets) == ["input_tokens"]


def test_input_and_output_tokens_are_counted_apart() -> None:
    client = Client()
    client.told(LimitTold("input_tokens", 60_000.0, 60_000.0, 0.0, None), LimitTold("output_tokens", 600.0, 600.0, 0.0, None))
    client.controller.started((10.0, 100.0))
    mark = client.controller.mark(1)
    assert (mark.input_tokens, mark.output_tokens) == (10, 100)
    assert client.controller.tokens_wait_s() > 5  # 100 of 10 a second
    assert client.controller.budgets["input_tokens"].balance > 0


@pytest.mark.parametrize("limit, per_s", [(3_000.0, 50.0 * TOLD_SHARE), (60_000.0, 100.0)])
def test_of_the_users_tokens_and_the_told_ones_the_fewer_hold(limit: float, per_s: float) -> None:
    client = Client(Ceilings(tokens_per_s=100.0))
    client.told(tokens(limit, limit, 0.0, 60.0))
    client.hold(1.0, Cause.TOKENS)
    assert client.controller.budgets["tokens"].per_s <= per_s
    assert client.controller.budgets["tokens"].per_s == pytest.approx(per_s, rel=0.01)


def test_what_is_left_of_tokens_without_their_limit_leaves_the_users_budget_as_it_is() -> None:
    client = Client(Ceilings(tokens_per_s=100.0))
    before = client.controller.budgets["tokens"].per_s
    client.told(tokens(None, 0.0))
    client.hold(5.0, Cause.TOKENS)
    assert client.controller.budgets["tokens"].per_s == before


def test_settling_corrects_the_budget_and_the_count() -> None:
    client = Client(Ceilings(tokens_per_s=100.0))
    client.clock.now += 60
    client.controller.tokens_wait_s()
    before = client.controller.budgets["tokens"].balance
    client.controller.started((300.0, 200.0))
    client.controller.settled((300.0, 200.0), (310.0, 40.0))
    assert client.controller.budgets["tokens"].balance == before - 350
    assert client.controller.mark(0).tokens == 350


# What passed between two waits


@pytest.mark.parametrize("hint", [True, False])
def test_a_quota_that_is_used_up_and_given_back_is_what_passed_from_one_wait_to_the_next(hint: bool) -> None:
    client = Client(start_per_s=40.0)
    for _ in range(3):
        edge = client.clock.now + 60
        passed = 0
        while passed < 300:
            client.clock.now += 0.05 + client.controller.cooling_s
            client.succeed()
            passed += 1
        while client.clock.now + client.controller.cooling_s < edge:
            client.reject(hint_s=edge - client.clock.now if hint else None)
        client.clock.now = max(edge, client.controller.cool_until + 0.001)
    client.controller.started()
    assert client.controller.limit_of("requests") == (pytest.approx(5.0, rel=0.25), Source.LEARNT)


# Against toy servers, in virtual time


def world(server: Bucket | Crowded | Minute, *, start_per_s: float | None = START_PER_S, **settings: object) -> World:
    clock = Clock(1_020.0)  # at a minute's edge
    controller = Controller(start_per_s=start_per_s, clock=clock, dice=lambda: 0.5)
    return World(controller, clock, server.ask, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("per_s", [0.5, 2.0, 12.0, 40.0])
def test_a_rate_nobody_tells_is_found_and_used(per_s: float) -> None:
    found = world(Bucket(per_s)).run(150)
    assert found.let_in_per_s(60) >= 0.85 * per_s
    assert found.turned_away_share(60) <= 0.05


@pytest.mark.parametrize("most", [3, 16, 60])
@pytest.mark.parametrize("start_per_s", [None, START_PER_S])
def test_a_crowd_nobody_tells_is_found_and_used(most: int, start_per_s: float | None) -> None:
    found = world(Crowded(most), start_per_s=start_per_s).run(60)
    assert found.let_in_per_s(20) * found.latency_s >= 0.85 * most
    assert found.turned_away_share(20) <= 0.05


@pytest.mark.parametrize("share", [0.25, 0.6])
def test_a_rate_that_falls_is_followed_and_when_it_returns_so_does_the_pace(share: float) -> None:
    server = Bucket(30.0)
    lived = world(server).run(90)
    server.per_s = 30 * share
    lived.run(60)
    assert 0.85 * 30 * share <= lived.let_in_per_s(30)
    assert lived.turned_away_share(30) <= 0.05
    server.per_s = 30.0
    lived.run(60)
    assert lived.let_in_per_s(10) >= 0.85 * 30


def test_a_slow_rate_comes_back_too() -> None:
    server = Bucket(2.0)
    lived = world(server).run(90)
    server.per_s = 0.5
    lived.run(120)
    server.per_s = 2.0
    lived.run(300)
    assert lived.let_in_per_s(60) >= 0.85 * 2


def test_fewer_slots_are_followed_and_when_they_return_so_do_the_calls() -> None:
    server = Crowded(40)
    lived = world(server).run(60)
    server.most = 10
    lived.run(60)
    assert lived.let_in_per_s(20) * lived.latency_s >= 0.85 * 10
    server.most = 40
    lived.run(60)
    assert lived.let_in_per_s(10) * lived.latency_s >= 0.85 * 40


@pytest.mark.parametrize("hints", [False, True])
def test_a_quota_of_each_minute_is_used_up_without_a_storm(hints: bool) -> None:
    lived = world(Minute(300, hints=hints)).run(300)
    assert lived.let_in_per_s(180) >= 0.85 * 5
    assert lived.turned_away_share(180) <= 0.1


def test_a_told_limit_is_used_and_never_hit() -> None:
    server = Bucket(20.0, holds=40.0)

    def headers(now: float) -> Iterable[LimitTold]:
        return (requests(1_200.0, 1_200.0 * server.level / server.holds, (server.holds - server.level) / 20.0),)

    lived = world(server, headers=headers).run(60)
    assert lived.let_in_per_s(50) >= 0.95 * 20
    assert lived.turned_away == []


def test_a_provider_that_lets_nothing_through_for_a_while_is_found_again() -> None:
    server = Bucket(20.0)
    lived = world(server).run(60)
    lived.ask = lambda now, in_flight: Rejected()
    lived.run(120)
    asked = len(lived.turned_away)
    lived.ask = server.ask
    lived.run(120)
    assert asked <= 60
    assert lived.let_in_per_s(20) >= 0.85 * 20


# Whatever happens

SECONDS = st.floats(0, 200)
LIMIT = st.builds(
    LimitTold,
    st.sampled_from(["requests", "tokens", "input_tokens", "output_tokens"]),
    st.one_of(st.none(), st.floats(0.001, 1e9)),
    st.one_of(st.none(), st.floats(0, 1e9)),
    st.one_of(st.none(), st.floats(0, 7 * DAY_S)),
    st.sampled_from([None, 1.0, 60.0, HOUR_S, DAY_S]),
)
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), SECONDS),
        st.tuples(st.just("start"), st.one_of(st.none(), st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)))),
        st.tuples(st.just("succeed"), SECONDS),
        st.tuples(
            st.just("reject"),
            st.tuples(
                SECONDS,
                st.integers(1, 5_000),
                st.one_of(st.none(), st.floats(0, 900)),
                st.sampled_from([None, "requests", "tokens", "concurrency", "day"]),
            ),
        ),
        st.tuples(st.just("fail"), st.none()),
        st.tuples(st.just("tell"), st.lists(LIMIT, max_size=3)),
        st.tuples(st.just("settle"), st.tuples(st.floats(0, 1e6), st.floats(0, 1e6))),
        st.tuples(st.just("tick"), st.sampled_from(Cause)),
    ),
    max_size=50,
)
CEILINGS = st.builds(
    Ceilings,
    st.one_of(st.none(), st.floats(1e-3, 1e5)),
    st.one_of(st.none(), st.floats(1e-3, 1e8)),
    st.one_of(st.none(), st.integers(1, 5_000)),
)


@given(EVENTS, CEILINGS, st.sampled_from([None, START_PER_S]))
def test_whatever_happens_ceilings_hold_and_nothing_freezes(
    events: list[tuple[str, object]], ceilings: Ceilings, start_per_s: float | None
) -> None:
    client = Client(ceilings, start_per_s=start_per_s, proven=False)
    longest_s = max(LONGEST_COOLDOWN_S, LONG_RESET_S)
    for what, how in events:
        longest_s = max(longest_s, _happen(client, what, how))
        _check(client.controller, longest_s)


def _happen(client: Client, what: str, how: object) -> float:
    """Lets one event happen; the wait that it asks for."""
    controller, clock = client.controller, client.clock
    match what, how:
        case "pass", float(seconds):
            clock.now += seconds
        case "start", _:
            controller.started(how)  # type: ignore[arg-type]
        case "succeed", float(age_s):
            controller.succeeded(clock.now - age_s)
        case "reject", (age_s, in_flight, hint_s, limit):
            controller.rejected(clock.now - age_s, in_flight, hint_s, limit)
            return hint_s or 0.0
        case "fail", _:
            controller.failed()
        case "tell", list(limits):
            controller.tell(limits, clock.now - 0.5, controller.mark(3))
        case "settle", (estimate, used):
            controller.settled((estimate, estimate), (used, used))
        case "tick", Cause() as cause:
            clock.now += TICK_S
            controller.tick(TICK_S, cause)
    return 0.0


def _check(controller: Controller, longest_s: float) -> None:
    ceilings = controller.ceilings
    assert 1 <= controller.slots <= (ceilings.slots or math.inf)
    assert controller.calls_per_s is None or 0 < controller.calls_per_s <= (ceilings.calls_per_s or math.inf)
    assert controller.calls_per_s is not None or ceilings.calls_per_s is None
    assert math.isfinite(controller.cool_until)
    assert controller.cooling_s <= longest_s + 1e-6
    assert math.isfinite(controller.tokens_wait_s())
    if ceilings.tokens_per_s is not None:
        assert controller.counts_tokens
        assert controller.budgets["tokens"].per_s <= ceilings.tokens_per_s * (1 + 1e-9)


def answered_at(client: Client, per_s: float, seconds: float) -> None:
    """All slots are in use for so long, and so many answers come a second."""
    owed = 0.0
    for _ in range(round(seconds / TICK_S)):
        owed += per_s * TICK_S
        client.succeed(int(owed), in_flight=client.controller.slots)
        owed -= int(owed)
        client.hold(TICK_S, Cause.SLOTS)


def test_slots_stop_growing_where_more_at_once_brings_no_more_answers() -> None:
    client = Client()
    answered_at(client, 100.0, 60.0)  # whatever is in flight
    assert FREE_SLOTS <= client.controller.slots <= 4 * FREE_SLOTS


def test_slots_go_on_growing_where_more_at_once_brings_more_answers() -> None:
    client = Client()
    for _ in range(60):
        answered_at(client, client.controller.slots / 0.5, 1.0)  # half a second each, however many
    assert client.controller.slots > 16 * FREE_SLOTS


def test_rejections_with_other_trouble_or_long_idleness_between_them_are_not_nothing_but_rejections() -> None:
    client = Client()
    client.reject()
    client.clock.now += IDLE_S / 2
    client.controller.failed()
    assert client.controller.limited_s == 0
    client.reject()
    client.clock.now += 3 * IDLE_S
    client.reject()
    assert client.controller.limited_s < 1
