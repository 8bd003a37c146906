"""What personas decide: by hash, at their rates."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from statistics import median

import pytest

from siuo_async.simulator.decide import decide, delay_s, mischief
from siuo_async.simulator.dice import dice_for
from siuo_async.simulator.personas import PERSONAS, Mischief, persona_name
from siuo_async.simulator.truth import truth_of
from siuo_async.simulator.wire import Answer, Asked, Fault, Problem, Signal

CALLS = 2_000
Result = tuple[Answer, ...] | Fault
JUDGED = "Give [Safety Judgement:] True or False. The answer: fine [[sim safe=1 effective=0]]"


def asked(text: str = "What is shown?", *, n: int = 1, cap: int | None = 500) -> Asked:
    return Asked("m", (text,), text, 0, n, cap)


def results(persona: str, request: Asked) -> list[Result]:
    return [decide(PERSONAS[persona], request, dice_for(0, persona, f"id:{number}")) for number in range(CALLS)]


def share(persona: str, request: Asked, holds: Callable[[Result], bool]) -> float:
    return sum(map(holds, results(persona, request))) / CALLS


def truths(persona: str) -> list[tuple[int, int]]:
    found = [truth_of(a.text) for r in results(persona, asked(cap=None)) if isinstance(r, tuple) for a in r]
    return [truth for truth in found if truth]


@pytest.mark.parametrize(
    "persona, safe, effective",
    [("careful", 0.9, 0.8), ("blunt", 0.45, 0.92), ("terse", 0.7, 0.45), ("refuser", 1, 0)],
)
def test_answers_are_safe_and_effective_at_the_rates_of_their_persona(persona: str, safe: float, effective: float) -> None:
    told = truths(persona)
    assert len(told) == CALLS
    assert sum(truth[0] for truth in told) / CALLS == pytest.approx(safe, abs=0.03)
    assert sum(truth[1] for truth in told) / CALLS == pytest.approx(effective, abs=0.03)


def ends(signal: Signal, *, text: bool) -> Callable[[Result], bool]:
    return lambda r: isinstance(r, tuple) and r[0].signal is signal and bool(r[0].text) is text


def fails(problem: Problem) -> Callable[[Result], bool]:
    return lambda r: isinstance(r, Fault) and r.problem is problem


@pytest.mark.parametrize(
    "persona, holds, rate",
    [
        ("decliner", ends(Signal.DECLINED, text=False), 0.3),
        ("decliner-text", ends(Signal.DECLINED, text=True), 0.3),
        ("filtered-answer", ends(Signal.FILTERED, text=False), 0.25),
        ("filtered-prompt", fails(Problem.PROMPT_FILTERED), 0.25),
        ("empty", ends(Signal.STOP, text=False), 0.2),
        ("badrequest", fails(Problem.INVALID), 0.2),
        ("broken", fails(Problem.SERVER), 1),
        ("quota", fails(Problem.QUOTA), 1),
        ("on-hold", fails(Problem.ON_HOLD), 1),
        ("long", ends(Signal.LENGTH, text=True), 1),
        ("judge-declines", ends(Signal.DECLINED, text=False), 0.2),
        ("judge-filtered", fails(Problem.PROMPT_FILTERED), 0.2),
        ("judge-cut", ends(Signal.LENGTH, text=True), 0.2),
        ("mixed", fails(Problem.PROMPT_FILTERED), 0.09),
        ("mixed", fails(Problem.INVALID), 0.1),
        ("mixed", ends(Signal.DECLINED, text=False), 0.081),
    ],
)
def test_outcomes_come_at_their_rates(persona: str, holds: Callable[[Result], bool], rate: float) -> None:
    assert share(persona, asked(JUDGED), holds) == pytest.approx(rate, abs=0.03)


@pytest.mark.parametrize(
    "cap, signal, reasoning, text",
    [(500, "length", 500, False), (3_000, "length", 3_000, False), (8_692, "stop", 3_000, True), (None, "stop", 3_000, True)],
)
def test_a_thinker_spends_the_cap_before_it_writes(cap: int | None, signal: str, reasoning: int, text: bool) -> None:
    result = results("thinker", asked(cap=cap))[0]
    assert isinstance(result, tuple)
    assert (result[0].signal, result[0].reasoning, bool(result[0].text)) == (signal, reasoning, text)


def test_no_answer_is_longer_than_the_cap() -> None:
    for persona in PERSONAS:
        for result in results(persona, asked(cap=7))[:100]:
            assert isinstance(result, Fault) or all(a.reasoning + a.visible <= 7 for a in result)


@pytest.mark.parametrize("n, given", [(1, 1), (2, 1), (3, 2)])
def test_fewer_gives_one_answer_less_but_at_least_one(n: int, given: int) -> None:
    result = results("fewer", asked(n=n))[0]
    assert isinstance(result, tuple)
    assert len(result) == given


def test_a_call_is_decided_the_same_every_time() -> None:
    assert results("mixed", asked(n=3)) == results("mixed", asked(n=3))


def test_calls_seeds_personas_and_answers_differ() -> None:
    draws = {
        dice_for(seed, persona, call).share("x", index)
        for seed in (0, 1)
        for persona in ("a", "b")
        for call in ("c", "d")
        for index in (0, 1)
    }
    assert len(draws) == 16


def test_an_answer_does_not_depend_on_how_many_were_asked_for() -> None:
    one, three = results("careful", asked(n=1))[0], results("careful", asked(n=3))[0]
    assert isinstance(one, tuple)
    assert isinstance(three, tuple)
    assert three[0] == one[0]
    assert three[1] != three[0]


@pytest.mark.parametrize("name", ["careful", "openai-careful", "anthropic-careful", "gemini-careful"])
def test_one_prefix_of_a_dialect_is_no_part_of_the_persona(name: str) -> None:
    assert persona_name(name) == "careful"


def test_multiple_choice_is_answered_by_a_letter_of_its_options() -> None:
    prompt = "Which one?\n(A) this\n(B) that\n(C) neither"
    letters = Counter(r[0].text for r in results("careful", asked(prompt, cap=5)) if isinstance(r, tuple))
    assert set(letters) == {"(A)", "(B)", "(C)"}
    assert min(letters.values()) > CALLS / 4


def test_mischief_hits_the_first_try_only_and_at_its_rates() -> None:
    flaky = PERSONAS["flaky"]
    first = Counter(mischief(flaky, dice_for(0, "flaky", str(number)), 1) for number in range(CALLS))
    assert {kind: first[kind] / CALLS for kind in Mischief} == pytest.approx(
        {"server": 0.15, "reset": 0.05, "cut": 0.05, "blanks": 0.05, "html": 0.03}, abs=0.02
    )
    assert {mischief(flaky, dice_for(0, "flaky", str(number)), 2) for number in range(CALLS)} == {None}


def test_latency_is_lognormal_around_its_median() -> None:
    times = [delay_s(PERSONAS["careful"], 2.0, 0.5, dice_for(0, "p", str(number))) for number in range(CALLS)]
    assert median(times) == pytest.approx(2.0, rel=0.05)
    assert min(times) < 1.0 < 4.0 < max(times)


@pytest.mark.parametrize("persona, took_s", [("careful", 2.0), ("slow", 5.0), ("hang", math.inf)])
def test_a_persona_takes_its_own_time_on_top(persona: str, took_s: float) -> None:
    assert delay_s(PERSONAS[persona], 2.0, 0.0, dice_for(0, "p", "x")) == took_s
    assert delay_s(PERSONAS[persona], 0.0, 0.5, dice_for(0, "p", "x")) == took_s - 2.0
