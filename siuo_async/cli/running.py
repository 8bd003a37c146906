"""What `run`, `demo`, `resume` and `judge` share: jobs become sessions, looked at while they go on, and reports."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from siuo_async.benchmarks.base import SampleBug
from siuo_async.benchmarks.data.datasets import counted
from siuo_async.cli.ceilings import Typed, given_now, registry_of
from siuo_async.cli.output import console, print_json, say
from siuo_async.cli.preparing import Job
from siuo_async.cli.view import OnScreen, View
from siuo_async.client.accounts import IMPORTED
from siuo_async.client.registry import Registry
from siuo_async.config import RunConfig
from siuo_async.engine.budget import Budget
from siuo_async.engine.paying import Earlier, budget_for, earlier, must_have_prices
from siuo_async.engine.plan import Participant
from siuo_async.engine.run_directory import RunDirectory, finished_at
from siuo_async.engine.session import Outcomes, Session
from siuo_async.engine.spending import PICO
from siuo_async.engine.summary import INCOMPLETE_VERDICTS, PENDING, warnings
from siuo_async.errors import SiuoError
from siuo_async.keys import NONE, Secrets
from siuo_async.report.render import to_terminal
from siuo_async.report.text import duration, money, one_line
from siuo_async.ui.money_line import at_the_end
from siuo_async.values import EMPTY, Json

if TYPE_CHECKING:  # it brings the statistics along
    from siuo_async.report.dossier import Dossier

T = TypeVar("T")
_WORST_FIRST = (1, 2, 3, 4)


def execute(jobs: Sequence[Job], *, as_json: bool, generate: bool = True, typed: Typed = EMPTY) -> int:
    """Runs a session of each run, one after another over the same connections and limits, and reports; the worst exit code.

    Args:
        generate: False when only verdicts are paid for.
        typed: ceilings for this invocation, over those that the runs remember.

    Raises:
        ConfigError: such a ceiling cannot be used.
    """
    asked = _asked(jobs, generate=generate)
    config = given_now(jobs[0].plan.config, typed, {participant.config.provider for participant in asked})
    found = in_loop(_sessions(jobs, config, asked, OnScreen(as_json=as_json), as_json=as_json, generate=generate))
    if as_json:
        with contextlib.suppress(OSError):
            print_json([summary for _, summary in found] if len(jobs) > 1 else found[0][1])
    return next((code for code in _WORST_FIRST if code in {code for code, _ in found}), 0)


def in_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine on uvloop where it exists, with a garbage collector that does not look at what stays anyway."""
    try:
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        try:
            import uvloop
        except ImportError:
            return asyncio.run(coroutine)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(coroutine)
    finally:
        coroutine.close()  # where Ctrl-C came before it began, lest Python complains that nobody waited for it


def _asked(jobs: Sequence[Job], *, generate: bool) -> list[Participant]:
    """Whom these jobs send calls to."""
    judges = [judge for job in jobs for _, judge in job.plan.judges]
    models = [model for job in jobs for model in job.plan.models] if generate else []
    return [participant for participant in (*models, *judges) if participant.provider != IMPORTED]


async def executed(jobs: Sequence[Job], view: View) -> None:
    """The same inside an event loop, with whatever is shown left to `view`."""
    await _sessions(jobs, jobs[0].plan.config, _asked(jobs, generate=True), view, as_json=True, generate=True)


async def _sessions(
    jobs: Sequence[Job], config: RunConfig, asked: Sequence[Participant], view: View, *, as_json: bool, generate: bool
) -> list[tuple[int, dict[str, Json]]]:
    """(exit code, summary) of each run that was begun.

    Raises:
        ConfigError: there is a budget, and somebody who is asked has no price.
    """
    for job in jobs:
        if job.plan.config.budget is not None:
            must_have_prices(job.plan, generate=generate)
    specs = {name: job.spec_of for job in jobs for name in job.plan.providers()}
    providers = {participant.config.provider for participant in asked}
    models = {(participant.config.provider, participant.config.name) for participant in asked}
    for name in sorted(providers):
        for notice in specs[name](name).notices():
            say(f"note: {notice}")
    registry = registry_of(config, lambda name: specs[name](name), providers, len(models), say)
    found: list[tuple[int, dict[str, Json]]] = []
    shared = _money_of(jobs)
    if len(jobs) > 1:  # what is begun is there to be continued, whichever of them a stop comes in
        for job in jobs:
            if not (job.directory.path / "run.json").exists():
                job.directory.make()
                job.directory.begin(job.plan.all_samples, job.plan.manifest())
    try:
        for number, job in enumerate(jobs):
            if number and not as_json:
                say("", to_stderr=False)
            try:
                outcomes = await _session(job, registry, view, generate=generate, money=shared.get(number))
            except SiuoError as error:
                if len(jobs) == 1:
                    raise
                told = _secrets_of(job).out_of(str(error))
                say(f"{job.plan.benchmark.name}: {told}")
                found.append((error.exit_code, {"benchmark": job.plan.benchmark.name, "error": told}))
                continue
            await view.ended(outcomes, job)
            found.append((outcomes.code, as_printed(outcomes, job.directory)))
            if outcomes.halted and (left := [each.plan.benchmark.name for each in jobs[number + 1 :]]):
                say(f"not begun: {', '.join(left)}; run the same command again to continue")
                break
    finally:
        await registry.close()
    return found


