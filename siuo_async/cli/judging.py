"""What `siuo judge` is told, as a plan: the run's own, with other judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from siuo_async.benchmarks.catalogue import Setup, build
from siuo_async.cli.preparing import Job, must_hold_no_key
from siuo_async.client.accounts import IMPORTED, Environment, account_spec
from siuo_async.config import RunConfig, load_file, make, parse_model
from siuo_async.engine import plan as plans
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.errors import ConfigError
from siuo_async.judges_named import excluded_by, giving_way


def judged_again(path: Path, judges: Mapping[str, Any], config_file: Path | None, surroundings: Environment) -> Job:
    """What is needed for paying for verdicts alone.

    Args:
        judges: settings that name judges; what is not named stays as it was.

    Raises:
        UsageError: no run there, or nothing in it to judge, or a judge cannot be used.
    """
    directory = RunDirectory(path)
    before = plans.from_directory(directory)
    if not before.benchmark.needs_judge:
        raise ConfigError(f"nobody judges the answers of {before.benchmark.name}; `siuo score {path}` gives the scores they have")
    if not any(judges.values()):
        raise ConfigError("name who judges: --judge PROVIDER/MODEL, or --panel, --stand-in-judge, --check-judge, --test-retest")
    config = _with_judges(before.config, judges, config_file)
    must_hold_no_key(config, surroundings)
    names = {judge.provider for judge in config.judges() if judge.provider != IMPORTED}
    specs = {name: account_spec(name, config.providers, surroundings) for name in names}
    plan = replace(
        before,
        config=config,
        benchmark=build(Setup(config, before.prompts_folder, before.search.source if before.search else "")),
        **plans.judges_of(config, specs),
    )
    prices = plans.prices_kept(plans.prices_of(plan, specs), before.prices or {}, plans.prices_given(plan))
    return Job(replace(plan, prices=prices), directory, specs.__getitem__)


def _with_judges(config: RunConfig, judges: Mapping[str, Any], config_file: Path | None) -> RunConfig:
    file = load_file(config_file) if config_file else {}
    settings = config.model_dump(mode="json", exclude_defaults=True)
    given = {name: value for name, value in judges.items() if value}
    for name in excluded_by(given):
        settings.pop(name, None)
    if "check_judge" in given:
        settings.pop("check_share", None)  # of the one that was there
    if "judge" in given:
        given["judge"] = parse_model(given["judge"])
    for name in giving_way(settings, given):
        settings.pop(name, None)
    for name in ("providers", "prices"):
        if (more := file.get(name)) is not None:
            settings[name] = {**settings.get(name, {}), **more} if isinstance(more, dict) else more
    return make(settings | given, source=str(config_file) if config_file else "the command line")
