"""Being offline: what counts as it, and what calls do meanwhile."""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver

from siuo_async.client.endpoint import Endpoint
from siuo_async.client.halt import Halt
from siuo_async.client.offline import OFFLINE_WAIT_S, PROBE_S, Host, Network, Trouble, trouble_of
from siuo_async.client.registry import Registry
from siuo_async.errors import CallError, ErrorKind, StoppedEarly
from siuo_async.network import proxy_for
from siuo_async.providers.dialects.base import Reply
from tests.client.servers import OK, QuickHalt, RawServer, ask, http, registry_for, replies, serving

NO_NAME, REFUSED, FOREIGN, OTHER = Trouble.UNREACHABLE, Trouble.REFUSED, Trouble.FOREIGN, Trouble.OTHER
PAGE, CUT, LATE = Trouble.PAGE, Trouble.CUT, Trouble.LATE


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Weather:
    """A network on clocks of its own."""

    def __init__(self, **settings: Any) -> None:
        self.clock, self.wall = Clock(100.0), Clock(1e9)
        self.network = Network(clock=self.clock, wall=self.wall, **settings)

    def host(self, name: str, *, reached: bool = True, calls: int = 1) -> Host:
        host = self.network.host(f"https://{name}/v1")
        host.calls = calls
        if reached:
            self.network.reached(host)
        self.passes(0.5)
        return host

    async def fails(self, host: Host, trouble: Trouble, *, began_at: float | None = None) -> bool:
        return await self.network.excuses(host, trouble, self.clock.now if began_at is None else began_at, Halt())

    def passes(self, seconds: float, *, asleep: bool = False) -> None:
        self.wall.now += seconds
        self.clock.now += 0 if asleep else seconds


@pytest.mark.parametrize(
    "troubles, is_offline",
    [
        ([NO_NAME], True),
        ([FOREIGN], True),
        ([LATE], True),
        ([REFUSED], False),
        ([PAGE], False),
        ([CUT], False),
        ([OTHER], False),
        ([REFUSED, None], False),
        ([OTHER, REFUSED], False),
        ([PAGE, PAGE], True),
        ([CUT, CUT], True),
        ([NO_NAME, NO_NAME], True),
        ([REFUSED, REFUSED], True),
        ([FOREIGN, FOREIGN], True),
        ([FOREIGN, NO_NAME], True),
        ([REFUSED, REFUSED, None], False),
    ],
)
async def test_all_hosts_must_fail_in_a_way_that_tells_of_the_network(troubles: list[Trouble | None], is_offline: bool) -> None:
    weather = Weather()
    hosts = [weather.host(f"h{number}.example") for number in range(len(troubles))]
    failures = (weather.fails(host, trouble) for host, trouble in zip(hosts, troubles, strict=True) if trouble)
    held = await asyncio.gather(*failures)  # at once, since a doubt waits for the others
    assert held[-1] is weather.network.offline is is_offline
    weather.network.close()


async def in_doubt(weather: Weather, host: Host) -> asyncio.Task[bool]:
    """A failure of which nobody knows yet whose fault it is."""
    task = asyncio.create_task(weather.fails(host, NO_NAME))
    await asyncio.sleep(0)
    assert not task.done()
    assert not weather.network.offline
    return task


async def test_while_another_host_says_nothing_a_failure_waits_and_holds_nobody_up() -> None:
    weather = Weather()
    gone, silent = weather.host("gone.example"), weather.host("silent.example")
    task = await in_doubt(weather, gone)
    assert await weather.network.wait(silent, Halt()) is False
    task.cancel()


async def test_it_was_the_hosts_own_fault_when_another_one_replies_and_it_fails_again() -> None:
    weather = Weather()
    gone, fine = weather.host("gone.example"), weather.host("fine.example")
    both = [await in_doubt(weather, gone), await in_doubt(weather, gone)]
    weather.network.reached(fine)  # that may have been on its way before
    await asyncio.sleep(0)
    assert not any(task.done() for task in both)
    weather.passes(1)
    weather.network.reached(fine)  # now it is there; when they failed it may not have been
    assert [await task for task in both] == [True, True]
    weather.passes(0.1)
    again = await in_doubt(weather, gone)
    weather.passes(1)
    weather.network.reached(fine)
    assert await again is False


