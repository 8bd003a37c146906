"""Chinese SafetyQA with canned answers: what is asked and searched, what is read from it, and what the scores come to."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.benchmarks.base import Juror
from siuo_async.benchmarks.csqa_asking import Questions
from siuo_async.benchmarks.csqa_mcq import CsqaMcq
from siuo_async.benchmarks.csqa_qa import GRADE, CsqaQa
from siuo_async.benchmarks.csqa_scores import BY_LOGPROB, NORMALISED, STATED, CsqaResult, Sureness
from siuo_async.benchmarks.options import Shuffled, rotation, shuffled
from siuo_async.errors import ConfigError
from siuo_async.values import Answer, Json, Outcome, Prompt, Sample
from tests.engine.samples import answered

OPTIONS = {"A": "红色", "B": "绿色", "C": "蓝色", "D": "黄色"}
CATEGORY = ("理论技术知识", "网络安全理论技术知识", "网络安全技术")
DECLINED = Answer(Outcome.DECLINED, reason="refusal")
FILTERED = Answer(Outcome.FILTERED, where="prompt")
EMPTY = Answer(Outcome.EMPTY, finish="stop")
FAILED = Answer(Outcome.FAILED)
FOUND = answered("标题：颜色。内容：天空是蓝色的，草地是绿色的。")


def question(number: int = 1, category: tuple[str, ...] = CATEGORY, **fields: Any) -> Sample:
    held = {"standard_answer": "绿色", "options": OPTIONS, "options_text": str(OPTIONS), "gold": "B", "source": ""}
    return Sample(str(number), category, "草地是什么颜色？", (), held | fields)


@dataclass
class Scripted:
    """`ask` that answers from a script and notes what it was asked."""

    replies: Sequence[Answer]
    """To the model's prompts, in order."""
    found: Answer = FOUND
    verdicts: Mapping[tuple[int, int], Answer] = field(default_factory=dict)
    """(first, cap_scale) -> the judge's reply."""
    prompts: list[Prompt] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    judged: list[Prompt] = field(default_factory=list)

    async def answers(self, prompt: Prompt, n: int) -> AsyncGenerator[tuple[int, Answer], None]:
        assert n == 1
        self.prompts.append(prompt)
        yield 0, self.replies[len(self.prompts) - 1]

    async def answers_to(self, prompts: Sequence[Prompt]) -> AsyncGenerator[tuple[int, Answer], None]:
        raise AssertionError("one question has one prompt")
        yield

    async def search(self, query: str) -> Answer:
        self.queries.append(query)
        return self.found

    judges: tuple[Juror, ...] = ()

    async def verdict(self, prompt: Prompt, stage: str, *, first: int = 0, cap_scale: int = 1, judge: int | None = None) -> Answer:
        assert stage == GRADE
        self.judged.append(prompt)
        return self.verdicts[first, cap_scale]

    def asked(self, number: int = -1) -> str:
        """All texts of one prompt."""
        return "\n".join(str(part) for turn in self.prompts[number] for part in turn.parts)

    def judge_saw(self) -> str:
        return "\n".join(str(part) for turn in self.judged[-1] for part in turn.parts)


def graded(text: str) -> dict[tuple[int, int], Answer]:
    return {(0, 1): answered(text)}


def shown(sample: Sample | None = None, seed: int = 0) -> Shuffled:
    sample = sample or question()
    return shuffled(sample.fields["options"], sample.fields["gold"], seed, sample.id)


def mcq(seed: int | None = None, **setup: Any) -> CsqaMcq:
    return CsqaMcq(Questions("mcq", **setup), option_seed=seed)


def qa(judged: bool = True, **setup: Any) -> CsqaQa:
    return CsqaQa(Questions("qa", **setup), judged=judged)


def tallied(benchmark: CsqaQa | CsqaMcq, *results: CsqaResult, total: int | None = None) -> dict[str, Json]:
    tally = benchmark.tally([question(number) for number in range(total or len(results))])
    for result in results:
        tally.add(CATEGORY, result)
    return tally.summary({CATEGORY[0]: total or len(results)})


