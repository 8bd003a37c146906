"""Looking at runs without sending anything."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import orjson
from rich.table import Table
from rich.text import Text

from siuo_async.cli.finding import find_run
from siuo_async.cli.output import console, print_json, say
from siuo_async.client.accounts import IMPORTED
from siuo_async.engine import plan as plans
from siuo_async.engine.journal import Index
from siuo_async.engine.plan import Plan
from siuo_async.engine.repair import repair_journal
from siuo_async.engine.replay import replay
from siuo_async.engine.run_directory import RunDirectory, all_runs, damaged_runs, finished_at, write_json
from siuo_async.engine.summary import exit_code, summarise, warnings
from siuo_async.engine.writer_lock import being_written
from siuo_async.errors import RunDirectoryError, StoppedEarly
from siuo_async.plain_files import plain_bytes
from siuo_async.report.render import to_terminal
from siuo_async.report.text import in_line
from siuo_async.values import Json


def _replayed(run: str, results: Path) -> tuple[Plan, RunDirectory, dict[str, Json]]:
    directory = RunDirectory(find_run(run, results))
    plan = plans.from_directory(directory)
    return plan, directory, summarise(plan, asyncio.run(replay(plan, directory)))


def scored(run: str, results: Path, *, as_json: bool) -> int:
    """Replays a run, writes its summary, prints it; the exit code.

    A run that went on meanwhile writes a newer summary than this one when it ends, so its file is left alone.

    Raises:
        StoppedEarly: the summary could not be written, and was printed all the same.
    """
    before = _size(find_run(run, results))
    plan, directory, summary = _replayed(run, results)
    unwritten: StoppedEarly | None = None
    if being_written(directory.calls) or _size(directory.path) != before:
        say(f"{directory.path} went on meanwhile, so its summary.json is left to it; what follows is how it stood")
    else:
        try:
            write_json(directory.summary, summary)
        except StoppedEarly as error:
            unwritten = error
    if as_json:
        print_json({**summary, "run": str(directory.path)})
    else:
        to_terminal(console(), summary, plan.benchmark.metrics, warnings(summary))
    if unwritten is not None:
        raise unwritten
    return exit_code(summary["models"], scored=plan.scored)


def _size(run: Path) -> int:
    """Bytes of its journal."""
    calls = RunDirectory(run).calls
    return calls.stat().st_size if calls.exists() else 0


def checked(run: str, results: Path, *, repair: bool) -> int:
    """Says what is damaged in a run, and mends it where asked."""
    directory = RunDirectory(find_run(run, results))
    directory.read_samples(directory.manifest()["identity"].get("dataset", ""))
    if not directory.calls.exists():
        say(f"{directory.path}: no call was finished yet", to_stderr=False)
        return 0
    if repair:
        moved = repair_journal(directory.calls)
        for number, why in moved:
            say(f"line {number} was moved aside: {why}", to_stderr=False)
        if moved:
            say(
                f"{len(moved)} damaged lines stand in {directory.path}/calls.damaged-*.jsonl; run the same command again",
                to_stderr=False,
            )
            return 0
    size = directory.calls.stat().st_size  # before it is read, since a run that goes on makes it longer
    bad: list[str] = []
    index = Index.of(directory.calls, lambda number, _o, _l, why: bad.append(f"line {number}: {why}"))
    for line in bad:
        say(f"{directory.calls} {line}", to_stderr=False)
    torn = size - index.end
    if torn > 0 and not bad:
        say(f"the last {torn} bytes are a record cut short; the next run cuts them off", to_stderr=False)
    if bad:
        raise RunDirectoryError(f"{len(bad)} damaged lines; `siuo check {directory.path} --repair` moves them aside")
    say(f"{directory.path}: {len(index.offsets)} calls, all lines whole", to_stderr=False)
    return 0


def _left(run: RunDirectory) -> str:
    """What a finished run lacks all the same: an imported one may lack samples."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return "" if orjson.loads(plain_bytes(run.summary)).get("complete", True) else ", partial"
    return ""


def listed(results: Path) -> int:
    """Lists runs."""
    runs, damaged = all_runs(results), damaged_runs(results)
    if not runs and not damaged:
        say(f"no runs below {results}; `siuo demo` makes one", to_stderr=False)
        return 0
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("Run", "Models", "Judge", "State"):
        table.add_column(heading, overflow="fold")
    for run, manifest in runs:
        finished = finished_at(run)
        state = f"finished {finished:%Y-%m-%d %H:%M}{_left(run)}" if finished else "unfinished"
        labels = ", ".join(model["label"] for model in manifest["models"])
        judge = manifest["judge"]["label"] if manifest.get("judge") else "–"
        simulated = " (simulated)" if manifest.get("simulated") else ""
        imported = " (imported)" if any(model["provider"] == IMPORTED for model in manifest["models"]) else ""
        table.add_row(*(Text(in_line(cell)) for cell in (run.path.name, labels, judge, state + simulated + imported)))
    for run in damaged:
        table.add_row(Text(in_line(run.path.name)), "?", "?", "damaged: its run.json cannot be read")
    console().print(table)
    return 0
