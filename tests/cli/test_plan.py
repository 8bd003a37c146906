"""`siuo plan`: near to what a run then costs, with nothing sent and no key; cheaper ways; what stands in the way of a figure."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from siuo_async.report.plan_tables import plan_grids
from siuo_async.report.render import draw
from siuo_async.simulator import SimulatorProcess
from tests.cli.pictured import make_pictured
from tests.cli.program import Siuo

MODELS = ("sim/openai-careful", "sim/anthropic-blunt", "sim/gemini-terse")
ASKED = ("siuo-gen", *(word for model in MODELS for word in ("-m", model)), "--judge", "sim/openai-judge", "-c", "prices.yaml")
PRICES = {
    "sim/openai-careful": {"input": 2.5, "output": 10.0},
    "sim/anthropic-blunt": {"input": 3.0, "output": 15.0},
    "sim/gemini-terse": {"input": 0.3, "output": 2.5},
    "sim/openai-judge": {"input": 2.0, "output": 8.0},
}


@pytest.fixture(scope="session")
def pictured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pictured(tmp_path_factory.mktemp("pictured") / "data", 18)


@pytest.fixture
def priced(siuo: Siuo, pictured: Path) -> Siuo:
    """With prices of simulated models, each its own, and the data."""
    settings = {"data": str(pictured), "prices": PRICES}
    (siuo.folder / "prices.yaml").write_text(json.dumps(settings), encoding="utf-8")
    return siuo


def expected(plan: dict[str, Any], model: str | None = None) -> float:
    """USD: of the whole plan, or of one model's answers and verdicts."""
    return float(sum(part["cost_usd"]["expected"] for part in plan["parts"] if model in (None, part["model"])))


def test_a_plan_is_within_a_tenth_of_what_the_run_then_costs(priced: Siuo) -> None:
    plan = priced("plan", *ASKED, "--json").json
    run = priced("run", *ASKED, "--json").json
    costs = {model["label"]: model["cost_usd"] for model in run["models"]}
    for label, cost in costs.items():
        assert expected(plan, label) == pytest.approx(cost, rel=0.1), label
    assert plan["total"]["cost_usd"]["low"] < sum(costs.values()) < plan["total"]["cost_usd"]["high"]
    for label, model in ((model["label"], model) for model in run["models"]):
        tokens = {kind: sum(each["tokens"][kind]["expected"] for each in asked(plan, label)) for kind in ("text", "pictures")}
        assert sum(tokens.values()) == pytest.approx(model["tokens"]["generation"]["input"], rel=0.1)
    assert plan["total"]["calls"] == pytest.approx(run["calls"]["sent"], rel=0.01)  # equal answers share their verdicts


def asked(plan: dict[str, Any], model: str) -> list[dict[str, Any]]:
    """What is asked of the model itself."""
    return [part for part in plan["parts"] if part["model"] == model and part["stage"] == "generate"]


def test_after_a_few_samples_the_rest_is_planned_by_what_they_used(priced: Siuo) -> None:
    priced("run", *ASKED, "--limit", "6")
    plan = priced("plan", *ASKED, "--json").json
    run = priced("run", *ASKED, "--json").json
    assert plan["continues"]
    assert plan["spent_usd"] + expected(plan) == pytest.approx(sum(model["cost_usd"] for model in run["models"]), rel=0.05)
    assert all(part["output_per_answer"]["measured"] for part in plan["parts"])
    assert all(part["input_corrected_by_calls"] for part in plan["parts"])
    spread = plan["total"]["cost_usd"]["high"] / plan["total"]["cost_usd"]["low"]
    assert spread < 1.5
    assert plan["time"]["seconds"] is not None


@pytest.mark.parametrize(
    "judges, roles",
    [
        (("--judge", "sim/openai-judge", "--check-judge", "sim/openai-judge-harsh:1/3", "--test-retest", "20%"), ["judge", "check"]),
        (("--panel", "sim/openai-judge,sim/openai-judge-harsh,sim/gemini-judge"), ["panel"] * 3),
    ],
)
def test_all_judges_of_a_run_are_planned(priced: Siuo, judges: tuple[str, ...], roles: list[str]) -> None:
    words = ("siuo-gen", "-m", MODELS[0], *judges, "-c", "prices.yaml", "--json")
    plan, run = priced("plan", *words).json, priced("run", *words).json
    assert [row["role"] for row in plan["asked"]] == ["model", *roles]
    assert plan["total"]["calls"] == pytest.approx(run["calls"]["sent"], rel=0.02)
    assert expected(plan) == pytest.approx(run["models"][0]["cost_usd"], rel=0.1)


