"""USB-SafeBench's form end to end: the numbers are what the simulated answers are worth, whatever judge, filter or kill."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from siuo_async.simulator import Settings, SimulatorProcess
from tests.cli import truth, usb_set
from tests.cli.program import Done, Siuo, finish, journal, model, until
from tests.cli.usb_set import Row

HARMFUL, HARMLESS = 248, 30
"""All 244 viewpoints, and a few of them twice."""
MORE_MB = 20.0
"""By how much the memory of a whole run may exceed that of a small one."""


@pytest.fixture(scope="session")
def table() -> list[Row]:
    return list(usb_set.rows(HARMFUL, HARMLESS))


@pytest.fixture(scope="session")
def usb(tmp_path_factory: pytest.TempPathFactory, table: list[Row]) -> Path:
    return usb_set.write(tmp_path_factory.mktemp("usb") / "data", table)


def run(siuo: Siuo, data: Path, *words: str | Path, judge: str = "openai-judge", code: int = 0, benchmark: str = "usb-base") -> Done:
    return siuo("run", benchmark, "--data", data, "--judge", f"sim/{judge}", "--json", *words, code=code)


def assert_true(siuo: Siuo, done: Done, table: list[Row], *models: str) -> None:
    """All metrics of these models are what their answers in the journal are worth."""
    records = journal(siuo.folder / done.run)
    for name in models:
        said = usb_set.said_by_sample(records, name)
        truth.assert_equal(model(done.json, name)["metrics"], usb_set.metrics(said, table))


def test_metrics_of_every_dialect_are_what_the_answers_are_worth(siuo: Siuo, usb: Path, table: list[Row]) -> None:
    models = ("openai-blunt", "anthropic-decliner", "gemini-filtered-answer")
    done = run(siuo, usb, *(word for name in models for word in ("-m", f"sim/{name}")), judge="openai-judge-odd")
    assert_true(siuo, done, table, *models)
    shares = [model(done.json, name)["metrics"]["safe_withheld"]["k"] for name in models]
    assert shares[0] == 0 < min(shares[1:])
    assert model(done.json, "anthropic-decliner")["counts"]["harmless requests that got no text, counted as refused"] > 0


def test_cells_and_categories_add_up_to_the_whole(siuo: Siuo, usb: Path) -> None:
    told = run(siuo, usb, "-m", "sim/openai-blunt").json["models"][0]
    whole = {field: told["metrics"]["safety_rate"][field] for field in ("k", "n", "total")}
    dimensions = {"category": told["categories"], **told["breakdowns"]}
    sizes = {name: len(groups) for name, groups in dimensions.items()}
    assert sizes == {
        "category": 3,
        "combination": 4,
        "cell": 12,
        "secondary category": 16,
        "tertiary category": 61,
        "picture style": 2,
    }
    for name, groups in dimensions.items():
        if name != "picture style":  # a third of the rows has none
            rates = [group["metrics"]["safety_rate"] for group in groups.values()]
            assert {field: sum(rate[field] for rate in rates) for field in whole} == whole, name
    cells = [cell["metrics"]["safety_rate"]["value"] for cell in told["breakdowns"]["cell"].values()]
    assert told["metrics"]["safety_rate_macro"]["value"] == pytest.approx(sum(cells) / 12)


@pytest.mark.parametrize("judge", ["anthropic-judge", "gemini-judge", "anthropic-judge-odd", "gemini-judge-odd"])
def test_judges_of_every_dialect_are_read(judge: str, siuo: Siuo, usb: Path, table: list[Row]) -> None:
    done = run(siuo, usb, "-m", "sim/openai-blunt", judge=judge)
    assert_true(siuo, done, table, "openai-blunt")
    assert set(done.json["models"][0]["judge"].values()) == {0, HARMFUL + HARMLESS}


@pytest.mark.parametrize("dialect", ["openai", "gemini"])
def test_a_judge_that_lacks_structured_output_is_asked_without_it(dialect: str, siuo: Siuo, usb: Path, table: list[Row]) -> None:
    done = run(siuo, usb, "-m", "sim/openai-blunt", judge=f"{dialect}-judge-no-schema")
    assert_true(siuo, done, table, "openai-blunt")
    assert done.json["judge_left_out"] == ["answer_schema"]


def test_a_judge_that_is_cut_is_read_or_asked_with_four_times_the_room(siuo: Siuo, usb: Path, table: list[Row]) -> None:
    (siuo.folder / "run.yaml").write_text(
        f"benchmark: usb-base\ndata: {usb}\nmodels: [sim/openai-blunt]\njudge: {{model: sim/openai-judge-cut, max_tokens: 1000}}\n",
        encoding="utf-8",
    )
    done = siuo("run", "-c", "run.yaml", "--json")
    judged = [record for record in journal(siuo.folder / done.run) if record["stage"] != "generate"]
    cut = [record for record in judged if record["answers"][0].get("finish") == "length"]
    told = done.json["models"][0]["judge"]
    assert 0 < told["re_asked"] == len(judged) - HARMFUL - HARMLESS < len(cut), "some replies carry their verdict though they are cut"
    assert told["unreadable"] == 0
    assert_true(siuo, done, table, "openai-blunt")


def test_verdicts_that_cannot_be_read_are_missing_and_not_guessed(siuo: Siuo, usb: Path) -> None:
    told = run(siuo, usb, "-m", "sim/openai-blunt", judge="openai-judge-unreadable", code=4).json["models"][0]
    decided = told["metrics"]["safety_rate"]["n"] + told["metrics"]["refusal_rate"]["n"]
    assert told["judge"]["unreadable"] == HARMFUL + HARMLESS - decided > 0


@pytest.mark.parametrize("judge", ["openai-judge", "openai-judge-no-schema"])
def test_released_judges_by_the_ancestors_rules(judge: str, siuo: Siuo, usb: Path, table: list[Row]) -> None:
    done = run(siuo, usb, "-m", "sim/openai-blunt", "--protocol", "released", judge=judge)
    assert_true(siuo, done, table, "openai-blunt")
    sent = {record["stage"]: record["sent"] for record in journal(siuo.folder / done.run)}
    assert (sent["judge.vulnerability"]["max_tokens"], "max_tokens" in sent["judge.refusal"]) == (128, False)
    assert (sent["judge.refusal"]["seed"], sent["judge.refusal"]["top_p"]) == (42, 1.0)


def test_released_leaves_harmful_rows_without_an_answer_out(siuo: Siuo, usb: Path) -> None:
    done = run(siuo, usb, "-m", "sim/openai-decliner", "--protocol", "released", code=4)
    told = done.json["models"][0]
    assert told["metrics"]["safety_rate"]["n"] == HARMFUL - told["dropped"] < HARMFUL
    assert told["metrics"]["refusal_rate"]["n"] == HARMLESS


def test_a_run_without_harmless_rows_says_that_refusals_are_not_measured(siuo: Siuo, usb: Path, table: list[Row]) -> None:
    words = ("-m", "sim/openai-blunt", "--usage", "vulnerability", "--combination", "RIST", "--category", "public safety")
    done = run(siuo, usb, *words)
    chosen = [
        row
        for row in table
        if (row["img_risk"], row["text_risk"], row["level1_category"]) == ("1", "0", "Public Safety")
        and row["usage"] == "vulnerability"
    ]
    assert done.json["models"][0]["samples"]["total"] == len(chosen) == 34
    assert_true(siuo, done, chosen, "openai-blunt")
    assert done.json["models"][0]["metrics"]["safety_rate_macro"]["cells_missing"] == 11
    for form in ("terminal", "markdown"):
        shown = siuo("report", done.run, "--format", form).out
        assert shown.count("not measured") >= 3, "beside each safety rate"


def test_the_terminal_leaves_the_longest_table_to_markdown(siuo: Siuo, usb: Path) -> None:
    done = run(siuo, usb, "-m", "sim/openai-blunt")
    assert "By tertiary category: safety rate: 61 rows" in siuo("report", done.run).out
    markdown = siuo("report", done.run, "--format", "markdown").out
    assert all(path[2] in markdown.replace("\\", "").replace("&amp;", "&") for path in usb_set.paths())


def test_only_harmless_rows_can_be_asked(siuo: Siuo, usb: Path, table: list[Row]) -> None:
    done = run(siuo, usb, "-m", "sim/openai-careful", "--usage", "overrefusal")
    assert_true(siuo, done, table[HARMFUL:], "openai-careful")


def test_rows_without_a_picture_are_listed_and_in_no_denominator(siuo: Siuo, tmp_path: Path, table: list[Row]) -> None:
    gone = frozenset({table[3]["id"], table[HARMFUL]["id"]})
    done = run(siuo, usb_set.write(tmp_path / "data", table, without=gone), "-m", "sim/openai-blunt")
    assert_true(siuo, done, [row for row in table if row["id"] not in gone], "openai-blunt")
    assert [row_id for row_id in sorted(gone) if any(row_id in sentence for sentence in done.json["skipped"])] == sorted(gone)
    assert "2 SAMPLES LEFT OUT" in done.json["protocol_line"]


def test_hard_is_its_own_benchmark(siuo: Siuo, tmp_path: Path, table: list[Row]) -> None:
    done = run(siuo, usb_set.write(tmp_path / "data", table, hard=True), "-m", "sim/openai-blunt", benchmark="usb-hard")
    assert done.json["protocol_line"].startswith("usb-hard · 278 samples x 1 answer · ")
    assert_true(siuo, done, table, "openai-blunt")


def test_chinese_is_asked_where_the_table_has_it_and_stands_in_the_protocol_line(
    siuo: Siuo, tmp_path: Path, usb: Path, table: list[Row]
) -> None:
    words = ("-m", "sim/openai-blunt", "--language", "zh")
    error = run(siuo, usb, *words, code=2).err
    assert "text_zh" in error
    assert "--language en" in error
    done = run(siuo, usb_set.write(tmp_path / "data", table, chinese=True), *words)
    assert_true(siuo, done, table, "openai-blunt")
    assert "language zh" in done.json["protocol_line"]
    assert list(done.json["models"][0]["breakdowns"]["language"]) == ["zh"]


def test_a_killed_run_is_resumed_without_paying_twice(tmp_path: Path, usb: Path) -> None:
    settings = Settings(seed=5, latency_s=0.05)
    words = ("-m", "sim/openai-blunt", "-m", "sim/anthropic-mixed", "--concurrency", "16")
    with SimulatorProcess(settings) as url:
        calm = Siuo(tmp_path / "calm", SIUO_SIM_URL=url)
        reference = calm.folder / run(calm, usb, *words, code=4).run
    simulator = SimulatorProcess(settings)
    with simulator:
        siuo = Siuo(tmp_path / "killed", SIUO_SIM_URL=simulator.url)
        process = siuo.start("run", "usb-base", "--data", usb, "--judge", "sim/openai-judge", "--json", *words)
        until(lambda: _lines(siuo) > 200, "some calls are finished")
        process.send_signal(signal.SIGKILL)
        finish(process, code=-signal.SIGKILL)
        kept = {record["id"] for record in journal(next(siuo.folder.glob("results/*")))}
        until(lambda: simulator.stats()["in_flight"] == 0, "the server is quiet")
        before = simulator.stats(calls=True)["calls"]
        done = siuo("resume", "--json", code=4)
        after = simulator.stats(calls=True)["calls"]
    assert {call: after[call] for call in kept} == {call: before[call] for call in kept}
    assert (siuo.folder / done.run / "summary.json").read_bytes() == (reference / "summary.json").read_bytes()


def _lines(siuo: Siuo) -> int:
    return sum(file.read_bytes().count(b"\n") for file in siuo.folder.glob("results/*/calls.jsonl"))


def _at_size(folder: Path, url: str, rows: int, limit_s: float) -> tuple[float, dict[str, Any]]:
    """(peak memory of the program in MB, its summary) of a run over so many rows, checked against the truth."""
    table = list(usb_set.rows(rows - rows // 44, rows // 44))
    data = usb_set.write(folder / "data", table)
    siuo = Siuo(folder / "work", SIUO_SIM_URL=url)
    words = ("-m", "sim/openai-blunt", "--judge", "sim/openai-judge", "--concurrency", "256", "--json")
    process = siuo.start("run", "usb-base", "--data", data, *words)
    peaks = [0.0]
    watch = threading.Thread(target=lambda: peaks.extend(_peaks(process.pid)))
    watch.start()
    out, err = process.communicate(timeout=limit_s)
    watch.join()
    assert process.returncode == 0, err[-2000:]
    done = Done(0, out, err)
    assert done.json["complete"]
    assert done.json["models"][0]["samples"]["finished"] == rows
    assert_true(siuo, done, table, "openai-blunt")
    return max(peaks), json.loads(out)


def _peaks(pid: int) -> list[float]:
    """The most memory that a process has held so far, in MB, until it ends."""
    found = []
    while True:
        try:
            lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
        except OSError:
            return found
        told = [line.split()[1] for line in lines if line.startswith("VmHWM")]
        if not told:  # ended, but not yet waited for
            return found
        found.append(int(told[0]) / 1024)
        time.sleep(0.05)


def test_1500_rows_come_out_as_they_are_worth(tmp_path: Path) -> None:
    with SimulatorProcess(Settings(seed=3)) as url:
        _, summary = _at_size(tmp_path, url, 1500, 110)
    assert summary["calls"]["sent"] == 3000


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_13175_rows_take_hardly_more_memory_than_1000(tmp_path: Path) -> None:
    with SimulatorProcess(Settings(seed=3)) as url:
        small = max(_at_size(tmp_path / f"small-{number}", url, 1000, 120)[0] for number in range(2))
        large, summary = _at_size(tmp_path / "large", url, 13_175, 600)
    assert summary["calls"]["sent"] == 2 * 13_175
    assert small > 0
    assert large - small <= MORE_MB, (small, large)
