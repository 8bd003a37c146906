"""Halts below halts: one model is stopped while others go on with the same endpoint."""

from __future__ import annotations

import asyncio

import pytest

from siuo_async.client.controller import Ceilings, Controller
from siuo_async.client.halt import Halt
from siuo_async.client.limits import LimitGroup, Priority
from siuo_async.errors import StoppedEarly

FIRST, SECOND = StoppedEarly("the first reason"), StoppedEarly("the second reason")


def family() -> tuple[Halt, Halt, Halt]:
    """An endpoint's halt, and those of two models that share it."""
    above = Halt()
    return above, Halt(above), Halt(above)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_what_stops_an_endpoint_stops_every_model_that_uses_it() -> None:
    above, one, other = family()
    above.set(FIRST)
    assert (one.reason, other.reason) == (FIRST, FIRST)
    for halt in (above, one, other):
        with pytest.raises(StoppedEarly, match="the first reason"):
            halt.check()


def test_what_stops_one_model_stops_neither_the_endpoint_nor_the_other_model() -> None:
    above, one, other = family()
    assert one.set(FIRST)
    assert (above.reason, one.reason, other.reason) == (None, FIRST, None)
    above.check()
    other.check()


def test_the_first_reason_stays() -> None:
    above, one, other = family()
    assert above.set(FIRST)
    assert not above.set(SECOND)
    assert (above.reason, other.reason) == (FIRST, FIRST)
    above, one, other = family()
    one.set(FIRST)
    above.set(SECOND)
    assert (one.reason, other.reason) == (FIRST, SECOND)


@pytest.mark.parametrize("stopped, awake", [("above", {"above", "one", "other"}), ("one", {"one"})])
async def test_a_halt_wakes_its_own_sleepers_and_those_below_it(stopped: str, awake: set[str]) -> None:
    halts = dict(zip(("above", "one", "other"), family(), strict=True))
    sleepers = {name: asyncio.create_task(halt.sleep(60)) for name, halt in halts.items()}
    await settle()
    halts[stopped].set(FIRST)
    await settle()
    assert {name for name, task in sleepers.items() if task.done()} == awake
    for task in sleepers.values():
        task.cancel()
    ended = await asyncio.gather(*sleepers.values(), return_exceptions=True)
    assert [end for end in ended if isinstance(end, StoppedEarly)] == [FIRST] * len(awake)


async def test_who_would_sleep_under_a_halt_that_is_stopped_above_does_not() -> None:
    above, one, _ = family()
    above.set(FIRST)
    with pytest.raises(StoppedEarly):
        await asyncio.wait_for(one.sleep(60), 1)


async def test_sleeping_without_a_halt_ends_in_time() -> None:
    _, one, _ = family()
    await asyncio.wait_for(one.sleep(0.001), 1)


async def test_a_limit_group_sends_away_the_waiters_of_one_model_alone() -> None:
    above, one, other = family()
    group = LimitGroup("g", Controller(Ceilings(slots=1)))
    await group.enter(Priority.GENERATION, above)
    waiters = {name: asyncio.create_task(group.enter(Priority.GENERATION, halt)) for name, halt in {"one": one, "other": other}.items()}
    await settle()
    one.set(FIRST)
    group.release_halted()
    await settle()
    assert isinstance(waiters["one"].exception(), StoppedEarly)
    assert not waiters["other"].done()
    group.leave()
    await asyncio.wait_for(waiters["other"], 1)
    assert (group.in_use, group.waiting) == (1, 0)


async def test_a_limit_group_sends_everybody_away_when_the_endpoint_is_stopped() -> None:
    above, one, other = family()
    group = LimitGroup("g", Controller(Ceilings(slots=1)))
    await group.enter(Priority.GENERATION, above)
    waiters = [asyncio.create_task(group.enter(Priority.GENERATION, halt)) for halt in (above, one, other)]
    await settle()
    above.set(FIRST)
    group.release_halted()
    assert await asyncio.wait_for(asyncio.gather(*waiters, return_exceptions=True), 1) == [FIRST] * 3
    assert (group.in_use, group.waiting) == (1, 0)
