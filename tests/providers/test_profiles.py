"""What is known of models, and the cap that follows from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from siuo_async.errors import ConfigError
from siuo_async.providers.dialects.base import Profile
from siuo_async.providers.profiles import cap_to_send, profile_for, thinking_fragment
from siuo_async.values import Parameters

NONE_EFFORT = {"reasoning_effort": "none"}
DISABLED = {"thinking": {"type": "disabled"}}
BUDGET_0 = {"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}}

FAMILIES: list[tuple[str, str, str, str, dict[str, Any], int]] = [
    ("openai", "gpt-4o-2024-11-20", "accepted", "none", {}, 128),
    ("openai", "GPT-4o-mini", "accepted", "none", {}, 128),
    ("openai", "gpt-4.1-nano", "accepted", "none", {}, 128),
    ("openai", "o3-2025-04-16", "fixed", "always", {}, 8),
    ("openai", "o4-mini", "fixed", "always", {}, 8),
    ("openai", "gpt-5", "fixed", "always", {}, 8),
    ("openai", "gpt-5-mini-2025-08-07", "fixed", "always", {}, 8),
    ("openai", "gpt-5-chat-latest", "accepted", "unknown", {}, 8),
    ("openai", "gpt-5.1", "accepted", "switchable", NONE_EFFORT, 8),
    ("openai", "gpt-5.4-nano-2026-03-17", "accepted", "switchable", NONE_EFFORT, 8),
    ("openai", "gpt-5.4-pro", "fixed", "always", {}, 1),
    ("openai", "gpt-5.5", "accepted", "switchable", NONE_EFFORT, 8),
    ("openai", "gpt-5.6-terra", "accepted", "switchable", NONE_EFFORT, 8),
    ("openai", "gpt-6-astra", "fixed", "always", {}, 1),
    ("openai", "gpt-6-sol", "accepted", "switchable", NONE_EFFORT, 1),
    ("openai", "gpt-6.1-sol", "fixed", "always", {}, 1),
    ("openai", "gpt-6.1-terra", "accepted", "switchable", NONE_EFFORT, 1),
    ("openai", "Qwen/Qwen3-VL-8B-Instruct", "accepted", "unknown", {}, 1),
    ("openai", "openai-careful", "accepted", "unknown", {}, 1),
    ("anthropic", "claude-sonnet-4-20250514", "accepted", "switchable", DISABLED, 1),
    ("anthropic", "claude-opus-4-6-20260205", "accepted", "switchable", DISABLED, 1),
    ("anthropic", "claude-haiku-4-5", "accepted", "switchable", DISABLED, 1),
    ("anthropic", "claude-opus-4-7", "fixed", "switchable", DISABLED, 1),
    ("anthropic", "claude-opus-5", "fixed", "switchable", DISABLED, 1),
    ("anthropic", "claude-haiku-5-5", "fixed", "switchable", DISABLED, 1),
    ("anthropic", "claude-opus-5-5", "fixed", "always", {}, 1),
    ("anthropic", "claude-sonnet-5-5", "fixed", "always", {}, 1),
    ("anthropic", "claude-fable-5-1", "fixed", "always", {}, 1),
    ("anthropic", "claude-of-next-year", "fixed", "always", {}, 1),
    ("anthropic", "some-compatible-model", "accepted", "unknown", {}, 1),
    ("gemini", "gemini-2.0-flash", "accepted", "none", {}, 8),
    ("gemini", "gemini-2.5-flash-lite", "accepted", "switchable", BUDGET_0, 8),
    ("gemini", "gemini-2.5-pro", "accepted", "always", {}, 8),
    ("gemini", "gemini-3-flash-preview", "accepted", "always", {}, 1),
    ("gemini", "gemini-3.5-flash", "accepted", "always", {}, 1),
    ("gemini", "gemini-3.5-flash-lite", "ignored", "always", {}, 1),
    ("gemini", "gemini-3.8-flash", "ignored", "always", {}, 1),
    ("gemini", "gemini-careful", "accepted", "unknown", {}, 1),
]


@pytest.mark.parametrize("dialect, model, sampling, thinking, off, max_n", FAMILIES)
def test_a_family_has_its_profile(dialect: str, model: str, sampling: str, thinking: str, off: dict[str, Any], max_n: int) -> None:
    profile = profile_for(dialect, model)
    assert (profile.sampling, profile.thinking, profile.thinking_off, profile.max_n) == (sampling, thinking, off, max_n)


@pytest.mark.parametrize("model", ["o3", "gpt-5", "gpt-5.1", "gpt-5.5", "gpt-5-chat-latest", "gpt-6-sol", "gpt-6-astra"])
def test_newer_openai_models_take_the_new_cap_field(model: str) -> None:
    assert profile_for("openai", model).cap_field == "max_completion_tokens"


@pytest.mark.parametrize(
    "dialect, model, structured",
    [
        ("openai", "gpt-4-turbo-2024-04-09", False),
        ("openai", "gpt-4o-2024-05-13", False),
        ("openai", "gpt-4o-2024-08-06", True),
        ("openai", "gpt-4o", True),
        ("openai", "o3", True),
        ("openai", "Qwen/Qwen3-VL-8B-Instruct", True),
        ("anthropic", "claude-3-5-sonnet-20241022", False),
        ("anthropic", "claude-sonnet-4-20250514", False),
        ("anthropic", "claude-opus-4-0", False),
        ("anthropic", "claude-opus-4-1-20250805", True),
        ("anthropic", "claude-sonnet-4-5", True),
        ("anthropic", "claude-opus-5-5", True),
        ("gemini", "gemini-2.5-pro", True),
    ],
)
def test_models_older_than_structured_answers_are_known(dialect: str, model: str, structured: bool) -> None:
    assert profile_for(dialect, model).structured is structured


@pytest.mark.parametrize(
    "model, penalties",
    [
        *((name, True) for name in ("gemini-2.0-flash", "gemini-careful")),
        *((f"gemini-{name}", False) for name in ("2.5-flash", "2.5-pro", "3.5-flash", "3.8-flash", "flash-latest")),
    ],
)
def test_gemini_takes_penalties_up_to_2_0_only(model: str, penalties: bool) -> None:
    assert profile_for("gemini", model).penalties is penalties


def test_an_exception_among_older_models_keeps_the_rest_of_its_family() -> None:
    for dialect, old, family in (("openai", "gpt-4o-2024-05-13", "gpt-4o"), ("anthropic", "claude-opus-4-0", "claude-opus-4-6")):
        assert replace(profile_for(dialect, old), structured=True) == profile_for(dialect, family)


def test_the_price_list_and_the_profiles_agree(shared: Path) -> None:
    models = orjson.loads((shared / "facts" / "model_prices_caps.json").read_bytes())["models"]
    dialects = {"openai": "openai", "anthropic": "anthropic", "gemini": "gemini"}
    for name, entry in models.items():
        if entry["provider"] not in dialects or entry["mode"] != "chat":
            continue
        profile, flags = profile_for(dialects[entry["provider"]], name.removeprefix("gemini/")), entry["flags"]
        if flags.get("supports_sampling_params") is False:
            assert profile.sampling != "accepted", name
        if flags.get("thinking_always_on"):
            assert profile.thinking == "always", name
        if flags.get("supports_response_schema"):
            assert profile.structured, name
        if (none := flags.get("supports_none_reasoning_effort")) is not None and "chat" not in name:
            assert (profile.thinking == "switchable") is none, name
            assert (profile.sampling == "accepted") is none, name


@pytest.mark.parametrize("dialect", ["openai", "anthropic", "gemini", "another"])
def test_an_unknown_name_has_the_defaults(dialect: str) -> None:
    assert profile_for(dialect, "nobody-knows-it") == Profile()


def test_overrides_stand_over_the_table() -> None:
    profile = profile_for("openai", "gpt-5", {"max_n": 2, "thinking": "none"})
    assert (profile.max_n, profile.thinking, profile.sampling) == (2, "none", "fixed")


@pytest.mark.parametrize(
    "overrides, said",
    [
        ({"samplin": "fixed"}, "did you mean `sampling`"),
        ({"zzz": 1}, "known fields"),
        ({"sampling": "sometimes"}, "accepted, fixed or ignored"),
        ({"max_n": 0}, "a whole number from 1"),
        ({"max_n": True}, "a whole number from 1"),
        ({"seed": "yes"}, "true or false"),
        ({"structured": "accepted"}, "true or false"),
        ({"penalties": 1}, "true or false"),
        ({"cap_field": "maxTokens"}, "max_completion_tokens"),
        ({"thinking_off": "none"}, "a table"),
        ({"sampling": ["fixed"]}, "accepted, fixed or ignored"),
    ],
)
def test_a_wrong_override_is_an_error_that_says_what_is_right(overrides: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        profile_for("openai", "m", overrides)


SWITCH = Profile(thinking="switchable", thinking_off={"thinking": {"type": "disabled"}})
GEMINI_SWITCH = Profile(thinking="switchable", thinking_off=BUDGET_0)
CAPS: list[tuple[dict[str, Any], Profile, int | None]] = [
    ({}, Profile(), None),
    ({"thinking_tokens": 100}, Profile(thinking="always"), None),
    ({"max_tokens": 500}, Profile(thinking="none"), 500),
    ({"max_tokens": 500, "thinking_tokens": 100}, Profile(thinking="none"), 500),
    ({"max_tokens": 500}, Profile(thinking="always"), 8692),
    ({"max_tokens": 500, "thinking_tokens": 0}, Profile(thinking="always"), 500),
    ({"max_tokens": 500, "thinking_tokens": 100}, Profile(thinking="always"), 600),
    ({"max_tokens": 500}, Profile(thinking="unknown"), 500),
    ({"max_tokens": 500, "thinking_tokens": 100}, Profile(thinking="unknown"), 600),
    ({"max_tokens": 500}, SWITCH, 500),
    ({"max_tokens": 500, "thinking_tokens": 100}, SWITCH, 500),
    ({"max_tokens": 500, "extra": {"thinking": {"type": "adaptive"}}}, SWITCH, 8692),
    ({"max_tokens": 500, "thinking_tokens": 100, "extra": {"thinking": {}}}, SWITCH, 600),
    ({"max_tokens": 500, "extra": {"top_k": 1}}, SWITCH, 500),
    ({"max_tokens": 500, "extra": {"generationConfig": {"topK": 1}}}, GEMINI_SWITCH, 500),
    ({"max_tokens": 500, "extra": {"generationConfig": {"thinkingConfig": {}}}}, GEMINI_SWITCH, 8692),
    ({"max_tokens": 500, "cap_scale": 4}, Profile(thinking="none"), 2000),
    ({"max_tokens": 500, "cap_scale": 4}, Profile(thinking="always"), 34_768),
]


@pytest.mark.parametrize("parameters, profile, cap", CAPS)
def test_the_cap_sent_is_the_visible_cap_and_the_room_for_thinking(
    parameters: dict[str, Any], profile: Profile, cap: int | None
) -> None:
    assert cap_to_send(Parameters(**parameters), profile) == cap


def test_a_dialect_that_requires_a_cap_names_its_default() -> None:
    assert cap_to_send(Parameters(), Profile(thinking="always"), default=4096) == 4096 + 8192


def test_room_is_made_where_the_endpoint_refused_to_switch_thinking_off() -> None:
    ruled_out = frozenset({"thinking_tokens"})
    assert cap_to_send(Parameters(max_tokens=500), SWITCH, ruled_out=ruled_out) == 8692
    assert thinking_fragment(Parameters(), SWITCH, ruled_out) == {}
