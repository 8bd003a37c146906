"""What a run costs, on the screen: so far, of the budget, and in all, each figure whole or not there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from rich.cells import cell_len

from siuo_async.benchmarks.siuo_gen import SiuoGen
from siuo_async.engine.budget import Budget
from siuo_async.ui.frame import frame
from siuo_async.ui.money_line import budget_line, in_words, projected_pico
from tests.ui.test_frame import board

USD = 10**12


def boards(*spends: tuple[int, int, int, int, int]) -> list[Any]:
    """Models as (finished, begun, total, 10^-12 USD of answers, of verdicts)."""
    found = []
    for finished, begun, total, answers, verdicts in spends:
        it = board(SiuoGen(), total, "m")
        it.finished, it.begun, it.pending, it.prefix = finished, begun, total - finished, finished
        it.generation = SimpleNamespace(pico_usd=answers, unpriced=0, tokens={"input": 0, "output": 0}, calls=3 * finished)
        it.judging = SimpleNamespace(pico_usd=verdicts, unpriced=0, tokens={"input": 0, "output": 0}, calls=3 * finished)
        found.append(it)
    return found


def state(models: list[Any], budget: Budget | None = None) -> Any:
    return SimpleNamespace(
        plan=SimpleNamespace(benchmark=SiuoGen()), boards=models, judge=None, endpoints=[], notices=[], budget=budget,
        begun=0.0, sent=0, limits=(), grace_ends=None, offline_s=lambda: 0.0,
    )  # fmt: skip


def test_what_all_will_cost_is_what_was_spent_and_what_the_calls_that_are_left_cost_on_average() -> None:
    assert projected_pico(state(boards((10, 10, 100, 300, 0)))) == 3000
    assert projected_pico(state(boards((10, 10, 100, 300, 0), (100, 100, 100, 7, 0)))) == 3007


def test_samples_that_are_under_way_do_not_count_as_done() -> None:
    told = projected_pico(state(boards((10, 100, 100, 300, 0))))
    assert told is not None
    assert 2500 <= told <= 3000


def test_nothing_is_said_of_the_whole_while_a_model_was_asked_nothing() -> None:
    assert projected_pico(state(boards((10, 10, 100, 10, 10), (0, 4, 100, 0, 0)))) is None


def test_a_model_that_was_stopped_costs_no_more() -> None:
    stopped = boards((10, 10, 100, 10, 10))
    stopped[0].target.halt = SimpleNamespace(reason=Exception())
    assert projected_pico(state(stopped)) == 20


def test_a_call_without_a_price_makes_the_sum_a_part_of_it() -> None:
    models = boards((10, 10, 100, USD, 0))
    models[0].generation.unpriced = 1
    assert in_words(state(models), apart=True) == ["$1.0000 and more"]


@pytest.mark.parametrize("width", range(40, 201, 4))
def test_the_budget_stands_whole_on_a_line_of_its_own_at_any_width(width: int) -> None:
    budget = Budget(USD, USD * 42 // 100)
    budget.held_pico = USD // 10
    line = budget_line(state(boards((10, 10, 100, USD // 10, USD // 10)), budget), width)
    assert line is not None
    assert "$0.42 of $1.00" in line.plain
    assert cell_len(line.plain) <= width
    last = line.plain.rpartition(" · ")[2]
    assert last.endswith(("of $1.00", "in all", "on the wire", "verdicts $0.1000"))


@pytest.mark.parametrize("width", [62, 80, 120, 200])
def test_the_screen_shows_a_budget_or_what_was_spent_never_both(width: int) -> None:
    models = boards((10, 10, 100, USD // 10, USD // 10))
    without = frame(state(models), width, heading="x").plain
    assert "$0.2000" in without
    assert "budget" not in without
    within = frame(state(models, Budget(USD, USD // 5)), width, heading="x").plain
    assert within.count("$0.20 of $1.00") == within.count("$0.20") == 1
