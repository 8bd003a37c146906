"""Settings and the command line are two forms of one thing."""

from __future__ import annotations

import re
from typing import Any

import pytest

from siuo_async.simulator.limits import Limiter
from siuo_async.simulator.settings import Settings, from_arguments, one_of, schedule
from siuo_async.simulator.wire import Hints


def test_settings_survive_the_command_line() -> None:
    settings = Settings(
        port=1,
        seed=2,
        latency_s=0.3,
        latency_sigma=0.0,
        rpm=4,
        window_s=5.5,
        concurrency=6,
        keys=("a", "-b"),
        limiter=Limiter.BUCKET,
        tpm=7,
        rpd=8,
        burst=9,
        phase_s=-1.5,
        limits_at=((0.1, 1e-05), (40.0, 0.3)),
        other_rpm=10,
        hints=Hints.RETRY_AFTER,
        knee=11,
    )
    assert from_arguments(settings.arguments()) == (settings, False)


def test_every_field_has_a_flag() -> None:
    named = {word.partition("=")[0] for word in Settings(keys=("k",)).arguments()}
    fields = {"key" if name == "keys" else name for name in Settings.__dataclass_fields__}
    assert named == {"--" + name.replace("_", "-") for name in fields}


def test_the_default_is_the_empty_command_line() -> None:
    assert from_arguments([]) == (Settings(), False)
    assert from_arguments(["--with-parent"]) == (Settings(), True)


def test_a_change_of_the_limits_is_read_from_a_list() -> None:
    assert schedule("40=0.3, 80=1") == ((40.0, 0.3), (80.0, 1.0))
    assert schedule("") == ()


@pytest.mark.parametrize("text", ["40", "40=", "=1", "40=0", "40=-1", "-1=1", "80=1,40=2", "40=1=2", "a=b", "40=nan", "inf=1"])
def test_a_list_that_cannot_be_meant_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=f"--limits-at is `{text}`; it must look like 40=0.3,80=1"):
        schedule(text)


@pytest.mark.parametrize(
    "wrong, sentence",
    [
        ({"rpm": -1}, "--rpm is -1; it must be a number from 0 on"),
        ({"tpm": -1}, "--tpm is -1; it must be a number from 0 on"),
        ({"latency_s": float("nan")}, "--latency-s is nan; it must be a number from 0 on"),
        ({"window_s": 0.0}, "--window-s is 0; it must be a number of seconds above 0"),
        ({"burst": 3}, "--burst is what a bucket holds, but --limiter is sliding; make it bucket, or leave --burst out"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_told(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        Settings(**wrong)


def test_an_unknown_word_is_told_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"^--limiter is `leaky`; it must be one of fixed, sliding, bucket$"):
        one_of(Limiter, "leaky", "--limiter")


def test_the_process_ends_with_the_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        from_arguments(["--hints=some"])
    assert "--hints is `some`; it must be one of full, retry-after, body, none" in capsys.readouterr().err
