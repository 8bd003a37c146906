"""Runs that are killed, interrupted and continued: every finished call is paid once, and the numbers come out byte for byte."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from siuo_async.simulator import Settings, SimulatorProcess
from tests.cli.program import Siuo, finish, journal, make_data, until

SLOTS = 16
SETTINGS = Settings(seed=5, latency_s=0.05)
WORDS = ("-m", "sim/openai-blunt", "-m", "sim/anthropic-mixed", "--judge", "sim/openai-judge-unreadable", "--concurrency", str(SLOTS))
KILLS = 10
RESUMED = (3, 7)
"""Which of the sessions that are killed are `siuo resume`."""


def quiet(simulator: SimulatorProcess) -> Counter[str]:
    """Requests by call id, once the server is done with those of a killed client."""
    seen: list[tuple[int, int]] = []

    def still() -> bool:
        stats = simulator.stats()
        seen.append((stats["requests"], stats["in_flight"]))
        time.sleep(0.02)
        return stats["in_flight"] == 0 and len(seen) > 1 and seen[-2] == seen[-1]

    until(still, "the server is quiet")
    return Counter(simulator.stats(calls=True)["calls"])


class Story:
    """A run that was killed again and again, and what server and journal said after each time."""

    def __init__(self, folder: Path, data: Path, simulator: SimulatorProcess) -> None:
        self.siuo = Siuo(folder, SIUO_SIM_URL=simulator.url)
        self.words = ("run", "siuo-gen", "--data", data, *WORDS, "--json")
        self.simulator = simulator
        self.after: list[tuple[set[str], Counter[str]]] = []
        """(ids in the journal, requests by id) after each kill."""
        self.lost: list[int] = []
        """Requests of each killed session that no record accounts for."""

    def live(self) -> None:
        dice = random.Random(20)
        for number in range(KILLS):
            before, requests = self.lines(), sum(self.after[-1][1].values()) if self.after else 0
            tries = self.tries()
            process = self.siuo.start(*(("resume",) if number in RESUMED else self.words))
            enough = before + dice.randint(1, 70)
            until(
                lambda enough=enough, process=process: self.lines() >= enough or process.poll() is not None, "some calls are finished"
            )
            assert process.poll() is None, "the run ended before it was killed"
            process.send_signal(signal.SIGKILL)
            finish(process, code=-signal.SIGKILL)
            counts = quiet(self.simulator)
            self.after.append(({record["id"] for record in self.records()}, counts))
            self.lost.append(sum(counts.values()) - requests - (self.tries() - tries))
        self.last = self.siuo(*self.words, code=4)
        self.end = quiet(self.simulator)

    def file(self) -> Path | None:
        return next(iter(self.siuo.folder.glob("results/*/calls.jsonl")), None)

    def lines(self) -> int:
        file = self.file()
        return file.read_bytes().count(b"\n") if file else 0

    def records(self) -> list[dict[str, Any]]:
        file = self.file()
        return journal(file.parent) if file else []

    def tries(self) -> int:
        return sum(record["attempts"] for record in self.records())


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Story, Path]]:
    """The killed run, and beside it the results of one that nobody disturbed, on a server of its own."""
    folder = tmp_path_factory.mktemp("killed")
    data = make_data(folder / "data", 60)
    undisturbed, killed = SimulatorProcess(SETTINGS), SimulatorProcess(SETTINGS)
    with undisturbed as other, killed:
        calm = Siuo(folder / "calm", SIUO_SIM_URL=other)
        process = calm.start("run", "siuo-gen", "--data", data, *WORDS, "--json", "--results", "elsewhere")
        told = Story(folder / "killed", data, killed)
        told.live()
        reference = calm.folder / finish(process, code=4).run
        yield told, reference


def test_the_summary_equals_that_of_an_undisturbed_run_byte_for_byte(story: tuple[Story, Path]) -> None:
    mine = story[0].siuo.folder / story[0].last.run / "summary.json"
    assert mine.read_bytes() == (story[1] / "summary.json").read_bytes()
    assert json.loads(mine.read_bytes())["complete"] is True


def test_no_call_that_was_in_the_journal_was_ever_asked_again(story: tuple[Story, Path]) -> None:
    for kept, counts in story[0].after:
        assert {call: story[0].end[call] for call in kept} == {call: counts[call] for call in kept}


def test_each_kill_cost_no_more_than_what_was_on_the_wire(story: tuple[Story, Path]) -> None:
    assert len(story[0].lost) == KILLS
    assert all(0 <= lost <= 3 * SLOTS for lost in story[0].lost), story[0].lost
    assert sum(story[0].lost) > 0


def test_all_requests_are_accounted_for_by_records_and_kills(story: tuple[Story, Path]) -> None:
    assert sum(story[0].end.values()) == story[0].tries() + sum(story[0].lost)


def test_the_journal_holds_the_same_calls_as_that_of_an_undisturbed_run(story: tuple[Story, Path]) -> None:
    ids = [record["id"] for record in story[0].records()]
    assert len(ids) == len(set(ids))
    assert set(ids) == {record["id"] for record in journal(story[1])}


def test_score_agrees_after_all_of_it(story: tuple[Story, Path]) -> None:
    file = story[0].siuo.folder / story[0].last.run / "summary.json"
    before = file.read_bytes()
    story[0].siuo("score", story[0].last.run, code=4)
    assert file.read_bytes() == before


@pytest.fixture
def going(tmp_path: Path, dozen: Path) -> Iterator[tuple[Siuo, subprocess.Popen[str], SimulatorProcess]]:
    """A run with calls on the wire, each of which takes 0.6 s."""
    simulator = SimulatorProcess(Settings(seed=5, latency_s=0.6, latency_sigma=0))
    with simulator as url:
        siuo = Siuo(tmp_path, SIUO_SIM_URL=url)
        words = ("run", "siuo-gen", "--data", dozen, "-m", "sim/anthropic-careful", "--judge", "sim/openai-judge", "--json")
        process = siuo.start(*words)
        until(lambda: simulator.stats()["in_flight"] >= 4, "calls are on the wire")
        yield siuo, process, simulator


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_lets_calls_on_the_wire_come_home(
    number: signal.Signals, going: tuple[Siuo, subprocess.Popen[str], SimulatorProcess]
) -> None:
    siuo, process, simulator = going
    process.send_signal(number)
    done = finish(process, code=3)
    seen = simulator.stats(calls=True)["calls"]
    assert seen
    assert {record["id"] for record in journal(siuo.folder / done.run)} == set(seen)
    assert done.json["stops"] == [f"stopped by {number.name}; run the same command again to continue"]
    assert done.json["complete"] is False


def test_the_second_signal_cuts(tmp_path: Path, dozen: Path) -> None:
    simulator = SimulatorProcess(Settings(latency_s=20.0, latency_sigma=0))
    with simulator as url:
        siuo = Siuo(tmp_path, SIUO_SIM_URL=url)
        process = siuo.start("run", "siuo-gen", "--data", dozen, "-m", "sim/anthropic-careful", "--no-judge", "--json")
        until(lambda: simulator.stats()["in_flight"] >= 4, "calls are on the wire")
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)  # two at once are one
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        done = finish(process, code=3)
    assert time.monotonic() - begun < 5.0
    assert journal(siuo.folder / done.run) == []


def test_nothing_is_left_behind_by_an_interrupted_run(going: tuple[Siuo, subprocess.Popen[str], SimulatorProcess]) -> None:
    siuo, process, _ = going
    os.kill(process.pid, signal.SIGINT)
    run = siuo.folder / finish(process, code=3).run
    assert sorted(file.name for file in run.iterdir()) == [
        "calls.jsonl", "limits.jsonl", "run.json", "run_stats.json", "samples.jsonl", "summary.json",
    ]  # fmt: skip


def test_calls_on_the_wire_are_cut_when_their_grace_is_over(tmp_path: Path, dozen: Path) -> None:
    simulator = SimulatorProcess(Settings(latency_s=20.0, latency_sigma=0))
    with simulator as url:
        siuo = Siuo(tmp_path, SIUO_SIM_URL=url)
        process = siuo.start("run", "siuo-gen", "--data", dozen, "-m", "sim/anthropic-careful", "--no-judge", "--grace", "0.3")
        until(lambda: simulator.stats()["in_flight"] >= 4, "calls are on the wire")
        process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        finish(process, code=3)
    assert time.monotonic() - begun < 5.0


def test_a_score_of_a_run_that_is_going_on_leaves_the_summary_to_the_run(tmp_path: Path, dozen: Path) -> None:
    simulator = SimulatorProcess(Settings(latency_s=100.0, latency_sigma=0))
    with simulator as url:
        siuo = Siuo(tmp_path, SIUO_SIM_URL=url)
        process = siuo.start("run", "siuo-gen", "--data", dozen, "-m", "sim/anthropic-careful", "--no-judge")
        until(lambda: simulator.stats()["in_flight"] >= 4, "calls are on the wire")
        run = next(siuo.folder.glob("results/*"))
        assert "went on meanwhile" in siuo("score", run, code=3).err
        assert process.poll() is None, "the run ended before it was scored"
        assert not (run / "summary.json").exists()
        process.send_signal(signal.SIGKILL)
        finish(process, code=-signal.SIGKILL)
    siuo("score", run, code=3)
    assert json.loads((run / "summary.json").read_bytes())["complete"] is False
