"""What can go wrong on the wire, against a server that does it."""

from __future__ import annotations

import asyncio
import gzip
import os
import socket
import time
from collections.abc import Iterator

import pytest
from yarl import URL

from siuo_async.client import transport as module
from siuo_async.client.room import Room
from siuo_async.errors import CallError, ErrorKind
from siuo_async.network import proxy_for
from siuo_async.providers.dialects.base import Reply
from tests.client.servers import OK, RawServer, Script, Seen, answer, closed_port, hang_up, http, opened, serving


async def post(url: str, *parts: bytes, total_s: float = 30.0) -> Reply:
    async with opened(total_s) as transport:
        return await transport.post(URL(url), {"Content-Type": "application/json"}, parts or (b"{}",))


async def error_of(script: Script | bytes, *parts: bytes, total_s: float = 30.0) -> CallError:
    async with serving(script) as server:
        with pytest.raises(CallError) as caught:
            await post(server.url, *parts, total_s=total_s)
    return caught.value


async def test_a_reply_is_status_headers_and_bytes() -> None:
    async with serving(http(418, b"\xff\x00", x_request_id="r7")) as server:
        reply = await post(server.url)
    assert (reply.status, reply.body, reply.headers.get("X-Request-Id")) == (418, b"\xff\x00", "r7")


async def test_a_body_in_parts_arrives_as_if_it_were_joined() -> None:
    parts = (b'{"a":"', os.urandom(700_000), b'","b":"', os.urandom(3), b"", b'"}')
    async with serving(OK) as server:
        await post(server.url, *parts)
    seen = server.seen[0]
    assert seen.body == b"".join(parts)
    assert seen.headers["content-length"] == str(sum(map(len, parts)))
    assert "transfer-encoding" not in seen.headers
    assert seen.headers["content-type"] == "application/json"


async def test_connections_are_used_again() -> None:
    async with serving(OK) as server, opened() as transport:
        for _ in range(5):
            await transport.post(URL(server.url), {}, (b"{}",))
    assert (len(server.seen), server.connections) == (5, 1)


async def test_more_than_a_hundred_calls_are_really_on_the_wire_at_once() -> None:
    all_here = asyncio.Event()

    async def script(seen: Seen, writer: asyncio.StreamWriter) -> None:
        if seen.number == 250:
            all_here.set()
        await all_here.wait()
        writer.write(OK)

    async with serving(script) as server, opened() as transport:
        posts = (transport.post(URL(server.url), {}, (b"{}",)) for _ in range(250))
        await asyncio.wait_for(asyncio.gather(*posts), 20)
    assert server.most_open == 250


async def test_a_refused_connection_was_not_billed() -> None:
    with pytest.raises(CallError) as caught:
        await post(f"http://127.0.0.1:{closed_port()}/v1")
    assert (caught.value.kind, caught.value.maybe_billed) == (ErrorKind.CONNECTION, False)


async def test_a_name_that_does_not_resolve_is_a_connection_error_that_names_the_host() -> None:
    with pytest.raises(CallError, match=r"nowhere\.invalid") as caught:
        await post("http://nowhere.invalid/v1")
    assert caught.value.kind is ErrorKind.CONNECTION


async def _reset(_: Seen, writer: asyncio.StreamWriter) -> None:
    hang_up(writer)


async def test_a_reset_before_the_headers_may_have_been_billed() -> None:
    error = await error_of(_reset)
    assert (error.kind, error.maybe_billed) == (ErrorKind.CONNECTION, True)


async def test_a_connection_that_is_closed_without_a_reply_is_a_connection_error() -> None:
    async def script(_: Seen, writer: asyncio.StreamWriter) -> None:
        writer.close()

    error = await error_of(script)
    assert (error.kind, error.maybe_billed) == (ErrorKind.CONNECTION, True)


@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_a_cut_body_is_garbled_and_may_have_been_billed(ending: str) -> None:
    async def script(_: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(http(body=answer()[:40], length=400))
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.close() if ending == "close" else hang_up(writer)

    error = await error_of(script)
    assert error.maybe_billed
    assert error.kind is ErrorKind.GARBLED or ending == "reset"
    assert error.kind in (ErrorKind.GARBLED, ErrorKind.CONNECTION)


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope",
        b"SSH-2.0-OpenSSH_9.7\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000 + b"\r\n\r\n",
    ],
    ids=["chunk", "gzip", "ssh", "length", "long header"],
)
async def test_bytes_that_are_no_http_are_a_call_error(raw: bytes) -> None:
    error = await error_of(raw)
    assert error.kind in (ErrorKind.CONNECTION, ErrorKind.GARBLED)
    assert len(error.message) < 400


