"""Providers as data: addresses, keys, and under which name answers count."""

from __future__ import annotations

from dataclasses import replace

import pytest

from siuo_async.errors import ConfigError
from siuo_async.providers.presets import (
    DIALECTS,
    Preset,
    base_url_of,
    dialect_of,
    for_model,
    identity,
    load_presets,
)

PRESETS = load_presets()
OPENAI, ANTHROPIC, GEMINI, SIM = (PRESETS[name] for name in ("openai", "anthropic", "gemini", "sim"))


def test_every_preset_is_complete() -> None:
    assert sorted(PRESETS) == ["anthropic", "gemini", "openai", "sim"]
    for name, preset in PRESETS.items():
        assert preset.name == name
        assert preset.hosts
        assert preset.routes or dialect_of(preset).name == preset.dialect


def test_the_dialects_have_names() -> None:
    assert sorted(DIALECTS) == ["anthropic", "gemini", "openai"]
    assert all(make((), ()).name == name for name, make in DIALECTS.items())


@pytest.mark.parametrize(
    "preset, environ, configured, url",
    [
        (OPENAI, {}, None, "https://api.openai.com/v1"),
        (OPENAI, {"OPENAI_BASE_URL": "http://proxy:8000/v1/"}, None, "http://proxy:8000/v1"),
        (OPENAI, {"OPENAI_BASE_URL": "http://proxy/v1"}, "http://mine/api", "http://mine/api"),
        (OPENAI, {"OPENAI_BASE_URL": "  "}, None, "https://api.openai.com/v1"),
        (ANTHROPIC, {}, None, "https://api.anthropic.com"),
        (ANTHROPIC, {"ANTHROPIC_BASE_URL": "https://gw.example/anthropic"}, None, "https://gw.example/anthropic"),
        (GEMINI, {}, None, "https://generativelanguage.googleapis.com/v1beta"),
        (GEMINI, {"GOOGLE_GEMINI_BASE_URL": "http://proxy"}, None, "http://proxy/v1beta"),
        (GEMINI, {"GOOGLE_GEMINI_BASE_URL": "http://proxy/v1"}, None, "http://proxy/v1"),
        (GEMINI, {}, "http://proxy/google/v1alpha/", "http://proxy/google/v1alpha"),
        (for_model(SIM, "openai-careful"), {"SIUO_SIM_URL": "http://127.0.0.1:5"}, None, "http://127.0.0.1:5/v1"),
        (for_model(SIM, "anthropic-careful"), {"SIUO_SIM_URL": "http://127.0.0.1:5"}, None, "http://127.0.0.1:5"),
        (for_model(SIM, "gemini-careful"), {"SIUO_SIM_URL": "http://127.0.0.1:5"}, None, "http://127.0.0.1:5/v1beta"),
    ],
)
def test_the_base_url_is_configured_or_from_the_environment_or_the_presets_own(
    preset: Preset, environ: dict[str, str], configured: str | None, url: str
) -> None:
    assert base_url_of(preset, environ, configured) == url


def test_a_preset_without_an_address_names_the_variable() -> None:
    with pytest.raises(ConfigError, match="SIUO_SIM_URL"):
        base_url_of(for_model(SIM, "openai-x"), {})


_SMUGGLED = ("http://x/v1 HTTP/1.1", "http://x/v1\r\nX-Other: 1", "http://x/\tv1", "http://x/v1\x00")


@pytest.mark.parametrize("url", ["api.openai.com", "ftp://x", "https://", "http://x:99999", "http://[::1", "http://x/?k=v", *_SMUGGLED])
def test_what_is_no_base_url_is_an_error(url: str) -> None:
    with pytest.raises(ConfigError, match="is no base URL"):
        base_url_of(OPENAI, {}, url)


@pytest.mark.parametrize(
    "preset, url, name",
    [
        (OPENAI, "https://api.openai.com/v1", "openai"),
        (OPENAI, "https://API.OpenAI.com:443/v1", "openai"),
        (OPENAI, "https://eu.api.openai.com/v1", "openai"),
        (OPENAI, "https://api.openai.com.evil.example/v1", "openai@api.openai.com.evil.example:443"),
        (OPENAI, "https://api.openai.com@evil.example/v1", "openai@evil.example:443"),
        (OPENAI, "https://notapi.openai.com/v1", "openai@notapi.openai.com:443"),
        (OPENAI, "http://localhost:8000/v1", "openai@localhost:8000"),
        (OPENAI, "http://localhost/v1", "openai@localhost:80"),
        (OPENAI, "http://[::1]:8000/v1", "openai@[::1]:8000"),
        (ANTHROPIC, "http://127.0.0.1:1", "anthropic@127.0.0.1:1"),
        (SIM, "http://127.0.0.1:5", "sim"),
        (SIM, "http://127.0.0.1:6", "sim"),
        (replace(OPENAI, name="lab", hosts=()), "https://vllm.example:8443/v1", "lab@vllm.example:8443"),
    ],
)
def test_an_answer_counts_as_the_providers_only_from_its_own_host(preset: Preset, url: str, name: str) -> None:
    assert identity(preset, url) == name


@pytest.mark.parametrize("prefix, max_n", [("openai", 8), ("anthropic", None), ("gemini", 8)])
def test_a_simulated_model_speaks_the_dialect_that_its_name_begins_with(prefix: str, max_n: int | None) -> None:
    preset = for_model(SIM, f"{prefix}-careful")
    assert (preset.name, preset.dialect, preset.profile.get("max_n")) == ("sim", prefix, max_n)
    assert preset.block_phrases == PRESETS[prefix].block_phrases


def test_a_simulated_model_of_no_dialect_is_an_error_that_lists_the_prefixes() -> None:
    with pytest.raises(ConfigError, match="`openai-`, `anthropic-`, `gemini-`"):
        for_model(SIM, "careful")


def test_any_other_preset_is_the_same_for_every_model() -> None:
    assert for_model(OPENAI, "gpt-4o") is OPENAI


def test_an_unknown_dialect_is_an_error_that_lists_the_known() -> None:
    with pytest.raises(ConfigError, match="anthropic, gemini, openai"):
        dialect_of(replace(OPENAI, dialect="smoke"))
