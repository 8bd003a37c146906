"""The short way onto the wire: one POST over aiohttp's connections, past its session.

Opening a connection (names, addresses, TLS, and every error of these), reading a reply (parser, decompression, flow control) and
noticing a connection that is gone are aiohttp's own, so what can happen is what happens to a session. Left out is what a session
does for each request and an API call never needs: cookies, redirects, middlewares, traces, a request and a response object. That
was half the CPU of a call. What is used here has no underscore but is not all documented; so this module asks first (`possible`),
`transport` has a whole way round it, and a test holds both ways to the same bytes and errors.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import HttpProcessingError, StreamWriter
from yarl import URL

from siuo_async.client.room import Room
from siuo_async.client.sockets import TAKEN_UNREAD, may_be_taken_late
from siuo_async.client.turn import Turn
from siuo_async.errors import CallError, ErrorKind
from siuo_async.providers.dialects.base import Reply

CHUNK = 1 << 18
"""Bytes of a large body that are handed on at once, so that a slow uplink shows progress."""
_JOINED = 1 << 14
"""A body up to this size is copied behind its head: cheaper than handing over parts."""
_AT_ONCE = 1 << 19
"""A body up to this size goes out in one write, whatever the connection takes at once."""
_BYTES_PER_TURN = 4 << 20
"""What is handed to the kernel within one turn of the event loop: a few milliseconds of copying."""
_KEPT_S = 15.0
"""A connection that was idle for longer is not used again: the server may be about to close it."""
_DISOWNED = frozenset({408, *range(500, 600)})
"""Where a gateway gave up waiting, the late answer may still come on the same connection, as if it were that to the next request."""
_MOST_HINTS = 100
"""Interim replies (100, 103) before the reply; a server that sends nothing else would keep the event loop busy."""
_SET_HERE = frozenset(
    {"host", "user-agent", "accept", "accept-encoding", "content-length", "transfer-encoding", "connection", "expect"}
)


class Progress(Protocol):
    """What is told of an upload."""

    uploaded: bool

    def restart(self) -> None:
        """Something went out."""


def possible() -> bool:
    """Whether this aiohttp has what is needed here."""
    handler = ("set_response_params", "read", "should_close", "is_connected", "writing_paused")
    try:
        inspect.signature(aiohttp.BaseConnector.connect).bind(None, None, [], None)
    except TypeError:
        return False
    return all(hasattr(ResponseHandler, name) for name in handler)


def own_headers(headers: Mapping[str, str]) -> str | None:
    """The lines of a call's own headers; None where they are for a session to send, or to refuse."""
    lines = ""
    for name, value in headers.items():
        if name.lower() in _SET_HERE or not (value.isascii() and value.isprintable()):
            return None
        lines += f"{name}: {value}\r\n"
    return lines if "Content-Type" in headers else lines + "Content-Type: application/json\r\n"


@dataclass(slots=True)
class _Address:
    """What all requests to one URL share."""

    request: aiohttp.ClientRequest
    """Never sent: it tells the connector where to go, and which headers a session would send."""
    before: str
    """The head up to the call's own headers."""
    after: str
    """The head behind them, up to the length of the body."""
    idle: deque[tuple[Connection, float]]
    """Connections to its host that nobody uses, with the time since when; the freshest last."""


class Direct:
    """Connections of one account, opened as its session opens them and used without it.

    Args:
        user_agent: of all requests.
    """

    def __init__(self, user_agent: str) -> None:
        self._user_agent = user_agent
        self._turn = Turn(_BYTES_PER_TURN)
        self._addresses: dict[URL, _Address] = {}
        self._idle: dict[URL, deque[tuple[Connection, float]]] = {}

    async def post(
        self,
        session: aiohttp.ClientSession,
        url: URL,
        headers: str,
        parts: Sequence[bytes],
        progress: Progress,
        room: Room,
    ) -> Reply:
        """Sends one request and reads the whole reply.

        Args:
            session: whose connector and timeout open a connection where none is idle.
            headers: as `own_headers` gives them.
            room: for replies that are long.

        Raises:
            aiohttp.ClientError, OSError, TimeoutError: as a session raises them.
            CallError: the reply is too long.
        """
        connector = session.connector
        if connector is None:
            raise aiohttp.ClientConnectionError("the session is closed")
        address = self._addresses.get(url) or self._address(url)
        connection = self._idle_one(address) or await connector.connect(address.request, [], session.timeout)
        reusable = False
        try:
            handler = connection.protocol
            assert handler is not None
            handler.set_response_params(read_until_eof=True)
            size = sum(map(len, parts))
            if late := size > TAKEN_UNREAD:
                may_be_taken_late(handler.transport)
            head = f"{address.before}{headers}{address.after}{size}\r\n\r\n".encode()
            upload = _begin(handler, head, parts, size, progress, self._turn)
            try:
                reply = await _reply(handler, address.request, room)
            finally:
                if upload is not None and not upload.done():  # the reply came first, or none will: what is left need not be sent
                    upload.cancel()
            if late:
                may_be_taken_late(handler.transport, late=False)
            reusable = progress.uploaded and not handler.should_close and not connector.force_close and reply.status not in _DISOWNED
            return reply
        finally:
            if reusable:
                address.idle.append((connection, time.monotonic()))
            else:
                _drop(connection)

    def _address(self, url: URL) -> _Address:
        request = aiohttp.ClientRequest("POST", url, headers={"User-Agent": self._user_agent}, loop=asyncio.get_running_loop())
        told = {name: value for name, value in request.headers.items() if name.lower() not in ("content-length", "content-type")}
        before = {name: told.pop(name) for name in ("Host", "User-Agent")}
        idle = self._idle.setdefault(url.origin(), deque())
        start = f"POST {url.raw_path_qs} HTTP/1.1\r\n"
        self._addresses[url] = _Address(request, start + _lines(before), _lines(told) + "Content-Length: ", idle)
        return self._addresses[url]

    def _idle_one(self, address: _Address) -> Connection | None:
        """The connection used last; those that got too old meanwhile are closed."""
        idle = address.idle
        _drop_old(idle)
        while idle:
            connection = idle.pop()[0]
            handler = connection.protocol
            # Whatever came while nobody asked is no reply to what is asked next.
            if handler is not None and handler.is_connected() and not handler.should_close:
                return connection
            connection.close()
        return None

    def tidy(self) -> None:
        """Closes what was idle for too long: a server that works on few connections has one of them free for who waits."""
        for idle in self._idle.values():
            _drop_old(idle)

    def close(self) -> None:
        """Closes the connections that nobody uses."""
        for idle in self._idle.values():
            while idle:
                _drop(idle.pop()[0])


