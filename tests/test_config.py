"""The configuration: every error names its field and the fix."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from siuo_async.config import ModelConfig, RunConfig, load_file, make, parse_model
from siuo_async.errors import ConfigError
from siuo_async.values import Parameters


def config(**settings: Any) -> RunConfig:
    return make({"benchmark": "siuo-gen"} | settings)


def message(**settings: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        config(**settings)
    return str(caught.value)


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"limit": 0}, "'limit'", "greater than or equal to 1"),
    ({"limit": "ten"}, "'limit'", "'ten'"),
    ({"answers": 0}, "'answers'", "greater than or equal to 1"),
    ({"answers": 65}, "'answers'", "less than or equal to 64"),
    ({"protocol": "relased"}, "'protocol'", "'corrected' or 'released'"),
    ({"prompts": "mine"}, "'prompts'", "'own' or 'released'"),
    ({"max_tokens": 0}, "'max_tokens'", "greater than or equal to 1"),
    ({"thinking_tokens": -1}, "'thinking_tokens'", "-1"),
    ({"temperature": -0.1}, "'temperature'", "-0.1"),
    ({"temperature": float("inf")}, "'temperature'", "finite"),
    ({"temperature": float("nan")}, "'temperature'", ""),
    ({"top_p": 0}, "'top_p'", "greater than 0"),
    ({"top_p": 1.1}, "'top_p'", "less than or equal to 1"),
    ({"combinations": "riss"}, "'combinations.0' (--combination)", "'RIRT', 'SIRT', 'RIST' or 'SIST'"),
    ({"usages": ["refusal"]}, "'usages.0' (--usage)", "'vulnerability' or 'overrefusal'"),
    ({"safety_filters": "on"}, "'safety_filters'", "'as-shipped' or 'off'"),
    ({"missing_images": "ignore"}, "'missing_images'", "'error' or 'skip'"),
    ({"timeout": 0}, "'timeout'", "greater than 0"),
    ({"max_wait": -1}, "'max_wait'", "-1"),
    ({"grace": -1}, "'grace'", "-1"),
    ({"fsync": "never"}, "'fsync'", "'group', 'always' or 'off'"),
    ({"in_file_order": "perhaps"}, "'in_file_order'", "'perhaps'"),
    ({"name": "my run"}, "name: 'my run'", "letters, digits"),
    ({"name": "../up"}, "name: '../up'", "letters, digits"),
    ({"judge": "openai/gpt-4o", "no_judge": True}, "judge and no_judge", "leave one out"),
    ({"rpm": 0}, "rpm", "above zero"),
    ({"rpm": {"openai": -1}}, "rpm", "above zero"),
    ({"tpm": 0}, "tpm", "above zero"),
    ({"tpm": {"openai": 1e12}}, "tpm", "at most"),
    ({"tpm": "plenty"}, "tpm", "plenty"),
    ({"concurrency": 0}, "concurrency", "above zero"),
    ({"models": "gpt-4o"}, "'models.0'", "write PROVIDER/MODEL, as in openai/gpt-4o"),
    ({"models": ["openai/"]}, "'models.0'", "names no provider"),
    ({"models": ["a/b", "/gpt-4o"]}, "'models.1'", "names no provider"),
    ({"models": [{"label": "x"}]}, "'models.0.model'", "is missing; add it"),
    ({"models": [{"model": "a/b", "temperature": -1}]}, "'models.0.temperature'", "-1"),
    ({"judge": "gpt-4o"}, "'judge'", "names no provider"),
    ({"prices": {"a/b": {"input": 1}}}, "'prices.a/b.output'", "is missing; add it"),
    ({"prices": {"a/b": {"input": -1, "output": 1}}}, "'prices.a/b.input'", "-1"),
    ({"providers": {"lab": {"dialect": "soap"}}}, "'providers.lab.dialect'", "'openai', 'anthropic' or 'gemini'"),
    ({"providers": {"lab": {"rpm": 0}}}, "'providers.lab.rpm'", "greater than 0"),
    ({"providers": {"lab": {"tpm": 0}}}, "'providers.lab.tpm'", "greater than 0"),
]


@pytest.mark.parametrize("settings, field, words", WRONG)
def test_an_error_names_the_field_and_what_is_wrong(settings: dict[str, Any], field: str, words: str) -> None:
    said = message(**settings)
    assert said.startswith("the command line: ")
    assert field in said
    assert words in said
    assert "\n" not in said


GUESSES: list[tuple[dict[str, Any], str]] = [
    ({"modles": []}, "unknown setting 'modles'; did you mean 'models'?"),
    ({"temprature": 1}, "unknown setting 'temprature'; did you mean 'temperature'?"),
    ({"models": [{"model": "a/b", "lable": "x"}]}, "unknown setting 'models.0.lable'; did you mean 'label'?"),
    ({"judge": {"model": "a/b", "max_token": 1}}, "unknown setting 'judge.max_token'; did you mean 'max_tokens'?"),
    ({"providers": {"lab": {"baseurl": "x"}}}, "unknown setting 'providers.lab.baseurl'; did you mean 'base_url'?"),
    ({"prices": {"a/b": {"input": 1, "output": 1, "cache": 1}}}, "unknown setting 'prices.a/b.cache'; did you mean 'cached'?"),
    ({"xyzzy": 1}, "unknown setting 'xyzzy'; known are: accept_served, answers, benchmark"),
]


@pytest.mark.parametrize("settings, words", GUESSES)
def test_an_unknown_key_is_an_error_with_a_guess(settings: dict[str, Any], words: str) -> None:
    assert words in message(**settings)


def test_a_key_in_the_file_is_refused() -> None:
    assert "unknown setting 'providers.lab.api_key'" in message(providers={"lab": {"api_key": "sk-1"}})


def test_the_source_of_an_error_and_the_number_of_others_are_told() -> None:
    with pytest.raises(ConfigError, match=r"run\.yaml: .*\(and 1 more\)"):
        make({"benchmark": "siuo-gen", "limit": 0, "answers": 0}, source="run.yaml")


BOMB = 'a0: &a0 ["x"]\n' + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
MERGED = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 30))
BOUNDED: list[tuple[bytes, str]] = [
    (BOMB.encode(), "unfolds to more than settings ever hold"),
    (MERGED.encode(), "unfolds to more than settings ever hold"),
    (b"benchmark: &a [*a]\n", "a value holds itself"),
    (b"benchmark: " + b"[" * 5_000, "nested too deeply"),
    (b"benchmark: " + b"[" * 500 + b"]" * 500, "nested too deeply"),
    (b"# a comment\n" * 200_000, "larger than settings ever are"),
    (b"benchmark: !!python/object/apply:os.system ['false']\n", "has a tag"),
    (b"benchmark: !mine x\n", "has a tag"),
    (b"benchmark: x\x07y\n", "control character"),
]


@pytest.mark.parametrize("content, words", BOUNDED, ids=[words for _, words in BOUNDED])
def test_a_file_that_is_more_than_settings_is_refused_at_once(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        load_file(path)


def test_settings_may_come_through_a_pipe() -> None:
    reading, writing = os.pipe()  # as in `-c <(...)`
    os.write(writing, b"benchmark: demo\n")
    os.close(writing)
    try:
        assert load_file(Path(f"/dev/fd/{reading}")) == {"benchmark": "demo"}
    finally:
        os.close(reading)


def test_names_that_are_no_texts_are_told() -> None:
    with pytest.raises(ConfigError, match="'params'"):
        make({"benchmark": "siuo-gen", "params": {date(2026, 1, 1): 1}})


def test_a_run_without_a_benchmark_is_told() -> None:
    with pytest.raises(ConfigError, match="'benchmark' is missing"):
        make({})


MODELS = [
    ("openai/gpt-4o", "openai", "gpt-4o", None),
    ("lab/vlm@step-8000", "lab", "vlm", "step-8000"),
    ("openrouter/qwen/qwen-vl", "openrouter", "qwen/qwen-vl", None),
    ("openrouter/qwen/qwen-vl@2025-01-01", "openrouter", "qwen/qwen-vl", "2025-01-01"),
    ("cloudflare/@cf/meta/llama-3", "cloudflare", "@cf/meta/llama-3", None),
    ("cloudflare/@cf/meta/llama-3@r1", "cloudflare", "@cf/meta/llama-3", "r1"),
    ("vertex/claude@20250101:free", "vertex", "claude", "20250101:free"),
]


@pytest.mark.parametrize("text, provider, name, revision", MODELS)
def test_the_first_slash_splits_and_an_at_behind_the_last_one_is_the_revision(
    text: str, provider: str, name: str, revision: str | None
) -> None:
    model = ModelConfig.model_validate(text)
    assert (model.provider, model.name, model.revision) == (provider, name, revision)
    assert ModelConfig.model_validate(parse_model(text)) == model


LABELS: list[tuple[list[Any], list[str]]] = [
    (["openai/gpt-4o"], ["gpt-4o"]),
    (["openai/gpt-4o", "lab/vlm"], ["gpt-4o", "vlm"]),
    (["openai/gpt-4o", "azure/gpt-4o"], ["openai/gpt-4o", "azure/gpt-4o"]),
    (["lab/vlm@a", "lab/vlm@b"], ["vlm revision=a", "vlm revision=b"]),
    (["lab/vlm", "lab/vlm@b"], ["vlm", "vlm revision=b"]),
    (
        [{"model": "a/m", "temperature": 0, "seed": 1}, {"model": "a/m", "temperature": 1, "seed": 1}],
        ["m temperature=0.0", "m temperature=1.0"],
    ),
    ([{"model": "a/m", "label": "first"}, "a/m"], ["first", "m"]),
    ([{"model": "a/m", "system": "x" * 40}, "a/m"], [f"m system={'x' * 23}…", "m"]),
    (["a/m@r", "a/m", "b/m"], ["a/m revision=r", "a/m", "b/m"]),
]


@pytest.mark.parametrize("models, labels", LABELS)
def test_a_label_is_the_name_with_the_settings_that_differ(models: list[Any], labels: list[str]) -> None:
    assert list(config(models=models).labels()) == labels


@pytest.mark.parametrize(
    "models",
    [["a/m", "a/m"], [{"model": "a/m", "label": "x"}, {"model": "a/n", "label": "x"}], [{"model": "a/m", "label": "n"}, "a/n"]],
)
def test_two_equal_labels_are_an_error(models: list[Any]) -> None:
    assert "give each a label of its own" in message(models=models)


def test_parts_of_usb_are_known_in_any_case_and_with_a_hyphen() -> None:
    found = config(combinations=["rist", "SIST"], usages="Over-refusal")
    assert (found.combinations, found.usages) == (("RIST", "SIST"), ("overrefusal",))


def test_one_model_or_one_path_need_no_list() -> None:
    found = config(models="openai/gpt-4o", categories="self-harm", reuse="results/x")
    assert [model.name for model in found.models] == ["gpt-4o"]
    assert found.categories == ("self-harm",)
    assert found.reuse == (Path("results/x"),)


def test_a_models_own_parameters_stand_over_the_runs() -> None:
    model = ModelConfig(model="a/m", temperature=1.0, params={"b": 2})
    found = model.parameters(Parameters(max_tokens=500, temperature=0.0, extra={"a": 1, "b": 1}))
    assert found == Parameters(max_tokens=500, temperature=1.0, extra={"a": 1, "b": 2})


def test_only_what_was_asked_for_is_in_the_base_parameters() -> None:
    assert config().base_parameters() == {}
    asked = config(temperature=0, max_tokens=9, system="S", params={"x": 1}, safety_filters="off").base_parameters()
    assert asked == {"max_tokens": 9, "temperature": 0.0, "safety_filters": "off", "system": "S", "params": {"x": 1}}


def test_a_configuration_comes_back_from_the_run_as_it_was() -> None:
    before = config(
        models=["a/m@r"], judge="b/j", rpm={"a": 5}, tpm=6e5, prices={"a/m": {"input": 1, "output": 2}}, reuse=["x"], params={"k": [1]}
    )
    assert make(before.model_dump(mode="json", exclude_defaults=True)) == before


FILES: list[tuple[bytes, str]] = [
    (b"benchmark: [", r"run\.yaml line 1, column \d+ is not YAML"),
    (b"a: 1\nb: : 2\n", r"run\.yaml line 2, column \d+ is not YAML"),
    (b"- a\n", "holds a list, not settings"),
    (b"", "is empty; write lines such as `benchmark: siuo-gen`"),
    (b"\xff\xfe\x00", "cannot be read"),
]


@pytest.mark.parametrize("content, words", FILES)
def test_a_file_that_is_no_configuration_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        load_file(path)


def test_a_missing_file_names_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="siuo init"):
        load_file(tmp_path / "none.yaml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_file(tmp_path)


def test_a_file_is_read_as_settings(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("benchmark: siuo-gen\nmodels: openai/gpt-4o\nlimit: 3\n", encoding="utf-8")
    assert make(load_file(path)).limit == 3


@pytest.mark.parametrize("params", [{"logit_bias": {50256: -100}}, {"x": float("inf")}, {"x": 2**70}, {"x": {"y": {1}}}])
@pytest.mark.parametrize("place", ["run", "model"])
def test_parameters_that_no_request_can_carry_are_an_error(params: dict[str, Any], place: str) -> None:
    said = message(params=params) if place == "run" else message(models=[{"model": "a/m", "params": params}])
    assert "params" in said
    assert "JSON" in said
