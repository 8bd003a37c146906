"""A run as CSV files, read back with what people read them with."""

from __future__ import annotations

import csv
import json
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from siuo_async.engine.run_directory import RunDirectory
from siuo_async.errors import ConfigError
from siuo_async.exchange.rows import TABLES, columns
from siuo_async.report.dossier import Dossier
from siuo_async.report.exports import export_run
from tests.exports.conftest import LABEL, SAMPLES, Hostile

WORDS = 8000
RUNS_AS_A_FORMULA = re.compile(r"[\s\x00-\x1f\u200b\ufeff]*[=+\-@＝＋－＠]")


def table(folder: Path, name: str) -> list[dict[str, str]]:
    (file,) = folder.glob(f"*-{name}*.csv")
    with open(file, encoding="utf-8-sig", newline="") as text:
        return list(csv.DictReader(text, strict=True))


def frame(folder: Path, name: str) -> pd.DataFrame:
    (file,) = folder.glob(f"*-{name}*.csv")
    return pd.read_csv(file)


@pytest.fixture(scope="module")
def exported(hostile: Hostile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile-out")
    export_run(hostile.directory, form="csv", folder=folder)
    return folder


@pytest.fixture(scope="module")
def demo_tables(demo: RunDirectory, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo-out")
    export_run(demo, form="csv", folder=folder)
    return folder


def as_it_was(cell: str, told: str) -> bool:
    """Whether a cell is what was told, an apostrophe in front aside, which keeps it from being run."""
    return cell in (told, f"'{told}")


def test_every_answer_comes_back_as_it_was(exported: Path, hostile: Hostile) -> None:
    rows = table(exported, "answers")
    assert len(rows) == 3 * len(hostile.answers)
    for row in rows:
        told = hostile.answers[row["sample"]][int(row["number"])]
        assert as_it_was(row["text"], told.replace("\0", "\ufffd"))


def test_no_cell_is_a_formula(exported: Path) -> None:
    for name in TABLES:
        for row in table(exported, name):
            for column, cell in row.items():
                assert not RUNS_AS_A_FORMULA.match(cell) or re.fullmatch(r"-?[\d.]+", cell), (name, column, cell)


def test_pandas_reads_as_many_rows_and_the_same_columns_without_options(exported: Path) -> None:
    for name in TABLES:
        found = frame(exported, name)
        assert list(found.columns) == list(columns(name))
        assert len(found) == len(table(exported, name))


def test_the_mean_of_the_scores_is_the_figure(demo_tables: Path) -> None:
    scores, figures = frame(demo_tables, "scores"), frame(demo_tables, "figures")
    whole = figures[figures["dimension"] == "all"].set_index(["model", "metric"])
    for (model, metric), found in scores.groupby(["model", "metric"]):
        if not str(metric).endswith("_per_answer"):
            assert 100 * found["value"].mean() == pytest.approx(whole.loc[(model, metric), "value"])


def test_what_takes_cost_is_what_the_models_cost(demo_tables: Path, reported: Dossier) -> None:
    takes = frame(demo_tables, "takes").groupby("model")["cost_usd"].sum()
    for model in reported.run.summary["models"]:
        assert takes[model["label"]] == pytest.approx(model["cost_usd"])


def test_verdicts_and_answers_belong_together(demo_tables: Path) -> None:
    answers, verdicts = frame(demo_tables, "answers"), frame(demo_tables, "verdicts")
    keys = ["model", "sample", "number"]
    assert not answers.duplicated(keys).any()
    assert not verdicts[verdicts["counts"]].duplicated([*keys, "stage"]).any()
    assert len(verdicts.merge(answers, on=keys)) == len(verdicts)


def test_numbers_and_truths_are_read_as_such(demo_tables: Path) -> None:
    answers = frame(demo_tables, "answers")
    assert answers["cut"].dtype == bool
    assert answers["number"].dtype == "int64"
    assert frame(demo_tables, "models")["complete"].all()


def test_the_file_beside_them_says_what_was_measured_and_what_each_column_is(demo_tables: Path, reported: Dossier) -> None:
    (file,) = demo_tables.glob("*-tables*.txt")
    text = file.read_text(encoding="utf-8")
    assert text.startswith(reported.run.summary["protocol_line"])
    for name in TABLES:
        for column, what in columns(name).items():
            assert f"  {column}: {what}\n" in text


def test_names_of_files_say_simulated(demo_tables: Path) -> None:
    assert all("SIMULATED" in file.name for file in demo_tables.iterdir())


def test_one_model_of_several_can_be_written(demo: RunDirectory, tmp_path: Path) -> None:
    export_run(demo, form="csv", labels=["gemini-terse"], folder=tmp_path)
    assert {row["model"] for row in table(tmp_path, "answers")} == {"gemini-terse"}
    assert len(table(tmp_path, "samples")) == SAMPLES


def test_nothing_is_replaced_unasked(demo: RunDirectory, tmp_path: Path) -> None:
    export_run(demo, form="csv", folder=tmp_path)
    with pytest.raises(ConfigError, match="is there already; --force"):
        export_run(demo, form="csv", folder=tmp_path)
    export_run(demo, form="csv", folder=tmp_path, force=True)


def test_hostile_labels_stand_in_tables_as_they_are(exported: Path) -> None:
    assert all(as_it_was(row["model"], LABEL) for row in table(exported, "models"))


def test_fields_of_samples_are_json(exported: Path) -> None:
    for row in table(exported, "samples"):
        assert "safety_warning" in json.loads(row["fields"])


def large_run(folder: Path, count: int) -> RunDirectory:
    """An imported run of many samples with texts of some length."""
    from siuo_async.exchange.importing import Order, make_run
    from tests.engine.test_import_runs import data_of, results_of

    items: list[dict[str, Any]] = [{"question_id": number, "category": f"c{number % 7}"} for number in range(count)]
    data = data_of(folder / "data", items)
    theirs = [{**item, "responses": [f"{item['question_id']} " + "long " * WORDS] * 3} for item in items]
    file = results_of(folder / "theirs.json", theirs)
    return make_run(Order(files=(file,), label="m", data=data, prompts="own", results=folder / "results")).directory


def test_a_larger_run_takes_hardly_more_memory(tmp_path: Path) -> None:
    peaks = []
    for number, count in enumerate((20, 100)):
        run = large_run(tmp_path / str(number), count)
        tracemalloc.start()
        export_run(run, form="csv", folder=tmp_path / f"out{number}")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 80 * 5 * WORDS  # what it holds more of, of one answer in three
