"""How much is handled within one turn of the event loop."""

from __future__ import annotations

import asyncio

from siuo_async.client.turn import Turn


async def test_a_turn_has_room_until_its_bytes_are_taken_and_the_next_one_has_it_again() -> None:
    turn = Turn(10)
    turn.take(4)
    assert turn.has_room(6)
    assert not turn.has_room(7)
    turn.take(6)
    assert not turn.has_room(1)
    await asyncio.sleep(0)
    assert turn.has_room(10)


async def test_what_is_larger_than_a_turn_may_be_the_first_of_one() -> None:
    turn = Turn(10)
    turn.take(25)
    assert not turn.has_room(1)
    await asyncio.wait_for(turn.taken(25), 5)


async def test_who_waits_goes_in_order_and_no_turn_takes_too_much() -> None:
    turn, order, turns = Turn(10), [], [0]

    async def one(number: int) -> None:
        await turn.taken(4)
        order.append((number, turns[0]))

    def count() -> None:
        turns[0] += 1
        if len(order) < 20:
            asyncio.get_running_loop().call_soon(count)

    tasks = [asyncio.create_task(one(number)) for number in range(20)]
    asyncio.get_running_loop().call_soon(count)
    await asyncio.wait_for(asyncio.gather(*tasks), 5)
    assert [number for number, _ in order] == list(range(20))
    assert max(sum(at == when for _, at in order) for when in range(turns[0] + 1)) <= 2


async def test_who_gave_up_waiting_holds_nobody_back() -> None:
    turn = Turn(10)
    turn.take(10)
    tasks = [asyncio.create_task(turn.taken(10)) for _ in range(5)]
    tasks[1].cancel()
    await asyncio.sleep(0)
    tasks[2].cancel()
    done, _ = await asyncio.wait(tasks, timeout=5)
    assert sum(not task.cancelled() for task in done) == 3
