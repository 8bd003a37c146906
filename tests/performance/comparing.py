"""Interleaved runs: every contender once, then every contender again, so that what the machine does meanwhile happens to all."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from tests.performance.measuring import Load, Measured, Stalls
from tests.performance.processes import Cores, measured
from tests.performance.serving import Server
from tests.performance.tables import NOTHING, Table, Target, spread

BUSY = 0.8
"""A server busier than this may be what was measured."""
FLOOR, FLOOR_PYBASE64, SIUO = "floor A", "floor A, pybase64", "siuo"


@dataclass(frozen=True, slots=True)
class Bench:
    """How the bench was asked to go."""

    runs: int
    scale: float
    folder: Path
    """For pictures, journals and whatever else is made; there is room in it."""
    cores: Cores

    def count(self, full: int, least: int = 1) -> int:
        """`full`, scaled."""
        return max(least, round(full * self.scale))

    def fewer(self, most: int = 3) -> Bench:
        """With fewer runs, for what takes long."""
        return replace(self, runs=min(most, self.runs))


@dataclass(frozen=True, slots=True)
class Contender:
    """One client under one load."""

    label: str
    kind: str
    """As `child` knows it."""
    load: Load
    server: Server
    variables: Mapping[str, str] = field(default_factory=dict)


def both(load: Load, server: Server) -> list[Contender]:
    """Floor A and this package."""
    return [Contender(FLOOR, "floor", load, server), Contender(SIUO, "siuo", load, server)]


Found = Mapping[str, Sequence[Measured]]
"""Runs by the contender's label, in order."""


def compare(bench: Bench, title: str, contenders: Sequence[Contender]) -> Found:
    """All runs of all contenders."""
    found: dict[str, list[Measured]] = {contender.label: [] for contender in contenders}
    for number in range(1, bench.runs + 1):
        for contender in contenders:
            tell(f"{title}: run {number} of {bench.runs}, {contender.label}")
            found[contender.label].append(_run(bench, contender))
    return found


def tell(sentence: str) -> None:
    """Where the bench is, for whoever waits."""
    print(f"  ... {sentence}", file=sys.stderr, flush=True)


def _run(bench: Bench, contender: Contender) -> Measured:
    before = contender.server.cpu_s()
    with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
        load = replace(contender.load, folder=folder, url=contender.server.url)
        told = measured(contender.kind, load, core=bench.cores.client, variables=contender.variables)
    used = max(after - earlier for after, earlier in zip(contender.server.cpu_s(), before, strict=True))
    stalls = Stalls(**told.pop("stalls")) if told["stalls"] else told.pop("stalls")
    return replace(Measured(**told, stalls=stalls), server_busy=used / told["wall_s"])


def ratios(found: Found, label: str, base: str, figure: str) -> list[float]:
    """A figure over the base's of the same round, run by run."""
    return [getattr(mine, figure) / getattr(its, figure) for mine, its in zip(found[label], found[base], strict=True)]


@dataclass(frozen=True, slots=True)
class Targets:
    """Of one contender, as ratios to floor A."""

    cpu: Target | None = None
    wall: Target | None = None


def calls_table(title: str, found: Found, calls: int, targets: Mapping[str, Targets], base: str = FLOOR) -> Table:
    """What a call costs, contender by contender."""
    head = ("client", "CPU ms/call", "x floor A (range)", "target", "wall s", "x floor A (range)", "target", "server busy")
    rows = []
    for label, runs in found.items():
        held = targets.get(label, Targets())
        cpu, wall = ratios(found, label, base, "cpu_s"), ratios(found, label, base, "wall_s")
        cpu_ms = 1000 * median(run.cpu_s for run in runs) / calls
        row = (label, f"{cpu_ms:.3f}", spread(cpu), _held(held.cpu, cpu), f"{median(run.wall_s for run in runs):.2f}")
        rows.append((*row, spread(wall), _held(held.wall, wall), f"{median(run.server_busy for run in runs):.0%}"))
    runs_made = len(found[base])
    return Table(f"{title}; medians of {runs_made} interleaved runs", head, tuple(rows), tuple(_notes(found, calls, base)))


def _held(target: Target | None, values: Sequence[float]) -> str:
    return target.verdict(median(values)) if target else NOTHING


def _notes(found: Found, calls: int, base: str) -> list[str]:
    cpus = [run.cpu_s for run in found[base]]
    notes = [f"{base}'s own CPU differs by {(max(cpus) - min(cpus)) / median(cpus):.0%} from run to run."] if len(cpus) > 1 else []
    if ready := median(run.prepared_cpu_s for run in found[SIUO]) if SIUO in found else 0.0:
        notes.append(
            f"Not in it, since it comes before the first call: making siuo's samples and hashing their pictures, "
            f"{1000 * ready / calls:.3f} ms a call, which is {ready / median(cpus):.2f} x floor A."
        )
    if busy := [label for label, runs in found.items() if median(run.server_busy for run in runs) > BUSY]:
        notes.append(f"The server was busy for over {BUSY:.0%} of the time under {', '.join(busy)}: it may set the wall time.")
    return notes
