"""Other clients under the same load, where they are installed: what one would use instead."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
from typing import TYPE_CHECKING, Any

from tests.performance.engine import in_loop
from tests.performance.measuring import Load, Measured, Meter

if TYPE_CHECKING:
    from openai import AsyncOpenAI

PEERS = {"openai": "openai SDK, aiohttp backend, semaphore + gather", "inspect-ai": "inspect_ai"}


def installed() -> list[str]:
    """Those of `PEERS` that can be imported."""
    return [name for name in PEERS if importlib.util.find_spec(name.replace("-", "_"))]


def run_openai(told: dict[str, Any]) -> Measured:
    """The official SDK as its documentation shows it, with the faster of its two backends where that can be had."""
    return in_loop(_openai(Load(**told)))


async def _openai(load: Load) -> Measured:
    async with _sdk(load.url) as client:
        await _ask(client, "Warming up.")
        at_once = asyncio.Semaphore(load.at_once)

        async def one(number: int) -> str:
            async with at_once:
                return await _ask(client, f"Question {number}?")

        meter = Meter()
        await asyncio.gather(*(one(number) for number in range(load.calls)))
        return meter.read()


def _sdk(url: str) -> AsyncOpenAI:
    import openai

    try:
        backend: Any = openai.DefaultAioHttpClient()
    except (AttributeError, ImportError, RuntimeError):
        backend = openai.DefaultAsyncHttpxClient()
    return openai.AsyncOpenAI(base_url=url, api_key="k", max_retries=0, http_client=backend)


async def _ask(client: AsyncOpenAI, text: str) -> str:
    found = await client.chat.completions.create(model="canned", messages=[{"role": "user", "content": text}], max_tokens=500)
    return found.choices[0].message.content or ""


def run_inspect(told: dict[str, Any]) -> Measured:
    """inspect_ai's own loop over the same questions, without a scorer; what it imports late is paid by the call that warms it up."""
    load = Load(**told)
    os.environ |= {"CANNED_API_KEY": "k", "CANNED_BASE_URL": load.url, "INSPECT_LOG_DIR": load.folder}
    _inspect(load, ["Warming up."])
    meter = Meter()
    _inspect(load, [f"Question {number}?" for number in range(load.calls)])
    return meter.read()


def _inspect(load: Load, questions: list[str]) -> None:
    their = importlib.import_module  # it is no dependency, so nothing is known of its types
    sample, generate = their("inspect_ai.dataset").Sample, their("inspect_ai.solver").generate
    [log] = their("inspect_ai").eval(
        their("inspect_ai").Task(dataset=[sample(input=question) for question in questions], solver=generate()),
        model="openai-api/canned/canned",
        max_connections=load.at_once,
        max_samples=load.at_once,
        display="none",
        log_level="error",
    )
    if log.status != "success":
        raise RuntimeError(f"inspect_ai ended with {log.status}: {log.error}")
