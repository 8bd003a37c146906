"""Every way in which a simulated model can behave, in three dialects, beside a healthy one, in one command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from siuo_async.simulator import Settings, SimulatorProcess
from tests.cli import truth
from tests.cli.program import Done, Siuo, journal, make_data, model

SEED = 3
DIALECTS = ("openai", "anthropic", "gemini")
PERSONAS = (
    "decliner",
    "decliner-text",
    "filtered-prompt",
    "filtered-answer",
    "empty",
    "flaky",
    "badrequest",
    "mixed",
    "refusing-parameters",
    "long",
)
SEVERAL = ("fewer", "no-n")
"""Only where a dialect takes more than one answer per call."""
MODELS = [
    "openai-careful",
    *(f"{dialect}-{persona}" for persona in PERSONAS for dialect in DIALECTS),
    *(f"{dialect}-{persona}" for persona in SEVERAL for dialect in ("openai", "gemini")),
]


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory, simulator: SimulatorProcess) -> tuple[Done, list[dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("zoo")
    data = make_data(folder / "data", 8)
    siuo = Siuo(folder / "here", SIUO_SIM_URL=simulator.url)
    asked = [word for name in MODELS for word in ("-m", f"sim/{name}")]
    done = siuo("run", "siuo-gen", "--data", data, *asked, "--judge", "sim/openai-judge", "--concurrency", "32", "--json", code=4)
    return done, journal(siuo.folder / done.run)


@pytest.mark.parametrize("name", MODELS)
def test_outcomes_and_scores_are_what_the_server_decided(name: str, zoo: tuple[Done, list[dict[str, Any]]]) -> None:
    done, records = zoo
    samples = truth.by_sample(records, name, SEED)
    told = model(done.json, name)
    assert {sample: len(answers) for sample, answers in samples.items()} == {str(1000 + n): 3 for n in range(8)}
    assert {key: told["outcomes"][key] for key in ("answered", "declined", "filtered", "empty", "failed")} == {
        key: truth.outcomes(samples)[key] for key in ("answered", "declined", "filtered", "empty", "failed")
    }
    truth.assert_equal(told["metrics"], truth.metrics(samples))
    assert told["complete"] is True


@pytest.mark.parametrize("name", MODELS)
def test_texts_in_the_journal_are_the_servers(name: str, zoo: tuple[Done, list[dict[str, Any]]]) -> None:
    mine = [r for r in zoo[1] if r["model"] == name and r["stage"] == "generate"]
    assert [[a.get("text", "") for a in r["answers"]] for r in mine] == [[said.text for said in truth.decided(r, SEED)] for r in mine]


@pytest.mark.parametrize(
    "persona, outcomes",
    [
        ("decliner", ("declined", "filtered")),
        ("decliner-text", ("declined", "filtered")),
        ("filtered-prompt", ("filtered",)),
        ("filtered-answer", ("declined", "filtered")),
        ("empty", ("empty",)),
        ("badrequest", ("failed",)),
    ],
)
def test_each_outcome_really_came(persona: str, outcomes: tuple[str, ...], zoo: tuple[Done, list[dict[str, Any]]]) -> None:
    told = [model(zoo[0].json, f"{dialect}-{persona}")["outcomes"] for dialect in DIALECTS]
    assert sum(each[outcome] for each in told for outcome in outcomes) > 0


def test_a_healthy_model_is_unharmed_by_its_neighbours(zoo: tuple[Done, list[dict[str, Any]]]) -> None:
    healthy = model(zoo[0].json, "openai-careful")
    assert healthy["outcomes"]["answered"] == 24
    assert healthy["metrics"]["safe"]["n"] == 8
    assert healthy["calls"]["retried"] == 0


def test_a_flaky_server_costs_tries_and_nothing_else(zoo: tuple[Done, list[dict[str, Any]]]) -> None:
    retried = sum(model(zoo[0].json, f"{dialect}-flaky")["calls"]["retried"] for dialect in DIALECTS)
    assert retried > 0


def test_a_parameter_that_a_model_refuses_is_left_out_and_said(siuo: Siuo, dozen: Path) -> None:
    asked = [word for dialect in ("openai", "anthropic") for word in ("-m", f"sim/{dialect}-refusing-parameters")]
    done = siuo("run", "siuo-gen", "--data", dozen, *asked, "--no-judge", "--limit", "3", "--temperature", "0.5")
    run = next(siuo.folder.glob("results/*"))
    assert [each["left_out"] for each in siuo("report", run, "--format", "json").json["models"]] == [["temperature"]] * 2
    assert "temperature could not be sent" in done.out


def test_long_answers_are_counted_as_cut(zoo: tuple[Done, list[dict[str, Any]]]) -> None:
    assert model(zoo[0].json, "gemini-long")["answers"]["cut"] == 24


def test_a_decliner_without_text_costs_no_verdict(zoo: tuple[Done, list[dict[str, Any]]]) -> None:
    for dialect in DIALECTS:
        told = model(zoo[0].json, f"{dialect}-decliner")
        assert told["judge"]["verdicts"] == 2 * told["outcomes"]["answered"]


@pytest.mark.parametrize("persona, code", [("careful", 0), ("decliner", 0), ("filtered-prompt", 0), ("empty", 4), ("badrequest", 4)])
def test_the_exit_code_tells_whether_verdicts_are_missing(persona: str, code: int, siuo: Siuo, dozen: Path) -> None:
    siuo("run", "siuo-gen", "--data", dozen, "-m", f"sim/openai-{persona}", "--judge", "sim/openai-judge", "--json", code=code)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("persona", ["quota", "on-hold"])
def test_an_account_without_money_stops_and_the_other_account_goes_on(
    persona: str, dialect: str, siuo: Siuo, dozen: Path, simulator: SimulatorProcess
) -> None:
    path = {"openai": "/v1", "anthropic": "", "gemini": "/v1beta"}[dialect]
    (siuo.folder / "run.yaml").write_text(
        f"benchmark: siuo-gen\ndata: {dozen}\nmodels: [poor/{persona}, sim/openai-careful]\njudge: sim/openai-judge\n"
        f"providers: {{poor: {{dialect: {dialect}, base_url: '{simulator.url}{path}', key_env: POOR_KEY}}}}\n",
        encoding="utf-8",
    )
    done = siuo("run", "-c", "run.yaml", "--json", code=3, env={"POOR_KEY": "poor-key-123"})
    poor, healthy = done.json["models"]
    assert (poor["complete"], healthy["complete"]) == (False, True)
    assert sum(poor["outcomes"].values()) == 0
    assert not [r for r in journal(siuo.folder / done.run) if r["model"] == persona]
    assert simulator.stats()["by_persona"][persona] <= 4
    assert "run the same command again" in done.json["stops"][0]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_model_that_only_thinks_is_stopped_by_a_sentence_that_names_the_flag(dialect: str, siuo: Siuo, dozen: Path) -> None:
    words = ("-m", f"sim/{dialect}-thinker", "-m", "sim/openai-careful", "--judge", "sim/openai-judge", "--json")
    done = siuo("run", "siuo-gen", "--data", dozen, *words, code=3)
    assert "--thinking-tokens 8192" in done.json["stops"][0]
    assert model(done.json, "openai-careful")["complete"] is True
    assert model(done.json, f"{dialect}-thinker")["outcomes"]["answered"] == 0


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_model_with_room_to_think_answers(dialect: str, siuo: Siuo, dozen: Path) -> None:
    words = ("-m", f"sim/{dialect}-thinker", "--judge", "sim/openai-judge", "--thinking-tokens", "8192", "--json")
    done = siuo("run", "siuo-gen", "--data", dozen, *words)
    told = done.json["models"][0]
    assert told["outcomes"]["answered"] == 36
    assert told["tokens"]["generation"]["reasoning"] >= 36 * 3000


def test_a_rate_limited_server_is_waited_for(siuo: Siuo, dozen: Path) -> None:
    with SimulatorProcess(Settings(rpm=1200, window_s=0.5)) as url:  # ten in half a second
        words = ("-m", "sim/anthropic-careful", "--no-judge", "--limit", "6", "--json")
        done = siuo("run", "siuo-gen", "--data", dozen, *words, env={"SIUO_SIM_URL": url})
    assert done.json["models"][0]["outcomes"]["answered"] == 18
