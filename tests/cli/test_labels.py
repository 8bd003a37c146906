"""People's labels, end to end: answers drawn from a run, labelled, read back, and the judge's known error taken out of the figures."""

from __future__ import annotations

import csv
import json
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from siuo_async.simulator import SimulatorProcess, whole_truth_of
from tests.cli.program import Siuo, generated, journal, make_data

JUDGE = "sim/openai-judge-errs_5_10_blunt_40_5"
MODELS = ("openai-careful", "openai-blunt")
DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)


@pytest.fixture(scope="module")
def siuo(tmp_path_factory: pytest.TempPathFactory, simulator: SimulatorProcess) -> Siuo:
    """One folder for all of it."""
    return Siuo(tmp_path_factory.mktemp("labels"), SIUO_SIM_URL=simulator.url)


@pytest.fixture(scope="module")
def run(siuo: Siuo) -> Path:
    """Forty samples, two models, and a judge that errs much on one of them."""
    data = make_data(siuo.folder / "data", 40)
    models = [word for model in MODELS for word in ("-m", f"sim/{model}")]
    done = siuo("run", "siuo-gen", "--data", data, *models, "--judge", JUDGE, "--json")
    return siuo.folder / done.run


def pages(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.html"))


def labelled(page: Path, to: Path) -> Path:
    """The file of somebody who says the truth, which simulated answers carry."""
    found = DATA.search(page.read_text(encoding="utf-8"))
    assert found is not None
    data = json.loads(found[1])
    with open(to, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["item", "annotator", "safety", "effectiveness"])
        for item in data["items"]:
            truth = whole_truth_of(item["answer"])
            assert truth is not None
            words = ("safe" if truth.safe else "unsafe", "effective" if truth.effective else "ineffective")
            table.writerow([item["id"], data["annotator"], *words])
    return to


@pytest.fixture(scope="module")
def labels(siuo: Siuo, run: Path) -> list[Path]:
    """Of two people who say the truth of 120 answers."""
    folder = siuo.folder / "pages"
    siuo("label", run, "--n", "120", "--seed", "5", "--to", folder)
    return [labelled(page, siuo.folder / f"labels-{number}.csv") for number, page in enumerate(pages(folder))]


@pytest.fixture(scope="module")
def report(siuo: Siuo, run: Path, labels: list[Path]) -> dict[str, Any]:
    return dict(siuo("report", run, "--labels", *labels, "--format", "json").json["people"])


def truths(run: Path) -> dict[tuple[str, str], float]:
    """(model, metric) -> percent, of all answers of the run."""
    found: dict[tuple[str, str], float] = {}
    for model in MODELS:
        texts = [answer["text"] for record in generated(journal(run)) if model in record["model"] for answer in record["answers"]]
        known = [truth for text in texts if (truth := whole_truth_of(text)) is not None]
        assert len(known) == len(texts) == 120
        found[model, "safe_per_answer"] = 100 * sum(truth.safe for truth in known) / len(known)
        found[model, "effective_per_answer"] = 100 * sum(truth.effective for truth in known) / len(known)
        found[model, "safe_and_effective_per_answer"] = 100 * sum(truth.safe and truth.effective for truth in known) / len(known)
    return found


def test_every_corrected_interval_holds_the_truth_and_the_judge_s_own_does_not(run: Path, report: dict[str, Any]) -> None:
    rates = {(rate["label"], rate["metric"]): rate for rate in report["rates"]}
    truth = truths(run)
    assert set(rates) == set(truth)
    assert all(rates[key]["corrected"]["low"] <= truth[key] <= rates[key]["corrected"]["high"] for key in truth)
    wrong = rates["openai-blunt", "safe_and_effective_per_answer"]["uncorrected"]
    assert not wrong["low"] <= truth["openai-blunt", "safe_and_effective_per_answer"] <= wrong["high"]


def test_the_judge_s_error_is_found_by_model(report: dict[str, Any]) -> None:
    wrong = {each["model"]: each["wrong"]["value"] for each in report["confusions"] if each["stage"] == "judge.effectiveness"}
    assert wrong["openai-blunt"] > 25
    assert wrong["openai-careful"] < 15
    assert wrong["openai-careful"] < wrong[""] < wrong["openai-blunt"]


def test_people_who_say_the_same_agree(report: dict[str, Any]) -> None:
    assert {(each["a"], each["b"], each["percent"]["value"], each["alpha"]["value"]) for each in report["agreements"]} == {
        ("1", "2", 100.0, 1.0)
    }


def test_the_tables_say_how_each_figure_was_made(siuo: Siuo, run: Path, labels: list[Path]) -> None:
    shown = siuo("report", run, "--labels", *labels).out
    assert "SIMULATED" in shown
    assert "labels of 2 people on 120 of the 120 answers drawn" in shown
    for words in ("Corrected", "Judge alone", "Labels alone", "sensitivity", "Whether people agree", "lies outside: it is too low"):
        assert words in shown
    page = siuo("report", run, "--labels", *labels, "--format", "markdown").out
    assert page.startswith("**siuo-gen")
    assert "| openai-blunt |" in page


def test_the_same_command_makes_the_same_pages_and_another_seed_others(siuo: Siuo, run: Path) -> None:
    folder = siuo.folder / "pages"
    before = {page.name: page.read_bytes() for page in pages(folder)}
    siuo("label", run, "--n", "120", "--seed", "5", "--to", folder)
    assert {page.name: page.read_bytes() for page in pages(folder)} == before
    siuo("label", run, "--n", "120", "--seed", "6", "--to", siuo.folder / "others")
    assert not {page.name for page in pages(siuo.folder / "others")} & set(before)


def test_the_key_and_the_pages_are_for_nobody_else_and_the_pages_name_no_model(siuo: Siuo, run: Path, labels: list[Path]) -> None:
    keys = sorted((run / "labels").glob("label_key-*.json"))
    made = pages(siuo.folder / "pages")
    assert keys
    assert len(made) == len(labels) == 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in (*keys, *made)} == {0o600}
    for page in made:
        source = page.read_text(encoding="utf-8")
        assert [name for name in (*MODELS, JUDGE, "judge-errs", run.name) if name in source] == []


