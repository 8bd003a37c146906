"""From what was typed, or what a run remembers, to a job: a plan, its directory, the accounts of all who are asked."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from siuo_async.benchmarks.catalogue import name_of
from siuo_async.cli.ceilings import NAMES, must_take_part
from siuo_async.cli.output import say
from siuo_async.cli.settings import ready_to_run
from siuo_async.client.accounts import IMPORTED, AccountSpec, Environment, account_spec
from siuo_async.config import RunConfig, key_in_settings, make
from siuo_async.engine import plan as plans
from siuo_async.engine import run_directory
from siuo_async.engine.estimate import differences, estimate
from siuo_async.engine.plan import Plan, prices_given, prices_kept
from siuo_async.engine.replay import readers
from siuo_async.engine.run_directory import RunDirectory, finished_at
from siuo_async.errors import ConfigError, RunDirectoryError, SiuoError
from siuo_async.keys import place_of
from siuo_async.network import is_near
from siuo_async.report.text import one_line
from siuo_async.search.base import Searcher
from siuo_async.search.opening import open_searcher
from siuo_async.values import Picture

if TYPE_CHECKING:  # it brings the statistics along
    pass

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
