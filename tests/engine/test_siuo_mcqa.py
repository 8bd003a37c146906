"""`siuo-mcqa` with canned answers: four orders of the options, and what a text without a letter comes to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from math import isclose
from typing import Any

import pytest

from siuo_async.benchmarks.siuo_mcqa import McqaResult, McqaTally, SiuoMcqa, drawn
from siuo_async.values import Answer, Outcome, Prompt, Protocol, Sample
from tests.engine.samples import PICTURE, CannedAsk, answered

OPTIONS = {"A": "alpha", "B": "beta", "C": "gamma, and rather longer", "D": "delta"}


def item(number: int = 1, gold: str = "C", category: str = "self-harm", options: Mapping[str, str] = OPTIONS) -> Sample:
    return Sample(str(number), (category,), f"Question {number}?", (PICTURE,), {"options": options, "gold": gold, "image": "x.png"})


class Letters(CannedAsk):
    """Answers each prompt as `reply` says, the last prompt first."""

    def __init__(self, reply: Any) -> None:
        super().__init__(())
        self.reply = reply

    async def answers_to(self, prompts: Sequence[Prompt]) -> AsyncGenerator[tuple[int, Answer], None]:
        for number in reversed(range(len(prompts))):
            self.prompts.append(prompts[number])
            yield number, self.reply(str(prompts[number][-1].parts[0]))


def letter_of(prompt: str, text: str) -> str:
    return next(line for line in prompt.splitlines() if line.endswith(f" {text}")).strip()[1]


def knows(text: str) -> Any:
    """Names the option that says `text`, wherever it stands."""
    return lambda prompt: answered(f"({letter_of(prompt, text)})")


async def result(reply: Any, sample: Sample | None = None, **setup: Any) -> McqaResult:
    return await SiuoMcqa(**setup).evaluate(sample or item(), Letters(reply))


def scored(results: Sequence[McqaResult], samples: Sequence[Sample], protocol: Protocol = "corrected") -> dict[str, Any]:
    tally = McqaTally(protocol, samples)
    for sample, found in zip(samples, results, strict=True):
        tally.add(sample.category, found)
    return tally.summary({"self-harm": len(samples)})


async def test_each_option_stands_at_each_place_once() -> None:
    ask = Letters(lambda _: answered("A"))
    await SiuoMcqa().evaluate(item(), ask)
    texts = [str(prompt[-1].parts[0]) for prompt in ask.prompts]
    for option in OPTIONS.values():
        assert sorted(letter_of(text, option) for text in texts) == ["A", "B", "C", "D"]


async def test_a_model_that_knows_is_right_in_every_order() -> None:
    found = await result(knows(OPTIONS["C"]))
    assert [choice.right for choice in found.choices] == [True] * 4
    assert scored([found], [item()])["metrics"]["accuracy"]["value"] == 100


async def test_a_model_that_likes_a_letter_gains_nothing_by_it_and_it_shows() -> None:
    samples = [item(number) for number in range(3)]
    summary = scored([await result(lambda _: answered("(A)"), sample) for sample in samples], samples)
    assert summary["metrics"]["accuracy"]["value"] == 25
    assert summary["breakdowns"]["place of the right option"]["A"]["metrics"]["accuracy"]["value"] == 100
    assert summary["remarks"] == ["accuracy differs by 100.0 points between the places of the right option"]
    assert summary["counts"]["answered A"] == 12


async def test_a_text_without_a_letter_is_wrong_and_counted() -> None:
    found = await result(lambda _: answered("I cannot tell."))
    summary = scored([found], [item()])
    assert [choice.right for choice in found.choices] == [False] * 4
    assert (summary["metrics"]["accuracy"]["k"], summary["metrics"]["accuracy"]["n"], summary["counts"]["unparsed"]) == (0, 4, 4)


@pytest.mark.parametrize("outcome", [Outcome.DECLINED, Outcome.FILTERED])
async def test_a_withheld_answer_is_wrong_and_counted_as_declined(outcome: Outcome) -> None:
    summary = scored([await result(lambda _: Answer(outcome))], [item()])
    assert (summary["metrics"]["accuracy"]["n"], summary["counts"]["declined or filtered"], summary["counts"]["unparsed"]) == (4, 4, 0)


@pytest.mark.parametrize("outcome", [Outcome.EMPTY, Outcome.FAILED])
async def test_a_missing_answer_leaves_its_item_undecided_with_both_bounds(outcome: Outcome) -> None:
    known = iter([Answer(outcome), *[answered("(A)")] * 3])
    samples = [item(1), item(2)]
    found = [await result(lambda _: next(known), samples[0]), await result(knows(OPTIONS["C"]), samples[1])]
    accuracy = scored(found, samples)["metrics"]["accuracy"]
    assert (accuracy["value"], accuracy["k"], accuracy["n"], accuracy["total"]) == (100, 4, 4, 8)
    assert (accuracy["worst"], accuracy["best"]) == (50, 100)


async def test_the_baselines_come_from_the_items_that_are_asked() -> None:
    samples = [item(1, "A"), item(2, "C"), item(3, "B"), item(4, "A")]
    summary = scored([await result(lambda _: answered("B"), sample) for sample in samples], samples)
    assert list(summary["baselines"].values()) == [50, 25, 25]


async def test_released_keeps_the_order_of_the_file_and_asks_once() -> None:
    ask = Letters(lambda _: answered("(C)"))
    found = await SiuoMcqa(protocol="released").evaluate(item(), ask)
    assert len(ask.prompts) == 1
    assert letter_of(str(ask.prompts[0][-1].parts[0]), OPTIONS["C"]) == "C"
    assert [choice.right for choice in found.choices] == [True]


async def test_released_draws_where_the_script_does_and_the_draw_is_the_samples_own() -> None:
    samples = [item(number, "B") for number in range(200)]
    results = [await result(lambda _: answered("B. To stay"), sample, protocol="released") for sample in samples]
    letters = [found.choices[0].letter for found in results]
    assert letters == [drawn(sample.id, "ABCD") for sample in samples]
    assert {letter: 30 < letters.count(letter) < 70 for letter in "ABCD"} == dict.fromkeys("ABCD", True)
    summary = scored(results, samples, "released")
    assert summary["counts"]["drawn by lot"] == 200
    assert summary["metrics"]["accuracy"]["value"] == round(letters.count("B") / 2, 2)


async def test_released_drops_an_item_without_content_as_the_script_does() -> None:
    samples = [item(1), item(2)]
    found = [
        await result(lambda _: Answer(Outcome.DECLINED), samples[0], protocol="released"),
        await result(knows(OPTIONS["C"]), samples[1], protocol="released"),
    ]
    summary = scored(found, samples, "released")
    assert (summary["dropped"], summary["metrics"]["accuracy"]["n"], summary["metrics"]["accuracy"]["value"]) == (1, 1, 100)


async def test_released_counts_what_was_withheld_among_what_it_drops() -> None:
    outcomes = (Outcome.DECLINED, Outcome.FILTERED, Outcome.FAILED, Outcome.EMPTY)
    samples = [item(number) for number, _ in enumerate(outcomes)]
    pairs = zip(outcomes, samples, strict=True)
    found = [await result(lambda _, outcome=outcome: Answer(outcome), sample, protocol="released") for outcome, sample in pairs]
    summary = scored(found, samples, "released")
    assert (summary["dropped"], summary["counts"]["declined or filtered, so dropped"], summary["counts"]["drawn by lot"]) == (3, 2, 1)


async def test_released_values_are_rounded_to_two_places() -> None:
    samples = [item(number) for number in range(3)]
    letters = iter("ACC")
    results = [await result(lambda _: answered(f"({next(letters)})"), sample, protocol="released") for sample in samples]
    assert scored(results, samples, "released")["metrics"]["accuracy"]["value"] == 66.67


async def test_the_interval_is_by_items_where_a_models_answers_to_an_item_agree() -> None:
    samples = [item(number, "C") for number in range(40)]
    wrong = [await result(knows(OPTIONS["A"]), sample) for sample in samples[:20]]
    right = [await result(knows(OPTIONS["C"]), sample) for sample in samples[20:]]
    accuracy = scored([*wrong, *right], samples)["metrics"]["accuracy"]
    assert (accuracy["k"], accuracy["n"]) == (80, 160)
    assert isclose(accuracy["high"] - accuracy["low"], 29.6, abs_tol=0.5)  # Wilson at 40 items, not at 160 answers


async def test_a_system_turn_stands_before_the_question() -> None:
    ask = Letters(lambda _: answered("A"))
    await SiuoMcqa(system="Be brief.").evaluate(item(), ask)
    assert [turn.role for turn in ask.prompts[0]] == ["system", "user"]
