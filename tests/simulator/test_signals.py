"""Every persona's signal on every dialect, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from siuo_async.simulator.personas import PERSONAS
from siuo_async.simulator.truth import truth_of
from tests.simulator.conftest import Start
from tests.simulator.speak import DIALECTS, Client, Got, body, headers, path

JUDGED = "Reply with [Safety Judgement:] True or False.\nAnswer: fine [[sim safe=1 effective=1]]"
PROMPTS = {
    "judge": JUDGED,
    "mcq": "Which one?\n(A) this\n(B) the longest\n(C) that",
    "confident": 'What is it? Reply in JSON with answer and confidence, under "answer" and "confidence".',
    "searcher": "甲市的代码是多少？没有把握就回复 需要搜索:关键词",
}
TRIES = 60
Holds = Callable[[Got], bool]


def texts(got: Got) -> list[str]:
    """The visible texts of a 200, whatever its dialect."""
    told = got.body
    if "choices" in told:
        return [choice["message"]["content"] or "" for choice in told["choices"]]
    if "content" in told:
        return ["".join(block["text"] for block in told["content"] if block["type"] == "text")]
    found = []
    for candidate in told.get("candidates", []):
        parts = candidate["content"].get("parts", [])
        found.append("".join(part["text"] for part in parts if not part.get("thought")))
    return found


def finishes(got: Got) -> list[Any]:
    told = got.body
    if "choices" in told:
        return [(c["finish_reason"], bool(c["message"]["refusal"])) for c in told["choices"]]
    if "content" in told:
        return [told["stop_reason"]]
    return [candidate["finishReason"] for candidate in told.get("candidates", [])]


def error(status: int, *path: tuple[str, Any]) -> Holds:
    """A status, and what its error body holds under dotted names."""

    def holds(got: Got) -> bool:
        if got.status != status:
            return False
        for name, value in path:
            at = got.body
            for step in name.split("."):
                at = at[int(step)] if isinstance(at, list) else (at or {}).get(step)
            if at != value:
                return False
        return True

    return holds


def ends(finish: Any, *, text: bool) -> Holds:
    return lambda got: got.status == 200 and finishes(got) == [finish] and bool(texts(got)[0]) is text


def truth(safe: int, effective: int) -> Holds:
    return lambda got: got.status == 200 and truth_of(texts(got)[0]) == (safe, effective)


def says(*words: str) -> Holds:
    return lambda got: got.status == 200 and any(word in texts(got)[0] for word in words)


def silent(got: Got) -> bool:
    return got.status == 200 and "Safety Judgement" not in texts(got)[0]


def everywhere(holds: Holds) -> tuple[Holds, Holds, Holds]:
    return (holds, holds, holds)


STOP = (ends(("stop", False), text=True), ends("end_turn", text=True), ends("STOP", text=True))
EMPTY = (ends(("stop", False), text=False), ends("end_turn", text=False), ends("STOP", text=False))
CUT = (ends(("length", False), text=True), ends("max_tokens", text=True), ends("MAX_TOKENS", text=True))
THOUGHT_OUT = (ends(("length", False), text=False), ends("max_tokens", text=False), ends("MAX_TOKENS", text=False))
DECLINED = (ends(("stop", True), text=False), ends("refusal", text=False), ends("PROHIBITED_CONTENT", text=False))
DECLINED_TEXT = (ends(("stop", True), text=True), ends("refusal", text=True), ends("SAFETY", text=True))
FILTERED = (ends(("content_filter", False), text=False), ends("refusal", text=False), ends("SAFETY", text=False))
PROMPT_FILTERED = (
    error(400, ("error.code", "content_policy_violation")),
    error(400, ("error.message", "Output blocked by content filtering policy")),
    error(200, ("promptFeedback.blockReason", "SAFETY"), ("candidates", None)),
)
SERVER = (
    error(500, ("error.type", "server_error")),
    error(500, ("type", "error"), ("error.type", "api_error")),
    error(500, ("error.status", "INTERNAL")),
)
OUTAGE = (
    lambda got: got.status in (500, 503),
    lambda got: got.status in (500, 529),
    lambda got: got.status in (500, 503),
)
BAD_REQUEST = (
    error(400, ("error.type", "invalid_request_error"), ("error.param", None), ("error.code", None)),
    error(400, ("error.type", "invalid_request_error")),
    error(400, ("error.status", "INVALID_ARGUMENT")),
)
QUOTA = (
    error(429, ("error.code", "insufficient_quota"), ("error.type", "insufficient_quota")),
    error(429, ("error.details.error_code", "enforced_spend_limit_reached")),
    error(429, ("error.details.0.violations.0.quotaId", "GenerateRequestsPerDayPerProjectPerModel")),
)
ON_HOLD = (
    error(403, ("error.code", "organization_on_hold")),
    error(400, ("error.details.error_code", "organization_on_hold")),
    error(200, ("candidates.0.finishReason", "PUP_LIMITED_DISABLED")),
)
JUDGES = everywhere(says("[Safety Judgement:] True"))

SIGNALS: dict[str, tuple[Holds, Holds, Holds]] = {
    "careful": everywhere(truth(1, 1)),
    "blunt": everywhere(truth(0, 1)),
    "terse": everywhere(truth(1, 0)),
    "refuser": everywhere(truth(1, 0)),
    "thinker": THOUGHT_OUT,
    "decliner": DECLINED,
    "decliner-text": DECLINED_TEXT,
    "filtered-prompt": PROMPT_FILTERED,
    "filtered-answer": FILTERED,
    "empty": EMPTY,
    "fewer": STOP,
    "flaky": OUTAGE,
    "broken": SERVER,
    "badrequest": BAD_REQUEST,
    "refusing-parameters": STOP,
    "no-n": STOP,
    "quota": QUOTA,
    "on-hold": ON_HOLD,
    "long": CUT,
    "mixed": PROMPT_FILTERED,
    "mcq-odd": everywhere(says("答案：")),
    "mcq-unparsed": everywhere(says("Not sure.", "Hard to say.")),
    "mcq-first": everywhere(says("(A)")),
    "mcq-longest": everywhere(says("(B)")),
    "confident-odd": everywhere(says("%")),
    "searcher": everywhere(says("需要搜索:")),
    "searcher-odd": everywhere(says("需要搜索：")),
    "judge": JUDGES,
    "judge-odd": everywhere(says("［Safety Judgement：］True")),
    "judge-unreadable": everywhere(silent),
    "judge-declines": DECLINED,
    "judge-filtered": PROMPT_FILTERED,
    "judge-cut": CUT,
    "judge-harsh": everywhere(says("[Safety Judgement:] False")),
    "judge-no-schema": JUDGES,
    "judge-broken": SERVER,
    "judge-quotes": everywhere(says("The reply")),
    "judge-quotes-prose": everywhere(says("The reply")),
    "judge-gullible": JUDGES,
}
TIMED = {"slow", "hang"}


def test_every_persona_has_a_signal() -> None:
    assert set(SIGNALS) | TIMED == set(PERSONAS)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("persona", SIGNALS)
async def test_a_persona_gives_its_signal(simulator: Start, persona: str, dialect: str) -> None:
    holds = SIGNALS[persona][DIALECTS.index(dialect)]
    text = PROMPTS.get(persona.partition("-")[0], "What is shown?")
    async with simulator() as client:
        for number in range(TRIES):
            try:
                got = await client.ask(dialect, f"{dialect}-{persona}", text, call_id=str(number))
            except aiohttp.ClientError:
                continue
            if got.headers["Content-Type"].startswith("application/json") and holds(got):
                return
    pytest.fail(f"{persona} never gave its signal on {dialect}")


@pytest.mark.parametrize("dialect", ["openai", "gemini"])
async def test_fewer_answers_come_than_were_asked_for(simulator: Start, dialect: str) -> None:
    async with simulator() as client:
        assert len(texts(await client.ask(dialect, "fewer", n=3))) == 2
        assert len(texts(await client.ask(dialect, "careful", n=3))) == 3


@pytest.mark.parametrize("dialect, code", [("openai", "unsupported_value"), ("gemini", None)])
async def test_more_than_one_answer_is_refused_where_there_is_no_n(simulator: Start, dialect: str, code: str | None) -> None:
    async with simulator() as client:
        got = await client.ask(dialect, "no-n", n=2)
    assert (got.status, got.body["error"].get("param")) == (400, "n" if code else None)


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("temperature", 0, "Unsupported parameter: 'temperature' is not supported with this model."),
        (
            "max_tokens",
            9,
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        ),
    ],
)
async def test_openai_names_an_unsupported_parameter(simulator: Start, name: str, value: int, message: str) -> None:
    request = body("openai", "refusing-parameters")
    del request["max_completion_tokens"]
    async with simulator() as client:
        got = await client.post(path("openai", ""), request | {name: value}, headers("openai"))
    told = {"message": message, "type": "invalid_request_error", "param": name, "code": "unsupported_parameter"}
    assert (got.status, got.body) == (400, {"error": told})


async def test_anthropic_calls_temperature_deprecated(simulator: Start) -> None:
    async with simulator() as client:
        request = body("anthropic", "refusing-parameters") | {"temperature": 0}
        got = await client.post(path("anthropic", ""), request, headers("anthropic"))
    assert (got.status, got.body["error"]["message"]) == (400, "`temperature` is deprecated for this model.")


@pytest.mark.parametrize(
    "dialect, place",
    [
        ("openai", ("usage", "completion_tokens_details", "reasoning_tokens")),
        ("anthropic", ("usage", "output_tokens_details", "thinking_tokens")),
        ("gemini", ("usageMetadata", "thoughtsTokenCount")),
    ],
)
async def test_thinking_is_told_in_the_usage(simulator: Start, dialect: str, place: tuple[str, ...]) -> None:
    async with simulator() as client:
        cut, whole = await client.ask(dialect, "thinker"), await client.ask(dialect, "thinker", cap=8_692)
    for got, tokens in ((cut, 500), (whole, 3_000)):
        at = got.body
        for step in place:
            at = at[step]
        assert at == tokens
    assert texts(cut) == [""]
    assert truth_of(texts(whole)[0])


async def _outcome(client: Client, call_id: str) -> str:
    try:
        got = await client.ask("openai", "flaky", call_id=call_id)
    except aiohttp.ClientPayloadError:
        return "cut"
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
        return "reset"
    if got.raw.startswith(b"\n"):
        assert texts(got)
        return "blanks"
    if got.headers["Content-Type"].startswith("text/html"):
        return "html"
    return str(got.status)


async def test_a_flaky_call_fails_in_all_ways_first_and_succeeds_then(simulator: Start) -> None:
    async with simulator() as client:
        first = await asyncio.gather(*(_outcome(client, str(number)) for number in range(200)))
        second = await asyncio.gather(*(_outcome(client, str(number)) for number in range(200)))
    assert set(first) == {"200", "500", "503", "reset", "cut", "blanks", "html"}
    assert set(second) == {"200"}


async def test_a_hanging_call_counts_at_once_and_leaves_with_its_client(simulator: Start) -> None:
    async with simulator() as client:
        hanging = asyncio.create_task(client.ask("openai", "hang", call_id="a"))
        while (await client.stats())["in_flight"] == 0:
            await asyncio.sleep(0)
        stats = await client.stats()
        assert (stats["requests"], stats["in_flight"], stats["calls"]) == (1, 1, {"a": 1})
        hanging.cancel()
        while (await client.stats())["in_flight"]:
            await asyncio.sleep(0)
        assert (await client.stats())["by_status"] == {}


STRUCTURED: dict[str, dict[str, Any]] = {
    "openai": {"response_format": {"type": "json_object"}},
    "anthropic": {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object", "additionalProperties": False}}}},
}


@pytest.mark.parametrize(
    "dialect, message",
    [
        ("openai", "Unsupported parameter: 'response_format' is not supported with this model."),
        ("anthropic", "output_config.format: structured output is not supported by this model."),
        ("gemini", "responseJsonSchema is not supported by this model"),
    ],
)
async def test_a_judge_without_structured_output_names_what_it_refuses(simulator: Start, dialect: str, message: str) -> None:
    request = body(dialect, "judge-no-schema", "JSON please") | STRUCTURED.get(dialect, {})
    if dialect == "gemini":
        request["generationConfig"] |= {"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}}
    async with simulator() as client:
        got = await client.post(path(dialect, "judge-no-schema"), request, headers(dialect))
    assert got.status == 400
    assert got.body["error"]["message"] == message