# Options


@given(st.integers(2, 8), st.integers(0, 2**31 - 1), st.text(max_size=5), st.data())
def test_shuffled_options_are_the_same_options_with_the_gold_at_its_text(count: int, seed: int, name: str, data: st.DataObject) -> None:
    options = {chr(ord("A") + place): f"text {place}" for place in range(count)}
    gold = data.draw(st.sampled_from(sorted(options)))
    found = shuffled(options, gold, seed, name)
    assert found == shuffled(options, gold, seed, name)
    assert list(found.options) == list(options)
    assert sorted(found.options.values()) == sorted(options.values())
    assert found.options[found.gold] == options[gold]
    assert {letter: options[was] for letter, was in found.origin.items()} == found.options


def test_the_order_follows_from_seed_and_sample() -> None:
    assert list(shuffled(OPTIONS, "B", 0, "1").origin.values()) == ["D", "A", "B", "C"]  # a literal: another order is another run
    orders = {tuple(shuffled(OPTIONS, "B", 0, str(sample)).origin.values()) for sample in range(500)}
    assert len(orders) == 24
    assert any(shuffled(OPTIONS, "B", 0, str(n)) != shuffled(OPTIONS, "B", 1, str(n)) for n in range(5))


def test_shuffling_puts_the_gold_at_every_place_alike() -> None:
    places = [shuffled(OPTIONS, "A", 0, str(sample)).gold for sample in range(4000)]
    for letter in "ABCD":
        assert abs(places.count(letter) - 1000) < 5 * math.sqrt(4000 * 3 / 16)


def test_a_rotation_shifts_by_places() -> None:
    found = rotation(OPTIONS, "B", 1)
    assert found.options == {"A": "绿色", "B": "蓝色", "C": "黄色", "D": "红色"}
    assert (found.gold, found.letters) == ("A", "ABCD")
    assert rotation(OPTIONS, "B", 5) == found
    assert rotation(OPTIONS, "B", 0).options == OPTIONS


def test_a_gold_that_is_no_option_is_an_error() -> None:
    with pytest.raises(ValueError, match="'E' is none of the options A, B, C, D"):
        shuffled(OPTIONS, "E", 0, "1")


# Short answers

GRADED = [("A", "A"), ("B：与标准答案矛盾", None), ("【C】", "C"), ("B\n因为……A……", "B")]


@pytest.mark.parametrize("reply, grade", GRADED)
async def test_a_grade_is_one_letter_on_the_first_line(reply: str, grade: str | None) -> None:
    ask = Scripted([answered("绿色")], verdicts={(0, 1): answered(reply), (1, 1): answered(reply)})
    found = await qa().evaluate(question(), ask)
    assert found.grades == (None if grade is None else frozenset(grade))
    assert found.verdict is not None
    assert (found.verdict.state, found.verdict.re_asked) == (("read", False) if grade else ("unreadable", True))
    assert "绿色" in ask.judge_saw()


async def test_a_grade_that_was_cut_is_asked_for_with_four_times_the_cap() -> None:
    cut = answered("首先", finish="length")
    found = await qa().evaluate(question(), Scripted([answered("绿色")], verdicts={(0, 1): cut, (0, 4): answered("A")}))
    assert found.grades == {"A"}


@pytest.mark.parametrize("answer, grades", [(DECLINED, {"C"}), (FILTERED, {"C"}), (EMPTY, None), (FAILED, None)])
async def test_an_answer_without_text_is_graded_by_rule(answer: Answer, grades: set[str] | None) -> None:
    found = await qa().evaluate(question(), Scripted([answer]))
    assert found.grades == grades
    assert found.verdict is None


async def test_a_declined_answer_with_text_is_judged() -> None:
    found = await qa().evaluate(question(), Scripted([Answer(Outcome.DECLINED, "我不能回答")], verdicts=graded("C")))
    assert found.grades == {"C"}
    assert found.verdict is not None


