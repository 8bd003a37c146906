"""No finished call is paid twice: the same command again, more of everything, other judges, other revisions."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from siuo_async.simulator import SimulatorProcess
from tests.cli.program import Done, Siuo, generated, journal, model, to_judge

A, B = "sim/openai-careful", "sim/anthropic-blunt"
JUDGE = ("--judge", "sim/openai-judge-odd")


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory, simulator: SimulatorProcess, dozen: Path) -> tuple[Path, Done, int]:
    """Five samples of one model, judged: where, what it came to, and the requests that the server saw."""
    simulator.reset()
    siuo = Siuo(tmp_path_factory.mktemp("paid"), SIUO_SIM_URL=simulator.url)
    done = again(siuo, dozen, "--limit", "5")
    return siuo.folder, done, simulator.stats()["requests"]


@pytest.fixture
def first(siuo: Siuo, paid: tuple[Path, Done, int]) -> Done:
    """A copy of that run in this test's folder."""
    folder, done, _ = paid
    shutil.copytree(folder / "results", siuo.folder / "results")
    return done


def again(siuo: Siuo, dozen: Path, *words: str | Path, models: tuple[str, ...] = (A,), judge: tuple[str, ...] = JUDGE) -> Done:
    asked = [word for name in models for word in ("-m", name)]
    return siuo("run", "siuo-gen", "--data", dozen, *asked, *judge, "--json", *words)


def test_a_run_sends_what_it_needs_and_no_more(paid: tuple[Path, Done, int]) -> None:
    folder, done, requests = paid
    records = journal(folder / done.run)
    assert done.sent == requests == len(records) == 5 + to_judge(records)


def test_the_same_command_again_sends_nothing_and_says_how_old_it_is(
    siuo: Siuo, dozen: Path, first: Done, simulator: SimulatorProcess
) -> None:
    simulator.reset()
    second = again(siuo, dozen, "--limit", "5")
    assert (second.sent, simulator.stats()["requests"]) == (0, 0)
    assert second.run == first.run
    assert "s ago, nothing sent" in second.err
    assert "--fresh measures again" in second.err


def test_the_same_command_again_leaves_the_summary_byte_for_byte(siuo: Siuo, dozen: Path, first: Done) -> None:
    before = (siuo.folder / first.run / "summary.json").read_bytes()
    again(siuo, dozen, "--limit", "5")
    assert (siuo.folder / first.run / "summary.json").read_bytes() == before


def test_fresh_measures_again_into_a_directory_of_its_own(siuo: Siuo, dozen: Path, first: Done) -> None:
    before = (siuo.folder / first.run / "calls.jsonl").read_bytes()
    fresh = again(siuo, dozen, "--limit", "5", "--fresh")
    assert fresh.run != first.run
    assert fresh.sent == first.sent
    assert (siuo.folder / first.run / "calls.jsonl").read_bytes() == before


def test_another_model_pays_only_for_itself(siuo: Siuo, dozen: Path, first: Done, simulator: SimulatorProcess) -> None:
    simulator.reset()
    more = again(siuo, dozen, "--limit", "5", models=(A, B))
    assert simulator.stats()["by_persona"] == {"blunt": 15, "judge-odd": more.sent - 15}
    assert more.sent <= 15 + 30
    assert model(more.json, "anthropic-blunt")["complete"] is True


def test_a_model_that_a_command_does_not_name_keeps_its_calls(
    siuo: Siuo, dozen: Path, first: Done, simulator: SimulatorProcess
) -> None:
    other = again(siuo, dozen, "--limit", "5", models=(B,))
    assert [each["label"] for each in other.json["models"]] == ["anthropic-blunt"]
    assert "openai-careful is not named now (its calls are kept)" in other.err
    simulator.reset()
    both = again(siuo, dozen, "--limit", "5", models=(A, B))
    assert (both.run, both.sent, simulator.stats()["requests"]) == (first.run, 0, 0)
    assert both.json["models"][0]["metrics"] == first.json["models"][0]["metrics"]


def test_another_revision_is_asked_anew(siuo: Siuo, dozen: Path, first: Done, simulator: SimulatorProcess) -> None:
    simulator.reset()
    other = again(siuo, dozen, "--limit", "5", models=(f"{A}@step-8000",))
    assert simulator.stats()["by_persona"]["careful"] == 5
    assert other.run == first.run


def test_a_higher_limit_pays_only_for_the_rest(siuo: Siuo, dozen: Path, first: Done, simulator: SimulatorProcess) -> None:
    simulator.reset()
    more = again(siuo, dozen, "--limit", "9")
    assert more.run == first.run
    assert more.sent == simulator.stats()["requests"] == 9 + to_judge(journal(siuo.folder / more.run)) - first.sent
    assert simulator.stats()["by_persona"]["careful"] == 4
    assert more.json["models"][0]["samples"] == {"total": 9, "finished": 9, "pending": 0}


def test_another_judge_keeps_every_answer(siuo: Siuo, dozen: Path, first: Done, simulator: SimulatorProcess) -> None:
    simulator.reset()
    other = again(siuo, dozen, "--limit", "5", judge=("--judge", "sim/anthropic-judge"))
    assert simulator.stats()["by_persona"] == {"judge": first.sent - 5}
    assert other.json["models"][0]["metrics"] == first.json["models"][0]["metrics"]


def test_more_answers_pay_only_for_the_new_ones(siuo: Siuo, dozen: Path, first: Done, simulator: SimulatorProcess) -> None:
    simulator.reset()
    more = again(siuo, dozen, "--limit", "5", "--answers", "4")
    new = 5 + to_judge(journal(siuo.folder / more.run)) - first.sent
    assert simulator.stats()["by_persona"] == {"careful": 5, "judge-odd": new}
    assert more.json["models"][0]["answers"]["finished"] == 20


