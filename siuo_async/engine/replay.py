"""Scoring without sending: the benchmark's own coroutine, replayed over the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from siuo_async.benchmarks.base import SampleBug
from siuo_async.engine.asking import Asker, Target
from siuo_async.engine.bench import Bench
from siuo_async.engine.door import ReplayDoor
from siuo_async.engine.journal import JournalReader
from siuo_async.engine.plan import Plan
from siuo_async.engine.records import CallRecord
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.engine.scoreboard import ModelBoard
from siuo_async.errors import ConfigError, StoppedEarly
from siuo_async.values import Sample, quick_value


def readers(paths: Sequence[Path]) -> list[JournalReader]:
    """The journals of the runs that `--reuse` names.

    Raises:
        ConfigError: there is no run at one of the paths.
    """
    files = [path / "calls.jsonl" if path.is_dir() else path for path in paths]
    for path, file in zip(paths, files, strict=True):
        if not file.is_file():
            raise ConfigError(f"--reuse {path}: there is no run there (no {file}); `siuo ls` lists the runs")
    return [JournalReader(file) for file in files]


@quick_value
class Lived:
    """What became of one sample with one model."""

    label: str
    """The model's."""
    sample: Sample
    result: Any
    """What the benchmark's `evaluate` gave; None while it is pending."""
    calls: tuple[CallRecord, ...] = ()
    """The finished calls that its life passed through, in that order: answers, verdicts, searches; each once."""


Visit = Callable[[Lived], None]
"""Told of each sample."""


def _nobody(_: Lived) -> None:
    return None


async def replay(plan: Plan, directory: RunDirectory, *, reusing: bool = False, visit: Visit = _nobody) -> list[ModelBoard]:
    """The boards of a run as its journal stands; it may still be growing.

    Args:
        visit: told of each sample's result, model by model, in the order of asking.
        reusing: look into the runs that the plan reuses too, as a session would.

    Raises:
        RunDirectoryError: a line of the journal is damaged.
    """
    samples = plan.samples()
    reuse = readers(plan.config.reuse) if reusing else []
    bench = Bench(plan, samples)
    reader = JournalReader(directory.calls)
    try:
        door = ReplayDoor(reader, reuse)
        boards = []
        for participant in plan.models:
            target = participant.target(plan.generation())
            board = ModelBoard(target, plan.benchmark, samples, plan.prices or {})
            await _live(board, plan, door, target, bench, samples, visit)
            boards.append(board)
        return boards
    finally:
        for one in (reader, *reuse):
            one.close()


async def _live(
    board: ModelBoard, plan: Plan, door: ReplayDoor, target: Target, bench: Bench, samples: Iterable[Sample], visit: Visit
) -> None:
    search = plan.search
    calls: list[CallRecord] = []

    def observe(asked: Target, stage: str, record: CallRecord, fresh: bool) -> None:
        calls.append(record)
        board.observe(asked, stage, record, fresh)

    for position, sample in enumerate(samples):
        calls.clear()
        result = None
        try:
            asker = Asker(door, target, bench.judge, sample.id, observe, search=search, others=bench.others, judges=bench.of(position))
            result = await plan.benchmark.evaluate(sample, asker)
        except (StoppedEarly, SampleBug):
            board.stop(position)
        else:
            board.finish(position, sample.category, result)
        visit(Lived(target.label, sample, result, tuple(calls)))
