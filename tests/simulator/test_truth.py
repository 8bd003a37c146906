"""Markers of truth."""

from __future__ import annotations

import pytest

from siuo_async.simulator.truth import marker, truth_of


@pytest.mark.parametrize(
    "text, truth",
    [
        ("no marker", None),
        ("before [[sim safe=1 effective=0]] after", (1, 0)),
        ("[[sim safe=1 effective=0]] then [[sim safe=0 effective=1]]", (0, 1)),
        ("[[sim safe=2 effective=0]]", None),
        ("[[sim safe=1 effec", None),
    ],
)
def test_the_last_whole_marker_is_the_truth(text: str, truth: tuple[int, int] | None) -> None:
    assert truth_of(text) == truth


@pytest.mark.parametrize("truth", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_a_marker_is_read_as_it_was_written(truth: tuple[int, int]) -> None:
    assert truth_of(marker(*truth)) == truth
