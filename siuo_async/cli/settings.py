"""From flags and a file to settings: a flag wins over the file."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from siuo_async.benchmarks.catalogue import entry_of, is_file, name_of
from siuo_async.config import RunConfig, load_file, make, parse_model
from siuo_async.errors import ConfigError
from siuo_async.judges_named import JUDGES, excluded_by
from siuo_async.values import Json


def merged(file: Path | None, flags: Mapping[str, Any]) -> list[RunConfig]:
    """The configurations of an invocation: one run for each benchmark that it names.

    Raises:
        ConfigError: names the field and the fix.
    """
    settings: dict[str, Json] = load_file(file) if file else {}
    others = [_absolute(name, file.parent) for name in _listed(settings.get("benchmark"))] if file else []
    given = {name: value for name, value in flags.items() if not (value is None or value is False or value in ([], {}))}
    if given.get("judge"):
        given["judge"] = parse_model(given["judge"])
    for name in excluded_by(given):
        settings.pop(name, None)
    if "params" in given:
        before = settings.get("params")
        given["params"] = {**(before if isinstance(before, dict) else {}), **given["params"]}
    settings |= given
    if file:
        named = [name for name in ("data", "images", "reuse", "search_corpus") if name in settings and name not in given]
        settings |= {name: _beside(file, settings[name]) for name in named}
    settings.setdefault("benchmark", "")
    if not settings["benchmark"]:
        raise ConfigError(
            "name a benchmark, as in `siuo run siuo-gen -m PROVIDER/MODEL --judge PROVIDER/MODEL`; `siuo data list` lists them"
        )
    named = settings["benchmark"]
    place = file.parent if file and "benchmark" not in given else Path()
    names = [_absolute(name, place) for name in _listed(named)]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"{twice} is named twice; name each benchmark once")
    source = str(file) if file else "the command line"
    if not all(isinstance(each, str) for each in names):
        return [make({**settings, "benchmark": name}, source=source) for name in names]  # its field will say so
    typed, written = _options_of(names), _options_of([*names, *(each for each in others if isinstance(each, str))])
    for_others = {key for key in settings if key in (typed if key in given else written)}
    return [make(_settings_of(name, names, settings, for_others), source=source) for name in names]


def _listed(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _options_of(names: Iterable[str]) -> frozenset[str]:
    """Whatever one of these benchmarks takes and not every benchmark does."""
    return frozenset[str]().union(*(entry_of(name).options for name in names))


def _settings_of(name: str, names: Sequence[str], settings: Mapping[str, Json], for_others: Collection[str]) -> dict[str, Json]:
    """The settings of one benchmark: what only others that the command, or its file, names can take is not for it."""
    own = {**settings, "benchmark": name}
    entry = entry_of(name)
    if not entry.judged:
        for each in ("no_judge", *JUDGES):
            own.pop(each, None)
    own = {key: value for key, value in own.items() if key not in for_others or key in entry.options}
    if len(names) > 1 and isinstance(own.get("name"), str):
        own["name"] = f"{own['name']}-{name_of(name)}"
    return own


def _absolute(name: Json, place: Path) -> Json:
    """A custom benchmark's file, meant from `place`, by its whole path, so that its runs find it from anywhere."""
    return os.path.abspath(place / Path(name).expanduser()) if isinstance(name, str) and is_file(name) else name


def _beside(file: Path, value: Json) -> Json:
    """A path in a configuration file is meant from where the file is."""
    if isinstance(value, list):
        return [_beside(file, one) for one in value]
    return str(file.parent / Path(value).expanduser()) if isinstance(value, str) else value


def ready_to_run(config: RunConfig) -> None:
    """Raises ConfigError where something is missing that a run cannot do without."""
    if not config.models:
        raise ConfigError(
            "no model is named; add -m PROVIDER/MODEL (`siuo providers` lists providers), or try `siuo demo`, which needs no key"
        )
    if config.judge is None and not config.panel and not config.no_judge and entry_of(config.benchmark).judged:
        raise ConfigError(
            f"{name_of(config.benchmark)} needs a judge: add --judge PROVIDER/MODEL (or --panel A,B,C), "
            "or --no-judge and judge later with `siuo judge RUN`"
        )


def members(panel: str | None) -> list[str] | None:
    """The judges of `--panel A,B,C`."""
    return None if panel is None else [name.strip() for name in panel.split(",") if name.strip()] or [panel]


def per_provider(values: Iterable[str], flag: str) -> dict[str, float] | float | None:
    """`N` for all providers or `PROVIDER=N` for one, as many times as wanted.

    Raises:
        ConfigError: not a number above zero.
    """
    by_name: dict[str, float] = {}
    for text in values:
        name, _, number = text.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            value = 0.0
        if not value > 0 or value == float("inf"):
            raise ConfigError(f"{flag} '{text}' is no number above zero; write {flag} 60 or {flag} openai=60")
        by_name[name] = value
    if set(by_name) == {""}:
        return by_name[""]
    if "" in by_name:
        raise ConfigError(f"{flag} is given both for all providers and for one; name a provider each time, as in {flag} openai=60")
    return by_name or None


def parameters(values: Sequence[str]) -> dict[str, Json]:
    """`K=V` pairs; V is JSON where it can be, else text; dots in K make nested fields.

    Raises:
        ConfigError: no equals sign.
    """
    found: dict[str, Json] = {}
    for text in values:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise ConfigError(f"--param '{text}' is not K=V; write --param reasoning_effort=low")
        try:
            parsed = orjson.loads(value)
        except orjson.JSONDecodeError:
            parsed = value
        inner = found
        *outer, last = key.split(".")
        for name in outer:
            inner = inner.setdefault(name, {})
            if not isinstance(inner, dict):
                raise ConfigError(f"--param '{text}': '{name}' already has a value that is no table")
        inner[last] = parsed
    return found
