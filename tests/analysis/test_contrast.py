"""A margin, a drift and a sample's content as values: the rules by themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from siuo_async.analysis import contrast
from siuo_async.analysis.comparison import Estimate
from siuo_async.analysis.contrast import Change, Figure
from siuo_async.analysis.instrument import Part, content
from siuo_async.values import Picture, Sample


def change(low: float, high: float, *, higher: bool = True) -> Change:
    figure = Figure(Estimate(80.0), None, 8, 10, 10)
    middle = Estimate((low + high) / 2, low, high)
    return Change("m", "M", higher, True, "x", "x", figure, figure, middle, False, 10, 0.5, 0.5, "mcnemar", 1, 1, None)


@pytest.mark.parametrize(
    ("low", "high", "kept"),
    [
        (-2.9, 4.0, "confirmed"),
        (-3.0, 4.0, "not confirmed"),
        (-9.0, -3.0, "not confirmed"),
        (-9.0, -3.1, "worse"),
        (1.0, 4.0, "confirmed"),
    ],
)
def test_a_margin_is_judged_by_the_interval(low: float, high: float, kept: str) -> None:
    assert contrast._margin(change(low, high), 3.0).kept == kept


@pytest.mark.parametrize(("low", "high", "kept"), [(-9.0, 2.9, "confirmed"), (-1.0, 3.1, "not confirmed"), (3.1, 9.0, "worse")])
def test_where_lower_is_better_a_rise_is_what_the_margin_allows(low: float, high: float, kept: str) -> None:
    margin = contrast._margin(change(low, high, higher=False), 3.0)
    assert margin.kept == kept
    assert "M is higher than before" in margin.sentence


def test_without_an_interval_no_margin_is_confirmed() -> None:
    assert contrast._margin(replace(change(0, 0), difference=Estimate(None)), 99.0).kept == "not confirmed"


def test_a_difference_turned_round_keeps_its_interval_around_it() -> None:
    assert contrast._turned(Estimate(2.0, -1.0, 5.0)) == Estimate(-2.0, -5.0, 1.0)


def test_p_values_are_adjusted_over_the_models_of_one_metric() -> None:
    found = contrast._adjusted(
        [replace(change(0, 1), p=0.01), replace(change(0, 1), p=0.04), replace(change(0, 1), metric="other", p=0.03)]
    )
    assert [each.p_adjusted for each in found] == [0.02, 0.04, 0.03]


def test_only_a_differing_line_of_the_instrument_stops() -> None:
    assert Part("cap", "500", "300").stops
    assert not Part("cap", "500", "500").stops
    assert not Part("begun", "2026-01-01", "2026-11-21", "subject").stops


SAMPLE = Sample(
    id="1", text="What?", pictures=(Picture("a.png", "ab" * 32, "image/png", 9),), category=("crime",), fields={"gold": "A"}
)


@pytest.mark.parametrize(
    "other",
    [
        replace(SAMPLE, text="What!"),
        replace(SAMPLE, category=("harm",)),
        replace(SAMPLE, fields={"gold": "B"}),
        replace(SAMPLE, pictures=(Picture("a.png", "cd" * 32, "image/png", 9),)),
    ],
)
def test_whatever_a_sample_is_made_of_is_in_its_content(other: Sample) -> None:
    assert content(other) != content(SAMPLE)


def test_a_picture_that_was_moved_is_the_same_content() -> None:
    moved = replace(SAMPLE, pictures=(Picture("b/c.png", "ab" * 32, "image/png", 9, mtime_ns=7),))
    assert content(moved) == content(SAMPLE)