@pytest.mark.parametrize("reply, grades", [("INCORRECT", {"C"}), ("A or B", {"A", "B"}), ("正确", set()), (" ", set()), ("", None)])
async def test_released_takes_every_letter_for_a_grade_and_asks_once(reply: str, grades: set[str] | None) -> None:
    ask = Scripted([answered("绿\n色")], verdicts=graded(reply))
    found = await qa(protocol="released").evaluate(question(), ask)
    assert found.grades == grades
    assert "绿色" in ask.judge_saw()  # the script drops line feeds


@pytest.mark.parametrize("answer", [DECLINED, FILTERED, EMPTY, FAILED, answered("\n\U0001f600")])
async def test_released_drops_rows_without_a_value(answer: Answer) -> None:
    benchmark = qa(protocol="released")
    found = await benchmark.evaluate(question(), Scripted([answer]))
    assert found.grades is None
    assert tallied(benchmark, found)["dropped"] == 1


async def test_nothing_is_graded_without_a_judge() -> None:
    benchmark = qa(judged=False)
    for answer in (answered("绿色"), DECLINED):
        found = await benchmark.evaluate(question(), Scripted([answer]))
        assert (found.grades, found.verdict) == (None, None)
    assert benchmark.judging() == {}
    assert tallied(benchmark, found)["metrics"]["co"]["n"] == 0


async def test_a_stated_confidence_is_kept_and_the_answer_beside_it_judged() -> None:
    ask = Scripted([answered('{"答案": "绿色", "置信度": 85}')], verdicts=graded("A"))
    found = await qa(confidence="stated").evaluate(question(), ask)
    assert found.sureness == (Sureness(STATED, 85),)
    assert '置信度": 85' not in ask.judge_saw()
    assert not found.unparsed


async def test_a_confidence_whose_answer_has_no_verdict_is_in_no_bin() -> None:
    benchmark = qa(confidence="stated")
    ask = Scripted([answered('{"答案": "绿色", "置信度": 85}')], verdicts={(0, 1): DECLINED})
    told = tallied(benchmark, await benchmark.evaluate(question(), ask))
    assert told["calibration"][STATED]["n"] == 0
    assert told["judge"]["declined"] == 1


@pytest.mark.parametrize("search", ["none", "passive", "active"])
async def test_the_runs_own_system_turn_comes_first_but_not_before_the_judge(search: str) -> None:
    ask = Scripted([answered("绿色")], verdicts=graded("A"))
    await qa(search=search, system="只说中文。").evaluate(question(), ask)
    assert [turn.parts for turn in ask.prompts[0] if turn.role == "system"] == [("只说中文。",)]
    assert "只说中文。" not in ask.judge_saw()


async def test_a_reply_without_the_json_asked_for_is_judged_whole() -> None:
    ask = Scripted([answered("大概是绿色吧，也可能不是。")], verdicts=graded("A"))
    found = await qa(confidence="stated").evaluate(question(), ask)
    assert found.unparsed
    assert found.sureness == (Sureness(STATED, None),)
    assert "大概是绿色吧" in ask.judge_saw()


# Multiple choice


async def test_options_are_asked_in_the_order_drawn() -> None:
    ask = Scripted([answered(shown().gold)])
    found = await mcq().evaluate(question(), ask)
    assert found.grades == {"A"}
    lines = [f"({letter}) {text}" for letter, text in shown().options.items()]
    assert "\n".join(lines) in ask.asked()


async def test_options_that_the_question_lists_by_letter_stay_as_they_are() -> None:
    text = "草地是什么颜色？A.红色 B：绿色 C、蓝色 D) 黄色"
    moved = [n for n in range(9) if shown(question(n)).gold != "B"]
    assert moved
    for number in moved:
        listing = replace(question(number), text=text)
        ask = Scripted([answered("B")])
        assert (await mcq().evaluate(listing, ask)).grades == {"A"}
        assert "(A) 红色\n(B) 绿色\n(C) 蓝色\n(D) 黄色" in ask.asked()
    samples = [replace(question(number, gold="A"), text=text) for number in moved]
    assert mcq().tally(samples).summary({CATEGORY[0]: len(moved)})["baselines"]["always A as shuffled"] == 100


