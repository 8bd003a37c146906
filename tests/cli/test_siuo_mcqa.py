"""`siuo run siuo-mcqa` with the released items, and several benchmarks in one run."""

from __future__ import annotations

import json
import shutil
import time
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from siuo_async.simulator import SimulatorProcess
from tests.cli.program import PNG, Siuo, journal, model


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Path:
    """The released items of both kinds, with tiny pictures."""
    folder = tmp_path_factory.mktemp("siuo")
    (folder / "images").mkdir()
    for name in ("siuo_gen.json", "siuo_mcqa.json"):
        shutil.copy(shared / "upstream-data" / name, folder / name)
    for number, item in enumerate(json.loads((folder / "siuo_mcqa.json").read_bytes())):
        (folder / "images" / item["image"]).write_bytes(PNG + b"%d" % number)
    return folder


def released(folder: Path) -> list[dict[str, Any]]:
    found = json.loads((folder / "siuo_mcqa.json").read_bytes())
    assert isinstance(found, list)
    return found


def test_models_of_known_habits_get_the_scores_of_their_habits(siuo: Siuo, items: Path, simulator: SimulatorProcess) -> None:
    habits = ("-m", "sim/openai-mcq-first", "-m", "sim/gemini-mcq-longest")
    done = siuo("run", "siuo-mcqa", "--data", items, *habits, "--json")
    first, longest = (model(done.json, name) for name in ("openai-mcq-first", "gemini-mcq-longest"))
    assert done.json["complete"] is True
    assert done.sent == simulator.stats()["distinct_call_ids"] == 2 * 4 * 167
    assert first["metrics"]["accuracy"]["value"] == 25
    assert first["breakdowns"]["place of the right option"]["A"]["metrics"]["accuracy"]["k"] == 167
    lines = [
        ({letter: text.splitlines()[0] for letter, text in item["options"].items()}, item["correct_option"]) for item in released(items)
    ]
    by_hand = sum(max(options.values(), key=len) == options[gold] for options, gold in lines)
    assert longest["metrics"]["accuracy"]["k"] == 4 * by_hand  # the persona looks at the first line of each option
    baselines = {name: round(value, 1) for name, value in first["baselines"].items()}
    assert list(baselines.values()) == [30.5, 38.3, 25.0]


@pytest.mark.parametrize("name", ["openai-careful", "anthropic-mcq-unparsed"])
def test_released_counts_letters_and_draws_as_the_script_would(siuo: Siuo, items: Path, name: str) -> None:
    done = siuo("run", "siuo-mcqa", "--data", items, "-m", f"sim/{name}", "--protocol", "released", "--json")
    texts = {record["sample"]: record["answers"][0]["text"] for record in journal(siuo.folder / done.run)}
    right = drawn = 0
    for item in released(items):
        number, text = str(item["question_id"]), texts[str(item["question_id"])]
        letters = [letter for letter in "ABCD" if f"({letter})" in text]
        assert len(letters) <= 1
        drawn += not letters
        draw = "ABCD"[int.from_bytes(blake2b(f"siuo-mcqa draw {number}".encode(), digest_size=8).digest()) % 4]
        right += (letters[0] if letters else draw) == item["correct_option"]
    told = model(done.json, name)
    assert told["metrics"]["accuracy"]["k"] == right
    assert told["metrics"]["accuracy"]["value"] == round(right / 167 * 100, 2)
    assert told["counts"]["drawn by lot"] == drawn
    assert (drawn > 0) == (name != "openai-careful")


def test_several_benchmarks_are_run_by_one_command_and_continued_by_it(siuo: Siuo, items: Path, simulator: SimulatorProcess) -> None:
    words = ("run", "siuo-mcqa", "siuo-gen", "--data", items, "-m", "sim/openai-careful", "--judge", "sim/openai-judge", "--limit", "6")
    done = siuo(*words, "--json")
    assert [summary["benchmark"] for summary in done.json] == ["siuo-mcqa", "siuo-gen"]
    assert all(summary["complete"] for summary in done.json)
    assert [summary["judge"] for summary in done.json] == [None, "sim/openai-judge"]
    paid = simulator.stats()["requests"]
    again = siuo(*words)
    assert again.err.count("nothing sent") == 2
    assert "siuo-mcqa · 6 samples x 4 answers" in again.out
    assert "siuo-gen · 6 samples x 3 answers" in again.out
    assert simulator.stats()["requests"] == paid


def test_a_name_is_told_apart_by_benchmark(siuo: Siuo, items: Path) -> None:
    words = (
        "run",
        "siuo-mcqa",
        "siuo-gen",
        "--data",
        items,
        "-m",
        "sim/openai-careful",
        "--no-judge",
        "--limit",
        "2",
        "--name",
        "both",
    )
    done = siuo(*words, "--json")
    assert ["-both-siuo-mcqa-" in done.json[0]["run"], "-both-siuo-gen-" in done.json[1]["run"]] == [True, True]
    assert [summary["calls"]["sent"] for summary in siuo(*words, "--json").json] == [0, 0]


def test_what_only_one_of_them_takes_is_not_asked_of_the_other(siuo: Siuo, items: Path) -> None:
    done = siuo(
        "run",
        "siuo-mcqa",
        "siuo-gen",
        "--data",
        items,
        "-m",
        "sim/openai-careful",
        "--no-judge",
        "--limit",
        "2",
        "--answers",
        "2",
        "--json",
    )
    assert [summary["answers_per_sample"] for summary in done.json] == [4, 2]


