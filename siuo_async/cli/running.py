"""What `run`, `demo`, `resume` and `judge` share: a plan, a directory, a session on a screen, a report."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import gc
import os
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from siuo_async.cli.output import console, print_json, say
from siuo_async.cli.settings import ready_to_run
from siuo_async.client.accounts import AccountSpec, Environment, account_spec
from siuo_async.client.registry import Registry
from siuo_async.config import RunConfig
from siuo_async.engine import plan as plans
from siuo_async.engine import run_directory
from siuo_async.engine.estimate import differences, estimate
from siuo_async.engine.plan import Plan
from siuo_async.engine.replay import readers
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.engine.session import Outcomes, Session, finished_at
from siuo_async.engine.summary import warnings
from siuo_async.errors import ConfigError, RunDirectoryError, SiuoError
from siuo_async.report.render import to_terminal
from siuo_async.report.text import duration
from siuo_async.ui.watch import watching
from siuo_async.values import Picture

T = TypeVar("T")


def environment(extra: Mapping[str, str] | None = None) -> Environment:
    """The environment of this process, with keys from `.env` here."""
    return Environment({**os.environ, **(extra or {})}, Path(".env"))


def prepared(
    config: RunConfig, surroundings: Environment, *, path: Path | None, fresh: bool
) -> tuple[Plan, RunDirectory, Callable[[str], AccountSpec]]:
    """Everything before the first call: (plan, directory, accounts).

    Raises:
        UsageError: anything that keeps the run from beginning.
    """
    from siuo_async.benchmarks.catalogue import check_name

    check_name(config.benchmark)
    ready_to_run(config)
    _known_limits(config)
    for reader in readers(config.reuse):  # a mistyped one must not cost the whole run again
        reader.close()
    participants = [*config.models, *([config.judge] if config.judge else [])]
    specs = {model.provider: account_spec(model.provider, config.providers, surroundings) for model in participants}
    plan = plans.from_config(config, specs, _known_pictures(config, path))
    directory = run_directory.locate(config.results, plan.name, plan.identity, explicit=config.name is not None, path=path, fresh=fresh)
    known = (directory.path / "run.json").exists()
    earlier = plans.from_directory(directory, samples=False) if known else None
    if earlier is not None and (changed := differences(plan, earlier)):
        fresh_calls = asyncio.run(estimate(plan, directory, specs.__getitem__))
        total = sum(model.generation_calls + model.judge_calls for model in fresh_calls)
        say(f"continuing {directory.path}: {'; '.join(changed)}; at most {total} new calls")
    if earlier is not None:
        plan = replace(plan, created_at=earlier.created_at)
    return plan, directory, specs.__getitem__


def _known_limits(config: RunConfig) -> None:
    """Raises ConfigError for a limit of a provider that takes no part: it would hold for nobody."""
    taking_part = {model.provider for model in (*config.models, *([config.judge] if config.judge else []))}
    for flag, limit in (("rpm", config.rpm), ("concurrency", config.concurrency)):
        for name in limit if isinstance(limit, dict) else ():
            if name not in taking_part:
                guess = difflib.get_close_matches(name, taking_part, 1)
                hint = f"did you mean '{guess[0]}'?" if guess else f"there are: {', '.join(sorted(taking_part))}"
                raise ConfigError(f"{flag} is set for '{name}', which is no provider of this run; {hint}")


def _known_pictures(config: RunConfig, path: Path | None) -> Mapping[str, Picture]:
    """Pictures as an earlier run of this name hashed them; a wrong guess costs only the hashing."""
    try:
        name = config.name or config.benchmark
        runs = [RunDirectory(path)] if path else [r for r, m in run_directory.all_runs(config.results) if m.get("name") == name]
        return run_directory.known_pictures(runs[0].read_samples()) if runs else {}
    except SiuoError:
        return {}


def remembered(path: Path, surroundings: Environment) -> tuple[Plan, RunDirectory, Callable[[str], AccountSpec]]:
    """A run as its directory remembers it, with accounts for its models.

    Raises:
        UsageError: no run there, or its providers are not what they were.
    """
    directory = RunDirectory(path)
    plan = plans.from_directory(directory)
    specs: dict[str, AccountSpec] = {}
    for participant in (*plan.models, *((plan.judge,) if plan.judge else ())):
        name = participant.config.provider
        spec = specs[name] = specs.get(name) or account_spec(name, plan.config.providers, surroundings)
        if spec.identity != participant.provider:
            raise ConfigError(
                f"{participant.label} was asked of {participant.provider}, but '{name}' is now {spec.identity}; "
                "set the base URL as it was, or type the full command to begin with the other server"
            )
    return plan, directory, specs.__getitem__


def execute(
    plan: Plan,
    directory: RunDirectory,
    spec_of: Callable[[str], AccountSpec],
    *,
    as_json: bool,
    generate: bool = True,
) -> int:
    """Runs a session and reports; the exit code."""
    finished = finished_at(directory)
    outcomes = in_loop(_session(plan, directory, spec_of, as_json=as_json, generate=generate))
    if outcomes.sent == 0 and outcomes.summary["complete"] and finished is not None:
        age = duration((datetime.now(UTC) - finished).total_seconds())
        with contextlib.suppress(OSError):  # the terminal may be gone; the run is on disk
            say(f"finished {age} ago, nothing sent ({directory.path}); --fresh measures again")
    with contextlib.suppress(OSError):
        show(outcomes, plan, directory, as_json=as_json)
    return outcomes.code


def in_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine on uvloop where it exists, with a garbage collector that does not look at what stays anyway."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    try:
        import uvloop
    except ImportError:
        return asyncio.run(coroutine)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(coroutine)


async def _session(
    plan: Plan,
    directory: RunDirectory,
    spec_of: Callable[[str], AccountSpec],
    *,
    as_json: bool,
    generate: bool,
) -> Outcomes:
    config = plan.config
    registry = Registry(
        spec_of,
        rpm=config.rpm,
        concurrency=config.concurrency,
        timeout_s=config.timeout,
        max_wait_s=config.max_wait,
        offline_wait_s=config.offline_wait,
    )
    try:
        session = Session(plan, directory, registry, generate=generate)
        simulated = " · SIMULATED" if plan.simulated else ""
        models = "1 model" if len(plan.models) == 1 else f"{len(plan.models)} models"
        heading = f"{plan.benchmark.name} · {models} · {directory.path}{simulated}"
        async with watching(session.state, console(to_stderr=True), heading=heading):
            return await session.run()
    finally:
        await registry.close()


def show(outcomes: Outcomes, plan: Plan, directory: RunDirectory, *, as_json: bool) -> None:
    """The report of a session."""
    if as_json:
        models = [{**model, "calls": outcomes.calls[model["label"]]} for model in outcomes.summary["models"]]
        total = {name: sum(calls[name] for calls in outcomes.calls.values()) for name in ("retried", "maybe_billed")}
        calls = {"sent": outcomes.sent, "reused": outcomes.reused, **total}
        print_json({**outcomes.summary, "run": str(directory.path), "calls": calls, "stops": outcomes.stops, "models": models})
    else:
        to_terminal(console(), outcomes.summary, plan.benchmark.metrics, warnings(outcomes.summary))
        say(f"\n{outcomes.sent} calls sent, {outcomes.reused} reused · {directory.path}", to_stderr=False)
    for stop in outcomes.stops:
        say(f"stopped early: {stop}")
    if outcomes.code == 1:
        say(f"a bug kept some samples from finishing; please report {directory.path / 'errors.log'}")


def newest_unfinished(results: Path) -> Path:
    """The newest run below `results` that is not complete.

    Raises:
        RunDirectoryError: there is none.
    """
    for run, _ in run_directory.all_runs(results):
        if finished_at(run) is None:
            return run.path
    raise RunDirectoryError(f"no unfinished run below {results}; `siuo ls` lists the runs")


def find_run(text: str, results: Path) -> Path:
    """The run that `text` names: a path, or the name of a directory below `results`.

    Raises:
        RunDirectoryError: there is no such run.
    """
    for path in (Path(text), results / text):
        if (path / "run.json").exists():
            return path
    raise RunDirectoryError(
        f"there is no run {text} (looked for {text}/run.json and {results / text}/run.json); `siuo ls` lists the runs"
    )
