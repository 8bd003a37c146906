"""A model's workers: as many as its slots ask for, never more than samples are left."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from siuo_async.engine.pool import Pool


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Crowd:
    """A pool whose samples live until they are let go."""

    def __init__(self, samples: int, slots: int = 1) -> None:
        self.slots = slots
        self.living: list[int] = []
        self.done: list[int] = []
        self.gate = asyncio.Semaphore(0)
        self.board: Any = SimpleNamespace(total=samples, begun=0)
        self.pool = Pool(self.board, self.live, lambda: self.slots)

    async def live(self, position: int) -> None:
        self.living.append(position)
        await self.gate.acquire()
        self.done.append(position)

    async def grow(self) -> int:
        self.pool.grow()
        await settle()
        return len(self.pool)

    async def let_go(self, samples: int) -> None:
        for _ in range(samples):
            self.gate.release()
        await settle()


async def end(crowd: Crowd) -> None:
    crowd.pool.cancel()
    await crowd.pool.finished()


@pytest.mark.parametrize(("slots", "workers"), [(1, 64), (16, 64), (17, 68), (100, 400)])
async def test_there_are_four_workers_to_a_slot_and_at_least_sixty_four(slots: int, workers: int) -> None:
    crowd = Crowd(1_000, slots)
    assert await crowd.grow() == workers
    assert crowd.living == list(range(workers))
    await end(crowd)


async def test_workers_are_added_as_slots_grow() -> None:
    crowd = Crowd(1_000)
    assert await crowd.grow() == 64
    assert await crowd.grow() == 64
    crowd.slots = 50
    assert await crowd.grow() == 200
    await end(crowd)


async def test_there_are_never_more_workers_than_samples_are_left() -> None:
    crowd = Crowd(80)
    await crowd.grow()
    await crowd.let_go(10)
    crowd.slots = 100
    assert await crowd.grow() == 70
    await end(crowd)


async def test_a_worker_ends_after_its_sample_when_slots_have_fallen() -> None:
    crowd = Crowd(1_000, 50)
    await crowd.grow()
    crowd.slots = 20
    assert await crowd.grow() == 200
    await crowd.let_go(150)
    assert await crowd.grow() == 80
    await end(crowd)


async def test_every_sample_is_lived_once_and_then_the_pool_is_finished() -> None:
    crowd = Crowd(300)
    crowd.pool.grow()
    for _ in range(300):
        crowd.gate.release()
    async with asyncio.timeout(5):
        await crowd.pool.finished()
    assert sorted(crowd.done) == list(range(300))
    assert (len(crowd.pool), crowd.board.begun) == (0, 300)
    assert await crowd.grow() == 0


async def test_a_pool_without_samples_is_finished_at_once() -> None:
    crowd = Crowd(0)
    assert await crowd.grow() == 0
    async with asyncio.timeout(5):
        await crowd.pool.finished()


async def test_a_pool_that_is_cut_grows_no_more() -> None:
    crowd = Crowd(1_000)
    await crowd.grow()
    await end(crowd)
    crowd.slots = 100
    assert await crowd.grow() == 0
    assert crowd.done == []


async def test_what_ends_a_worker_before_its_time_is_raised() -> None:
    board: Any = SimpleNamespace(total=100, begun=0)

    async def live(position: int) -> None:
        raise OSError(f"sample {position}")

    pool = Pool(board, live, lambda: 1)
    pool.grow()
    async with asyncio.timeout(5):
        with pytest.raises(OSError, match="sample 0"):
            await pool.finished()
