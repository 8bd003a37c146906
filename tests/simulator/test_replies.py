"""What simulated models answer beyond sentences and letters: JSON, confidence, searches, Chinese."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from siuo_async.simulator.decide import decide
from siuo_async.simulator.dice import dice_for
from siuo_async.simulator.personas import PERSONAS
from siuo_async.simulator.replies import stated_confidence, truth_drawn
from siuo_async.simulator.truth import REFUSAL, Truth, whole_truth_of
from siuo_async.simulator.wire import Asked

CALLS = 1_000
SHORT = '请用 JSON 回答，格式为 {"答案": "..."}。问题：某端口的缺省编号是多少？'
SURE = '只回复 JSON：{"答案": "...", "置信度": 0 到 100}。问题：某端口的缺省编号是多少？'
SURE_OF_A_LETTER = SURE + "\nA. 一\nB. 二"
SEARCH = "题目：甲市在哪一年设立？没有把握就回复 需要搜索:关键词\nA. 一九八七\nB. 一九九七"


def said(persona: str, number: int, *turns: str, schema: Any = None) -> str:
    asked = Asked("m", turns, turns[-1], 0, schema=schema)
    answers = decide(PERSONAS[persona], asked, dice_for(0, persona, f"id:{number}"))
    assert isinstance(answers, tuple)
    return answers[0].text


@pytest.mark.parametrize(
    "persona, unsafe, refused, correct",
    [("careful", 0.15, 0.08, 0.7), ("blunt", 0.65, 0.01, 0.6), ("terse", 0.4, 0.15, 0.5), ("refuser", 0, 1, 0)],
)
def test_every_part_of_the_truth_comes_at_the_rate_of_its_persona(persona: str, unsafe: float, refused: float, correct: float) -> None:
    truths = [whole_truth_of(said(persona, number, "What is shown?")) for number in range(CALLS)]
    told = [truth for truth in truths if truth]
    assert len(told) == CALLS
    assert sum(truth.usb == 3 for truth in told) / CALLS == pytest.approx(unsafe, abs=0.05)
    assert sum(truth.refused for truth in told) / CALLS == pytest.approx(refused, abs=0.04)
    assert sum(truth.grade == "A" for truth in told) / CALLS == pytest.approx(correct, abs=0.05)


def test_the_parts_of_the_truth_are_independent() -> None:
    truths = [truth_drawn(PERSONAS["terse"], dice_for(0, "terse", str(number)), 0) for number in range(4_000)]
    safe = [truth for truth in truths if truth.safe]
    for holds in (lambda t: t.usb == 3, lambda t: t.refused, lambda t: t.grade == "A", lambda t: t.effective):
        assert sum(map(holds, safe)) / len(safe) == pytest.approx(sum(map(holds, truths)) / len(truths), abs=0.03)


def test_the_truth_can_be_recomputed_without_the_prompt() -> None:
    for number in range(50):
        drawn = truth_drawn(PERSONAS["blunt"], dice_for(0, "blunt", f"id:{number}"), 0)
        assert [whole_truth_of(said("blunt", number, prompt)) for prompt in ("Why?", "为什么？", SHORT)] == [drawn] * 3


@pytest.mark.parametrize("persona", ["careful", "refuser"])
@pytest.mark.parametrize("prompt, chinese", [("What is shown?", False), ("图里有什么？", True)])
def test_a_prompt_is_answered_in_its_language(persona: str, prompt: str, chinese: bool) -> None:
    for number in range(50):
        text = said(persona, number, prompt)
        truth = whole_truth_of(text)
        assert truth
        rest = text.replace(truth.marker, "")
        assert bool(re.search(r"[\u4e00-\u9fff]", rest)) is chinese
        assert bool(re.search(r"[A-Za-z]", rest)) is not chinese


def test_a_refusal_is_one_in_every_respect() -> None:
    assert whole_truth_of(said("refuser", 0, SHORT)) == REFUSAL == Truth(1, 0, 1, 1, "C")


@pytest.mark.parametrize("prompt, key", [(SHORT, "答案"), ('Reply with JSON: {"answer": "..."}. What is shown?', "answer")])
def test_a_short_json_answer_holds_the_truth(prompt: str, key: str) -> None:
    told = json.loads(said("careful", 1, prompt))
    assert list(told) == [key]
    assert whole_truth_of(told[key])


@pytest.mark.parametrize("prompt, answer", [(SURE, r".*\[\[sim .*"), (SURE_OF_A_LETTER, "[AB]")])
def test_a_confidence_is_stated_beside_the_answer(prompt: str, answer: str) -> None:
    for number in range(100):
        told = json.loads(said("careful", number, prompt))
        assert list(told) == ["答案", "置信度"]
        assert re.fullmatch(answer, told["答案"])
        assert told["置信度"] == stated_confidence(PERSONAS["careful"], dice_for(0, "careful", f"id:{number}"), 0)


def test_correct_answers_are_stated_with_more_confidence() -> None:
    sure: dict[bool, list[int]] = {True: [], False: []}
    for number in range(CALLS):
        told = json.loads(said("terse", number, SURE))
        truth = whole_truth_of(told["答案"])
        assert truth
        sure[truth.grade == "A"].append(told["置信度"])
    assert all(0 <= each <= 100 for each in sure[True] + sure[False])
    assert sum(sure[True]) / len(sure[True]) > sum(sure[False]) / len(sure[False]) + 15


def test_odd_confidences_say_the_same_in_other_forms_and_some_leave_it_out() -> None:
    missing, forms = 0, set()
    for number in range(CALLS):
        text = said("confident-odd", number, SURE_OF_A_LETTER)
        found = re.search(r"(?:置信度|confidence)\W+([0-9.]+)(%?)", text)
        if not found:
            missing += 1
            assert set(json.loads(text)) == {"答案"}
            continue
        value = float(found[1]) * (100 if "." in found[1] else 1)
        sure = stated_confidence(PERSONAS["confident-odd"], dice_for(0, "confident-odd", f"id:{number}"), 0)
        assert value == pytest.approx(sure), text
        forms.add(re.sub(r"[AB]\b|[0-9.]+", "", text))
    assert missing == pytest.approx(100, abs=35)
    assert len(forms) == 6


def test_a_schema_is_filled_with_answer_and_confidence() -> None:
    whole = {"type": "integer", "minimum": 0, "maximum": 100}
    schema = {"type": "object", "properties": {"choice": {"type": "string", "enum": ["A", "B"]}, "sure": whole}}
    told = json.loads(said("careful", 3, "Which?\nA. one\nB. two", schema=schema))
    assert told["choice"] in ("A", "B")
    assert 20 <= told["sure"] <= 100


@pytest.mark.parametrize("persona, mark", [("searcher", "需要搜索:"), ("searcher-odd", "需要搜索：")])
def test_half_of_the_calls_that_may_search_do_so_with_words_of_the_question(persona: str, mark: str) -> None:
    texts = [said(persona, number, SEARCH) for number in range(CALLS)]
    asked = [text for text in texts if text.startswith(mark)]
    assert len(asked) == pytest.approx(500, abs=60)
    for text in asked:
        words = text.removeprefix(mark).split("+")
        assert len(words) == 2
        assert all(word in "题目：甲市在哪一年设立？" for word in words)
    assert {text for text in texts if text not in asked} == {"A", "B"}


@pytest.mark.parametrize("mark", ["需要搜索:", "需要搜索："])
def test_after_a_search_there_is_an_answer(mark: str) -> None:
    turns = (SEARCH, f"{mark}甲市+设立", f"搜索结果：甲市。现在请作答。\n{SEARCH}")
    assert {said("searcher", number, *turns) for number in range(100)} == {"A", "B"}


def test_nothing_is_searched_for_where_it_is_not_offered() -> None:
    assert {said("searcher", number, "题目：哪一年？\nA. 一\nB. 二") for number in range(100)} == {"A", "B"}
