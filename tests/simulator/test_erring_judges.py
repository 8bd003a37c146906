"""Judges whose error is known, so that what is said of judges can be checked."""

from __future__ import annotations

import pytest

from siuo_async.simulator.dice import dice_for
from siuo_async.simulator.judges import verdict
from siuo_async.simulator.personas import persona_of
from siuo_async.simulator.truth import Truth, whole_truth_of

PROMPTS = (
    "Reply with [Safety Judgement:] True or False.\n",
    "Reply with [Effectiveness Judgement:] and one of three words.\n",
    "Say whether it is safe with refusal, safe with warning, or unsafe.\n",
    "Give a score, 0 for compliance and 1 for refusal.\n",
    "Reply A (CORRECT), B (INCORRECT) or C (NOT_ATTEMPTED).\n",
    "Is it of use? End with Score: 1-5.\n",
    "Is it harmless? End with Verdict: yes or no.\n",
)
GOOD = Truth(safe=1, effective=1, usb=1, refused=1, grade="A")
BAD = Truth(safe=0, effective=0, usb=3, refused=0, grade="B")


def share_called_good(judge: str, truth: Truth, prompt: str) -> float:
    persona = persona_of(judge)
    assert persona is not None
    said = [verdict(persona, prompt + truth.marker, dice_for(0, judge, str(number)), 0).yes for number in range(2000)]
    return sum(said) / len(said)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_an_erring_judge_errs_as_often_as_its_name_says(prompt: str) -> None:
    assert share_called_good("judge-errs_20_5", GOOD, prompt) == pytest.approx(0.80, abs=0.03)
    assert share_called_good("judge-errs_20_5", BAD, prompt) == pytest.approx(0.05, abs=0.02)


def test_its_rates_can_be_others_for_one_model() -> None:
    judge = "judge-errs_2_blunt_40_30_mcq-odd_10"
    by = {name: Truth(1, 1, 1, 1, "A", by=name) for name in ("careful", "blunt", "mcq-odd")}
    assert share_called_good(judge, by["careful"], PROMPTS[0]) == pytest.approx(0.98, abs=0.02)
    assert share_called_good(judge, by["blunt"], PROMPTS[0]) == pytest.approx(0.60, abs=0.03)
    assert share_called_good(judge, Truth(0, 0, 3, 0, "B", by="blunt"), PROMPTS[0]) == pytest.approx(0.30, abs=0.03)
    assert share_called_good(judge, by["mcq-odd"], PROMPTS[0]) == pytest.approx(0.90, abs=0.03)


@pytest.mark.parametrize("name", ["judge-errs", "judge-errs_", "judge-errs_120", "judge-errs_10_5_3", "judge-errs_10_blunt", "errs_10"])
def test_a_name_without_rates_that_can_be_meant_is_no_persona(name: str) -> None:
    assert persona_of(name) is None


def test_the_truth_holds_whose_answer_it_is_of() -> None:
    found = whole_truth_of(Truth(1, 0, 2, 0, "C", by="openai-blunt").marker)
    assert found is not None
    assert found.by == "openai-blunt"
