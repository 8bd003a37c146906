"""What `run`, `demo`, `resume` and `judge` share: a plan, a directory, a session on a screen, a report."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from siuo_async.benchmarks.base import SampleBug
from siuo_async.benchmarks.catalogue import name_of
from siuo_async.benchmarks.data.datasets import counted
from siuo_async.cli.ceilings import NAMES, Typed, given_now, must_take_part, registry_of
from siuo_async.cli.output import console, print_json, say
from siuo_async.cli.settings import ready_to_run
from siuo_async.cli.view import OnScreen, View
from siuo_async.client.accounts import IMPORTED, AccountSpec, Environment, account_spec
from siuo_async.client.registry import Registry
from siuo_async.config import RunConfig, key_in_settings, make
from siuo_async.engine import plan as plans
from siuo_async.engine import run_directory
from siuo_async.engine.budget import Budget
from siuo_async.engine.estimate import differences, estimate
from siuo_async.engine.paying import Earlier, budget_for, earlier, must_have_prices
from siuo_async.engine.plan import Participant, Plan, prices_given, prices_kept
from siuo_async.engine.replay import readers
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.engine.session import Outcomes, Session, finished_at
from siuo_async.engine.spending import PICO
from siuo_async.engine.summary import INCOMPLETE_VERDICTS, PENDING, warnings
from siuo_async.errors import ConfigError, RunDirectoryError, SiuoError
from siuo_async.keys import NONE, Secrets, place_of
from siuo_async.network import is_near
from siuo_async.report.render import to_terminal
from siuo_async.report.text import duration, money, one_line
from siuo_async.search.base import Searcher
from siuo_async.search.opening import open_searcher
from siuo_async.ui.money_line import at_the_end
from siuo_async.values import EMPTY, Json, Picture

if TYPE_CHECKING:  # it brings the statistics along
    from siuo_async.report.dossier import Dossier

T = TypeVar("T")
_WORST_FIRST = (1, 2, 3, 4)
SHOWN_ODDITIES = 3


def environment(extra: Mapping[str, str] | None = None, *, sends: bool = True) -> Environment:
    """The environment of this process, with keys from `.env` here; without `sends` none is needed."""
    return Environment({**os.environ, **(extra or {})}, Path(".env"), sends=sends)


@dataclass(frozen=True, slots=True)
class Job:
    """A run, ready to go on."""

    plan: Plan
    directory: RunDirectory
    spec_of: Callable[[str], AccountSpec]
    """A provider's account, by name."""
    searcher: Searcher | None = None


@dataclass(frozen=True, slots=True)
class _Planned:
    """A run whose directory is not chosen yet."""

    config: RunConfig
    plan: Plan
    spec_of: Callable[[str], AccountSpec]
    searcher: Searcher | None

    def place(self, path: Path | None, *, fresh: bool) -> RunDirectory:
        """The directory of the run: the newest there is, or a new one."""
        plan, config = self.plan, self.config
        return run_directory.locate(config.results, plan.name, plan.identity, explicit=config.name is not None, path=path, fresh=fresh)


def prepared(configs: Sequence[RunConfig], surroundings: Environment, *, path: Path | None, fresh: bool) -> list[Job]:
    """Everything before the first call.

    Args:
        configs: one for each run of this command.
        path: the directory that the user named, for a single run.
        fresh: measure again. Typed once more after a stop, such a command goes on with what it began.

    Raises:
        UsageError: anything that keeps the runs from beginning.
    """
    _known_limits(configs)
    planned = [_planned(config, surroundings, path) for config in configs]
    afresh = fresh and not any(_begun_afresh(each, path) for each in planned)
    return [_placed(each, path, fresh=afresh, marked=fresh) for each in planned]


def _begun_afresh(planned: _Planned, path: Path | None) -> bool:
    """Whether the newest run of the same was begun by a command to measure again, and was stopped."""
    try:
        found = planned.place(path, fresh=False)
        return bool(found.manifest().get("fresh")) and finished_at(found) is None
    except RunDirectoryError:
        return False  # nothing there, or something else


def must_hold_no_key(config: RunConfig, surroundings: Environment) -> None:
    """Raises ConfigError where a setting holds a key of this environment: settings are stored."""
    if surroundings.secrets.keys and (where := place_of(config.model_dump(exclude_none=True), surroundings.secrets.told_in)):
        raise key_in_settings("the settings", where)


def _planned(config: RunConfig, surroundings: Environment, path: Path | None) -> _Planned:
    ready_to_run(config)
    must_hold_no_key(config, surroundings)
    for reader in readers(config.reuse):  # a mistyped one must not cost the whole run again
        reader.close()
    participants = [*config.models, *config.judges()]
    specs = {model.provider: account_spec(model.provider, config.providers, surroundings) for model in participants}
    searcher = _searcher(config, surroundings)
    plan = plans.from_config(config, specs, _known_pictures(config, path), searcher.identity if searcher else "")
    return _Planned(config, plan, specs.__getitem__, searcher)


