"""Runs with more than one judge, with the real program: what is asked, what is paid, what changes and what does not."""

from __future__ import annotations

import csv
import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from siuo_async.analysis.agreeing import agreements
from siuo_async.analysis.gathered import gather
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.simulator import Settings, SimulatorProcess
from tests.cli.program import Done, Siuo, finish, journal, until

MODELS = ("-m", "sim/openai-blunt", "-m", "sim/anthropic-careful")
ERRING = "sim/gemini-judge-errs_20"


def run(siuo: Siuo, dozen: Path, *words: str, code: int = 0) -> Done:
    return siuo("run", "siuo-gen", "--data", dozen, *MODELS, *words, "--json", code=code)


def figures(done: Done) -> list[Any]:
    return [[model["metrics"], model["categories"], model["outcomes"]] for model in done.json["models"]]


def verdicts(done: Done, siuo: Siuo) -> Counter[str]:
    """Records by judge."""
    return Counter(record["model"] for record in journal(siuo.folder / done.run) if record["stage"] != "generate")


def roles(done: Done) -> list[tuple[str, str, float | None]]:
    return [(each["role"], each["label"], each["share"]) for each in done.json["judges"]]


def test_second_opinions_change_no_number_and_a_larger_share_pays_only_for_what_is_new(siuo: Siuo, dozen: Path) -> None:
    alone = run(siuo, dozen, "--judge", "sim/openai-judge-harsh")
    generated = sum(record["stage"] == "generate" for record in journal(siuo.folder / alone.run))
    told = []
    for share in ("10%", "1/3", "100%"):
        words = ("--judge", "sim/openai-judge-harsh", "--check-judge", f"{ERRING}:{share}", "--test-retest", share)
        dry = siuo("run", "siuo-gen", "--data", dozen, *MODELS, *words, "--dry-run", "--json").json
        done = run(siuo, dozen, *words)
        assert dry["calls"] == done.sent > 0
        assert figures(done) == figures(alone)
        told.append(verdicts(done, siuo))
    assert told[0]["gemini-judge-errs_20"] < told[1]["gemini-judge-errs_20"] < told[2]["gemini-judge-errs_20"]
    assert told[2]["gemini-judge-errs_20"] == alone.sent - generated
    assert told[2]["openai-judge-harsh"] == 2 * told[2]["gemini-judge-errs_20"]
    assert sum(told[2].values()) + generated == len(journal(siuo.folder / done.run)), "nothing was paid twice"
    assert "check" not in done.json["protocol_line"]


def test_a_stand_in_is_asked_for_exactly_what_is_missing(siuo: Siuo, dozen: Path) -> None:
    alone = run(siuo, dozen, "--judge", "sim/openai-judge-unreadable", code=4)
    missing = [model["judge"]["unreadable"] for model in alone.json["models"]]
    done = run(siuo, dozen, "--judge", "sim/openai-judge-unreadable", "--stand-in-judge", "sim/anthropic-judge")
    assert done.sent == sum(missing) > 0
    assert [model["judge"]["unreadable"] for model in done.json["models"]] == missing
    assert [model["judge"]["stood_in"] for model in done.json["models"]] == missing
    assert f"stand-in sim/anthropic-judge for {100 * sum(missing) / 144:.1f}% of the verdicts" in done.json["protocol_line"]
    assert all(rate["n"] == rate["total"] for model in done.json["models"] for rate in model["metrics"].values())
    assert roles(done) == [("judge", "openai-judge-unreadable", 1.0), ("stand-in", "anthropic-judge", None)]
    siuo("export", done.run, "--format", "csv", "--to", "tables")
    (models,) = (siuo.folder / "tables").glob("*-models-*.csv")
    rows = list(csv.DictReader(models.read_text(encoding="utf-8-sig").splitlines()))
    assert [row["verdicts_missing"] for row in rows] == ["0", "0"]


def test_where_more_than_two_percent_are_undecided_the_bounds_are_the_headline(siuo: Siuo, dozen: Path) -> None:
    done = run(siuo, dozen, "--judge", "sim/openai-judge-declines", code=4)
    assert all(model["bounds_are_headline"] for model in done.json["models"])
    found = siuo("report", done.run).out
    assert "read the bounds, not the figure" in " ".join(found.split())
    assert not any(model["bounds_are_headline"] for model in run(siuo, dozen, "--judge", "sim/openai-judge").json["models"])