async def test_an_endless_body_is_given_up_at_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_REPLY_BYTES", 1 << 20)
    written = 0

    async def script(_: Seen, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
        while True:
            writer.write(b" " * 65_536)
            await writer.drain()
            written += 65_536

    error = await error_of(script)
    assert (error.kind, error.maybe_billed) == (ErrorKind.GARBLED, True)
    assert "longer than" in error.message
    assert written < 32 << 20


async def test_a_small_body_that_unpacks_to_an_endless_one_is_given_up_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_REPLY_BYTES", 1 << 20)
    error = await error_of(http(body=gzip.compress(b" " * (24 << 20)), content_encoding="gzip"))
    assert error.kind is ErrorKind.GARBLED


async def test_long_replies_are_read_side_by_side_and_a_stalled_one_holds_up_no_other() -> None:
    body = b" " * (3 << 20)
    stalled = asyncio.Event()

    async def script(seen: Seen, writer: asyncio.StreamWriter) -> None:
        whole = http(body=body)
        if seen.number <= 4:
            writer.write(whole[: 2 << 20])
            await stalled.wait()
            writer.write(whole[2 << 20 :])
        else:
            writer.write(whole)
        await writer.drain()

    async with serving(script) as server, opened() as transport:
        early = [asyncio.create_task(transport.post(URL(server.url), {}, (b"{}",))) for _ in range(4)]
        while len(server.seen) < 4:
            await asyncio.sleep(0.005)
        late = await asyncio.wait_for(transport.post(URL(server.url), {}, (b"{}",)), 20)
        assert not any(task.done() for task in early)
        stalled.set()
        found = await asyncio.wait_for(asyncio.gather(*early), 20)
    assert [len(reply.body) for reply in (late, *found)] == [len(body)] * 5


@pytest.mark.parametrize("short", [True, False])
async def test_where_there_is_no_room_long_replies_are_read_few_at_once_and_all_of_them_come(short: bool) -> None:
    body = b" " * (3 << 20)
    async with serving(http(body=body)) as server, opened(short=short) as transport:
        transport.room = Room(4 << 20, room_bytes=0, places=1)
        url = URL(server.url)
        found = await asyncio.wait_for(asyncio.gather(*(transport.post(url, {}, (b"{}",)) for _ in range(5))), 20)
        assert [len(reply.body) for reply in found] == [len(body)] * 5
        transport.room = Room(2 << 20, room_bytes=0, places=1)
        for _ in range(2):  # the first gave its place back
            with pytest.raises(CallError, match="longer than 2 MiB"):
                await transport.post(url, {}, (b"{}",))


async def test_a_server_that_never_gets_beyond_interim_replies_is_given_up() -> None:
    async def script(_: Seen, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"HTTP/1.1 103 Hints\r\n\r\n" * 64)
            await writer.drain()

    error = await error_of(script)
    assert (error.kind, error.maybe_billed) == (ErrorKind.GARBLED, True)
    assert "interim" in error.message


async def test_a_redirect_is_not_followed() -> None:
    async with serving(http(307, location="http://127.0.0.1:1/elsewhere")) as server:
        reply = await post(server.url)
    assert reply.status == 307
    assert len(server.seen) == 1


async def _silent(_: Seen, __: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def test_no_reply_in_time_is_a_timeout_that_may_have_been_billed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SWEEP_S", 0.02)
    began = time.monotonic()
    error = await error_of(_silent, total_s=0.1)
    assert (error.kind, error.maybe_billed) == (ErrorKind.TIMEOUT, True)
    assert 0.1 <= time.monotonic() - began < 2


async def test_a_body_that_drips_for_ever_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SWEEP_S", 0.02)

    async def script(_: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(http(length=1_000_000))
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    assert (await error_of(script, total_s=0.15)).kind is ErrorKind.TIMEOUT


async def test_a_slow_upload_does_not_count_as_time_for_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SWEEP_S", 0.02)
    took_s = 0.0

    async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal took_s
        began = time.monotonic()
        got = 0
        while got < 24 << 20:
            chunk = await reader.read(1 << 20)
            got += len(chunk)
            await asyncio.sleep(0.02)
        took_s = time.monotonic() - began
        writer.write(OK)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(slowly, "127.0.0.1", 0, limit=1 << 18)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reply = await post(f"http://127.0.0.1:{port}/", b" " * (24 << 20), total_s=0.3)
    assert reply.status == 200
    assert took_s > 0.5


async def test_an_upload_that_stands_still_is_given_up_and_was_not_billed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SWEEP_S", 0.02)
    gone = asyncio.Event()

    async def deaf(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gone.wait()
        writer.transport.abort()

    server = await asyncio.start_server(deaf, "127.0.0.1", 0, limit=1 << 10)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(CallError) as caught:
            await post(f"http://127.0.0.1:{port}/", b" " * (24 << 20), total_s=0.2)
        gone.set()
        await asyncio.sleep(0.01)
    assert (caught.value.kind, caught.value.maybe_billed) == (ErrorKind.CONNECTION, False)


async def test_a_connection_that_is_never_accepted_is_given_up_after_the_connect_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_S", 0.2)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(0)
        address = sock.getsockname()
        fillers = [socket.socket() for _ in range(3)]  # the backlog is full: a further SYN gets no answer
        try:
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(address)
            with pytest.raises(CallError) as caught:
                await post(f"http://127.0.0.1:{address[1]}/")
        finally:
            for filler in fillers:
                filler.close()
    assert (caught.value.kind, caught.value.maybe_billed) == (ErrorKind.CONNECTION, False)


async def test_time_in_which_the_whole_process_stood_still_counts_in_no_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SWEEP_S", 0.05)
    monkeypatch.setattr(module, "HELD_S", 0.1)

    async def script(_: Seen, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        writer.write(OK)

    async with serving(script) as server, opened(total_s=0.45) as transport:
        task = asyncio.create_task(transport.post(URL(server.url), {}, (b"{}",)))
        await asyncio.sleep(0.08)
        time.sleep(0.6)
        assert (await task).status == 200


async def test_a_cancelled_call_closes_its_connection_and_leaves_no_timer() -> None:
    async with serving(_silent) as server, opened() as transport:
        task = asyncio.create_task(transport.post(URL(server.url), {}, (b"{}",)))
        while not server.seen:
            await asyncio.sleep(0.005)
        assert len(transport.sweep.ages()) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert transport.sweep.ages() == []
        assert not transport.session.connector._conns  # type: ignore[union-attr]  # nothing half-used is kept


@pytest.fixture
def proxies(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    proxy_for.cache_clear()
    yield monkeypatch
    proxy_for.cache_clear()


async def test_calls_go_through_the_proxy_of_the_environment(proxies: pytest.MonkeyPatch) -> None:
    async with serving(OK) as proxy:
        proxies.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        reply = await post("http://api.example/v1/chat")
    assert reply.status == 200
    assert proxy.seen[0].path == "http://api.example/v1/chat"


async def test_this_machine_is_reached_directly(proxies: pytest.MonkeyPatch) -> None:
    async with serving(OK) as proxy, serving(OK) as server:
        proxies.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        await post(server.url)
    assert (len(proxy.seen), len(server.seen)) == (0, 1)


async def test_a_proxy_that_is_down_is_a_connection_error_without_its_password(proxies: pytest.MonkeyPatch) -> None:
    proxies.setenv("HTTP_PROXY", f"http://me:hunter2@127.0.0.1:{closed_port()}")
    with pytest.raises(CallError) as caught:
        await post("http://api.example/v1/chat")
    assert caught.value.kind is ErrorKind.CONNECTION
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize(
    "status, kind",
    [
        *((403, ErrorKind.ROUTE), (407, ErrorKind.ROUTE)),
        *((408, ErrorKind.CONNECTION), (429, ErrorKind.CONNECTION), (502, ErrorKind.CONNECTION), (504, ErrorKind.CONNECTION)),
    ],
)
async def test_a_proxy_that_turns_all_away_is_no_way_and_one_that_is_busy_is_tried_again(
    proxies: pytest.MonkeyPatch, status: int, kind: ErrorKind
) -> None:
    async with serving(http(status)) as proxy:
        proxies.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(CallError) as caught:
            await post("https://api.example/v1/chat")
    assert (caught.value.kind, caught.value.maybe_billed) == (kind, False)
    assert f"the proxy on the way to api.example answered {status}" in caught.value.message


async def test_a_server_is_stopped_and_started_on_one_port() -> None:
    server = RawServer(lambda seen, writer: asyncio.sleep(0, writer.write(OK)))
    await server.start()
    async with opened() as transport:
        await transport.post(URL(server.url), {}, (b"{}",))
        await server.stop()
        with pytest.raises(CallError):
            await transport.post(URL(server.url), {}, (b"{}",))
        await server.start()
        assert (await transport.post(URL(server.url), {}, (b"{}",))).status == 200
    await server.stop()
