"""A simulator in the test's own event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
import pytest

from siuo_async.simulator.server import serve
from siuo_async.simulator.settings import Settings
from tests.simulator.speak import Client

Start = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture
def simulator() -> Start:
    """`async with simulator(rpm=60) as client:`."""

    @asynccontextmanager
    async def start(**settings: Any) -> AsyncIterator[Client]:
        urls: asyncio.Queue[str] = asyncio.Queue()
        stop = asyncio.Event()
        server = asyncio.create_task(serve(Settings(**settings), urls.put_nowait, stop))
        try:
            async with aiohttp.ClientSession(await urls.get()) as session:
                yield Client(session)
        finally:
            stop.set()
            await server

    return start
