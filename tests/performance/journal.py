"""A long journal made of real lines, and how fast it is indexed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from siuo_async.engine.journal import Index
from siuo_async.engine.records import CallRecord
from siuo_async.values import Answer, Outcome, Usage
from tests.performance.measuring import Meter, resident_bytes

_TEXT = "It would be safer not to: the ice on the lake is thin, as the sign says, so walk round it. “Later” is no help. "
_RECORD = CallRecord(
    id="",
    stage="generate",
    provider="openai",
    model="gpt-4o-2024-11-20",
    sample="",
    first=0,
    asked=1,
    answers=(Answer(Outcome.ANSWERED, _TEXT * 9, "stop"),),
    usage=Usage(input=1105, output=243, cached=1024),
    latency_s=2.3456,
    waited_s=0.1234,
    started_at="2026-01-02T03:04:05.678+00:00",
    sent={"max_tokens": 500},
    served_model="gpt-4o-2024-11-20",
    request_id="req_0123456789abcdef0123456789abcdef",
)


def write(path: Path, lines: int) -> None:
    """Writes a journal of `lines` calls, about 1,520 bytes each."""
    with path.open("wb") as file:
        for number in range(lines):
            identity = hashlib.blake2b(b"%d" % number, digest_size=16).hexdigest()
            file.write(replace(_RECORD, id=identity, sample=str(number // 3), first=number % 3).line())


@dataclass(frozen=True, slots=True)
class Reading:
    """What it is told."""

    path: str


@dataclass(frozen=True, slots=True)
class Indexed:
    """What reading the whole journal came to."""

    ids: int
    cpu_s: float
    wall_s: float
    held_bytes: int
    """Resident memory that the index holds."""


def run_index(told: dict[str, Any]) -> Indexed:
    """Indexes the journal as every command does that continues a run."""
    before = resident_bytes()
    meter = Meter()
    index = Index.of(Path(Reading(**told).path))
    used = meter.read()
    return Indexed(len(index.offsets), used.cpu_s, used.wall_s, resident_bytes() - before)