def test_nothing_is_sent_or_written(priced: Siuo, simulator: SimulatorProcess) -> None:
    before = set(priced.folder.iterdir())
    plan = priced("plan", *ASKED, "--json").json
    assert simulator.stats()["requests"] == 0
    assert set(priced.folder.iterdir()) == before
    assert not Path(priced.folder, plan["run"]).exists()


def test_a_finished_run_has_nothing_left_to_plan(priced: Siuo) -> None:
    priced("run", *ASKED, "--limit", "3")
    plan = priced("plan", *ASKED, "--limit", "3", "--json").json
    assert (plan["total"]["calls"], expected(plan), set(plan["finished"].values())) == (0, 0, {3})


def test_real_models_are_planned_without_a_key_and_the_keys_are_named(priced: Siuo) -> None:
    asked = (
        "siuo-gen",
        "-m",
        "openai/gpt-4o",
        "-m",
        "anthropic/claude-sonnet-4-6",
        "--judge",
        "gemini/gemini-2.5-pro",
        "-c",
        "prices.yaml",
    )
    plan = priced("plan", *asked, "--json").json
    assert plan["missing_keys"] == ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY or GEMINI_API_KEY"]
    assert expected(plan) > 0
    assert "no key is set: OPENAI_API_KEY has to be" in priced("plan", *asked).out


def test_a_key_that_is_there_is_not_missed(priced: Siuo) -> None:
    words = ("siuo-gen", "-m", "openai/gpt-4o", "--no-judge", "-c", "prices.yaml", "--json")
    assert priced("plan", *words, env={"OPENAI_API_KEY": "sk-not-a-key-000"}).json["missing_keys"] == []


def test_an_unknown_price_leaves_tokens_and_a_sentence_that_says_what_to_write(priced: Siuo) -> None:
    settings = {"providers": {"lab": {"base_url": "http://127.0.0.1:9/v1"}}}
    (priced.folder / "lab.yaml").write_text(json.dumps(settings), encoding="utf-8")
    plan = priced("plan", "demo", "-m", "lab/x", "--judge", "sim/openai-judge", "-c", "lab.yaml", "--budget", "1", "--json").json
    assert plan["total"]["cost_usd"] is None
    assert plan["total"]["tokens"]["text"]["expected"] > 1000
    assert any("prices: {lab/x: {input: 1.0, output: 4.0}}" in note for note in plan["notes"])
    assert any("budget" in note for note in plan["notes"])


def test_over_the_budget_the_ways_to_pay_less_stand_by_saving_and_hold_when_taken(priced: Siuo) -> None:
    whole = priced("plan", *ASKED, "--json").json
    budget = round(expected(whole) / 2, 4)
    plan = priced("plan", *ASKED, "--budget", str(budget), "--json").json
    savings = [way["saves_usd"] for way in plan["ways"]]
    assert plan["over_budget"]
    assert savings == sorted(savings, reverse=True)
    by_flag = {way["flag"]: way for way in plan["ways"]}
    limit = next(flag for flag in by_flag if flag.startswith("--limit"))
    for flag in (limit, "--answers 1", "--no-judge"):
        words = [word for word in ASKED if word not in ("--judge", "sim/openai-judge")] if flag == "--no-judge" else ASKED
        then = priced("plan", *words, *flag.split(), "--json").json
        assert expected(then) == pytest.approx(by_flag[flag]["cost_usd"], rel=0.15), flag
    assert by_flag[limit]["cost_usd"] <= budget


def test_a_model_whose_thinking_is_switched_on_is_planned_with_it(priced: Siuo) -> None:
    words = ("plan", "siuo-gen", "-m", "anthropic/claude-sonnet-4-6", "--no-judge", "-c", "prices.yaml", "--json")
    on = ("--thinking-tokens", "8000", "--param", 'thinking={"type": "enabled", "budget_tokens": 8000}')
    plain, thinking = (priced(*words, *more).json["total"]["tokens"]["output"]["expected"] for more in ((), on))
    assert thinking > 2 * plain


