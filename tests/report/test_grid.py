"""Tables within the width of a screen: what goes first, what folds, what is taken apart."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from siuo_async.report.grid import EDGES, GAP, Grid, fitted, folded


def grid(columns: int = 6, *, label: str = "some-model", drop: tuple[int, ...] = (), cell: str = "53.3  89/167") -> Grid:
    headings = ("Model", *(f"Metric {number}" for number in range(1, columns)))
    return Grid("Title", headings, ((label, *([cell] * (columns - 1))),), drop=drop)


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("label", ["m", "a-model-with/a-very-long_name@2026-11-21-and-more-of-it"])
def test_no_table_is_wider_than_its_screen(width: int, label: str) -> None:
    for widths in fitted(grid(12, label=label), width).widths:
        assert sum(widths) + GAP * (len(widths) - 1) + EDGES <= width


def test_what_may_go_goes_in_its_order() -> None:
    shown = fitted(grid(6, drop=(0, 0, 1, 3, 2, 0)), 60)
    assert shown.left_out == ("Metric 4", "Metric 3")
    assert shown.grids[0].headings == ("Model", "Metric 1", "Metric 2", "Metric 5")


def test_nothing_goes_where_there_is_room() -> None:
    shown = fitted(grid(6, drop=(0, 1, 2, 3, 4, 5)), 200)
    assert (shown.left_out, len(shown.grids)) == ((), 1)


def test_what_must_stay_stands_below_with_the_names_again() -> None:
    shown = fitted(grid(8), 60)
    assert [part.headings[0] for part in shown.grids] == ["Model"] * len(shown.grids)
    assert [heading for part in shown.grids for heading in part.headings[1:]] == [f"Metric {number}" for number in range(1, 8)]


def test_a_drawing_that_goes_is_not_missed() -> None:
    shown = fitted(Grid("T", ("Model", "0 50 100"), (("m", "├──●──┤" * 9),), drop=(0, 9), drawn=1), 30)
    assert shown.left_out == ()
    assert shown.grids[0].headings == ("Model",)


def test_names_fold_at_their_joints() -> None:
    assert folded("openai-filtered-answer", 14) == "openai-\nfiltered-\nanswer"
    assert folded("two words", 5) == "two\nwords"
    assert folded("short", 14) == "short"
    assert folded("one\ntwo", 14) == "one\ntwo"


def test_what_has_no_joint_is_left_to_the_screen() -> None:
    assert folded("x" * 30, 14) == "x" * 30


def test_wide_characters_count_as_two() -> None:
    shown = fitted(Grid("T", ("类别", "Value"), (("伦理道德风险", "1.0"),)), 80)
    assert shown.widths[0][0] == cell_len("伦理道德风险") == 12


def test_columns_keep_what_belongs_to_them() -> None:
    whole = Grid(
        "T", ("A", "B", "C"), (("a", "b", "c"),), drop=(0, 1, 2), strong=2, drawn=1, heat=((None, 0.1, 0.9),), flush=frozenset({2})
    )
    part = whole.without(1)
    assert (part.headings, part.rows, part.drop, part.heat) == (("A", "C"), (("a", "c"),), (0, 2), ((None, 0.9),))
    assert (part.strong, part.drawn, part.flush) == (1, None, frozenset({1}))
