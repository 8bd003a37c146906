"""What `siuo judge` is told, as a plan: the run's own, with another judge."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from siuo_async.benchmarks.catalogue import Setup, build
from siuo_async.cli.running import Job, must_hold_no_key
from siuo_async.client.accounts import Environment, account_spec
from siuo_async.config import RunConfig, load_file, make, parse_model
from siuo_async.engine import plan as plans
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.engine.spending import price_for
from siuo_async.errors import ConfigError


def judged_again(path: Path, judge: str, config_file: Path | None, surroundings: Environment) -> Job:
    """What is needed for paying for verdicts alone.

    Raises:
        UsageError: no run there, or nothing in it to judge, or the judge cannot be used.
    """
    directory = RunDirectory(path)
    before = plans.from_directory(directory)
    if not before.benchmark.needs_judge:
        raise ConfigError(f"nobody judges the answers of {before.benchmark.name}; `siuo score {path}` gives the scores they have")
    config = _with_judge(before.config, judge, config_file)
    assert config.judge is not None
    must_hold_no_key(config, surroundings)
    spec = account_spec(config.judge.provider, config.providers, surroundings)
    named = plans.Participant(config.judge.label or config.judge.name, spec.identity, config.judge)
    price = price_for(named, config, spec)
    prices = plans.prices_kept({named.priced_as: price} if price else {}, before.prices or {})
    plan = replace(
        before,
        config=config,
        judge=named,
        benchmark=build(Setup(config, before.prompts_folder, before.search.source if before.search else "")),
        prices=prices,
    )
    return Job(plan, directory, lambda _: spec)


def _with_judge(config: RunConfig, judge: str, config_file: Path | None) -> RunConfig:
    file = load_file(config_file) if config_file else {}
    settings = config.model_dump(mode="json", exclude_defaults=True)
    settings.pop("no_judge", None)
    for name in ("providers", "prices"):
        if (more := file.get(name)) is not None:
            settings[name] = {**settings.get(name, {}), **more} if isinstance(more, dict) else more
    return make({**settings, "judge": parse_model(judge)}, source=str(config_file) if config_file else "the command line")
