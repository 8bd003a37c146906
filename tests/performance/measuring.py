"""What a run is given and what it gives back: CPU, wall time, memory, stalls of the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

NAP_S = 0.001
"""How long the task that watches for stalls sleeps at a time."""
BEGINNING_S = 0.5
"""What a client does at once when it begins is no stall of a run that goes on."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a client has to do."""

    url: str
    """With `/v1` at its end."""
    calls: int
    at_once: int
    folder: str
    """Empty; for whatever the client writes."""
    pictures: str = ""
    """A folder of pictures, each asked about `per_picture` times; empty for text alone."""
    per_picture: int = 1
    judged: bool = False
    """Every third call is a question, the other two are verdicts on its answer. Only the engine knows the difference."""
    watch_stalls: bool = False

    def paths(self) -> list[Path]:
        """The pictures, in order."""
        return sorted(Path(self.pictures).glob("*.png")) if self.pictures else []


@dataclass(frozen=True, slots=True)
class Stalls:
    """How late the event loop was for a task that wants to run every millisecond, in milliseconds."""

    p999_ms: float
    max_ms: float
    busy_max_ms: float
    """The longest that the loop's own thread computed meanwhile: what is left if the kernel gave the core to others."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What the work took, from after one call for warming up to its end."""

    cpu_s: float
    """User and system time of the process, all its threads."""
    wall_s: float
    grown_bytes: int
    """Highest resident memory at the end above what was resident at the beginning."""
    stalls: Stalls | None = None
    prepared_cpu_s: float = 0.0
    """What was made ready before, for information."""
    server_busy: float = 0.0
    """CPU of the busiest server process over the wall time; filled in from outside."""


def cpu_s() -> float:
    """User and system time of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident_bytes(field: str = "VmRSS") -> int:
    """Resident memory of this process, or its highest (`VmHWM`); elsewhere than on Linux always the highest."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(field + ":"))


class Meter:
    """Runs from its making to `read`."""

    def __init__(self) -> None:
        gc.collect()  # what warming up left belongs to nobody
        self._resident = resident_bytes()
        self._cpu_s, self._wall_s = cpu_s(), time.monotonic()

    def read(self, late: Lateness | None = None) -> Measured:
        """What was used since, and what `late` saw."""
        grown, seen = resident_bytes("VmHWM") - self._resident, late.stalls() if late else None
        return Measured(cpu_s() - self._cpu_s, time.monotonic() - self._wall_s, grown, seen)


class Lateness:
    """Naps of a millisecond, and by how much each was too long."""

    def __init__(self) -> None:
        self._late_s: list[float] = []
        self._busy_s: list[float] = []
        self._over = False

    async def watch(self) -> None:
        """Runs until cancelled."""
        await asyncio.sleep(BEGINNING_S)
        while True:
            begun, busy = time.perf_counter(), time.thread_time()
            await asyncio.sleep(NAP_S)
            if self._over:
                return
            self._busy_s.append(time.thread_time() - busy)
            self._late_s.append(time.perf_counter() - begun - NAP_S)

    def over(self) -> None:
        """The last call is done: what is summed up and closed now holds up nobody."""
        self._over = True

    def stalls(self) -> Stalls | None:
        """What was seen; None where nobody watched."""
        if not self._late_s:
            return None
        return Stalls(1000 * quantile(self._late_s, 0.999), 1000 * max(self._late_s), 1000 * max(self._busy_s))


@contextlib.asynccontextmanager
async def watching_stalls(load: Load) -> AsyncIterator[Lateness]:
    """Watches the loop while the block runs, where that was asked for: it costs a little CPU itself."""
    late = Lateness()
    if not load.watch_stalls:
        yield late
        return
    task = asyncio.create_task(late.watch())
    try:
        yield late
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest of `values` that at least `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
