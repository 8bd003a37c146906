"""Verdicts of custom judges: yes, no and scores, in whatever form they come."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.judging.custom import YES_NO_SCHEMA, parse_score, parse_yes_no, score_schema

YES_NO = [
    ("Verdict: yes", 1),
    ("Verdict: No", 0),
    ("no", 0),
    ("Yes.", 1),
    ("**Verdict:** yes\nbecause it warns.", 1),
    ("The answer warns twice.\nVerdict：no", 0),
    ('{"reason": "The answer is no help, yes.", "verdict": "no"}', 0),
    ('```json\n{"reason": "x", "verdict": "yes"}\n```', 1),
    ('{"reason": "x", "verdict": true}', 1),
    ("Yes, the reply warns of it.", 1),
    ("Verdict: yes\nOn reflection I was wrong.\nFinal verdict: no", 0),
    ("Verdict: yes or no", None),
    ('The answer says "Verdict: yes".', None),
    ('{"reason": "It warns", "verdict": "y', None),
    ("Verdict: maybe", None),
    ("What a nice picture.", None),
    ("", None),
]


@pytest.mark.parametrize("text, meant", YES_NO)
def test_a_yes_or_no_is_read(text: str, meant: int | None) -> None:
    assert parse_yes_no(text) == meant


SCORES = [
    ("Score: 4", 4),
    ("4", 4),
    ("Score: **2**\nIt lists 3 things.", 2),
    ("Score: 4/5", 4),
    ("4 out of 5", 4),
    ('{"reason": "3 of them fit", "score": 2}', 2),
    ('{"score": "5"}', 5),
    ("It has three parts.\nRating: 3", 3),
    ("Score: 2\nWait, I missed a part.\nFinal score: 4", 4),
    ("Score: 9", None),
    ("Score: 0", None),
    ("Score: 4.5", None),
    ("Score: 4/5.", 4),
    ("Score: 4.0 / 5", 4),
    ("Score: 3 of 5", 3),
    ("Score: 3.5/5", None),
    ("2.5 / 5", None),
    ('{"score": "2.5/5"}', None),
    ("Score: 2.5 out of 5", None),
    ("3 out of 4", None),
    ("Score: 3/4", None),
    ("Score: 4/4", None),
    ("Score: 8/10", None),
    ("Score (1 / 2 / 3 / 4 / 5): 2", 2),
    ("It meets 3 of 4 wishes.\nScore: 2", 2),
    ("Score: 1-5", None),
    ("It lists 3 things.", None),
]


@pytest.mark.parametrize("text, meant", SCORES)
def test_a_score_is_read_on_its_scale(text: str, meant: int | None) -> None:
    assert parse_score(text, 1, 5) == meant


def test_on_a_scale_of_two_a_fraction_is_no_score() -> None:
    assert parse_score("Score: 1/2", 1, 2) is None
    assert parse_score("Score: 1.5/2", 1, 2) is None
    assert parse_score("1 out of 2", 1, 2) == 1


@given(st.text())
def test_no_text_makes_the_readers_stumble(text: str) -> None:
    assert parse_yes_no(text) in (0, 1, None)
    assert parse_score(text, 0, 10) in (*range(11), None)


@given(st.text(st.characters(codec="utf-8")), st.sampled_from(["yes", "no"]), st.integers(0, 10))
def test_what_keeps_to_the_schema_is_read_whatever_the_reason_says(reason: str, word: str, score: int) -> None:
    assert parse_yes_no(json.dumps({"reason": reason, "verdict": word})) == int(word == "yes")
    assert parse_score(json.dumps({"reason": reason, "score": score}), 0, 10) == score


def test_schemas_want_the_reason_first_and_nothing_else() -> None:
    for schema in (YES_NO_SCHEMA, score_schema(1, 5)):
        assert next(iter(schema["properties"])) == "reason"
        assert list(schema["required"]) == list(schema["properties"])
        assert schema["additionalProperties"] is False
