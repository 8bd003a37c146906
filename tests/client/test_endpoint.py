"""An endpoint against a raw server and against the simulator: what is tried again, what stops, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from pybase64 import b64encode
from tenacity import AsyncRetrying

from siuo_async.client import retry, transport
from siuo_async.client.accounts import Environment, account_spec
from siuo_async.client.budget import TokenBudget
from siuo_async.client.controller import Ceilings, Controller
from siuo_async.client.endpoint import Endpoint, Tries
from siuo_async.client.limits import LimitGroup
from siuo_async.client.registry import Registry
from siuo_async.client.retry import TRIES
from siuo_async.errors import CallError, DataError, ErrorKind, StoppedEarly
from siuo_async.simulator import SimulatorProcess
from siuo_async.simulator.settings import Settings
from siuo_async.values import Outcome
from tests.client.servers import (
    KEY,
    OK,
    QuickHalt,
    Seen,
    answer,
    ask,
    closed_port,
    endpoint_for,
    hang_up,
    http,
    picture,
    problem,
    replies,
    serving,
)

pytestmark = pytest.mark.usefixtures("quick_sweep")


@pytest.fixture
def quick_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "SWEEP_S", 0.02)


def nothing_is_left(endpoint: Endpoint) -> bool:
    group = endpoint.group
    pins = sum(entry.pins for entry in endpoint.pictures._entries.values())
    return (group.in_use, group.waiting, endpoint.stats.on_wire, endpoint.host.calls, pins) == (0, 0, 0, 0, 0)


async def until_seen(server: object, count: int) -> None:
    while len(server.seen) < count:  # type: ignore[attr-defined]
        await asyncio.sleep(0.002)


async def test_an_answer_comes_with_what_was_sent_and_who_served_it() -> None:
    async with serving(OK) as server, endpoint_for(server.url) as endpoint:
        result = await ask(endpoint, max_tokens=500, temperature=0.0)
    assert result.completion is not None
    assert [a.text for a in result.completion.answers] == ["fine"]
    assert result.completion.served_model == "m-1"
    assert result.completion.sent["temperature"] == 0.0
    assert result.tries.attempts == 1
    assert server.seen[0].path == "/v1/chat/completions"
    assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"
    assert "x-siuo-call-id" not in server.seen[0].headers


async def test_a_picture_in_parts_equals_the_joined_body_byte_for_byte(tmp_path: Path) -> None:
    content = os.urandom(400_000)
    async with serving(OK) as server, endpoint_for(server.url) as endpoint:
        await ask(endpoint, "c", picture(tmp_path, content), 'what is "this"?')
        assert nothing_is_left(endpoint)
    seen = server.seen[0]
    url = seen.json["messages"][0]["content"][0]["image_url"]["url"]
    assert url == "data:image/png;base64," + b64encode(content).decode()
    assert int(seen.headers["content-length"]) == len(seen.body)
    assert seen.body == json.dumps(seen.json, separators=(",", ":"), ensure_ascii=False).encode()


HTML = http(body=b"<html>Bad gateway</html>", content_type="text/html")
CUT = http(body=answer()[:-20])
BLANKS = http(body=b"\n\n \r\n" + answer())


@pytest.mark.parametrize(
    "raw, kind, tries",
    [
        (HTML, ErrorKind.GARBLED, 3),
        (http(), ErrorKind.GARBLED, 3),
        (CUT, ErrorKind.GARBLED, 3),
        (http(body=b'{"choices":[]}'), ErrorKind.GARBLED, 3),
        (http(body=b"[]"), ErrorKind.GARBLED, 3),
        (http(500, problem()), ErrorKind.SERVER, 6),
        (http(503), ErrorKind.SERVER, 6),
        (http(529, problem()), ErrorKind.SERVER, 6),
        (http(408), ErrorKind.SERVER, 6),
        (http(400, problem()), ErrorKind.BAD_REQUEST, 1),
        (http(413), ErrorKind.BAD_REQUEST, 1),
        (http(422, problem()), ErrorKind.BAD_REQUEST, 1),
        (http(404, problem()), ErrorKind.NOT_FOUND, 1),
        (http(301, location="https://elsewhere.example/"), ErrorKind.NOT_FOUND, 1),
    ],
)
async def test_a_reply_without_an_answer_is_tried_as_often_as_its_kind_says(raw: bytes, kind: ErrorKind, tries: int) -> None:
    async with serving(raw) as server, endpoint_for(server.url) as endpoint:
        result = await ask(endpoint)
        assert nothing_is_left(endpoint)
    assert result.completion is None
    assert result.error is not None
    assert result.error.kind is kind
    assert (result.tries.attempts, len(server.seen)) == (tries, tries)
    assert result.tries.maybe_billed == (tries if kind is ErrorKind.GARBLED else 0)
    assert (endpoint.stats.failed, endpoint.stats.retried) == (1, tries - 1)


@pytest.mark.parametrize(
    "raw", [http(body=b"[" + b" " * (8 << 20)), http(body=b" " * (8 << 20), length=9 << 20)], ids=["no JSON", "cut"]
)
async def test_a_call_that_waits_to_be_tried_again_holds_no_reply(raw: bytes) -> None:
    class Measuring(QuickHalt):
        async def sleep(self, seconds: float) -> None:
            held.append(tracemalloc.get_traced_memory()[0])
            await super().sleep(seconds)

    async def script(_: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        writer.close()

    held: list[int] = []
    async with serving(script) as server, endpoint_for(server.url) as endpoint:
        endpoint.halt = Measuring()
        tracemalloc.start()
        try:
            result = await ask(endpoint)
        finally:
            tracemalloc.stop()
    assert result.error is not None
    assert len(held) == 2
    assert max(held) < 4 << 20


async def test_blank_lines_before_the_answer_are_no_error() -> None:
    async with serving(BLANKS) as server, endpoint_for(server.url) as endpoint:
        result = await ask(endpoint)
    assert result.completion is not None
    assert len(server.seen) == 1


async def test_a_cut_reply_after_two_other_errors_is_the_last_try() -> None:
    async def script(seen: Seen, writer: asyncio.StreamWriter) -> None:
        match seen.number:
            case 1:
                hang_up(writer)
            case 2:
                writer.write(http(500, problem()))
            case 3:
                writer.write(http(body=answer()[:30], length=300))
                writer.close()
            case _:
                writer.write(OK)

    async with serving(script) as server, endpoint_for(server.url) as endpoint:
        result = await ask(endpoint)
    # The cut reply is the third failure, and after the third nobody asks for a fourth of its kind.
    assert result.tries.attempts == 3
    assert result.error is not None
    assert result.error.kind is ErrorKind.GARBLED


async def test_a_timeout_is_tried_again_and_counted_as_maybe_billed() -> None:
    async def script(seen: Seen, writer: asyncio.StreamWriter) -> None:
        if seen.number == 1:
            await asyncio.Event().wait()
        writer.write(OK)

    async with serving(script) as server, endpoint_for(server.url, timeout_s=0.1) as endpoint:
        result = await ask(endpoint)
    assert result.completion is not None
    assert (result.tries.attempts, result.tries.maybe_billed) == (2, 1)


async def test_a_server_that_gets_slower_for_ever_ends_in_its_breaker_and_no_call_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "TRIES", 2)

    async def script(seen: Seen, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05 * (seen.number - 2))
        writer.write(OK)

    async with serving(script) as server, endpoint_for(server.url, timeout_s=0.1) as endpoint:
        kinds = []
        while endpoint.halt.reason is None:
            result = await asyncio.wait_for(ask(endpoint, str(len(kinds))), 30)
            kinds.append(result.error and result.error.kind)
        assert "after 10 calls failed in a row" in str(endpoint.halt.reason)
        assert nothing_is_left(endpoint)
    assert set(kinds[-10:]) == {ErrorKind.TIMEOUT}


async def test_a_rejection_that_comes_while_the_upload_goes_on_is_read_though_the_server_resets_behind_it() -> None:
    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(http(413, problem("too large")))
        await writer.drain()
        await asyncio.sleep(0.02)
        hang_up(writer)
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(early, "127.0.0.1", 0, limit=1 << 16)
    async with server, endpoint_for(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1") as endpoint:
        for number in range(5):
            result = await ask(endpoint, str(number), " " * (8 << 20))
            assert result.error is not None
            assert (result.error.kind, result.tries.attempts) == (ErrorKind.BAD_REQUEST, 1)
        await asyncio.sleep(0.05)


async def test_a_server_that_was_never_there_uses_tries_and_opens_its_breaker() -> None:
    async with endpoint_for(f"http://127.0.0.1:{closed_port()}/v1") as endpoint:
        for number in range(10):
            result = await ask(endpoint, str(number))
            assert result.error is not None
            assert (result.error.kind, result.tries.attempts) == (ErrorKind.CONNECTION, 6)
        with pytest.raises(StoppedEarly, match="after 10 calls failed in a row"):
            await ask(endpoint, "one more")


@pytest.mark.parametrize("status", [400, 404, 422, 500])
async def test_ten_failures_in_a_row_open_the_breaker(status: int) -> None:
    async with serving(http(status, problem("it is broken"))) as server, endpoint_for(server.url) as endpoint:
        stopped: list[str] = []
        endpoint.on_stop = lambda _, reason: stopped.append(str(reason))
        for number in range(10):
            assert (await ask(endpoint, str(number), order=number)).error is not None
        before = len(server.seen)
        with pytest.raises(StoppedEarly, match="it is broken"):
            await ask(endpoint, "one more")
        assert len(server.seen) == before
    assert len(stopped) == 1


async def test_many_rejected_calls_of_one_sample_do_not_open_the_breaker() -> None:
    async with serving(http(400, problem("invalid picture"))) as server, endpoint_for(server.url) as endpoint:
        for number in range(20):
            assert (await ask(endpoint, str(number), order=7)).error is not None
        assert endpoint.halt.reason is None


async def test_blocks_and_refusals_never_open_the_breaker() -> None:
    async with serving(http(400, problem("no", code="content_policy_violation"))) as server, endpoint_for(server.url) as endpoint:
        for number in range(12):
            result = await ask(endpoint, str(number))
            assert result.completion is not None
            assert result.completion.answers[0].outcome is Outcome.FILTERED


@pytest.mark.parametrize(
    "raw, most_s",
    [
        (http(429, problem(), retry_after_ms="60"), 0.5),
        (http(429, problem(), retry_after="0.06"), 0.5),
        (http(429, problem(), x_ratelimit_reset_requests="60ms"), 0.5),
        (http(429, b'{"error":{"message":"x","details":[{"retryDelay":"0.06s"}]}}'), 0.5),
        (http(429, problem()), 2.0),
    ],
)
async def test_a_429_is_waited_out_and_uses_no_try(raw: bytes, most_s: float) -> None:
    async with serving(replies(raw, OK)) as server, endpoint_for(server.url) as endpoint:
        began = time.monotonic()
        result = await ask(endpoint)
        took_s = time.monotonic() - began
        assert nothing_is_left(endpoint)
    assert result.completion is not None
    assert 0.055 <= took_s <= most_s
    assert (endpoint.stats.rate_limited, endpoint.group.controller.cooldowns) == (1, 1)
    assert isinstance(endpoint.halt, QuickHalt)
    assert endpoint.halt.slept == []


async def test_as_many_429s_as_there_are_tries_use_none() -> None:
    rejected = [http(429, problem(), retry_after_ms="51")] * TRIES
    async with serving(replies(*rejected, OK)) as server, endpoint_for(server.url) as endpoint:
        result = await ask(endpoint)
    assert result.completion is not None
    assert len(server.seen) == TRIES + 1


async def test_a_call_that_queued_during_one_cooldown_can_begin_the_next() -> None:
    """Without a hint, a 429 after a cooldown is a new episode, even for a call that has waited since before it."""
    async with serving(http(429, problem())) as server, endpoint_for(server.url) as endpoint:
        tasks = [asyncio.create_task(ask(endpoint, str(number))) for number in range(30)]
        await asyncio.sleep(1.4)
        assert len(server.seen) <= 8  # four before each cooldown; thirty would be a storm
        assert endpoint.group.controller.cooldowns == 2
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def test_a_hint_above_the_limit_stops_the_endpoint_and_says_for_how_long() -> None:
    async with (
        serving(http(429, problem("slow down"), retry_after="86400")) as server,
        endpoint_for(server.url, max_wait_s=900) as endpoint,
    ):
        with pytest.raises(StoppedEarly, match="slow down; the server asks to wait 86400 s"):
            await ask(endpoint)
    assert len(server.seen) == 1


class Clock:
    now = 1e9

    def __call__(self) -> float:
        return self.now


async def test_nothing_but_rate_limits_for_fifteen_minutes_stops_the_endpoint() -> None:
    async with serving(http(429, problem(), retry_after="0.1")) as server, endpoint_for(server.url) as endpoint:
        clock = Clock()
        group = endpoint.group = LimitGroup("g", Controller(Ceilings(slots=1), clock=clock), clock=clock)
        task = asyncio.create_task(ask(endpoint))
        while not task.done():
            await asyncio.sleep(0.005)
            if group.cooling_s:
                clock.now += 400
                group._cooled()
        with pytest.raises(StoppedEarly, match="nothing but rate limits for 15 minutes"):
            await task
    assert len(server.seen) == 4


@pytest.mark.parametrize(
    "raw, says",
    [
        (http(401, problem(f"Incorrect API key provided: {KEY}", code="invalid_api_key")), r"\[key\].*check the key"),
        (http(403, problem("no access")), "check the key"),
        (http(429, problem("money", code="insufficient_quota"), retry_after="1"), "money.*raise the account's limit"),
        (http(402, problem("money")), "raise the account's limit"),
        (http(403, problem("held", code="organization_on_hold")), "settle it with the provider"),
    ],
)
async def test_a_wrong_key_or_spent_quota_stops_the_account_after_four_requests(raw: bytes, says: str) -> None:
    async def script(seen: Seen, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.02 * (seen.number % 3))
        writer.write(raw)

    async with serving(script) as server, endpoint_for(server.url, concurrency=64) as endpoint:
        found = await asyncio.gather(*(ask(endpoint, str(number)) for number in range(40)), return_exceptions=True)
        assert nothing_is_left(endpoint)
    assert {type(error) for error in found} == {StoppedEarly}
    assert 1 <= len(server.seen) <= 4
    with pytest.raises(StoppedEarly, match=says) as caught:
        endpoint.halt.check()
    assert KEY not in str(caught.value)
    assert endpoint.stats.failed == 0


async def test_a_refused_parameter_is_left_out_once_and_at_once_by_later_calls() -> None:
    refusal = problem("Unsupported value", code="unsupported_value", param="temperature")

    async def script(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(http(400, refusal) if "temperature" in seen.json else OK)

    async with serving(script) as server, endpoint_for(server.url, concurrency=1) as endpoint:
        results = await asyncio.gather(*(ask(endpoint, str(number), temperature=0.5, max_tokens=9) for number in range(12)))
        assert nothing_is_left(endpoint)
    with_it = [seen for seen in server.seen if "temperature" in seen.json]
    assert (len(with_it), len(server.seen)) == (1, 13)
    for result in results:
        assert result.completion is not None
        assert "temperature" not in {*result.completion.sent} - {"left_out"}
        assert result.completion.sent["left_out"] == {"temperature": 0.5}
    assert isinstance(endpoint.halt, QuickHalt)
    assert endpoint.halt.slept == []


async def test_a_server_that_refuses_a_parameter_that_is_gone_already_is_not_asked_for_ever() -> None:
    refusal = http(400, problem("Unsupported value", code="unsupported_value", param="temperature"))
    async with serving(refusal) as server, endpoint_for(server.url) as endpoint:
        result = await ask(endpoint, temperature=0.5)
    assert result.error is not None
    assert result.error.kind is ErrorKind.UNSUPPORTED_PARAMETER
    assert len(server.seen) == 2


async def test_a_cap_that_is_refused_goes_into_the_other_field() -> None:
    async def script(seen: Seen, writer: asyncio.StreamWriter) -> None:
        refusal = problem("Use 'max_completion_tokens' instead", code="unsupported_parameter", param="max_tokens")
        writer.write(http(400, refusal) if "max_tokens" in seen.json else OK)

    async with serving(script) as server, endpoint_for(server.url) as endpoint:
        assert (await ask(endpoint, max_tokens=500)).completion is not None
        assert (await ask(endpoint, "2", max_tokens=500)).completion is not None
    assert [sorted({"max_tokens", "max_completion_tokens"} & {*seen.json}) for seen in server.seen] == [
        ["max_tokens"],
        ["max_completion_tokens"],
        ["max_completion_tokens"],
    ]
    assert server.seen[1].json["max_completion_tokens"] == 500


async def test_several_answers_in_one_call_are_ruled_out_by_a_400() -> None:
    async def script(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(http(400, problem("n must be 1")) if seen.json.get("n", 1) > 1 else OK)

    async with serving(script) as server, endpoint_for(server.url, config={"profile": {"max_n": 8}}) as endpoint:
        assert endpoint.max_n == 8
        result = await ask(endpoint, n=4)
        assert result.completion is not None
        assert len(result.completion.answers) == 1
        assert endpoint.max_n == 1
    assert [seen.json.get("n", 1) for seen in server.seen] == [4, 1]


async def test_stop_while_waiting_at_the_door_leaves_no_attempt() -> None:
    async def script(_: Seen, __: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with serving(script) as server, endpoint_for(server.url, concurrency=2) as endpoint:
        tasks = [asyncio.create_task(ask(endpoint, str(number))) for number in range(5)]
        await until_seen(server, 2)
        endpoint.stop(StoppedEarly("enough"))
        done, on_wire = await asyncio.wait(tasks, timeout=0.05)
        assert (len(done), len(on_wire)) == (3, 2)
        for task in done:
            with pytest.raises(StoppedEarly, match="enough"):
                task.result()
        assert endpoint.stats.sent == len(server.seen) == 2
        for task in on_wire:
            task.cancel()
        await asyncio.wait(on_wire)
        assert nothing_is_left(endpoint)


async def test_stop_during_a_backoff_ends_it_at_once_and_counts_no_failure() -> None:
    async with serving(http(500, problem())) as server, endpoint_for(server.url, quick=False) as endpoint:
        task = asyncio.create_task(ask(endpoint))
        await until_seen(server, 1)
        endpoint.stop(StoppedEarly("enough"))
        with pytest.raises(StoppedEarly, match="enough"):
            await asyncio.wait_for(task, 5)
    assert (len(server.seen), endpoint.stats.failed) == (1, 0)


async def test_a_call_on_the_wire_when_it_stops_still_gives_its_answer() -> None:
    go = asyncio.Event()

    async def script(_: Seen, writer: asyncio.StreamWriter) -> None:
        await go.wait()
        writer.write(OK)

    async with serving(script) as server, endpoint_for(server.url) as endpoint:
        task = asyncio.create_task(ask(endpoint))
        await until_seen(server, 1)
        endpoint.stop(StoppedEarly("enough"))
        go.set()
        assert (await task).completion is not None


async def test_stop_while_a_picture_is_read_sends_nothing(tmp_path: Path) -> None:
    asked = picture(tmp_path, b"picture")
    os.unlink(asked.path)
    os.mkfifo(asked.path)
    async with serving(OK) as server, endpoint_for(server.url) as endpoint:
        task = asyncio.create_task(ask(endpoint, "c", asked, "what?"))
        await asyncio.sleep(0.02)
        endpoint.stop(StoppedEarly("enough"))
        await asyncio.to_thread(Path(asked.path).write_bytes, b"picture")
        with pytest.raises(StoppedEarly, match="enough"):
            await task
        assert nothing_is_left(endpoint)
    assert (server.seen, endpoint.stats.sent) == ([], 0)


async def test_a_cancelled_call_leaks_neither_slot_nor_pin(tmp_path: Path) -> None:
    async def script(_: Seen, __: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    asked = picture(tmp_path, os.urandom(1_000))
    async with serving(script) as server, endpoint_for(server.url, concurrency=3) as endpoint:
        tasks = [asyncio.create_task(ask(endpoint, str(number), asked, "what?")) for number in range(8)]
        await until_seen(server, 3)
        for task in tasks:
            task.cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(error) for error in found} == {asyncio.CancelledError}
        assert nothing_is_left(endpoint)


async def test_a_picture_that_changed_is_a_data_error_that_leaks_nothing(tmp_path: Path) -> None:
    asked = picture(tmp_path, b"picture")
    Path(asked.path).write_bytes(b"another picture")
    async with serving(OK) as server, endpoint_for(server.url) as endpoint:
        with pytest.raises(DataError, match="changed since the run began"):
            await ask(endpoint, "c", asked, "what?")
        assert nothing_is_left(endpoint)
    assert server.seen == []


async def test_the_tokens_of_a_call_that_is_not_sent_are_given_back(tmp_path: Path) -> None:
    asked = picture(tmp_path, b"picture")
    Path(asked.path).write_bytes(b"another picture")
    async with serving(OK) as server, endpoint_for(server.url) as endpoint:
        endpoint.group.controller.budgets["tokens"] = budget = TokenBudget(1.0, time.monotonic())
        with pytest.raises(DataError):
            await ask(endpoint, "c", asked, "what?")
        assert budget.balance > 0
        assert endpoint.group.controller.mark(0).tokens == 0


async def test_a_slot_is_free_while_a_call_backs_off() -> None:
    async def script(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(http(500, problem(), retry_after="30") if "bad" in seen.body.decode() else OK)

    async with serving(script) as server, endpoint_for(server.url, quick=False, concurrency=1) as endpoint:
        bad = asyncio.create_task(ask(endpoint, "bad"))
        await until_seen(server, 1)
        assert (await asyncio.wait_for(ask(endpoint, "good"), 5)).completion is not None
        bad.cancel()


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    process = SimulatorProcess(Settings(seed=3))
    with process:
        yield process


def simulated(process: SimulatorProcess, **settings: object) -> Registry:
    environment = Environment({"SIUO_SIM_URL": process.url})
    return Registry(lambda name: account_spec(name, {}, environment), **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("dialect", ["openai", "anthropic", "gemini"])
async def test_a_flaky_simulated_model_answers_every_call_in_every_dialect(simulator: SimulatorProcess, dialect: str) -> None:
    simulator.reset()
    registry = simulated(simulator, concurrency=32)
    endpoint = registry.endpoint("sim", f"{dialect}-flaky", {})
    endpoint.halt = QuickHalt()
    results = await asyncio.gather(*(ask(endpoint, f"{dialect}-{number}", max_tokens=300) for number in range(120)))
    await registry.close()
    assert all(result.completion is not None for result in results)
    assert nothing_is_left(endpoint)
    assert endpoint.stats.retried > 0
    calls = simulator.stats(calls=True)["calls"]
    assert len(calls) == 120
    assert sum(calls.values()) == endpoint.stats.sent


async def test_a_simulated_model_that_refuses_parameters_is_asked_without_them(simulator: SimulatorProcess) -> None:
    registry = simulated(simulator)
    endpoint = registry.endpoint("sim", "openai-refusing-parameters", {})
    result = await ask(endpoint, temperature=0.0, max_tokens=300)
    await registry.close()
    assert result.completion is not None
    assert endpoint.ruled_out == {"temperature", "max_tokens"}


async def test_judges_and_targets_of_a_simulated_quota_stop_together(simulator: SimulatorProcess) -> None:
    registry = simulated(simulator)
    spent, other = registry.endpoint("sim", "openai-quota", {}), registry.endpoint("sim", "openai-careful", {})
    with pytest.raises(StoppedEarly):
        await ask(spent)
    with pytest.raises(StoppedEarly):
        await ask(other)
    await registry.close()


async def test_a_server_that_echoes_the_key_gets_it_into_nothing_that_is_kept() -> None:
    echo = problem(f"{KEY} is blocked", code="content_policy_violation")
    bad = problem("odd", code=f"bad:{KEY}")
    async with serving(replies(http(400, echo, x_request_id=KEY), http(400, bad), http(body=answer(f"it is {KEY}")))) as server:
        async with endpoint_for(server.url) as endpoint:
            filtered, failed, answered = [await ask(endpoint, str(number)) for number in range(3)]
    assert KEY not in repr(filtered.completion) + repr(answered.completion)
    assert filtered.completion is not None
    assert filtered.completion.answers[0].reason == "[key] is blocked"
    assert failed.error is not None
    assert failed.error.code == "bad:[key]"
    assert answered.completion is not None
    assert answered.completion.answers[0].text == "it is [key]"


async def test_an_answer_that_speaks_of_something_like_a_key_is_kept_as_it_is() -> None:
    text = "never share sk-1234567890abcdef or **** with anyone"
    async with serving(http(body=answer(text))) as server, endpoint_for(server.url) as endpoint:
        result = await ask(endpoint)
    assert result.completion is not None
    assert result.completion.answers[0].text == text


_HELD = Tries | CallError | AsyncRetrying


@pytest.mark.parametrize(
    "last", [OK, http(400, problem("never")), http(500, problem("again"))], ids=["answered", "refused", "given up"]
)
async def test_what_a_call_held_that_was_tried_again_is_free_without_the_garbage_collector(last: bytes) -> None:
    """It would come by after a million objects, and each call may hold a picture."""
    async with serving(replies(http(500, problem("no")), http(body=b"<html>"), last)) as server, endpoint_for(server.url) as endpoint:
        gc.collect()
        before = {id(each) for each in gc.get_objects() if isinstance(each, _HELD)}  # what other tests of this process keep
        gc.disable()
        try:
            await ask(endpoint)
            assert not [each for each in gc.get_objects() if id(each) not in before and isinstance(each, _HELD)]
        finally:
            gc.enable()
