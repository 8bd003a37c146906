"""What a 2xx means in each dialect: tables of replies and the answers they hold."""

from __future__ import annotations

from typing import Any

import pytest

from siuo_async.errors import CallError, ErrorKind
from siuo_async.providers.dialects.base import Dialect
from siuo_async.values import Usage
from tests.providers.samples import ANTHROPIC, DIALECTS, GEMINI, OPENAI, reply

Expected = tuple[str, str, str | None, str | None]
"""Outcome, text, finish, where."""


def choice(content: Any = None, finish: Any = "stop", **fields: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content} | fields.pop("message", {})
    return {"index": 0, "message": message, "finish_reason": finish} | fields


def candidate(text: Any = None, finish: Any = "STOP", **fields: Any) -> dict[str, Any]:
    content: dict[str, Any] = {"role": "model"} if text is None else {"role": "model", "parts": [{"text": text}]}
    return {"content": content, "finishReason": finish} | fields


OPENAI_CHOICES: dict[str, tuple[Any, Expected]] = {
    "text": (choice("Hi"), ("answered", "Hi", "stop", None)),
    "cut": (choice("Hi", "length"), ("answered", "Hi", "length", None)),
    "cut in thinking": (choice("", "length"), ("empty", "", "length", None)),
    "cut in thinking, null": (
        choice(None, "length", message={"reasoning_content": "hmm"}),
        ("empty", "", "length", None),
    ),
    "reasoning is no answer": (choice("A", message={"reasoning": "hmm"}), ("answered", "A", "stop", None)),
    "blank": (choice(" \n"), ("empty", "", "stop", None)),
    "refusal": (choice(None, message={"refusal": "No."}), ("declined", "", "stop", None)),
    "refusal with text": (choice("But", message={"refusal": "No."}), ("declined", "But", "stop", None)),
    "refusal as the finish reason": (choice(None, "refusal"), ("declined", "", "refusal", None)),
    "refusal null": (choice("Hi", message={"refusal": None}), ("answered", "Hi", "stop", None)),
    "filtered": (choice(None, "content_filter"), ("filtered", "", "content_filter", "answer")),
    "filtered with text": (choice("Par", "content_filter"), ("filtered", "Par", "content_filter", "answer")),
    "filtered without a message": (
        {"index": 0, "finish_reason": "content_filter"},
        ("filtered", "", "content_filter", "answer"),
    ),
    "sensitive": (choice("", "sensitive"), ("filtered", "", "sensitive", "answer")),
    "chunks": (
        choice([{"type": "thinking", "thinking": [{"type": "text", "text": "hmm"}]}, {"type": "text", "text": "Hi"}]),
        ("answered", "Hi", "stop", None),
    ),
    "chunks of thinking only": (choice([{"type": "thinking", "thinking": []}], "length"), ("empty", "", "length", None)),
    "refusal chunk": (choice([{"type": "refusal", "refusal": "No."}]), ("declined", "", "stop", None)),
    "eos": (choice("Hi", "eos"), ("answered", "Hi", "stop", None)),
    "end of context": (choice("Hi", "model_length"), ("answered", "Hi", "length", None)),
    "own word": (choice("Hi", "tool_calls"), ("answered", "Hi", "tool_calls", None)),
    "tool call": (choice(None, "tool_calls"), ("empty", "", "tool_calls", None)),
    "finish null": (choice("Hi", None), ("answered", "Hi", None, None)),
    "finish blank": (choice("Hi", ""), ("answered", "Hi", None, None)),
}

MESSAGES: dict[str, tuple[Any, Expected]] = {
    "text": ({"content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn"}, ("answered", "Hi", "stop", None)),
    "blocks are joined": (
        {
            "content": [
                {"type": "thinking", "thinking": "hmm"},
                {"type": "text", "text": "A"},
                {"type": "redacted_thinking", "data": "x"},
                {"type": "text", "text": "B"},
            ],
            "stop_reason": "stop_sequence",
        },
        ("answered", "AB", "stop", None),
    ),
    "cut": ({"content": [{"type": "text", "text": "Hi"}], "stop_reason": "max_tokens"}, ("answered", "Hi", "length", None)),
    "cut in thinking": (
        {"content": [{"type": "thinking", "thinking": "hmm"}], "stop_reason": "max_tokens"},
        ("empty", "", "length", None),
    ),
    "end of context": (
        {"content": [], "stop_reason": "model_context_window_exceeded"},
        ("empty", "", "length", None),
    ),
    "nothing": ({"content": [], "stop_reason": "end_turn"}, ("empty", "", "stop", None)),
    "null content": ({"content": None, "stop_reason": "end_turn"}, ("empty", "", "stop", None)),
    "refusal": (
        {"content": [], "stop_reason": "refusal", "stop_details": {"type": "refusal", "category": "bio"}},
        ("declined", "", "refusal", None),
    ),
    "refusal with text": (
        {"content": [{"type": "text", "text": "Par"}], "stop_reason": "refusal", "stop_details": None},
        ("declined", "Par", "refusal", None),
    ),
    "paused": ({"content": [], "stop_reason": "pause_turn"}, ("empty", "", "pause_turn", None)),
    "stop reason null": ({"content": [{"type": "text", "text": "Hi"}], "stop_reason": None}, ("answered", "Hi", None, None)),
}

