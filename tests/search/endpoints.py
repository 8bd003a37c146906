"""Search endpoints on loopback, as real ones answer, and what asks them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from siuo_async.client.accounts import Environment
from siuo_async.search.base import Found, SearchError
from siuo_async.search.http import HttpSearcher, HttpSettings
from siuo_async.search.template import parse_template

KEY = "lab-7f3a9b2c4d5e6f70"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Engine:
    """A search engine that answers with `replies` in turn, the last one again and again."""

    replies: list[Any]
    requests: list[web.Request] = field(default_factory=list)
    now: int = 0
    most: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/search?q={{query}}"

    @property
    def queries(self) -> list[str]:
        return [request.query.get("q", "") for request in self.requests]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            reply = self.replies[min(len(self.requests), len(self.replies)) - 1]
            return await reply(request) if callable(reply) else response_of(reply)
        finally:
            self.now -= 1


def response_of(reply: Any) -> web.Response:
    """Bytes are a body, a number is a status, a response is copied (it can be sent once), anything else is JSON."""
    if isinstance(reply, int):
        return web.json_response({"error": {"message": "not now"}}, status=reply)
    if isinstance(reply, bytes):
        return web.Response(body=reply, content_type="application/json")
    if isinstance(reply, web.Response):
        return web.Response(body=reply.body, status=reply.status, headers=reply.headers)
    return web.json_response(reply)


@asynccontextmanager
async def engine_of(*replies: Any) -> AsyncIterator[Engine]:
    engine = Engine(list(replies))
    app = web.Application()
    app.router.add_get("/{anything:.*}", engine.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    engine.port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    try:
        yield engine
    finally:
        await runner.cleanup()


@dataclass
class Naps:
    """Notes how long each wait would be, and does not wait."""

    taken: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        await asyncio.sleep(0)


@asynccontextmanager
async def searcher_of(
    url: str, *, naps: Naps | None = None, key: str | None = None, key_header: str = "Authorization", **settings: Any
) -> AsyncIterator[HttpSearcher]:
    searcher = HttpSearcher(
        parse_template(url), HttpSettings(**settings), key=key, key_header=key_header, sleep=naps if naps is not None else Naps()
    )
    try:
        yield searcher
    finally:
        await searcher.close()


async def found(*replies: Any, query: str = "甲市的代码", **options: Any) -> Found:
    async with engine_of(*replies) as engine, searcher_of(engine.url, **options) as searcher:
        return await searcher.search(query)


async def failure(*replies: Any, **options: Any) -> SearchError:
    async with engine_of(*replies) as engine, searcher_of(engine.url, **options) as searcher:
        try:
            got = await searcher.search("甲市的代码")
        except SearchError as error:
            return error
    raise AssertionError(f"the search gave {got}")


def environment(**keys: str) -> Environment:
    return Environment(keys)