def _placed(planned: _Planned, path: Path | None, *, fresh: bool, marked: bool) -> Job:
    config, plan, spec_of = planned.config, planned.plan, planned.spec_of
    directory = planned.place(path, fresh=fresh)
    known = (directory.path / "run.json").exists()
    earlier = plans.from_directory(directory, samples=False, benchmark=config.benchmark) if known else None
    if earlier is not None and earlier.imported:
        raise ConfigError(f"{directory.path} holds imported answers, which no run continues; choose another --name, or --fresh")
    if earlier is not None and (changed := differences(plan, earlier)):
        fresh_calls = asyncio.run(estimate(plan, directory, spec_of))
        total = sum(model.generation_calls + model.judge_calls for model in fresh_calls)
        say(f"continuing {directory.path}: {'; '.join(changed)}; at most {total} new calls")
    _tell_oddities(plan)
    if earlier is not None:
        prices = prices_kept(plan.prices or {}, earlier.prices or {}, prices_given(plan))
        plan = replace(plan, created_at=earlier.created_at, prices=prices)
    plan = replace(plan, fresh=earlier.fresh if earlier else marked)
    return Job(plan, directory, spec_of, planned.searcher)


def _tell_oddities(plan: Plan) -> None:
    """What the data hold that is left out or odd: the first of each, since there may be thousands."""
    for what, sentences in (("left out", plan.skipped), ("note", plan.notes)):
        for sentence in sentences[:SHOWN_ODDITIES]:
            say(f"{what}: {one_line(sentence, 400)}")
        if len(sentences) > SHOWN_ODDITIES:
            say(f"{what}: {len(sentences) - SHOWN_ODDITIES} more; all stand in run.json")


def _searcher(config: RunConfig, surroundings: Environment) -> Searcher | None:
    """What searches in this run, or None.

    Raises:
        ConfigError: it cannot be used as configured.
    """
    if (config.search or "none") == "none":
        return None
    found = open_searcher(
        config.search_url,
        config.search_corpus,
        config.search_function,
        environment=surroundings,
        key_env=config.search_key_env,
        key_header=config.search_key_header,
        limit_chars=config.search_chars,
        top_k=config.search_results,
        timeout_s=config.search_timeout,
        at_once=config.search_at_once,
        rpm=config.search_rpm,
        identity=config.search_identity,
    )
    url = (config.search_url or "").strip()  # by now one that can be used
    if config.search_key_env and url.startswith("http://") and not is_near(urlsplit(url).hostname or ""):
        say(f"note: {config.search_key_env} is sent to the search engine readable by anybody on the way; write https:// if it can")
    return found


def _known_limits(configs: Sequence[RunConfig]) -> None:
    """Raises ConfigError for a limit of a provider that takes no part in any run."""
    taking_part = {m.provider for config in configs for m in (*config.models, *config.judges())}
    for flag in NAMES:
        must_take_part(flag, getattr(configs[0], flag), taking_part)


def _known_pictures(config: RunConfig, path: Path | None) -> Mapping[str, Picture]:
    """Pictures as an earlier run of this name hashed them; a wrong guess costs only the hashing."""
    try:
        name = config.name or name_of(config.benchmark)
        runs = [RunDirectory(path)] if path else [r for r, m in run_directory.all_runs(config.results) if m.get("name") == name]
        if not runs:
            return {}
        return run_directory.known_pictures(runs[0].read_samples(runs[0].manifest()["identity"].get("dataset", "")))
    except SiuoError:
        return {}


def remembered(path: Path, surroundings: Environment) -> Job:
    """A run as its directory remembers it, with accounts for its models.

    Raises:
        UsageError: no run there, or its providers are not what they were.
    """
    directory = RunDirectory(path)
    plan = plans.from_directory(directory)
    specs: dict[str, AccountSpec] = {}
    asked = [each for each in plan.participants if each.provider != IMPORTED]
    if not asked:
        raise ConfigError(f"{path} holds only what was imported, so there is nothing to continue; `siuo judge` pays for verdicts on it")
    for participant in asked:
        name = participant.config.provider
        spec = specs[name] = specs.get(name) or account_spec(name, plan.config.providers, surroundings)
        if spec.identity != participant.provider:
            raise ConfigError(
                f"{participant.label} was asked of {participant.provider}, but '{name}' is now {spec.identity}; "
                "set the base URL as it was, or type the full command to begin with the other server"
            )
    searcher = _searcher(plan.config, surroundings)
    if searcher and plan.search and searcher.identity != plan.search.source:
        raise ConfigError(
            f"this run searched {plan.search.source}, but what its settings name is now {searcher.identity}; put it back as it was, "
            "or type the full command to begin another run"
        )
    return Job(plans.with_prices(plan, specs), directory, specs.__getitem__, searcher)


def with_budget(job: Job, budget: float | None) -> Job:
    """The job with another budget, which the run remembers; None leaves it what it has.

    Raises:
        ConfigError: it is no sum of money.
    """
    if budget is None:
        return job
    checked = make({"benchmark": job.plan.config.benchmark, "budget": budget}).budget
    return replace(job, plan=replace(job.plan, config=job.plan.config.model_copy(update={"budget": checked})))


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


def newest_unfinished(results: Path) -> Path:
    """The newest run below `results` that is not complete.

    Raises:
        RunDirectoryError: there is none, or it is somebody else's.
    """
    for run, manifest in run_directory.all_runs(results):
        asked = (*manifest["models"], *([manifest["judge"]] if manifest.get("judge") else []), *manifest.get("other_judges", ()))
        if finished_at(run) is None and any(participant["provider"] != IMPORTED for participant in asked):
            if run.path.stat().st_uid != os.geteuid():  # its files say where keys go, and which code runs
                raise RunDirectoryError(
                    f"the newest unfinished run, {run.path}, belongs to another user, and to continue it is to do what its files say; "
                    f"`siuo resume {run.path}` does so all the same"
                )
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
