"""What a call costs with everything on (journal, limits, scoreboard), against a bare aiohttp loop on the same server and event loop.

    make bench    or    python -m tests.performance.cost_of_a_call [--calls 20000] [--pictures 2000] [--runs 5]

Ratios within one run mean something; the milliseconds are this machine's. The bare loop (floor A): workers over a lazy iterator, one
session, an orjson body, `read()`, `orjson.loads`, one line written per reply; with pictures it reads the file and encodes it with the
standard library's base64 for every call.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import gc
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import aiohttp
import orjson
import uvloop

from siuo_async.benchmarks.siuo_gen import SiuoGen
from siuo_async.client.accounts import Environment, account_spec
from siuo_async.client.registry import Registry
from siuo_async.config import RunConfig, make
from siuo_async.engine.plan import Participant, Plan
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.engine.session import Session
from siuo_async.values import Picture, Sample

DELAY_S = 0.05


@contextlib.contextmanager
def canned_server() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.performance.canned_server", str(DELAY_S)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(child.stdout.readline())}/v1"
        finally:
            child.kill()


async def floor(url: str, calls: int, workers: int, folder: Path, pictures: list[Path]) -> None:
    """Floor A."""
    numbers = iter(range(calls))
    with open(folder / "floor.jsonl", "wb") as out:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, headers={"Authorization": "Bearer k"}) as session:

            async def work() -> None:
                for number in numbers:
                    content: object = f"Question {number}?"
                    if pictures:
                        raw = pictures[number % len(pictures)].read_bytes()
                        encoded = "data:image/png;base64," + base64.b64encode(raw).decode()
                        content = [{"type": "text", "text": content}, {"type": "image_url", "image_url": {"url": encoded}}]
                    body = {"model": "canned", "messages": [{"role": "user", "content": content}], "max_tokens": 500}
                    headers = {"Content-Type": "application/json"}
                    async with session.post(f"{url}/chat/completions", data=orjson.dumps(body), headers=headers) as reply:
                        found = orjson.loads(await reply.read())
                    out.write(orjson.dumps({"n": number, "answer": found["choices"][0]["message"]["content"]}) + b"\n")

            await asyncio.gather(*(work() for _ in range(workers)))


async def siuo(url: str, calls: int, workers: int, folder: Path, pictures: list[Path]) -> None:
    """The same through the engine."""
    config: RunConfig = make(
        {
            "benchmark": "siuo-gen",
            "models": ["canned/canned"],
            "no_judge": True,
            "answers": 1,
            "in_file_order": True,
            "concurrency": workers,
            "providers": {"canned": {"base_url": url}},
        }
    )
    known = [Picture(str(path), hashlib.sha256(path.read_bytes()).hexdigest(), "image/png", path.stat().st_size) for path in pictures]
    shared = {"safety_warning": "", "reference_answer": ""}
    samples = tuple(Sample(str(n), ("all",), f"Question {n}?", (known[n % len(known)],) if known else (), shared) for n in range(calls))
    spec = account_spec("canned", config.providers, Environment({}))
    plan = Plan(
        config=config,
        benchmark=SiuoGen(answers=1, judged=False),
        all_samples=samples,
        identity={},
        models=(Participant("canned", spec.identity, config.models[0]),),
        judge=None,
    )
    registry = Registry(lambda _: spec, concurrency=workers)
    try:
        outcomes = await Session(plan, RunDirectory(folder / f"run-{time.monotonic_ns()}"), registry).run()
    finally:
        await registry.close()
    assert outcomes.sent == calls, outcomes.stops


def measured(work: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    """(CPU seconds, wall seconds)."""
    gc.collect()
    cpu, wall = time.process_time(), time.monotonic()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work())  # type: ignore[arg-type]
    return time.process_time() - cpu, time.monotonic() - wall


def compare(title: str, url: str, calls: int, workers: int, runs: int, pictures: list[Path]) -> None:
    found: dict[str, list[tuple[float, float]]] = {"floor A": [], "siuo": []}
    for _ in range(runs):
        for name, client in (("floor A", floor), ("siuo", siuo)):
            with tempfile.TemporaryDirectory() as folder:
                found[name].append(measured(lambda c=client, f=folder: c(url, calls, workers, Path(f), pictures)))  # type: ignore[misc]
    ideal = DELAY_S * calls / workers
    print(f"\n{title}: {calls} calls, {workers} at once, {DELAY_S * 1000:.0f} ms, medians of {runs} interleaved runs")
    print(f"{'client':<10}{'CPU ms/call':>13}{'x floor A':>11}{'wall s':>9}{'x floor A':>11}{'x ideal':>9}{'spread':>9}")
    base_cpu, base_wall = (statistics.median(value[i] for value in found["floor A"]) for i in (0, 1))
    for name, values in found.items():
        cpus = sorted(value[0] for value in values)
        cpu, wall = statistics.median(cpus), statistics.median(value[1] for value in values)
        spread = (cpus[-1] - cpus[0]) / cpu
        print(
            f"{name:<10}{1000 * cpu / calls:>13.3f}{cpu / base_cpu:>11.2f}{wall:>9.2f}{wall / base_wall:>11.2f}"
            f"{wall / ideal:>9.2f}{spread:>9.0%}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--pictures", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=5)
    told = parser.parse_args()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    with canned_server() as url, tempfile.TemporaryDirectory() as folder:
        compare("Text", url, told.calls, 256, told.runs, [])
        pictures = []
        for number in range(told.pictures):
            path = Path(folder) / f"{number}.png"
            path.write_bytes(b"\x89PNG\r\n\x1a\n" + os.urandom(200_000))
            pictures.append(path)
        compare("Pictures of 200 KB, one call each", url, told.pictures, 64, told.runs, pictures)


if __name__ == "__main__":
    main()