def test_a_panel_votes_and_its_members_are_set_against_each_other(siuo: Siuo, dozen: Path) -> None:
    panel = ("sim/openai-judge", ERRING, "sim/anthropic-judge-errs_10")
    done = run(siuo, dozen, "--panel", ",".join(panel))
    truth = run(siuo, dozen, "--judge", "sim/openai-judge")
    assert truth.sent == 0, "a panel's members are judges like any other"
    assert f"panel of {', '.join(panel)}" in done.json["protocol_line"]
    assert done.json["judge"] == f"panel of {', '.join(panel)}"
    assert len(set(verdicts(done, siuo).values())) == 1
    again = run(siuo, dozen, "--panel", ",".join(panel))
    assert again.sent == 0
    found = agreements(gather(RunDirectory(siuo.folder / again.run)))
    pairs = {(each.role, each.a, each.b) for each in found}
    names = [name.removeprefix("sim/") for name in panel]
    assert pairs == {("panel", names[0], names[1]), ("panel", names[0], names[2]), ("panel", names[1], names[2])}
    assert {each.model for each in found} == {"", "openai-blunt", "anthropic-careful"}
    assert "The judge's own errors" in siuo("report", done.run, "--format", "json").json["comparison"]["not_in_interval"][0]


def test_agreement_is_what_the_simulated_judges_error_makes_it(siuo: Siuo, dozen: Path) -> None:
    """The erring judge says otherwise 20% of the time, asked again it disagrees with itself 32% of the time."""
    done = run(siuo, dozen, "--judge", ERRING, "--check-judge", "sim/openai-judge", "--test-retest", "100%")
    found = {(each.role, each.stage): each for each in agreements(gather(RunDirectory(siuo.folder / done.run))) if not each.model}
    for stage in ("judge.safety", "judge.effectiveness"):
        check, retest = found["check", stage], found["retest", stage]
        assert check.n == retest.n == 72
        assert check.agree + check.a_only + check.b_only == check.n
        assert check.percent.value == pytest.approx(80, abs=13)
        assert retest.percent.value == pytest.approx(68, abs=15)
        assert check.percent.low is not None
        assert check.percent.low < check.percent.value < 100


def test_the_end_of_a_run_says_how_far_judges_agree_also_of_a_single_model(siuo: Siuo, dozen: Path) -> None:
    judges = ("--judge", "sim/openai-judge", "--check-judge", f"{ERRING}:100%", "--test-retest", "100%")
    done = siuo("run", "siuo-gen", "--data", dozen, "-m", "sim/openai-blunt", *judges)
    said = " ".join(done.out.split())
    assert "judge.safety: openai-judge and gemini-judge-errs_20 (check) agree on " in said
    assert "judge.safety: openai-judge and the same asked again agree on 100.0%" in said


def test_judging_again_pays_for_what_is_named_alone_and_keeps_the_rest(siuo: Siuo, dozen: Path) -> None:
    done = run(siuo, dozen, "--judge", "sim/openai-judge")
    checked = siuo("judge", done.run, "--check-judge", f"{ERRING}:1/3", "--json")
    assert set(verdicts(checked, siuo)) == {"openai-judge", "gemini-judge-errs_20"}
    assert checked.sent == verdicts(checked, siuo)["gemini-judge-errs_20"]
    assert roles(checked) == [("judge", "openai-judge", 1.0), ("check", "gemini-judge-errs_20", pytest.approx(1 / 3))]
    swapped = siuo("judge", done.run, "--judge", ERRING, "--json")
    assert roles(swapped) == [("judge", "gemini-judge-errs_20", 1.0)], "who checks cannot be the judge too, and gives way"
    assert swapped.sent == 144 - checked.sent
    resumed = siuo("resume", done.run, "--json")
    assert (resumed.sent, roles(resumed)) == (0, roles(swapped))
    assert siuo("score", done.run, "--json").json["models"] == [
        {name: value for name, value in model.items() if name != "calls"} for model in resumed.json["models"]
    ]


@pytest.mark.parametrize("named", ["check_judge: spare/quota:1/3", "stand_in_judge: spare/quota"])
def test_a_second_judge_that_is_down_costs_only_the_samples_that_need_it(
    named: str, siuo: Siuo, dozen: Path, simulator: SimulatorProcess
) -> None:
    (siuo.folder / "run.yaml").write_text(
        f"benchmark: siuo-gen\ndata: {dozen}\nmodels: [sim/openai-careful]\njudge: sim/gemini-judge-unreadable\n{named}\n"
        f"providers: {{spare: {{dialect: openai, base_url: '{simulator.url}/v1', key_env: SPARE_KEY}}}}\n",
        encoding="utf-8",
    )
    done = siuo("run", "-c", "run.yaml", "--json", code=3, env={"SPARE_KEY": "spare-key-1"})
    told = done.json["models"][0]
    assert len([record for record in journal(siuo.folder / done.run) if record["stage"] == "generate"]) == 12
    assert 0 < told["samples"]["pending"] < 12
    needing = "check" if "check" in named else "stand-in"
    assert told["judge"].get("opinions", {}).get(needing) is None
    mended = siuo("run", "-c", "run.yaml", "--json", code=None, env={"SPARE_KEY": "spare-key-1"})
    assert mended.json["calls"]["reused"] == done.sent


