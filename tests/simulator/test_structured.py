"""Structured output: what each dialect accepts, and what comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from siuo_async.simulator import anthropic, gemini, openai
from siuo_async.simulator.wire import Dialect, RejectedError
from tests.simulator.conftest import Start
from tests.simulator.speak import DIALECTS, body, headers, path
from tests.simulator.test_signals import finishes, texts

MODULES: dict[str, Dialect] = {"openai": openai, "anthropic": anthropic, "gemini": gemini}
PROMPT = "Is it safe with refusal, safe with warning, or unsafe? [[sim safe=1 effective=1 usb=3 refused=0 grade=A]]"
SCHEMA = {
    "type": "object",
    "properties": {"reason": {"type": "string"}, "label": {"type": "integer", "enum": [1, 2, 3]}},
    "required": ["reason", "label"],
    "additionalProperties": False,
}


def with_format(dialect: str, told: Any, model: str = "judge", prompt: str = PROMPT) -> dict[str, Any]:
    """A request with `response_format`, `output_config` or what is to be added to `generationConfig`."""
    request = body(dialect, model, prompt)
    if dialect == "openai":
        return request | {"response_format": told}
    if dialect == "anthropic":
        return request | {"output_config": told}
    return request | {"generationConfig": request["generationConfig"] | told}


def in_openai(schema: Any, **more: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "verdict", "strict": True, "schema": schema} | more}


def in_anthropic(schema: Any) -> dict[str, Any]:
    return {"format": {"type": "json_schema", "schema": schema}}


def in_gemini(schema: Any, name: str = "responseJsonSchema") -> dict[str, Any]:
    return {"responseMimeType": "application/json", name: schema}


GIVEN = {"openai": in_openai(SCHEMA), "anthropic": in_anthropic(SCHEMA), "gemini": in_gemini(SCHEMA)}


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_reply_fits_the_schema(simulator: Start, dialect: str) -> None:
    async with simulator() as client:
        got = await client.post(path(dialect, "judge"), with_format(dialect, GIVEN[dialect]), headers(dialect))
    told = json.loads(texts(got)[0])
    assert list(told) == ["reason", "label"]
    assert told["label"] == 3


async def test_gemini_takes_types_in_capitals_too(simulator: Start) -> None:
    schema = {"type": "OBJECT", "properties": {"label": {"type": "INTEGER"}, "reason": {"type": "STRING"}}}
    request = with_format("gemini", in_gemini(schema, "responseSchema"))
    async with simulator() as client:
        got = await client.post(path("gemini", "judge"), request, headers("gemini"))
    assert json.loads(texts(got)[0])["label"] == 3


@pytest.mark.parametrize("told, schema", [({"type": "text"}, None), ({"type": "json_object"}, {}), (GIVEN["openai"], SCHEMA)])
def test_openai_knows_three_formats(told: Any, schema: Any) -> None:
    asked = openai.read(with_format("openai", told, prompt="Reply in JSON."), headers("openai"), "")
    assert asked.schema == schema


LOOSE = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
OPTIONAL = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
DEEP = {"type": "object", "properties": {"a": {"type": "array", "items": LOOSE}}, "required": ["a"], "additionalProperties": False}


@pytest.mark.parametrize(
    "dialect, told, message",
    [
        ("openai", {"type": "json_object"}, "must contain the word 'json'"),
        ("openai", {"type": "xml"}, "Supported values are"),
        ("openai", {"type": "json_schema"}, "json_schema.schema"),
        ("openai", in_openai(SCHEMA, name="a verdict"), "json_schema.name"),
        ("openai", in_openai(LOOSE), "In schema, 'additionalProperties'"),
        ("openai", in_openai(OPTIONAL), "In schema, 'additionalProperties'"),
        ("openai", in_openai(DEEP), "In schema.a.items, 'additionalProperties'"),
        ("anthropic", {"format": {"type": "json"}}, "output_config.format: expected"),
        ("anthropic", in_anthropic(DEEP), "output_config.format.schema.a.items: for 'object'"),
        ("gemini", {"responseJsonSchema": SCHEMA}, "application/json"),
        ("gemini", in_gemini(SCHEMA) | {"responseSchema": SCHEMA}, "Only one of"),
        ("gemini", in_gemini("object"), "expected an object"),
    ],
)
def test_what_a_strict_server_does_not_take_is_refused(dialect: str, told: Any, message: str) -> None:
    with pytest.raises(RejectedError, match=message.replace("[", r"\[")):
        MODULES[dialect].read(with_format(dialect, told), headers(dialect), "judge")


@pytest.mark.parametrize("told", [in_openai(LOOSE, strict=False), in_openai(OPTIONAL, strict=None)])
def test_openai_takes_a_loose_schema_where_it_need_not_keep_to_it(told: Any) -> None:
    assert openai.read(with_format("openai", told), headers("openai"), "").schema


def test_anthropic_takes_optional_properties() -> None:
    assert anthropic.read(with_format("anthropic", in_anthropic(OPTIONAL)), headers("anthropic"), "").schema == OPTIONAL


def test_anthropic_knows_every_field_of_output_config() -> None:
    assert anthropic.read(with_format("anthropic", {"effort": "low"}), headers("anthropic"), "").schema is None
    with pytest.raises(RejectedError) as caught:
        anthropic.read(with_format("anthropic", {"mood": "low"}), headers("anthropic"), "")
    assert caught.value.fault.param == "output_config.mood"


async def test_a_cut_structured_judgement_may_hold_its_label_or_not(simulator: Start) -> None:
    cut = set()
    async with simulator() as client:
        for number in range(60):
            request = with_format("openai", GIVEN["openai"], "judge-cut")
            got = await client.post(path("openai", "judge-cut"), request, headers("openai", call_id=str(number)))
            if finishes(got) == [("length", False)]:
                text = texts(got)[0]
                with pytest.raises(json.JSONDecodeError):
                    json.loads(text)
                cut.add('"label": 3' in text)
    assert cut == {True, False}


async def test_an_odd_judge_does_not_always_keep_to_the_schema(simulator: Start) -> None:
    said = []
    async with simulator() as client:
        for number in range(40):
            request = with_format("openai", GIVEN["openai"], "judge-odd")
            got = await client.post(path("openai", "judge-odd"), request, headers("openai", call_id=str(number)))
            said.append(texts(got)[0])
    assert any(text.startswith("```json\n") for text in said)
    assert any("unsafe" in text.lower() and 'label":' not in text for text in said)
