"""A simulator per module, a folder and a program per test, and what takes long begun before it is asked for."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from siuo_async.simulator import Settings, SimulatorProcess
from tests.cli.forker import Forker
from tests.cli.program import FORKERS, Siuo, make_data


@pytest.fixture(scope="session", autouse=True)
def _forkers() -> Iterator[None]:
    both = [Forker(), Forker()]
    for forker in both:
        FORKERS.put(forker)
    yield
    for forker in both:
        forker.close()


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    """A simulator that answers at once; tests that read its counters reset them first."""
    process = SimulatorProcess(Settings(seed=3))
    with process:
        yield process


@pytest.fixture(scope="session")
def dozen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve small samples in three categories."""
    return make_data(tmp_path_factory.mktemp("dozen") / "data", 12)


@pytest.fixture
def siuo(tmp_path: Path, simulator: SimulatorProcess) -> Siuo:
    """The program in a folder of its own, told of the simulator, whose counters stand at nothing."""
    simulator.reset()
    return Siuo(tmp_path, SIUO_SIM_URL=simulator.url)


class Early:
    """Commands that mostly wait (for backoff, for a closed port), begun at the start so that other tests run meanwhile."""

    def __init__(self, folder: Path, data: Path) -> None:
        self.processes: dict[str, subprocess.Popen[str]] = {}
        self.simulator = SimulatorProcess(Settings(seed=3))
        self.folder = folder
        self.data = data

    def begin(self) -> None:
        """Starts them."""
        url = self.simulator.__enter__()
        common = ("--data", self.data, "--json")
        commands = {
            "broken": ("-m", "sim/openai-broken", "-m", "sim/openai-careful", "--judge", "sim/openai-judge"),
            "unreachable": ("-m", "openai/gpt-4o-mini", "--no-judge"),
        }
        for name, words in commands.items():
            closed = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "OPENAI_API_KEY": "sk-not-a-key-000"}
            siuo = Siuo(self.folder / name, SIUO_SIM_URL=url, **closed)
            self.processes[name] = siuo.start("run", "siuo-gen", *common, *words)
        make_data(self.folder / "sixty", 60)
        (self.folder / "run.yaml").write_text(
            "benchmark: siuo-gen\ndata: sixty\nmodels: [lab/careful]\njudge: sim/openai-judge-broken\n"
            f"providers: {{lab: {{dialect: openai, base_url: '{url}/v1', key_env: LAB_KEY, rpm: 120}}}}\n",  # 180 calls take 90 s
            encoding="utf-8",
        )
        slow = Siuo(self.folder / "judge-broken", SIUO_SIM_URL=url)
        self.processes["judge-broken"] = slow.start("run", "-c", self.folder / "run.yaml", "--json", env={"LAB_KEY": "lab-key-1"})
        demo = Siuo(self.folder / "demo")
        self.processes["demo"] = demo.start("demo", "--json")

    def end(self) -> None:
        """Stops whatever is left."""
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
            process.communicate()
        self.simulator.__exit__()


@pytest.fixture(scope="session", autouse=True)
def early(_forkers: None, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Early | None]:
    """Only where a test wants one of them."""
    if not any("unwell" in item.nodeid for item in request.session.items):
        yield None
        return
    begun = Early(tmp_path_factory.mktemp("early"), request.getfixturevalue("dozen"))
    begun.begin()
    yield begun
    begun.end()
