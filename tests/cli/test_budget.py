"""A budget is never exceeded, is used nearly whole, and leaves the same samples finished with every model, as the server counts."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from siuo_async.simulator import Settings, SimulatorProcess
from tests.cli.program import Done, Siuo, finish, generated, journal, make_data, model, until

MODELS = ("sim/openai-careful", "sim/anthropic-blunt", "sim/gemini-terse")
WORDS = (*(word for name in MODELS for word in ("-m", name)), "--judge", "sim/openai-judge")
INPUT_USD, OUTPUT_USD = 1.0 / 10**6, 4.0 / 10**6
"""Per token, of every simulated model."""


def billed_usd(simulator: SimulatorProcess) -> float:
    """What the server would charge for all that it answered, once it is done with the requests of a killed client."""
    seen: list[Any] = []

    def still() -> bool:
        stats = simulator.stats()
        seen.append((stats["requests"], stats["tokens"], stats["in_flight"]))
        return stats["in_flight"] == 0 and len(seen) > 20 and seen[-20] == seen[-1]

    until(still, "the server is quiet")
    tokens = seen[-1][1]
    return float(tokens.get("input", 0) * INPUT_USD + tokens.get("output", 0) * OUTPUT_USD)


class Story:
    """A run over a budget of one dollar that is killed in the middle, typed again until the money is spent, and then given more."""

    def __init__(self, folder: Path, simulator: SimulatorProcess) -> None:
        self.simulator = simulator
        self.siuo = Siuo(folder, SIUO_SIM_URL=simulator.url)
        data = make_data(folder / "data", 70, picture_bytes=3000)
        self.words = ("run", "siuo-gen", "--data", data, *WORDS, "--json")

    def live(self) -> None:
        process = self.siuo.start(*self.words, "--budget", "1")
        until(lambda: self.lines() >= 300 or process.poll() is not None, "half of it is spent", 60)
        assert process.poll() is None, "the run ended before it was killed"
        process.send_signal(signal.SIGKILL)
        finish(process, code=-signal.SIGKILL)
        self.on_wire = json.loads(self.file("budget.json").read_text())["on_wire_calls"]
        self.stopped = self.siuo(*self.words, "--budget", "1", code=3)
        self.at_stop = billed_usd(self.simulator)
        self.ids = Counter(record["id"] for record in self.records())
        self.again = self.siuo("resume", "--json", code=3)
        self.at_second_stop = billed_usd(self.simulator)
        self.done = self.siuo("resume", "--budget", "3", "--json")
        self.at_end = billed_usd(self.simulator)

    def file(self, name: str) -> Path:
        return next(self.siuo.folder.glob(f"results/*/{name}"))

    def records(self) -> list[dict[str, Any]]:
        return journal(self.file("calls.jsonl").parent)

    def lines(self) -> int:
        found = next(self.siuo.folder.glob("results/*/calls.jsonl"), None)
        return found.read_bytes().count(b"\n") if found else 0


@pytest.fixture(scope="module")
def quick() -> Iterator[SimulatorProcess]:
    process = SimulatorProcess(Settings(seed=3, latency_s=0.02))
    with process:
        yield process


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, quick: SimulatorProcess) -> Story:
    quick.reset()
    told = Story(tmp_path_factory.mktemp("budget") / "x", quick)
    told.live()
    return told


def used(done: Done) -> float:
    return float(done.json["spent"]["used_usd"])


def maybe_billed(done: Done) -> float:
    return float(done.json["spent"]["maybe_billed_usd"])


def test_what_the_server_counted_never_exceeds_the_budget_though_the_run_was_killed(story: Story) -> None:
    assert story.at_stop <= 1.0
    assert story.at_end <= 3.0


def test_the_budget_is_used_nearly_whole(story: Story) -> None:
    assert 0.97 <= used(story.stopped) <= 1.0
    assert story.at_stop >= 0.97 - maybe_billed(story.stopped)


def test_what_was_on_the_wire_at_the_kill_counts_as_spent_and_is_said(story: Story) -> None:
    assert story.on_wire > 0
    assert 0 < maybe_billed(story.stopped) < 0.2, "as much as the dearest calls would have cost, not all that was held"
    assert "may have been billed for calls that gave no result, and counts as spent" in story.stopped.err


def test_the_stop_says_how_far_it_came_and_how_to_go_on(story: Story) -> None:
    (stop,) = story.stopped.json["stops"]
    finished = min(each["samples"]["finished"] for each in story.stopped.json["models"])
    assert "of $1.00 is spent" in stop
    assert f"; {finished} of 70 samples are finished with every model; " in stop
    assert "--budget " in stop
    assert float(stop.rpartition("--budget ")[2]) > 1.0


def test_a_budget_that_is_spent_buys_nothing_more(story: Story) -> None:
    assert story.at_second_stop == story.at_stop
    assert story.again.sent == 0


def test_more_money_completes_the_run_without_paying_twice(story: Story) -> None:
    assert story.done.json["complete"] is True
    ids = Counter(record["id"] for record in story.records())
    assert set(story.ids) < set(ids)
    assert set(ids.values()) == {1}
    assert used(story.done) >= story.at_end


def test_the_run_remembers_its_last_budget(story: Story) -> None:
    assert json.loads(story.file("run.json").read_text())["config"]["budget"] == 3.0


def finished_with(run: Path) -> dict[str, set[str]]:
    """Samples of which every answer was judged twice, by model."""
    records = journal(run)
    texts: dict[tuple[str, str], int] = {(r["model"], r["sample"]): 0 for r in generated(records)}
    for record in generated(records):
        texts[record["model"], record["sample"]] += len(record["answers"])
    found: dict[str, set[str]] = {}
    for (name, sample), count in texts.items():
        found.setdefault(name, set())
        if count == 3:
            found[name].add(sample)
    return found


def test_the_same_samples_are_finished_with_a_quick_and_a_slow_model(tmp_path: Path, quick: SimulatorProcess) -> None:
    data = make_data(tmp_path / "data", 60)
    (tmp_path / "run.yaml").write_text(
        f"benchmark: siuo-gen\ndata: {data}\nmodels: [sim/openai-careful, lab/anthropic-blunt]\njudge: sim/openai-judge\nbudget: 0.4\n"
        f"providers: {{lab: {{dialect: anthropic, base_url: '{quick.url}', key_env: LAB_KEY, concurrency: 2, "
        "price: {input: 1, output: 4}}}\n",
        encoding="utf-8",
    )
    siuo = Siuo(tmp_path / "x", SIUO_SIM_URL=quick.url)
    quick.reset()
    done = siuo("run", "-c", tmp_path / "run.yaml", "--json", code=3, env={"LAB_KEY": "lab-key-1"})
    assert 0.36 <= billed_usd(quick) <= 0.4
    finished = [each["samples"]["finished"] for each in done.json["models"]]
    assert max(finished) - min(finished) <= 1
    assert min(finished) >= 10
    first, second = finished_with(siuo.folder / done.run).values()
    assert len(first ^ second) <= 3


def test_a_budget_needs_every_price_and_names_what_to_add(siuo: Siuo, simulator: SimulatorProcess, dozen: Path) -> None:
    (siuo.folder / "run.yaml").write_text(
        f"benchmark: siuo-gen\ndata: {dozen}\nmodels: [lab/careful]\njudge: sim/openai-judge\n"
        f"providers: {{lab: {{dialect: openai, base_url: '{simulator.url}/v1'}}}}\n",
        encoding="utf-8",
    )
    done = siuo("run", "-c", "run.yaml", "--budget", "1", code=2)
    assert done.err.count("\n") == 1
    assert "`prices: {lab/careful: {input: 1.0, output: 4.0}}`" in done.err
    assert not list(siuo.folder.glob("results/*"))
    assert simulator.stats()["requests"] == 0


@pytest.mark.parametrize("wrong", ["0", "-1", "nan", "inf", "much"])
def test_a_budget_that_is_no_sum_of_money_is_refused(siuo: Siuo, dozen: Path, wrong: str) -> None:
    done = siuo("run", "siuo-gen", "--data", dozen, *WORDS, f"--budget={wrong}", code=2)
    assert "budget" in done.err
    assert "Traceback" not in done.err


def test_a_budget_smaller_than_one_call_stops_before_anything_is_sent(siuo: Siuo, simulator: SimulatorProcess, dozen: Path) -> None:
    done = siuo("run", "siuo-gen", "--data", dozen, *WORDS, "--budget", "0.0001", code=3)
    assert "$0.0000 of $0.0001 is spent" in done.err
    assert simulator.stats()["requests"] == 0


def test_several_benchmarks_share_one_budget(siuo: Siuo, simulator: SimulatorProcess, dozen: Path) -> None:
    (siuo.folder / "more").mkdir()
    words = ("run", "siuo-gen", "demo", "--data", dozen, *WORDS)
    done = siuo(*words, "--budget", "0.3", "--limit", "12", code=3)
    assert "of $0.3000 is spent" in done.err
    assert 0.25 <= billed_usd(simulator) <= 0.3


def test_verdicts_of_a_judge_are_bought_within_the_whole_runs_budget(siuo: Siuo, simulator: SimulatorProcess, dozen: Path) -> None:
    siuo("run", "siuo-gen", "--data", dozen, *WORDS[:-2], "--no-judge", "--name", "x")
    run = next((siuo.folder / "results").iterdir())
    answers = billed_usd(simulator)
    siuo("judge", run.name, "--judge", "sim/openai-judge", "--budget", f"{answers + 0.1:.4f}", code=3)
    assert answers + 0.05 <= billed_usd(simulator) <= answers + 0.1
    siuo("judge", run.name, "--judge", "sim/openai-judge", "--budget", "5")
    assert billed_usd(simulator) <= 5


def test_calls_that_another_run_paid_for_are_not_counted(siuo: Siuo, simulator: SimulatorProcess, dozen: Path) -> None:
    words = ("run", "siuo-gen", "--data", dozen, *WORDS)
    siuo(*words, "--name", "one", "--json")
    (one,) = (siuo.folder / "results").iterdir()
    for _ in range(2):
        done = siuo(*words, "--name", "two", "--reuse", one, "--budget", "0.01", "--json")
        assert used(done) == 0
        assert done.sent == 0


def test_the_prices_of_a_run_are_told_with_their_source(siuo: Siuo, dozen: Path) -> None:
    done = siuo("run", "siuo-gen", "--data", dozen, *WORDS, "--json")
    price = model(done.json, "openai-careful")["price"]
    assert (price["input"], price["output"], price["source"]) == (1.0, 4.0, "made up")
    cost = model(done.json, "openai-careful")["cost"]
    assert cost["generation_usd"] + cost["judging_usd"] == pytest.approx(model(done.json, "openai-careful")["cost_usd"])


def test_a_price_written_into_the_config_later_counts_wherever_it_says_that_it_is_from(siuo: Siuo, dozen: Path) -> None:
    costs = []
    for usd in (1, 2):
        price = f"{{sim/openai-careful: {{input: {usd}, output: {usd}, source: our contract}}}}"
        (siuo.folder / "run.yaml").write_text(f"prices: {price}\n", encoding="utf-8")
        words = (
            "run",
            "siuo-gen",
            "--data",
            dozen,
            "-m",
            "sim/openai-careful",
            "--no-judge",
            "--limit",
            "3",
            "-c",
            "run.yaml",
            "--json",
        )
        costs.append(model(siuo(*words, code=None).json, "openai-careful")["cost"]["generation_usd"])
    assert costs[1] == pytest.approx(2 * costs[0])
