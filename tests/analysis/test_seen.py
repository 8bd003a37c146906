"""Of every benchmark, what its samples score one by one comes to the same as what its tally counted."""

from __future__ import annotations

import pytest

from siuo_async.analysis.gathered import Gathered, gather
from siuo_async.engine.run_directory import RunDirectory
from tests.analysis.every_benchmark import BUILT_IN, every_run

CASES = [f"{name} {protocol}" for name in BUILT_IN for protocol in ("corrected", "released")] + ["votes", "graded", "letter", "module"]
RATIOS = {"safety_rate_macro", "cga", "f_arithmetic", "f_harmonic"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Gathered]:
    found = every_run(tmp_path_factory.mktemp("every"))
    return {name: gather(RunDirectory(path)) for name, path in found.items()}


@pytest.mark.parametrize("case", CASES)
def test_the_mean_of_what_samples_score_is_the_figure_of_the_summary(case: str, runs: dict[str, Gathered]) -> None:
    run = runs[case]
    for metric in set(run.plan.benchmark.metrics) - RATIOS:
        for label in run.labels:
            scores = [item.takes[label].score(metric) for item in run.items]
            known = [score.value for score in scores if score is not None and score.value is not None]
            rate = run.model(label)["metrics"][metric]
            held = {"siuo-mcqa corrected": 4}.get(case, 1)  # its n counts answers
            assert held * len(known) == rate["n"]
            close = 0.005 if case.startswith("siuo") and case.endswith("released") else 1e-9  # which rounds as its script does
            unit = 1 if rate.get("unit") == "points" else 100
            value = unit * sum(known) / len(known) if known else None
            assert value == (None if rate["value"] is None else pytest.approx(rate["value"], abs=close))


def test_the_runs_leave_samples_undecided(runs: dict[str, Gathered]) -> None:
    """Without them the test above could not tell a missing score from a wrong one."""
    undecided = {
        case
        for case, run in runs.items()
        for item in run.items
        for take in item.takes.values()
        if (score := take.score(run.plan.benchmark.primary)) and score.value is None
    }
    assert undecided >= {"siuo-gen corrected", "siuo-mcqa corrected", "usb-base corrected", "csqa-qa corrected", "graded", "votes"}
