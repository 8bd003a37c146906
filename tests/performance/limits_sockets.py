"""A few of the scenarios over sockets and in real time, against the simulator in a process of its own.

    python -m tests.performance.limits_sockets [--seconds 40]

The client is a registry's endpoint as a run uses it, on uvloop. A server of this machine is begun with at full speed, so the search for
the limit differs from that for a provider's; what it settles at must not.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from dataclasses import dataclass

import uvloop

from siuo_async.client.accounts import Environment, account_spec
from siuo_async.client.limits import Priority
from siuo_async.client.registry import Registry
from siuo_async.config import ProviderConfig
from siuo_async.simulator import Hints, Limiter, Settings, SimulatorProcess
from siuo_async.values import Parameters, Turn

WARM_S = 10.0
CALLERS = 400
LATENCY_S = 0.3


@dataclass(frozen=True, slots=True)
class Row:
    """A simulator, and what it allows per second."""

    name: str
    settings: Settings
    ideal_per_s: float


def rows() -> list[Row]:
    """All rows."""

    def limited(limiter: Limiter, hints: Hints) -> Row:
        burst = 50 if limiter is Limiter.BUCKET else 0
        settings = Settings(latency_s=LATENCY_S, rpm=3_000, limiter=limiter, burst=burst, hints=hints)
        return Row(f"{limiter}, 3,000 a minute, {hints}", settings, 50.0)

    crowd = Settings(latency_s=LATENCY_S, latency_sigma=0.0, concurrency=32, hints=Hints.NONE)
    return [
        limited(Limiter.SLIDING, Hints.FULL),
        limited(Limiter.BUCKET, Hints.FULL),
        limited(Limiter.BUCKET, Hints.RETRY_AFTER),
        limited(Limiter.BUCKET, Hints.NONE),
        Row("32 at once, none", crowd, 32 / LATENCY_S),
    ]


async def drive(url: str, simulator: SimulatorProcess, seconds: float) -> tuple[int, int]:
    """(requests let in, requests turned away) after the warm-up."""
    configured = {"lab": ProviderConfig(base_url=f"{url}/v1", key_env="KEY")}
    spec = account_spec("lab", configured, Environment({"KEY": "k"}))
    registry = Registry(lambda _: spec)
    endpoint = registry.endpoint("lab", "careful", {})
    parameters = Parameters(max_tokens=50)

    async def call_on(caller: int) -> None:
        number = 0
        while True:
            number += 1
            prompt = (Turn("user", (f"Question {caller}.{number}?",)),)
            await endpoint.call(prompt, parameters, 1, call_id=f"{caller}.{number}", priority=Priority.GENERATION, order=number)

    tasks = [asyncio.ensure_future(call_on(caller)) for caller in range(CALLERS)]
    try:
        await asyncio.sleep(WARM_S)
        before = await asyncio.to_thread(simulator.stats)
        await asyncio.sleep(seconds)
        after = await asyncio.to_thread(simulator.stats)
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await registry.close()
    turned_away = after["rate_limited"] - before["rate_limited"]
    return after["requests"] - before["requests"] - turned_away, turned_away


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=40.0)
    told = parser.parse_args()
    print(f"Over sockets, in real time: {WARM_S:.0f} s to warm up, {told.seconds:.0f} s that count, {LATENCY_S} s a call")
    print(f"{'limiter':<40}{'of the ideal':>14}{'rejected':>10}")
    for row in rows():
        simulator = SimulatorProcess(row.settings)
        with simulator as url:
            let_in, turned_away = uvloop.run(drive(url, simulator, told.seconds))
        share, rejected = let_in / (row.ideal_per_s * told.seconds), turned_away / max(1, let_in + turned_away)
        print(f"{row.name:<40}{share:>14.3f}{rejected:>10.2%}", flush=True)


if __name__ == "__main__":
    main()
