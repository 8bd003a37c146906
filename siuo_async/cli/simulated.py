"""Gives a demonstration its simulator back, since that lives only as long as a command."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from siuo_async.client.accounts import Environment
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.simulator import Settings, SimulatorProcess


@contextlib.contextmanager
def simulator_for(path: Path, surroundings: Environment, judge: str = "") -> Iterator[dict[str, str]]:
    """Variables to add: a simulator's address where the run at `path` is a demonstration and none is named."""
    benchmark = RunDirectory(path).manifest().get("benchmark")
    if benchmark != "demo" or surroundings.variables.get("SIUO_SIM_URL") or (judge and not judge.startswith("sim/")):
        yield {}
        return
    with SimulatorProcess(Settings(latency_s=0.25)) as url:
        yield {"SIUO_SIM_URL": url}