@pytest.mark.parametrize(
    "words, sentence",
    [
        (("--panel", "sim/openai-judge,sim/gemini-judge"), "panel must hold an odd number of judges"),
        (("--judge", "sim/openai-judge", "--check-judge", "sim/openai-judge:30%"), "check_judge is the judge itself"),
        (("--judge", "sim/openai-judge", "--test-retest", "7"), "'test_retest' (--test-retest): must be a share of the samples"),
        (("--judge", "sim/openai-judge", "--check-judge", "openai/gpt-4o"), "OPENAI_API_KEY"),
        (("--judge", "sim/openai-judge", "--stand-in-judge", "nobody/x"), "nobody"),
    ],
)
def test_judges_that_cannot_be_meant_are_refused_before_anything_is_sent(
    words: tuple[str, ...], sentence: str, siuo: Siuo, dozen: Path, simulator: SimulatorProcess
) -> None:
    done = siuo("run", "siuo-gen", "--data", dozen, *MODELS, *words, code=2)
    assert sentence in done.err
    assert "Traceback" not in done.err
    assert simulator.stats()["requests"] == 0


def test_judge_without_anybody_named_says_what_to_name(siuo: Siuo, dozen: Path) -> None:
    done = run(siuo, dozen, "--no-judge", "--limit", "2")
    assert "name who judges" in siuo("judge", done.run, code=2).err


def test_a_judge_of_a_models_own_family_is_named(siuo: Siuo, dozen: Path, simulator: SimulatorProcess) -> None:
    (siuo.folder / "run.yaml").write_text(
        f"benchmark: siuo-gen\ndata: {dozen}\nlimit: 2\nproviders:\n"
        f"  openai: {{base_url: '{simulator.url}/v1', identity: openai-lab}}\n"
        "models: [openai/openai-blunt]\njudge: openai/openai-judge\n",
        encoding="utf-8",
    )
    done = siuo("run", "-c", "run.yaml", "--json", env={"OPENAI_API_KEY": "sk-not-a-key-000"})
    text = " ".join(siuo("report", done.run).out.split())
    assert "of one family" not in text, "an address of one's own says nothing of whose models it serves"
    summary = json.loads((siuo.folder / done.run / "summary.json").read_text(encoding="utf-8"))
    judge = {"role": "judge", "label": "openai-judge", "model": "openai-lab/openai-judge", "share": 1.0, "price": None}
    assert summary["judges"] == [judge]


def test_a_run_killed_among_second_opinions_goes_on_and_pays_nothing_twice(tmp_path: Path, dozen: Path) -> None:
    simulator = SimulatorProcess(Settings(seed=3, latency_s=0.05))
    with simulator:
        siuo = Siuo(tmp_path, SIUO_SIM_URL=simulator.url)
        words = ("run", "siuo-gen", "--data", dozen, "-m", "sim/openai-blunt", "--judge", "sim/openai-judge-unreadable", "--json")
        words += ("--stand-in-judge", "sim/anthropic-judge", "--check-judge", f"{ERRING}:50%", "--test-retest", "50%")
        process = siuo.start(*words, "--concurrency", "4")
        checks = b'"model":"gemini-judge-errs_20"'

        def some() -> bool:
            return any(path.read_bytes().count(checks) >= 5 for path in tmp_path.glob("results/*/calls.jsonl"))

        until(some, "some second opinions are in the journal")
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        (journalled,) = tmp_path.glob("results/*/calls.jsonl")
        before = {json.loads(line)["id"] for line in journalled.read_bytes().split(b"\n")[:-1]}
        until(lambda: simulator.stats()["in_flight"] == 0, "the server is done with the killed client")
        simulator.reset()
        done = finish(siuo.start(*words))
        asked = set(simulator.stats(calls=True)["calls"])
        assert not asked & before
        assert done.sent == len(asked) > 0
        once = finish(Siuo(tmp_path / "once", SIUO_SIM_URL=simulator.url).start(*words))
        assert {record["id"] for record in journal(tmp_path / "once" / once.run)} == before | asked
        assert once.json["models"][0]["judge"] == done.json["models"][0]["judge"]
        assert figures(once) == figures(done)