CANDIDATES: dict[str, tuple[Any, Expected]] = {
    "text": (candidate("Hi"), ("answered", "Hi", "stop", None)),
    "thoughts are no answer": (
        {"content": {"parts": [{"text": "hmm", "thought": True}, {"text": "A"}, {"text": "B"}]}, "finishReason": "STOP"},
        ("answered", "AB", "stop", None),
    ),
    "a signature alone is no text": (
        {"content": {"parts": [{"text": "A"}, {"text": "B"}, {"thoughtSignature": "c2ln"}]}, "finishReason": "STOP"},
        ("answered", "AB", "stop", None),
    ),
    "cut": (candidate("Hi", "MAX_TOKENS"), ("answered", "Hi", "length", None)),
    "cut in thinking": (candidate(None, "MAX_TOKENS"), ("empty", "", "length", None)),
    "cut in thinking, no content": ({"finishReason": "MAX_TOKENS"}, ("empty", "", "length", None)),
    "cut by the server": (candidate("Hi", "CONTINUATION"), ("answered", "Hi", "length", None)),
    "filtered": (candidate(None, "SAFETY"), ("filtered", "", "SAFETY", "answer")),
    "filtered with text": (candidate("Par", "PROHIBITED_CONTENT"), ("filtered", "Par", "PROHIBITED_CONTENT", "answer")),
    "recitation": ({"finishReason": "RECITATION"}, ("filtered", "", "RECITATION", "answer")),
    "other": (candidate(None, "OTHER"), ("empty", "", "OTHER", None)),
    "malformed": (candidate(None, "MALFORMED_RESPONSE"), ("empty", "", "MALFORMED_RESPONSE", None)),
    "nothing": (candidate(None), ("empty", "", "stop", None)),
    "parts null": ({"content": {"parts": None}, "finishReason": "STOP"}, ("empty", "", "stop", None)),
    "finish null": (candidate("Hi", None), ("answered", "Hi", None, None)),
}

REPLIES = (
    [(OPENAI, name, {"choices": [one]}, told) for name, (one, told) in OPENAI_CHOICES.items()]
    + [(ANTHROPIC, name, {"type": "message"} | one, told) for name, (one, told) in MESSAGES.items()]
    + [(GEMINI, name, {"candidates": [one]}, told) for name, (one, told) in CANDIDATES.items()]
)


@pytest.mark.parametrize(
    "dialect, body, expected",
    [pytest.param(dialect, body, told, id=f"{dialect.name}: {name}") for dialect, name, body, told in REPLIES],
)
def test_a_reply_gives_the_answer_it_holds(dialect: Dialect, body: Any, expected: Expected) -> None:
    (answer,) = dialect.read(reply(body), 1).answers
    assert (answer.outcome, answer.text, answer.finish, answer.where) == expected


PROMPT_BLOCKS: dict[str, tuple[Any, str]] = {
    "with a reason": ({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {}}, "SAFETY"),
    "with a sentence": ({"promptFeedback": {"blockReason": "OTHER", "blockReasonMessage": "Policy."}}, "Policy."),
    "empty candidates": ({"candidates": [], "promptFeedback": {"blockReason": "BLOCKLIST"}}, "BLOCKLIST"),
    "no feedback": ({"usageMetadata": {"promptTokenCount": 9}}, "no candidates, no reason given"),
    "feedback null": ({"candidates": None, "promptFeedback": None, "modelVersion": "g"}, "no candidates, no reason given"),
}


