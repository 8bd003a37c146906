"""`siuo run --like RUN`: another run that asks the same in the same way, or one sentence that says what cannot be kept.

Everything that decides what is measured is copied from `run.json`; what only decides where a run is kept and how fast it goes is the
command's own. What was found out rather than told (the data, the wording of prompts, where a judge is) is compared once more when the
new run is planned, since a setting that is the same may mean something else by now.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from siuo_async.cli.finding import find_run
from siuo_async.cli.output import say
from siuo_async.cli.preparing import Job
from siuo_async.cli.settings import merged
from siuo_async.client.accounts import IMPORTED
from siuo_async.config import ModelConfig, RunConfig, make
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.errors import ConfigError
from siuo_async.report.text import one_line
from siuo_async.values import Json

_OWN = frozenset(
    {
        *("models", "name", "results", "data", "images", "rpm", "tpm", "concurrency", "timeout", "max_wait", "grace", "offline_wait"),
        *("retry_failed", "accept_served", "reuse", "fsync", "providers", "prices", "budget"),
        *("search_key_env", "search_key_header", "search_timeout", "search_at_once", "search_rpm"),
    }
)
"""Settings that the new run may choose: who is asked, where things are, how fast it goes, what it may cost."""
_MOST_NAME = 60
_WORDS = {"dataset": "data", "prompts": "prompts", "parameters": "parameters", "settings": "settings"}


def configs_like(run: str, file: Path | None, flags: Mapping[str, Any]) -> list[RunConfig]:
    """The configuration of a run like `run`, as a list of one.

    Args:
        run: a run's directory, or its name below the folder of runs.
        file: what `-c` names, for providers, prices and the like.
        flags: as `merged` takes them.

    Raises:
        ConfigError: the run cannot be copied, or a setting contradicts it; the message names both.
    """
    manifest = RunDirectory(path := find_run(run, Path(flags.get("results") or "results"))).manifest()
    if any(model["provider"] == IMPORTED for model in manifest["models"]) and not flags.get("models"):
        raise ConfigError(f"--like {run}: its answers were imported, so there is no model to ask again; name one with -m")
    before = make(_settings(manifest), source=str(path / "run.json"))
    given = merged(file, {**flags, "benchmark": flags.get("benchmark") or [before.benchmark]})
    if len(given) > 1:
        raise ConfigError(f"--like {run}: it is a run of {before.benchmark}, so no other benchmark can be named beside it")
    now = given[0]
    for name in sorted(now.model_fields_set - _OWN):
        there, here = getattr(before, name), getattr(now, name)
        if there != here:
            flag = name.replace("_", "-")
            out = "the benchmark" if name == "benchmark" else f"--{flag}"
            raise ConfigError(f"--like {run}: {flag} is {_shown(there)} there and {_shown(here)} here; leave {out} or --like out")
    _tell_what_stays(manifest, now)
    chosen = now.model_dump(mode="json", include=set(now.model_fields_set & _OWN), exclude_defaults=True)
    settings = {**_settings(manifest), **chosen}
    if "models" in chosen and "name" not in chosen:
        settings["name"] = _name_beside(manifest["name"], now.models)
    return [make(settings, source=f"--like {run}")]


def _tell_what_stays(manifest: Mapping[str, Any], now: RunConfig) -> None:
    """Says where a model of the run had settings of its own, which other models do not take over."""
    if "models" not in now.model_fields_set:
        return
    named = {model.model for model in now.models}
    for model in manifest["models"]:
        config = ModelConfig.model_validate(model["config"])
        own = {name: value for name, value in config.settings().items() if name != "revision"}
        if own and config.model not in named:
            told = ", ".join(f"{name} {_shown(value)}" for name, value in own.items())
            say(f"note: {model['label']} alone had {told}, which the models named now do not have")


def _settings(manifest: Mapping[str, Any]) -> dict[str, Json]:
    """What the run was told, and what it found out for itself and would find out anew."""
    told = {**manifest["config"], "models": [model["config"] for model in manifest["models"]]}
    told |= {"judge": manifest["judge"]["config"]} if manifest.get("judge") else {}
    for name in ("results", "budget", "retry_failed", "accept_served"):
        told.pop(name, None)
    own, _, _ = str(manifest["identity"].get("prompts", "")).partition("-")
    if own in ("own", "released"):
        told.setdefault("prompts", own)
    return told


def _name_beside(name: str, models: Sequence[ModelConfig]) -> str:
    """A name of its own: under the old one other models would take the place of those that stand there."""
    label = models[0].label or models[0].name
    return f"{name}-{re.sub(r'[^A-Za-z0-9._-]+', '-', label).strip('-')}"[:_MOST_NAME]


def must_be_alike(run: str, results: Path, job: Job) -> None:
    """Raises ConfigError where the new run would measure something else all the same."""
    path = find_run(run, results)
    manifest = RunDirectory(path).manifest()
    before, now = manifest["identity"], job.plan.identity
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            raise ConfigError(f"--like {run}: {_cannot(name, before.get(name), now.get(name), manifest)}")
    judges = [*([manifest["judge"]] if manifest.get("judge") else []), *manifest.get("other_judges", ())]
    for judge, (_, named) in zip(judges, job.plan.judges, strict=False):
        if judge["provider"] != named.provider:
            raise ConfigError(
                f"--like {run}: its judge {judge['label']} was asked of {judge['provider']}, but '{named.config.provider}' is now "
                f"{named.provider}; set the base URL as it was"
            )


def _cannot(name: str, before: Json, now: Json, manifest: Mapping[str, Any]) -> str:
    if name == "dataset":
        file = manifest["dataset"].get("file", "")
        return f"its samples were others ({before}, now {now}); put {file} back as it was, or name what is like it with --data"
    if name == "prompts":
        return f"its prompts were {before}, and here are {now}; import those that it had, or use the siuo that asked them"
    return f"{_WORDS.get(name, name)} were {_shown(before)} there and would be {_shown(now)} here; use the siuo that ran it"


def _shown(value: Any) -> str:
    """A setting in few words."""
    if isinstance(value, ModelConfig):
        return value.model + (f"@{value.revision}" if value.revision else "")
    return "not set" if value is None or value == () or value == {} else one_line(str(value), 120)
