"""How much a canned server can do: requests without a delay from a client that does next to nothing itself.

python -m tests.performance.hammer PORT REQUESTS
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import uvloop

from tests.performance.server import ANSWER

CONNECTIONS = 64
_BODY = b'{"model":"canned","messages":[{"role":"user","content":"Question 12345?"}],"max_tokens":500}'
REQUEST = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer k\r\nAccept: */*\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)


class Hammer(asyncio.Protocol):
    """One connection: the next request when the reply is there; replies are told apart by their length alone."""

    def __init__(self, left: list[int], done: asyncio.Event) -> None:
        self._left = left
        self._done = done
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The first request."""
        self._transport = cast(asyncio.WriteTransport, transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        """The next request."""
        self._missing -= len(data)
        if self._missing == 0:
            self._next()

    def _next(self) -> None:
        if self._left[0] == 0:
            self._done.set()
            return
        self._left[0] -= 1
        self._missing = len(ANSWER)
        self._transport.write(REQUEST)


async def hammer(port: int, requests: int) -> None:
    """Sends `requests` requests."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    left = [requests]
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: Hammer(left, done), "127.0.0.1", port)
    await done.wait()


if __name__ == "__main__":
    uvloop.run(hammer(int(sys.argv[1]), int(sys.argv[2])))
