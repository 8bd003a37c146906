"""Where crashes happen: a run of few samples on a simulator of its own, and what an undisturbed one came to."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from siuo_async.engine.journal import Index
from siuo_async.simulator import Settings, SimulatorProcess
from tests.cli.program import Done, Siuo, finish, journal, make_data, until
from tests.reliability.faults import Scene, Seen

SLOTS = 4


@dataclass
class Stage:
    """A data set, a simulator, the command, and the undisturbed run."""

    folder: Path
    data: Path
    simulator: SimulatorProcess
    words: tuple[str | Path, ...]
    calm: Path = field(default_factory=Path)
    """The undisturbed run."""
    needed: frozenset[str] = frozenset()
    """The calls it made."""
    made: int = 0

    def siuo(self) -> Siuo:
        """The program in a folder that no other has."""
        self.made += 1
        return Siuo(self.folder / f"run-{self.made:03}", SIUO_SIM_URL=self.simulator.url)

    def run(self, siuo: Siuo, *more: str | Path) -> Done:
        """The command as it ends by itself."""
        return finish(siuo.start(*self.words, *more), code=None)

    def fresh_counters(self) -> None:
        """The server has seen nothing."""
        self.simulator.reset()

    def requests(self) -> Counter[str]:
        """Requests by call id, once the server is done with those of a killed client."""
        seen: list[tuple[int, int]] = []

        def still() -> bool:
            stats = self.simulator.stats()
            seen.append((stats["requests"], stats["in_flight"]))
            return stats["in_flight"] == 0 and len(seen) > 1 and seen[-2] == seen[-1]

        until(still, "the server is quiet")
        return Counter(self.simulator.stats(calls=True)["calls"])

    def only_run(self, siuo: Siuo) -> Path | None:
        """The run below a folder, if a session got so far."""
        return next(iter(siuo.folder.glob("results/*/run.json")), Path("nowhere", "x")).parent if siuo.folder.exists() else None


@contextlib.contextmanager
def stage(scene: Scene, samples: int = 2, *, settings: Settings | None = None, judge: str = "openai-judge") -> Iterator[Stage]:
    """A stage with its undisturbed run, which was made on another server."""
    data = make_data(scene.folder / "data", samples)
    told = settings or Settings(seed=5)
    words = ("run", "siuo-gen", "--data", data, "-m", "sim/openai-blunt", "--judge", f"sim/{judge}", "--json")
    words += ("--concurrency", str(SLOTS))
    with SimulatorProcess(told) as calm_url, SimulatorProcess(told) as _:
        pass
    del calm_url
    simulator = SimulatorProcess(told)
    with simulator:
        found = Stage(scene.folder, data, simulator, words)
        calm = Siuo(scene.folder / "calm", SIUO_SIM_URL=simulator.url)
        done = found.run(calm)
        assert done.code in (0, 4), done.err
        found.calm = calm.folder / done.run
        found.needed = frozenset(record["id"] for record in journal(found.calm))
        found.fresh_counters()
        yield found