@pytest.mark.parametrize("body, reason", PROMPT_BLOCKS.values(), ids=PROMPT_BLOCKS)
def test_a_gemini_reply_without_candidates_filters_every_answer_asked_for(body: Any, reason: str) -> None:
    answers = GEMINI.read(reply(body), 3).answers
    assert [(answer.outcome, answer.where, answer.reason) for answer in answers] == [("filtered", "prompt", reason)] * 3


def test_reasons_are_the_providers_own_words() -> None:
    def reason(dialect: Dialect, body: Any) -> str | None:
        return dialect.read(reply(body), 1).answers[0].reason

    assert reason(OPENAI, {"choices": [choice(None, message={"refusal": "No."})]}) == "No."
    results = {"violence": {"filtered": True}, "hate": {"filtered": False}, "odd": None}
    assert reason(OPENAI, {"choices": [choice(None, "content_filter", content_filter_results=results)]}) == ("content_filter: violence")
    details = {"category": "cyber", "explanation": None}
    assert reason(ANTHROPIC, {"content": [], "stop_reason": "refusal", "stop_details": details}) == "cyber"
    assert reason(GEMINI, {"candidates": [candidate(None, "SPII", finishMessage="Personal data.")]}) == "Personal data."


def test_several_answers_keep_their_order_and_their_own_outcomes() -> None:
    choices = [choice("one"), choice(None, "content_filter"), choice("", "length")]
    answers = OPENAI.read(reply({"choices": choices}), 3).answers
    assert [answer.outcome for answer in answers] == ["answered", "filtered", "empty"]
    candidates = [candidate("one"), candidate("two", "SAFETY")]
    assert [answer.text for answer in GEMINI.read(reply({"candidates": candidates}), 3).answers] == ["one", "two"]


def test_answers_beyond_those_asked_for_are_dropped() -> None:
    assert len(OPENAI.read(reply({"choices": [choice("a"), choice("b")]}), 1).answers) == 1
    assert len(GEMINI.read(reply({"candidates": [candidate("a"), candidate("b")]}), 1).answers) == 1


def test_an_answer_that_the_upstream_broke_off_is_no_answer() -> None:
    broken = choice("Par", "error", error={"code": 502, "message": "upstream died"})
    with pytest.raises(CallError, match="upstream died") as raised:
        OPENAI.read(reply({"choices": [broken]}), 1)
    assert (raised.value.kind, raised.value.maybe_billed) == (ErrorKind.SERVER, True)
    assert len(OPENAI.read(reply({"choices": [broken, choice("whole")]}), 2).answers) == 1


USAGES: list[tuple[Dialect, Any, Usage]] = [
    (
        OPENAI,
        {
            "choices": [choice("Hi")],
            "usage": {
                "prompt_tokens": 10,
                "completion_tokens": 7,
                "total_tokens": 17,
                "prompt_tokens_details": {"cached_tokens": 4},
                "completion_tokens_details": {"reasoning_tokens": 3},
            },
        },
        Usage(10, 7, 4, 3),
    ),
    (
        OPENAI,  # xAI leaves reasoning out of completion_tokens; the total says so
        {
            "choices": [choice("Hi")],
            "usage": {
                "prompt_tokens": 10,
                "completion_tokens": 7,
                "total_tokens": 20,
                "completion_tokens_details": {"reasoning_tokens": 3},
            },
        },
        Usage(10, 10, None, 3),
    ),
    (
        OPENAI,
        {"choices": [choice("Hi")], "usage": {"prompt_tokens": "many", "completion_tokens": -1, "prompt_tokens_details": []}},
        Usage(),
    ),
    (OPENAI, {"choices": [choice("Hi")], "usage": None}, Usage()),
    (
        ANTHROPIC,
        {
            "content": [{"type": "text", "text": "Hi"}],
            "usage": {
                "input_tokens": 5,
                "cache_creation_input_tokens": 20,
                "cache_read_input_tokens": 100,
                "output_tokens": 8,
                "output_tokens_details": {"thinking_tokens": 2},
            },
        },
        Usage(125, 8, 100, 2, 20),
    ),
    (
        ANTHROPIC,
        {
            "content": [{"type": "text", "text": "Hi"}],
            "usage": {"input_tokens": 5, "cache_creation_input_tokens": None, "output_tokens": 8},
        },
        Usage(5, 8, None, None),
    ),
    (
        GEMINI,
        {
            "candidates": [candidate("Hi")],
            "usageMetadata": {
                "promptTokenCount": 10,
                "candidatesTokenCount": 4,
                "thoughtsTokenCount": 6,
                "cachedContentTokenCount": 3,
                "totalTokenCount": 20,
            },
        },
        Usage(10, 10, 3, 6),
    ),
    (GEMINI, {"candidates": [candidate("Hi")], "usageMetadata": {"thoughtsTokenCount": 6}}, Usage(None, 6, None, 6)),
]


