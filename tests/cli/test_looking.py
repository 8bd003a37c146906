"""Commands that look, check and set up: report, ls, check, data, providers, init, the configuration file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from siuo_async.cli.looking import checked
from siuo_async.engine.journal import Index
from siuo_async.simulator import SimulatorProcess
from tests.cli.program import Done, Siuo, journal


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory, simulator: SimulatorProcess, dozen: Path) -> tuple[Path, Done]:
    siuo = Siuo(tmp_path_factory.mktemp("paid"), SIUO_SIM_URL=simulator.url)
    words = ("-m", "sim/openai-careful", "--judge", "sim/openai-judge", "--limit", "3", "--json")
    return siuo.folder, siuo("run", "siuo-gen", "--data", dozen, *words)


@pytest.fixture
def run(siuo: Siuo, paid: tuple[Path, Done]) -> Path:
    """A copy of a finished run in this test's folder."""
    shutil.copytree(paid[0] / "results", siuo.folder / "results")
    return paid[1].run


def test_a_report_begins_with_its_protocol_line(siuo: Siuo, run: Path) -> None:
    for form in ("terminal", "markdown"):
        first = siuo("report", run, "--format", form).out.lstrip("#* \n").splitlines()[0]
        assert "siuo-gen · 3 samples x 3 answers · protocol corrected" in first
        assert "SIMULATED" in first


def test_a_report_as_json_is_the_summary_with_what_comparing_gives(siuo: Siuo, run: Path) -> None:
    told = siuo("report", run.name, "--format", "json").json
    assert told.pop("run") == str(run)
    assert {"comparison", "agreement"} <= set(told)
    del told["comparison"], told["agreement"]
    summary = json.loads((siuo.folder / run / "summary.json").read_bytes())
    assert told == {key: value for key, value in summary.items() if key != "run"}


def test_a_report_shows_the_primary_metric_of_the_model(siuo: Siuo, run: Path) -> None:
    summary = json.loads((siuo.folder / run / "summary.json").read_bytes())
    row = next(line for line in siuo("report", run, "--format", "markdown").out.splitlines() if line.startswith("| openai-careful"))
    assert f"{summary['models'][0]['metrics']['safe_and_effective']['value']:.1f}" in row


@pytest.mark.parametrize("words", [("--format", "json"), ("--published",)])
def test_a_page_and_a_table_are_not_asked_for_at_once(siuo: Siuo, run: Path, words: tuple[str, ...]) -> None:
    done = siuo("report", run, "--html", *words, code=2)
    assert f"{' '.join(words)} does not go with --html" in done.err
    assert not (run / "report.html").exists()


def test_runs_are_listed_with_their_state(siuo: Siuo, run: Path) -> None:
    out = siuo("ls").out
    assert run.name in out
    assert "finished" in out
    assert "(simulated)" in out


def test_a_whole_run_is_found_whole(siuo: Siuo, run: Path) -> None:
    assert "all lines whole" in siuo("check", run).out


