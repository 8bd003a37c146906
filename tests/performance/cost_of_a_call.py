"""What a call costs with everything on (journal, limits, scoreboard, screen), against a bare aiohttp loop on the same server.

    make bench    or    python -m tests.performance.cost_of_a_call [--calls 20000] [--pictures 2000] [--large 200] [--runs 5]

Ratios within one run mean something; the milliseconds are this machine's. The bare loop (floor A), on the same event loop and with
the same garbage collector settings: workers over a lazy iterator, one session, an orjson body, `read()`, `orjson.loads`, one line
written per reply; with pictures it reads the file and encodes it with the standard library's base64 for every call. Where answers
are judged, it makes as many calls. Samples are made and pictures hashed before the clock starts: that is done once per data set.
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
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import orjson
import uvloop
from rich.console import Console

from siuo_async.benchmarks.siuo_gen import SiuoGen
from siuo_async.client.accounts import Environment, account_spec
from siuo_async.client.registry import Registry
from siuo_async.config import RunConfig, make
from siuo_async.engine.plan import Participant, Plan
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.engine.session import Session
from siuo_async.ui.watch import watching
from siuo_async.values import Picture, Sample

DELAY_S = 0.05


@dataclass(frozen=True)
class Case:
    """What is measured."""

    title: str
    samples: int
    at_once: int
    picture_bytes: int = 0
    answers: int = 1
    judged: bool = False

    @property
    def calls_per_sample(self) -> int:
        """All answers in one call, two verdicts for each."""
        return 1 + 2 * self.answers * self.judged

    @property
    def calls(self) -> int:
        """In all."""
        return self.samples * self.calls_per_sample


@contextlib.contextmanager
def canned_server(choices: int = 1) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.performance.canned_server", str(DELAY_S), str(choices)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(child.stdout.readline())}/v1"
        finally:
            child.kill()


async def floor(url: str, case: Case, folder: Path, pictures: list[Path]) -> None:
    """Floor A."""
    numbers = iter(range(case.calls))
    with open(folder / "floor.jsonl", "wb") as out:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, headers={"Authorization": "Bearer k"}) as session:

            async def work() -> None:
                for number in numbers:
                    content: object = f"Question {number}?"
                    if pictures:
                        raw = pictures[number // case.calls_per_sample].read_bytes()
                        encoded = "data:image/png;base64," + base64.b64encode(raw).decode()
                        content = [{"type": "text", "text": content}, {"type": "image_url", "image_url": {"url": encoded}}]
                    body = {"model": "canned", "messages": [{"role": "user", "content": content}], "max_tokens": 500}
                    headers = {"Content-Type": "application/json"}
                    async with session.post(f"{url}/chat/completions", data=orjson.dumps(body), headers=headers) as reply:
                        found = orjson.loads(await reply.read())
                    out.write(orjson.dumps({"n": number, "answer": found["choices"][0]["message"]["content"]}) + b"\n")

            await asyncio.gather(*(work() for _ in range(case.at_once)))


def job(url: str, case: Case, pictures: list[Path]) -> tuple[Plan, Callable[[], Registry]]:
    """The same as a plan."""
    judge = {"judge": "canned/judge"} if case.judged else {"no_judge": True}
    config: RunConfig = make(
        {
            "benchmark": "siuo-gen",
            "models": [{"model": "canned/canned", "profile": {"max_n": case.answers}}],
            "answers": case.answers,
            "in_file_order": True,
            "concurrency": case.at_once,
            "providers": {"canned": {"base_url": url, "limit_group": "account"}},
            **judge,
        }
    )
    known = [
        Picture(str(path), hashlib.sha256(path.read_bytes()).hexdigest(), "image/png", path.stat().st_size, path.stat().st_mtime_ns)
        for path in pictures
    ]
    shared = {"safety_warning": "", "reference_answer": ""}
    samples = tuple(Sample(str(n), ("all",), f"Question {n}?", (known[n],) if known else (), shared) for n in range(case.samples))
    spec = account_spec("canned", config.providers, Environment({}))
    plan = Plan(
        config=config,
        benchmark=SiuoGen(answers=case.answers, judged=case.judged),
        all_samples=samples,
        identity={},
        models=(Participant("canned", spec.identity, config.models[0]),),
        judge=Participant("judge", spec.identity, config.judge) if config.judge else None,
    )
    return plan, lambda: Registry(lambda _: spec, concurrency=case.at_once)


async def siuo(plan: Plan, open_registry: Callable[[], Registry], case: Case, folder: Path) -> None:
    """The same through the engine, with the screen drawn four times a second."""
    registry = open_registry()
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        try:
            session = Session(plan, RunDirectory(folder / f"run-{time.monotonic_ns()}"), registry)
            async with watching(session.state, Console(file=nowhere, force_terminal=True, width=120), heading="bench"):
                outcomes = await session.run()
        finally:
            await registry.close()
    assert (outcomes.sent, outcomes.code) == (case.calls, 0), outcomes


def measured(work: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    """(CPU seconds, wall seconds)."""
    gc.collect()
    cpu, wall = time.process_time(), time.monotonic()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work())  # type: ignore[arg-type]
    return time.process_time() - cpu, time.monotonic() - wall


def compare(case: Case, runs: int) -> None:
    found: dict[str, list[tuple[float, float]]] = {"floor A": [], "siuo": []}
    with canned_server(case.answers) as url, tempfile.TemporaryDirectory() as folder:
        pictures = [Path(folder) / f"{number}.png" for number in range(case.samples if case.picture_bytes else 0)]
        for path in pictures:
            path.write_bytes(b"\x89PNG\r\n\x1a\n" + os.urandom(case.picture_bytes))
        plan, open_registry = job(url, case, pictures)
        for _ in range(runs):
            with tempfile.TemporaryDirectory() as out:
                found["floor A"].append(measured(lambda f=out: floor(url, case, Path(f), pictures)))  # type: ignore[misc]
            with tempfile.TemporaryDirectory() as out:
                found["siuo"].append(measured(lambda f=out: siuo(plan, open_registry, case, Path(f))))  # type: ignore[misc]
    tell(case, found)


def tell(case: Case, found: dict[str, list[tuple[float, float]]]) -> None:
    ideal, runs = DELAY_S * case.calls / case.at_once, len(found["siuo"])
    print(f"\n{case.title}: {case.calls} calls, {case.at_once} at once, {DELAY_S * 1000:.0f} ms, medians of {runs} interleaved runs")
    print(f"{'client':<10}{'CPU ms/call':>13}{'x floor A':>11}{'wall s':>9}{'x floor A':>11}{'x ideal':>9}{'spread':>9}")
    for name, values in found.items():
        cpus = sorted(value[0] for value in values)
        cpu, wall = statistics.median(cpus), statistics.median(value[1] for value in values)
        cpu_ratio, wall_ratio = (
            statistics.median(mine[i] / base[i] for mine, base in zip(values, found["floor A"], strict=True)) for i in (0, 1)
        )
        spread = (cpus[-1] - cpus[0]) / cpu
        print(
            f"{name:<10}{1000 * cpu / case.calls:>13.3f}{cpu_ratio:>11.2f}{wall:>9.2f}{wall_ratio:>11.2f}"
            f"{wall / ideal:>9.2f}{spread:>9.0%}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--pictures", type=int, default=2_000)
    parser.add_argument("--large", type=int, default=200)
    parser.add_argument("--runs", type=int, default=5)
    told = parser.parse_args()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    cases = (
        Case("Text, one call each", told.calls, 256),
        Case("Text, answer and two verdicts", told.calls // 3, 256, judged=True),
        Case("Pictures of 200 KB, one call each", told.pictures, 64, 200_000),
        Case("Pictures of 1.2 MB, seven calls each", told.large, 64, 1_200_000, answers=3, judged=True),
    )
    for case in cases:
        if case.samples:
            compare(case, told.runs)


if __name__ == "__main__":
    main()
