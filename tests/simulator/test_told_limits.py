"""What a simulator tells of its limits over a socket, in each dialect and for each amount of hints."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from siuo_async.simulator import Hints, Limiter
from tests.simulator.conftest import Start
from tests.simulator.speak import DIALECTS, Client, Got

LIMITS: dict[str, dict[str, Any]] = {
    "requests": {"rpm": 1},
    "tokens": {"tpm": 900},  # one request is charged 304 + 500, and uses less
    "day": {"rpd": 1},
    "concurrency": {"concurrency": 1, "latency_s": 0.3, "latency_sigma": 0.0},
}
WORDS = {
    ("openai", "requests"): "requests per min (RPM)",
    ("openai", "tokens"): "tokens per min (TPM)",
    ("openai", "day"): "requests per day (RPD)",
    ("openai", "concurrency"): "concurrent requests",
    ("anthropic", "requests"): "requests per minute",
    ("anthropic", "tokens"): "tokens per minute",
    ("anthropic", "day"): "requests per day",
    ("anthropic", "concurrency"): "Number of concurrent connections has exceeded your rate limit",
    ("gemini", "requests"): "GenerateRequestsPerMinutePerProjectPerModel",
    ("gemini", "tokens"): "GenerateContentInputTokensPerModelPerMinute",
    ("gemini", "day"): "GenerateRequestsPerDayPerProjectPerModel",
    ("gemini", "concurrency"): "concurrent",
}
TELLING = ("ratelimit", "retry")


async def both(client: Client, dialect: str) -> tuple[Got, Got]:
    """One that is let in and one that comes while it is being served."""
    got = await asyncio.gather(*(client.ask(dialect, "careful") for _ in range(2)))
    return tuple(sorted(got, key=lambda one: one.status))  # type: ignore[return-value]


def telling(got: Got) -> set[str]:
    return {name.lower() for name in got.headers if any(word in name.lower() for word in TELLING)}


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_rejection_names_its_limit_as_the_provider_does(simulator: Start, dialect: str, limit: str) -> None:
    async with simulator(latency_s=0.2, **{k: v for k, v in LIMITS[limit].items() if k != "latency_s"}) as client:
        first, refused = await both(client, dialect)
    assert (first.status, refused.status) == (200, 429)
    assert WORDS[dialect, limit] in refused.raw.decode()
    others = {word for (other, name), word in WORDS.items() if other == dialect and name != limit}
    assert not any(word in refused.raw.decode() for word in others)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_without_hints_there_is_nothing_but_the_status(simulator: Start, dialect: str) -> None:
    async with simulator(hints=Hints.NONE, rpm=1, tpm=10**6) as client:
        first, refused = await both(client, dialect)
    assert (refused.status, telling(first), telling(refused)) == (429, set(), set())
    assert refused.body["error"]["message"] == "Rate limit reached."
    assert "details" not in refused.body["error"]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_retry_after_alone_is_whole_seconds_on_the_rejection(simulator: Start, dialect: str) -> None:
    async with simulator(hints=Hints.RETRY_AFTER, rpm=60, window_s=1.5) as client:
        replies = [await client.ask(dialect, "careful") for _ in range(3)]
    assert [got.status for got in replies] == [200, 200, 429]
    assert [telling(got) for got in replies] == [set(), set(), {"retry-after"}]
    assert replies[2].headers["retry-after"] == "2"
    assert b"RetryInfo" not in replies[2].raw


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_request_without_a_slot_is_told_to_come_back_in_a_second(simulator: Start, dialect: str) -> None:
    async with simulator(hints=Hints.RETRY_AFTER, **LIMITS["concurrency"]) as client:
        _, refused = await both(client, dialect)
    assert refused.headers["retry-after"] == "1"


@pytest.mark.parametrize("dialect, told", [("openai", False), ("anthropic", False), ("gemini", True)])
async def test_a_body_alone_tells_only_what_the_provider_tells_there(simulator: Start, dialect: str, told: bool) -> None:
    async with simulator(hints=Hints.BODY, rpm=1) as client:
        first, refused = await both(client, dialect)
    assert (telling(first), telling(refused)) == (set(), set())
    assert (b"RetryInfo" in refused.raw) == told
    assert WORDS[dialect, "requests"] in refused.raw.decode()


async def test_openai_tells_both_of_its_limits(simulator: Start) -> None:
    async with simulator(rpm=10, tpm=5_000) as client:
        got = await client.ask("openai", "careful")
    told = {kind: [got.headers[f"x-ratelimit-{what}-{kind}"] for what in ("limit", "remaining")] for kind in ("requests", "tokens")}
    assert told["requests"] == ["10", "9"]
    assert told["tokens"][0] == "5000"
    assert int(told["tokens"][1]) < 4_500
    assert got.headers["x-ratelimit-reset-tokens"] == "1m0s"


async def test_anthropic_tells_four_families(simulator: Start) -> None:
    async with simulator(rpm=10, tpm=5_000) as client:
        got = await client.ask("anthropic", "careful")
    limits = {name: value for name, value in got.headers.items() if name.lower().endswith("-limit")}
    prefix = "anthropic-ratelimit-"
    tokens = {f"{prefix}{family}-limit": "5000" for family in ("tokens", "input-tokens", "output-tokens")}
    assert limits == {f"{prefix}requests-limit": "10", **tokens}


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_what_a_reply_did_not_use_is_given_back(simulator: Start, dialect: str) -> None:
    async with simulator(tpm=1_500) as client:
        replies = [await client.ask(dialect, "careful", cap=1_000) for _ in range(2)]
    assert [got.status for got in replies] == [200, 429]
    async with simulator(tpm=2_000) as client:
        replies = [await client.ask(dialect, "careful", cap=1_000) for _ in range(2)]
    assert [got.status for got in replies] == [200, 200]


async def test_a_day_that_is_spent_is_told_to_its_end(simulator: Start) -> None:
    async with simulator(rpd=1) as client:
        replies = [await client.ask("openai", "careful") for _ in range(2)]
    assert replies[1].body["error"]["code"] == "rate_limit_exceeded"
    assert 86_000 < int(replies[1].headers["retry-after"]) <= 86_400


async def test_an_edge_of_fixed_windows_is_counted_from_the_first_request(simulator: Start) -> None:
    async with simulator(limiter=Limiter.FIXED, rpm=1, phase_s=20.0) as client:
        refused = [await client.ask("openai", "careful") for _ in range(2)][1]
        assert 10 < int(refused.headers["retry-after"]) <= 20
        await client.post("/reset", b"", {})
        assert (await client.ask("openai", "careful")).status == 200


async def test_replies_take_longer_above_the_knee(simulator: Start) -> None:
    loop = asyncio.get_running_loop()
    async with simulator(knee=2, latency_s=0.1, latency_sigma=0.0) as client:
        took = []
        for at_once in (2, 8):
            began = loop.time()
            await asyncio.gather(*(client.ask("openai", "careful") for _ in range(at_once)))
            took.append(loop.time() - began)
    assert took[1] > 0.39  # it waits for four times the latency, which cannot end early
