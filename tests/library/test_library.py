"""The library as programs and notebooks use it: real runs against a simulator, in scripts, loops and threads."""

from __future__ import annotations

import ast
import asyncio
import gc
import io
import json
import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pandas as pd
import pytest

import siuo_async
from siuo_async import ConfigError, Progress, Run, RunDirectoryError, StoppedEarly
from siuo_async.exchange.rows import TABLES, columns
from siuo_async.simulator import Settings, SimulatorProcess
from tests.cli.program import journal, until
from tests.conftest import REPOSITORY
from tests.exports.conftest import LABEL, Hostile
from tests.exports.conftest import hostile as hostile

ASKED = {"benchmark": "demo", "models": ["sim/openai-careful", "sim/gemini-terse"], "judge": "sim/openai-judge", "limit": 4}


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    process = SimulatorProcess(Settings(seed=3))
    with process:
        yield process


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, simulator: SimulatorProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of one's own, and the simulator's address; its counters stand at nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SIUO_SIM_URL", simulator.url)
    simulator.reset()


@pytest.fixture(scope="module")
def run(simulator: SimulatorProcess, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that is only looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIUO_SIM_URL", simulator.url)
        return siuo_async.evaluate(**ASKED, results=tmp_path_factory.mktemp("runs"))


def test_a_run_is_given_back_and_nothing_is_printed() -> None:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        run = siuo_async.evaluate(**ASKED)
    assert run.complete
    assert run.models == ("openai-careful", "gemini-terse")
    assert (out.getvalue(), err.getvalue()) == ("", "")


def test_the_same_call_sends_nothing_again_and_another_model_only_its_own(simulator: SimulatorProcess) -> None:
    first = siuo_async.evaluate(**ASKED)
    sent = simulator.stats()["requests"]
    again = siuo_async.evaluate(**ASKED)
    assert again.path == first.path
    assert simulator.stats()["requests"] == sent
    more = siuo_async.evaluate(**{**ASKED, "models": [*ASKED["models"], "sim/anthropic-blunt"]})
    assert more.path == first.path
    assert {record["model"] for record in journal(more.path)[sent:]} == {"anthropic-blunt", "openai-judge"}


def test_it_is_the_run_that_the_command_line_continues(simulator: SimulatorProcess, tmp_path: Path) -> None:
    run = siuo_async.evaluate(**ASKED)
    before = simulator.stats()["requests"]
    words = ["run", "demo", "-m", ASKED["models"][0], "-m", ASKED["models"][1], "--judge", ASKED["judge"], "--limit", "4", "--json"]
    done = subprocess.run([sys.executable, "-m", "siuo_async", *words], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["run"] == str(run.path)
    assert simulator.stats()["requests"] == before


async def test_it_works_inside_a_running_loop_and_twice_in_one_process() -> None:
    first = siuo_async.evaluate(**ASKED)
    second = await siuo_async.evaluate_async(**{**ASKED, "limit": 5})
    assert first.path == second.path
    assert len(second.samples()) == 5  # looked at inside the loop
    assert len(first.samples()) == 4  # as it was asked for
    assert second.compare() is not None


def test_it_works_in_a_thread_that_is_not_the_main_one() -> None:
    found: list[Run] = []
    thread = threading.Thread(target=lambda: found.append(siuo_async.evaluate(**ASKED)))
    thread.start()
    thread.join()
    assert found[0].complete


async def test_other_work_of_the_loop_goes_on_meanwhile() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.01)

    task = asyncio.create_task(count())
    await siuo_async.evaluate_async(**ASKED)
    task.cancel()
    assert turns > 3


def test_progress_ends_with_everything_finished() -> None:
    told: list[Progress] = []
    siuo_async.evaluate(**ASKED, on_progress=told.append)
    assert told[0].total == told[-1].finished == told[-1].total == 8
    assert [model.label for model in told[-1].models] == ["openai-careful", "gemini-terse"]
    assert all(model.value is not None for model in told[-1].models)
    assert [each.finished for each in told] == sorted(each.finished for each in told)


def test_what_progress_raises_stops_the_run_and_comes_out() -> None:
    def raising(progress: Progress) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        siuo_async.evaluate(**ASKED, on_progress=raising)
    assert siuo_async.evaluate(**ASKED).complete


async def test_cancelled_it_stops_and_goes_on_later(tmp_path: Path) -> None:
    with SimulatorProcess(Settings(seed=3, latency_s=0.5)) as slow, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIUO_SIM_URL", slow)
        begun = asyncio.Event()
        task = asyncio.create_task(siuo_async.evaluate_async(**ASKED, on_progress=lambda progress: begun.set()))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    (path,) = (tmp_path / "results").iterdir()
    assert not Run.load(path).complete
    assert (await siuo_async.evaluate_async(**ASKED)).complete


SCRIPT = """
import siuo_async, sys
try:
    siuo_async.evaluate("demo", ["sim/openai-careful"], "sim/openai-judge", grace=0.1, limit=4)
except KeyboardInterrupt:
    sys.exit(77)
"""
NOTEBOOK = """
import asyncio, siuo_async, sys
async def cell():
    siuo_async.evaluate("demo", ["sim/openai-careful"], "sim/openai-judge", grace=0.1, limit=4)
try:
    asyncio.get_event_loop_policy().new_event_loop().run_until_complete(cell())
except KeyboardInterrupt:
    sys.exit(77)
"""

WITHIN = NOTEBOOK.replace("asyncio.get_event_loop_policy().new_event_loop().run_until_complete(cell())", "asyncio.run(cell())")
"""Which has a handler of its own for Ctrl-C."""


@pytest.mark.parametrize("program", [SCRIPT, NOTEBOOK, WITHIN])
def test_ctrl_c_is_a_keyboard_interrupt_and_the_same_call_goes_on(program: str, tmp_path: Path) -> None:
    with SimulatorProcess(Settings(seed=3, latency_s=0.3)) as slow, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIUO_SIM_URL", slow)
        process = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        until(lambda: [file for file in tmp_path.glob("results/*/calls.jsonl") if file.stat().st_size], "a call is finished")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 77, err
    assert (out, err) == (b"", b"")
    (path,) = (tmp_path / "results").iterdir()
    kept = len(journal(path))
    assert not Run.load(path).complete
    assert siuo_async.evaluate("demo", ["sim/openai-careful"], "sim/openai-judge", limit=4).complete
    assert len({record["id"] for record in journal(path)}) == len(journal(path)) > kept


def test_a_spent_quota_stops_it_early_and_says_where_the_rest_stands() -> None:
    with pytest.raises(StoppedEarly, match=r"what is finished stands in results/"):
        siuo_async.evaluate("demo", ["sim/openai-quota"], "sim/openai-judge", limit=2)


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"benchmark": "dem"}, "did you mean 'demo'"),
        ({"models": []}, "evaluate() has no model to ask"),
        ({"judge": None}, "demo needs a judge"),
        ({"limt": 3}, "evaluate(): unknown setting 'limt'; did you mean 'limit'?"),
        ({"limit": 0}, "evaluate(): 'limit'"),
        ({"models": "gpt-4o"}, "names no provider"),
        ({"models": 3}, "3 is no model"),
        ({"models": [None]}, "None is no model"),
        ({"judge": 3}, "3 is no model"),
        ({"benchmark": ["demo", "siuo-gen"]}, "there is no benchmark"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError) as told:
        siuo_async.evaluate(**{**ASKED, **changes})
    assert sentence in str(told.value)
    assert "\n" not in str(told.value)
    assert not Path("results").exists()


