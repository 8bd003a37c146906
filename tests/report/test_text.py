"""Text from elsewhere, on its way to a terminal or a page."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.report.text import MOST_SENTENCE_CHARS, escaped_in_json, harmless, in_line, sentence, tame
from tests.reliability import hostile_looks as looks
from tests.reliability.hostile_texts import ALL


@pytest.mark.parametrize("text", ALL.values(), ids=ALL)
def test_no_hostile_text_keeps_a_control_character(text: str) -> None:
    assert looks.controls(harmless(text)) == []
    assert "\n" not in in_line(text)


@given(st.text())
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    assert harmless(harmless(text)) == harmless(text)


def test_ordinary_text_of_any_script_is_untouched() -> None:
    text = "模型 é ñ ไทย ελληνικά नमस्ते 👩‍👩‍👧 “curly”\nnext line"
    assert harmless(text) == text


def test_marks_do_not_pile_up() -> None:
    assert harmless("a" + "\u0300" * 50) == "a" + "\u0300" * 4


def test_names_that_would_fall_together_are_told_apart() -> None:
    tamed = tame({"categories": {"a b": 1, "a\nb": 2, "a\tb": 3}, "models": [{"label": "x\ny"}]})
    assert tamed == {"categories": {"a b": 1, "a b (2)": 2, "a b (3)": 3}, "models": [{"label": "x y"}]}


def test_json_keeps_its_value_without_anything_a_terminal_obeys() -> None:
    value = {"a\x9b": ["\u202e\U000e0041\x7f\ufeff"]}
    document = escaped_in_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(document) == value
    assert looks.controls(document) == []


def test_a_sentence_has_an_end() -> None:
    assert len(sentence("x" * 10**6)) == MOST_SENTENCE_CHARS + 1