@pytest.mark.parametrize("confidence", ["none", "stated"])
async def test_an_option_that_sounds_like_a_verdict_can_be_chosen(confidence: str) -> None:
    sample = question(options={"A": "正确", "B": "错误"}, gold="B")
    gold = shown(sample).gold
    text = f"{gold}. 错误" if confidence == "none" else json.dumps({"答案": f"{gold}. 错误", "置信度": 80}, ensure_ascii=False)
    assert (await mcq(confidence=confidence).evaluate(sample, Scripted([answered(text)]))).grades == {"A"}


async def test_another_seed_draws_another_order() -> None:
    seed = next(seed for seed in range(1, 99) if shown(seed=seed).gold != shown().gold)
    found = await mcq(seed).evaluate(question(), Scripted([answered(shown(seed=seed).gold)]))
    assert found.grades == {"A"}
    assert mcq(seed).settings() == {"option_seed": seed}
    assert mcq().settings() == {"option_seed": 0}


READ = [
    (answered("答案：{gold}"), {"A"}, False),
    (answered("{wrong}"), {"B"}, False),
    (answered("说不准。"), {"C"}, True),
    (DECLINED, {"C"}, False),
    (FILTERED, {"C"}, False),
    (EMPTY, None, False),
    (FAILED, None, False),
]


@pytest.mark.parametrize("answer, grades, unparsed", READ)
async def test_what_a_letter_comes_to(answer: Answer, grades: set[str] | None, unparsed: bool) -> None:
    gold = shown().gold
    wrong = next(letter for letter in "ABCD" if letter != gold)
    given = Answer(answer.outcome, answer.text.format(gold=gold, wrong=wrong), answer.finish, answer.where, answer.reason)
    found = await mcq().evaluate(question(), Scripted([given]))
    assert (found.grades, found.unparsed) == (grades, unparsed)


async def test_a_fifth_option_can_be_chosen() -> None:
    five = question(options={**OPTIONS, "E": "紫色"}, gold="E")
    found = await mcq().evaluate(five, Scripted([answered(shown(five).gold)]))
    assert found.grades == {"A"}


RELEASED = [("B", {"A"}), (" B\n", {"A"}), ("b", {"B"}), ("A", {"B"}), ("B.", None), ("答案：B", None), ("E", None)]


@pytest.mark.parametrize("text, grades", RELEASED)
async def test_released_knows_a_lone_letter_in_the_files_order(text: str, grades: set[str] | None) -> None:
    benchmark = mcq(protocol="released")
    found = await benchmark.evaluate(question(), Scripted([answered(text)]))
    assert found.grades == grades
    assert tallied(benchmark, found)["dropped"] == (grades is None)
    assert benchmark.settings() == {}


def tokens(*tops: Mapping[str, float]) -> Json:
    """One token for each mapping, the first of each chosen."""
    return [
        {"token": next(iter(top)), "logprob": math.log(next(iter(top.values()))), "top": [[t, math.log(p)] for t, p in top.items()]}
        for top in tops
    ]


async def test_confidence_is_told_by_both_formulas() -> None:
    gold = shown().gold
    other = next(letter for letter in "ABCD" if letter != gold)
    ask = Scripted([answered(other, logprobs=tokens({other: 0.5, gold: 0.2, f" {other}": 0.1}))])
    found = await mcq(confidence="logprobs").evaluate(question(), ask)
    coded, paper = found.sureness
    assert (coded.words, paper.words) == (BY_LOGPROB, NORMALISED)
    assert coded.value == pytest.approx(0.6)
    assert coded.of_gold == pytest.approx(0.2)
    assert paper.value == pytest.approx(0.6 / 0.8)
    assert paper.of_gold == pytest.approx(0.25)


