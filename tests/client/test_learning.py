"""Limits learnt from what a server says over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest

from siuo_async.client.accounts import Environment, account_spec
from siuo_async.client.controller import TOLD_SHARE, Source
from siuo_async.client.endpoint import CallResult, Endpoint
from siuo_async.client.limits import Priority
from siuo_async.client.registry import Registry
from siuo_async.simulator import Settings, SimulatorProcess
from siuo_async.values import Parameters, Turn
from tests.client.servers import OK, Seen, answer, ask, endpoint_for, http, problem, registry_for, replies, serving


@asynccontextmanager
async def closing(registry: Registry) -> AsyncIterator[Registry]:
    try:
        yield registry
    finally:
        await registry.close()


def used(input_tokens: int, output_tokens: int) -> bytes:
    """An answer that says what it used."""
    usage = {"prompt_tokens": input_tokens, "completion_tokens": output_tokens}
    return orjson.dumps({**orjson.loads(answer()), "usage": usage})


# Headers


async def test_the_first_replys_headers_are_the_pace() -> None:
    told = http(body=answer(), x_ratelimit_limit_requests="1200", x_ratelimit_remaining_requests="1199")
    async with serving(told) as server, endpoint_for(server.url) as endpoint:
        assert endpoint.group.controller.limit_of("requests") == (None, Source.UNKNOWN)
        assert (await ask(endpoint)).completion is not None
        assert endpoint.group.controller.limit_of("requests") == (20.0, Source.HEADER)
        assert endpoint.group.controller.calls_per_s == pytest.approx(20 * TOLD_SHARE)


async def test_headers_of_a_rejection_are_read_too() -> None:
    day = {"x_ratelimit_limit_requests_day": "14400", "x_ratelimit_remaining_requests_day": "14000"}
    rejection = http(429, problem(), retry_after_ms="60", **day)
    async with serving(replies(rejection, OK)) as server, endpoint_for(server.url) as endpoint:
        assert (await ask(endpoint)).completion is not None
        assert list(endpoint.group.controller.stocks().values()) == [(14_400.0, 14_000.0)]


async def test_a_limit_of_the_day_is_no_pace() -> None:
    told = http(
        body=answer(), x_ratelimit_limit_requests="200", x_ratelimit_remaining_requests="7", x_ratelimit_reset_requests="7h12m0s"
    )
    async with serving(told) as server, endpoint_for(server.url) as endpoint:
        assert (await ask(endpoint)).completion is not None
        assert endpoint.group.controller.calls_per_s is None
        assert endpoint.group.controller.stocks() == {"requests": (200.0, 7.0)}


async def test_limits_of_the_minute_and_of_the_day_in_one_reply_are_kept_apart() -> None:
    minute = {"x_ratelimit_limit_requests_minute": "600", "x_ratelimit_remaining_requests_minute": "599"}
    day = {"x_ratelimit_limit_requests_day": "14400", "x_ratelimit_remaining_requests_day": "14000"}
    async with serving(http(body=answer(), **minute, **day)) as server, endpoint_for(server.url) as endpoint:
        for number in range(3):
            await ask(endpoint, str(number))
        assert endpoint.group.controller.limit_of("requests") == (10.0, Source.HEADER)
        assert list(endpoint.group.controller.stocks().values()) == [(14_400.0, 14_000.0)]


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
async def test_a_simulated_providers_headers_are_taken_after_the_first_reply(dialect: str) -> None:
    with SimulatorProcess(Settings(seed=3, rpm=1_200, tpm=600_000)) as url:
        environment = Environment({"SIUO_SIM_URL": url})
        async with closing(Registry(lambda name: account_spec(name, {}, environment))) as registry:
            endpoint = registry.endpoint("sim", f"{dialect}-careful", {})
            assert (await ask(endpoint, max_tokens=50)).completion is not None
            assert endpoint.group.controller.limit_of("requests") == (20.0, Source.HEADER)
            assert endpoint.group.controller.limit_of("tokens")[1] is Source.HEADER
            assert endpoint.group.controller.counts_tokens


# Rejections


class Held:
    """A server that turns the first call away for a long time and answers whatever else comes."""

    def __init__(self, hint_s: str = "600") -> None:
        self.rejection = http(429, problem("too fast", code="rate_limit_exceeded"), retry_after=hint_s)

    async def __call__(self, seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(self.rejection if seen.number == 1 else OK)


async def is_held_back(endpoint: Endpoint, priority: Priority, other: Endpoint) -> bool:
    """Whether a call of `endpoint` is still at the door when one of another provider has been answered."""
    waiting = asyncio.ensure_future(judged(endpoint, priority))
    await ask(other)
    held = not waiting.done() and endpoint.group.waiting > 0
    waiting.cancel()
    await asyncio.wait([waiting])
    return held


def judged(endpoint: Endpoint, priority: Priority) -> asyncio.Future[CallResult]:
    call = endpoint.call((Turn("user", ("q",)),), Parameters(), 1, call_id="other", priority=priority)
    return asyncio.ensure_future(call)


@pytest.mark.parametrize("limit_group, held", [("account", True), ("model", False)])
async def test_a_429_holds_all_models_that_share_their_limits_and_no_others(limit_group: str, held: bool) -> None:
    async with serving(Held()) as server, serving(OK) as elsewhere:
        async with closing(registry_for({"lab": server.url, "other": elsewhere.url}, config={"limit_group": limit_group})) as registry:
            one, two, other = (
                registry.endpoint("lab", "one", {}),
                registry.endpoint("lab", "two", {}),
                registry.endpoint("other", "m", {}),
            )
            rejected = asyncio.ensure_future(ask(one))
            while not one.group.cooling_s:
                await asyncio.sleep(0.001)
            assert one.group.cooling_s > 500
            if held:
                assert await is_held_back(two, Priority.GENERATION, other)
                assert len(server.seen) == 1
            else:
                assert (await ask(two)).completion is not None
            rejected.cancel()
            await asyncio.wait([rejected])


async def test_a_429_to_a_model_holds_its_calls_as_a_judge_too() -> None:
    async with serving(Held()) as server, serving(OK) as elsewhere:
        async with closing(registry_for({"lab": server.url, "other": elsewhere.url})) as registry:
            model, judge, other = (
                registry.endpoint("lab", "m", {}),
                registry.endpoint("lab", "m", {}),
                registry.endpoint("other", "m", {}),
            )
            rejected = asyncio.ensure_future(ask(model))
            while not model.group.cooling_s:
                await asyncio.sleep(0.001)
            assert await is_held_back(judge, Priority.JUDGE, other)
            assert len(server.seen) == 1
            rejected.cancel()
            await asyncio.wait([rejected])


async def test_a_429_for_too_many_at_once_holds_only_the_call_itself() -> None:
    too_many = http(429, problem("too many concurrent requests"), retry_after="600")

    async def script(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(too_many if b"unlucky" in seen.body else OK)

    async with serving(script) as server, endpoint_for(server.url, quick=False) as endpoint:
        await ask(endpoint)
        before = endpoint.group.slots
        rejected = asyncio.ensure_future(ask(endpoint, "unlucky"))
        while not endpoint.stats.rate_limited:
            await asyncio.sleep(0.001)
        assert (await ask(endpoint, "another")).completion is not None
        assert endpoint.group.slots < before
        assert not rejected.done()
        rejected.cancel()
        await asyncio.wait([rejected])


# Tokens


async def test_tokens_are_settled_with_what_the_reply_says_was_used() -> None:
    async with serving(http(body=used(120, 30))) as server, endpoint_for(server.url, tpm=60_000) as endpoint:
        for number in range(3):
            await ask(endpoint, str(number))
        assert endpoint.group.mark().tokens == 3 * 150


async def test_what_calls_used_is_what_the_next_are_guessed_to_use() -> None:
    async with serving(http(body=used(120, 30))) as server, endpoint_for(server.url, tpm=600_000) as endpoint:
        for number in range(40):
            await ask(endpoint, str(number))
        assert endpoint.guess.of((Turn("user", ("question 1",)),), Parameters(), 1) == pytest.approx((120, 30), rel=0.1)


async def test_where_a_reply_does_not_say_what_was_used_the_guess_stands() -> None:
    async with serving(OK) as server, endpoint_for(server.url, tpm=60_000) as endpoint:
        await ask(endpoint)
        assert endpoint.group.mark().tokens > 0


@pytest.mark.parametrize("rejection", [http(429, problem(), retry_after_ms="60"), http(400, problem())])
async def test_a_call_that_was_turned_away_gives_its_tokens_back(rejection: bytes) -> None:
    async with serving(replies(rejection, http(body=used(120, 30)))) as server, endpoint_for(server.url, tpm=600_000) as endpoint:
        while len(server.seen) < 2:
            await ask(endpoint, str(len(server.seen)))
        assert endpoint.group.mark().tokens == 150


async def test_told_tokens_are_counted_from_the_next_call_on() -> None:
    told = http(body=used(120, 30), x_ratelimit_limit_tokens="600000", x_ratelimit_remaining_tokens="599000")
    async with serving(told) as server, endpoint_for(server.url) as endpoint:
        await ask(endpoint, "1")
        assert endpoint.group.mark().tokens == 0
        await ask(endpoint, "2")
        assert endpoint.group.mark().tokens == 150