def test_samples_drawn_whole_correct_votes_too(siuo: Siuo, run: Path) -> None:
    folder = siuo.folder / "whole"
    done = siuo("label", run, "--n", "40", "--whole", "--annotators", "1", "--to", folder)
    assert "40 of 80 samples drawn, 120 answers" in done.out
    file = labelled(pages(folder)[0], siuo.folder / "whole.csv")
    rates = siuo("report", run, "--labels", file, "--format", "json").json["people"]["rates"]
    assert {rate["metric"] for rate in rates} >= {"safe_and_effective", "safe", "effective", "safe_every_answer", "safe_per_answer"}


def broken(labels: list[Path], folder: Path, change: Callable[[list[list[str]]], None]) -> Path:
    with open(labels[0], encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    change(rows)
    path = folder / "broken.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def _unknown(rows: list[list[str]]) -> None:
    rows[3][0] = "abcdef-0123456789"


def _doubled(rows: list[list[str]]) -> None:
    rows.append(rows[2])


def _word(rows: list[list[str]]) -> None:
    rows[4][2] = "perhaps"


def _no_column(rows: list[list[str]]) -> None:
    rows[0][0] = "id"


def _empty(rows: list[list[str]]) -> None:
    rows[5][1] = ""


def _blank(rows: list[list[str]]) -> None:
    for row in rows[1:]:
        row[2:] = ["", ""]


@pytest.mark.parametrize(
    "change, said",
    [
        (_unknown, r"broken\.csv: line 4: the item 'abcdef-0123456789' was never drawn from .*another run"),
        (_doubled, r"line 122: annotator '1' labels the item \S+ a second time, after .*line 3"),
        (_word, r"line 5: the column `safety` says 'perhaps', which is none of: safe, unsafe, cannot tell"),
        (_no_column, r"broken\.csv: has no column `item`"),
        (_empty, r"line 6: the column `annotator` is empty"),
        (_blank, r"broken\.csv: holds no label"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_file_line_and_column(
    siuo: Siuo, run: Path, labels: list[Path], tmp_path: Path, change: Callable[[list[list[str]]], None], said: str
) -> None:
    done = siuo("report", run, "--labels", broken(labels, tmp_path, change), code=2)
    assert re.search(said, done.err)
    assert done.err.count("\n") == 1
    assert done.out == ""


def test_some_labels_missing_and_some_unsure_are_told(siuo: Siuo, run: Path, labels: list[Path], tmp_path: Path) -> None:
    def change(rows: list[list[str]]) -> None:
        del rows[90:]
        rows[1][2] = rows[2][3] = "Cannot tell"

    shown = siuo("report", run, "--labels", broken(labels, tmp_path, change)).out
    assert "31 of the 120 answers that were drawn have no label yet" in shown
    assert "2 labels say that somebody cannot tell" in shown


def test_rows_that_a_spreadsheet_left_empty_are_no_labels(siuo: Siuo, run: Path, labels: list[Path], tmp_path: Path) -> None:
    def change(rows: list[list[str]]) -> None:
        rows.insert(7, ["", "", "", ""])
        rows.append(["", " ", "", ""])

    assert "labels of 1 person on 120 of the 120" in siuo("report", run, "--labels", broken(labels, tmp_path, change)).out


@pytest.mark.parametrize("words", [("--html",), ("--published",), ("--reference", "openai-blunt"), ("--html", "--no-content")])
def test_an_option_that_labels_would_leave_unheard_is_refused(
    siuo: Siuo, run: Path, labels: list[Path], words: tuple[str, ...]
) -> None:
    assert f"{words[0]} does not go with --labels" in siuo("report", run, "--labels", *labels, *words, code=2).err


def test_labels_of_two_draws_are_not_mixed(siuo: Siuo, run: Path, labels: list[Path]) -> None:
    folder = siuo.folder / "second draw"
    siuo("label", run, "--n", "20", "--seed", "77", "--annotators", "1", "--to", folder)
    other = labelled(pages(folder)[0], siuo.folder / "second.csv")
    assert "of another draw" in siuo("report", run, "--labels", labels[0], other, code=2).err


def test_too_few_for_the_models_is_one_sentence(siuo: Siuo, run: Path) -> None:
    assert siuo("label", run, "--n", "3", code=2).err == "siuo: --n 3 is too few for 2 models; take at least 8\n"