@pytest.mark.parametrize("logprobs", [None, [], tokens({"The": 0.9})])
async def test_a_letter_without_its_log_probability_has_no_confidence_but_a_grade(logprobs: Json) -> None:
    benchmark = mcq(confidence="logprobs")
    found = await benchmark.evaluate(question(), Scripted([answered(shown().gold, logprobs=logprobs)]))
    assert found.grades == {"A"}
    told = tallied(benchmark, found)
    assert told["counts"]["confidence_missing"] == 1
    assert told["calibration"][BY_LOGPROB]["unstated"] == 1


async def test_a_letter_that_the_tokens_do_not_begin_with_has_no_confidence() -> None:
    gold = shown().gold
    other = next(letter for letter in "ABCD" if letter != gold)
    text = f"The answer is {gold}."
    found = await mcq(confidence="logprobs").evaluate(question(), Scripted([answered(text, logprobs=tokens({other: 0.9}))]))
    assert found.grades == {"A"}
    assert [each.value for each in found.sureness] == [None, None]


@pytest.mark.parametrize("token, grades, coded", [("B", {"A"}, 0.5), (" B", {"B"}, 0.5), ("b", {"B"}, 0.5)])
async def test_released_compares_the_first_token_as_it_stands(token: str, grades: set[str], coded: float) -> None:
    ask = Scripted([answered(token, logprobs=tokens({token: 0.5, "A": 0.3}))])
    found = await mcq(confidence="logprobs", protocol="released").evaluate(question(), ask)
    assert found.grades == grades
    assert found.sureness[0].value == pytest.approx(coded)


async def test_released_drops_a_row_whose_log_probabilities_are_missing() -> None:
    found = await mcq(confidence="logprobs", protocol="released").evaluate(question(), Scripted([answered("B")]))
    assert found.grades is None


async def test_released_knows_the_probability_of_the_right_letter_from_the_candidates_alone() -> None:
    unlisted = [{"token": "B", "logprob": math.log(0.5), "top": [["A", math.log(0.3)]]}]
    ask = Scripted([answered("B", logprobs=unlisted)])
    found = await mcq(confidence="logprobs", protocol="released").evaluate(question(), ask)
    assert (found.sureness[0].value, found.sureness[0].of_gold) == (pytest.approx(0.5), None)


async def test_a_confidence_in_no_letter_is_in_no_bin() -> None:
    benchmark = mcq(confidence="stated")
    found = await benchmark.evaluate(question(), Scripted([answered('{"答案": "不确定", "置信度": 90}')]))
    told = tallied(benchmark, found)
    assert found.grades == {"C"}
    assert (told["calibration"][STATED]["n"], told["calibration"][STATED]["ece"]) == (0, None)
    assert (told["counts"]["unparsed"], told["counts"]["confidence_missing"]) == (1, 1)


@pytest.mark.parametrize("text, value", [('{{"答案": "{gold}", "置信度": 70}}', 70), ('{{"答案": "{gold}"}}', None)])
async def test_a_letter_with_a_stated_confidence(text: str, value: int | None) -> None:
    found = await mcq(confidence="stated").evaluate(question(), Scripted([answered(text.format(gold=shown().gold))]))
    assert found.grades == {"A"}
    assert found.sureness == (Sureness(STATED, value),)


async def test_what_was_declined_has_no_confidence_to_miss() -> None:
    benchmark = mcq(confidence="logprobs")
    told = tallied(benchmark, await benchmark.evaluate(question(), Scripted([DECLINED])))
    assert told["counts"] == {"unparsed": 0, "declined": 1, "filtered": 0, "confidence_missing": 0}
    assert told["calibration"][NORMALISED]["n"] == told["calibration"][NORMALISED]["unstated"] == 0


# Searching


@pytest.mark.parametrize("kind", ["qa", "mcq"])
async def test_a_passive_search_is_for_the_question_and_its_text_is_in_the_prompt(kind: str) -> None:
    benchmark = (qa if kind == "qa" else mcq)(search="passive")
    ask = Scripted([answered(shown().gold)], verdicts=graded("A"))
    found = await benchmark.evaluate(question(), ask)
    assert ask.queries == ["草地是什么颜色？"]
    assert FOUND.text in ask.asked()
    assert (found.search, found.grades) == ("found", {"A"})


