"""`siuo run --like RUN`: every setting is copied, or one sentence says which cannot be kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.program import Siuo, make_data

JUDGED = ("--judge", "sim/openai-judge")


@pytest.fixture
def first(siuo: Siuo) -> Path:
    """A run with settings of its own, by its path."""
    data = make_data(siuo.folder / "data", 6)
    own = ("--answers", "2", "--limit", "4", "--temperature", "0.5", "--system", "Be brief.", "--seed", "7")
    return siuo.folder / siuo("run", "siuo-gen", "-m", "sim/openai-careful", *JUDGED, "--data", data, *own, "--json").run


def config_of(run: Path) -> dict[str, object]:
    return dict(json.loads((run / "run.json").read_text(encoding="utf-8"))["config"])


def test_another_model_is_asked_the_same_in_a_run_of_its_own(siuo: Siuo, first: Path) -> None:
    again = siuo.folder / siuo("run", "--like", first, "-m", "sim/gemini-terse", "--json").run
    before, after = (json.loads((run / "run.json").read_text(encoding="utf-8")) for run in (first, again))
    assert again != first
    assert after["identity"] == before["identity"]
    assert after["judge"] == before["judge"]
    assert [model["label"] for model in after["models"]] == ["gemini-terse"]
    for name in ("limit", "answers", "temperature", "system", "seed"):
        assert after["config"][name] == before["config"][name]
    assert [model["label"] for model in before["models"]] == ["openai-careful"]


def test_the_run_may_be_named_by_its_folder_alone(siuo: Siuo, first: Path) -> None:
    assert siuo("run", "--like", first.name, "-m", "sim/gemini-terse", "--dry-run", "--json").json["calls"] > 0


def test_without_another_model_the_run_itself_is_gone_on_with(siuo: Siuo, first: Path) -> None:
    assert siuo("run", "--like", first, "--json").sent == 0


@pytest.mark.parametrize(
    "words, sentence",
    [
        (("--limit", "5"), "limit is 4 there and 5 here"),
        (("--answers", "1"), "answers is 2 there and 1 here"),
        (("--judge", "sim/openai-judge-harsh"), "judge is sim/openai-judge there and sim/openai-judge-harsh here"),
        (("--temperature", "0"), "temperature is 0.5 there and 0.0 here"),
        (("--category", "privacy violation"), "categories is not set there"),
        (("siuo-mcqa",), "benchmark is siuo-gen there and siuo-mcqa here"),
    ],
)
def test_a_flag_that_contradicts_a_setting_is_told_with_both(siuo: Siuo, first: Path, words: tuple[str, ...], sentence: str) -> None:
    done = siuo("run", *words, "--like", first, "-m", "sim/gemini-terse", code=2)
    assert sentence in done.err
    assert "Traceback" not in done.err


def test_a_flag_that_repeats_a_setting_is_no_contradiction(siuo: Siuo, first: Path) -> None:
    siuo("run", "--like", first, "-m", "sim/gemini-terse", "--limit", "4", *JUDGED, "--rpm", "600", "--dry-run")


def test_other_samples_are_told_before_anything_is_sent(siuo: Siuo, first: Path) -> None:
    file = siuo.folder / "data" / "siuo_gen.json"
    items = json.loads(file.read_text(encoding="utf-8"))
    items[0]["question"] += " Really?"
    file.write_text(json.dumps(items), encoding="utf-8")
    done = siuo("run", "--like", first, "-m", "sim/gemini-terse", code=2)
    assert "its samples were others" in done.err
    assert str(file) in done.err
    assert len(list((siuo.folder / "results").iterdir())) == 1


def test_a_run_that_is_not_there_is_named(siuo: Siuo) -> None:
    assert "there is no run nothing" in siuo("run", "--like", "nothing", "-m", "sim/gemini-terse", code=2).err


def test_a_plan_can_be_like_a_run_too(siuo: Siuo, first: Path) -> None:
    plan = siuo("plan", "--like", first, "-m", "sim/gemini-terse", "--json").json
    assert (plan["samples"], plan["answers_per_sample"]) == (4, 2)
