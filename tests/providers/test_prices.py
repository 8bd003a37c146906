"""Prices that nobody gave: found by the host that is asked, and by the whole name."""

from __future__ import annotations

import sys
import tomllib
from datetime import UTC, datetime
from importlib.resources import files

import pytest

from siuo_async.config import Price
from siuo_async.providers.prices import looked_up

DAY = datetime(2026, 11, 21, 12, tzinfo=UTC)
OPENAI, ANTHROPIC = "https://api.openai.com/v1", "https://api.anthropic.com"
GEMINI, DASHSCOPE = "https://generativelanguage.googleapis.com/v1beta", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"


def found(base_url: str, model: str, at: datetime = DAY) -> Price:
    price = looked_up(base_url, model, at)
    assert price is not None
    return price


@pytest.mark.parametrize(
    "base_url, model, usd",
    [
        (OPENAI, "gpt-4o", (2.5, 10.0, 1.25)),
        (OPENAI, "gpt-4o-2024-08-06", (2.5, 10.0, 1.25)),
        (OPENAI, "GPT-4o", (2.5, 10.0, 1.25)),
        (ANTHROPIC, "claude-opus-4-5-20251101", (5.0, 25.0, 0.5)),
        (GEMINI, "models/gemini-2.5-pro", (1.25, 10.0, 0.125)),
        (DASHSCOPE, "qwen3-vl-plus", (0.2, 1.6, None)),
        (OPENAI, "gpt-daybreak-red-latest", (12.5, 75.0, 1.25)),
    ],
)
def test_a_model_at_its_providers_own_host_has_a_price(base_url: str, model: str, usd: tuple[float, ...]) -> None:
    price = found(base_url, model)
    assert (price.input, price.output, price.cached) == usd
    assert price.source
    assert price.date


@pytest.mark.parametrize(
    "base_url, model",
    [
        ("http://127.0.0.1:8000/v1", "gpt-4o"),
        ("https://api.openai.com.example/v1", "gpt-4o"),
        ("https://lab.example/v1", "claude-opus-4-5"),
        (OPENAI, "claude-opus-4-5"),
        (OPENAI, "ft:gpt-4o:me"),
        (OPENAI, "gpt-4o-but-better"),
        (GEMINI, "gemini-2.5-pro-but-better"),
        (OPENAI, ""),
    ],
)
def test_a_server_or_a_model_that_nobody_knows_has_none(base_url: str, model: str) -> None:
    assert looked_up(base_url, model, DAY) is None


def test_the_price_of_the_day_is_taken_where_one_is_to_rise() -> None:
    now, later = found(GEMINI, "gemini-3.8-flash"), found(GEMINI, "gemini-3.8-flash", datetime(2027, 2, 1, tzinfo=UTC))
    assert (now.input, later.input) == (0.75, 1.5)
    assert (now.date, later.date) == ("2026-11-21", "2027-02-01")


def test_where_the_hour_decides_the_dearer_price_counts_at_any_hour() -> None:
    prices = {found("https://api.deepseek.com", "deepseek-chat", DAY.replace(hour=hour)).output for hour in (1, 12, 20)}
    assert prices == {1.1}


def test_long_inputs_have_a_price_of_their_own() -> None:
    price = found(GEMINI, "gemini-2.5-pro")
    assert (price.at(200_000).input, price.at(200_001).input, price.at(200_001).output) == (1.25, 2.5, 15.0)


def test_all_of_the_table_can_be_read_and_found() -> None:
    parsed = tomllib.loads(files("siuo_async.providers").joinpath("prices.toml").read_text(encoding="utf-8"))
    date = parsed.pop("date")
    count = 0
    for provider in parsed.values():
        host = provider["hosts"][0].replace("*", "")
        for name, told in provider["models"].items():
            count += 1
            assert Price(**told).output > 0
            assert looked_up(f"https://{host}/v1", name, DAY) is not None, name
    assert date == "2026-11-20"
    assert count > 200


def test_nothing_of_the_package_is_loaded_for_a_server_of_ones_own() -> None:
    loaded = {name for name in sys.modules if name.startswith("genai_prices")}
    assert looked_up("http://127.0.0.1:8000/v1", "m", DAY) is None
    assert {name for name in sys.modules if name.startswith("genai_prices")} == loaded
