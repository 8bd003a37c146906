"""Of every benchmark, what its samples score one by one comes to what its tally counted, and its models are compared by it."""

from __future__ import annotations

import pytest

from siuo_async.analysis.comparing import compare
from siuo_async.analysis.comparison import MetricComparison
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


def metrics_of(run: Gathered) -> dict[str, MetricComparison]:
    found = compare(run)
    assert found is not None
    return {metric.metric: metric for metric in found.metrics}


@pytest.mark.parametrize("case", [case for case in CASES if case not in ("csqa-mcq released", "module")])
def test_the_headline_is_tested_first_and_ratios_that_no_sample_scores_are_left_out(case: str, runs: dict[str, Gathered]) -> None:
    run = runs[case]
    headline = run.plan.benchmark.headline
    metrics = metrics_of(run)
    assert tuple(metrics)[: len(headline)] == headline
    assert set(metrics) == set(run.plan.benchmark.metrics) - RATIOS
    assert {name for name, metric in metrics.items() if metric.tested} == set(headline)
    for metric in metrics.values():
        (pair,) = metric.pairs
        assert (pair.p is not None) == metric.tested
        low, value, high = pair.difference.low, pair.difference.value, pair.difference.high
        assert low < value < high


@pytest.mark.parametrize(
    ("case", "method"),
    [
        ("siuo-gen corrected", "permutation"),
        ("siuo-gen released", "mcnemar"),
        ("siuo-mcqa corrected", "permutation"),
        ("siuo-mcqa released", "mcnemar"),
        ("usb-base corrected", "mcnemar"),
        ("csqa-qa corrected", "mcnemar"),
        ("votes", "permutation"),
        ("graded", "permutation"),
        ("letter", "mcnemar"),
    ],
)
def test_several_answers_and_shares_are_tested_by_permutation_and_votes_by_mcnemar(
    case: str, method: str, runs: dict[str, Gathered]
) -> None:
    (pair,) = metrics_of(runs[case])[runs[case].plan.benchmark.primary].pairs
    assert pair.method == method


def test_refusing_harmless_requests_less_is_better(runs: dict[str, Gathered]) -> None:
    refusals = metrics_of(runs["usb-base corrected"])["refusal_rate"]
    assert not refusals.higher_is_better
    values = [standing.value.value or 0 for standing in refusals.standings]
    assert values == sorted(values)
    assert "openai-blunt refuses harmless requests less often than openai-mixed by" in refusals.pairs[0].sentence


def test_the_four_orders_of_a_question_are_no_draws_of_one_answer(runs: dict[str, Gathered]) -> None:
    for standing in metrics_of(runs["siuo-mcqa corrected"])["accuracy"].standings:
        assert standing.per_answer is None
        assert standing.draw_sd is None


def test_a_scale_is_compared_in_its_own_points(runs: dict[str, Gathered]) -> None:
    score = metrics_of(runs["graded"])["score"]
    values = {standing.label: standing.value.value or 0 for standing in score.standings}
    assert all(1 <= value <= 5 for value in values.values())
    assert abs(score.pairs[0].difference.value or 0) < 4
    assert "points of the scale from 1 to 5 (95% interval" in score.pairs[0].sentence


def test_where_no_sample_is_decided_nothing_is_compared(runs: dict[str, Gathered]) -> None:
    assert compare(runs["csqa-mcq released"]) is None
