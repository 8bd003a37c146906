"""Letters in Chinese answers, where no space parts a letter from a word."""

from __future__ import annotations

import pytest

from siuo_async.judging import parse_letter


@pytest.mark.parametrize(
    "text, letter",
    [
        ("答案是C", "C"),
        ("A不对，答案是C", "C"),
        ("不是A，答案是C", "C"),
        ("A选项不正确，正确答案是C", "C"),
        ("我认为是C", "C"),
        ("应该是B。", "B"),
        ("选B", "B"),
        ("B是正确的", "B"),
        ("答案：D", "D"),
        ("A或B", None),
        ("A和B都可以", None),
        ("A、B", None),
        ("选项A还是选项B", None),
        ("我不知道。", None),
    ],
)
def test_a_letter_in_chinese_prose_is_read_as_a_reader_would(text: str, letter: str | None) -> None:
    assert parse_letter(text, "ABCD", "corrected") == letter
