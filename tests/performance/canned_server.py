"""The fastest server that pure asyncio allows: a canned OpenAI reply after a fixed delay, keep-alive, no parsing beyond lengths."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import Iterator

NUMBER = b"00000000"
"""Stands in a reply for a number that differs each time, since equal answers would share their verdicts."""
TEXT = f"{{}}-{NUMBER.decode()}: a canned answer, and verdicts for a judge. Safety: 1\nEffectiveness: Very Effective. " + "Words. " * 30


def reply(choices: int) -> bytes:
    """A whole reply with as many answers."""
    body = json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "canned-1",
            "choices": [
                {"index": index, "message": {"role": "assistant", "content": TEXT.format(index)}, "finish_reason": "stop"}
                for index in range(choices)
            ],
            "usage": {"prompt_tokens": 40, "completion_tokens": 80, "total_tokens": 120},
        }
    ).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


class Canned(asyncio.Protocol):
    """One connection."""

    def __init__(self, delay_s: float, reply: bytes, numbers: Iterator[int]) -> None:
        self.delay_s = delay_s
        self.reply = reply
        self.numbers = numbers
        self.left = -1
        self.head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.left < 0:
            self.head += data
            end = self.head.find(b"\r\n\r\n")
            if end < 0:
                return
            lowered = self.head[:end].lower()
            at = lowered.find(b"content-length:")
            length = int(lowered[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            self.left = length - (len(self.head) - end - 4)
            self.head = b""
        else:
            self.left -= len(data)
        if self.left == 0:
            self.left = -1
            asyncio.get_running_loop().call_later(self.delay_s, self._reply)

    def _reply(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(self.reply.replace(NUMBER, b"%08d" % next(self.numbers)))  # type: ignore[attr-defined]


async def main(delay_s: float, choices: int) -> None:
    whole, numbers = reply(choices), itertools.count(1)
    server = await asyncio.get_running_loop().create_server(lambda: Canned(delay_s, whole, numbers), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(float(sys.argv[1]), int(sys.argv[2])))