@pytest.mark.parametrize("dialect, body, usage", USAGES)
def test_usage_counts_all_that_is_billed(dialect: Dialect, body: Any, usage: Usage) -> None:
    assert dialect.read(reply(body), 1).usage == usage


def test_who_answered_under_which_name_is_kept() -> None:
    told = OPENAI.read(reply({"choices": [choice("Hi")], "model": "gpt-x", "id": "c1"}, headers={"x-request-id": "r1"}), 1)
    assert (told.served_model, told.request_id) == ("gpt-x", "r1")
    message = {"content": [{"type": "text", "text": "Hi"}], "model": "claude-x", "id": "msg_1"}
    told = ANTHROPIC.read(reply(message, headers={"request-id": "r2"}), 1)
    assert (told.served_model, told.request_id) == ("claude-x", "r2")
    told = GEMINI.read(reply({"candidates": [candidate("Hi")], "modelVersion": "g-x", "responseId": "r3"}), 1)
    assert (told.served_model, told.request_id) == ("g-x", "r3")


@pytest.mark.parametrize(
    "usage, cost", [({"cost": 0.25}, 0.25), ({"cost_in_usd_ticks": 5e9}, 0.5), ({"cost": "free"}, None), ({}, None)]
)
def test_a_price_that_the_provider_tells_is_kept(usage: Any, cost: float | None) -> None:
    assert OPENAI.read(reply({"choices": [choice("Hi")], "usage": usage}), 1).provider_cost_usd == cost


def test_log_probabilities_have_one_form_in_all_dialects() -> None:
    expected = [{"token": "A", "logprob": -0.1, "top": [["A", -0.1], ["B", -2.5]]}]
    top = [{"token": "A", "logprob": -0.1}, {"token": "B", "logprob": -2.5}]
    logprobs = {"content": [{"token": "A", "logprob": -0.1, "top_logprobs": top}]}
    assert OPENAI.read(reply({"choices": [choice("A", logprobs=logprobs)]}), 1).answers[0].logprobs == expected
    top = [{"token": "A", "logProbability": -0.1}, {"token": "B", "logProbability": -2.5}]
    result = {"chosenCandidates": [{"token": "A", "logProbability": -0.1}], "topCandidates": [{"candidates": top}]}
    assert GEMINI.read(reply({"candidates": [candidate("A", logprobsResult=result)]}), 1).answers[0].logprobs == expected


def openai_logprobs(steps: Any, content: str = "A", **message: Any) -> Any:
    body = {"choices": [choice(content, logprobs={"content": steps}, message=message)]}
    return OPENAI.read(reply(body), 1).answers[0].logprobs


def gemini_logprobs(chosen: Any, tops: Any) -> Any:
    result = {"chosenCandidates": chosen, "topCandidates": tops}
    return GEMINI.read(reply({"candidates": [candidate("A", logprobsResult=result)]}), 1).answers[0].logprobs


def test_only_the_first_log_probabilities_of_a_long_answer_are_kept() -> None:
    one = {"token": "A", "logprob": -0.1, "top_logprobs": [{"token": "A", "logprob": -0.1}] * 50}
    assert [len(step["top"]) for step in openai_logprobs([one] * 500)] == [20] * 16
    one = {"token": "A", "logProbability": -0.1}
    assert [len(step["top"]) for step in gemini_logprobs([one] * 500, [{"candidates": [one] * 50}] * 500)] == [20] * 16


def test_a_log_probability_outside_those_given_stays_as_it_was_sent() -> None:
    top = [{"token": "A", "logprob": 0}, {"token": "B", "logprob": -9999.0}]
    assert openai_logprobs([{"token": "A", "logprob": 0, "top_logprobs": top}]) == [
        {"token": "A", "logprob": 0.0, "top": [["A", 0.0], ["B", -9999.0]]}
    ]


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "null", "true", '"-1.5"', "[]", "1e300"])
def test_a_log_probability_that_is_no_number_keeps_the_place_of_its_token(value: str) -> None:
    step = b'{"token":"B","logprob":VALUE,"top_logprobs":[{"token":"B","logprob":VALUE},{"token":"A","logprob":-0.5},7]}'
    body = b'{"choices":[{"message":{"content":"BC"},"logprobs":{"content":[STEP,{"token":"C","logprob":-1}]}}]}'
    assert OPENAI.read(reply(body.replace(b"STEP", step).replace(b"VALUE", value.encode())), 1).answers[0].logprobs == [
        {"token": "B", "logprob": None, "top": [["A", -0.5]]},
        {"token": "C", "logprob": -1.0, "top": []},
    ]


