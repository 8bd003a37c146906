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


@pytest.mark.parametrize(
    "text, seen",
    [
        ("\u05e9\u05dc\u05d5\u05dd\u200f (2024)", "\u05e9\u05dc\u05d5\u05dd (2024)"),
        ("\u2067\u05e2\u05d1\u05e8\u05d9\u05ea\u2069 abc", "\u05e2\u05d1\u05e8\u05d9\u05ea abc"),
        ("\u0e20\u0e32\u0e29\u0e32\u200b\u0e44\u0e17\u0e22", "\u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22"),
        ("\u845b\U000e0100\u98fe", "\u845b\u98fe"),
        ("co\u00adoperation", "cooperation"),
        ("\ufeffname", "name"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e007f", "\U0001f3f4"),
    ],
    ids=["Hebrew", "isolates", "Thai", "a Japanese name", "a hyphen", "a byte order mark", "a flag"],
)
def test_what_nobody_sees_in_honest_text_leaves_no_trace(text: str, seen: str) -> None:
    assert harmless(text) == seen


@pytest.mark.parametrize("text", ["\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0915\u094d\u200d\u0937", "\u2764\ufe0f"])
def test_joiners_that_shape_letters_stay(text: str) -> None:
    assert harmless(text) == text


def test_a_name_of_nothing_that_is_seen_is_still_one() -> None:
    assert harmless("\u200b\u2060") == "\ufffd"


def test_a_direction_that_lasts_is_seen_to_have_been_there() -> None:
    assert harmless("a\u202eb") == "a\ufffdb"


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
