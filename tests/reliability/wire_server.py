"""A server that looks at the question and does to that sample what a row of the table says, and one program that asks it."""

from __future__ import annotations

import asyncio
import json
import math
import re
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from siuo_async.errors import ErrorKind
from siuo_async.values import Outcome
from tests.cli.program import Siuo, journal, make_data
from tests.client.servers import KEY, RawServer, Seen
from tests.reliability import faults
from tests.reliability.wire_table import GOOD, TRIES, Row

_QUESTION = re.compile(rb"What about number (\d+)\?")
LIMIT_S = 150.0
FOR_EVER = math.inf


def right(number: int) -> str:
    """The right answer of a sample, which is no other's."""
    return f"Of number {number}: grüße, 世界."


@dataclass
class Misbehaving:
    """The server, in a thread of its own.

    Args:
        plan: number of a sample -> what its tries meet, and how many of them.
        shared: each sample's plan is met in one dialect only, so that a short run meets all of it.
    """

    plan: Mapping[int, tuple[Row, float]]
    shared: bool = False
    dialects: Sequence[str] = tuple(GOOD)
    met: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Requests by dialect and sample."""
    inflicted: int = 0
    server: RawServer = field(init=False)
    loop: asyncio.AbstractEventLoop = field(init=False)

    def __post_init__(self) -> None:
        self.server = RawServer(self._script)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)

    def __enter__(self) -> Misbehaving:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.server.start(), self.loop).result(30)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self.loop).result(30)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    async def _end(self) -> None:
        await self.server.stop()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def planned(self, dialect: str, number: int) -> tuple[Row | None, float]:
        """What the tries of a sample meet, and how many of them."""
        mine = not self.shared or list(GOOD)[number // 2 % len(GOOD)] == dialect
        return self.plan.get(number, (None, 0.0)) if mine else (None, 0.0)

    async def _script(self, seen: Seen, writer: asyncio.StreamWriter) -> None:
        dialect = "gemini" if "generateContent" in seen.path else "anthropic" if seen.path.endswith("/messages") else "openai"
        found = _QUESTION.search(seen.body)
        number = int(found[1]) if found else -1
        good = replace(GOOD[dialect], text=right(number))
        self.met[dialect, number] += 1
        row, times = self.planned(dialect, number)
        if row is not None and self.met[dialect, number] <= times:
            self.inflicted += 1
            await row.deed(good, writer)
            return
        writer.write(good.reply)
        await writer.drain()


@dataclass(slots=True)
class Ran:
    """What a run of the program came to."""

    code: int
    took_s: float
    records: list[dict[str, Any]]
    most_mb: int
    """The most memory that the process had (VmHWM)."""
    err: str
    summary: Any = None

    def of(self, provider: str) -> dict[int, dict[str, Any]]:
        """Records of a provider by the number of the sample."""
        return {int(record["sample"]) - 1000: record for record in self.records if record["provider"].startswith(provider)}


def configured(folder: Path, urls: Mapping[str, tuple[str, str]]) -> Path:
    """A configuration with one provider for each name -> (dialect, base URL)."""
    providers = {name: {"dialect": dialect, "base_url": url, "key_env": "LAB_KEY"} for name, (dialect, url) in urls.items()}
    told = {"benchmark": "siuo-gen", "data": "data", "models": [f"{name}/m" for name in urls], "providers": providers}
    path = folder / "run.yaml"
    path.write_text(json.dumps(told), encoding="utf-8")
    return path


def run(folder: Path, count: int, urls: Mapping[str, tuple[str, str]], *words: str, **variables: str) -> Ran:
    """The program over `count` samples, one answer each and no judge."""
    make_data(folder / "data", count)
    siuo = Siuo(folder, LAB_KEY=KEY, **variables)
    config = configured(folder, urls)
    begun = time.monotonic()
    process = siuo.start("run", "-c", config, "--no-judge", "--answers", "1", "--json", *words)
    code, out, err, most_mb = _watched(process)
    took_s = time.monotonic() - begun
    try:
        summary = json.loads(out)
        records = journal(folder / summary["run"])
    except (ValueError, KeyError, OSError):
        summary, records = None, []
    return Ran(code, took_s, records, most_mb, err[-2000:], summary)


def _watched(process: subprocess.Popen[str]) -> tuple[int, str, str, int]:
    """Exit code, what it wrote, and the most memory it had in MB; a run that hangs is ended, with -1 as its code."""
    most = 0
    end = time.monotonic() + LIMIT_S
    while True:
        try:
            out, err = process.communicate(timeout=0.1)
            return process.returncode, out, err, most
        except subprocess.TimeoutExpired:
            most = max(most, _most_mb(process.pid))
            if time.monotonic() > end:
                process.kill()
                out, err = process.communicate()
                return -1, out, err, most


def _most_mb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")), 0)


def judge(seen: faults.Seen, ran: Ran, bad: Misbehaving, count: int) -> Counter[str]:
    """Holds what every sample of every dialect became against the table; how many became what."""
    became: Counter[str] = Counter()
    fails = any(times == FOR_EVER and not _results(row) for row, times in bad.plan.values())
    seen.expect(ran.code == (4 if fails else 0), f"exit code {ran.code}: {ran.err[-600:]}")
    for dialect in bad.dialects:
        records = ran.of(dialect)
        seen.expect(len(records) == count, f"{dialect}: {len(records)} of {count} samples have a record")
        for number, record in sorted(records.items()):
            row, times = bad.planned(dialect, number)
            wrong = _wrong(record, number, row, times, bad.met[dialect, number])
            seen.expect(wrong is None, f"{dialect}, {row or 'a good sample'}: {wrong}")
            became["failed as it should" if record.get("error") else "answered rightly"] += 1
    return became


def _results(row: Row) -> bool:
    return all(isinstance(kind, Outcome) for kind in row.becomes)


def _wrong(record: Mapping[str, Any], number: int, row: Row | None, times: float, met: int) -> str | None:
    """What is wrong with a record, or None."""
    (answer,) = record["answers"]
    kind = (record.get("error") or {}).get("kind")
    if record["attempts"] != met:
        return f"{record['attempts']} tries of {met} requests"
    if row is not None and times == FOR_EVER and not _results(row):
        if kind not in row.becomes:
            return f"it became {kind or answer['outcome']}"
        return None if record["attempts"] == TRIES[ErrorKind(kind)] else f"{record['attempts']} tries"
    if answer["outcome"] != Outcome.ANSWERED:
        return f"it became {kind or answer['outcome']}: {record.get('error')}"
    if bool(record.get("repaired")) != bool(row is not None and row.repaired):
        return "nothing tells that the text was repaired" if row and row.repaired else "it counts as repaired"
    if answer["text"] != right(number) and not record.get("repaired"):
        return f"its text is {answer['text']!r}"
    if row is not None and not _results(row) and record.get("maybe_billed", 0) != (times if row.billed else 0):
        return f"{record.get('maybe_billed', 0)} tries count as maybe billed"
    return None
