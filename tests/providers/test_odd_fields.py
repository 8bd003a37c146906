"""Every field of a reply replaced by everything it never is: the answer stays what it was, or there is none.

A reply whose refusal is an object must not become an empty answer, nor one whose text is a list of numbers a shorter text: what
decides is read strictly, and whatever is merely told along may be anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from siuo_async.errors import ACCOUNT_WIDE, CallError, ErrorKind
from siuo_async.providers.dialects.base import Dialect
from siuo_async.values import Answer, Completion, Outcome, Usage
from tests.providers.samples import ANTHROPIC, GEMINI, OPENAI, reply
from tests.providers.test_hostile import places, replaced

GONE = object()
ODD: dict[str, Any] = {
    "null": None,
    "missing": GONE,
    "true": True,
    "false": False,
    "zero": 0,
    "one": 1,
    "negative": -7,
    "huge": 10**300,
    "1e300": 1e300,
    "fraction": 0.5,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "empty text": "",
    "text": "odd",
    "long text": "x" * 100_000,
    "list": [],
    "list of text": ["odd"],
    "list of numbers": [1, 2],
    "list of lists": [[]],
    "object": {},
    "object with fields": {"text": "odd", "type": "odd", "content": "odd", "value": "odd"},
}
USAGE = {
    "prompt_tokens": 3,
    "completion_tokens": 4,
    "total_tokens": 7,
    "prompt_tokens_details": {"cached_tokens": 1},
    "completion_tokens_details": {"reasoning_tokens": 1},
    "cost": 0.5,
}


def openai(message: Any, finish: Any = "stop", **more: Any) -> Any:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish, "logprobs": None, **more}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": USAGE}


def anthropic(content: Any, stop: Any = "end_turn", **more: Any) -> Any:
    usage = {"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 1, "output_tokens_details": {"thinking_tokens": 1}}
    return {
        "id": "i",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": content,
        "stop_reason": stop,
        "usage": usage,
        **more,
    }


def gemini(candidates: Any, **more: Any) -> Any:
    usage = {"promptTokenCount": 3, "candidatesTokenCount": 4, "thoughtsTokenCount": 1, "totalTokenCount": 8}
    return {"candidates": candidates, "usageMetadata": usage, "modelVersion": "m", "responseId": "r", **more}


PART = {"text": "Hi ", "thought": False}
STEP = {"token": "Hi", "logprob": -0.1, "top_logprobs": [{"token": "Hi", "logprob": -0.1}]}
REPLIES: dict[str, tuple[Dialect, Any]] = {
    "OpenAI, text": (OPENAI, openai({"content": "Hi there", "refusal": None}, logprobs={"content": [STEP]})),
    "OpenAI, chunks": (
        OPENAI,
        openai(
            {"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Hi "}, {"type": "text", "text": "there"}]}
        ),
    ),
    "OpenAI, declined": (OPENAI, openai({"content": None, "refusal": "No."})),
    "OpenAI, declined in a chunk": (OPENAI, openai({"content": [{"type": "refusal", "refusal": "No."}]})),
    "OpenAI, filtered": (OPENAI, openai({"content": None}, "content_filter", content_filter_results={"hate": {"filtered": True}})),
    "OpenAI, filtered with text": (OPENAI, openai({"content": "Par"}, "content_filter")),
    "OpenAI, empty": (OPENAI, openai({"content": "", "reasoning": "hm"}, "length")),
    "Anthropic, text": (
        ANTHROPIC,
        anthropic([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Hi "}, {"type": "text", "text": "there"}]),
    ),
    "Anthropic, declined": (ANTHROPIC, anthropic([], "refusal", stop_details={"category": "bio", "explanation": "No."})),
    "Anthropic, declined with text": (ANTHROPIC, anthropic([{"type": "text", "text": "Par"}], "refusal")),
    "Anthropic, empty": (ANTHROPIC, anthropic([], "max_tokens")),
    "Gemini, text": (
        GEMINI,
        gemini(
            [
                {
                    "content": {"role": "model", "parts": [{"text": "hm", "thought": True}, PART, {"text": "there"}]},
                    "finishReason": "STOP",
                    "logprobsResult": {"chosenCandidates": [{"token": "Hi", "logProbability": -0.1}]},
                }
            ]
        ),
    ),
    "Gemini, filtered": (GEMINI, gemini([{"finishReason": "SAFETY", "finishMessage": "No.", "safetyRatings": [{"blocked": True}]}])),
    "Gemini, prompt blocked": (GEMINI, gemini([], promptFeedback={"blockReason": "SAFETY", "blockReasonMessage": "No."})),
    "Gemini, empty": (GEMINI, gemini([{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}])),
}
SAYS_SO = {
    # A field that is null, missing or another word of its own type is a reply that says something else, and says it well.
    "OpenAI, text": {("choices", 0, "message", "content"), ("choices", 0, "message", "refusal"), ("choices", 0, "finish_reason")},
    "OpenAI, chunks": {("choices", 0, "message", "content"), ("choices", 0, "finish_reason")},
    "OpenAI, declined": {("choices", 0, "message", "content"), ("choices", 0, "message", "refusal"), ("choices", 0, "finish_reason")},
    "OpenAI, declined in a chunk": {("choices", 0, "message", "content")},
    "OpenAI, filtered": {("choices", 0, "message", "content"), ("choices", 0, "finish_reason")},
    "OpenAI, filtered with text": {("choices", 0, "message"), ("choices", 0, "message", "content"), ("choices", 0, "finish_reason")},
    "OpenAI, empty": {("choices", 0, "message", "content"), ("choices", 0, "finish_reason")},
    "Anthropic, text": {("content",), ("stop_reason",)},
    "Anthropic, declined": {("stop_reason",)},
    "Anthropic, declined with text": {("content",), ("stop_reason",)},
    "Anthropic, empty": {("stop_reason",)},
    "Gemini, text": {("candidates", 0, "content"), ("candidates", 0, "content", "parts"), ("candidates", 0, "finishReason")},
    "Gemini, filtered": {("candidates", 0, "finishReason")},
    "Gemini, prompt blocked": set(),
    "Gemini, empty": {("candidates", 0, "finishReason")},
}


def without(value: Any, path: tuple[Any, ...]) -> Any:
    parent = value
    for step in path[:-1]:
        parent = parent[step]
    return replaced(value, path[:-1], {k: v for k, v in parent.items() if k != path[-1]} if isinstance(parent, dict) else parent[:-1])


def odd_bodies(body: Any) -> Iterator[tuple[tuple[Any, ...], str, Any]]:
    for path in places(body):
        for name, value in ODD.items():
            if value is GONE:
                if path and isinstance(path[-1], str):
                    yield path, name, without(body, path)
            else:
                yield path, name, replaced(body, path, value)


def read(dialect: Dialect, body: Any, status: int = 200) -> Completion | CallError:
    try:
        return dialect.read(reply(json.dumps(body).encode(), status), 1)
    except CallError as error:
        return error


def core(answer: Answer) -> tuple[Any, ...]:
    return answer.outcome, answer.text, answer.where


def says_something_else(name: str, path: tuple[Any, ...], oddity: str) -> bool:
    """Whether the change is one that a server may mean."""
    value = ODD[oddity]
    if oddity == "object with fields" and (path[-1:] == ("message",) or isinstance(path[-1] if path else None, int)):
        return True  # another message, or a piece of another kind
    if path in SAYS_SO[name]:
        # What is no JSON is read as null.
        return oddity in ("null", "missing", "NaN", "infinity", "list", "object") or isinstance(value, str)
    # A piece of text that is another text, a chunk of another kind, and a list that holds nothing.
    return (isinstance(value, str) and path[-1:] in ((each,) for each in ("text", "type", "refusal"))) or (
        path[-1:] == ("thought",) and (isinstance(value, bool) or oddity in ("null", "missing", "NaN", "infinity"))
    )


def fits(usage: Usage) -> bool:
    told = (usage.input, usage.output, usage.cached, usage.reasoning)
    return all(count is None or (type(count) is int and 0 <= count < 2**54) for count in told)


@pytest.mark.parametrize("name", REPLIES)
def test_an_odd_field_leaves_the_answer_as_it_was_or_there_is_none(name: str) -> None:
    dialect, body = REPLIES[name]
    right = read(dialect, body)
    assert isinstance(right, Completion)
    tried = wrong = 0
    for path, oddity, odd in odd_bodies(body):
        tried += 1
        found = read(dialect, odd)
        where = f"{'.'.join(map(str, path))} = {oddity}"
        if isinstance(found, CallError):
            wrong += 1
            assert found.kind in (ErrorKind.GARBLED, ErrorKind.SERVER), where  # a choice with an `error` was broken off
            continue
        assert len(found.answers) == 1, where
        assert fits(found.usage), where
        assert found.provider_cost_usd is None or 0 <= found.provider_cost_usd < 1e15, where
        assert found.served_model is None or len(found.served_model) <= 1_000, where
        assert says_something_else(name, path, oddity) or core(found.answers[0]) == core(right.answers[0]), where
    assert tried > 200
    assert 0 < wrong < tried


@pytest.mark.parametrize(
    "dialect, body",
    [
        (OPENAI, {"choices": [{"text": "Hi", "finish_reason": "stop"}]}),
        (OPENAI, {"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}),
        (OPENAI, {"choices": [{"message": {"role": "assistant"}}]}),
        (OPENAI, {"choices": [{"message": "Hi", "finish_reason": "stop"}]}),
        (OPENAI, {"message": {"role": "assistant", "content": "Hi"}, "done": True}),
        (ANTHROPIC, {"completion": "Hi", "stop_reason": "stop_sequence"}),
        (ANTHROPIC, {"type": "message", "content": "Hi", "stop_reason": "end_turn"}),
        (ANTHROPIC, {"type": "message", "content": [{"type": "thinking", "thinking": "hm"}]}),
        (GEMINI, {"candidates": [{"output": "Hi"}]}),
        (GEMINI, {"candidates": [{"content": "Hi", "finishReason": "STOP"}]}),
        (GEMINI, {"candidates": [{"content": {"parts": {"text": "Hi"}}, "finishReason": "STOP"}]}),
        (GEMINI, {"candidates": [{"content": {"role": "model"}}], "modelVersion": "m"}),
        (GEMINI, {"modelVersion": "m", "usageMetadata": {"candidatesTokenCount": 12}}),
    ],
)
def test_an_answer_in_another_place_is_not_an_empty_one(dialect: Dialect, body: Any) -> None:
    found = read(dialect, body)
    assert isinstance(found, CallError)
    assert found.kind is ErrorKind.GARBLED


def test_one_odd_answer_among_several_does_not_cost_the_others() -> None:
    good, odd = openai({"content": "Hi"})["choices"], openai({"content": {"text": "Hi"}})["choices"]
    found = OPENAI.read(reply({"choices": [*odd, *good, *good]}), 3)
    assert [answer.text for answer in found.answers] == ["Hi", "Hi"]


ERRORS: dict[str, tuple[Dialect, int, Any]] = {
    "OpenAI 400": (OPENAI, 400, {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": None}}),
    "OpenAI 429": (OPENAI, 429, {"error": {"message": "slow", "type": "requests", "param": None, "code": "rate_limit_exceeded"}}),
    "OpenAI 500": (OPENAI, 500, {"error": {"message": "oh", "type": "server_error", "metadata": {"raw": "r", "reasons": []}}}),
    "OpenAI 422": (OPENAI, 422, {"detail": [{"loc": ["body", "messages"], "msg": "bad", "type": "missing"}]}),
    "Anthropic 529": (
        ANTHROPIC,
        529,
        {"type": "error", "error": {"type": "overloaded_error", "message": "m", "details": {"error_code": "c"}}},
    ),
    "Gemini 429": (
        GEMINI,
        429,
        {
            "error": {
                "code": 429,
                "status": "RESOURCE_EXHAUSTED",
                "message": "m",
                "details": [{"@type": "x", "reason": "r", "retryDelay": "1s", "violations": [{"quotaId": "PerMinute"}]}],
            }
        },
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_odd_field_of_an_error_makes_no_answer_of_it_and_stops_no_account(name: str) -> None:
    dialect, status, body = ERRORS[name]
    for path, oddity, odd in odd_bodies(body):
        found = read(dialect, odd, status)
        where = f"{'.'.join(map(str, path))} = {oddity}"
        if path[-1:] == ("reasons",) or (path[-1:] == ("metadata",) and oddity == "object with fields"):
            continue  # reasons of whatever kind are a block
        assert isinstance(found, CallError), where
        assert found.kind not in ACCOUNT_WIDE, where
        assert len(found.message) <= 1_000, where
        assert found.retry_after_s is None or 0 <= found.retry_after_s <= 7 * 86_400, where


def test_a_blocked_prompt_stays_blocked_whatever_stands_beside_its_code() -> None:
    error = {"message": "no", "type": None, "param": "prompt", "code": "content_filter", "status": 400, "innererror": {"code": "x"}}
    for path, oddity, odd in odd_bodies({"error": error}):
        if path in ((), ("error",), ("error", "code")):
            continue
        found = read(OPENAI, odd, 400)
        assert isinstance(found, Completion), f"{path} = {oddity}"
        assert found.answers[0].outcome is Outcome.FILTERED


def test_of_a_key_that_stands_twice_the_last_counts() -> None:
    choices = b'"choices":[],"choices":[{"message":{"content":"a","content":"b"},"finish_reason":"stop"}]'
    raw = b'{%b,"usage":1,"usage":{"prompt_tokens":2}}' % choices
    found = OPENAI.read(reply(raw), 1)
    assert (found.answers[0].text, found.usage.input) == ("b", 2)
