"""The bench of the statistics still runs, and what it sums exactly is what stands in the document."""

from __future__ import annotations

import pytest

from tests.conftest import REPOSITORY
from tests.performance import coverage


def test_a_small_bench_prints_every_table(capsys: pytest.CaptureFixture[str]) -> None:
    coverage.main(["--seed", "7", "--scale", "0.0005"])
    told = capsys.readouterr().out
    assert told.count("\n\n| ") == 8
    document = (REPOSITORY / "docs" / "statistics.md").read_text(encoding="utf-8")
    exact = told[told.index("| 0.02 |") : told.index("\n\nTests at 5%")]
    assert exact in document
    assert told[told.index("| p | Wilson") : told.index("\n\nIntervals of a paired")] in document