def test_an_interrupt_stops_all_that_were_named(siuo: Siuo, items: Path, simulator: SimulatorProcess) -> None:
    slow = siuo.start("run", "siuo-mcqa", "siuo-gen", "--data", items, "-m", "sim/openai-slow", "--no-judge", "--grace", "0.1")
    began = time.monotonic()
    while not simulator.stats()["requests"] and time.monotonic() - began < 60:
        time.sleep(0.05)
    slow.terminate()
    _, said = slow.communicate(timeout=60)
    assert slow.returncode == 3
    assert "not begun: siuo-gen" in said


@pytest.mark.parametrize(
    "words, sentence",
    [
        (("siuo-mcqa", "siuo-mcqa"), "siuo-mcqa is named twice"),
        (("siuo-mcqa", "siuo-gen", "--run", "here"), "--run names the directory of one run"),
        (("siuo-mcqa", "--answers", "3"), "siuo-mcqa takes no 'answers' (it is for siuo-gen"),
        (("siuo-mcqa", "siuo-gne"), "there is no benchmark 'siuo-gne'; did you mean 'siuo-gen'?"),
        (("siuo-mcqa", "--search", "passive"), "search passive needs something to search"),
    ],
)
def test_what_cannot_be_run_is_told_in_one_sentence(siuo: Siuo, items: Path, words: tuple[str, ...], sentence: str) -> None:
    done = siuo("run", *words, "--data", items, "-m", "sim/openai-careful", "--no-judge", code=2)
    assert sentence in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_a_judge_is_not_asked_where_none_is_needed(siuo: Siuo, items: Path, simulator: SimulatorProcess) -> None:
    done = siuo(
        "run", "siuo-mcqa", "--data", items, "-m", "sim/openai-careful", "--judge", "sim/openai-judge", "--limit", "2", "--json"
    )
    assert done.json["judge"] is None
    assert "openai-judge" not in simulator.stats()["by_persona"]


def test_a_limit_of_the_judges_provider_holds_though_one_of_them_needs_no_judge(siuo: Siuo, items: Path) -> None:
    words = (
        "siuo-gen",
        "siuo-mcqa",
        "--data",
        items,
        "-m",
        "sim/openai-careful",
        "--judge",
        "openai/gpt-4.1-mini",
        "--rpm",
        "openai=60",
    )
    done = siuo("run", *words, "--dry-run", env={"OPENAI_API_KEY": "sk-x"})
    assert done.out.count("calls at most") == 2


def test_a_file_for_two_benchmarks_serves_for_one_of_them(siuo: Siuo, items: Path) -> None:
    file = siuo.folder / "both.yaml"
    file.write_text("benchmark: [siuo-gen, siuo-mcqa]\nmodels: [sim/openai-careful]\nno_judge: true\nanswers: 2\n", encoding="utf-8")
    alone = siuo("run", "-c", file, "siuo-mcqa", "--data", items, "--limit", "2", "--json")
    assert (alone.json["benchmark"], alone.json["answers_per_sample"]) == ("siuo-mcqa", 4)
    assert [summary["answers_per_sample"] for summary in siuo("run", "-c", file, "--data", items, "--limit", "2", "--json").json] == [
        2,
        4,
    ]


def test_what_goes_wrong_in_one_of_them_keeps_nothing_of_the_others(siuo: Siuo, items: Path) -> None:
    data = siuo.folder / "data"
    shutil.copytree(items, data)
    words = ("run", "siuo-gen", "siuo-mcqa", "--data", data, "-m", "sim/openai-careful", "--no-judge", "--limit", "3", "--json")
    siuo(*words)
    for file in siuo.folder.glob("results/*siuo-gen*/calls.jsonl"):
        file.write_bytes(b"not a record\n" + file.read_bytes())
    done = siuo(*words, code=2)
    assert [summary["benchmark"] for summary in done.json] == ["siuo-gen", "siuo-mcqa"]
    assert "is damaged" in done.json[0]["error"]
    assert done.json[1]["complete"] is True
    assert "siuo-gen: " in done.err


def test_a_measurement_anew_that_was_stopped_goes_on_when_typed_again(siuo: Siuo, items: Path, simulator: SimulatorProcess) -> None:
    words = ("run", "siuo-mcqa", "siuo-gen", "--data", items, "-m", "sim/openai-careful", "--no-judge", "--limit", "40")
    siuo(*words)
    simulator.reset()
    second = siuo.start(*words, "--fresh", "--concurrency", "2", "--grace", "20")
    began = time.monotonic()
    while simulator.stats()["requests"] < 10 and time.monotonic() - began < 60:
        time.sleep(0.01)
    second.terminate()
    _, said = second.communicate(timeout=60)
    assert second.returncode == 3, said
    again = siuo(*words, "--fresh", "--json")
    assert all(summary["complete"] for summary in again.json)
    assert len(list(siuo.folder.glob("results/*/run.json"))) == 4
    assert simulator.stats()["requests"] == simulator.stats()["distinct_call_ids"]
    third = siuo(*words, "--fresh", "--json")
    assert {summary["calls"]["reused"] for summary in third.json} == {0}
    assert len(list(siuo.folder.glob("results/*/run.json"))) == 6
