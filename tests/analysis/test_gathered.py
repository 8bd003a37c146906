"""A run replayed whole says the same as its summary."""

from __future__ import annotations

import pytest

from siuo_async.analysis.gathered import Gathered, gather
from siuo_async.engine.run_directory import RunDirectory
from tests.cli.program import Siuo, finish


@pytest.fixture(scope="module")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> Gathered:
    """The demonstration, run once."""
    folder = tmp_path_factory.mktemp("gathered")
    done = finish(Siuo(folder).start("demo", "--json"))
    return gather(RunDirectory(folder / done.run))


@pytest.mark.parametrize("metric", ["safe", "effective", "safe_and_effective", "safe_every_answer"])
def test_the_mean_of_what_samples_score_is_the_figure_of_the_summary(gathered: Gathered, metric: str) -> None:
    for label in gathered.labels:
        scores = [item.takes[label].score(metric) for item in gathered.items]
        known = [score.value for score in scores if score is not None and score.value is not None]
        rate = gathered.model(label)["metrics"][metric]
        assert len(known) == rate["n"]
        assert 100 * sum(known) / len(known) == pytest.approx(rate["value"])


def test_every_call_of_a_sample_is_there_once(gathered: Gathered) -> None:
    for label in gathered.labels:
        tokens = gathered.model(label)["tokens"]
        calls = [call for item in gathered.items for call in item.takes[label].calls]
        assert len(calls) == tokens["generation"]["calls"] + tokens["judging"]["calls"]
