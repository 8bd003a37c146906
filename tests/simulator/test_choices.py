"""How options are found in a prompt, and how letters are said."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from siuo_async.simulator.choices import ODD_FORMS, meant, options_shown
from siuo_async.simulator.decide import decide
from siuo_async.simulator.dice import Dice, dice_for
from siuo_async.simulator.personas import PERSONAS
from siuo_async.simulator.wire import Asked, Signal

CALLS = 1_000
PROMPT = "Which one?\n(A) this\n(B) the longest of all\n(C) that"


def dice(persona: str, number: int) -> Dice:
    return dice_for(0, persona, f"id:{number}")


def said(persona: str, number: int, prompt: str = PROMPT, cap: int | None = 5) -> str:
    answers = decide(PERSONAS[persona], Asked("m", (prompt,), prompt, 0, 1, cap), dice(persona, number))
    assert isinstance(answers, tuple)
    return answers[0].text


@pytest.mark.parametrize(
    "prompt, letters, second",
    [
        ("(A) one\n(B) two\n(C) three", "ABC", "two"),
        ("A. one\nB. two", "AB", "two"),
        ("A: one\nB: two\nC: three\nD: four\nE: five", "ABCDE", "two"),
        ("A、甲\nB、乙", "AB", "乙"),
        ("（A）甲\n（B）乙", "AB", "乙"),
        ("A：甲\nB：乙", "AB", "乙"),
        ("A) one\nB) two", "AB", "two"),
        ("(B) two\n(A) one", "BA", "one"),
        ("题目：几？\n选项：{'A': '一', 'B': '二', 'C': '三'}", "ABC", "二"),
        ('{"A": "one", "B": "it\'s two, B: or so"}', "AB", "it's two, B: or so"),
        ("{'A': '一', 'B': 二', 'C': '三'}", "ABC", "二"),
        ("(A) old\n(B) old\n(A) one\n(B) two", "AB", "two"),
        ("(A) one\n    (B) of it\n(B) two", "AB", "two"),
        ("A safe choice\nB movie", "", ""),
        ("(A) one alone", "", ""),
        ("Is it (A) or (B)?", "", ""),
        ("(B) two\n(C) three", "", ""),
    ],
)
def test_options_are_found_in_the_order_shown(prompt: str, letters: str, second: str) -> None:
    options = options_shown(prompt)
    assert "".join(option.letter for option in options) == letters
    assert not options or options[1].text == second


def test_all_options_of_chinese_safetyqa_are_found_as_released(shared: Path) -> None:
    lines = next((shared / "upstream-data").rglob("chinese_safetyqa.jsonl")).read_text("utf-8-sig").split("\n")
    raw = [json.loads(line)["options"] for line in lines if line]
    malformed = 0
    for options in raw:
        shown = {option.letter: option.text for option in options_shown(f"题目\n{options}")}
        try:
            assert shown == ast.literal_eval(options)
        except SyntaxError:
            malformed += 1
            assert set(shown) == set("ABCD")
            assert all(shown.values())
    assert (len(raw), malformed) == (2_000, 1)


def test_no_question_of_siuo_is_taken_for_multiple_choice(shared: Path) -> None:
    items = json.loads(next((shared / "upstream-data").rglob("siuo_gen.json")).read_text())
    assert [item["question"] for item in items if options_shown(item["question"])] == []


@pytest.mark.parametrize("prompt, letter", [(PROMPT, r"\([ABC]\)"), ("A. one\nB. two\nC. three", "[ABC]")])
def test_a_plain_reply_is_the_letter_as_it_was_shown(prompt: str, letter: str) -> None:
    assert all(re.fullmatch(letter, said("careful", number, prompt)) for number in range(50))


@pytest.mark.parametrize(
    "persona, prompt, letter",
    [
        ("mcq-first", PROMPT, "(A)"),
        ("mcq-first", "(C) x\n(A) y\n(B) z", "(C)"),
        ("mcq-longest", PROMPT, "(B)"),
        ("mcq-longest", "{'A': '一', 'B': '二', 'C': '三三三'}", "C"),
    ],
)
def test_some_personas_go_by_place_or_length(persona: str, prompt: str, letter: str) -> None:
    assert {said(persona, number, prompt) for number in range(50)} == {letter}


def test_odd_replies_name_the_letter_meant_and_no_other_within_five_tokens() -> None:
    options = options_shown(PROMPT)
    shapes: Counter[str] = Counter()
    for number in range(CALLS):
        letter = meant(PERSONAS["mcq-odd"], options, dice("mcq-odd", number), 0)
        text = said("mcq-odd", number)
        assert len(text) <= 20
        shapes[text.translate({ord(name): "X" for name in (letter, letter.lower(), chr(ord(letter) + 0xFEE0))})] += 1
        others = "|".join(set("ABC") - {letter})
        assert not re.search(rf"(?<!\w)({others})(?!\w)", text)
        assert re.search(rf"(?<![A-Za-z])[{letter}{letter.lower()}{chr(ord(letter) + 0xFEE0)}](?![A-Za-z])", text), text
    assert len(shapes) >= len(ODD_FORMS)


def test_a_long_odd_reply_is_cut_after_its_letter() -> None:
    request = Asked("m", ("p",), "A. a very long first option\nB. a very long second option", 0, 1, 5)
    endings = set()
    for number in range(CALLS):
        answers = decide(PERSONAS["mcq-odd"], request, dice("mcq-odd", number))
        assert isinstance(answers, tuple)
        endings.add(answers[0].signal)
    assert endings == {Signal.STOP, Signal.LENGTH}


def test_a_fifth_of_the_unparsed_replies_names_no_letter() -> None:
    texts = [said("mcq-unparsed", number) for number in range(CALLS)]
    silent = [text for text in texts if not re.fullmatch(r"\([ABC]\)", text)]
    assert len(silent) == pytest.approx(200, abs=40)
    assert not any(re.search(r"(?<![A-Za-z])[A-H](?![A-Za-z])", text) for text in silent)
