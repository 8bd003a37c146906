"""The door of a limit group."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siuo_async.client.controller import FIRST_COOLDOWN_S, UNPROVEN_SLOTS, Cause, Ceilings, Controller
from siuo_async.client.halt import Halt
from siuo_async.client.limits import TICK_S, LimitGroup, Priority, Tokens
from siuo_async.client.pace import Pace, ThrottlerPace
from siuo_async.errors import StoppedEarly
from siuo_async.providers.hints import LimitTold
from tests.client.toys import Clock
from tests.performance.virtual_time import virtual_loop

GENERATION, JUDGE = Priority.GENERATION, Priority.JUDGE


def group_of(
    slots: int,
    *,
    clock: Callable[[], float] | None = None,
    calls_per_s: float | None = None,
    tokens_per_s: float | None = None,
    pace: Callable[[float], Pace] = ThrottlerPace,
    proven: bool = True,
) -> LimitGroup:
    """A group with the user's limits."""
    clock = clock or Clock()
    group = LimitGroup("g", Controller(Ceilings(calls_per_s, tokens_per_s, slots), clock=clock), pace=pace, clock=clock)
    group.controller.proven = proven
    return group


def in_virtual_time(live: Callable[[Callable[[], float]], Awaitable[None]]) -> None:
    """Lives through minutes of waiting in no time."""
    with virtual_loop() as loop:
        loop.run_until_complete(live(loop.time))


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class Crowd:
    """Callers that note the order in which they are let in."""

    def __init__(self, group: LimitGroup) -> None:
        self.group = group
        self.inside: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def arrive(self, name: str, priority: Priority = GENERATION, halt: Halt | None = None, order: int = 0) -> None:
        async def come() -> None:
            await self.group.enter(priority, halt or Halt(), order)
            self.inside.append(name)

        self.tasks[name] = asyncio.create_task(come())
        await settle()

    async def leave(self, times: int = 1) -> None:
        for _ in range(times):
            self.group.leave()
            await settle()


async def test_no_more_are_inside_than_there_are_slots() -> None:
    crowd = Crowd(group_of(3))
    for name in "abcde":
        await crowd.arrive(name)
    assert crowd.inside == ["a", "b", "c"]
    assert crowd.group.waiting == 2
    await crowd.leave(2)
    assert crowd.inside == ["a", "b", "c", "d", "e"]


async def test_four_are_inside_until_the_first_success_and_all_slots_are_used_after_it() -> None:
    crowd = Crowd(group_of(16, proven=False))
    for number in range(20):
        await crowd.arrive(str(number))
    assert len(crowd.inside) == UNPROVEN_SLOTS == 4
    crowd.group.succeeded(0.0)
    await settle()
    assert len(crowd.inside) == 16


async def test_fewer_slots_than_four_stay_fewer() -> None:
    crowd = Crowd(group_of(2, proven=False))
    for name in "abc":
        await crowd.arrive(name)
    assert crowd.inside == ["a", "b"]


async def test_judges_go_first_then_the_lowest_order_then_who_came_first() -> None:
    crowd = Crowd(group_of(1))
    await crowd.arrive("inside")
    await crowd.arrive("late sample", order=9)
    await crowd.arrive("early sample", order=1)
    await crowd.arrive("early sample again", order=1)
    await crowd.arrive("judge 2", JUDGE, order=7)
    await crowd.arrive("judge 1", JUDGE, order=3)
    await crowd.leave(5)
    assert crowd.inside[1:] == ["judge 1", "judge 2", "early sample", "early sample again", "late sample"]


async def test_a_newcomer_does_not_overtake_those_who_wait() -> None:
    crowd = Crowd(group_of(1))
    for name in "abc":
        await crowd.arrive(name)
    crowd.group.leave()
    await crowd.arrive("d")
    assert crowd.inside == ["a", "b"]


def reject(group: LimitGroup, clock: Clock, hint_s: float | None = None, limit: str | None = None) -> float:
    """A call that was let in a moment ago is turned away."""
    return group.rejected(clock.now - 0.05, group.mark(), hint_s, limit)


