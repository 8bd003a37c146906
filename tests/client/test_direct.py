"""The short way onto the wire does what a session does: the same bytes out, the same replies and errors back."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from yarl import URL

from siuo_async.client import direct as module
from siuo_async.client.direct import own_headers, possible
from siuo_async.client.transport import Transport
from siuo_async.errors import CallError, ErrorKind
from tests.client.servers import OK, Script, Seen, answer, closed_port, hang_up, http, opened, serving

HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer abc"}
BODY = answer("a" * 50_000)


async def came(transport: Transport, url: str, *parts: bytes, headers: dict[str, str] | None = None) -> tuple[Any, ...]:
    """A reply, or an error with its cause, as something that can be compared."""
    try:
        reply = await transport.post(URL(url), HEADERS if headers is None else headers, parts or (b"{}",))
    except CallError as error:
        return error.kind, error.maybe_billed, type(error.__cause__), error.message.replace(URL(url).authority, "HOST")
    return reply.status, sorted(reply.headers.items()), reply.body


async def both(script: Callable[[], Script | bytes], *parts: bytes, times: int = 1) -> list[list[tuple[Any, ...]]]:
    """What `times` calls gave through the session, and what they gave the short way."""
    found = []
    for short in (False, True):
        async with serving(script()) as server, opened(short=short) as transport:
            found.append([await came(transport, server.url, *parts) for _ in range(times)])
    return found


def test_this_aiohttp_has_what_the_short_way_needs() -> None:
    assert possible()


async def test_the_short_way_is_taken() -> None:
    async with serving(OK) as server, opened(short=True) as transport:
        await transport.session.close()  # a session that is closed sends nothing
        found = await came(transport, server.url)
        assert found[0] is ErrorKind.CONNECTION
    async with serving(OK) as server, opened(short=True) as transport:
        await came(transport, server.url)
        assert transport.session.connector is not None
        assert not transport.session.connector._conns
        assert len(transport.session.connector._acquired) == 1


async def test_both_ways_send_the_same_bytes() -> None:
    heads: list[list[str]] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads[-1].append((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
        writer.write(OK)
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for short in (False, True):
            heads.append([])
            async with opened(short=short) as transport:
                for path in ("/v1/chat/completions", "/v1beta/models/a%3Ab:generateContent?x=1%2F2", "/"):
                    await came(transport, base + path)
                await came(transport, base, headers={"x-goog-api-key": "k", "Content-Type": "application/json"})
    assert heads[0] == heads[1]


CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
ZIPPED = gzip.compress(BODY)


@pytest.mark.parametrize(
    "raw",
    [
        http(body=BODY),
        http(418, b"\xff\x00", x_request_id="r7"),
        http(204),
        http(307, location="http://127.0.0.1:1/elsewhere"),
        http(body=ZIPPED, content_encoding="gzip"),
        http(body=zlib.compress(BODY), content_encoding="deflate"),
        http(body=zlib.compress(BODY)[2:-4], content_encoding="deflate"),
        http(body=b"nope", content_encoding="gzip"),
        http(body=ZIPPED[:100], content_encoding="gzip"),
        CHUNKED + b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        CHUNKED.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n") + b"%x\r\n%b\r\n0\r\n\r\n" % (len(ZIPPED), ZIPPED),
        CHUNKED + b"zz\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + http(body=b"{}"),
        b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + http(body=b"{}"),
        b"HTTP/1.1 099 X\r\ncontent-length: 2\r\n\r\n{}",
        b"SSH-2.0-OpenSSH_9.7\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
    ],
    ids=[
        *("large", "418", "204", "redirect", "gzip", "deflate", "raw deflate", "no gzip", "cut gzip", "chunked", "chunked gzip"),
        *("bad chunk", "100", "103", "099", "ssh", "bad length", "long header", "1.0", "close"),
    ],
)
async def test_both_ways_read_the_same(raw: bytes) -> None:
    session, short = await both(lambda: raw, times=2)
    assert session == short


def broken(how: str) -> Script:
    async def script(seen: Seen, writer: asyncio.StreamWriter) -> None:
        if how == "silence then reset":
            hang_up(writer)
        elif how == "silence then close":
            writer.close()
        else:
            head = CHUNKED if "chunk" in how else http(length=400) if "length" in how else b"HTTP/1.1 200 OK\r\n\r\n"
            writer.write(head + (b"5\r\nhello\r\n" if "chunk" in how else b"hello"))
            await writer.drain()
            await asyncio.sleep(0.02)
            writer.close()

    return script


@pytest.mark.parametrize("how", ["silence then reset", "silence then close", "cut in a chunk", "cut below its length", "until closed"])
async def test_both_ways_tell_the_same_of_a_connection_that_ends(how: str) -> None:
    session, short = await both(lambda: broken(how), times=2)
    assert [found[:3] for found in session] == [found[:3] for found in short]


async def test_both_ways_tell_the_same_of_a_server_that_is_not_there() -> None:
    port = closed_port()
    found = []
    for short in (False, True):
        async with opened(short=short) as transport:
            found.append([await came(transport, url) for url in (f"http://127.0.0.1:{port}/v1", "http://nowhere.invalid/v1")])
    assert found[0] == found[1]


async def test_both_ways_refuse_a_server_without_tls() -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    found = []
    async with server:
        for short in (False, True):
            async with opened(short=short) as transport:
                found.append((await came(transport, f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"))[:3])
    assert found[0] == found[1]
    assert found[0][0] is ErrorKind.CONNECTION


@pytest.mark.parametrize("short", [False, True])
async def test_a_reply_that_comes_before_the_upload_is_done_is_the_reply(short: bool) -> None:
    told, gone = asyncio.Event(), asyncio.Event()

    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(http(413, b"{}"))
        await told.wait()
        writer.transport.abort()
        gone.set()

    server = await asyncio.start_server(early, "127.0.0.1", 0, limit=1 << 16)
    async with server, opened(short=short) as transport:
        found = await asyncio.wait_for(
            came(transport, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", b" " * (32 << 20)), 10
        )
        assert found[0] == 413
        if transport.direct is not None:
            assert not any(transport.direct._idle.values())  # half a body is still in it
        told.set()
        await gone.wait()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "headers",
    [{"User-Agent": "mine"}, {"Host": "x"}, {"X": "a\r\nB: c"}, {"X": "\u00fc"}, {"Accept-Encoding": "identity"}],
    ids=["agent", "host", "newline", "umlaut", "encoding"],
)
async def test_headers_that_are_out_of_the_ordinary_go_through_the_session(headers: dict[str, str]) -> None:
    assert own_headers(headers) is None
    found = []
    for short in (False, True):
        async with serving(OK) as server, opened(short=short) as transport:
            came_back = await came(transport, server.url, headers=headers)
            found.append((came_back[0], [seen.headers | {"host": ""} for seen in server.seen]))
    assert found[0] == found[1]


async def test_a_connection_on_which_something_came_unasked_is_not_used_again() -> None:
    async def script(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(http(body=b"%d" % seen.number))
        await writer.drain()
        await asyncio.sleep(0.02)
        if seen.number == 1:
            writer.write(http(body=b"unasked"))

    async with serving(script) as server, opened(short=True) as transport:
        first = await transport.post(URL(server.url), HEADERS, (b"{}",))
        await asyncio.sleep(0.05)
        second = await transport.post(URL(server.url), HEADERS, (b"{}",))
    assert (first.body, second.body, server.connections) == (b"1", b"2", 2)


async def test_a_late_answer_of_a_gateway_that_gave_up_is_not_taken_for_the_next_one() -> None:
    on_it: dict[int, int] = {}

    async def script(seen: Seen, writer: asyncio.StreamWriter) -> None:
        on_it[seen.connection] = on_it.get(seen.connection, 0) + 1
        if seen.number == 1:
            writer.write(http(504))
        elif on_it[seen.connection] > 1:  # the late one goes out first
            writer.write(http(body=b"late") + http(body=b"right"))
        else:
            writer.write(http(body=b"right"))

    async with serving(script) as server, opened(short=True) as transport:
        found = [await transport.post(URL(server.url), HEADERS, (b"{}",)) for _ in range(2)]
    assert [(reply.status, reply.body) for reply in found] == [(504, b""), (200, b"right")]


async def test_half_a_reply_that_nobody_asked_for_is_no_part_of_the_next_one() -> None:
    async def script(seen: Seen, writer: asyncio.StreamWriter) -> None:
        late = http(body=b"late")
        writer.write(http(body=b"%d" % seen.number) if seen.number == 1 else late[20:] + http(body=b"%d" % seen.number))
        await writer.drain()
        if seen.number == 1:
            await asyncio.sleep(0.02)
            writer.write(late[:20])

    async with serving(script) as server, opened(short=True) as transport:
        first = await came(transport, server.url)
        await asyncio.sleep(0.05)
        second = await came(transport, server.url)
    assert (first[0], first[2]) == (200, b"1")
    assert second[0] is ErrorKind.GARBLED


async def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again() -> None:
    async def script(_: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await writer.drain()
        writer.close()

    async with serving(script) as server, opened(short=True) as transport:
        for _ in range(3):
            assert (await transport.post(URL(server.url), HEADERS, (b"{}",))).status == 200
            await asyncio.sleep(0.02)


async def test_a_connection_that_was_idle_for_long_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(OK) as server, opened(short=True) as transport:
        await transport.post(URL(server.url), HEADERS, (b"{}",))
        monkeypatch.setattr(module, "_KEPT_S", -1.0)
        await transport.post(URL(server.url), HEADERS, (b"{}",))
        assert server.connections == 2
        await asyncio.sleep(0.02)
        assert server.open_now == 1


async def test_all_models_of_a_host_share_its_connections() -> None:
    async with serving(OK) as server, opened(short=True) as transport:
        for name in ("a", "b", "c"):
            await transport.post(URL(f"{server.url}/models/{name}"), HEADERS, (b"{}",))
    assert server.connections == 1


@pytest.mark.parametrize("size", [2, 16 << 20])
async def test_a_cancelled_call_closes_its_connection(size: int) -> None:
    closed = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read(1)
            began.set()
            while await reader.read(1 << 20):
                await asyncio.sleep(0.01)
        writer.transport.abort()
        closed.set()

    began = asyncio.Event()
    server = await asyncio.start_server(mute, "127.0.0.1", 0, limit=1 << 16)
    async with server, opened(short=True) as transport:
        url = URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        task = asyncio.create_task(transport.post(url, HEADERS, (b" " * size,)))
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert transport.direct is not None
        assert not any(transport.direct._idle.values())
        assert transport.sweep.ages() == []
        await asyncio.wait_for(closed.wait(), 10)
        await asyncio.sleep(0.01)


async def test_a_server_that_stopped_reading_keeps_no_connection_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # takes connections, and no byte of them
        async with opened(short=True) as transport:
            connector = transport.session.connector
            assert connector is not None
            url = URL(f"http://127.0.0.1:{server.getsockname()[1]}/")
            task = asyncio.create_task(transport.post(url, HEADERS, (b" " * (16 << 20),)))
            while not (stalled := [handler for handler in connector._acquired if getattr(handler, "writing_paused", False)]):
                await asyncio.sleep(0.001)
            assert stalled[0].transport is not None
            held = stalled[0].transport.get_extra_info("socket")
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.sleep(0.001)
            assert held.fileno() == -1
