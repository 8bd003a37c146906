"""Keys, models, limits, counters, and replies that depend on nothing but the request."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.simulator.conftest import Start
from tests.simulator.speak import DIALECTS, Client, body, headers, path


async def ask_with(client: Client, dialect: str, told: dict[str, str], model: str = "careful") -> tuple[int, Any]:
    got = await client.post(path(dialect, model), body(dialect, model), told)
    return got.status, got.body["error"]


@pytest.mark.parametrize("dialect, status, word", [("openai", 401, "code"), ("anthropic", 401, "type"), ("gemini", 400, "status")])
async def test_a_wrong_key_gets_the_providers_answer(simulator: Start, dialect: str, status: int, word: str) -> None:
    words = {"code": "invalid_api_key", "type": "authentication_error", "status": "INVALID_ARGUMENT"}
    async with simulator() as client:
        got, error = await ask_with(client, dialect, headers(dialect, "wrong"))
    assert (got, error[word]) == (status, words[word])


async def test_gemini_gives_the_reason_of_a_wrong_key(simulator: Start) -> None:
    async with simulator() as client:
        _, error = await ask_with(client, "gemini", headers("gemini", "wrong"))
    assert error["details"][0]["reason"] == "API_KEY_INVALID"


@pytest.mark.parametrize("dialect, status", [("openai", 401), ("anthropic", 401), ("gemini", 403)])
async def test_a_missing_key_is_told(simulator: Start, dialect: str, status: int) -> None:
    async with simulator() as client:
        assert (await ask_with(client, dialect, {"anthropic-version": "2023-06-01"}))[0] == status


async def test_only_the_given_keys_are_accepted(simulator: Start) -> None:
    async with simulator(keys=("a", "b")) as client:
        answers = [await client.get("/v1/models", headers("openai", key)) for key in ("a", "b", "c")]
    assert [got.status for got in answers] == [200, 200, 401]


@pytest.mark.parametrize("version, key", [("2023-06-01", "x-api-key"), ("2026-10-21", "Authorization")])
async def test_anthropic_takes_either_key_header(simulator: Start, version: str, key: str) -> None:
    told = {"anthropic-version": version, key: "k" if key == "x-api-key" else "Bearer k"}
    async with simulator() as client:
        got = await client.post(path("anthropic", ""), body("anthropic", "careful"), told)
    assert got.status == 200
    assert got.headers["request-id"].startswith("req_")


@pytest.mark.parametrize(
    "dialect, word, value",
    [
        ("openai", "code", "model_not_found"),
        ("anthropic", "type", "not_found_error"),
        ("gemini", "status", "NOT_FOUND"),
    ],
)
async def test_an_unknown_model_is_not_found(simulator: Start, dialect: str, word: str, value: str) -> None:
    async with simulator() as client:
        status, error = await ask_with(client, dialect, headers(dialect), "nobody")
    assert (status, error[word]) == (404, value)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"model": NaN}'])
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_what_is_no_json_object_is_a_bad_request(simulator: Start, dialect: str, raw: bytes) -> None:
    async with simulator() as client:
        assert (await client.post(path(dialect, "careful"), raw, headers(dialect))).status == 400


@pytest.mark.parametrize(
    "dialect, place, first", [("openai", "data", "careful"), ("anthropic", "data", "careful"), ("gemini", "models", None)]
)  # fmt: skip
async def test_models_are_listed_in_each_dialect(simulator: Start, dialect: str, place: str, first: str | None) -> None:
    async with simulator() as client:
        told = (await client.get("/v1/models", headers(dialect))).body
    assert (told[place][0].get("id"), told[place][0].get("name")) == (first, None if first else "models/careful")


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_equal_call_ids_get_equal_bytes_even_from_another_server(simulator: Start, dialect: str) -> None:
    replies = []
    for _ in range(2):
        async with simulator(seed=7) as client:
            replies.append([await client.ask(dialect, "mixed", call_id=str(number)) for number in range(20)])
    assert [(got.status, got.raw) for got in replies[0]] == [(got.status, got.raw) for got in replies[1]]


async def test_the_order_of_calls_changes_nothing(simulator: Start) -> None:
    async with simulator() as client:
        forward = {number: (await client.ask("openai", "mixed", call_id=str(number))).raw for number in range(20)}
        await client.post("/reset", b"", {})
        backward = {number: (await client.ask("openai", "mixed", call_id=str(number))).raw for number in range(19, -1, -1)}
    assert forward == backward  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_repeated_requests_without_an_id_get_answers_of_their_own(simulator: Start, dialect: str) -> None:
    async with simulator() as client:
        first = [(await client.ask(dialect, "careful")).raw for _ in range(5)]
        await client.post("/reset", b"", {})
        again = [(await client.ask(dialect, "careful")).raw for _ in range(5)]
    assert len(set(first)) == 5
    assert first == again


async def test_openai_tells_its_limit_on_every_reply_and_when_to_come_back(simulator: Start) -> None:
    async with simulator(rpm=2) as client:
        replies = [await client.ask("openai", "careful") for _ in range(3)]
        other = await client.ask("openai", "blunt")
        stats = await client.stats()
    assert [got.status for got in replies] == [200, 200, 429]
    assert [got.headers["x-ratelimit-remaining-requests"] for got in replies] == ["1", "0", "0"]
    assert replies[2].body["error"]["code"] == "rate_limit_exceeded"
    assert 55 < int(replies[2].headers["retry-after"]) <= 60
    assert 55_000 < int(replies[2].headers["retry-after-ms"]) <= 60_000
    assert other.status == 200
    assert stats["rate_limited"] == 1


async def test_anthropic_tells_its_limit_with_a_date(simulator: Start) -> None:
    async with simulator(rpm=1) as client:
        replies = [await client.ask("anthropic", "careful") for _ in range(2)]
    assert [got.status for got in replies] == [200, 429]
    assert replies[0].headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert replies[0].headers["anthropic-ratelimit-requests-reset"].endswith("Z")
    assert replies[1].body["error"]["type"] == "rate_limit_error"
    assert 55 < int(replies[1].headers["retry-after"]) <= 60


async def test_gemini_tells_its_limit_in_the_body_only(simulator: Start) -> None:
    async with simulator(rpm=1) as client:
        replies = [await client.ask("gemini", "careful") for _ in range(2)]
    assert [got.status for got in replies] == [200, 429]
    quota, retry = replies[1].body["error"]["details"]
    assert "PerMinute" in quota["violations"][0]["quotaId"]
    assert 55 < float(retry["retryDelay"].removesuffix("s")) <= 60
    assert "retry-after" not in replies[1].headers


async def test_more_requests_at_once_than_the_cap_are_turned_away(simulator: Start) -> None:
    async with simulator(concurrency=2, latency_s=0.2, latency_sigma=0) as client:
        replies = await asyncio.gather(*(client.ask("openai", "careful", call_id=str(n)) for n in range(5)))
        stats = await client.stats()
    assert sorted(got.status for got in replies) == [200, 200, 429, 429, 429]
    assert (stats["rate_limited"], stats["distinct_call_ids"]) == (3, 2)


async def test_counters_tell_what_was_served(simulator: Start) -> None:
    async with simulator() as client:
        await client.ask("openai", "openai-careful", call_id="a")
        await client.ask("anthropic", "careful", call_id="b")
        await client.ask("gemini", "broken", call_id="b")
        await client.ask("gemini", "nobody", call_id="c")
        stats = await client.stats()
        bare = (await client.get("/stats")).body
    assert stats == bare | {"calls": {"a": 1, "b": 2}, "answered": {"a": 1, "b": 2}}
    assert min(bare["tokens"]["input"], bare["tokens"]["output"]) > 0
    assert bare == {
        "requests": 4,
        "by_route": {"openai": 1, "anthropic": 1, "gemini": 2},
        "by_persona": {"careful": 2, "broken": 1},
        "by_status": {"200": 2, "500": 1, "404": 1},
        "searches": {},
        "tokens": bare["tokens"],
        "distinct_call_ids": 2,
        "in_flight": 0,
        "max_in_flight": 1,
        "rate_limited": 0,
    }


async def test_reset_forgets_everything(simulator: Start) -> None:
    async with simulator(rpm=1) as client:
        await client.ask("openai", "careful", call_id="a")
        await client.post("/reset", b"", {})
        assert (await client.ask("openai", "careful", call_id="a")).status == 200
        stats = await client.stats()
    assert (stats["requests"], stats["calls"]) == (1, {"a": 1})


async def test_a_search_finds_the_same_for_the_same_query(simulator: Start) -> None:
    async with simulator() as client:
        one, again, other = [await client.get(f"/search?q={query}") for query in ("甲市+代码", "甲市+代码", "bridge")]
    assert one.raw == again.raw != other.raw
    results = one.body["results"]
    assert len(results) >= 2
    assert all(set(result) == {"title", "content", "url"} and "甲市" in result["content"] for result in results)


@pytest.mark.parametrize(
    "kind, status, begins, size",
    [
        ("html", 200, b"<html>", 30),
        ("fail", 500, b'{"status":"error"', 30),
        ("empty", 200, b'{"results":[]}', 14),
        ("huge", 200, b"{", 2**20),
    ],
)
async def test_a_search_can_go_wrong(simulator: Start, kind: str, status: int, begins: bytes, size: int) -> None:
    async with simulator() as client:
        got = await client.get(f"/search/{kind}?q=bridge")
    assert (got.status, got.raw[: len(begins)]) == (status, begins)
    assert len(got.raw) >= size


async def test_a_slow_search_waits_as_long_as_it_is_told(simulator: Start) -> None:
    async with simulator() as client:
        slow = asyncio.create_task(client.get("/search/slow?q=bridge&wait_s=60"))
        while not (await client.stats())["searches"]:
            await asyncio.sleep(0.01)
        assert not slow.done()
        slow.cancel()
        quick = await client.get("/search/slow?q=bridge&wait_s=0")
    assert quick.body["results"]


async def test_searches_are_counted_apart_from_model_requests(simulator: Start) -> None:
    async with simulator() as client:
        for where in ("/search?q=a", "/search?q=b", "/search/fail?q=a", "/search", "/search/odd?q=a"):
            await client.get(where)
        stats = await client.stats()
    assert stats["searches"] == {"plain": 3, "fail": 1, "odd": 1}
    assert (stats["requests"], stats["by_route"], stats["max_in_flight"]) == (0, {}, 0)