def test_a_cooldown_holds_everybody_until_the_groups_own_timer_ends_it() -> None:
    async def live(now: Callable[[], float]) -> None:
        crowd = Crowd(group_of(4, clock=now))
        crowd.group.rejected(now() - 0.05, crowd.group.mark(), 7.0)
        began = now()
        await crowd.arrive("a")
        await crowd.arrive("b", JUDGE)
        assert crowd.inside == []
        assert crowd.group.cause is Cause.COOLDOWN
        assert crowd.group.cooling_s == pytest.approx(7.0)
        await crowd.tasks["b"]
        assert 7.0 <= now() - began <= 7.1
        await crowd.tasks["a"]
        assert crowd.inside == ["b", "a"]
        crowd.group.close()

    in_virtual_time(live)


async def test_one_episode_makes_one_cooldown_however_many_were_rejected() -> None:
    clock = Clock()
    group = group_of(64, clock=clock)
    started = clock.now
    for _ in range(64):
        clock.now += 0.001
        group.rejected(started, group.mark())
    assert group.controller.cooldowns == 1
    assert group.cooling_s <= FIRST_COOLDOWN_S


async def test_hints_of_one_episode_lengthen_one_cooldown() -> None:
    clock = Clock()
    group = group_of(64, clock=clock)
    for hint_s in (1.0, 5.0, 2.0):
        group.rejected(clock.now - 1, group.mark(), hint_s)
    assert group.controller.cooldowns == 1
    assert group.cooling_s == 5.0


async def test_of_too_many_at_once_the_rejected_call_alone_waits_long() -> None:
    clock = Clock()
    crowd = Crowd(group_of(8, clock=clock))
    for name in "abcdefgh":
        await crowd.arrive(name)
    assert reject(crowd.group, clock, 7.0, "concurrency") == 7.0
    assert crowd.group.slots == 7
    assert crowd.group.cooling_s < 1.0


async def test_waiters_of_a_halted_endpoint_leave_and_others_stay() -> None:
    crowd, halted, going = Crowd(group_of(1)), Halt(), Halt()
    await crowd.arrive("inside")
    await crowd.arrive("halted", halt=halted)
    await crowd.arrive("going", halt=going)
    halted.set(StoppedEarly("enough"))
    crowd.group.release_halted()
    with pytest.raises(StoppedEarly, match="enough"):
        await crowd.tasks["halted"]
    assert crowd.group.waiting == 1
    await crowd.leave()
    assert crowd.inside == ["inside", "going"]


async def test_a_halted_endpoint_does_not_even_queue() -> None:
    halt = Halt()
    halt.set(StoppedEarly("enough"))
    group = group_of(4)
    with pytest.raises(StoppedEarly, match="enough"):
        await group.enter(GENERATION, halt)
    assert group.in_use == group.waiting == 0


async def test_who_was_let_in_but_halted_before_waking_up_gives_the_slot_back() -> None:
    crowd, halt = Crowd(group_of(1)), Halt()
    await crowd.arrive("inside")
    await crowd.arrive("next", halt=halt)
    crowd.group.leave()  # lets it in
    halt.set(StoppedEarly("enough"))
    crowd.group.release_halted()
    with pytest.raises(StoppedEarly):
        await crowd.tasks["next"]
    assert crowd.group.in_use == 0


async def test_who_is_cancelled_in_the_tick_in_which_it_is_let_in_gives_the_slot_back() -> None:
    crowd = Crowd(group_of(1))
    await crowd.arrive("inside")
    await crowd.arrive("next")
    crowd.group.leave()
    crowd.tasks["next"].cancel()
    await settle()
    assert crowd.inside == ["inside"]
    assert crowd.group.in_use == 0


STEPS = st.lists(
    st.tuples(st.sampled_from(["arrive", "judge", "leave", "cancel", "halt", "limited", "succeed", "tick"]), st.integers(0, 9))
)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(1, 6), st.booleans())
def test_no_interleaving_leaks_a_slot_or_leaves_one_unused(steps: list[tuple[str, int]], slots: int, paced: bool) -> None:
    asyncio.run(_interleave(steps, slots, paced))


