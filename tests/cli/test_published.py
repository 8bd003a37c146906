"""`siuo report --published`: the boards beside a run, in each of its forms."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from siuo_async.simulator import SimulatorProcess
from tests.cli.program import Siuo


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory, simulator: SimulatorProcess, dozen: Path) -> tuple[Path, Path]:
    """A folder with a run in it, and the run."""
    siuo = Siuo(tmp_path_factory.mktemp("paid"), SIUO_SIM_URL=simulator.url)
    words = ("-m", "sim/openai-careful", "--judge", "sim/openai-judge", "--limit", "3", "--json")
    return siuo.folder, siuo("run", "siuo-gen", "--data", dozen, *words).run


@pytest.fixture
def run(siuo: Siuo, paid: tuple[Path, Path]) -> Path:
    """A copy of a finished run in this test's folder."""
    shutil.copytree(paid[0] / "results", siuo.folder / "results")
    return paid[1]


@pytest.mark.parametrize("form", ["terminal", "markdown"])
def test_a_report_shows_the_published_figures_only_where_asked(siuo: Siuo, run: Path, form: str) -> None:
    assert "Published" not in siuo("report", run, "--format", form).out
    shown = siuo("report", run, "--format", form, "--published").out
    assert "Gemini 1.5 Pro" in shown
    assert "▸ openai-careful (SIMULATED)" in shown
    assert "people judged the board; sim/openai-judge" in shown
    assert "this run asked 3" in shown


def test_a_report_as_json_holds_the_boards(siuo: Siuo, run: Path) -> None:
    assert "published" not in siuo("report", run, "--format", "json").json
    (board,) = siuo("report", run, "--format", "json", "--published").json["published"]
    assert board["benchmark"] == "siuo-gen"
    assert board["rows"][1]["values"] == [50.9, 95.81, 46.71]
    assert any("SIMULATED" in reason for reason in board["not_comparable"])


def test_two_runs_have_their_boards_each(siuo: Siuo, run: Path) -> None:
    assert siuo("report", run, run, "--format", "markdown", "--published").out.count("### Published") == 2


def test_the_bundled_samples_have_no_board_and_one_sentence_says_so(siuo: Siuo) -> None:
    words = ("-m", "sim/openai-careful", "--judge", "sim/openai-judge", "--limit", "2", "--json")
    demo = siuo("run", "demo", *words).run
    done = siuo("report", demo, "--format", "json", "--published")
    assert done.json["published"] == []
    assert done.err.strip() == "nobody has published figures for demo, so there is nothing to show beside this run"
