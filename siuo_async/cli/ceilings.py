"""`--rpm`, `--tpm`, `--concurrency`: what this invocation allows at most, and what this process can hold."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from siuo_async.cli.settings import per_provider
from siuo_async.client.accounts import AccountSpec
from siuo_async.client.open_files import allow_many, calls_at_once
from siuo_async.client.registry import Registry
from siuo_async.config import RunConfig, make
from siuo_async.errors import ConfigError
from siuo_async.values import Json

NAMES = ("rpm", "tpm", "concurrency")
Typed = Mapping[str, Sequence[str]]
"""Flag -> what was typed behind it, each time."""


def given_now(config: RunConfig, typed: Typed, providers: Collection[str]) -> RunConfig:
    """The settings with ceilings that hold for this invocation alone: given now wins over remembered.

    Args:
        config: as the run remembers it.
        providers: those that take part now. A ceiling given for one of them leaves the others what they had.

    Raises:
        ConfigError: no number above zero, or for a provider that takes no part.
    """
    found: dict[str, Json] = {}
    for name in NAMES:
        given = per_provider(typed.get(name, ()), f"--{name}")
        if isinstance(given, Mapping):
            must_take_part(name, given, providers)
            before = getattr(config, name)
            kept = before if isinstance(before, Mapping) else {} if before is None else dict.fromkeys(providers, before)
            given = {**kept, **given}
        if given is not None:
            found[name] = given
    if not found:
        return config
    checked = make({"benchmark": config.benchmark, **found})
    return config.model_copy(update={name: getattr(checked, name) for name in found})


def must_take_part(flag: str, limit: object, providers: Collection[str]) -> None:
    """Raises ConfigError for a limit of a provider that takes no part: it would hold for nobody."""
    for name in limit if isinstance(limit, Mapping) else ():
        if name not in providers:
            guess = difflib.get_close_matches(name, providers, 1)
            hint = f"did you mean '{guess[0]}'?" if guess else f"there are: {', '.join(sorted(providers))}"
            raise ConfigError(f"{flag} is set for '{name}', which is no provider of this run; {hint}")


def registry_of(
    config: RunConfig, spec_of: Callable[[str], AccountSpec], providers: Iterable[str], groups: int, say: Callable[[str], None]
) -> Registry:
    """The registry of an invocation, with as many calls at once as this process can hold.

    Args:
        config: the settings that hold now.
        providers: those that take part.
        groups: limit groups that may be busy together.
        say: told where the user allows more calls at once than the process can hold.
    """
    limit = allow_many()
    room = calls_at_once(limit, groups)
    asked = max((_asked(config, spec_of(name)) for name in providers), default=0)
    if asked > room:
        each = "" if groups == 1 else f" for each of {groups} models"
        say(
            f"note: {asked} calls at once are more than this process can hold, which may open {limit} files: "
            f"{room}{each} at most; `ulimit -n` raises that"
        )
    return Registry(
        spec_of,
        rpm=config.rpm,
        tpm=config.tpm,
        concurrency=config.concurrency,
        timeout_s=config.timeout,
        max_wait_s=config.max_wait,
        offline_wait_s=config.offline_wait,
        most_slots=room,
    )


def _asked(config: RunConfig, spec: AccountSpec) -> int:
    given: Any = config.concurrency
    return (given.get(spec.name) if isinstance(given, Mapping) else given) or spec.concurrency or 0
