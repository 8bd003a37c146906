"""Published boards beside a run: which there are, where the run stands in them, and why the two may not be compared."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from siuo_async.benchmarks.csqa_scores import BY_LOGPROB, NORMALISED
from siuo_async.report.grid import Grid
from siuo_async.report.published import BOARDS, MARK, no_board, published_for, published_grids, published_json, reasons
from siuo_async.report.render import to_markdown, to_terminal


def rate(value: float, n: int = 167, total: int = 167) -> dict[str, Any]:
    return {"value": value, "low": value - 5, "high": value + 5, "k": round(value * n / 100), "n": n, "total": total}


def model(label: str = "mine", total: int = 167, pending: int = 0, **metrics: Mapping[str, Any]) -> dict[str, Any]:
    samples = {"total": total, "finished": total - pending, "pending": pending}
    return {"label": label, "samples": samples, "metrics": metrics, "categories": {}, "breakdowns": {}}


def summary(benchmark: str, *models: Mapping[str, Any], **other: Any) -> dict[str, Any]:
    """A complete run of real models, judged by GPT-4o with the released prompts, unless told otherwise."""
    return {
        "benchmark": benchmark,
        "protocol": "released",
        "prompts": "released-0123abcd",
        "protocol_line": f"{benchmark} · 167 samples",
        "judge": "openai/gpt-4o",
        "judge_served": [],
        "simulated": False,
        "complete": True,
        "settings": {},
        "models": list(models) or [model()],
        **other,
    }


def said(found: Mapping[str, Any], board: int = 0) -> str:
    return "\n".join(reasons(published_for(found["benchmark"])[board], found))


def column(grid: Grid, heading: str) -> list[tuple[str, str]]:
    place = [each.replace("\n", " ") for each in grid.headings].index(heading)
    return [(row[0], row[place]) for row in grid.rows]


# -- which boards there are


@pytest.mark.parametrize("benchmark", ["demo", "my-own-questions"])
def test_what_nobody_published_has_no_board_and_one_sentence(benchmark: str) -> None:
    assert published_for(benchmark) == []
    assert published_grids(summary(benchmark)) == []
    assert published_json(summary(benchmark)) == []
    assert benchmark in no_board(benchmark)


@pytest.mark.parametrize("benchmark", BOARDS)
def test_a_run_without_metrics_is_shown_with_dashes(benchmark: str) -> None:
    for grid in published_grids(summary(benchmark)):
        for row in grid.rows:
            assert len(row) == len(grid.headings)
            if row[0].startswith(MARK):
                assert set(row[1:]) == {"–"}


# -- where the run stands


def test_models_are_sorted_by_the_primary_figure_with_the_run_among_them() -> None:
    (grid,) = published_grids(summary("siuo-gen", model(safe_and_effective=rate(46.0), safe=rate(50.0), effective=rate(90.0))))
    assert [name for name, _ in column(grid, "Safe & effective")][:3] == ["GPT-4o", MARK + "mine", "Gemini 1.5 Pro"]


def test_a_lower_attack_success_stands_higher() -> None:
    grids = published_grids(summary("usb-base", model(safety_rate=rate(70.0), safety_rate_macro=rate(69.0))))
    grid = next(grid for grid in grids if "attack success" in grid.title)
    names = [name for name, _ in column(grid, "Attack success")]
    assert names[:3] == ["Claude35-sonnet2", MARK + "mine", "Gemini-1.5-pro"]


def test_attack_success_is_what_is_missing_from_the_rate_over_all_rows() -> None:
    grids = published_grids(summary("usb-base", model(safety_rate=rate(70.0), safety_rate_macro=rate(60.0))))
    grid = next(grid for grid in grids if "attack success" in grid.title)
    assert dict(column(grid, "Attack success"))[MARK + "mine"] == "30.0\n25.0–35.0"


def test_usbs_total_stands_beside_the_mean_of_the_cells() -> None:
    grid = published_grids(summary("usb-base", model(safety_rate=rate(70.0), safety_rate_macro=rate(60.0))))[0]
    assert dict(column(grid, "Total safety rate"))[MARK + "mine"].startswith("60.0")


def test_the_printed_f_score_stands_beside_the_arithmetic_one() -> None:
    grid = published_grids(summary("csqa-qa", model(f_arithmetic=rate(51.0), f_harmonic=rate(50.0))))[0]
    assert dict(column(grid, "F-score"))[MARK + "mine"].startswith("51.0")


def test_a_figure_that_the_run_does_not_have_is_a_dash() -> None:
    grid = published_grids(summary("usb-base", model(safety_rate_macro=rate(60.0))))[0]
    assert dict(column(grid, "Harmless refused"))[MARK + "mine"] == "–"


def test_a_model_without_the_primary_figure_stands_last() -> None:
    (grid,) = published_grids(summary("siuo-gen", model(safe=rate(99.0))))
    assert grid.rows[-1][0] == MARK + "mine"


@pytest.mark.parametrize("name", ["National Safety/SIRT", "national safety · SIRT", "SIRT, National Safety"])
def test_a_cell_of_the_run_is_found_whatever_stands_between_its_words(name: str) -> None:
    mine = {**model(safety_rate=rate(70.0)), "breakdowns": {"cell": {name: {"samples": 9, "metrics": {"safety_rate": rate(61.0)}}}}}
    grid = next(grid for grid in published_grids(summary("usb-base", mine)) if grid.title.endswith("National Safety: safety rate"))
    assert dict(column(grid, "SIRT"))[MARK + "mine"] == "61.0"


def test_a_category_is_found_by_its_chinese_name() -> None:
    mine = {**model(co=rate(60.0)), "categories": {"身心健康风险": {"samples": 136, "metrics": {"co": rate(71.0)}}}}
    grid = published_grids(summary("csqa-qa", mine))[1]
    assert dict(column(grid, "PMH"))[MARK + "mine"] == "71.0"
    assert dict(column(grid, "STK"))[MARK + "mine"] == "–"


def test_a_table_of_cells_leaves_out_a_run_that_has_none() -> None:
    cells = published_grids(summary("usb-base", model(safety_rate=rate(70.0))))[1]
    assert not [row for row in cells.rows if row[0].startswith(MARK)]


def test_a_table_that_no_run_measures_holds_no_run_and_says_so() -> None:
    grid = published_grids(summary("csqa-qa", model(co=rate(70.0))))[-1]
    assert "search" in grid.title
    assert not [row for row in grid.rows if row[0].startswith(MARK)]
    assert "does not stand in it" in grid.note


def test_published_figures_are_shown_as_printed() -> None:
    (grid,) = published_grids(summary("siuo-gen"))
    assert dict(column(grid, "Safe"))["Gemini 1.5 Pro"] == "52.10"


def test_estimates_are_marked() -> None:
    grid = published_grids(summary("csqa-mcq"))[0]
    assert dict(column(grid, "Accuracy"))["o1-preview"] == "≈87.2"
    assert "our estimate" in grid.note


def test_baselines_are_no_models() -> None:
    (grid,) = published_grids(summary("siuo-mcqa"))
    named = dict(column(grid, "Accuracy"))
    assert named["Random Choice (baseline)"] == "24.95"
    assert named["always A (our baseline)"] == "30.54"
    assert named["always the longest option (our baseline)"] == "38.32"


def test_what_is_odd_about_a_row_is_marked_and_explained() -> None:
    grid = published_grids(summary("usb-base"))[0]
    assert "Claude-Sonnet4 (a)" in [row[0] for row in grid.rows]
    assert "(a) the total of this row is not the mean" in grid.note


# -- why the two may not be compared


def test_the_note_tells_how_it_was_judged_and_where_it_stands() -> None:
    (grid,) = published_grids(summary("siuo-gen"))
    assert "judged by hand" in grid.note
    assert "source: project page of SIUO" in grid.note


def test_a_board_judged_by_people_is_not_a_judges() -> None:
    assert "people judged the board; openai/gpt-4o judged this run" in said(summary("siuo-gen"))


def test_another_judge_is_named() -> None:
    told = said(summary("usb-hard", judge="openai/gpt-4o-mini", judge_served=["gpt-4o-mini-2024-07-18"]))
    assert "GPT-4o judged the board; openai/gpt-4o-mini (served as gpt-4o-mini-2024-07-18) judged this run" in told


@pytest.mark.parametrize("judge", ["openai/gpt-4o", "openai/gpt-4o-2024-08-06", "openrouter/openai/gpt-4o"])
def test_the_same_judge_leaves_its_snapshot_open(judge: str) -> None:
    told = said(summary("usb-hard", judge=judge))
    assert f"which snapshot of GPT-4o judged the board is not told; this run's judge was {judge}" in told


def test_a_judge_that_was_served_as_another_is_another() -> None:
    assert "GPT-4o judged the board; openai/gpt-4o (served as qwen-3) judged this run" in said(
        summary("usb-hard", judge_served=["qwen-3"])
    )


def test_a_run_without_a_judge_is_told() -> None:
    assert "nobody has judged this run" in said(summary("csqa-qa", judge=None))


def test_where_nobody_judges_no_judge_is_missed() -> None:
    assert "nobody has judged" not in said(summary("siuo-mcqa", judge=None))


@pytest.mark.parametrize("benchmark", BOARDS)
def test_the_protocol_makes_a_difference(benchmark: str) -> None:
    corrected, released = (said(summary(benchmark, protocol=protocol)) for protocol in ("corrected", "released"))
    assert corrected != released


@pytest.mark.parametrize("benchmark", BOARDS)
def test_prompts_of_our_own_are_told(benchmark: str) -> None:
    assert "this project's own" in said(summary(benchmark, prompts="own-0123abcd"))
    assert "this project's own" not in said(summary(benchmark))


def test_another_denominator_is_told() -> None:
    assert "the board is counted over 167 items; this run asked 27" in said(summary("siuo-gen", model(total=27)))
    assert "counted over" not in said(summary("siuo-gen", model(total=167)))


def test_what_is_undecided_is_told_by_model() -> None:
    mine = model(safe=rate(50.0, n=160), effective=rate(50.0, n=160), safe_and_effective=rate(50.0))
    assert "not everything is decided: mine Safe, Effective 160 of 167" in said(summary("siuo-gen", mine))


def test_what_was_not_attempted_is_not_undecided() -> None:
    mine = model(total=2000, co=rate(50.0, 2000, 2000), cga=rate(60.0, 1900, 2000))
    assert "decided" not in said(summary("csqa-qa", mine))


def test_a_mean_without_counts_is_shown_and_misses_nothing() -> None:
    found = summary("usb-base", model(safety_rate_macro={"value": 60.0}))
    assert dict(column(published_grids(found)[0], "Total safety rate"))[MARK + "mine"] == "60.0"
    assert "decided" not in said(found)


def test_a_simulated_run_says_so_in_its_row_too() -> None:
    found = summary("siuo-gen", model(safe_and_effective=rate(90.0)), simulated=True)
    assert "SIMULATED" in said(found)
    assert published_grids(found)[0].rows[0][0] == f"{MARK}mine (SIMULATED)"


def test_a_partial_run_says_so_in_its_row_too() -> None:
    found = summary("siuo-gen", model(pending=7, safe_and_effective=rate(90.0)), complete=False)
    assert "this run is PARTIAL; samples without a result yet: mine 7 of 167" in said(found)
    assert published_grids(found)[0].rows[0][0] == f"{MARK}mine (PARTIAL)"


def test_an_imported_run_says_so() -> None:
    assert "IMPORTED" in said(summary("siuo-gen", protocol_line="siuo-gen · 167 samples · IMPORTED"))


def sure(**means: float) -> dict[str, Any]:
    """The calibration of a model, with these means in percent."""
    splits = (f"{place}{part}" for place in ("", "with_material_", "without_material_") for part in ("right", "wrong"))
    parts = {name: {"n": int(name in means), "mean_confidence": means.get(name)} for name in splits}
    measure = {"n": 9, "mean_confidence": means["all"], **parts}
    return {"calibration": {BY_LOGPROB: {**measure, "mean_confidence": 1.0}, NORMALISED: measure}}


def test_a_run_with_confidences_stands_in_their_table() -> None:
    mine = model(total=2000, search_ratio=rate(12.0)) | sure(all=94.5, with_material_right=96.0, without_material_wrong=80.0)
    grid = published_grids(summary("csqa-mcq", mine))[-1]
    (row,) = [row for row in grid.rows if row[0].startswith(MARK)]
    assert row[1:] == ("12.0", "94.5", "96.0", "–", "–", "80.0")
    assert "measures what this table does" not in said(summary("csqa-mcq", mine), board=1)


def test_a_run_without_confidences_stands_not_in_their_table() -> None:
    found = summary("csqa-mcq", model(total=2000, search_ratio=rate(12.0)))
    assert not [row for row in published_grids(found)[-1].rows if row[0].startswith(MARK)]
    assert "no figure of a run measures what this table does" in said(found, board=1)


def test_settings_that_the_board_does_not_know_are_told() -> None:
    assert "(search always)" in said(summary("csqa-qa", settings={"search": "always"}))


def test_the_definition_of_the_metric_is_told() -> None:
    assert "mean of the twelve cells" in said(summary("usb-base"))
    assert "pooled over all rows" in said(summary("usb-base"), board=1)
    assert "arithmetic mean" in said(summary("csqa-qa"))


# -- how it is shown


def whole(benchmark: str) -> dict[str, Any]:
    """A summary that the run's own tables can be drawn from too."""
    counted = {"answered": 3, "declined": 0, "filtered": 0, "empty": 0, "failed": 0}
    tokens = {"generation": {"input": 1, "output": 1}, "judging": {"input": 1, "output": 1}}
    mine = {**model(label="a|b [bold]"), "outcomes": counted, "answers": {"cut": 0}, "tokens": tokens, "judge": None, "cost_usd": None}
    return summary(benchmark, mine, scored=False, primary="safe")


def test_the_block_stands_after_the_runs_own_tables_on_the_terminal() -> None:
    found, out = whole("siuo-gen"), StringIO()
    to_terminal(Console(file=out, width=100, markup=False), found, {}, ["mind this"], published_grids(found))
    shown = out.getvalue()
    assert shown.index("Tokens and cost") < shown.index("Published · SIUO") < shown.index("! mind this")
    assert "a|b [bold]" in shown


def test_the_block_stands_after_the_runs_own_tables_in_markdown() -> None:
    found = whole("siuo-gen")
    page = to_markdown(found, {}, ["mind this"], published_grids(found))
    assert page.index("### Tokens and cost") < page.index("### Published · SIUO") < page.index("> mind this")
    assert r"| ▸ a\|b \[bold\] |" in page
    assert "Published" not in to_markdown(found, {}, [])


def test_json_holds_the_boards_with_the_reasons_for_this_run() -> None:
    first, second = published_json(summary("usb-hard", model(total=20), judge="lab/reader"))
    assert first["rows"][0]["values"][0] == 80.84
    assert len(first["columns"]) == len(first["rows"][0]["values"]) == 14
    assert any("lab/reader" in reason for reason in first["not_comparable"])
    assert any("3,949" in reason for reason in second["not_comparable"])
