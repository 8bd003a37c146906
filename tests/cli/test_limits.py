"""Limits as a user meets them: what is said of them, and the flags that set ceilings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from siuo_async.simulator import Hints, Limiter, Settings, SimulatorProcess
from tests.cli.program import Done, Siuo, finish, journal

ASKED = ("-m", "sim/openai-careful", "--judge", "sim/openai-judge")


@pytest.fixture(scope="module")
def limited() -> Iterator[SimulatorProcess]:
    """Ten calls a second, told in headers."""
    process = SimulatorProcess(Settings(seed=3, rpm=600, latency_s=0.05, limiter=Limiter.SLIDING, hints=Hints.FULL))
    with process:
        yield process


@pytest.fixture
def on_limited(tmp_path: Path, limited: SimulatorProcess) -> Siuo:
    limited.reset()
    return Siuo(tmp_path, SIUO_SIM_URL=limited.url)


def limits_of(run: Path, session: int = -1) -> dict[str, Any]:
    """What `run_stats.json` says of the limit groups of a session."""
    found: dict[str, Any] = json.loads((run / "run_stats.json").read_text())["sessions"][session]["limits"]
    return found


def changes(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "limits.jsonl").read_text().splitlines()]


@pytest.fixture
def paced(on_limited: Siuo, dozen: Path) -> tuple[Siuo, Done]:
    return on_limited, on_limited("run", "siuo-gen", "--data", dozen, *ASKED, "--limit", "6", "--json")


def test_a_run_says_which_limit_held_it_back_who_told_it_and_how_it_was_used(paced: tuple[Siuo, Done]) -> None:
    siuo, done = paced
    run = siuo.folder / done.run
    judge = limits_of(run)["sim/openai-judge"]
    assert judge["calls"]["source"] == "header"
    assert judge["calls"]["per_min"] is not None
    assert 0 < judge["calls"]["used"] <= 1
    assert judge["bottleneck"].startswith("held back by ")
    assert "told by headers" in judge["bottleneck"]
    assert judge["waited_s"]["pace"] > 0
    assert judge["let_through"] == sum(record["stage"] != "generate" for record in journal(run))
    assert limits_of(run)["sim/openai-careful"]["slots"]["at_once"] >= 4
    lines = changes(run)
    assert {line["group"] for line in lines} == {"sim/openai-careful", "sim/openai-judge"}
    told = [line for line in lines if line["group"] == "sim/openai-judge" and line["why"] == "headers"]
    assert told[0]["calls_per_min"] == pytest.approx(0.995 * judge["calls"]["per_min"], rel=0.02)
    assert all(set(line) == {"t", "group", "calls_per_min", "slots", "tokens_per_min", "cooldown_s", "why"} for line in lines)


def test_the_log_of_limits_is_no_part_of_the_run(paced: tuple[Siuo, Done]) -> None:
    siuo, done = paced
    (siuo.folder / done.run / "limits.jsonl").write_bytes(b"\x00 no JSON\n{")
    assert "all lines whole" in siuo("check", done.run).out
    assert "finished" in siuo("ls").out
    assert siuo("score", done.run, "--json").json["complete"] is True


def test_the_log_of_a_terminal_that_is_none_says_what_holds_back(tmp_path: Path, dozen: Path) -> None:
    with SimulatorProcess(Settings(seed=3, latency_s=0.05)) as url:
        siuo = Siuo(tmp_path, SIUO_SIM_URL=url)
        done = siuo("run", "siuo-gen", "--data", dozen, *ASKED, "--rpm", "120", "--limit", "5")
    (line,) = [line for line in done.err.splitlines() if line.startswith("10 s:")]
    assert "sim/openai-judge: 120 calls/min (yours)" in line
    assert "ETA " in line
    assert "ETA –" not in line


def test_a_ceiling_given_to_judge_holds_for_that_time_and_is_not_remembered(siuo: Siuo, dozen: Path) -> None:
    run = siuo("run", "siuo-gen", "--data", dozen, "-m", "sim/openai-careful", "--no-judge", "--limit", "1", "--json").run
    siuo("judge", run, "--judge", "sim/openai-judge", "--rpm", "3000", "--tpm", "9000000", "--concurrency", "sim=7", "--json")
    judge = limits_of(siuo.folder / run)["sim/openai-judge"]
    assert (judge["calls"]["per_min"], judge["calls"]["source"]) == (3_000.0, "user")
    assert (judge["tokens"]["per_min"], judge["tokens"]["source"]) == (9_000_000.0, "user")
    assert judge["slots"] == {"at_once": 7, "source": "user"}
    remembered = json.loads((siuo.folder / run / "run.json").read_text())["config"]
    assert not {"rpm", "tpm", "concurrency"} & set(remembered)


def test_a_ceiling_given_to_resume_wins_over_the_remembered_one(siuo: Siuo, dozen: Path) -> None:
    run = siuo("run", "siuo-gen", "--data", dozen, *ASKED, "--limit", "1", "--rpm", "6000", "--concurrency", "9", "--json").run
    # Answers that are taken away are asked for again.
    journal_file = siuo.folder / run / "calls.jsonl"
    journal_file.write_bytes(journal_file.read_bytes().split(b"\n")[0] + b"\n")
    stats = siuo.folder / run / "run_stats.json"
    stats.write_text(json.dumps({**json.loads(stats.read_text()), "finished_at": None}))
    siuo("resume", run, "--rpm", "sim=4000", "--json")
    judge = limits_of(siuo.folder / run)["sim/openai-judge"]
    assert judge["calls"]["per_min"] == 4_000.0
    assert judge["slots"] == {"at_once": 9, "source": "user"}
    assert json.loads((siuo.folder / run / "run.json").read_text())["config"]["rpm"] == 6_000.0


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--rpm", "simm=5"), "rpm is set for 'simm', which is no provider of this run; did you mean 'sim'?"),
        (("--rpm", "openai=5"), "rpm is set for 'openai', which is no provider of this run; there are: sim"),
        (("--tpm", "0"), "--tpm '0' is no number above zero; write --tpm 60 or --tpm openai=60"),
        (("--concurrency", "1000000000"), "the command line: concurrency must be above zero and at most 100000"),
    ],
)
def test_a_ceiling_that_cannot_be_used_is_told_in_one_sentence(siuo: Siuo, dozen: Path, flags: tuple[str, str], sentence: str) -> None:
    run = siuo("run", "siuo-gen", "--data", dozen, "-m", "sim/openai-careful", "--no-judge", "--limit", "1", "--json").run
    done = siuo("judge", run, "--judge", "sim/openai-judge", *flags, code=2)
    assert done.err.strip() == f"siuo: {sentence}"


def test_more_at_once_than_a_process_can_hold_is_a_note_and_no_error(siuo: Siuo, dozen: Path) -> None:
    words = ["run", "siuo-gen", "--data", dozen, *ASKED, "--limit", "1", "--concurrency", "5000", "--json"]
    process = siuo.start(*words, open_files=512)
    done = finish(process)
    (note,) = [line for line in done.err.splitlines() if line.startswith("note: ")]
    assert note.startswith("note: 5000 calls at once are more than this process can hold, which may open 512 files: 1")
    assert note.endswith("for each of 2 models at most; `ulimit -n` raises that")
    assert limits_of(siuo.folder / done.run)["sim/openai-judge"]["slots"]["at_once"] < 200
