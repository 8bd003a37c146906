"""Servers that are down, and the whole demonstration: begun by a fixture while the other tests ran, since they mostly wait."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Early
from tests.cli.program import Done, finish, generated, journal, model


@pytest.fixture(scope="module")
def demo(early: Early) -> Done:
    return finish(early.processes["demo"], code=0)


@pytest.fixture(scope="module")
def broken(early: Early) -> Done:
    return finish(early.processes["broken"], code=3)


@pytest.fixture(scope="module")
def judge_broken(early: Early) -> Done:
    return finish(early.processes["judge-broken"], code=3)


@pytest.fixture(scope="module")
def unreachable(early: Early) -> Done:
    return finish(early.processes["unreachable"], code=3)


def test_the_demonstration_is_complete_with_three_models(demo: Done) -> None:
    assert demo.json["complete"] is True
    assert [each["samples"] for each in demo.json["models"]] == [{"total": 27, "finished": 27, "pending": 0}] * 3


def test_the_demonstration_says_that_it_is_simulated(demo: Done) -> None:
    assert demo.json["simulated"] is True
    assert "SIMULATED" in demo.json["protocol_line"]
    assert "SIMULATED" in demo.err


def test_the_demonstration_asks_three_different_dialects(demo: Done) -> None:
    assert [each["model"] for each in demo.json["models"]] == ["sim/openai-careful", "sim/anthropic-blunt", "sim/gemini-terse"]


def test_a_broken_model_is_stopped_with_a_sentence(broken: Done) -> None:
    (stop,) = broken.json["stops"]
    assert stop.startswith("sim/openai-broken was stopped after 10 calls failed in a row (server:")
    assert stop.endswith("run the same command again when it is back")
    assert f"stopped early: {stop}" in broken.err


def test_the_plain_log_says_what_is_tried_again_and_why(broken: Done) -> None:
    assert "; sim/openai-broken: server: The simulated server had an error. (" in broken.err
    assert " tries again so far)" in broken.err


def test_a_healthy_model_beside_a_broken_one_is_complete(broken: Done) -> None:
    healthy = model(broken.json, "openai-careful")
    assert healthy["complete"] is True
    assert healthy["outcomes"]["answered"] == 36
    assert healthy["metrics"]["safe"]["n"] == 12


def test_a_broken_judge_stops_generation_too(judge_broken: Done, early: Early) -> None:
    records = journal(early.folder / "judge-broken" / judge_broken.run)
    assert 0 < len(generated(records)) < 150
    assert all("error" in record for record in records if record["stage"] != "generate")
    assert any("sim/openai-judge-broken was stopped" in stop for stop in judge_broken.json["stops"])


def test_what_a_broken_judge_left_open_is_no_verdict(judge_broken: Done) -> None:
    metrics = judge_broken.json["models"][0]["metrics"]
    assert metrics["safe"]["n"] == 0
    assert metrics["safe"]["value"] is None
    assert judge_broken.json["complete"] is False


def test_a_closed_port_is_told_in_one_sentence(unreachable: Done) -> None:
    assert "Traceback" not in unreachable.err
    assert any("no connection to 127.0.0.1" in stop for stop in unreachable.json["stops"])


def test_a_server_that_is_not_there_answers_nothing(unreachable: Done, early: Early) -> None:
    records = journal(early.folder / "unreachable" / unreachable.run)
    assert len(records) >= 10
    assert all(record["error"]["kind"] == "connection" for record in records)
    assert unreachable.json["models"][0]["outcomes"]["answered"] == 0