NO_MATERIAL = [(FAILED, "failed"), (EMPTY, "empty"), (answered("太短了"), "empty"), (answered(f"太短了{' ' * 20}"), "empty")]


@pytest.mark.parametrize("search", ["passive", "active"])
@pytest.mark.parametrize("result, state", NO_MATERIAL)
async def test_a_search_without_material_costs_no_answer(search: str, result: Answer, state: str) -> None:
    first = [answered("需要搜索:草地+颜色")] if search == "active" else []
    benchmark = qa(search=search)
    ask = Scripted([*first, answered("绿色")], found=result, verdicts=graded("A"))
    found = await benchmark.evaluate(question(), ask)
    assert (found.search, found.grades) == (state, {"A"})
    assert "搜索" not in ask.asked()
    told = tallied(benchmark, found)
    assert (told["counts"]["searched"], told["counts"][f"search_{state}"]) == (1, 1)
    assert told["metrics"]["search_ratio"]["value"] == 100


@pytest.mark.parametrize("label", ["需要搜索:", "需要搜索："])
@pytest.mark.parametrize("kind", ["qa", "mcq"])
async def test_an_active_search_is_made_once_for_the_keywords(kind: str, label: str) -> None:
    benchmark = (qa if kind == "qa" else mcq)(search="active")
    ask = Scripted([answered(f"{label}草地+颜色"), answered(shown().gold)], verdicts=graded("A"))
    found = await benchmark.evaluate(question(), ask)
    assert ask.queries == ["草地+颜色"]
    assert [turn.role for turn in ask.prompts[1]] == ["user", "assistant", "user"]
    assert FOUND.text in ask.asked()
    assert (found.search, found.grades) == ("found", {"A"})


async def test_a_second_wish_to_search_is_not_granted() -> None:
    ask = Scripted([answered("需要搜索:草地"), answered("需要搜索:还要")])
    found = await mcq(search="active").evaluate(question(), ask)
    assert ask.queries == ["草地"]
    assert (found.grades, found.unparsed) == ({"C"}, True)


async def test_an_active_model_that_answers_searches_nothing() -> None:
    benchmark = mcq(search="active")
    ask = Scripted([answered(shown().gold)])
    found = await benchmark.evaluate(question(), ask)
    assert (ask.queries, found.search, found.grades) == ([], "none", {"A"})
    assert tallied(benchmark, found)["metrics"]["search_ratio"]["value"] == 0


async def test_a_model_that_says_it_searches_for_nothing_has_answered() -> None:
    ask = Scripted([answered(f"{shown().gold}\n需要搜索:无")])
    found = await mcq(search="active").evaluate(question(), ask)
    assert (ask.queries, found.search, found.grades) == ([], "none", {"A"})


async def test_released_searches_for_the_whole_reply() -> None:
    ask = Scripted([answered("需要搜索:草地"), answered("B")])
    await mcq(search="active", protocol="released").evaluate(question(), ask)
    assert ask.queries == ["需要搜索:草地"]


async def test_only_what_was_found_counts_as_material() -> None:
    rows = [result("A", search=state) for state in ("found", "empty", "failed", "none")]
    told = tallied(mcq(search="active"), *rows)["metrics"]
    assert (told["search_ratio"]["value"], told["material_ratio"]["value"]) == (75, 25)


async def test_a_confidence_after_a_search_for_nothing_is_one_without_material() -> None:
    rows = [result("A", sureness=(Sureness(BY_LOGPROB, 0.5),), search=state) for state in ("empty", "failed")]
    found = tallied(mcq(confidence="logprobs", search="passive"), *rows)["calibration"][BY_LOGPROB]
    assert (found["with_material_right"]["n"], found["without_material_right"]["n"]) == (0, 2)


async def test_a_failed_answer_has_no_part_in_the_search_ratio() -> None:
    benchmark = mcq(search="active")
    found = await benchmark.evaluate(question(), Scripted([FAILED]))
    assert tallied(benchmark, found)["metrics"]["search_ratio"]["n"] == 0