class Instant:
    """A pace that only yields."""

    rate_per_s = 1e9

    async def turn(self) -> None:
        await asyncio.sleep(0)


async def _interleave(steps: list[tuple[str, int]], slots: int, paced: bool) -> None:
    clock = Clock()
    group = group_of(slots, clock=clock, calls_per_s=1e9 if paced else None, pace=lambda _: Instant(), proven=False)
    halts = [Halt() for _ in range(3)]
    inside: list[asyncio.Event] = []
    tasks: list[asyncio.Task[None]] = []

    async def live(priority: Priority, halt: Halt) -> None:
        await group.enter(priority, halt)
        done = asyncio.Event()
        inside.append(done)
        try:
            await done.wait()
        finally:
            inside.remove(done)
            group.leave()

    for what, number in steps:
        match what:
            case "arrive" | "judge":
                priority = JUDGE if what == "judge" else GENERATION
                tasks.append(asyncio.create_task(live(priority, halts[number % 3])))
            case "leave" if inside:
                inside[number % len(inside)].set()
            case "cancel" if tasks:
                tasks[number % len(tasks)].cancel()
            case "halt" if number < 2:  # the third goes on
                halts[number].set(StoppedEarly("enough"))
                group.release_halted()
            case "limited":
                group.rejected(clock.now - number / 10, group.mark(), 0.5, [None, "requests", "concurrency"][number % 3])
            case "succeed":
                group.succeeded(clock.now)
            case _:
                clock.now += 0.3
                await settle() if number % 2 else await asyncio.sleep(0)
        assert group.in_use <= slots
        if group.cooling_s == 0:
            group._cooled()  # as its timer would, on this clock
    for _ in range(len(tasks) + 2):
        clock.now += 10
        group._cooled()
        await settle()
        for done in inside:
            done.set()
    await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
    await settle()
    assert group.in_use == 0
    assert group.waiting == 0
    group.close()


async def test_many_callers_with_random_fates_leave_nothing_behind() -> None:
    dice = random.Random(7)
    group = group_of(5)

    async def live() -> None:
        await group.enter(dice.choice([JUDGE, GENERATION]), Halt())
        try:
            assert group.in_use <= 5
            await asyncio.sleep(dice.choice([0, 0, 0.0005]))
        finally:
            group.leave()

    tasks = [asyncio.create_task(live()) for _ in range(300)]
    for _ in range(60):
        await asyncio.sleep(0)
        dice.choice(tasks).cancel()
    await asyncio.wait(tasks, timeout=5)
    assert group.in_use == group.waiting == 0


# With a pace


class Manual:
    """A pace whose turns come when the test says so."""

    def __init__(self, rate_per_s: float) -> None:
        self.rate_per_s = rate_per_s
        self.asked = 0
        self._turns = asyncio.Semaphore(0)

    async def turn(self) -> None:
        self.asked += 1
        await self._turns.acquire()

    async def come(self) -> None:
        self._turns.release()
        await settle()


def by_hand(slots: int = 8, *, clock: Clock | None = None) -> tuple[Crowd, Manual]:
    pace = Manual(1.0)
    return Crowd(group_of(slots, clock=clock, calls_per_s=1.0, pace=lambda _: pace)), pace


async def test_with_a_pace_each_turn_lets_in_one_judges_first_then_the_lowest_order() -> None:
    crowd, pace = by_hand()
    await crowd.arrive("late sample", order=9)
    await crowd.arrive("early sample", order=1)
    await crowd.arrive("judge", JUDGE, order=30)
    assert crowd.inside == []
    assert crowd.group.cause is Cause.PACE
    for entered in (["judge"], ["judge", "early sample"], ["judge", "early sample", "late sample"]):
        await pace.come()
        assert crowd.inside == entered
    crowd.group.close()


