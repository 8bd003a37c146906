"""`evaluate`: what `siuo run` does, as a function. The same directories, the same calls, nothing that was finished is paid twice.

Everything up to the first call is the command's own code; only what is shown, and how it ends, is different: a `Run` is given back,
an error is raised.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from siuo_async.cli.output import heard_by
from siuo_async.cli.preparing import environment, prepared
from siuo_async.cli.running import executed
from siuo_async.cli.settings import merged
from siuo_async.config import RunConfig
from siuo_async.errors import ConfigError
from siuo_async.library.ending import Ending
from siuo_async.library.loops import ctrl_c_is_raised, in_a_loop, in_a_thread, run, signals_kept
from siuo_async.library.progress import OnProgress
from siuo_async.library.run import Run
from siuo_async.values import Json

Model: TypeAlias = str | Mapping[str, Json]
"""`PROVIDER/MODEL[@REVISION]`, or a table as under `models:` in a configuration file."""
_log = logging.getLogger("siuo_async")


def evaluate(
    benchmark: str | Path = "",
    models: Model | Sequence[Model] = (),
    judge: Model | None = None,
    *,
    config: str | Path | None = None,
    path: str | Path | None = None,
    fresh: bool = False,
    on_progress: OnProgress | None = None,
    **settings: Json,
) -> Run:
    """Asks models, judges their answers, and gives the run back; called again, it continues what is there.

    Works in scripts, threads and notebooks. In a notebook it waits in a thread; `await evaluate_async(...)` does not block it.

    Args:
        benchmark: as in `siuo run`: a name, or the file of a benchmark of one's own.
        models: one or several.
        judge: the model that judges; `no_judge=True` leaves that for later.
        config: a YAML file with settings; what is given here wins over it.
        path: the run's directory, where the usual one is not wanted (`--run`).
        fresh: measure again, into a new directory.
        on_progress: told where the run is, four times a second; without it nothing is shown.
        settings: what else a configuration file may hold: `limit=20`, `answers=1`, `results="runs"`, `rpm=60`, ...

    Raises:
        UsageError: something keeps the run from beginning (ConfigError, DataError, RunDirectoryError).
        StoppedEarly: it stopped before it was complete; what is finished is on disk, and the same call continues it.
        KeyboardInterrupt: Ctrl-C, after the calls on the wire had their time; the same call continues it.
    """
    ended = Ending(on_progress)
    with signals_kept():
        if waiting := in_a_loop():
            ctrl_c_is_raised()
        configs = _configs(benchmark, models, judge, config, settings)
        arguments = (configs, Path(path) if path is not None else None, fresh, ended)
        if waiting:
            in_a_thread(lambda: run(_evaluated(*arguments)), interrupt=ended.interrupt)
        else:
            run(_evaluated(*arguments))
    return ended.run()


async def evaluate_async(
    benchmark: str | Path = "",
    models: Model | Sequence[Model] = (),
    judge: Model | None = None,
    *,
    config: str | Path | None = None,
    path: str | Path | None = None,
    fresh: bool = False,
    on_progress: OnProgress | None = None,
    **settings: Json,
) -> Run:
    """`evaluate` for programs with an event loop. Cancelled, it stops as at Ctrl-C: calls on the wire get their time (`grace=`)."""
    configs = _configs(benchmark, models, judge, config, settings)
    ended, cancelled = Ending(on_progress), False
    with signals_kept():
        task = asyncio.ensure_future(_evaluated(configs, Path(path) if path is not None else None, fresh, ended))
        while not task.done():
            try:
                await asyncio.shield(task)
            except asyncio.CancelledError:
                cancelled = True
                ended.interrupt()
    if cancelled:
        raise asyncio.CancelledError
    return ended.run()


def _configs(
    benchmark: str | Path, models: Model | Sequence[Model], judge: Model | None, config: str | Path | None, settings: Mapping[str, Json]
) -> list[RunConfig]:
    named = [models] if isinstance(models, str | Mapping) else list(models) if isinstance(models, Iterable) else [models]
    for each in (*named, *([] if judge is None else [judge])):
        if not isinstance(each, str | Mapping):
            raise ConfigError(
                f"evaluate(): {each!r} is no model; write 'PROVIDER/MODEL', or a table as in {{'model': 'PROVIDER/MODEL'}}"
            )
    flags = {
        **settings,
        "benchmark": str(benchmark) or None,
        "models": [each if isinstance(each, str) else dict(each) for each in named],
    }
    flags["judge"] = judge if judge is None or isinstance(judge, str) else dict(judge)
    found = merged(Path(config) if config is not None else None, flags, "evaluate()")
    if len(found) > 1:
        raise ConfigError("evaluate() takes one benchmark, but several are named; call it once for each")
    made = found[0]
    if not made.models:
        raise ConfigError("evaluate() has no model to ask; pass models=['PROVIDER/MODEL'], as in models=['openai/gpt-4o-mini']")
    return found


async def _evaluated(configs: Sequence[RunConfig], path: Path | None, fresh: bool, ended: Ending) -> None:
    with heard_by(_heard):
        jobs = await asyncio.to_thread(prepared, configs, environment(), path=path, fresh=fresh)
        await executed(jobs, ended)


def _heard(sentence: str) -> None:
    """What the command would have said: notes are warnings, the rest is for who wants to know."""
    if sentence:
        _log.log(logging.WARNING if sentence.startswith("note: ") else logging.INFO, "%s", sentence)
