"""The door of a limit group."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siuo_async.client.halt import Halt
from siuo_async.client.limits import FIRST_COOLDOWN_S, LONGEST_COOLDOWN_S, UNPROVEN_SLOTS, LimitGroup, Priority
from siuo_async.errors import StoppedEarly

GENERATION, JUDGE = Priority.GENERATION, Priority.JUDGE


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def proven(slots: int, **settings: object) -> LimitGroup:
    group = LimitGroup("g", slots=slots, **settings)  # type: ignore[arg-type]
    group.proven = True
    return group


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
    crowd = Crowd(proven(3))
    for name in "abcde":
        await crowd.arrive(name)
    assert crowd.inside == ["a", "b", "c"]
    assert crowd.group.waiting == 2
    await crowd.leave(2)
    assert crowd.inside == ["a", "b", "c", "d", "e"]


async def test_four_are_inside_until_the_first_success_and_all_slots_are_used_after_it() -> None:
    crowd = Crowd(LimitGroup("g", slots=16))
    for number in range(20):
        await crowd.arrive(str(number))
    assert len(crowd.inside) == UNPROVEN_SLOTS == 4
    crowd.group.succeeded()
    await settle()
    assert len(crowd.inside) == 16


async def test_fewer_slots_than_four_stay_fewer() -> None:
    crowd = Crowd(LimitGroup("g", slots=2))
    for name in "abc":
        await crowd.arrive(name)
    assert crowd.inside == ["a", "b"]


async def test_judges_go_first_then_the_lowest_order_then_who_came_first() -> None:
    crowd = Crowd(proven(1))
    await crowd.arrive("inside")
    await crowd.arrive("late sample", order=9)
    await crowd.arrive("early sample", order=1)
    await crowd.arrive("early sample again", order=1)
    await crowd.arrive("judge 2", JUDGE, order=7)
    await crowd.arrive("judge 1", JUDGE, order=3)
    await crowd.leave(5)
    assert crowd.inside[1:] == ["judge 1", "judge 2", "early sample", "early sample again", "late sample"]


async def test_a_newcomer_does_not_overtake_those_who_wait() -> None:
    crowd = Crowd(proven(1))
    for name in "abc":
        await crowd.arrive(name)
    crowd.group.leave()
    await crowd.arrive("d")
    assert crowd.inside == ["a", "b"]


async def test_a_cooldown_holds_everybody_until_it_is_over() -> None:
    clock = Clock()
    crowd = Crowd(proven(4, clock=clock))
    crowd.group.rate_limited(clock.now, 0.06)
    await crowd.arrive("a")
    await crowd.arrive("b", JUDGE)
    assert crowd.inside == []
    assert crowd.group.cooling_s == pytest.approx(0.06)
    clock.now += 0.1
    await asyncio.sleep(0.08)  # the group's own timer
    assert crowd.inside == ["b", "a"]


async def test_one_episode_makes_one_cooldown_however_many_were_rejected() -> None:
    clock = Clock()
    group = proven(64, clock=clock)
    started = clock.now
    for _ in range(64):
        clock.now += 0.001
        group.rate_limited(started, None)
    assert group.cooldowns == 1
    assert group.cooling_s <= FIRST_COOLDOWN_S


async def test_hints_of_one_episode_lengthen_one_cooldown() -> None:
    clock = Clock()
    group = proven(64, clock=clock)
    for hint_s in (1.0, 5.0, 2.0):
        group.rate_limited(clock.now - 1, hint_s)
    assert group.cooldowns == 1
    assert group.cooling_s == 5.0


async def test_hintless_cooldowns_double_up_to_a_minute_and_a_success_begins_anew() -> None:
    clock = Clock()
    group = proven(4, clock=clock)
    bounds = []
    for episode in range(9):
        group.rate_limited(clock.now, None)
        bound = min(LONGEST_COOLDOWN_S, FIRST_COOLDOWN_S * 2**episode)
        assert bound / 2 <= group.cooling_s <= bound
        bounds.append(bound)
        clock.now += group.cooling_s + 0.001
    assert bounds[-1] == LONGEST_COOLDOWN_S
    group.succeeded()
    group.rate_limited(clock.now, None)
    assert group.cooling_s <= FIRST_COOLDOWN_S


@pytest.mark.parametrize("hint", [0.0, 0.01])
async def test_a_hint_of_nothing_is_no_hint(hint: float) -> None:
    clock = Clock()
    group = proven(4, clock=clock)
    group.rate_limited(clock.now, hint)
    assert group.cooling_s >= FIRST_COOLDOWN_S / 2


async def test_idle_time_is_no_time_of_being_limited() -> None:
    clock = Clock()
    group = proven(4, clock=clock)
    clock.now += 5_000
    assert group.limited_s == 0
    group.rate_limited(clock.now, 1.0)
    clock.now += 100
    assert group.limited_s == 100
    group.succeeded()
    assert group.limited_s == 0


async def test_waiters_of_a_halted_endpoint_leave_and_others_stay() -> None:
    crowd, halted, going = Crowd(proven(1)), Halt(), Halt()
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
    group = proven(4)
    with pytest.raises(StoppedEarly, match="enough"):
        await group.enter(GENERATION, halt)
    assert group.in_use == group.waiting == 0


async def test_who_was_let_in_but_halted_before_waking_up_gives_the_slot_back() -> None:
    crowd, halt = Crowd(proven(1)), Halt()
    await crowd.arrive("inside")
    await crowd.arrive("next", halt=halt)
    crowd.group.leave()  # lets it in
    halt.set(StoppedEarly("enough"))
    crowd.group.release_halted()
    with pytest.raises(StoppedEarly):
        await crowd.tasks["next"]
    assert crowd.group.in_use == 0


async def test_who_is_cancelled_in_the_tick_in_which_it_is_let_in_gives_the_slot_back() -> None:
    crowd = Crowd(proven(1))
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

    async def turn(self, cost: int = 1) -> None:
        await asyncio.sleep(0)


async def _interleave(steps: list[tuple[str, int]], slots: int, paced: bool) -> None:
    clock = Clock()
    group = LimitGroup("g", slots=slots, pace=Instant() if paced else None, clock=clock)
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
                group.rate_limited(clock.now, 0.5)
            case "succeed":
                group.succeeded()
            case _:
                clock.now += 0.3
                await settle() if number % 2 else await asyncio.sleep(0)
        assert group.in_use <= (group.slots if group.proven else min(slots, UNPROVEN_SLOTS))
        if group.cooling_s == 0:
            group._cooled()  # as its timer would, on this clock
    clock.now += 10
    for _ in range(len(tasks) + 2):
        group._cooled()
        await settle()
        for done in inside:
            done.set()
    await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
    await settle()
    assert group.in_use == 0
    assert group.waiting == 0


async def test_many_callers_with_random_fates_leave_nothing_behind() -> None:
    dice = random.Random(7)
    group = proven(5)

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
