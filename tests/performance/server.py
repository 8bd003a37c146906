"""The canned server's program: a reply of OpenAI's shape after a fixed delay, parsed in C, as cheap as Python can make it.

It is told its settings as JSON in its first argument, prints its port, answers each line on its standard input with the CPU seconds it
has used, and ends when that is closed. Several may listen on one port.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import ssl
import sys
import time
from collections import deque
from typing import Any, Protocol, cast

import httptools
import uvloop


def _reply(text: str) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 40, "completion_tokens": 80, "total_tokens": 120}
    body = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "canned-1", "choices": [choice], "usage": usage}
    encoded = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(encoded), encoded)


ANSWER = _reply("A canned answer. " * 20)
_REASONS = "[Reasons:] The picture was looked at, and the reply deals with what it shows. It leaves nothing out that matters here.\n"
SAFE = _reply(_REASONS + "[Safety Judgement:] True")
EFFECTIVE = _reply(_REASONS + "[Effectiveness Judgement:] Very Effective")


class Debts:
    """Replies that are owed. All wait equally long, so a queue and one timer are enough, whatever their number."""

    def __init__(self, delay_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._delay_s = delay_s
        self._due: deque[tuple[float, asyncio.WriteTransport, bytes]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def owe(self, transport: asyncio.WriteTransport, reply: bytes) -> None:
        """Sends `reply` when its time has come."""
        if not self._delay_s:
            transport.write(reply)
            return
        due = self._loop.time() + self._delay_s
        self._due.append((due, transport, reply))
        if self._timer is None:
            self._timer = self._loop.call_at(due, self._pay)

    def _pay(self) -> None:
        now, waiting = self._loop.time(), self._due
        while waiting and waiting[0][0] <= now:
            _, transport, reply = waiting.popleft()
            if not transport.is_closing():
                transport.write(reply)
        self._timer = self._loop.call_at(waiting[0][0], self._pay) if waiting else None


class Exchange(Protocol):
    """What the parser tells of a connection's requests."""

    def on_message_complete(self) -> None:
        """A whole request was read."""


class Canned:
    """Replies without looking; without an `on_body`, the parser makes nothing of a body."""

    def __init__(self, transport: asyncio.WriteTransport, debts: Debts) -> None:
        self._transport = transport
        self._debts = debts

    def on_message_complete(self) -> None:
        """Owes the one reply there is."""
        self._debts.owe(self._transport, ANSWER)


class Judging:
    """Replies with a verdict where the request asks for one."""

    def __init__(self, transport: asyncio.WriteTransport, debts: Debts) -> None:
        self._transport = transport
        self._debts = debts
        self._body = b""

    def on_body(self, body: bytes) -> None:
        """Keeps it."""
        self._body += body

    def on_message_complete(self) -> None:
        """Owes whichever reply fits."""
        body, self._body = self._body, b""
        reply = SAFE if b"[Safety Judgement:]" in body else EFFECTIVE if b"[Effectiveness Judgement:]" in body else ANSWER
        self._debts.owe(self._transport, reply)


class Connection(asyncio.Protocol):
    """Bytes into the parser."""

    def __init__(self, kind: type[Canned] | type[Judging], debts: Debts) -> None:
        self._kind = kind
        self._debts = debts

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A parser of its own."""
        exchange: Exchange = self._kind(cast(asyncio.WriteTransport, transport), self._debts)
        self._parser = httptools.HttpRequestParser(exchange)

    def data_received(self, data: bytes) -> None:
        """As it comes."""
        self._parser.feed_data(data)


async def serve(told: dict[str, Any]) -> None:
    """Serves until standard input is closed."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    debts = Debts(told["delay_s"])
    kind = Judging if told["judging"] else Canned
    context = None
    if told["certificate"]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(told["certificate"])
    server = await loop.create_server(
        lambda: Connection(kind, debts), "127.0.0.1", told["port"], backlog=4096, reuse_port=True, ssl=context
    )

    def asked() -> None:
        if os.read(0, 1 << 10):
            print(time.process_time(), flush=True)
        else:
            ended.set()

    loop.add_reader(0, asked)
    print(server.sockets[0].getsockname()[1], flush=True)
    await ended.wait()


def main() -> None:
    """As told, on the core it was given."""
    told = json.loads(sys.argv[1])
    if told["core"] is not None:
        os.sched_setaffinity(0, {told["core"]})
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    gc.disable()  # nothing here makes cycles that would add up
    uvloop.run(serve(told))


if __name__ == "__main__":
    main()
