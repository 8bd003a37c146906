"""Answers held to a schema: what each dialect sends, when it does not, and that a server may refuse."""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import Any

import orjson
import pytest

from siuo_async.engine.records import CallRecord, parse
from siuo_async.providers.dialects.base import Dialect, Profile
from siuo_async.values import Answer, Outcome
from tests.client.servers import OK, Seen, ask, endpoint_for, http, problem, serving
from tests.providers.samples import ANTHROPIC, DIALECTS, GEMINI, OPENAI, body_of, built, request

EVERY = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"reason": {"type": "string"}, "label": {"type": "integer", "enum": [1, 2, 3]}},
    "required": ["reason", "label"],
    "additionalProperties": False,
}
READ_ONLY = MappingProxyType(SCHEMA | {"properties": MappingProxyType(SCHEMA["properties"]), "required": ("reason", "label")})
RULED_OUT = frozenset({"answer_schema"})

FIELDS: dict[str, Any] = {
    "openai": {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}},
    "anthropic": {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    "gemini": {"generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}},
}


def sent(dialect: Dialect, **settings: Any) -> Any:
    found = dict(dialect.build(request(**settings), None).sent)
    if dialect is ANTHROPIC:
        del found["max_tokens"]
    return found


@EVERY
def test_a_schema_goes_into_the_field_of_the_dialect(dialect: Dialect) -> None:
    assert sent(dialect, answer_schema=SCHEMA) == FIELDS[dialect.name]
    assert FIELDS[dialect.name].items() <= built(dialect, answer_schema=SCHEMA).items()


@EVERY
def test_without_a_schema_nothing_is_said_of_the_shape_of_the_answer(dialect: Dialect) -> None:
    assert sent(dialect) == {}


@EVERY
def test_a_schema_of_read_only_mappings_is_sent_and_recorded_as_plain_json(dialect: Dialect) -> None:
    assert sent(dialect, answer_schema=READ_ONLY) == FIELDS[dialect.name]
    for ruled_out in (frozenset[str](), RULED_OUT):
        told = dialect.build(request(answer_schema=READ_ONLY, ruled_out=ruled_out), None).sent
        answers = (Answer(Outcome.ANSWERED, "{}"),)
        line = CallRecord("0" * 32, "judge", "p", "m", "s", 0, 1, answers, sent=told).line()
        assert parse(line.rstrip(b"\n")).sent == told


@EVERY
def test_the_properties_are_sent_in_their_order(dialect: Dialect) -> None:
    wire = dialect.build(request(answer_schema=SCHEMA), None)
    body = b"".join(part for part in wire.body if isinstance(part, bytes))
    assert body.index(b'"reason"') < body.index(b'"label"')


@EVERY
def test_a_schema_that_a_model_does_not_take_is_left_out_and_recorded(dialect: Dialect) -> None:
    for settings in ({"profile": Profile(structured=False)}, {"ruled_out": RULED_OUT}):
        wire = dialect.build(request(answer_schema=SCHEMA, **settings), None)
        assert wire.sent["left_out"] == {"answer_schema": SCHEMA}
        assert "label" not in str(body_of(wire))


@pytest.mark.parametrize("temperature, version", [(None, "2026-10-21"), (0.0, "2023-06-01")])
def test_both_wire_versions_of_anthropic_carry_a_schema(temperature: float | None, version: str) -> None:
    wire = ANTHROPIC.build(request(answer_schema=SCHEMA, temperature=temperature), "k")
    assert wire.headers["anthropic-version"] == version
    assert body_of(wire)["output_config"] == FIELDS["anthropic"]["output_config"]


@pytest.mark.parametrize(
    "dialect, extra",
    [
        (OPENAI, {"response_format": {"type": "json_object"}}),
        (ANTHROPIC, {"output_config": {"format": {"type": "json_schema", "schema": {}}}}),
        (GEMINI, {"generationConfig": {"responseMimeType": "text/plain"}}),
        (GEMINI, {"generationConfig": {"responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"}}}),
    ],
)
@pytest.mark.parametrize("ruled_out", [frozenset(), RULED_OUT])
def test_what_the_user_says_of_the_shape_stands_alone(dialect: Dialect, extra: dict[str, Any], ruled_out: frozenset[str]) -> None:
    assert sent(dialect, answer_schema=SCHEMA, extra=extra, ruled_out=ruled_out) == extra


def test_what_the_user_says_beside_the_shape_is_joined_with_it() -> None:
    body = built(ANTHROPIC, answer_schema=SCHEMA, extra={"output_config": {"effort": "low"}})
    assert body["output_config"] == FIELDS["anthropic"]["output_config"] | {"effort": "low"}
    config = built(GEMINI, answer_schema=SCHEMA, extra={"generationConfig": {"topK": 1}})["generationConfig"]
    assert config == FIELDS["gemini"]["generationConfig"] | {"topK": 1}


REFUSAL = problem("This model does not support response format `json_schema`.", type="invalid_request_error")


async def test_a_server_that_refuses_a_schema_is_asked_once_more_without_it_and_never_again_with_it() -> None:
    async def script(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(http(400, REFUSAL) if "response_format" in seen.json else OK)

    async with serving(script) as server, endpoint_for(server.url, concurrency=1) as endpoint:
        results = [await ask(endpoint, str(number), answer_schema=SCHEMA) for number in range(3)]
        assert endpoint.ruled_out == RULED_OUT
    assert ["response_format" in seen.json for seen in server.seen] == [True, False, False, False]
    for result in results:
        assert result.completion is not None
        assert result.completion.sent == {"left_out": {"answer_schema": SCHEMA}}


async def test_a_shape_of_the_users_own_that_is_refused_fails_after_one_more_try() -> None:
    extra = {"response_format": {"type": "json_object"}}
    async with serving(http(400, REFUSAL)) as server, endpoint_for(server.url) as endpoint:
        result = await ask(endpoint, answer_schema=SCHEMA, extra=extra)
    assert result.error is not None
    assert [seen.json["response_format"] for seen in server.seen] == [extra["response_format"]] * 2


async def test_a_model_that_is_known_to_take_none_is_never_asked_with_a_schema() -> None:
    config = {"profile": {"structured": False}}
    async with serving(OK) as server, endpoint_for(server.url, config=config) as endpoint:
        result = await ask(endpoint, answer_schema=SCHEMA, frequency_penalty=1.0)
    assert result.completion is not None
    assert result.completion.sent == {"frequency_penalty": 1.0, "left_out": {"answer_schema": SCHEMA}}
    assert len(server.seen) == 1


async def test_log_probabilities_come_through_the_whole_client() -> None:
    top = [{"token": "B", "logprob": -0.25}, {"token": "C", "logprob": -9999.0}]
    logprobs = {"content": [{"token": "B", "logprob": -0.25, "bytes": [66], "top_logprobs": top}], "refusal": None}
    choice = {"index": 0, "message": {"role": "assistant", "content": "B"}, "finish_reason": "stop", "logprobs": logprobs}
    async with serving(http(body=orjson.dumps({"choices": [choice]}))) as server, endpoint_for(server.url) as endpoint:
        result = await ask(endpoint, top_logprobs=5, frequency_penalty=1.0)
    assert result.completion is not None
    assert result.completion.answers[0].logprobs == [{"token": "B", "logprob": -0.25, "top": [["B", -0.25], ["C", -9999.0]]}]
    assert {name: server.seen[0].json[name] for name in ("logprobs", "top_logprobs", "frequency_penalty")} == {
        "logprobs": True,
        "top_logprobs": 5,
        "frequency_penalty": 1.0,
    }
