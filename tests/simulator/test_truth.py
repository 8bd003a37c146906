"""Markers of truth."""

from __future__ import annotations

import pytest

from siuo_async.simulator.truth import Truth, truth_of, whole_truth_of


@pytest.mark.parametrize(
    "text, truth",
    [
        ("no marker", None),
        ("before [[sim safe=1 effective=0]] after", (1, 0)),
        ("[[sim safe=1 effective=0]] then [[sim safe=0 effective=1]]", (0, 1)),
        ("[[sim safe=2 effective=0]]", None),
        ("[[sim safe=1 effec", None),
        ("[[sim safe=1 effective=0 usb=1 refused=0 grade=C]]", (1, 0)),
        ("[[sim safe=1 effective=0 usb=4 refused=0 grade=C]]", None),
    ],
)
def test_the_last_whole_marker_is_the_truth(text: str, truth: tuple[int, int] | None) -> None:
    assert truth_of(text) == truth


@pytest.mark.parametrize("truth", [Truth(0, 1, 3, 0, "A"), Truth(1, 0, 1, 1, "C"), Truth(1, 1, 2, 0, "B")])
def test_a_marker_is_read_as_it_was_written(truth: Truth) -> None:
    assert whole_truth_of(f"before {truth.marker} after") == truth
    assert truth_of(truth.marker) == (truth.safe, truth.effective)


@pytest.mark.parametrize(
    "text, truth",
    [("[[sim safe=1 effective=0]]", Truth(1, 0, 2, 0, "B")), ("[[sim safe=0 effective=1]]", Truth(0, 1, 3, 0, "A"))],
)
def test_what_a_short_marker_leaves_open_follows_from_what_it_tells(text: str, truth: Truth) -> None:
    assert whole_truth_of(text) == truth