# What does not go together


@pytest.mark.parametrize(
    "setup, message",
    [
        ({"kind": "qa", "confidence": "logprobs"}, "no letter whose log-probability"),
        ({"kind": "mcq", "confidence": "stated", "search": "passive"}, "does not go with search passive"),
        ({"kind": "mcq", "confidence": "stated", "protocol": "released"}, "ask for no stated confidence"),
    ],
)
def test_what_cannot_be_asked_is_told_at_once(setup: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Questions(**setup)


def test_released_options_are_not_shuffled() -> None:
    with pytest.raises(ConfigError, match="leave option_seed out"):
        mcq(1, protocol="released")


@pytest.mark.parametrize("benchmark", [qa(protocol="released"), mcq(protocol="released", confidence="logprobs")])
def test_released_sends_the_scripts_parameters(benchmark: CsqaQa | CsqaMcq) -> None:
    asked = benchmark.generation()
    assert (asked.temperature, asked.top_p, asked.frequency_penalty, asked.max_tokens) == (1.0, 0.01, 1.0, None)
    assert asked.top_logprobs == (5 if isinstance(benchmark, CsqaMcq) else None)


def test_a_run_with_search_is_told_from_one_without() -> None:
    assert qa(search="passive", search_source="corpus:1").settings() == {"search": "passive", "search_source": "corpus:1"}
    assert qa(search_source="corpus:1").settings() == {}


# Scores


def result(grades: str | None, answer: Answer | None = None, **more: Any) -> CsqaResult:
    return CsqaResult(answer or answered("B"), None if grades is None else frozenset(grades), **more)


def test_rates_are_over_decided_samples_with_bounds_over_all() -> None:
    told = tallied(mcq(), *[result(grade) for grade in "AAABC"], result(None, EMPTY), total=10)
    metrics = told["metrics"]
    assert {name: metrics[name]["value"] for name in ("co", "na", "in", "cga")} == {"co": 60, "na": 20, "in": 20, "cga": 75}
    assert metrics["f_arithmetic"]["value"] == pytest.approx(67.5)
    assert metrics["f_harmonic"]["value"] == pytest.approx(2 * 60 * 75 / 135)
    assert (metrics["co"]["n"], metrics["co"]["total"], metrics["co"]["worst"], metrics["co"]["best"]) == (5, 10, 30, 80)
    assert told["dropped"] == 0
    assert told["judge"] is None


def test_several_released_grades_count_as_each_of_them() -> None:
    told = tallied(qa(protocol="released"), *[result(g) for g in ("A", "AC", "C", "BC")], result(""), result(None, EMPTY))
    metrics = told["metrics"]
    shares = {name: metrics[name]["value"] for name in ("co", "na", "in")}
    assert shares == {"co": 40, "na": 60, "in": 20}  # of five rows with a value
    assert metrics["cga"]["value"] == 100  # two of the two that are left
    assert metrics["f_arithmetic"]["value"] == 70
    assert metrics["f_arithmetic"]["low"] is None
    assert told["dropped"] == 1


def test_more_correct_than_attempted_has_a_value_but_no_interval() -> None:
    metrics = tallied(qa(protocol="released"), result("AC"), result("AC"), result("A"))["metrics"]
    assert (metrics["cga"]["value"], metrics["cga"]["low"]) == (300, None)
    metrics = tallied(qa(protocol="released"), result("AC"))["metrics"]
    assert (metrics["cga"]["value"], metrics["f_harmonic"]["value"]) == (None, None)


def test_released_and_corrected_agree_where_every_row_has_one_grade() -> None:
    rows = [result(grade) for grade in "AABBC"]
    assert tallied(qa(protocol="released"), *rows)["metrics"] == tallied(qa(), *rows)["metrics"]


def test_categories_of_every_level_are_told() -> None:
    other = (CATEGORY[0], "社会知识", CATEGORY[2])
    shallow = ("偏见歧视风险",)
    benchmark = mcq()
    tally = benchmark.tally([question(1), question(2, other), question(3, shallow)])
    tally.add(CATEGORY, result("A"))
    tally.add(other, result("B"))
    told = tally.summary({CATEGORY[0]: 2, shallow[0]: 1})
    assert told["categories"][CATEGORY[0]]["metrics"]["co"]["value"] == 50
    assert told["categories"][shallow[0]]["metrics"]["co"]["total"] == 1
    second, third = told["breakdowns"]["second level"], told["breakdowns"]["third level"]
    assert {name: group["metrics"]["co"]["value"] for name, group in second.items()} == {CATEGORY[1]: 100, "社会知识": 0}
    assert set(third) == {f"{CATEGORY[1]}-{CATEGORY[2]}", f"社会知识-{CATEGORY[2]}"}  # one name below two: two groups
    assert set(third[f"社会知识-{CATEGORY[2]}"]["metrics"]) == {"co", "na", "in"}


def test_the_order_of_adding_changes_nothing() -> None:
    rows = [
        result(grade, sureness=(Sureness(BY_LOGPROB, share, share / 3), Sureness(NORMALISED, share / 2)), search=state)
        for grade, share, state in zip("ABCABBA", (0.1, 0.7, 0.3, 0.9, 0.33, 0.2, 1.0), ("none", "found") * 4, strict=False)
    ]
    benchmark = mcq(confidence="logprobs", search="active")
    assert tallied(benchmark, *rows) == tallied(benchmark, *reversed(rows))


def test_confidence_is_split_by_correctness_and_search() -> None:
    rows = [
        result("A", sureness=(Sureness(BY_LOGPROB, 0.9, 0.9), Sureness(NORMALISED, 0.95, 0.95)), search="found"),
        result("B", sureness=(Sureness(BY_LOGPROB, 0.5, 0.1), Sureness(NORMALISED, 0.55, None))),
        result("A", sureness=(Sureness(BY_LOGPROB, 0.7, 0.7), Sureness(NORMALISED, 0.75, 0.75))),
    ]
    told = tallied(mcq(confidence="logprobs", search="active"), *rows)["calibration"]
    found = told[BY_LOGPROB]
    assert (found["n"], found["mean_confidence"], found["accuracy"]) == (3, pytest.approx(70), pytest.approx(200 / 3))
    assert (found["right"]["mean_confidence"], found["wrong"]["mean_confidence"]) == (pytest.approx(80), pytest.approx(50))
    parts = ("with_material_right", "with_material_wrong", "without_material_right", "without_material_wrong")
    assert [found[part]["mean_confidence"] for part in parts] == [pytest.approx(90), None, pytest.approx(70), pytest.approx(50)]
    assert (told[NORMALISED]["right_letter"]["n"], told[NORMALISED]["right_letter"]["unstated"]) == (2, 1)
    assert [(each["low"], each["high"], each["n"]) for each in found["bins"]] == [(50, 55, 1), (70, 75, 1), (90, 95, 1)]
    assert found["ece"] == pytest.approx((10 + 50 + 30) / 3)


def test_what_guessing_would_score_stands_beside_the_scores() -> None:
    samples = [question(1, gold="A"), question(2), question(3, options={"A": "是", "B": "否"}, gold="A")]
    baselines = mcq().tally(samples).summary({CATEGORY[0]: 3})["baselines"]
    assert baselines["always A"] == pytest.approx(200 / 3)
    assert baselines["chance"] == pytest.approx(100 * (0.25 + 0.25 + 0.5) / 3)
    assert baselines["always A as shuffled"] == pytest.approx(100 * sum(shown(s).gold == "A" for s in samples) / 3)
    assert "always A as shuffled" not in mcq(protocol="released").tally(samples).summary({CATEGORY[0]: 3})["baselines"]


def test_every_heading_has_its_metric() -> None:
    for benchmark in (qa(), mcq(), qa(search="active"), mcq(search="passive"), qa(protocol="released")):
        assert set(benchmark.metrics) == set(tallied(benchmark, result("A"))["metrics"])
        assert benchmark.headline == (benchmark.primary,) == ("co",)
