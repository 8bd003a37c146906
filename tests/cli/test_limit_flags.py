"""Limits as they are given on the command line and in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from siuo_async.cli.settings import merged, per_provider
from siuo_async.errors import ConfigError

FLAGS = ("--rpm", "--tpm", "--concurrency")


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize(
    "values, limits",
    [
        ([], None),
        (["60"], 60.0),
        (["6e5"], 6e5),
        (["openai=60"], {"openai": 60.0}),
        (["openai=60", "lab=0.5"], {"openai": 60.0, "lab": 0.5}),
        (["openai=60", "openai=70"], {"openai": 70.0}),
    ],
)
def test_a_limit_is_for_all_providers_or_for_those_named(flag: str, values: list[str], limits: dict[str, float] | float | None) -> None:
    assert per_provider(values, flag) == limits


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "openai=", "openai", "openai=many", ""])
def test_what_is_no_number_above_zero_is_told_with_the_flag(flag: str, value: str) -> None:
    with pytest.raises(ConfigError, match="no number above zero") as caught:
        per_provider([value], flag)
    assert str(caught.value).startswith(f"{flag} '{value}'")


@pytest.mark.parametrize("flag", FLAGS)
def test_a_limit_for_all_and_for_one_is_told_to_be_either(flag: str) -> None:
    with pytest.raises(ConfigError, match=f"^{flag} is given both"):
        per_provider(["60", "openai=70"], flag)


@pytest.mark.parametrize("name", ["rpm", "tpm", "concurrency"])
def test_a_limit_of_the_command_line_goes_before_the_files(name: str, tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(f"benchmark: demo\n{name}: {{sim: 7}}\n", encoding="utf-8")
    no_flags = {"models": [], "params": {}, "retry_failed": False, name: None}
    assert getattr(merged(file, no_flags)[0], name) == {"sim": 7}
    assert getattr(merged(file, no_flags | {name: 9})[0], name) == 9