def test_models_and_judge_may_be_tables_and_settings_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("benchmark: demo\nlimit: 2\nanswers: 1\n", encoding="utf-8")
    run = siuo_async.evaluate(
        models={"model": "sim/openai-careful", "label": "mine", "temperature": 0.5},
        judge={"model": "sim/openai-judge"},
        config="run.yaml",
    )
    assert run.models == ("mine",)
    assert len(run.answers()) == 2


def test_what_the_command_would_say_goes_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    siuo_async.evaluate(**ASKED)
    with caplog.at_level(logging.INFO, logger="siuo_async"):
        siuo_async.evaluate(**{**ASKED, "limit": 5})
    assert any("limit is 5, it was 4" in record.getMessage() for record in caplog.records)


def test_the_callers_signal_handlers_are_given_back() -> None:
    def mine(number: int, frame: object) -> None:
        """Nothing."""

    before = signal.signal(signal.SIGTERM, mine)
    try:
        siuo_async.evaluate(**ASKED)
        assert signal.getsignal(signal.SIGTERM) is mine
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGTERM, before)


def test_the_callers_garbage_collector_is_left_alone() -> None:
    before = gc.get_threshold()
    siuo_async.evaluate(**ASKED)
    assert gc.get_threshold() == before


@pytest.mark.parametrize("table", TABLES)
def test_rows_frames_and_files_have_the_same_columns_and_lengths(table: str, run: Run, tmp_path: Path) -> None:
    frame = run.to_frame(table)
    assert list(frame.columns) == list(columns(table))
    files = {file.name: file for file in run.export("csv", tmp_path / "out")}
    read = pd.read_csv(files[f"demo-{table}-SIMULATED.csv"])
    assert len(frame) == len(run.rows(table)) == len(read) > 0
    for row, (_, line) in zip(run.rows(table), read.iterrows(), strict=True):
        for column in ("model", "sample", "number", "value", "text"):
            if hasattr(row, column) and getattr(row, column) not in (None, ""):
                assert str(line[column]).lstrip("'") == str(getattr(row, column)).lstrip("'") or line[column] == pytest.approx(
                    float(getattr(row, column))
                )


