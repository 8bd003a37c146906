"""Simulated providers count text in pieces and pictures by size, each its own way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.simulator.counting import ANTHROPIC, GEMINI, OPENAI, Counting, Size

ALL = (OPENAI, ANTHROPIC, GEMINI)


@pytest.mark.parametrize(
    "counting, size, tokens",
    [
        (OPENAI, (512, 512), 255),
        (OPENAI, (1024, 1024), 765),
        (OPENAI, (4096, 8192), 1105),
        (ANTHROPIC, (280, 280), 100),
        (ANTHROPIC, (56, 2800), 112),
        (GEMINI, (384, 384), 258),
        (GEMINI, (769, 769), 1032),
    ],
)
def test_a_picture_counts_by_its_size(counting: Counting, size: Size, tokens: int) -> None:
    assert counting.asked((), (size,)) - counting.asked((), ()) == tokens


@pytest.mark.parametrize("counting", ALL)
def test_a_picture_without_a_size_counts_all_the_same(counting: Counting) -> None:
    assert counting.asked((), (None,)) > counting.asked((), ())


@pytest.mark.parametrize("counting", ALL)
def test_words_are_mostly_one_token_and_long_ones_several(counting: Counting) -> None:
    assert counting.tokens("one two three") == 3
    assert counting.tokens("incomprehensibilities") > 1


@pytest.mark.parametrize("counting", ALL)
@given(text=st.text(max_size=80), most=st.integers(0, 40))
def test_what_is_cut_has_at_most_so_many_tokens_and_is_a_beginning(counting: Counting, text: str, most: int) -> None:
    cut = counting.cut(text, most)
    assert text.startswith(cut)
    assert counting.tokens(text) > most or cut == text


@pytest.mark.parametrize("counting", ALL)
def test_a_text_cut_at_a_cap_counts_what_the_cap_says(counting: Counting) -> None:
    text = "Here is a simulated walk through the request, step by step. " * 9
    assert [counting.tokens(counting.cut(text, most)) for most in range(1, 90)] == list(range(1, 90))