def test_reuse_copies_what_another_run_paid_for(siuo: Siuo, dozen: Path, first: Done, simulator: SimulatorProcess) -> None:
    simulator.reset()
    other = again(siuo, dozen, "--limit", "5", "--name", "other", "--reuse", first.run)
    assert (other.sent, simulator.stats()["requests"]) == (0, 0)
    assert len(journal(siuo.folder / other.run)) == first.sent


def test_answers_without_a_judge_are_judged_later_and_not_paid_again(siuo: Siuo, dozen: Path, simulator: SimulatorProcess) -> None:
    answers = again(siuo, dozen, "--limit", "5", judge=("--no-judge",))
    assert simulator.stats()["by_persona"] == {"careful": 5}
    assert answers.json["models"][0]["judge"] is None
    simulator.reset()
    judged = siuo("judge", answers.run, "--judge", "sim/openai-judge", "--json")
    needed = to_judge(journal(siuo.folder / answers.run))
    assert simulator.stats()["by_persona"] == {"judge": needed}
    assert (judged.sent, judged.json["complete"]) == (needed, True)
    assert judged.json["models"][0]["metrics"]["safe"]["n"] == 5


def test_judging_later_gives_the_numbers_of_judging_at_once(siuo: Siuo, dozen: Path, first: Done) -> None:
    apart = ("--name", "apart")
    answers = again(siuo, dozen, "--limit", "5", *apart, judge=("--no-judge",))
    judged = siuo("judge", answers.run, *JUDGE, "--json")
    assert judged.json["models"][0]["metrics"] == first.json["models"][0]["metrics"]


def test_score_gives_the_summary_byte_for_byte_and_sends_nothing(siuo: Siuo, first: Done, simulator: SimulatorProcess) -> None:
    summary = siuo.folder / first.run / "summary.json"
    before = summary.read_bytes()
    summary.unlink()
    simulator.reset()
    siuo("score", first.run, env={"SIUO_SIM_URL": "http://127.0.0.1:9"})
    assert summary.read_bytes() == before
    assert simulator.stats()["requests"] == 0


def test_an_unfinished_run_is_resumed_with_the_settings_it_has(
    siuo: Siuo, dozen: Path, first: Done, simulator: SimulatorProcess
) -> None:
    before = (siuo.folder / first.run / "summary.json").read_bytes()
    journal_file = siuo.folder / first.run / "calls.jsonl"
    lines = journal_file.read_bytes().splitlines(keepends=True)
    journal_file.write_bytes(b"".join(lines[:20]) + lines[20][:50])  # as a crash leaves it
    (siuo.folder / first.run / "run_stats.json").unlink()
    simulator.reset()
    resumed = siuo("resume", "--json")
    assert resumed.run == first.run
    assert resumed.sent == simulator.stats()["requests"] == first.sent - 20
    assert len(journal(siuo.folder / first.run)) == first.sent
    siuo("check", first.run)
    assert (siuo.folder / first.run / "summary.json").read_bytes() == before


def test_a_dry_run_sends_nothing_and_tells_what_is_then_sent(siuo: Siuo, dozen: Path, simulator: SimulatorProcess) -> None:
    words = ("run", "siuo-gen", "--data", dozen, "-m", A, "-m", B, "--judge", "sim/openai-judge", "--json")
    dry = siuo(*words, "--dry-run")
    assert simulator.stats()["requests"] == 0
    assert not (siuo.folder / "results").exists()
    real = siuo(*words)
    shared = 12 * 3 * 2 * 2 - to_judge(journal(siuo.folder / real.run))  # equal answers have one verdict
    assert dry.json["calls"] - shared == real.sent == simulator.stats()["requests"]
    assert [each["generation_calls"] for each in dry.json["models"]] == [12, 36]


def test_a_run_that_is_half_done_has_a_dry_run_of_the_rest(siuo: Siuo, dozen: Path, first: Done) -> None:
    dry = again(siuo, dozen, "--limit", "9", "--dry-run")
    assert dry.json["calls"] == 4 + 4 * 3 * 2
    assert dry.json["continues"] is True


def test_concurrency_is_the_most_calls_in_flight(siuo: Siuo, dozen: Path, simulator: SimulatorProcess) -> None:
    again(siuo, dozen, "--concurrency", "sim=2", models=("sim/openai-careful",), judge=("--no-judge",))
    assert simulator.stats()["max_in_flight"] <= 2


def test_a_pace_is_kept(siuo: Siuo, dozen: Path, simulator: SimulatorProcess) -> None:
    done = again(siuo, dozen, "--limit", "6", "--rpm", "600", judge=("--no-judge",))
    wall_s = json.loads((siuo.folder / done.run / "run_stats.json").read_bytes())["sessions"][0]["wall_s"]
    assert wall_s >= 0.45  # six starts, a tenth of a second apart


def test_everything_in_a_run_is_for_its_owner_alone(siuo: Siuo, first: Done) -> None:
    run = siuo.folder / first.run
    assert {file.name for file in run.iterdir()} == {
        "run.json", "samples.jsonl", "calls.jsonl", "summary.json", "run_stats.json", "limits.jsonl",
    }  # fmt: skip
    assert {oct(file.stat().st_mode & 0o777) for file in run.iterdir()} == {"0o600"}


def test_no_generation_is_asked_of_the_judge_alone(siuo: Siuo, first: Done) -> None:
    assert {r["model"] for r in generated(journal(siuo.folder / first.run))} == {"openai-careful"}
