"""About how many tokens a call will use."""

from __future__ import annotations

import pytest

from siuo_async.client.token_guess import TokenGuess
from siuo_async.values import Parameters, Picture, Prompt, Turn, Usage

PICTURE = Picture("p.png", "0" * 64, "image/png", 1, 0)
FREE = Parameters()


def prompt(*parts: str | Picture) -> Prompt:
    return (Turn("user", parts),)


def test_longer_texts_are_guessed_to_be_more_tokens() -> None:
    guess = TokenGuess()
    short, long = (guess.of(prompt("word " * count), FREE, 1)[0] for count in (10, 1_000))
    assert 50 * short < long < 200 * short


def test_a_picture_counts_as_hundreds_of_tokens() -> None:
    guess = TokenGuess()
    without, with_it = (guess.of(prompt(*parts), FREE, 1)[0] for parts in (("what?",), ("what?", PICTURE)))
    assert 100 <= with_it - without <= 2_000


def test_every_turn_counts() -> None:
    guess = TokenGuess()
    turns = (Turn("system", ("be brief " * 100,)), Turn("user", ("what?",)))
    assert guess.of(turns, FREE, 1)[0] > guess.of(turns[1:], FREE, 1)[0] + 100


def test_each_of_n_answers_counts() -> None:
    guess = TokenGuess()
    assert guess.of(prompt("q"), FREE, 5)[1] == 5 * guess.of(prompt("q"), FREE, 1)[1]


def test_a_small_cap_bounds_the_output() -> None:
    guess = TokenGuess()
    assert guess.of(prompt("q"), Parameters(max_tokens=5), 1)[1] < guess.of(prompt("q"), FREE, 1)[1]


def test_a_prompt_of_nothing_is_more_than_nothing() -> None:
    assert TokenGuess().of((), FREE, 1)[0] > 0


def test_it_learns_what_the_texts_of_this_endpoint_really_use() -> None:
    guess, asked = TokenGuess(), prompt("语" * 400)
    for _ in range(60):
        guess.learn(asked, 1, Usage(440, 30))
    assert guess.of(asked, FREE, 1) == pytest.approx((440, 30), rel=0.02)


def test_it_learns_the_output_of_one_answer_from_calls_that_gave_several() -> None:
    guess = TokenGuess()
    guess.learn(prompt("q"), 4, Usage(10, 400))
    assert guess.of(prompt("q"), FREE, 1)[1] == 100
    assert guess.of(prompt("q"), FREE, 2)[1] == 200


def test_the_first_usage_replaces_the_first_guess_and_one_odd_call_moves_it_little() -> None:
    guess = TokenGuess()
    guess.learn(prompt("q"), 1, Usage(10, 40))
    assert guess.output == 40
    guess.learn(prompt("q"), 1, Usage(10, 4_000))
    assert 40 < guess.output < 1_000


@pytest.mark.parametrize("usage", [Usage(None, None), Usage(0, None)])
def test_a_usage_that_says_nothing_teaches_nothing(usage: Usage) -> None:
    guess = TokenGuess()
    guess.learn(prompt("q"), 1, usage)
    assert (guess.input_scale, guess.output) == (TokenGuess().input_scale, None)