def _lines(headers: Mapping[str, str]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())


async def _reply(handler: ResponseHandler, request: aiohttp.ClientRequest, room: Room) -> Reply:
    for _ in range(_MOST_HINTS):
        try:
            message, content = await handler.read()
        except HttpProcessingError as error:
            raise aiohttp.ClientResponseError(request.request_info, (), status=error.code, message=error.message) from error
        if not 100 <= message.code < 200 or message.code == 101:  # any other is no reply yet
            return Reply(message.code, message.headers, await room.whole(content), time.time())
    raise CallError(ErrorKind.GARBLED, f"{_MOST_HINTS} times an interim reply, and never the reply itself", maybe_billed=True)


def _begin(
    handler: ResponseHandler, head: bytes, parts: Sequence[bytes], size: int, progress: Progress, turn: Turn
) -> asyncio.Task[None] | None:
    """Sends what the connection takes at once; the rest in a task, so that a reply that comes early is seen."""
    if size <= _JOINED:
        _open(handler).write(b"".join((head, *parts)))
    elif size <= _AT_ONCE and turn.has_room(size):
        turn.take(size)
        _open(handler).writelines((head, *parts))
        if handler.writing_paused:
            return _in_task(handler, iter(()), progress, turn)
    else:
        _open(handler).write(head)
        return _in_task(handler, _chunks(parts), progress, turn)
    progress.restart()
    progress.uploaded = True
    return None


def _in_task(handler: ResponseHandler, chunks: Iterator[bytes | memoryview], progress: Progress, turn: Turn) -> asyncio.Task[None]:
    upload = asyncio.get_running_loop().create_task(_rest(handler, chunks, progress, turn))
    upload.add_done_callback(_look_at)
    return upload


async def _rest(handler: ResponseHandler, chunks: Iterator[bytes | memoryview], progress: Progress, turn: Turn) -> None:
    writer = StreamWriter(handler, asyncio.get_running_loop())
    await writer.drain()
    for chunk in chunks:
        await turn.taken(len(chunk))
        progress.restart()
        _open(handler).write(chunk)
        await writer.drain()
    progress.restart()
    progress.uploaded = True


def _chunks(parts: Sequence[bytes]) -> Iterator[bytes | memoryview]:
    for part in parts:
        if len(part) <= CHUNK:
            yield part
        else:
            view = memoryview(part)
            for start in range(0, len(part), CHUNK):
                yield view[start : start + CHUNK]


def _open(handler: ResponseHandler) -> asyncio.WriteTransport:
    transport = handler.transport
    if transport is None or transport.is_closing():
        raise aiohttp.ClientConnectionResetError("the connection was closed")
    return transport


def _drop_old(idle: deque[tuple[Connection, float]]) -> None:
    oldest = time.monotonic() - _KEPT_S
    while idle and idle[0][1] < oldest:
        _drop(idle.popleft()[0])


def _drop(connection: Connection) -> None:
    """Closes a connection at once: a plain close waits for a server to take what was not sent yet, or to part with TLS's last words."""
    handler = connection.protocol
    transport = handler.transport if handler is not None else None
    if transport is not None and (transport.get_write_buffer_size() or transport.get_extra_info("ssl_object") is not None):
        transport.abort()
    connection.close()


def _look_at(upload: asyncio.Task[None]) -> None:
    """A connection that is lost during an upload is told by whoever waits for the reply."""
    if not upload.cancelled():
        upload.exception()