async def test_a_host_that_replied_since_has_the_benefit_of_a_doubt_again() -> None:
    weather = Weather()
    gone, fine = weather.host("gone.example"), weather.host("fine.example")
    for _ in range(2):
        weather.passes(1)
        weather.network.reached(gone)
        task = await in_doubt(weather, gone)
        weather.passes(1)
        weather.network.reached(fine)
        assert await task is True


async def test_it_was_the_network_when_the_other_ones_fail_too() -> None:
    weather = Weather()
    one, two = weather.host("one.example"), weather.host("two.example")
    task = await in_doubt(weather, one)
    assert await weather.fails(two, NO_NAME)
    assert await task
    assert weather.network.offline
    weather.network.close()


async def test_it_was_nothing_when_the_host_itself_replies() -> None:
    weather = Weather()
    one, _ = weather.host("one.example"), weather.host("two.example")
    task = await in_doubt(weather, one)
    weather.network.reached(one)
    assert await task


async def test_where_nobody_ever_says_anything_the_try_is_made_again_after_a_while() -> None:
    weather = Weather(probe_s=0.02)
    one, _ = weather.host("one.example"), weather.host("two.example")
    assert await weather.fails(one, NO_NAME)
    assert not weather.network.offline


async def test_whoever_is_stopped_in_doubt_leaves() -> None:
    weather, halt = Weather(), Halt()
    one, _ = weather.host("one.example"), weather.host("two.example")
    task = asyncio.create_task(weather.network.excuses(one, NO_NAME, weather.clock.now, halt))
    await asyncio.sleep(0)
    halt.set(StoppedEarly("enough"))
    weather.network.release_halted()
    with pytest.raises(StoppedEarly, match="enough"):
        await task


