"""Conformance: our requests against those that the official clients put on the wire."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from siuo_async.providers.dialects.base import Profile, Request
from siuo_async.providers.profiles import profile_for
from siuo_async.values import Parameters, Picture, Turn
from tests.providers.samples import DIALECTS, PNG, body_of

SYSTEM = Turn("system", ("You are a careful assistant.",))
QUESTION = "What is shown in the picture?"
TEXT_FIRST = (SYSTEM, Turn("user", (QUESTION, PNG)))
PICTURE_FIRST = (SYSTEM, Turn("user", (PNG, QUESTION)))
TEXT_ONLY = (Turn("user", (QUESTION,)),)

GPT_4O = profile_for("openai", "gpt-4o-2024-11-20")
CASES: dict[str, tuple[str, tuple[Turn, ...], Parameters, int, Profile]] = {
    **dict.fromkeys(
        ("openai_chat_max_tokens_n3", "openai_async_chat_n3"),
        ("openai", TEXT_FIRST, Parameters(max_tokens=500, temperature=0.0), 3, GPT_4O),
    ),
    "openai_chat_logprobs_n3": (
        "openai",
        TEXT_FIRST,
        Parameters(max_tokens=500, temperature=0.0, top_p=1.0, seed=1, stop=("\n\n",), top_logprobs=5),
        3,
        profile_for("openai", "gpt-4o-2024-11-20", {"cap_field": "max_completion_tokens"}),
    ),
    **dict.fromkeys(
        ("anthropic_v2_messages_base64", "anthropic_v2_async_messages"),
        (
            "anthropic",
            PICTURE_FIRST,
            Parameters(max_tokens=500, thinking_tokens=0, temperature=0.0),
            3,
            profile_for("anthropic", "claude-opus-5-5"),
        ),
    ),
    "anthropic_v1_messages_temp0": (
        "anthropic",
        PICTURE_FIRST,
        Parameters(max_tokens=500, temperature=0.0),
        1,
        profile_for("anthropic", "claude-sonnet-4-6", {"thinking": "none"}),
    ),
    **dict.fromkeys(
        (
            "gemini_generate_content_base64_n3",
            "gemini_generate_content_flat_contents",
            "gemini_generate_content_v1beta",
        ),
        (
            "gemini",
            PICTURE_FIRST,
            Parameters(max_tokens=500, temperature=0.0),
            3,
            profile_for("gemini", "gemini-2.5-flash", {"thinking": "none"}),
        ),
    ),
    "gemini_generate_content_thinking_budget": (
        "gemini",
        TEXT_ONLY,
        Parameters(max_tokens=500, temperature=0.0),
        1,
        profile_for("gemini", "gemini-2.5-flash"),
    ),
    "gemini_generate_content_full_config": (
        "gemini",
        PICTURE_FIRST,
        Parameters(
            max_tokens=500,
            thinking_tokens=0,
            temperature=0.0,
            top_p=1.0,
            seed=7,
            stop=("END",),
            top_logprobs=5,
            answer_schema={"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            safety_filters="off",
            extra={
                "serviceTier": "flex",
                "generationConfig": {
                    "topK": 1.0,
                    "mediaResolution": "MEDIA_RESOLUTION_HIGH",
                    "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "LOW"},
                },
            },
        ),
        1,
        profile_for("gemini", "gemini-3-flash-preview"),
    ),
}
IGNORED_HEADERS = re.compile(r"x-stainless-.*|x-goog-api-client|user-agent|accept.*")


@pytest.mark.parametrize("name", CASES)
def test_a_request_says_what_the_official_client_says(shared: Path, name: str) -> None:
    captured = json.loads((shared / "captures" / f"{name}.json").read_text())
    dialect, turns, parameters, n, profile = CASES[name]
    model = captured["body"].get("model") or captured["path"].split("/models/")[1].removesuffix(":generateContent")

    wire = DIALECTS[dialect].build(Request(model, turns, parameters, n, profile), key_in(captured["headers"]))

    assert captured["path"].endswith(wire.path)
    assert normalised(body_of(wire)) == normalised(captured["body"])
    assert lowered(wire.headers) == lowered(captured["headers"])


def key_in(headers: dict[str, str]) -> str:
    low = {name.lower(): value for name, value in headers.items()}
    found = low.get("x-api-key") or low.get("x-goog-api-key") or low["authorization"]
    return found.removeprefix("Bearer ")


def lowered(headers: Any) -> dict[str, str]:
    low = {name.lower(): value for name, value in headers.items()}
    return {name: value for name, value in low.items() if not IGNORED_HEADERS.fullmatch(name)}


def normalised(value: Any, inside: str = "") -> Any:
    """Both spellings of a field, both alphabets of base64, and defaults that a client fills in become one."""
    if isinstance(value, dict):
        fields = {camel(name): normalised(inner, camel(name)) for name, inner in value.items()}
        if inside == "systemInstruction":
            fields.pop("role", None)
        if "fileData" in fields:
            # The client was given an address; we always send the bytes.
            return {"inlineData": {"data": "<BASE64>", "mimeType": fields["fileData"]["mimeType"]}}
        return fields
    if isinstance(value, list):
        return [normalised(inner) for inner in value]
    if isinstance(value, str):
        return re.sub(r"<BASE64.*>|iVBORw0KGgoAAAAN$", "<BASE64>", value)
    return value


def camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def test_a_picture_is_a_part_of_the_body_and_not_in_its_bytes() -> None:
    for dialect in DIALECTS.values():
        wire = dialect.build(Request("m", PICTURE_FIRST, Parameters()), None)
        assert [part for part in wire.body if isinstance(part, Picture)] == [PNG]
