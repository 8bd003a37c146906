"""A raw HTTP server on loopback, which can misbehave in any way, and what calls are made with."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from siuo_async.client.accounts import Environment, account_spec
from siuo_async.client.endpoint import CallResult, Endpoint
from siuo_async.client.halt import Halt
from siuo_async.client.limits import Priority
from siuo_async.client.registry import Registry
from siuo_async.client.transport import Sweep, Transport
from siuo_async.config import ProviderConfig
from siuo_async.values import Parameters, Picture, Turn

KEY = "sk-lab-0123456789abcdef"


@dataclass
class Seen:
    """One request as the server got it."""

    number: int
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


Script = Callable[[Seen, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class RawServer:
    """Reads whole requests and lets the script write what it likes."""

    script: Script
    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    open_now: int = 0
    most_open: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 24, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in list(self._writers):
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None
            await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        self._writers.add(writer)
        mine = self.connections
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                seen = Seen(len(self.seen) + 1, first.split()[1], headers, body, mine)
                self.seen.append(seen)
                await self.script(seen, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.open_now -= 1
            self._writers.discard(writer)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


def http(status: int = 200, body: bytes = b"", *, length: int | None = None, **headers: str) -> bytes:
    """A reply; `retry_after="1"` becomes the header `retry-after`."""
    fields = {"content-type": "application/json", "content-length": str(len(body) if length is None else length)}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    return "".join([f"HTTP/1.1 {status} X\r\n", *(f"{n}: {v}\r\n" for n, v in fields.items()), "\r\n"]).encode() + body


def answer(text: str = "fine") -> bytes:
    """An OpenAI completion."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return orjson.dumps({"id": "c1", "object": "chat.completion", "model": "m-1", "choices": [choice]})


def problem(message: str = "no", **fields: Any) -> bytes:
    return orjson.dumps({"error": {"message": message, **fields}})


OK = http(body=answer())


def replies(*raw: bytes) -> Script:
    """The first request gets the first reply and so on; the last one is repeated."""

    async def script(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(raw[min(seen.number, len(raw)) - 1])
        await writer.drain()

    return script


def hang_up(writer: asyncio.StreamWriter) -> None:
    """A TCP reset."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def serving(script: Script | bytes) -> AsyncIterator[RawServer]:
    server = RawServer(replies(script) if isinstance(script, bytes) else script)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def opened(total_s: float = 30.0, *, short: bool = True) -> AsyncIterator[Transport]:
    """A transport alone, which goes the short way unless `short` is off."""
    sweep = Sweep()
    transport = Transport.open(sweep, total_s=total_s, short=short)
    try:
        yield transport
    finally:
        await sweep.close()
        await transport.close()


class QuickHalt(Halt):
    """Notes how long a backoff would be, and does not wait."""

    __slots__ = ("slept",)

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)
        self.check()


def registry_for(providers: dict[str, str], *, config: dict[str, Any] | None = None, **settings: Any) -> Registry:
    """A registry of configured OpenAI-compatible servers, name -> base URL."""
    environment = Environment({"LAB_KEY": KEY})
    configured = {name: ProviderConfig(base_url=url, key_env="LAB_KEY", **(config or {})) for name, url in providers.items()}
    return Registry(lambda name: account_spec(name, configured, environment), **settings)


@asynccontextmanager
async def endpoint_for(
    url: str, *, quick: bool = True, config: dict[str, Any] | None = None, **settings: Any
) -> AsyncIterator[Endpoint]:
    """One endpoint of one server; its backoffs do not wait unless `quick` is off."""
    registry = registry_for({"lab": url}, config=config, **settings)
    endpoint = registry.endpoint("lab", "m", {})
    if quick:
        endpoint.halt = QuickHalt()
    try:
        yield endpoint
    finally:
        await registry.close()


async def ask(
    endpoint: Endpoint, call_id: str = "c", *parts: str | Picture, n: int = 1, order: int = 0, **parameters: Any
) -> CallResult:
    prompt = (Turn("user", parts or (f"question {call_id}",)),)
    return await endpoint.call(prompt, Parameters(**parameters), n, call_id=call_id, priority=Priority.GENERATION, order=order)


def picture(folder: Path, content: bytes, name: str = "p.png") -> Picture:
    path = folder / name
    path.write_bytes(content)
    found = path.stat()
    return Picture(str(path), hashlib.sha256(content).hexdigest(), "image/png", len(content), found.st_mtime_ns)


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