def test_a_run_that_goes_on_while_it_is_checked_is_not_told_as_cut_short(
    siuo: Siuo, run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = siuo.folder / run / "calls.jsonl"
    index_of = Index.of

    def meanwhile(path: Path, on_bad: Any = None) -> Index:
        found = index_of(path, on_bad)
        with path.open("ab") as writer:
            writer.write(path.read_bytes().split(b"\n")[0] + b"\n")
        return found

    monkeypatch.setattr(Index, "of", meanwhile)
    assert checked(str(calls.parent), siuo.folder, repair=False) == 0
    assert "cut short" not in capsys.readouterr().out


def test_a_damaged_line_is_named_and_repaired_and_paid_for_alone(
    siuo: Siuo, run: Path, dozen: Path, simulator: SimulatorProcess
) -> None:
    file = siuo.folder / run / "calls.jsonl"
    before = (siuo.folder / run / "summary.json").read_bytes()
    lines = file.read_bytes().splitlines(keepends=True)
    lines[4] = lines[4].replace(b'"stage"', b'"stagf"')
    file.write_bytes(b"".join(lines))
    words = ("run", "siuo-gen", "--data", dozen, "-m", "sim/openai-careful", "--judge", "sim/openai-judge", "--limit", "3", "--json")
    for refused in (siuo("check", run, code=2), siuo(*words, code=2), siuo("score", run, code=2)):
        assert "line 5" in refused.out + refused.err
        assert "--repair" in refused.err
    assert simulator.stats()["requests"] == 0
    assert "line 5 was moved aside" in siuo("check", run, "--repair").out
    assert siuo(*words).sent == simulator.stats()["requests"] == 1
    assert (siuo.folder / run / "summary.json").read_bytes() == before
    assert len(journal(siuo.folder / run)) == len(lines)


def test_the_benchmarks_are_listed_with_where_their_data_are(siuo: Siuo, dozen: Path) -> None:
    out = siuo("data", "list", "--data", dozen).out
    assert str(dozen) in out
    assert "demo: " in out
    assert "not here" in siuo("data", "list").out


def test_data_are_checked(siuo: Siuo, dozen: Path) -> None:
    assert "12" in siuo("data", "check", "siuo", "--data", dozen).out


def test_missing_data_are_told_with_the_next_command(siuo: Siuo) -> None:
    assert "siuo data import siuo PATH" in siuo("data", "check", "siuo", code=2).err


def test_providers_are_listed_without_their_keys(siuo: Siuo) -> None:
    done = siuo("providers", env={"OPENAI_API_KEY": "sk-very-secret-000000"})
    for name in ("openai", "anthropic", "gemini", "sim"):
        assert name in done.out
    assert "set (OPENAI_API_KEY)" in done.out
    assert "very-secret" not in done.out + done.err


def test_a_file_from_init_runs_with_a_provider_of_its_own(siuo: Siuo, dozen: Path, simulator: SimulatorProcess) -> None:
    siuo("init", "mine.yaml")
    file = siuo.folder / "mine.yaml"
    text = (
        file.read_text(encoding="utf-8").replace("openai/gpt-4o-mini", "lab/openai-careful").replace("openai/gpt-4.1-mini", "lab/judge")
    )
    text += f"providers:\n  lab: {{dialect: openai, base_url: '{simulator.url}/v1', key_env: LAB_KEY}}\nlimit: 2\ndata: {dozen}\n"
    file.write_text(text, encoding="utf-8")
    done = siuo("run", "-c", "mine.yaml", "--json", env={"LAB_KEY": "lab-key-123456"})
    port = simulator.url.rpartition(":")[2]
    assert done.json["models"][0]["model"] == f"lab@127.0.0.1:{port}/openai-careful"
    assert done.json["complete"] is True
    assert done.json["simulated"] is False  # nobody can tell a server of one's own from a model
    assert simulator.stats()["by_route"] == {"openai": done.sent}


def test_init_overwrites_nothing(siuo: Siuo) -> None:
    (siuo.folder / "siuo.yaml").write_text("mine", encoding="utf-8")
    assert "--force" in siuo("init", code=2).err
    assert (siuo.folder / "siuo.yaml").read_text(encoding="utf-8") == "mine"


def test_file_and_flags_say_the_same(siuo: Siuo, dozen: Path, simulator: SimulatorProcess) -> None:
    (siuo.folder / "run.yaml").write_text(
        f"benchmark: siuo-gen\ndata: {dozen}\nmodels: [sim/openai-careful]\njudge: sim/openai-judge\nlimit: 2\n"
        "temperature: 0.5\nparams: {top_p: 0.9}\nmax_tokens: 300\n",
        encoding="utf-8",
    )
    by_file = siuo("run", "-c", "run.yaml", "--json")
    simulator.reset()
    flags = ("-m", "sim/openai-careful", "--judge", "sim/openai-judge", "--limit", "2")
    more = ("--temperature", "0.5", "--param", "top_p=0.9", "--max-tokens", "300")
    by_flags = siuo("run", "siuo-gen", "--data", dozen, *flags, *more, "--json")
    assert by_flags.run == by_file.run
    assert by_flags.sent == simulator.stats()["requests"] == 0


def test_a_flag_wins_over_the_file(siuo: Siuo, dozen: Path) -> None:
    (siuo.folder / "run.yaml").write_text(
        f"benchmark: siuo-gen\ndata: {dozen}\nmodels: [sim/openai-blunt]\nno_judge: true\nlimit: 2\n", encoding="utf-8"
    )
    done = siuo("run", "-c", "run.yaml", "--limit", "3", "-m", "sim/openai-terse", "--json")
    assert [each["model"] for each in done.json["models"]] == ["sim/openai-terse"]
    assert done.json["samples"] == 3


def test_help_and_version_are_there(siuo: Siuo) -> None:
    assert siuo("--version").out.startswith("siuo ")
    assert "--judge" in siuo("run", "--help").out
