"""Floor A: the least that a client on aiohttp does, written as one would without this package.

Workers over a lazy iterator, one session, an orjson body, `read()`, `orjson.loads`, one line written per reply. With pictures it reads
and encodes the file for every call.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import aiohttp
import orjson
import pybase64

from tests.performance.engine import in_loop
from tests.performance.measuring import Load, Measured, Meter, watching_stalls

Encode = Callable[[bytes], bytes]
_HEADERS = {"Content-Type": "application/json"}


def run(told: dict[str, Any], encode: Encode = base64.b64encode) -> Measured:
    """Floor A, with the standard library's base64."""
    return in_loop(_measured(Load(**told), encode))


run_pybase64 = partial(run, encode=pybase64.b64encode)
"""Floor A with the fast base64 that this package uses too."""


async def _measured(load: Load, encode: Encode) -> Measured:
    pictures = load.paths()
    connector = aiohttp.TCPConnector(limit=0)
    with open(Path(load.folder) / "floor.jsonl", "wb") as out:
        async with aiohttp.ClientSession(connector=connector, headers={"Authorization": "Bearer k"}) as session:
            await _ask(session, load.url, 0, "Warming up.", out)
            numbers = iter(range(load.calls))

            async def work() -> None:
                for number in numbers:
                    content: Any = f"Question {number}?"
                    if pictures:
                        raw = pictures[number // load.per_picture % len(pictures)].read_bytes()
                        encoded = "data:image/png;base64," + encode(raw).decode()
                        content = [{"type": "text", "text": content}, {"type": "image_url", "image_url": {"url": encoded}}]
                    await _ask(session, load.url, number, content, out)

            async with watching_stalls(load) as late:
                meter = Meter()
                await asyncio.gather(*(work() for _ in range(load.at_once)))
                late.over()
                out.flush()
                return meter.read(late)


async def _ask(session: aiohttp.ClientSession, url: str, number: int, content: Any, out: BinaryIO) -> None:
    body = {"model": "canned", "messages": [{"role": "user", "content": content}], "max_tokens": 500}
    async with session.post(f"{url}/chat/completions", data=orjson.dumps(body), headers=_HEADERS) as reply:
        found = orjson.loads(await reply.read())
    out.write(orjson.dumps({"n": number, "answer": found["choices"][0]["message"]["content"]}) + b"\n")