async def test_a_turn_that_nobody_could_use_is_kept_for_who_comes_next() -> None:
    crowd, pace = by_hand()
    halt = Halt()
    await crowd.arrive("halted", halt=halt)
    halt.set(StoppedEarly("enough"))
    crowd.group.release_halted()
    await pace.come()
    with pytest.raises(StoppedEarly):
        await crowd.tasks["halted"]
    await crowd.arrive("next")
    assert crowd.inside == ["next"]
    assert pace.asked == 1
    await crowd.arrive("another")
    assert crowd.inside == ["next"]
    crowd.group.close()


async def test_a_turn_is_not_spent_on_who_has_gone() -> None:
    crowd, pace = by_hand()
    await crowd.arrive("cancelled")
    await crowd.arrive("next")
    crowd.tasks["cancelled"].cancel()
    await pace.come()
    assert crowd.inside == ["next"]
    crowd.group.close()


async def test_a_turn_from_before_a_rejection_is_not_kept() -> None:
    clock = Clock()
    crowd, pace = by_hand(clock=clock)
    await crowd.arrive("cancelled")
    crowd.tasks["cancelled"].cancel()
    await pace.come()
    reject(crowd.group, clock, 1.0, "requests")
    clock.now += 2.0
    await crowd.arrive("next")
    assert crowd.inside == []
    await pace.come()
    assert crowd.inside == ["next"]
    crowd.group.close()


async def test_a_turn_is_not_waited_for_while_no_slot_is_free() -> None:
    crowd, pace = by_hand(1)
    await crowd.arrive("first")
    await pace.come()
    await crowd.arrive("second")
    assert (crowd.inside, pace.asked) == (["first"], 1)
    assert crowd.group.cause is Cause.SLOTS
    crowd.group.leave()
    await settle()
    await pace.come()
    assert crowd.inside == ["first", "second"]
    crowd.group.close()


def test_another_rate_is_the_paces_from_then_on_even_for_who_waits_for_a_slow_turn() -> None:
    async def live(now: Callable[[], float]) -> None:
        group = LimitGroup("g", Controller(start_per_s=0.001, clock=now), pace=lambda rate: ThrottlerPace(rate, now), clock=now)
        for _ in range(2):  # the first turn is free
            task = asyncio.ensure_future(group.enter(GENERATION, Halt()))
            await asyncio.sleep(10)
        assert not task.done()
        told = [LimitTold("requests", 600.0, 500.0, None, 60.0)]
        group.tell(told, now() - 1, group.mark())
        await asyncio.sleep(5)
        assert task.done()
        group.close()

    in_virtual_time(live)


# With token budgets


def test_tokens_that_are_owed_are_waited_for() -> None:
    async def live(now: Callable[[], float]) -> None:
        group = group_of(8, clock=now, tokens_per_s=100.0)
        assert await group.enter(GENERATION, Halt(), guess=lambda: (3_000.0, 1_000.0)) == (3_000.0, 1_000.0)
        began = now()
        waiting = asyncio.ensure_future(group.enter(GENERATION, Halt(), guess=lambda: (1.0, 0.0)))
        await asyncio.sleep(10)
        assert group.cause is Cause.TOKENS
        await waiting
        assert 35 <= now() - began <= 45  # 4,000 at 100 a second, less what there was
        group.close()

    in_virtual_time(live)


def test_tokens_given_back_let_the_next_one_in_earlier() -> None:
    async def live(now: Callable[[], float]) -> None:
        group = group_of(8, clock=now, tokens_per_s=100.0)
        guessed = await group.enter(GENERATION, Halt(), guess=lambda: (3_000.0, 1_000.0))
        assert guessed is not None
        began = now()
        waiting = asyncio.ensure_future(group.enter(GENERATION, Halt(), guess=lambda: (1.0, 0.0)))
        await asyncio.sleep(1)
        group.controller.settled(guessed, (100.0, 100.0))
        await waiting
        assert now() - began <= 5
        group.close()

    in_virtual_time(live)


async def test_where_tokens_are_not_counted_nobody_guesses_them() -> None:
    def guess() -> Tokens:
        raise AssertionError("nobody counts them")

    assert await group_of(8).enter(GENERATION, Halt(), guess=guess) is None


