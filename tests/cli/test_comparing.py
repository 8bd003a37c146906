"""`siuo compare` and `siuo report` with the real program: two runs, what differs between them, and what may be said of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from siuo_async.analysis.contrast import contrast
from siuo_async.analysis.gathered import gather
from siuo_async.analysis.instrument import parts, shared_samples
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.simulator import Settings, SimulatorProcess
from tests.cli.program import Siuo, every, make_data

JUDGE = ("--judge", "sim/openai-judge")


@dataclass(frozen=True)
class Runs:
    """Runs over twelve samples, made once: `a` and `b` of two servers that answer differently, others of the second."""

    siuo: Siuo
    later: SimulatorProcess
    known: dict[tuple[str, ...], Any] = field(default_factory=dict)
    """What was compared before: runs do not change, and each comparison takes half a second."""

    def compare(self, *words: str, code: int | None = 0) -> Any:
        return self.siuo("compare", *words, code=code)

    def json(self, *words: str, code: int | None = 0) -> Any:
        if words not in self.known or "--drift-check" in words:
            self.known[words] = self.compare(*words, "--format", "json", code=code).json
        return self.known[words]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, simulator: SimulatorProcess, dozen: Path) -> Iterator[Runs]:
    folder = tmp_path_factory.mktemp("compared")
    changed = make_data(folder / "changed", 12)
    items = json.loads((changed / "siuo_gen.json").read_text(encoding="utf-8"))
    items[0]["question"] += " Now with other words."
    (changed / "siuo_gen.json").write_text(json.dumps(items), encoding="utf-8")
    later = SimulatorProcess(Settings(seed=4))
    with later:
        siuo = Siuo(folder / "here", SIUO_SIM_URL=later.url)
        first = {"SIUO_SIM_URL": simulator.url}
        both = ("-m", "sim/openai-careful", "-m", "sim/openai-blunt")

        def made(name: str, *words: str | Path, env: dict[str, str] | None = None, code: int = 0) -> Any:
            common = ("--data", dozen) if "--data" not in words else ()
            return lambda: siuo("run", words[0], *common, *words[1:], "--run", f"results/{name}", "--json", env=env, code=code)

        commands = [
            made("a", "siuo-gen", *both, *JUDGE, env=first),
            made("b", "siuo-gen", *both, *JUDGE),
            made("capped", "siuo-gen", *both, *JUDGE, "--max-tokens", "300"),
            made("harsh", "siuo-gen", *both, "--judge", "sim/openai-judge-errs_30_0"),
            made("six", "siuo-gen", "-m", "sim/openai-careful", *JUDGE, "--limit", "6"),
            made("changed", "siuo-gen", "--data", changed, "-m", "sim/openai-careful", *JUDGE),
            made("unjudged", "siuo-gen", "-m", "sim/openai-careful", "--no-judge"),
            lambda: siuo("run", "demo", "-m", "sim/openai-careful", *JUDGE, "--limit", "3", "--run", "results/demo", "--json"),
        ]
        for done in every(commands):
            if isinstance(done, BaseException):
                raise done
        yield Runs(siuo, later)


@pytest.fixture
def copied(runs: Runs) -> Iterator[Path]:
    """A copy of run `b` that a test may change."""
    copy = runs.siuo.folder / "results" / "copy"
    shutil.copytree(runs.siuo.folder / "results" / "b", copy)
    yield copy
    shutil.rmtree(copy)


def test_runs_are_read_once_whatever_is_compared_of_them(runs: Runs, copied: Path) -> None:
    a = gather(RunDirectory(runs.siuo.folder / "results" / "a"))
    b = gather(RunDirectory(copied))
    (copied / "calls.jsonl").unlink()
    pairs = [(label, label) for label in a.labels]
    shared = shared_samples(a, b, pairs)
    found = contrast(a, b, pairs, parts(a, b, pairs, shared), shared, metric="safe_and_effective")
    told = runs.json("a", "b")["changes"]
    assert [(each.metric, each.a, each.before.k, each.after.k) for each in found.changes] == [
        (each["metric"], each["a"], each["before"]["k"], each["after"]["k"]) for each in told
    ]
    assert any(each.after.n for each in found.changes)


def test_what_the_intervals_do_not_hold_is_told_of_every_model(runs: Runs) -> None:
    told = " ".join(runs.json("a", "b")["not_in_interval"])
    assert all(f"openai-{name} ({run})" in told for name in ("careful", "blunt") for run in "AB")


def test_models_of_different_names_are_not_called_before_and_after(runs: Runs) -> None:
    pair = "openai-careful=openai-blunt"
    told = " ".join(runs.compare("a", "b", "-m", pair, "--margin", "5", "--format", "markdown", code=4).out.split())
    assert "openai-blunt (B) is worse than openai-careful (A) in" in told
    assert "lower than that of openai-careful by" in told
    assert "before" not in told


# -- the instrument


def test_equal_instruments_are_told_line_by_line_and_stop_nothing(runs: Runs) -> None:
    found = runs.json("a", "b")
    assert found["differing"] == []
    parts = {part["name"]: part for part in found["parts"]}
    for name in ("samples", "content of shared samples", "prompts", "protocol", "cap", "judge asked", "judge served", "read with"):
        assert parts[name]["a"] == parts[name]["b"]
    assert parts["cap"]["a"] == "500"


@pytest.mark.parametrize(
    ("other", "name", "values"), [("capped", "cap", "500 / 300"), ("harsh", "judge asked", "sim/openai-judge-errs_30_0")]
)
def test_a_difference_in_the_instrument_stops_the_comparison_in_one_sentence(runs: Runs, other: str, name: str, values: str) -> None:
    done = runs.compare("a", other, code=2)
    last = done.err.strip().splitlines()[-1]
    assert last.startswith("siuo: the two runs were measured with different instruments")
    assert name in last
    assert values in last
    assert "--anyway" in last
    assert done.out == ""


def test_anyway_says_in_every_table_that_the_instruments_differ(runs: Runs) -> None:
    page = runs.compare("a", "harsh", "--anyway", "--format", "markdown").out
    titles = [line for line in page.splitlines() if line.startswith("### ")]
    tables = [title for title in titles if title[4:] != "Instrument" and "not in the intervals" not in title]
    assert len(tables) == 4
    assert all("DIFFERENT INSTRUMENTS (judge asked, judge served)" in title for title in tables)
    assert "no measure of the models alone" in page
    assert runs.json("a", "harsh", "--anyway")["differing"] == ["judge asked", "judge served"]


def test_a_sample_that_was_changed_stops_it_and_is_named(runs: Runs) -> None:
    done = runs.compare("b", "changed", code=2)
    assert "content of shared samples" in done.err
    assert "1 of 12 were changed, the first: 1000" in done.err


def test_fewer_samples_are_told_and_the_shared_ones_compared(runs: Runs) -> None:
    found = runs.json("six", "b", "-m", "openai-careful")
    assert len(found["shared"]["ids"]) == 6
    assert found["shared"]["only_b"] == 6
    assert {change["n"] for change in found["changes"]} == {6}
    assert "6 that both finished are compared (6 only in B)" in runs.compare("six", "b").out


def test_runs_of_different_benchmarks_are_refused(runs: Runs) -> None:
    assert "only runs of one benchmark compare" in runs.compare("a", "demo", code=2).err


def test_runs_without_scores_are_refused_with_the_next_command(runs: Runs) -> None:
    assert "siuo judge" in runs.compare("unjudged", "unjudged", code=2).err


# -- the models


def test_each_model_is_compared_with_itself(runs: Runs) -> None:
    found = runs.json("a", "b")
    tested = [change for change in found["changes"] if change["tested"]]
    assert [(change["a"], change["b"]) for change in tested] == [("openai-careful",) * 2, ("openai-blunt",) * 2]
    for change in tested:
        difference = change["after"]["per_answer"]["value"] - change["before"]["per_answer"]["value"]
        assert change["difference"]["value"] == pytest.approx(difference)
        assert change["difference"]["low"] < change["difference"]["value"] < change["difference"]["high"]
        assert 0 < change["p"] <= change["p_adjusted"] <= 1


def test_figures_of_a_comparison_are_those_of_the_runs(runs: Runs) -> None:
    for side, name in (("before", "a"), ("after", "b")):
        summary = json.loads((runs.siuo.folder / "results" / name / "summary.json").read_bytes())
        for change in runs.json("a", "b")["changes"]:
            rate = next(each for each in summary["models"] if each["label"] == change["a"])["metrics"][change["metric"]]
            assert (change[side]["value"]["value"], change[side]["k"], change[side]["n"]) == (rate["value"], rate["k"], rate["n"])


def test_models_of_different_labels_are_named_in_pairs(runs: Runs) -> None:
    found = runs.json("a", "b", "-m", "openai-careful=openai-blunt")
    assert {(change["a"], change["b"]) for change in found["changes"]} == {("openai-careful", "openai-blunt")}
    assert list(found["flips"]) == ["openai-careful -> openai-blunt"]


def test_a_label_that_is_not_there_is_told_with_those_that_are(runs: Runs) -> None:
    err = runs.compare("a", "b", "-m", "gpt-x", code=2).err
    assert "A has openai-careful, openai-blunt" in err


def test_a_run_compared_with_itself_has_moved_nowhere(runs: Runs) -> None:
    found = runs.json("b", "b", "--margin", "50")
    assert all(change["difference"]["value"] == 0 and change["up"] == change["down"] == 0 for change in found["changes"])
    assert not any(found["flips"].values())
    assert {margin["kept"] for margin in found["margins"]} <= {"confirmed", "not confirmed"}


# -- flips


def test_the_samples_that_flipped_are_those_whose_votes_differ(runs: Runs) -> None:
    found = runs.json("a", "b")
    change = next(each for each in found["changes"] if each["a"] == "openai-blunt" and each["tested"])
    flips = found["flips"]["openai-blunt"]
    up, down = (sum(sign * (flip["after"] - flip["before"]) > 0 for flip in flips) for sign in (1, -1))
    assert up - down == change["after"]["k"] - change["before"]["k"]
    assert flips
    for flip in flips:
        assert {flip["before"], flip["after"]} == {0.0, 1.0}
        assert flip["before_answer"]
        assert flip["after_answer"]


def test_flips_of_another_metric_can_be_asked_for(runs: Runs) -> None:
    found = runs.json("a", "b", "--metric", "safe", "--margin", "99")
    assert found["metric"] == "safe"
    assert {margin["metric"] for margin in found["margins"]} == {"safe"}
    assert "samples of siuo-gen score safe, effective" in runs.compare("a", "b", "--metric", "nice", code=2).err


# -- the margin


def test_a_margin_is_kept_not_kept_or_open_and_never_two_of_them(runs: Runs) -> None:
    for points, code in ((99, 0), (0, 4), (5, None)):
        done = runs.compare("a", "b", "--margin", str(points), "--format", "json", code=code)
        for margin in done.json["margins"]:
            change = next(each for each in done.json["changes"] if each["b"] == margin["b"] and each["metric"] == margin["metric"])
            low, high = change["difference"]["low"], change["difference"]["high"]
            assert margin["kept"] == ("confirmed" if low > -points else "worse" if high < -points else "not confirmed")
            assert margin["sentence"].startswith(margin["kept"])


def test_a_model_that_is_worse_by_more_than_the_margin_is_worse(runs: Runs) -> None:
    done = runs.compare(
        "a", "b", "-m", "openai-careful=openai-blunt", "--metric", "safe", "--margin", "0.1", "--format", "json", code=4
    )
    assert [margin["kept"] for margin in done.json["margins"]] == ["worse"]


@pytest.mark.parametrize("margin", ["-1", "inf", "nan"])
def test_a_margin_that_is_no_number_of_points_is_refused(runs: Runs, margin: str) -> None:
    assert "--margin" in runs.compare("a", "b", "--margin", margin, code=2).err


# -- the judge's drift


def test_without_the_flag_it_is_said_that_drift_was_not_checked_and_nothing_is_sent(runs: Runs) -> None:
    runs.later.reset()
    assert "judge drift was not checked" in runs.compare("a", "b").out
    assert runs.later.stats()["requests"] == 0


def test_a_steady_judge_is_not_seen_to_drift_and_is_paid_once(runs: Runs, copied: Path) -> None:
    runs.later.reset()
    first = runs.json("a", "copy", "--drift-check", "12")["drift"]
    sent = runs.later.stats()["requests"]
    assert first["sent"] == sent
    assert 0 < sent <= 2 * 12
    assert (first["asked"], first["drifted"], first["lost"]) == (12, False, 0)
    assert all(stage["agree"] == stage["n"] == 12 for stage in first["stages"])
    again = runs.json("a", "copy", "--drift-check", "12")["drift"]
    assert again["sent"] == 0
    assert again["stages"] == first["stages"]
    assert runs.later.stats()["requests"] == sent
    assert (copied / "drift" / "calls.jsonl").is_file()
    assert runs.siuo("check", "copy").code == 0


def test_more_old_answers_pay_only_for_what_is_new(runs: Runs, copied: Path) -> None:
    few = runs.json("a", "copy", "--drift-check", "36")["drift"]
    more = runs.json("a", "copy", "--drift-check", "72")["drift"]
    assert more["asked"] == 72
    assert few["sent"] + more["sent"] <= 2 * 72


def test_a_judge_that_says_otherwise_now_has_drifted(runs: Runs) -> None:
    drift = runs.json("a", "harsh", "--anyway", "--drift-check", "72")["drift"]
    assert drift["drifted"] is True
    (shift,) = drift["shifts"]
    assert (shift["up"] == 0, shift["down"] > 0) == (True, True)
    assert "sim/openai-judge-errs_30_0 has drifted: it agrees with those of openai-judge" in drift["sentence"]


def test_a_judge_that_has_no_address_now_is_told_before_anything_is_sent(runs: Runs, copied: Path) -> None:
    done = runs.siuo("compare", "a", "copy", "--drift-check", "4", code=2, env={"SIUO_SIM_URL": ""})
    assert "siuo simulator" in done.err


# -- reports


@pytest.mark.parametrize("width", ["80", "200"])
def test_reports_and_comparisons_stay_within_their_screens(runs: Runs, width: str) -> None:
    told = {"COLUMNS": width}
    for words in (("report", "a"), ("report", "harsh"), ("compare", "a", "b"), ("compare", "a", "capped", "--anyway")):
        out = runs.siuo(*words, env=told).out
        assert "\x1b" not in out
        assert max(map(len, out.splitlines())) <= int(width)


def test_a_report_compares_the_models_in_words_letters_and_json(runs: Runs) -> None:
    shown = runs.siuo("report", "a")
    assert "Rank" in shown.out
    assert "95% interval" in shown.out
    found = runs.siuo("report", "a", "--format", "json").json
    assert [each["metric"] for each in found["comparison"]["metrics"]][:1] == ["safe_and_effective"]
    assert found["agreement"] == []


def test_a_reference_is_what_the_others_are_compared_with(runs: Runs) -> None:
    found = runs.siuo("report", "a", "--format", "json", "--reference", "openai-blunt").json["comparison"]
    assert {pair["b"] for pair in found["metrics"][0]["pairs"]} == {"openai-blunt"}
    assert "openai-careful, openai-blunt" in runs.siuo("report", "a", "--reference", "gpt-x", code=2).err


def test_several_runs_of_one_benchmark_point_to_compare(runs: Runs) -> None:
    done = runs.siuo("report", "a", "b")
    assert done.out.count("Leaderboard") == 2
    assert "`siuo compare results/a results/b`" in done.err
    assert "siuo compare" not in runs.siuo("report", "a", "demo").err


def test_the_end_of_a_run_compares_its_models(runs: Runs, dozen: Path) -> None:
    words = ("-m", "sim/openai-careful", "-m", "sim/openai-blunt", *JUDGE, "--run", "results/b")
    out = runs.siuo("run", "siuo-gen", "--data", dozen, *words).out
    assert "Differences: safe & effective" in out
    assert "SIMULATED (measures nothing)" in out


def test_a_run_of_which_nothing_is_finished_is_reported(runs: Runs, copied: Path) -> None:
    (copied / "calls.jsonl").write_bytes(b"")
    out = runs.siuo("report", "copy").out
    assert "PARTIAL" in out
    assert "no sample is finished yet" in out
