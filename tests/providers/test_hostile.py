"""Properties: whatever a server sends, `read` gives a completion or raises `CallError`, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.errors import CallError
from siuo_async.providers.dialects.base import Dialect, Reply
from siuo_async.values import Completion, Outcome
from tests.providers.samples import DIALECTS

EVERY = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
STATUSES = st.sampled_from([200, 201, 204, 301, 302, 400, 401, 402, 403, 404, 408, 413, 422, 429, 499, 500, 503, 529, 599])
HEADER_NAMES = ["retry-after", "retry-after-ms", "location", "x-ratelimit-reset-tokens", "x-ratelimit-remaining-tokens"]
HEADER_NAMES += ["anthropic-ratelimit-tokens-reset", "anthropic-ratelimit-tokens-remaining", "x-request-id"]
HEADERS = st.dictionaries(st.sampled_from(HEADER_NAMES), st.text(max_size=20), max_size=4)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
NAMES = [
    *("choices", "message", "content", "refusal", "finish_reason", "error", "code", "type", "text", "usage", "logprobs"),
    *("candidates", "parts", "finishReason", "promptFeedback", "blockReason", "usageMetadata", "details", "violations"),
    *("stop_reason", "stop_details", "detail", "loc", "metadata", "param", "innererror", "prompt_tokens", "top_logprobs"),
]
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)
GOOD: dict[str, Any] = {
    "openai": {
        "id": "c",
        "model": "m",
        "choices": [
            {
                "message": {"content": "Hi", "refusal": None},
                "finish_reason": "stop",
                "logprobs": {"content": [{"token": "a", "logprob": -1.0, "top_logprobs": [{"token": "a"}]}]},
            }
        ],
        "usage": {
            "prompt_tokens": 1,
            "completion_tokens": 2,
            "total_tokens": 3,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
            "cost": 0.1,
        },
        "error": {"message": "m", "code": "c", "type": "t", "param": "p", "metadata": {"raw": "r"}},
    },
    "anthropic": {
        "type": "message",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "refusal",
        "stop_details": {"category": "bio", "explanation": "x"},
        "usage": {"input_tokens": 1, "output_tokens": 2, "output_tokens_details": {"thinking_tokens": 0}},
        "error": {"type": "t", "message": "m", "details": {"error_code": "c"}},
    },
    "gemini": {
        "candidates": [
            {
                "content": {"parts": [{"text": "Hi", "thought": False}]},
                "finishReason": "STOP",
                "logprobsResult": {"chosenCandidates": [{"token": "a"}], "topCandidates": [{"candidates": [{"token": "a"}]}]},
            }
        ],
        "promptFeedback": {"blockReason": "SAFETY"},
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2},
        "error": {"code": 429, "status": "s", "message": "m", "details": [{"retryDelay": "1s", "violations": [{"quotaId": "q"}]}]},
    },
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, child in inner for place in places(child, (*path, name)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


def held(dialect: Dialect, reply: Reply) -> None:
    try:
        completion = dialect.read(reply, 3)
    except CallError:
        return
    assert isinstance(completion, Completion)
    assert 1 <= len(completion.answers) <= 3
    for answer in completion.answers:
        assert answer.outcome is not Outcome.FAILED
        assert bool(answer.text) or answer.outcome is not Outcome.ANSWERED
        assert not answer.text or answer.outcome is not Outcome.EMPTY
        assert (answer.where is not None) == (answer.outcome is Outcome.FILTERED)
        answer.text.encode()
        for step in answer.logprobs or ():
            assert step["logprob"] is None or isinstance(step["logprob"], float)
            assert all(isinstance(token, str) and isinstance(logprob, float) for token, logprob in step["top"])


@EVERY
@given(status=STATUSES, headers=HEADERS, body=st.binary(max_size=200))
def test_arbitrary_bytes_are_a_completion_or_a_call_error(dialect: Dialect, status: int, headers: dict[str, str], body: bytes) -> None:
    held(dialect, Reply(status, headers, body))


@EVERY
@given(status=STATUSES, headers=HEADERS, body=ANYTHING)
def test_arbitrary_json_is_a_completion_or_a_call_error(dialect: Dialect, status: int, headers: dict[str, str], body: Any) -> None:
    held(dialect, Reply(status, headers, json.dumps(body).encode(), 1e9))


@EVERY
@given(data=st.data(), status=STATUSES, keep_error=st.booleans())
def test_a_mutated_reply_is_a_completion_or_a_call_error(dialect: Dialect, data: st.DataObject, status: int, keep_error: bool) -> None:
    body = GOOD[dialect.name] if keep_error else {k: v for k, v in GOOD[dialect.name].items() if k != "error"}
    for _ in range(data.draw(st.integers(1, 3))):
        body = replaced(body, data.draw(st.sampled_from(places(body))), data.draw(ANYTHING))
    held(dialect, Reply(status, {}, json.dumps(body).encode(), 1e9))


@EVERY
def test_a_reply_cut_at_any_byte_is_no_answer(dialect: Dialect) -> None:
    whole = json.dumps(GOOD[dialect.name]).encode()
    for end in range(len(whole)):
        with pytest.raises(CallError):
            dialect.read(Reply(200, {}, whole[:end]), 1)
