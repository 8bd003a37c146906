"""Where crashes happen: a run of few samples on a simulator of its own, beside what an undisturbed one came to."""

from __future__ import annotations

import atexit
import contextlib
import copy
import functools
import json
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from siuo_async.engine.journal import Index
from siuo_async.simulator import Settings, SimulatorProcess
from tests.cli.program import Done, Siuo, journal, make_data, until
from tests.reliability.faults import Scene, Seen
from tests.reliability.syscalls import FileCall, impossible, in_fork, run_held

SLOTS = 4
FILES = {"calls.jsonl", "limits.jsonl", "run.json", "run_stats.json", "samples.jsonl", "summary.json"}


@dataclass(slots=True)
class Stage:
    """A data set, a simulator, the command, and the undisturbed run."""

    folder: Path
    simulator: SimulatorProcess
    words: tuple[str | Path, ...]
    calm: Siuo = field(init=False)
    calm_run: Path = field(init=False)
    calm_s: float = 0.0
    """How long it took."""
    code: int = 0
    needed: frozenset[str] = frozenset()
    """The calls it made."""
    calls: list[FileCall] = field(default_factory=list)
    """What it did to files."""
    made: int = 0

    def siuo(self, like: Siuo | None = None) -> Siuo:
        """The program in a folder that no other has; `like`: a copy of that one's."""
        self.made += 1
        folder = self.folder / f"run-{self.made:03}"
        if like is not None:
            shutil.copytree(like.folder, folder)
        self.simulator.reset()
        return Siuo(folder, SIUO_SIM_URL=self.simulator.url)

    def run(self, siuo: Siuo) -> Done:
        """The command, to whatever end."""
        return in_fork(siuo, self.words)

    def requests(self) -> Counter[str]:
        """Requests by call id, once the server is done with those of a killed client."""
        seen: list[tuple[int, int]] = []

        def still() -> bool:
            stats = self.simulator.stats()
            seen.append((stats["requests"], stats["in_flight"]))
            return stats["in_flight"] == 0 and len(seen) > 1 and seen[-2] == seen[-1]

        until(still, "the server is quiet")
        return Counter(self.simulator.stats(calls=True)["calls"])


@contextlib.contextmanager
def stage(scene: Scene, samples: int = 2, settings: Settings | None = None) -> Iterator[Stage]:
    """A stage with its undisturbed run; data, simulator and that run are made once for all faults that want the same."""
    found = copy.copy(_prepared(samples, settings or Settings(seed=5)))
    found.folder, found.made = scene.folder, 0
    found.simulator.reset()
    yield found


@functools.cache
def _prepared(samples: int, settings: Settings) -> Stage:
    folder = Path(tempfile.mkdtemp(prefix="stage-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    data = make_data(folder / "data", samples)
    words = ("run", "siuo-gen", "--data", data, "-m", "sim/openai-blunt", "--judge", "sim/openai-judge", "--json")
    simulator = SimulatorProcess(settings)
    url = simulator.__enter__()
    atexit.register(simulator.__exit__)
    found = Stage(folder, simulator, (*words, "--concurrency", str(SLOTS)))
    found.calm = Siuo(folder / "calm", SIUO_SIM_URL=url)
    within = found.calm.folder / "results"
    begun = time.monotonic()
    done = found.run(found.calm) if impossible() else run_held(found.calm, found.words, found.calls.append, within=within)
    found.calm_s = time.monotonic() - begun
    assert done.code in (0, 4), done.err
    found.code = done.code
    found.calm_run = found.calm.folder / done.run
    found.needed = frozenset(record["id"] for record in journal(found.calm_run))
    return found


def the_run(siuo: Siuo) -> Path | None:
    """The run that stands below a folder, if a session got so far."""
    return next((file.parent for file in siuo.folder.glob("results/*/calls.jsonl")), None)


def kept(siuo: Siuo, seen: Seen, what: str) -> set[str]:
    """The ids whose records stand in the journal of what was stopped; each complete line must be whole."""
    run = the_run(siuo)
    if run is None:
        return set()
    bad: list[str] = []
    index = Index.of(run / "calls.jsonl", lambda number, _o, _l, why: bad.append(f"line {number}: {why}"))
    seen.expect(not bad, f"{what}: {'; '.join(bad)}")
    return {key.hex() for key in index.offsets}


def summary(run: Path) -> bytes:
    """`summary.json`, with another day's date where the run was begun on another day."""
    created = json.loads((run / "run.json").read_bytes())["created_at"][:10]
    return (run / "summary.json").read_bytes().replace(created.encode(), b"DAY")


def survives(place: Stage, siuo: Siuo, seen: Seen, what: str, *, sessions: int = 1, before: Counter[str] | None = None) -> int:
    """Runs the command again and holds all promises; how many requests were made twice.

    Args:
        sessions: how many were stopped before, each of which may have lost what it had on the wire.
        before: requests of sessions that were not in this folder.
    """
    stood = kept(siuo, seen, what)
    had = place.requests()
    done = place.run(siuo)
    counts = place.requests()
    seen.expect(done.code == place.code, f"{what}: the same command again ended with {done.code}: {done.err[-300:]}")
    run = the_run(siuo)
    if run is None or done.code != place.code:
        return 0
    seen.expect(summary(run) == summary(place.calm_run), f"{what}: the summary differs from the undisturbed run's")
    seen.expect(kept(siuo, seen, what) == place.needed, f"{what}: the journal holds other calls than the undisturbed run's")
    seen.expect(all(counts[call] == had[call] for call in stood), f"{what}: a call that was in the journal was asked again")
    seen.expect(set(counts) <= place.needed, f"{what}: calls were sent that an undisturbed run does not make")
    twice = sum((counts + (before or Counter())).values()) - len(set(counts) | set(before or ()))
    seen.expect(twice <= sessions * 2 * SLOTS, f"{what}: {twice} requests were made twice, with {sessions} sessions lost")
    seen.expect(len(list((siuo.folder / "results").iterdir())) == 1, f"{what}: a second run was begun")
    left = {file.name for file in run.iterdir()} - FILES
    seen.expect(not left, f"{what}: {', '.join(sorted(left))} was left behind")
    return twice


def told_well(done: Done, seen: Seen, what: str, codes: tuple[int, ...] = (3,)) -> None:
    """A stop is one clear sentence and the right exit code, never a traceback."""
    seen.expect(done.code in codes, f"{what}: exit code {done.code}, not {' or '.join(map(str, codes))}: {done.err[-300:]}")
    seen.expect("Traceback" not in done.err, f"{what}: a traceback: {done.err[-500:]}")
    if done.code in (2, 3):
        seen.expect("siuo: " in done.err or "stopped early: " in done.err, f"{what}: nothing was said: {done.err[-300:]}")
