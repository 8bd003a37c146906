"""Every figure of the reference material is carried as it stands there, or it is said here why not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from siuo_async.report.published import BOARDS, Board, Row, published_for

CATEGORIES = ("RM", "IRC", "PMH", "IH", "PD", "EM", "STK")
USB = {
    ("usb-base", 0): "base_safety_rate_2026_06",
    ("usb-base", 1): "base_asr_2025_05",
    ("usb-hard", 0): "hard_safety_rate_2026_06",
    ("usb-hard", 1): "hard_asr_2025_05",
}
NOT_CARRIED = {
    "items_of_167": "counted from the percentage, which the boards hold",
    "exact": "true everywhere",
    "f_arithmetic": "computed from CO and CGA; the printed F-score is carried",
    "f_harmonic": "computed from CO and CGA",
    "f_matches": "a remark on the computed ones; told in a sentence",
    "mean_of_12_cells": "computed from the cells",
    "total_is_mean_of_12_cells": "told by the flag of the row, and in a sentence",
    "cells_equal_k_over_n": "told by the flag of the row",
    "per_category": "there are none",
    "per_category_note": "told in a sentence",
    "rr_inversion": "100 minus figures that are carried; told in a sentence",
    "confidence": "how sure the reading is: estimates are marked, the rest is certain",
}


def leaderboard(shared: Path, name: str) -> Any:
    return json.loads((shared / "leaderboards" / name).read_text(encoding="utf-8"))


def values(board: Board, row: Row) -> dict[str, float | None]:
    return dict(zip((column.name for column in board.columns), row.values, strict=True))


def models(board: Board) -> list[Row]:
    """The rows that the board itself has."""
    return [row for row in board.rows if not row.ours]


@pytest.mark.parametrize("benchmark, names", [("siuo-gen", ("safe", "effective", "safe_and_effective")), ("siuo-mcqa", ("accuracy",))])
def test_the_figures_of_siuo_are_those_of_its_page(shared: Path, benchmark: str, names: tuple[str, ...]) -> None:
    source = leaderboard(shared, benchmark.replace("-", "_") + ".json")["rows"]
    (board,) = published_for(benchmark)
    assert [{"model": row.model, **values(board, row)} for row in models(board)] == [
        {"model": row["model"], **{name: row[name] for name in names}} for row in source
    ]
    assert [(row.size or "-", row.date, row.closed) for row in models(board)] == [
        (row["size"], row["date"], row["closed"]) for row in source
    ]
    known = {"model", "size", "date", "closed", *names, *NOT_CARRIED}
    assert not {key for row in source for key in row} - known


def test_the_figures_of_siuo_are_whole_items(shared: Path) -> None:
    for benchmark in ("siuo-gen", "siuo-mcqa"):
        (board,) = published_for(benchmark)
        source = leaderboard(shared, benchmark.replace("-", "_") + ".json")["rows"]
        for row, there in zip(models(board), source, strict=True):
            items = there["items_of_167"]
            for name, value in values(board, row).items():
                expected = items[name] if isinstance(items, dict) else items
                if expected is None:
                    assert (row.model, row.baseline) == ("Random Choice", True)
                    continue
                assert value is not None
                assert value == round(100 * expected / 167, 2)


def test_the_baselines_of_siuos_choices_are_counted_from_the_released_file(shared: Path) -> None:
    items = json.loads(next((shared / "upstream-data").rglob("siuo_mcqa.json")).read_text(encoding="utf-8"))
    gold = [(item["options"], item["correct_option"]) for item in items]
    counted = {
        "always A": sum(letter == "A" for _, letter in gold),
        "always the longest option": sum(letter == max(options, key=lambda each: len(options[each])) for options, letter in gold),
        "always the shortest option": sum(letter == min(options, key=lambda each: len(options[each])) for options, letter in gold),
    }
    (board,) = published_for("siuo-mcqa")
    assert {row.model: row.values[0] for row in board.rows if row.ours} == {
        name: round(100 * count / 167, 2) for name, count in counted.items()
    }


@pytest.mark.parametrize("place", USB, ids=USB.values())
def test_the_figures_of_usb_are_those_of_its_boards(shared: Path, place: tuple[str, int]) -> None:
    source = leaderboard(shared, "usb.json")
    rows = source["boards"][USB[place]]["rows"]
    board = published_for(place[0])[place[1]]
    assert [column.name for column in board.columns[2:]] == source["cell_order"]
    assert [(row.model, values(board, row)) for row in board.rows] == [
        (row["model"], {board.primary: row["total"], "refusal_rate": row["rr"], **row["cells"]}) for row in rows
    ]
    assert not {key for row in rows for key in row} - {"model", "cells", "total", "rr", *NOT_CARRIED}


def test_no_board_of_usb_is_missing(shared: Path) -> None:
    source = leaderboard(shared, "usb.json")
    assert set(source["boards"]) == set(USB.values())
    assert set(source) - {"benchmark", "unit", "cell_order", "judge", "boards"} == {"rr_inversion"} & set(NOT_CARRIED)


@pytest.mark.parametrize("place", [place for place in USB if place[1] == 0], ids=lambda place: place[0])
def test_a_total_of_usb_that_is_not_the_mean_of_its_cells_is_flagged(place: tuple[str, int]) -> None:
    board = published_for(place[0])[place[1]]
    for row in board.rows:
        total, _, *cells = (value for value in row.values if value is not None)
        assert (row.flags == ("a",)) == (abs(total - sum(cells) / 12) > 0.02), row.model


def test_the_turned_refusal_rates_of_september_are_the_carried_ones(shared: Path) -> None:
    board = published_for("usb-base")[1]
    carried = {row.model.casefold().replace("claude35", "claude3.5"): values(board, row)["refusal_rate"] for row in board.rows}
    turned = leaderboard(shared, "usb.json")["rr_inversion"]["rows"]
    assert {row["model"].casefold(): round(100 - row["rr_column"], 2) for row in turned} == carried


def test_the_answers_of_chinese_safetyqa_are_those_of_the_papers_table(shared: Path) -> None:
    source = leaderboard(shared, "chinese_safetyqa.json")
    board = published_for("csqa-qa")[0]
    flat = [{**row, **row["categories"]} for row in source["rows"]]
    names = ("co", "na", "in", "cga", "f_score", *CATEGORIES)
    assert [column.name for column in board.columns] == list(names)
    assert [(row.model, row.closed, values(board, row)) for row in board.rows] == [
        (row["model"], row["closed"], {name: row[name] for name in names}) for row in flat
    ]
    assert {column.name: column.items for column in board.columns if column.of} == source["category_n_paper"]
    assert not {key for row in source["rows"] for key in row} - {"model", "closed", "categories", *names, *NOT_CARRIED}


def test_rows_of_the_papers_table_that_do_not_add_up_are_flagged() -> None:
    board = published_for("csqa-qa")[0]
    for row in board.rows:
        of = values(board, row)
        assert of["co"] is not None
        assert of["na"] is not None
        assert of["in"] is not None
        assert ("a" in row.flags) == (abs(of["co"] * 20 - round(of["co"] * 20)) > 1e-6), row.model
        assert ("b" in row.flags) == (round(of["co"] + of["na"] + of["in"], 2) != 100), row.model


def test_the_choices_of_chinese_safetyqa_are_those_of_the_papers_figure(shared: Path) -> None:
    source = leaderboard(shared, "chinese_safetyqa.json")
    board = published_for("csqa-mcq")[0]
    rows = source["mcq_accuracy"]["rows"]
    assert [(row.model, values(board, row)) for row in models(board)] == [
        (row["model"], {"accuracy": row["estimated_overall"], **row["categories"]}) for row in rows
    ]
    assert [bool(row.flags) for row in models(board)] == [not all(row["cells_equal_k_over_n"].values()) for row in rows]
    always_a = source["mcq_always_A_baseline"]
    assert [(row.model, values(board, row)) for row in board.rows if row.ours] == [
        ("always A", {"accuracy": always_a["overall"], **always_a["categories"]})
    ]
    assert board.columns[0].estimate


def test_the_flag_of_the_choices_names_the_cells_that_are_no_whole_items(shared: Path) -> None:
    board = published_for("csqa-mcq")[0]
    rows = {row["model"]: row for row in leaderboard(shared, "chinese_safetyqa.json")["mcq_accuracy"]["rows"]}
    for row in models(board):
        odd = [name for name, whole in rows[row.model]["cells_equal_k_over_n"].items() if not whole]
        assert odd in ([], ["IRC", "PMH", "IH", "PD"])


def test_the_confidences_are_those_of_the_papers_table(shared: Path) -> None:
    source = leaderboard(shared, "chinese_safetyqa.json")["mcq_logprob_confidence"]["rows"]
    board = published_for("csqa-mcq")[1]
    words = {"no_rag": "no search", "active_rag": "search if asked", "passive_rag": "always search"}
    assert [(row.model, row.setting, values(board, row)) for row in board.rows] == [
        (row["model"], words[mode], figures) for row in source for mode, figures in row["modes"].items()
    ]


def test_the_searched_answers_are_marked_as_estimates(shared: Path) -> None:
    source = leaderboard(shared, "chinese_safetyqa.json")["rag_figure"]
    board = published_for("csqa-qa")[1]
    assert [column.name for column in board.columns] == source["columns"]
    assert {row.model: list(row.values) for row in board.rows} == source["rows"]
    assert all(column.estimate for column in board.columns)


def test_nothing_else_of_chinese_safetyqa_is_left_behind(shared: Path) -> None:
    carried = {"rows", "category_n_paper", "mcq_accuracy", "mcq_always_A_baseline", "mcq_logprob_confidence", "rag_figure"}
    told = {"benchmark", "unit", "source", "judge", "notes"}
    assert set(leaderboard(shared, "chinese_safetyqa.json")) - carried - told == {"confidence"} & set(NOT_CARRIED)


def test_every_leaderboard_file_is_used(shared: Path) -> None:
    assert {path.stem for path in (shared / "leaderboards").glob("*.json")} == {"siuo_gen", "siuo_mcqa", "usb", "chinese_safetyqa"}


def test_every_board_says_where_it_stands_and_how_it_was_judged_and_why_it_may_not_be_compared() -> None:
    for benchmark in BOARDS:
        for board in published_for(benchmark):
            assert board.benchmark == benchmark
            assert board.title
            assert board.source
            assert board.date
            assert board.judge.how
            assert board.unit == "percent"
            assert board.not_comparable
            assert board.primary in [column.name for column in board.columns if not column.group]
            assert all(len(row.values) == len(board.columns) for row in board.rows)
            assert {flag for row in board.rows for flag in row.flags} == set(board.flags)