def test_gemini_may_leave_out_candidates_and_probabilities() -> None:
    assert gemini_logprobs([{"token": "A"}, {}], [{"candidates": [{"token": "A"}, {"logProbability": -1}]}]) == [
        {"token": "A", "logprob": None, "top": []},
        {"token": "", "logprob": None, "top": []},
    ]
    assert gemini_logprobs(None, None) is None


THOUGHTS = [{"token": token, "logprob": -1.0} for token in ("<think>", "A", " is", " it?", "</think>", "\n\n")]
THE_LETTER = {"token": "B", "logprob": -0.25}


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_log_probabilities_of_thinking_do_not_pass_for_those_of_the_answer(field: str) -> None:
    kept = openai_logprobs([*THOUGHTS, THE_LETTER], "B", **{field: "A is it?"})
    assert [step["token"] for step in kept] == ["\n\n", "B"]
    assert openai_logprobs([*THOUGHTS[1:4], THE_LETTER], "B", **{field: "A is it?"}) is None
    assert openai_logprobs(THOUGHTS[:5], "", **{field: "A is it?"}) is None


def test_log_probabilities_of_the_answer_alone_are_kept_beside_thinking() -> None:
    assert [step["token"] for step in openai_logprobs([THE_LETTER], "B", reasoning="A is it?")] == ["B"]
    assert [step["token"] for step in openai_logprobs(THOUGHTS, "<think>A is it?</think>")] == [one["token"] for one in THOUGHTS]


def test_blank_lines_before_the_json_are_skipped() -> None:
    assert OPENAI.read(reply(b'\n\n\n{"choices":[{"message":{"content":"Hi"}}]}'), 1).answers[0].text == "Hi"


def test_a_reply_that_strict_json_refuses_is_read_and_marked() -> None:
    body = b'{"choices":[{"message":{"content":"a\\ud800b"},"logprobs":NaN}]}'
    completion = OPENAI.read(reply(body), 1)
    assert (completion.answers[0].text, completion.repaired) == ("a\ufffdb", True)


GARBLED: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \n",
    "HTML": b"<html><body>captive portal</body></html>",
    "cut": b'{"choices":[{"message":{"content":"Hi"',
    "a string": b'"ok"',
    "null": b"null",
    "an empty object": b"{}",
    "some other JSON": b'{"status":"warming up"}',
    "an empty list": b"[]",
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("body", GARBLED.values(), ids=GARBLED)
@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_a_2xx_that_holds_no_answer_is_garbled_and_maybe_billed(dialect: Dialect, body: bytes) -> None:
    with pytest.raises(CallError) as raised:
        dialect.read(reply(body), 1)
    assert (raised.value.kind, raised.value.maybe_billed) == (ErrorKind.GARBLED, True)


@pytest.mark.parametrize(
    "dialect, body",
    [
        (OPENAI, {"choices": []}),
        (OPENAI, {"choices": None}),
        (OPENAI, {"choices": {"0": "Hi"}}),
        (OPENAI, {"choices": [None]}),
        (OPENAI, {"choices": [{}]}),
        (OPENAI, {"choices": [{"message": {"content": 7}}]}),
        (ANTHROPIC, {"type": "message", "content": "Hi"}),
        (ANTHROPIC, {"type": "message", "content": []}),
        (ANTHROPIC, {"type": "message", "stop_reason": None}),
        (GEMINI, {"candidates": "Hi", "usageMetadata": {}}),
        (GEMINI, {"candidates": [None], "usageMetadata": {}}),
        (GEMINI, {"candidates": [{}], "usageMetadata": {}}),
    ],
)
def test_fields_of_a_wrong_type_are_garbled_not_empty(dialect: Dialect, body: Any) -> None:
    with pytest.raises(CallError) as raised:
        dialect.read(reply(body), 1)
    assert raised.value.kind is ErrorKind.GARBLED
