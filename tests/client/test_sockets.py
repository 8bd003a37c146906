"""Sockets that notice a peer which is gone, and connections that are not used after the network changed."""

from __future__ import annotations

import asyncio
import errno
import socket

import pytest
from yarl import URL

from siuo_async.client import sockets
from siuo_async.client.sockets import SILENT_S, open_socket
from siuo_async.client.transport import Sweep, Transport
from tests.client.servers import OK, ask, endpoint_for, serving

HEADERS = {"Content-Type": "application/json"}


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="needs Linux's names")
def test_a_socket_asks_for_signs_of_life_and_gives_up_after_a_while() -> None:
    with open_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1))) as opened:
        assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        found = {name: opened.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL")}
        assert found == {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 15}
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 1000 * SILENT_S


def test_a_call_that_never_gets_a_sign_of_life_fails_long_before_its_timeout() -> None:
    assert SILENT_S < 600 / 5


async def test_an_option_that_the_system_refuses_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bare(socket.socket):
        def setsockopt(self, level: int, *args: object) -> None:  # type: ignore[override]
            if level == socket.IPPROTO_TCP:
                raise OSError(errno.ENOPROTOOPT, "Protocol not available")

    monkeypatch.setattr("siuo_async.client.sockets.socket.socket", Bare)
    with open_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1))) as opened:
        assert isinstance(opened, Bare)


async def test_calls_go_over_such_sockets() -> None:
    async with serving(OK) as server:
        transport = Transport.open(Sweep())
        await transport.post(URL(server.url), HEADERS, (b"{}",))
        assert transport.direct is not None
        (idle,) = transport.direct._idle.values()
        handler = idle[0][0].protocol
        assert handler is not None
        assert handler.transport is not None
        assert handler.transport.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        await transport.sweep.close()
        await transport.close()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="needs Linux's names")
@pytest.mark.parametrize("short", [True, False])
async def test_a_server_that_takes_a_large_body_late_is_not_taken_for_dead(monkeypatch: pytest.MonkeyPatch, short: bool) -> None:
    """The kernel ends a connection whose peer takes nothing for so long, though it gives signs of life."""
    options = [(level, name, 300 if name == "TCP_USER_TIMEOUT" else value) for level, name, value in sockets._OPTIONS]
    monkeypatch.setattr(sockets, "_OPTIONS", options)
    body = b" " * (16 << 20)

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(2)
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(len(body))
        writer.write(OK)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(late, "127.0.0.1", 0)
    transport = Transport.open(Sweep(), short=short)
    url = URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
    reply = await transport.post(url, HEADERS, (body,))
    assert reply.status == 200
    await transport.sweep.close()
    await transport.close()
    server.close()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="needs Linux's names")
async def test_what_is_sent_next_on_its_connection_is_watched_as_before() -> None:
    async with serving(OK) as server:
        transport = Transport.open(Sweep())
        await transport.post(URL(server.url), HEADERS, (b" " * (1 << 20),))
        assert transport.direct is not None
        ((idle,),) = transport.direct._idle.values()
        assert idle[0].protocol is not None
        opened = idle[0].protocol.transport.get_extra_info("socket")  # type: ignore[union-attr]
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 1000 * SILENT_S
        await transport.sweep.close()
        await transport.close()


async def test_after_the_network_changed_no_old_connection_is_used() -> None:
    async with serving(OK) as server:
        transport = Transport.open(Sweep())
        for _ in range(2):
            await transport.post(URL(server.url), HEADERS, (b"{}",))
        assert server.connections == 1
        transport.refresh()
        await transport.post(URL(server.url), HEADERS, (b"{}",))
        assert server.connections == 2
        await transport.sweep.close()
        await transport.close()


async def test_the_sweep_beats_from_the_first_call_on() -> None:
    beats: list[int] = []
    sweep = Sweep(lambda: beats.append(1))
    async with serving(OK) as server:
        transport = Transport.open(sweep)
        await transport.post(URL(server.url), HEADERS, (b"{}",))
        await sweep.close()
        await transport.close()
    assert beats


async def test_a_connection_that_was_idle_for_too_long_is_closed_though_nothing_is_asked_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving(OK) as server, endpoint_for(server.url) as endpoint:
        monkeypatch.setattr("siuo_async.client.direct._KEPT_S", 0.0)
        monkeypatch.setattr("siuo_async.client.transport.SWEEP_S", 0.02)
        await ask(endpoint)
        async with asyncio.timeout(20):
            while server.open_now:
                await asyncio.sleep(0.01)
