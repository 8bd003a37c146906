"""A budget as values: who may be paid, in what order, and when there is no going on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from siuo_async.client.halt import Halt
from siuo_async.client.limits import Priority
from siuo_async.config import Price
from siuo_async.engine.budget import Budget, CallPurse
from siuo_async.engine.held_money import HeldMoney
from siuo_async.engine.upper_bound import Size, UpperBound
from siuo_async.errors import StoppedEarly
from siuo_async.values import Answer, Completion, Outcome, Usage

PER_TOKEN = 10**6
"""10^-12 USD of one token, in or out."""
PRICE = Price(input=0, output=1)


class Bench:
    """A budget, and calls that cost at most so many tokens of output."""

    def __init__(self, tokens: int, boards: tuple[Any, ...] = ()) -> None:
        self.budget = Budget(tokens * PER_TOKEN)
        self.stops: list[StoppedEarly] = []
        self.halt = Halt()
        held: Any = SimpleNamespace(raise_to=lambda *_: None, lower=lambda *_: None, keep=lambda *_: None, close=lambda: None)
        self.budget.begin(boards, 1, self.stop, held)

    def stop(self, reason: StoppedEarly) -> None:
        self.stops.append(reason)
        self.halt.set(reason)

    def call(self, tokens: int, *, order: int = 0, priority: Priority = Priority.GENERATION) -> CallPurse:
        bound = UpperBound(PRICE, 0)
        return self.budget.purse(bound, Size(0, 0, 0), tokens, 1, priority=priority, order=order, halt=self.halt, name="m")

    @property
    def held(self) -> int:
        return self.budget.held_pico // PER_TOKEN

    @property
    def spent(self) -> int:
        return self.budget.spent_pico // PER_TOKEN


def gave(tokens: int) -> Completion:
    return Completion((Answer(Outcome.ANSWERED, "x"),), Usage(0, tokens))


def board(prefix: int, *, total: int = 100, finished: int = 10, usd_each: float = 0.0, halted: bool = False) -> Any:
    reason = StoppedEarly("x") if halted else None
    spend = SimpleNamespace(pico_usd=int(usd_each * 10**12) * finished)
    target = SimpleNamespace(halt=SimpleNamespace(reason=reason), endpoint=object())
    return SimpleNamespace(
        prefix=prefix, total=total, finished=finished, pending=total - finished, stopped=0, target=target,
        generation=spend, judging=SimpleNamespace(pico_usd=0),
    )  # fmt: skip


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10):
            await story()

    asyncio.run(bounded())


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_what_a_call_cost_takes_the_place_of_what_was_held() -> None:
    bench = Bench(100)
    one = bench.call(60)
    assert one.take()
    assert one.take(), "what is held already is not held twice"
    assert (bench.held, bench.spent) == (60, 0)
    one.paid(gave(20))
    one.close()
    assert (bench.held, bench.spent, bench.budget.kept_pico) == (0, 20, 0)


def test_a_try_that_may_have_been_billed_keeps_its_money_and_any_other_gives_it_back() -> None:
    bench = Bench(100)
    one = bench.call(30)
    one.take()
    one.ended(maybe_billed=False)
    assert (bench.held, bench.budget.kept_pico) == (0, 0)
    one.take()
    one.ended(maybe_billed=True)
    one.take()
    assert (bench.held, bench.budget.kept_pico) == (30, 30 * PER_TOKEN)
    one.close()
    assert bench.budget.kept_pico == 60 * PER_TOKEN, "it was cut while it was on the wire"


def test_a_result_without_usage_keeps_what_was_held() -> None:
    bench = Bench(100)
    one = bench.call(30)
    one.take()
    one.paid(Completion((Answer(Outcome.ANSWERED, "x"),)))
    one.close()
    assert (bench.spent, bench.budget.kept_pico) == (0, 30 * PER_TOKEN)


def test_a_call_that_does_not_fit_waits_for_what_calls_on_the_wire_give_back() -> None:
    async def story() -> None:
        bench = Bench(100)
        one, two = bench.call(60), bench.call(60, order=1)
        assert one.take()
        assert not two.take()
        waiting = asyncio.create_task(two.wait())
        await settle()
        assert not waiting.done()
        one.paid(gave(10))
        one.close()
        await waiting
        assert (bench.held, bench.spent, bench.stops) == (60, 10, [])

    run(story)


def test_the_run_stops_once_nothing_on_the_wire_could_give_back_enough() -> None:
    async def story() -> None:
        bench = Bench(100)
        one, two = bench.call(60), bench.call(60, order=1)
        one.take()
        waiting = asyncio.create_task(two.wait())
        await settle()
        one.paid(gave(50))
        assert bench.stops == []
        one.close()
        with pytest.raises(StoppedEarly, match="--budget"):
            await waiting
        assert len(bench.stops) == 1

    run(story)


def test_earlier_samples_are_paid_first_and_nobody_overtakes_who_waits() -> None:
    async def story() -> None:
        bench, paid = Bench(100), []
        first = bench.call(90)
        first.take()

        async def wait(order: int, priority: Priority) -> None:
            call = bench.call(30, order=order, priority=priority)
            assert not call.take()
            await call.wait()
            paid.append((order, priority))
            call.paid(gave(1))
            call.close()

        places = [(3, Priority.JUDGE), (1, Priority.GENERATION), (1, Priority.JUDGE), (2, Priority.JUDGE)]
        tasks = [asyncio.create_task(wait(*place)) for place in places]
        await settle()
        small = bench.call(5, order=4)
        assert not small.take(), "it would fit, but others wait whose samples come before"
        assert bench.call(5, order=0).take(), "an earlier sample goes before all who wait"
        first.paid(gave(10))
        first.close()
        await asyncio.gather(*tasks)
        assert paid == [(1, Priority.JUDGE), (1, Priority.GENERATION), (2, Priority.JUDGE), (3, Priority.JUDGE)]

    run(story)


def test_who_was_stopped_waits_no_longer() -> None:
    async def story() -> None:
        bench = Bench(100)
        one, two = bench.call(90), bench.call(90)
        one.take()
        waiting = asyncio.create_task(two.wait())
        await settle()
        bench.halt.set(StoppedEarly("enough"))
        bench.budget.tick()
        with pytest.raises(StoppedEarly, match="enough"):
            await waiting

    run(story)


def test_who_gives_up_waiting_leaves_the_way_free() -> None:
    async def story() -> None:
        bench = Bench(100)
        one, two, three = bench.call(90), bench.call(95), bench.call(20, order=1)
        one.take()
        waiting, other = asyncio.create_task(two.wait()), asyncio.create_task(three.wait())
        await settle()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        two.close()
        one.paid(gave(80))
        one.close()
        await other
        assert bench.held == 20

    run(story)


def test_while_there_is_plenty_models_do_not_wait_for_each_other() -> None:
    quick, slow = board(50, usd_each=0.001), board(2, usd_each=0.001)
    bench = Bench(10**6, (quick, slow))
    assert bench.call(10, order=99).take()


@pytest.mark.parametrize("left, ahead", [(0.1, 1), (0.4, 2), (1.0, 5), (2.0, 10)])
def test_the_less_is_left_the_less_one_model_may_be_ahead_of_the_others(left: float, ahead: int) -> None:
    quick, slow = board(12, usd_each=0.05), board(10, usd_each=0.05)
    bench = Bench(int(left * 10**6), (quick, slow))
    assert bench.call(1, order=10 + ahead - 1).take()
    assert not bench.call(1, order=10 + ahead).take()


def test_before_anything_is_known_no_more_samples_are_begun_than_the_dearest_calls_would_leave_money_for() -> None:
    bench = Bench(100, (board(0, finished=0), board(0, finished=0)))
    assert bench.call(10, order=0).take()
    assert not bench.call(10, order=2).take()
    assert bench.call(10, order=1).take()


def test_a_model_that_was_stopped_holds_nobody_back() -> None:
    bench = Bench(100_000, (board(50, usd_each=0.05), board(2, usd_each=0.05, halted=True), board(50, usd_each=0.05)))
    assert bench.call(1, order=50).take()


def test_a_call_ahead_of_the_others_goes_on_when_they_get_there() -> None:
    async def story() -> None:
        quick, slow = board(12, usd_each=0.05), board(10, usd_each=0.05)
        bench = Bench(100_000, (quick, slow))
        other = bench.call(1, order=10)
        ahead = bench.call(1, order=12)
        assert not ahead.take()
        waiting = asyncio.create_task(ahead.wait())
        await settle()
        assert not waiting.done()
        slow.prefix = 12
        bench.budget.progress()
        await waiting
        other.close()

    run(story)


def test_where_everybody_waits_for_others_the_first_goes_on() -> None:
    async def story() -> None:
        bench = Bench(100_000, (board(12, usd_each=0.05), board(10, usd_each=0.05)))
        ahead = bench.call(1, order=30)
        assert not ahead.take()
        await ahead.wait()
        assert bench.held == 1

    run(story)


def test_a_disk_that_takes_nothing_stops_the_run_before_anything_is_sent(tmp_path: Any) -> None:
    bench = Bench(100)
    held = HeldMoney(tmp_path / "budget.json")
    import os

    os.close(held._fd)
    held._fd = os.open(tmp_path / "budget.json", os.O_RDONLY)
    bench.budget.begin((), 1, bench.stop, held)
    one = bench.call(10)
    assert not one.take()
    assert bench.held == 0
    assert "cannot be written" in str(bench.stops[0])
