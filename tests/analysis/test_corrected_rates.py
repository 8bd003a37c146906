"""A judge of known error is corrected: intervals hold the truth as often as they say, and the judge's own do not."""

from __future__ import annotations

import pytest

from tests.performance.ppi_coverage import Covered, Setting, covered

DRAWS = 200


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, str], Covered]:
    """A small run, many times; the whole table: `make bench-labels`."""
    return covered(Setting("small", 60, samples=100, answers=1, models=("blunt", "terse")), DRAWS, 7)


def test_corrected_intervals_hold_the_truth_about_as_often_as_they_say(found: dict[tuple[str, str], Covered]) -> None:
    shares = {key: each.corrected / DRAWS for key, each in found.items()}
    assert min(shares.values()) >= 0.89
    assert 0.93 <= sum(shares.values()) / len(shares) <= 0.985


def test_the_judge_s_own_intervals_do_not(found: dict[tuple[str, str], Covered]) -> None:
    assert all(found[model, "safe_and_effective"].uncorrected / DRAWS < 0.6 for model in ("blunt", "terse"))


def test_the_corrected_figure_is_right_on_average(found: dict[tuple[str, str], Covered]) -> None:
    assert all(abs(each.off / DRAWS) < 0.02 for each in found.values())
