"""Settings and the command line are two forms of one thing."""

from __future__ import annotations

from siuo_async.simulator.settings import Settings, from_arguments


def test_settings_survive_the_command_line() -> None:
    settings = Settings(port=1, seed=2, latency_s=0.3, latency_sigma=0.0, rpm=4, window_s=5.5, concurrency=6, keys=("a", "-b"))
    assert from_arguments(settings.arguments()) == (settings, False)


def test_the_default_is_the_empty_command_line() -> None:
    assert from_arguments([]) == (Settings(), False)
    assert from_arguments(["--with-parent"]) == (Settings(), True)
