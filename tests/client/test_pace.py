"""The pace of starts, on the real clock where the throttler has no other."""

from __future__ import annotations

import asyncio
import time

import pytest

from siuo_async.client.halt import Halt
from siuo_async.client.limits import LimitGroup, Priority
from siuo_async.client.pace import WINDOW_S, ThrottlerPace


async def starts(pace: ThrottlerPace, count: int) -> list[float]:
    times = []
    for _ in range(count):
        await pace.turn()
        times.append(time.monotonic())
    return times


@pytest.mark.parametrize("rate, count", [(50, 70), (500, 700)])
async def test_the_rate_is_kept(rate: float, count: int) -> None:
    times = await starts(ThrottlerPace(rate), count)
    achieved = (count - 1) / (times[-1] - times[0])
    assert 0.97 * rate <= achieved <= 1.01 * rate + 1 / (times[-1] - times[0]) * max(1, round(rate * WINDOW_S))


@pytest.mark.parametrize("rate", [50.0, 500.0])
async def test_no_window_of_a_tenth_of_a_second_holds_a_burst(rate: float) -> None:
    times = await starts(ThrottlerPace(rate), int(rate * 0.6))
    per_window = max(1, round(rate * WINDOW_S))
    most = max(sum(begin <= t < begin + 0.1 for t in times) for begin in times)
    assert most <= rate * 0.1 * 1.25 + per_window + 1


async def test_there_is_no_burst_at_the_start() -> None:
    began = time.monotonic()
    times = await starts(ThrottlerPace(100), 20)
    assert sum(t - began < 0.045 for t in times) <= 5  # one window, not a second's worth


async def test_idle_time_gives_no_credit() -> None:
    pace = ThrottlerPace(100)
    await starts(pace, 10)
    await asyncio.sleep(0.4)
    began = time.monotonic()
    await starts(pace, 20)
    assert time.monotonic() - began >= 0.12  # 20 at 100/s, less two windows at most


async def test_a_turn_can_cost_more_than_one() -> None:
    pace = ThrottlerPace(200)
    began = time.monotonic()
    for _ in range(6):
        await pace.turn(cost=10)
    assert time.monotonic() - began >= 0.97 * (60 - 10) / 200


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_a_pace_needs_a_rate_above_zero(rate: float) -> None:
    with pytest.raises(ValueError, match="above zero"):
        ThrottlerPace(rate)


async def test_a_group_with_a_pace_lets_hundreds_of_waiters_in_at_its_rate() -> None:
    group = LimitGroup("g", slots=1_000, pace=ThrottlerPace(400))
    group.proven = True
    times: list[float] = []

    async def live() -> None:
        await group.enter(Priority.GENERATION, Halt())
        times.append(time.monotonic())
        group.leave()

    await asyncio.gather(*(live() for _ in range(300)))
    assert 0.95 * 400 <= 299 / (times[-1] - times[0]) <= 1.01 * 400 + 20 / (times[-1] - times[0])


async def test_a_slow_pace_does_not_hold_back_the_first_call() -> None:
    group = LimitGroup("g", slots=4, pace=ThrottlerPace(0.1))
    began = time.monotonic()
    await group.enter(Priority.GENERATION, Halt())
    assert time.monotonic() - began < 0.5