def _money_of(jobs: Sequence[Job]) -> dict[int, tuple[Budget, Earlier]]:
    """The one budget of all runs of the command, and what each of them cost before; nothing where money is not limited."""
    limit = jobs[0].plan.config.budget
    if limit is None:
        return {}
    before = [earlier(job.plan, job.directory) for job in jobs]
    if unpriced := sum(each.unpriced for each in before):
        say(f"note: nobody knows what {counted(unpriced, 'finished call')} cost, so the budget does not hold them")
    budget = budget_for(limit, before)
    if budget.kept_pico:
        say(f"note: up to {money(budget.kept_pico / PICO)} may have been billed for calls that gave no result, and counts as spent")
    return {number: (budget, each) for number, each in enumerate(before)}


async def _session(job: Job, registry: Registry, view: View, *, generate: bool, money: tuple[Budget, Earlier] | None) -> Outcomes:
    plan, directory = job.plan, job.directory
    finished = finished_at(directory)
    session = Session(plan, directory, registry, generate=generate, searcher=job.searcher, money=money)
    simulated = " · SIMULATED" if plan.simulated else ""
    models = "1 model" if len(plan.models) == 1 else f"{len(plan.models)} models"
    heading = f"{plan.benchmark.name} · {models} · {directory.path}{simulated}"
    try:
        async with view.watching(session, heading):
            outcomes = await session.run()
    finally:
        if job.searcher:
            await job.searcher.close()
    if outcomes.sent == 0 and outcomes.summary["complete"] and finished is not None:
        age = duration((datetime.now(UTC) - finished).total_seconds())
        with contextlib.suppress(OSError):
            say(f"finished {age} ago, nothing sent ({directory.path}); --fresh measures again")
    return outcomes


def as_printed(outcomes: Outcomes, directory: RunDirectory) -> dict[str, Json]:
    """The summary with what this invocation did, as `--json` prints it."""
    models = [{**model, "calls": outcomes.calls[model["label"]]} for model in outcomes.summary["models"]]
    total = {name: sum(calls[name] for calls in outcomes.calls.values()) for name in ("retried", "maybe_billed")}
    calls = {"sent": outcomes.sent, "reused": outcomes.reused, **total}
    return {
        **outcomes.summary,
        "run": str(directory.path),
        "calls": calls,
        "stops": outcomes.stops,
        "spent": outcomes.spent.as_json(),
        "models": models,
    }


def _secrets_of(job: Job) -> Secrets:
    """What must not get out of what code of the user's says."""
    found = NONE
    for participant in job.plan.participants:
        if participant.provider != IMPORTED:
            found = found | job.spec_of(participant.config.provider).secrets
    return found


MOST_COMPARED = 10_000
"""Samples times models that the end of a run compares; of more `siuo report` does, which may take its time and memory."""


async def worked_out(outcomes: Outcomes, job: Job) -> Dossier | None:
    """Models and judges compared at the end of a run; None where there is nothing to compare, or that is left to `siuo report`."""
    from siuo_async.analysis.gathered import gathered  # with the statistics, which a run that is continued has no use for
    from siuo_async.report.dossier import dossier

    lives = sum(model["samples"]["total"] for model in outcomes.summary["models"])
    several = len(job.plan.models) > 1 or len(outcomes.summary["judges"]) > 1
    if outcomes.code not in (0, INCOMPLETE_VERDICTS) or not outcomes.summary["scored"] or not several:
        return None
    if lives > MOST_COMPARED:
        say(f"`siuo report {job.directory.path}` compares models and judges")
        return None
    try:
        return dossier(await gathered(job.plan, job.directory))
    except SiuoError as error:  # the figures stand in the summary all the same
        say(f"models and judges could not be compared: {_secrets_of(job).out_of(str(error))}")
        return None


def show(outcomes: Outcomes, job: Job, *, as_json: bool, found: Dossier | None = None) -> None:
    """The report of a session, save what `--json` prints."""
    if not as_json:
        cautions, agreed = (found.warnings, found.agreements) if found else (warnings(outcomes.summary), ())
        comparison = found.comparison if found else None
        to_terminal(console(), outcomes.summary, job.plan.benchmark.metrics, cautions, comparison=comparison, agreements=agreed)
        say("", to_stderr=False)
        say(
            f"{outcomes.sent} calls sent, {outcomes.reused} reused · {at_the_end(outcomes.spent)} · {job.directory.path}",
            to_stderr=False,
        )
    for stop in outcomes.stops:
        say(f"stopped early: {stop}")
    path = job.directory.path
    if isinstance(outcomes.bug, SampleBug):  # the user's own
        slip = one_line(_secrets_of(job).out_of(str(outcomes.bug)), 600)
        say(f"{slip}; mend it and run again with --reuse {path} (others, if any, stand in {path / 'errors.log'})")
    elif outcomes.code == 1:
        say(f"a bug kept some samples from finishing; please report {path / 'errors.log'}")
    elif outcomes.code == PENDING and not outcomes.stops and not job.plan.scored:
        waiting = sum(model["samples"]["pending"] for model in outcomes.summary["models"])
        say(f"{counted(waiting, 'sample')} cannot go on without a judge; `siuo judge {path} --judge PROVIDER/MODEL` names one")