def test_a_table_that_is_not_there_is_a_sentence(run: Run) -> None:
    with pytest.raises(ConfigError, match="there is no table 'x'; choose samples, "):
        run.rows("x")


def test_a_reference_that_is_not_there_is_a_sentence(run: Run) -> None:
    with pytest.raises(ConfigError, match="no model of this run is called 'x'; there are: openai-careful, gemini-terse"):
        run.compare("x")


def test_a_run_can_be_loaded_by_path_and_by_name(run: Run) -> None:
    assert Run.load(run.path).summary == run.summary
    assert Run.load(run.path.name, results=run.path.parent).protocol_line == run.protocol_line
    with pytest.raises(RunDirectoryError, match="there is no run nowhere"):
        Run.load("nowhere")


def test_reports_say_what_was_measured(run: Run) -> None:
    assert run.report().startswith(run.protocol_line)
    printed = subprocess.run(
        [sys.executable, "-m", "siuo_async", "report", str(run.path), "--format", "json"], check=True, capture_output=True, text=True
    )
    assert json.loads(run.report("json")) == json.loads(printed.stdout)
    assert run.methods().startswith("SIMULATED")
    assert "### Methods" in run.report("markdown")
    assert run.report("html").startswith("<!doctype html>")
    with pytest.raises(ConfigError, match="there is no format 'x'"):
        run.report("x")  # type: ignore[arg-type]


async def test_a_run_that_still_goes_on_can_be_looked_at() -> None:
    looked: list[bool] = []

    def look(progress: Progress) -> None:
        if progress.sent and not looked:
            (path,) = Path("results").iterdir()
            looked.append(Run.load(path).complete)

    with SimulatorProcess(Settings(seed=3, latency_s=0.2)) as slow, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIUO_SIM_URL", slow)
        await siuo_async.evaluate_async(**ASKED, on_progress=look)
    assert looked == [False]


def test_a_notebook_shows_a_hostile_run_without_running_anything_of_it(hostile: Hostile) -> None:
    page = Run(hostile.directory)._repr_html_()
    assert "<b>%" not in page
    assert LABEL.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in page


def test_a_notebook_shows_bounds_in_the_place_of_a_figure_with_too_many_undecided() -> None:
    asked = {**ASKED, "models": ["sim/openai-careful"], "judge": "sim/openai-judge-unreadable", "limit": 27}
    run = siuo_async.evaluate(**asked)
    rate = run.summary["models"][0]["metrics"]["safe"]
    assert rate["n"] < rate["total"]
    shown = run._repr_html_()
    assert f"<td>[{rate['worst']:.1f}–{rate['best']:.1f}]" in shown
    assert "more than 2% are undecided" in shown


def test_public_names_are_sorted_complete_and_there() -> None:
    assert siuo_async.__all__ == sorted(siuo_async.__all__)
    assert set(siuo_async._PLACES) | {"__version__"} == set(siuo_async.__all__)
    for name in siuo_async.__all__:
        assert getattr(siuo_async, name) is not None
        assert name in dir(siuo_async)
    with pytest.raises(AttributeError, match="has no attribute 'evalute'"):
        siuo_async.evalute  # noqa: B018


def test_type_checkers_see_every_public_name() -> None:
    tree = ast.parse((REPOSITORY / "siuo_async" / "__init__.py").read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert set(siuo_async.__all__) - {"__version__"} <= imported


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, siuo_async; sys.exit(bool({'aiohttp', 'scipy', 'numpy', 'pydantic', 'rich'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0


def test_every_public_name_says_what_it_is() -> None:
    for name in siuo_async.__all__:
        if name != "__version__":
            assert (getattr(siuo_async, name).__doc__ or "").strip()