@pytest.mark.parametrize("nearer", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000", "192.168.1.9:8000", "gpubox:8000", "nas.local"])
async def test_a_server_of_this_machine_or_its_own_network_says_nothing_of_what_is_beyond(nearer: str) -> None:
    weather = Weather()
    near, far = weather.host(nearer), weather.host("api.example")
    assert await weather.fails(far, NO_NAME)
    assert weather.network.offline
    assert await weather.network.wait(near, Halt()) is False
    weather.network.reached(near)
    assert weather.network.offline
    weather.network.reached(far)
    assert not weather.network.offline


@pytest.mark.parametrize("here", ["127.0.0.1:8000", "0.0.0.0:8000", "vllm.localhost"])
async def test_a_server_of_this_machine_that_fails_is_never_the_networks_fault(here: str) -> None:
    weather = Weather()
    assert not await weather.fails(weather.host(here), NO_NAME)


@pytest.mark.parametrize("name", ["192.168.1.9:8000", "api.example"])
async def test_a_host_with_its_hands_full_is_asked_again_and_holds_up_nobody(name: str) -> None:
    dropped: list[int] = []
    weather = Weather(refresh=lambda: dropped.append(1))
    host = weather.host(name)
    began_at = weather.clock.now
    weather.passes(5)
    weather.network.reached(host)
    weather.passes(5)
    assert await weather.fails(host, LATE, began_at=began_at)
    assert not weather.network.offline
    assert not dropped
    assert await weather.fails(host, LATE)
    assert weather.network.offline
    weather.network.close()


async def test_a_near_host_waits_too_once_it_is_gone_itself() -> None:
    weather = Weather()
    near, far = weather.host("192.168.1.9:8000"), weather.host("api.example")
    assert await weather.fails(far, NO_NAME)
    assert not weather.network.holds(near)
    assert await weather.fails(near, NO_NAME)
    assert weather.network.holds(near)
    weather.network.close()


async def test_a_page_of_a_single_host_is_the_networks_where_nobody_had_to_prove_who_it_is() -> None:
    weather = Weather()
    plain = weather.network.host("http://plain.example/v1")
    plain.calls = 1
    weather.network.reached(plain)
    weather.passes(1)
    assert not await weather.network.excuses(plain, PAGE, weather.clock.now, Halt(), own_page=True)
    assert await weather.fails(plain, PAGE)
    weather.network.close()


async def test_a_try_that_was_on_the_wire_when_the_network_was_away_is_held_against_nobody() -> None:
    weather = Weather()
    host = weather.host("right.example")
    began = weather.clock.now
    weather.passes(60)
    assert await weather.fails(host, NO_NAME)
    weather.passes(1)
    weather.network.reached(host)
    assert not weather.network.offline
    assert await weather.fails(host, OTHER, began_at=began)
    weather.passes(1)
    assert not await weather.fails(host, OTHER)


async def test_what_may_lead_nowhere_now_is_dropped_when_it_goes_away_and_before_each_probe() -> None:
    refreshed: list[float] = []
    weather = Weather(probe_s=0.01, refresh=lambda: refreshed.append(0))
    await weather.fails(weather.host("right.example"), NO_NAME)
    assert len(refreshed) == 1
    while len(refreshed) < 3:
        await asyncio.sleep(0.005)
    weather.network.close()


async def test_each_probe_is_one_call_for_each_host() -> None:
    weather = Weather(probe_s=0.02)
    hosts = [weather.host(name) for name in ("one.example", "two.example")]
    hosts[1].trouble = NO_NAME
    await weather.fails(hosts[0], NO_NAME)
    waiting = [asyncio.create_task(weather.network.wait(host, Halt())) for host in hosts for _ in range(3)]
    await asyncio.sleep(0)
    weather.network._probe()
    await asyncio.sleep(0)
    assert [task.done() for task in waiting] == [True, False, False, True, False, False]
    weather.network.reached(hosts[0])
    await asyncio.gather(*waiting)


async def test_an_outage_that_lasts_is_told_and_so_is_its_end() -> None:
    said: list[str] = []
    weather = Weather(probe_s=30)
    weather.network.tell = said.append
    host = weather.host("right.example")
    await weather.fails(host, NO_NAME)
    weather.network._probe()
    assert said == []  # a moment is not worth a sentence
    weather.passes(40)
    weather.network._probe()
    weather.network.reached(host)
    assert said == [
        "offline (right.example cannot be reached): calls wait, nothing is lost; trying again every 30 s",
        "the network is back after 40 s",
    ]


async def test_two_ports_of_one_machine_are_one_machine() -> None:
    weather = Weather()
    one, two = weather.host("10.0.0.7:8000"), weather.host("10.0.0.7:8001")
    assert not await weather.fails(one, REFUSED)
    assert not await weather.fails(two, REFUSED)


async def test_a_host_that_was_never_reached_is_not_offline() -> None:
    weather = Weather()
    assert not await weather.fails(weather.host("wrong.example", reached=False), NO_NAME)


async def test_a_host_that_was_never_reached_does_not_keep_others_from_being_offline() -> None:
    weather = Weather()
    weather.host("wrong.example", reached=False)
    assert await weather.fails(weather.host("right.example"), NO_NAME)
    weather.network.close()


async def test_a_host_that_nobody_uses_any_more_has_no_say() -> None:
    weather = Weather()
    weather.host("finished.example", calls=0)
    assert await weather.fails(weather.host("right.example"), NO_NAME)
    weather.network.close()


async def test_while_offline_no_failure_of_any_host_counts() -> None:
    weather = Weather()
    host, wrong = weather.host("right.example"), weather.host("wrong.example", reached=False)
    await weather.fails(host, NO_NAME)
    assert await weather.fails(host, OTHER)
    assert await weather.fails(wrong, REFUSED)
    weather.network.reached(host)
    weather.passes(1)
    assert not await weather.fails(wrong, REFUSED)


async def test_a_call_that_was_on_the_wire_while_the_machine_slept_is_not_held_against_anybody() -> None:
    weather = Weather(probe_s=30)
    host = weather.host("right.example")
    began = weather.clock.now
    weather.network.beat()
    weather.passes(3_000, asleep=True)
    assert await weather.fails(host, OTHER, began_at=began)
    assert not weather.network.offline
    weather.passes(1)
    assert not await weather.fails(host, OTHER)


async def test_nor_is_one_that_was_on_the_wire_while_the_process_stood_still() -> None:
    weather = Weather()
    host = weather.host("right.example")
    began = weather.clock.now
    weather.network.beat()
    weather.passes(20)
    assert await weather.fails(host, OTHER, began_at=began)


async def test_time_that_passes_on_both_clocks_with_a_beat_each_second_is_no_sleep() -> None:
    weather = Weather()
    host = weather.host("right.example")
    began = weather.clock.now
    for _ in range(300):
        weather.passes(1)
        weather.network.beat()
    assert not await weather.fails(host, OTHER, began_at=began)


async def test_online_nobody_waits() -> None:
    network = Network()
    assert await network.wait(network.host("https://any.example"), Halt()) is False


async def test_one_call_is_the_probe_and_the_first_reply_lets_all_go() -> None:
    weather = Weather(probe_s=0.02)
    host = weather.host("right.example")
    await weather.fails(host, NO_NAME)
    waiting = [asyncio.create_task(weather.network.wait(host, Halt())) for _ in range(4)]
    await asyncio.sleep(0.03)
    assert [task.done() for task in waiting] == [True, False, False, False]
    assert waiting[0].result() is True
    weather.network.reached(host)
    assert await asyncio.gather(*waiting[1:]) == [False] * 3
    assert not weather.network.offline


async def test_a_cancelled_waiter_is_not_the_probe() -> None:
    weather = Weather(probe_s=0.02)
    host = weather.host("right.example")
    await weather.fails(host, NO_NAME)
    first, second = (asyncio.create_task(weather.network.wait(host, Halt())) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await asyncio.wait_for(second, 5)
    weather.network.close()


async def test_waiters_of_a_halted_endpoint_leave() -> None:
    weather, halt = Weather(), Halt()
    host = weather.host("right.example")
    await weather.fails(host, NO_NAME)
    leaves, stays = asyncio.create_task(weather.network.wait(host, halt)), asyncio.create_task(weather.network.wait(host, Halt()))
    await asyncio.sleep(0)
    halt.set(StoppedEarly("enough"))
    weather.network.release_halted()
    with pytest.raises(StoppedEarly, match="enough"):
        await leaves
    assert not stays.done()
    stays.cancel()
    weather.network.close()


async def test_after_the_longest_wait_it_gives_up_in_a_sentence() -> None:
    said: list[StoppedEarly] = []
    weather = Weather(probe_s=0.01, give_up=said.append)
    await weather.fails(weather.host("right.example"), NO_NAME)
    weather.passes(OFFLINE_WAIT_S - 1)
    await asyncio.sleep(0.03)
    assert said == []
    weather.passes(1)
    await asyncio.sleep(0.03)
    assert [str(reason) for reason in said] == [
        "offline for 120 minutes (right.example cannot be reached); run the same command again when the network is back"
    ]
    assert said[0].exit_code == 3


def test_the_times_are_those_of_the_design() -> None:
    assert (PROBE_S, OFFLINE_WAIT_S) == (15, 7_200)


KEY_OF = aiohttp.client_reqrep.ConnectionKey("h", 443, True, True, None, None, None)


@pytest.mark.parametrize(
    "cause, expected",
    [
        (aiohttp.ClientConnectorError(KEY_OF, OSError(errno.ECONNREFUSED, "refused")), REFUSED),
        (aiohttp.ClientConnectorError(KEY_OF, OSError(errno.ENETUNREACH, "no route")), NO_NAME),
        (aiohttp.ClientConnectorError(KEY_OF, OSError("Multiple exceptions: [Errno 111] Connect call failed, [Errno 101] x")), REFUSED),
        (aiohttp.ClientConnectorError(KEY_OF, OSError("Multiple exceptions: [Errno 101] x, [Errno 113] y")), NO_NAME),
        (aiohttp.ClientProxyConnectionError(KEY_OF, OSError(errno.ECONNREFUSED, "refused")), NO_NAME),
        (aiohttp.ClientConnectorDNSError(KEY_OF, OSError(-3, "Temporary failure in name resolution")), NO_NAME),
        (aiohttp.ClientConnectorSSLError(KEY_OF, OSError(1, "handshake")), CUT),
        (aiohttp.ClientOSError(errno.ETIMEDOUT, "silence"), NO_NAME),
        (OSError(errno.ENETDOWN, "no interface"), NO_NAME),
        (aiohttp.ConnectionTimeoutError(), LATE),
        (TimeoutError(), NO_NAME),
        (ConnectionResetError(), CUT),
        (aiohttp.ClientOSError(errno.ECONNRESET, "reset"), CUT),
        (aiohttp.ServerDisconnectedError(), CUT),
        (ValueError("no HTTP"), OTHER),
    ],
)
@pytest.mark.skipif(errno.ECONNREFUSED != 111, reason="the texts hold Linux's numbers")
def test_a_connection_error_tells_of_the_network_what_its_cause_tells(cause: Exception, expected: Trouble) -> None:
    error = CallError(ErrorKind.CONNECTION, "x")
    error.__cause__ = cause
    assert trouble_of(error, None) is expected


@pytest.mark.parametrize("kind", [ErrorKind.TIMEOUT, ErrorKind.GARBLED])
def test_a_reply_that_does_not_come_or_is_cut_tells_nothing(kind: ErrorKind) -> None:
    error = CallError(kind, "x")
    error.__cause__ = TimeoutError()
    assert trouble_of(error, None) is OTHER


@pytest.mark.parametrize(
    "status, content_type, body, expected",
    [
        (200, "text/html; charset=utf-8", b"hello", PAGE),
        (200, "application/json", b"\n <!DOCTYPE html>", PAGE),
        (302, "text/html", b"", PAGE),
        (307, "application/json", b"{}", PAGE),
        (511, "text/html", b"<html>", FOREIGN),
        (502, "text/html", b"<html>Bad gateway", None),
        (500, "application/json", b"{}", None),
        (200, "application/json", b"{", None),
        (200, "text/html", b'{"choices": []}', None),
    ],
)
def test_html_in_place_of_an_answer_tells_of_somebody_in_between(
    status: int, content_type: str, body: bytes, expected: Trouble | None
) -> None:
    reply = Reply(status, {"content-type": content_type}, body)
    assert trouble_of(CallError(ErrorKind.GARBLED, "x"), reply) is expected


class FakeResolver(AbstractResolver):
    """Finds every name on loopback, until it finds none."""

    works = True
    asked = 0

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[Any]:
        self.asked += 1
        await asyncio.sleep(0.005)
        if not self.works:
            raise OSError(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        return None


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    proxy_for.cache_clear()


def with_resolver(endpoint: Endpoint, resolver: FakeResolver) -> None:
    """The endpoint's session, looking names up in `resolver`, with no connection kept."""
    old = endpoint.account.transport.session
    connector = aiohttp.TCPConnector(limit=0, resolver=resolver, use_dns_cache=False, force_close=True)
    endpoint.account.transport.session = aiohttp.ClientSession(
        connector=connector, timeout=aiohttp.ClientTimeout(total=None, sock_connect=1), connector_owner=True
    )
    endpoint.halt = QuickHalt()
    asyncio.get_running_loop().create_task(old.close())


def lab(server: RawServer, *names: str, probe_s: float = 0.03, wait_s: float = 60) -> tuple[Registry, list[Endpoint], FakeResolver]:
    registry = registry_for({name: f"http://{name}.example:{server.port}/v1" for name in names}, offline_wait_s=wait_s, concurrency=16)
    registry.network._probe_s = probe_s
    endpoints, resolver = [registry.endpoint(name, "m", {}) for name in names], FakeResolver()
    for endpoint in endpoints:
        with_resolver(endpoint, resolver)
    return registry, endpoints, resolver


@pytest.mark.usefixtures("no_proxy")
async def test_calls_wait_while_names_do_not_resolve_and_go_on_afterwards_without_a_try_used() -> None:
    async with serving(OK) as server:
        registry, (endpoint,), resolver = lab(server, "one")
        assert (await ask(endpoint, "first")).completion is not None
        resolver.works, sent = False, endpoint.stats.sent
        tasks = [asyncio.create_task(ask(endpoint, str(number))) for number in range(40)]
        await asyncio.sleep(0.05)
        assert registry.network.offline
        assert endpoint.stats.sent - sent <= endpoint.group.slots + 4  # what queued for a slot meanwhile is not sent
        asked, began = resolver.asked, time.monotonic()
        await asyncio.sleep(0.3)
        probes = resolver.asked - asked
        assert 2 <= probes <= (time.monotonic() - began) / 0.03 + 1  # one each interval, not one for each call
        assert endpoint.group.in_use <= 1  # at most the probe that is out
        resolver.works = True
        results = await asyncio.wait_for(asyncio.gather(*tasks), 10)
        assert all(result.completion is not None for result in results)
        assert (endpoint.stats.failed, endpoint.stats.retried) == (0, 0)
        assert isinstance(endpoint.halt, QuickHalt)
        assert endpoint.halt.slept == []
        assert endpoint.host.calls == endpoint.group.in_use == 0
        await registry.close()


@pytest.mark.usefixtures("no_proxy")
async def test_offline_for_too_long_stops_every_endpoint_with_exit_3() -> None:
    async with serving(OK) as server:
        registry, (one, two), resolver = lab(server, "one", "two", wait_s=0.15)
        await asyncio.gather(ask(one, "first"), ask(two, "first"))
        resolver.works = False
        found = await asyncio.wait_for(
            asyncio.gather(*(ask(endpoint, str(n)) for endpoint in (one, two) for n in range(8)), return_exceptions=True), 10
        )
        assert {type(error) for error in found} == {StoppedEarly}
        assert all(str(error).startswith("offline for") for error in found)
        assert one.stats.failed == two.stats.failed == 0
        await registry.close()


@pytest.mark.usefixtures("no_proxy")
async def test_a_name_that_never_resolved_uses_tries_and_opens_its_breaker() -> None:
    async with serving(OK) as server:
        registry, (endpoint,), resolver = lab(server, "typo")
        resolver.works = False
        for number in range(10):
            result = await ask(endpoint, str(number))
            assert result.error is not None
            assert result.tries.attempts == 6
        assert endpoint.halt.reason is not None
        assert not registry.network.offline
        await registry.close()


@pytest.mark.usefixtures("no_proxy")
async def test_a_single_server_that_goes_away_uses_tries_and_is_not_waited_for() -> None:
    server = RawServer(replies(OK))
    await server.start()
    registry, (endpoint,), _ = lab(server, "one")
    await ask(endpoint, "first")
    await server.stop()
    result = await ask(endpoint, "second")
    assert result.error is not None
    assert (result.error.kind, result.tries.attempts) == (ErrorKind.CONNECTION, 6)
    assert not registry.network.offline
    await registry.close()


@pytest.mark.usefixtures("no_proxy")
async def test_servers_of_several_hosts_that_go_away_together_are_waited_for_until_they_are_back() -> None:
    server = RawServer(replies(OK))
    await server.start()
    registry, (one, two), _ = lab(server, "one", "two")
    await asyncio.gather(ask(one, "first"), ask(two, "first"))
    await server.stop()
    tasks = [asyncio.create_task(ask(endpoint, str(n))) for endpoint in (one, two) for n in range(10)]
    while not registry.network.offline:
        await asyncio.sleep(0.005)
    await server.start()
    results = await asyncio.wait_for(asyncio.gather(*tasks), 10)
    assert all(result.completion is not None for result in results)
    await registry.close()
    await server.stop()


@pytest.mark.usefixtures("no_proxy")
async def test_a_page_to_log_in_to_a_network_is_waited_out() -> None:
    page = http(body=b"<html>Welcome to our hotel</html>", content_type="text/html")
    logged_in = False

    async def script(_: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(OK if logged_in or first else page)

    async with serving(script) as server:
        first = True
        registry, (one, two), _ = lab(server, "one", "two")
        await asyncio.gather(ask(one, "first"), ask(two, "first"))
        first = False
        tasks = [asyncio.create_task(ask(endpoint, str(n))) for endpoint in (one, two) for n in range(5)]
        while not registry.network.offline:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.1)
        logged_in = True
        results = await asyncio.wait_for(asyncio.gather(*tasks), 10)
        await registry.close()
    assert all(result.completion is not None for result in results)


@pytest.mark.usefixtures("no_proxy")
async def test_offline_an_endpoint_that_is_stopped_leaves_at_once() -> None:
    async with serving(OK) as server:
        registry, (endpoint,), resolver = lab(server, "one", probe_s=30)
        await ask(endpoint, "first")
        resolver.works = False
        task = asyncio.create_task(ask(endpoint, "second"))
        while not registry.network.offline:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.01)
        endpoint.stop(StoppedEarly("enough"))
        with pytest.raises(StoppedEarly, match="enough"):
            await asyncio.wait_for(task, 5)
        assert endpoint.stats.failed == 0
        await registry.close()