def test_how_many_tokens_is_asked_only_when_it_is_the_calls_turn() -> None:
    async def live(now: Callable[[], float]) -> None:
        group = group_of(1, clock=now, tokens_per_s=100.0)
        asked: list[str] = []

        def guess(name: str) -> Tokens:
            asked.append(name)
            return (1.0, 1.0)

        await group.enter(GENERATION, Halt(), guess=lambda: guess("first"))
        waiting = asyncio.ensure_future(group.enter(GENERATION, Halt(), guess=lambda: guess("second")))
        await asyncio.sleep(3)
        assert asked == ["first"]
        group.leave()
        await waiting
        assert asked == ["first", "second"]
        group.close()

    in_virtual_time(live)


# Accounts of waiting, and the end


async def _held_by(cause: Cause, now: Callable[[], float]) -> LimitGroup:
    """A group in which somebody waits for `cause`, and for nothing else."""
    match cause:
        case Cause.SLOTS:
            group = group_of(1, clock=now)
        case Cause.PACE:
            group = group_of(8, clock=now, calls_per_s=0.001, pace=lambda rate: ThrottlerPace(rate, now))
        case Cause.TOKENS:
            group = group_of(8, clock=now, tokens_per_s=1.0)
        case _:
            group = group_of(8, clock=now)
    await group.enter(GENERATION, Halt(), guess=lambda: (10_000.0, 0.0))
    if cause is Cause.COOLDOWN:
        group.rejected(now() - 0.05, group.mark(), 600.0, "requests")
    return group


@pytest.mark.parametrize("cause", [Cause.SLOTS, Cause.PACE, Cause.TOKENS, Cause.COOLDOWN])
def test_waiting_is_put_down_to_its_cause(cause: Cause) -> None:
    async def live(now: Callable[[], float]) -> None:
        group = await _held_by(cause, now)
        waiting = asyncio.ensure_future(group.enter(GENERATION, Halt()))
        await asyncio.sleep(60)
        assert not waiting.done()
        assert group.cause is cause
        assert group.waited_s[cause] == pytest.approx(60, abs=2 * TICK_S)
        assert sum(group.waited_s.values()) == pytest.approx(60, abs=2 * TICK_S)
        group.close()
        await gone(waiting)

    in_virtual_time(live)


def test_where_nobody_waits_nothing_is_put_down() -> None:
    async def live(now: Callable[[], float]) -> None:
        group = group_of(8, clock=now)
        await group.enter(GENERATION, Halt())
        await asyncio.sleep(60)
        assert sum(waited_s for cause, waited_s in group.waited_s.items() if cause is not Cause.NOTHING) == 0
        group.close()

    in_virtual_time(live)


def test_an_idle_group_has_no_timer() -> None:
    async def live(now: Callable[[], float]) -> None:
        group = group_of(8, clock=now)
        await group.enter(GENERATION, Halt())
        group.leave()
        await asyncio.sleep(3 * TICK_S)
        assert timers() == []

    in_virtual_time(live)


async def gone(waiting: asyncio.Future[Tokens | None]) -> None:
    waiting.cancel()
    await asyncio.wait([waiting])


def timers() -> list[asyncio.TimerHandle]:
    """What the running loop still has to call."""
    scheduled: list[asyncio.TimerHandle] = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]
    return [timer for timer in scheduled if not timer.cancelled()]


@pytest.mark.parametrize("cause", [Cause.SLOTS, Cause.PACE, Cause.TOKENS, Cause.COOLDOWN])
def test_closing_leaves_neither_task_nor_timer_and_lets_nobody_in(cause: Cause) -> None:
    async def live(now: Callable[[], float]) -> None:
        group = await _held_by(cause, now)
        waiting = asyncio.ensure_future(group.enter(GENERATION, Halt()))
        await asyncio.sleep(1)
        group.close()
        group.leave()
        await asyncio.sleep(0)
        assert timers() == []
        assert asyncio.all_tasks() == {asyncio.current_task(), waiting}
        assert not waiting.done()
        await gone(waiting)

    in_virtual_time(live)
