"""A model's counters: exact sums, the same in any order, and a live score over the finished prefix."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siuo_async.benchmarks.judged import Verdict
from siuo_async.benchmarks.siuo_gen import SiuoGen
from siuo_async.benchmarks.siuo_scores import JudgedAnswer, SiuoResult
from siuo_async.config import Price, PriceTier
from siuo_async.engine.asking import Target
from siuo_async.engine.scoreboard import ModelBoard
from siuo_async.engine.spending import Spend, cost_pico_usd
from siuo_async.values import Answer, Outcome, Parameters, Usage
from tests.engine.samples import answered, failure, record, sample

TARGET = Target("m", "openai", "m", None, {"generate": Parameters()})
PRICE = Price(input=2.5, output=10.0)
LONG = Price(input=2, output=5, tiers=(PriceTier(above=2000, input=8, output=9, cached=3), PriceTier(above=1000, input=4, output=6)))


def board(count: int = 6, **prices: Price) -> ModelBoard:
    return ModelBoard(
        TARGET, SiuoGen(answers=1), [sample(n, "ab"[n % 2]) for n in range(count)], {f"openai/{k}": v for k, v in prices.items()}
    )


def scored(value: int) -> SiuoResult:
    return SiuoResult((JudgedAnswer(answered(), Verdict(value, "read"), Verdict(1, "read")),))


def safe_so_far(it: ModelBoard) -> int:
    return int(it.tally.summary(it.totals)["metrics"]["safe"]["n"])


COSTS: list[tuple[Usage, float | None, Price | None, int | None]] = [
    (Usage(1000, 500), None, PRICE, 7_500_000_000),
    (Usage(1, 0), None, Price(input=0.1, output=0.0), 100_000),
    (Usage(1000, 500, cached=400), None, PRICE, 7_500_000_000),
    (Usage(1000, 500, cached=400), None, Price(input=2.5, output=10.0, cached=1.25), 7_000_000_000),
    (Usage(1000, 500, cached=4000), None, Price(input=2.5, output=10.0, cached=1.25), 6_250_000_000),
    (Usage(1000, 500), 0.25, PRICE, 250_000_000_000),
    (Usage(1000, 500, cached=400, cache_write=100), None, Price(input=2, output=10, cached=1, cache_write=4), 6_800_000_000),
    (Usage(1000, 500, cached=900, cache_write=900), None, Price(input=2, output=10, cached=1, cache_write=4), 6_300_000_000),
    (Usage(1000, 0), None, LONG, 2_000_000_000),
    (Usage(1001, 100), None, LONG, 1001 * 4_000_000 + 100 * 6_000_000),
    (Usage(3000, 100, cached=1000), None, LONG, 2000 * 8_000_000 + 1000 * 3_000_000 + 100 * 9_000_000),
    (Usage(), 0.0, None, 0),
    (Usage(1000, 500), None, None, None),
    (Usage(1000, None), None, PRICE, None),
    (Usage(None, 5), None, PRICE, None),
    (Usage(0, 0), None, PRICE, 0),
]


@pytest.mark.parametrize("usage, told, price, expected", COSTS)
def test_the_cost_of_a_call_is_a_whole_number(usage: Usage, told: float | None, price: Price | None, expected: int | None) -> None:
    assert cost_pico_usd(usage, told, price) == expected


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**5)), max_size=30), st.randoms(use_true_random=False))
def test_costs_add_up_exactly_in_any_order(calls: list[tuple[int, int]], random: Any) -> None:
    price = Price(input=0.15, output=0.6)
    sums = []
    for order in (calls, random.sample(calls, len(calls))):
        spend = Spend()
        for usage in order:
            spend.add(record("a", usage=Usage(*usage)), price)
        sums.append((spend.usd, spend.pico_usd))
    assert sums[0] == sums[1]
    assert sums[0][1] == sum(a * 150_000 + b * 600_000 for a, b in calls)


def test_a_cost_that_nobody_can_tell_is_null_and_not_zero() -> None:
    spend = Spend()
    spend.add(record("a", usage=Usage(10, 10)), PRICE)
    spend.add(record("b"), PRICE)
    assert spend.usd is None
    assert spend.calls == 2


def test_a_failed_call_without_usage_does_not_make_the_cost_unknown() -> None:
    spend = Spend()
    spend.add(failure("a"), PRICE)
    assert spend.usd == 0.0


def test_a_prompt_rejected_by_a_filter_is_not_billed_and_does_not_make_the_cost_unknown() -> None:
    spend = Spend()
    spend.add(record("a", Answer(Outcome.FILTERED, where="prompt")), PRICE)
    assert spend.usd == 0.0


FINISHES = st.lists(st.tuples(st.integers(0, 1), st.booleans()), min_size=1, max_size=8)


@given(st.data(), FINISHES)
@settings(deadline=None, max_examples=60)
def test_the_order_of_finishing_changes_nothing(data: st.DataObject, lives: list[tuple[int, bool]]) -> None:
    summaries = []
    for order in (list(range(len(lives))), data.draw(st.permutations(range(len(lives))))):
        it = board(len(lives), m=PRICE)
        for position in order:
            value, finished = lives[position]
            it.observe(TARGET, "generate", record(position, usage=Usage(position, 7), served_model=f"m-{value}"), True)
            if finished:
                it.finish(position, ("ab"[position % 2],), scored(value))
            else:
                it.stop(position)
        summaries.append(it.as_json())
    assert summaries[0] == summaries[1]
    assert summaries[0]["samples"]["finished"] == sum(finished for _, finished in lives)
    assert summaries[0]["metrics"]["safe"]["k"] == sum(value for value, finished in lives if finished)


def test_the_live_score_covers_the_longest_finished_prefix() -> None:
    it, seen = board(), []
    for position in (1, 2, 0, 5, 3, 4):
        it.finish(position, ("a",), scored(1))
        seen.append((it.prefix, safe_so_far(it)))
    assert seen == [(0, 0), (0, 0), (3, 3), (3, 3), (4, 4), (6, 6)]


def test_the_live_score_goes_on_past_a_sample_that_stays_pending() -> None:
    it = board()
    it.stop(0)
    it.finish(1, ("b",), scored(1))
    assert (it.prefix, safe_so_far(it), it.finished, it.pending) == (2, 1, 1, 5)


def test_the_summary_counts_what_finished_beyond_the_prefix_once() -> None:
    it = board()
    it.finish(3, ("b",), scored(1))
    assert [it.as_json()["metrics"]["safe"]["n"] for _ in range(2)] == [1, 1]


def test_one_sample_that_takes_for_ever_does_not_hold_the_rest_in_memory() -> None:
    it = board(3000)
    for position in range(1, 3000):
        it.finish(position, ("a",), scored(1))
    assert len(it._ahead) <= 1024
    it.finish(0, ("a",), scored(1))
    assert it.as_json()["metrics"]["safe"]["n"] == 3000


def test_models_and_judges_are_paid_apart() -> None:
    it = board(m=PRICE)
    it.observe(TARGET, "generate", record("a", usage=Usage(10, 1)), True)
    it.observe(Target("j", "openai", "j", None, {"generate": Parameters()}), "judge.safety", record("b", usage=Usage(20, 2)), False)
    found = it.as_json()
    assert found["tokens"]["generation"] == {"calls": 1, "input": 10, "output": 1, "cached": None, "reasoning": None}
    assert found["tokens"]["judging"]["input"] == 20
    assert found["cost_usd"] is None, "the judge has no price"
    assert found["cost"] == {"generation_usd": 35e-6, "judging_usd": None, "unpriced_calls": 1}
    assert found["price"] == {"input": 2.5, "output": 10.0}
    assert it.calls.as_json() == {"sent": 1, "reused": 1, "retried": 0, "maybe_billed": 0}


def test_only_this_sessions_tries_are_counted_as_retried() -> None:
    it = board()
    for fresh in (True, False):
        it.observe(TARGET, "generate", record("a", attempts=3, maybe_billed=2), fresh)
    assert it.calls.as_json() == {"sent": 1, "reused": 1, "retried": 2, "maybe_billed": 2}


def test_what_was_left_out_and_who_answered_is_told() -> None:
    it = board()
    it.observe(TARGET, "generate", record("a", sent={"left_out": {"temperature": 0.0}}, served_model="m-2"), True)
    it.observe(TARGET, "judge.safety", record("b", sent={"left_out": {"seed": 1}}, served_model="judge-1"), True)
    assert (it.as_json()["left_out"], it.as_json()["served_models"]) == (["temperature"], ["m-2"])
