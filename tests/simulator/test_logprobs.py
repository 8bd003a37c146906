"""Log-probabilities: what they say, and how each dialect tells them."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest

from siuo_async.simulator import anthropic, gemini, openai
from siuo_async.simulator.decide import decide
from siuo_async.simulator.dice import dice_for
from siuo_async.simulator.logprobs import letter_shares, tokens_of
from siuo_async.simulator.personas import PERSONAS
from siuo_async.simulator.wire import Answer, Asked, RejectedError
from tests.simulator.conftest import Start
from tests.simulator.speak import body, headers, path

PROMPT = "Which one?\n(A) this\n(B) that\n(C) neither\n(D) all"


def answer(persona: str, number: int, prompt: str = PROMPT, top: int | None = 5) -> Answer:
    asked = Asked("m", (prompt,), prompt, 0, logprobs=top)
    answers = decide(PERSONAS[persona], asked, dice_for(0, persona, f"id:{number}"))
    assert isinstance(answers, tuple)
    return answers[0]


def test_a_letter_comes_first_with_a_share_for_every_option() -> None:
    for number in range(200):
        given = answer("careful", number)
        assert given.tokens
        first = given.tokens[0]
        shares = letter_shares("ABCD", first.text, dice_for(0, "careful", f"id:{number}"), 0)
        told = {name: math.exp(logprob) for name, logprob in first.top}
        assert given.text == first.text in "ABCD"
        assert first.logprob == math.log(shares[first.text]) == max(logprob for _, logprob in first.top)
        assert all(told[name] == pytest.approx(share) for name, share in shares.items() if name in told)
        assert all(share <= min(told.values()) for name, share in shares.items() if name not in told)
        assert 0.9 <= sum(shares.values()) < 1 > sum(told.values())


@pytest.mark.parametrize("prompt", [PROMPT, "What is shown?", "图里有什么？"])
@pytest.mark.parametrize("persona", ["careful", "mcq-odd", "refuser", "judge", "long"])
@pytest.mark.parametrize("top", [0, 1, 5, 20])
def test_tokens_make_up_the_text_and_their_probabilities_are_possible(prompt: str, persona: str, top: int) -> None:
    for number in range(5):
        given = answer(persona, number, prompt, top)
        assert given.tokens
        assert "".join(token.text for token in given.tokens) == given.text
        for token in given.tokens:
            assert len(token.top) == top == len({name for name, _ in token.top})
            assert token.logprob < 0
            assert all(one[1] >= other[1] for one, other in pairwise(token.top))
            assert sum(math.exp(logprob) for _, logprob in token.top) < 1.0000001


def test_there_are_none_without_being_asked_for_or_without_a_text() -> None:
    assert answer("careful", 1, top=None).tokens is None
    assert {answer("empty", number).tokens is None for number in range(50) if not answer("empty", number).text} == {True}


def test_an_odd_letter_is_likeliest_as_it_is_written() -> None:
    tokens = tokens_of(" b", "AB", 5, dice_for(0, "p", "x"), 0)
    assert [token.text for token in tokens] == [" b"]
    assert tokens[0].top[0][0] == " b"
    assert "A" in dict(tokens[0].top)


@pytest.mark.parametrize("top", [0, 2, 20])
async def test_openai_tells_tokens_with_bytes_and_alternatives(simulator: Start, top: int) -> None:
    request = body("openai", "careful", PROMPT, n=2) | {"logprobs": True, "top_logprobs": top}
    async with simulator() as client:
        got = await client.post(path("openai", "careful"), request, headers("openai"))
    assert len(got.body["choices"]) == 2
    for choice in got.body["choices"]:
        assert choice["logprobs"]["refusal"] is None
        content = choice["logprobs"]["content"]
        assert set(content[0]) == {"token", "logprob", "bytes", "top_logprobs"}
        assert bytes(content[0]["bytes"]).decode() == content[0]["token"] == choice["message"]["content"]
        assert len(content[0]["top_logprobs"]) == top
        assert all(set(each) == {"token", "logprob", "bytes"} for each in content[0]["top_logprobs"])


async def test_openai_tells_none_without_being_asked(simulator: Start) -> None:
    async with simulator() as client:
        got = await client.ask("openai", "careful", PROMPT)
    assert got.body["choices"][0]["logprobs"] is None


@pytest.mark.parametrize("top", [None, 3])
async def test_gemini_tells_chosen_and_likeliest_candidates(simulator: Start, top: int | None) -> None:
    request = body("gemini", "careful", "What is shown?")
    request["generationConfig"] |= {"responseLogprobs": True} | ({"logprobs": top} if top else {})
    async with simulator() as client:
        got = await client.post(path("gemini", "careful"), request, headers("gemini"))
    candidate = got.body["candidates"][0]
    result = candidate["logprobsResult"]
    chosen = result["chosenCandidates"]
    assert "".join(each["token"] for each in chosen) == candidate["content"]["parts"][0]["text"]
    assert set(chosen[0]) == {"token", "tokenId", "logProbability"}
    assert candidate["avgLogprobs"] == pytest.approx(sum(each["logProbability"] for each in chosen) / len(chosen))
    assert ("topCandidates" in result) is bool(top)
    assert not top or [len(each["candidates"]) for each in result["topCandidates"]] == [top] * len(chosen)


def test_gemini_refuses_a_number_of_logprobs_without_logprobs() -> None:
    request = body("gemini", "careful")
    request["generationConfig"]["logprobs"] = 5
    with pytest.raises(RejectedError, match="response_logprobs"):
        gemini.read(request, headers("gemini"), "careful")


def test_anthropic_has_no_logprobs() -> None:
    with pytest.raises(RejectedError) as caught:
        anthropic.read(body("anthropic", "careful") | {"logprobs": True}, headers("anthropic"), "")
    assert caught.value.fault.param == "logprobs"


@pytest.mark.parametrize("value", [21, -1, True])
def test_openai_bounds_the_number_of_alternatives(value: Any) -> None:
    with pytest.raises(RejectedError, match="top_logprobs"):
        openai.read(body("openai", "careful") | {"logprobs": True, "top_logprobs": value}, headers("openai"), "")
