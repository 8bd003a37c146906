"""The pace of starts, in virtual time."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from siuo_async.client.controller import Ceilings, Controller
from siuo_async.client.halt import Halt
from siuo_async.client.limits import LimitGroup, Priority
from siuo_async.client.pace import AIM, WINDOW_S, ThrottlerPace
from tests.performance.virtual_time import VirtualLoop, virtual_loop

T = TypeVar("T")


def lived(live: Callable[[VirtualLoop], Awaitable[T]]) -> T:
    """What came of it, on a loop whose time passes while nobody does anything."""
    with virtual_loop() as loop:
        return loop.run_until_complete(live(loop))


async def starts(pace: ThrottlerPace, count: int) -> list[float]:
    times = []
    for _ in range(count):
        await pace.turn()
        times.append(asyncio.get_running_loop().time())
    return times


def started(rate_per_s: float, count: int) -> list[float]:
    """When the first turns of a new pace came, seconds after it was made."""

    async def live(loop: VirtualLoop) -> list[float]:
        began = loop.time()
        return [at - began for at in await starts(ThrottlerPace(rate_per_s, loop.time), count)]

    return lived(live)


def per_window(rate_per_s: float) -> int:
    """How many may start at once."""
    return max(1, round(rate_per_s * WINDOW_S))


def fullest(times: list[float], seconds: float) -> int:
    """The most starts within so many seconds, wherever they begin."""
    return max(bisect_left(times, begin + seconds) - number for number, begin in enumerate(times))


RATES_PER_S = [0.2, 1.0, 8.3, 50.0, 83.0, 500.0, 5_000.0]


@pytest.mark.parametrize("rate_per_s", RATES_PER_S)
def test_the_rate_is_kept(rate_per_s: float) -> None:
    times = started(rate_per_s, max(40, int(4 * rate_per_s)))
    achieved = (len(times) - 1) / (times[-1] - times[0])
    burst = per_window(rate_per_s) / (times[-1] - times[0])
    assert AIM * 0.99 * rate_per_s - burst <= achieved <= AIM * rate_per_s + burst


@pytest.mark.parametrize("rate_per_s", RATES_PER_S)
def test_no_second_holds_more_than_the_rate(rate_per_s: float) -> None:
    times = started(rate_per_s, max(10, int(3 * rate_per_s)))
    assert fullest(times, 1.0) <= max(1, rate_per_s + per_window(rate_per_s))


@pytest.mark.parametrize("rate_per_s", [50.0, 500.0])
def test_no_window_of_a_tenth_of_a_second_holds_a_burst(rate_per_s: float) -> None:
    times = started(rate_per_s, int(rate_per_s))
    assert fullest(times, 0.1) <= rate_per_s * 0.1 + per_window(rate_per_s) + 1


def test_there_is_no_burst_at_the_start() -> None:
    assert sum(at < 0.045 for at in started(100.0, 20)) <= 5  # one window, not a second's worth


def test_the_first_turn_comes_at_once_however_slow_the_pace() -> None:
    assert started(0.01, 1)[0] < 0.5


def test_idle_time_gives_no_credit() -> None:
    async def live(loop: VirtualLoop) -> float:
        pace = ThrottlerPace(100.0, loop.time)
        await starts(pace, 10)
        await asyncio.sleep(400)
        began = loop.time()
        await starts(pace, 20)
        return loop.time() - began

    assert lived(live) >= 0.16  # 20 at 100 a second, less three windows at most


def test_after_idle_time_a_slow_pace_lets_two_start_no_closer_than_ever() -> None:
    async def live(loop: VirtualLoop) -> list[float]:
        pace = ThrottlerPace(1.0, loop.time)
        await starts(pace, 3)
        await asyncio.sleep(400)
        return await starts(pace, 2)

    first, second = lived(live)
    assert second - first >= 0.97


def test_a_late_timer_is_made_up_for_but_only_so_much() -> None:
    async def live(loop: VirtualLoop) -> list[float]:
        pace = ThrottlerPace(100.0, loop.time)
        await starts(pace, 10)
        loop.now += 10.0  # the machine was busy
        return await starts(pace, 200)

    times = lived(live)
    assert fullest(times, 1.0) <= 100 + 10


@pytest.mark.parametrize("before, after", [(10.0, 100.0), (100.0, 10.0), (1.0, 4_000.0), (4_000.0, 1.0)])
def test_another_rate_is_kept_from_then_on(before: float, after: float) -> None:
    async def live(loop: VirtualLoop) -> list[float]:
        pace = ThrottlerPace(before, loop.time)
        await starts(pace, 20)
        pace.rate_per_s = after
        assert pace.rate_per_s == after
        return await starts(pace, max(20, int(2 * after)))

    times = lived(live)
    achieved = (len(times) - 1) / (times[-1] - times[0])
    assert achieved == pytest.approx(after, rel=0.1)


def test_a_rate_that_rises_brings_a_turn_nearer_that_is_waited_for() -> None:
    async def live(loop: VirtualLoop) -> float:
        pace = ThrottlerPace(0.01, loop.time)
        await pace.turn()
        began = loop.time()
        waiting = asyncio.ensure_future(pace.turn())
        await asyncio.sleep(1)
        pace.rate_per_s = 10.0
        await waiting
        return loop.time() - began

    assert lived(live) <= 3


@pytest.mark.parametrize("rate_per_s", [0, -1, float("nan")])
def test_a_pace_needs_a_rate_above_zero(rate_per_s: float) -> None:
    with pytest.raises(ValueError, match="above zero"):
        ThrottlerPace(rate_per_s)
    pace = ThrottlerPace(1.0)
    with pytest.raises(ValueError, match="above zero"):
        pace.rate_per_s = rate_per_s


def test_a_group_with_a_pace_lets_hundreds_of_waiters_in_at_its_rate() -> None:
    async def live(loop: VirtualLoop) -> list[float]:
        controller = Controller(Ceilings(calls_per_s=400.0, slots=1_000), clock=loop.time)
        group = LimitGroup("g", controller, pace=lambda rate: ThrottlerPace(rate, loop.time), clock=loop.time)
        group.succeeded(loop.time())
        times: list[float] = []

        async def call() -> None:
            await group.enter(Priority.GENERATION, Halt())
            times.append(loop.time())
            group.leave()

        await asyncio.gather(*(call() for _ in range(900)))
        group.close()
        return times

    times = lived(live)
    assert (len(times) - 1) / (times[-1] - times[0]) == pytest.approx(400, rel=0.02)
    assert fullest(times, 1.0) <= 400 + per_window(400.0)
