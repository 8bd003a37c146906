"""What models accept: looks profiles up in `models.toml` and works out the cap that a call sends."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from siuo_async.errors import ConfigError
from siuo_async.providers.dialects.base import Profile
from siuo_async.values import EMPTY, Json, Parameters
from siuo_async.wording import shown

DEFAULT_THINKING_TOKENS = 8_192
"""Room for thinking where a model thinks inside the cap and nothing else is asked; enough for most questions of a benchmark."""

_CONTAINER = "generationConfig"
"""The one body field whose members, not itself, are compared with what `extra` sets: Gemini keeps every parameter in it."""

_CHECKS: Mapping[str, tuple[Callable[[Json], bool], str]] = MappingProxyType(
    {
        "sampling": (lambda value: value in ("accepted", "fixed", "ignored"), "accepted, fixed or ignored"),
        "thinking": (
            lambda value: value in ("none", "switchable", "always", "unknown"),
            "none, switchable, always or unknown",
        ),
        "thinking_off": (lambda value: isinstance(value, Mapping), "a table of body fields"),
        "cap_field": (
            lambda value: value in ("max_tokens", "max_completion_tokens"),
            "max_tokens or max_completion_tokens",
        ),
        "max_n": (lambda value: type(value) is int and value >= 1, "a whole number from 1"),
        "seed": (lambda value: isinstance(value, bool), "true or false"),
        "logprobs": (lambda value: isinstance(value, bool), "true or false"),
        "penalties": (lambda value: isinstance(value, bool), "true or false"),
        "structured": (lambda value: isinstance(value, bool), "true or false"),
        "anthropic_version": (lambda value: isinstance(value, str) and bool(value), "a date such as 2026-10-21"),
    }
)


def profile_for(dialect: str, model: str, overrides: Mapping[str, Json] = EMPTY) -> Profile:
    """The profile of `model`, with the fields of `overrides` put over it.

    The *last* entry of the dialect's table with a pattern that matches the model's name (shell wildcards, case ignored) counts,
    whole; a name that matches none gets the defaults of `Profile`.

    Raises:
        ConfigError: an override is no field of a profile, or has a value the field cannot take.
    """
    found = Profile()
    for patterns, profile in _table().get(dialect, ()):
        if any(fnmatchcase(model.lower(), pattern) for pattern in patterns):
            found = profile
    return _with(found, overrides)


def thinking_fragment(parameters: Parameters, profile: Profile, ruled_out: frozenset[str] = frozenset()) -> Mapping[str, Json]:
    """The body fragment that switches thinking off for this call; empty where nothing is to be switched.

    What `extra` says about thinking is the user's choice and stands. `ruled_out` holding `thinking_tokens` means that the
    endpoint refused the fragment before.
    """
    if profile.thinking != "switchable" or "thinking_tokens" in ruled_out:
        return EMPTY
    return EMPTY if _touches(profile.thinking_off, parameters.extra) else profile.thinking_off


def cap_to_send(
    parameters: Parameters,
    profile: Profile,
    *,
    default: int | None = None,
    ruled_out: frozenset[str] = frozenset(),
) -> int | None:
    """The cap in tokens that the body carries, or None for none: `cap_scale` x (visible cap + room for thinking).

    A protocol's cap is for the visible answer, so where a model thinks inside the provider's cap and that stays on, the room
    for it is added (`thinking_tokens`, by default 8,192; a model of which nothing is known gets only what was asked for).

    Args:
        parameters: what the call asks for.
        profile: what the model accepts.
        default: the visible cap where none is asked for but the dialect requires one.
        ruled_out: parameters that an earlier 400 ruled out.
    """
    visible = default if parameters.max_tokens is None else parameters.max_tokens
    if visible is None:
        return None
    return parameters.cap_scale * (visible + room_for_thinking(parameters, profile, ruled_out))


def room_for_thinking(parameters: Parameters, profile: Profile, ruled_out: frozenset[str] = frozenset()) -> int:
    """Tokens for thinking beside the visible answer; 0 where the model does not think, or nobody knows that it does."""
    asked = parameters.thinking_tokens
    if profile.thinking == "none" or thinking_fragment(parameters, profile, ruled_out):
        return 0
    if profile.thinking == "unknown":
        return asked or 0
    return DEFAULT_THINKING_TOKENS if asked is None else asked


def _touches(fragment: Mapping[str, Json], extra: Mapping[str, Json]) -> bool:
    for name, value in fragment.items():
        if name not in extra:
            continue
        if name != _CONTAINER:
            return True
        if isinstance(extra[name], Mapping) and _touches(value, extra[name]):
            return True
    return False


@cache
def _table() -> Mapping[str, tuple[tuple[tuple[str, ...], Profile], ...]]:
    parsed = tomllib.loads(files(__package__).joinpath("models.toml").read_text(encoding="utf-8"))
    return MappingProxyType({dialect: tuple(_entry(entry) for entry in entries) for dialect, entries in parsed.items()})


def _entry(entry: Mapping[str, Json]) -> tuple[tuple[str, ...], Profile]:
    return tuple(entry["match"]), _with(Profile(), {name: value for name, value in entry.items() if name != "match"})


def _with(profile: Profile, changes: Mapping[str, Json]) -> Profile:
    known = [field.name for field in fields(Profile)]
    for name, value in changes.items():
        if name not in known:
            guess = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean `{guess[0]}`?" if guess else f"known fields: {', '.join(known)}."
            raise ConfigError(f"`{name}` is no field of a model's profile; {hint}")
        accepts, allowed = _CHECKS[name]
        if not accepts(value):
            raise ConfigError(f"profile field `{name}` must be {allowed}, not {shown(value)}.")
    return replace(profile, **changes) if changes else profile
