"""What a client comes to over minutes, in virtual time: slow limits, wrong ceilings, headers that mislead."""

from __future__ import annotations

import asyncio

import pytest

from siuo_async.client.controller import Ceilings
from siuo_async.client.pace import ThrottlerPace
from siuo_async.simulator import Hints, Limiter, LimitSettings
from tests.performance.limits_client import ran


def longest_gap_s(times: list[float], end: float) -> float:
    return max(after - before for before, after in zip([0.0, *times], [*times, end], strict=True))


@pytest.mark.parametrize("limiter", Limiter)
def test_one_call_a_minute_is_made_every_minute(limiter: Limiter) -> None:
    seen, _ = ran(LimitSettings(limiter=limiter, rpm=1, burst=limiter is Limiter.BUCKET), Hints.FULL, seed=0, seconds=600)
    assert len(seen.let_in) >= 8
    assert longest_gap_s(seen.let_in, 600) < 125


async def test_whoever_waits_for_a_turn_of_a_slow_pace_goes_when_the_pace_rises() -> None:
    pace = ThrottlerPace(1 / 600)
    await pace.turn()
    waiting = asyncio.ensure_future(pace.turn())
    await asyncio.sleep(0)
    pace.rate_per_s = 1_000
    await asyncio.wait_for(waiting, 10)


@pytest.mark.parametrize("rpm", [10, 20])
def test_a_bucket_of_one_call_does_not_turn_away_every_second_one(rpm: int) -> None:
    seen, _ = ran(LimitSettings(limiter=Limiter.BUCKET, rpm=rpm, burst=1), Hints.RETRY_AFTER, seed=0, seconds=300)
    assert len(seen.turned_away) <= 0.3 * len(seen.let_in)


def test_a_ceiling_of_tokens_above_the_servers_limit_is_no_storm_of_rejections() -> None:
    limited, ceilings = LimitSettings(tpm=168_000), Ceilings(tokens_per_s=1_680_000 / 60)
    seen, _ = ran(limited, Hints.BODY, seed=0, seconds=240, dialect="gemini", ceilings=ceilings)
    assert len(seen.turned_away) <= 0.05 * len(seen.let_in)
