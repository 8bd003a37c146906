"""Each dialect is as strict as its provider, and says so in its provider's words."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from siuo_async.simulator import anthropic, gemini, openai
from siuo_async.simulator.wire import Dialect, Problem, RejectedError
from tests.simulator.speak import DIALECTS, PNG, body, headers

MODULES: dict[str, Dialect] = {"openai": openai, "anthropic": anthropic, "gemini": gemini}
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(60)).decode()
NO_PICTURE = base64.b64encode(b"plain text, no picture").decode()
DELETE = object()


def changed(value: Any, place: tuple[str | int, ...], new: Any) -> Any:
    """`value` with `new` at `place`; lists and objects are shared nowhere."""
    copy = json.loads(json.dumps(value))
    at = copy
    for step in place[:-1]:
        at = at[step]
    if new is DELETE:
        del at[place[-1]]
    else:
        at[place[-1]] = new
    return copy


def fault(dialect: str, request: Any, told: Mapping[str, str]) -> Any:
    with pytest.raises(RejectedError) as caught:
        MODULES[dialect].read(request, told, "careful")
    return MODULES[dialect].error(caught.value.fault, "req_1")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_plain_request_is_understood(dialect: str) -> None:
    asked = MODULES[dialect].read(body(dialect, "careful", "Why?", cap=9), headers(dialect), "careful")
    assert (asked.model, asked.last_user, asked.pictures, asked.n, asked.cap) == ("careful", "Why?", 1, 1, 9)


OPENAI_CONTENT = ("messages", 0, "content")
OPENAI_URL = (*OPENAI_CONTENT, 1, "image_url", "url")


@pytest.mark.parametrize(
    "place, new, param, code",
    [
        (("colour",), 1, "colour", "unknown_parameter"),
        (("temperature",), "hot", "temperature", "invalid_type"),
        (("temperature",), 2.5, "temperature", "invalid_type"),
        (("temperature",), True, "temperature", "invalid_type"),
        (("n",), 129, "n", "invalid_type"),
        (("n",), 1.5, "n", "invalid_type"),
        (("max_tokens",), 5, "max_tokens", None),
        (("top_logprobs",), 5, "top_logprobs", None),
        (("stop",), ["a", "b", "c", "d", "e"], "stop", "invalid_type"),
        (("stream",), True, "stream", "unsupported_value"),
        (("model",), DELETE, "model", "missing_required_parameter"),
        (("messages",), [], "messages", "missing_required_parameter"),
        (("messages", 0), "hello", "messages[0]", "invalid_type"),
        (("messages", 0, "role"), "human", "messages[0].role", "invalid_value"),
        (OPENAI_CONTENT, [], "messages[0].content", "invalid_type"),
        ((*OPENAI_CONTENT, 0), {"type": "input_text", "text": "x"}, "messages[0].content[0]", "invalid_value"),
        (OPENAI_URL, "data:image/png;base64,@@@@", "messages[0].content[1].image_url.url", "invalid_base64_image"),
        (OPENAI_URL, f"data:image/png;base64,{NO_PICTURE}", "messages[0].content[1].image_url.url", "invalid_image_format"),
        (OPENAI_URL, f"data:image/png,{PNG}", "messages[0].content[1].image_url.url", "invalid_image_url"),
        ((*OPENAI_CONTENT, 1, "image_url"), "https://x/y.png", "messages[0].content[1].image_url", "invalid_type"),
    ],
)  # fmt: skip
def test_openai_names_the_field_of_a_bad_request(place: Any, new: Any, param: str, code: str | None) -> None:
    reply = fault("openai", changed(body("openai", "careful"), place, new), headers("openai"))
    error = reply.body["error"]
    assert (reply.status, error["type"], error["param"], error["code"]) == (400, "invalid_request_error", param, code)


ANTHROPIC_CONTENT = ("messages", 0, "content")
AT = "messages.0.content.0.image.source.base64"
SOURCE = (*ANTHROPIC_CONTENT, 0, "source")


@pytest.mark.parametrize(
    "place, new, message",
    [
        (("n",), 2, "n: Extra inputs are not permitted"),
        (("seed",), 2, "seed: Extra inputs are not permitted"),
        (("temperature",), 2, "temperature: 2 is outside 0 to 1"),
        (("max_tokens",), DELETE, "max_tokens: Field required"),
        (("max_tokens",), "9", "max_tokens: expected integer, got str"),
        (("system",), 5, "system: expected a string or text blocks"),
        (("messages", 0, "role"), "human", "messages.0.role: expected one of user, assistant, system"),
        ((*ANTHROPIC_CONTENT, 1, "text"), "", "messages.0.content.1: text content blocks must be non-empty"),
        ((*SOURCE, "data"), "@@@@", f"{AT}.data: invalid base64"),
        ((*SOURCE, "data"), JPEG, f"{AT}: the bytes are image/jpeg, but media_type says image/png"),
        ((*SOURCE, "data"), NO_PICTURE, f"{AT}: the bytes are no picture, but media_type says image/png"),
        ((*SOURCE, "media_type"), "image/bmp", f"{AT}.media_type: expected one of image/png, image/jpeg, image/gif, image/webp"),
    ],
)  # fmt: skip
def test_anthropic_says_where_a_request_is_bad(place: Any, new: Any, message: str) -> None:
    reply = fault("anthropic", changed(body("anthropic", "careful"), place, new), headers("anthropic"))
    error = {"type": "invalid_request_error", "message": message}
    assert (reply.status, reply.body) == (400, {"type": "error", "error": error, "request_id": "req_1"})


@pytest.mark.parametrize("name", ["temperature", "top_p", "top_k"])
def test_sampling_parameters_are_extra_inputs_in_the_new_wire_version_only(name: str) -> None:
    request = body("anthropic", "careful") | {name: 1}
    anthropic.read(request, {"anthropic-version": "2023-06-01"}, "")
    reply = fault("anthropic", request, {"anthropic-version": "2026-10-21"})
    assert reply.body["error"]["message"] == f"{name}: Extra inputs are not permitted"


@pytest.mark.parametrize(
    "told, message",
    [
        ({}, "anthropic-version: header is required"),
        ({"anthropic-version": "1"}, "anthropic-version: '1' is not a valid version"),
    ],
)
def test_anthropic_needs_a_version_that_it_knows(told: dict[str, str], message: str) -> None:
    assert fault("anthropic", body("anthropic", "careful"), told).body["error"]["message"] == message


GEMINI_PARTS = ("contents", 0, "parts")


@pytest.mark.parametrize(
    "place, new, message",
    [
        (("model",), "m", 'Unknown name "model": Cannot find field.'),
        (("generationConfig", "n"), 2, 'Unknown name "n" at "generation_config": Cannot find field.'),
        (("generationConfig", "candidateCount"), 9, "candidateCount"),
        (("generationConfig", "temperature"), "0", "generation_config.temperature"),
        (("generationConfig", "thinkingConfig"), {"x": 1}, 'Unknown name "x" at "generation_config.thinking_config"'),
        (("contents",), [], "contents is not specified"),
        (("contents", 0, "role"), "assistant", "valid role"),
        ((*GEMINI_PARTS,), [], "parts must not be empty"),
        ((*GEMINI_PARTS, 1), {"txt": "a"}, "required oneof field"),
        ((*GEMINI_PARTS, 0, "inlineData", "data"), "@@@@", "Base64 decoding failed"),
        ((*GEMINI_PARTS, 0, "inlineData", "data"), NO_PICTURE, "Unable to process input image."),
        (("safetySettings",), [{"category": "HARM_CATEGORY_OTHER", "threshold": "OFF"}], "element predicate failed"),
        (("safetySettings",), [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "NO"}], "threshold"),
    ],
)
def test_gemini_calls_a_bad_request_an_invalid_argument(place: Any, new: Any, message: str) -> None:
    reply = fault("gemini", changed(body("gemini", "careful"), place, new), headers("gemini"))
    error = reply.body["error"]
    assert (reply.status, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT")
    assert message in error["message"]


def test_gemini_takes_both_spellings_and_the_url_safe_alphabet() -> None:
    url_safe = PNG.replace("+", "-").replace("/", "_").rstrip("=")
    assert url_safe != PNG
    request = {
        "system_instruction": {"role": "user", "parts": [{"text": "S"}]},
        "contents": [{"parts": [{"inline_data": {"mime_type": "image/png", "data": url_safe}}, {"text": "Q"}]}],
        "generation_config": {"max_output_tokens": 7, "candidate_count": 2, "thinking_config": {"include_thoughts": True}},
    }  # fmt: skip
    asked = gemini.read(request, {}, "m")
    assert (asked.texts, asked.pictures, asked.cap, asked.n) == (("S", "Q"), 1, 7, 2)
    assert asked.shows_thoughts


@pytest.mark.parametrize("dialect", ["openai", "gemini"])
def test_bodies_are_told_apart_without_the_number_of_answers(dialect: str) -> None:
    bare = MODULES[dialect].without_n
    one, three = body(dialect, "m", n=1), body(dialect, "m", n=3)
    assert one != three
    assert bare(one) == bare(three)
    assert bare(one) != bare(body(dialect, "m", n=1, cap=501))


@pytest.mark.parametrize(
    "seconds, told", [(0.006, "6ms"), (0.0401, "41ms"), (1.0, "1s"), (59.5, "59.5s"), (90.0, "1m30s"), (360.0, "6m0s")]
)
def test_openai_tells_resets_as_durations(seconds: float, told: str) -> None:
    assert openai._go_duration(seconds) == told


@pytest.mark.parametrize("key, told", [("wrong", "wrong"), ("sk-123456789abcd", "sk-1********abcd")])
def test_openai_echoes_the_ends_of_a_wrong_key(key: str, told: str) -> None:
    assert openai._masked(key) == told


@pytest.mark.parametrize("problem", list(Problem))
@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_problem_has_words_in_every_dialect(dialect: str, problem: Problem) -> None:
    from siuo_async.simulator.wire import Fault

    reply = MODULES[dialect].error(Fault(problem, "told", "param"), "req_1")
    assert reply.status >= 400 or dialect == "gemini"
    assert json.dumps(reply.body)


CAPTURES = (
    [("openai", name) for name in ("openai_async_chat_n3", "openai_chat_logprobs_n3", "openai_chat_max_tokens_n3")]
    + [("openai", name) for name in ("openai_chat_org_project_headers", "openai_chat_reasoning_url_image")]
    + [("anthropic", name) for name in ("anthropic_v1_messages_temp0", "anthropic_v2_async_messages")]
    + [("anthropic", name) for name in ("anthropic_v2_messages_base64", "anthropic_v2_messages_url_thinking")]
    + [("gemini", f"gemini_generate_content_{name}") for name in ("base64_n3", "flat_contents", "full_config")]
    + [("gemini", f"gemini_generate_content_{name}") for name in ("thinking_budget", "v1beta")]
    + [("gemini", "gemini_async_generate_content")]
)


@pytest.mark.parametrize("dialect, name", CAPTURES)
def test_what_official_clients_send_is_understood(shared: Path, dialect: str, name: str) -> None:
    captured = json.loads((shared / "captures" / f"{name}.json").read_text())

    def with_pictures(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: with_pictures(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [with_pictures(inner) for inner in value]
        if isinstance(value, str) and "<BASE64" in value:
            return value[: value.index("<BASE64")] + PNG
        return value

    asked = MODULES[dialect].read(with_pictures(captured["body"]), captured["headers"], "m")
    assert asked.last_user


def test_the_old_trick_with_temperature_fails_in_the_new_wire_version(shared: Path) -> None:
    captured = json.loads((shared / "captures" / "anthropic_v2_messages_temp_extra_body.json").read_text())
    reply = fault("anthropic", captured["body"], captured["headers"])
    assert reply.body["error"]["message"] == "temperature: Extra inputs are not permitted"