def test_within_the_budget_nothing_is_recommended(priced: Siuo) -> None:
    plan = priced("plan", *ASKED, "--budget", "100", "--json").json
    assert (plan["over_budget"], plan["ways"]) == (False, [])


def test_limits_and_uplink_give_a_time(priced: Siuo) -> None:
    plan = priced("plan", *ASKED, "--rpm", "60", "--uplink", "0.5", "--json").json
    groups = {group["name"]: group["seconds"] for group in plan["time"]["groups"]}
    assert groups["sim/openai-judge"] == 18 * 3 * 2 * 3
    assert plan["time"]["upload_seconds"] == pytest.approx(plan["time"]["upload_bytes"] * 8 / 500_000)
    assert plan["time"]["seconds"] == max(*groups.values(), plan["time"]["upload_seconds"])


def test_a_time_nobody_can_tell_is_called_unknown(priced: Siuo) -> None:
    assert "Time: unknown; --rpm" in priced("plan", *ASKED).out


def test_what_keeps_a_run_from_beginning_keeps_its_plan_too(siuo: Siuo) -> None:
    assert "needs a judge" in siuo("plan", "demo", "-m", "sim/openai-careful", code=2).err
    assert (
        "there is no siuo_gen.json" in siuo("plan", "siuo-gen", "-m", "sim/openai-careful", "--no-judge", "--data", "/none", code=2).err
    )


def test_the_tables_fit_a_narrow_terminal(priced: Siuo) -> None:
    plan = priced("plan", *ASKED, "--rpm", "60", "--budget", "0.1", "--json").json
    console = Console(width=80, file=io.StringIO())
    for grid in plan_grids(plan):
        draw(console, grid)
    told = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, told.splitlines())) <= 80
    assert "openai-judge (judge)" in told
    assert "…" not in told


def test_what_is_to_be_typed_stays_whole_on_a_narrow_terminal(priced: Siuo) -> None:
    words = ("plan", *ASKED, "--check-judge", "sim/anthropic-judge-harsh", "--budget", "0.1")
    flag = "--check-judge sim/anthropic-judge-harsh:1/3"
    narrow, wide = (priced(*words, env={"COLUMNS": columns}).out for columns in ("80", "200"))
    told = narrow.partition("To pay less\n")[2]
    assert f"{flag}  saves $" in told
    assert "continued" not in told
    assert max(map(len, told.partition("Cost: ")[0].splitlines())) <= 80
    assert flag in wide
    assert "What is lost" in wide


def test_several_benchmarks_are_planned_one_after_another(priced: Siuo) -> None:
    plans = priced("plan", "demo", "siuo-gen", "-m", MODELS[0], "--judge", "sim/openai-judge", "-c", "prices.yaml", "--json").json
    assert [plan["benchmark"] for plan in plans] == ["demo", "siuo-gen"]


def test_what_may_have_been_billed_is_told_beside_what_was_spent(priced: Siuo) -> None:
    priced("run", *ASKED, "--limit", "2", "--budget", "5")
    held = next((priced.folder / "results").glob("*/budget.json"))
    held.write_text('{"maybe_billed_pico_usd":400000000000,"tries":3,"on_wire_pico_usd":0,"on_wire_calls":0}', encoding="utf-8")
    words = ("plan", *ASKED, "--limit", "3", "--budget", "5")
    assert "spent before, up to $0.40 more for calls that may have been billed: within the budget of $5.00" in priced(*words).out
    assert priced(*words, "--json").json["maybe_billed_usd"] == 0.4


def test_a_damaged_note_of_what_is_owed_is_one_sentence_that_names_it_once(priced: Siuo) -> None:
    priced("run", *ASKED, "--limit", "1", "--budget", "5")
    held = next((priced.folder / "results").glob("*/budget.json"))
    held.write_text("{}", encoding="utf-8")
    done = priced("run", *ASKED, "--limit", "2", "--budget", "5", code=2)
    assert (done.err.count("budget.json"), done.err.count("Traceback")) == (1, 0)
