"""Providers as data: where they are, which variables hold their keys, which dialect they speak.

A preset is a TOML file in `presets/`. Official variables and their meaning are kept: a user's environment works as it is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

from siuo_async.errors import ConfigError
from siuo_async.providers.dialects.anthropic_messages import AnthropicMessages
from siuo_async.providers.dialects.base import Dialect
from siuo_async.providers.dialects.gemini import Gemini
from siuo_async.providers.dialects.openai_chat import OpenAIChat
from siuo_async.providers.dialects.problems import BlockPhrase, ParameterPhrase
from siuo_async.providers.lenient import printable
from siuo_async.values import EMPTY, Json

DialectFactory: TypeAlias = Callable[[tuple[BlockPhrase, ...], tuple[ParameterPhrase, ...]], Dialect]

DIALECTS: Mapping[str, DialectFactory] = MappingProxyType({"anthropic": AnthropicMessages, "gemini": Gemini, "openai": OpenAIChat})

_VERSION = re.compile(r"v\d+(?:(?:alpha|beta)\d*)?", re.ASCII)
_DEFAULT_PORTS = MappingProxyType({"http": 80, "https": 443})


@dataclass(frozen=True, slots=True)
class Route:
    """Models of one preset that are reached in the way of another one; only `sim` has any."""

    prefix: str
    """What the names of these models begin with."""
    like: str
    """The preset whose dialect and phrases they share."""
    base_path: str = ""
    profile: Mapping[str, Json] = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True, slots=True)
class Preset:
    """One provider."""

    name: str
    dialect: str
    """A key of `DIALECTS`; empty where `routes` decide."""
    base_url: str | None = None
    """None: only the environment or the configuration says."""
    hosts: tuple[str, ...] = ()
    """The provider's own hosts (shell wildcards); answers from any other host are not this provider's."""
    base_url_env: str | None = None
    key_env: tuple[str, ...] = ()
    """Variables that may hold the key; the first that is set counts."""
    key_required: bool = True
    base_path: str = ""
    """Appended to a base URL that does not end in a version (`/v1`, `/v1beta`)."""
    block_phrases: tuple[BlockPhrase, ...] = ()
    parameter_phrases: tuple[ParameterPhrase, ...] = ()
    limit_group_by: Literal["model", "account"] = "model"
    """What the provider limits together."""
    profile: Mapping[str, Json] = field(default_factory=lambda: EMPTY)
    """Fields put over the profile of every model."""
    routes: tuple[Route, ...] = ()


@cache
def load_presets() -> Mapping[str, Preset]:
    """All presets that come with the package, by name."""
    folder = files(__package__).joinpath("presets")
    found = [file for file in folder.iterdir() if file.name.endswith(".toml")]
    names = sorted(file.name.removesuffix(".toml") for file in found)
    return MappingProxyType({name: _read(name, folder.joinpath(f"{name}.toml").read_text("utf-8")) for name in names})


def for_model(preset: Preset, model: str) -> Preset:
    """The preset as it is for one model: where it has routes, that of the model's prefix is taken.

    Raises:
        ConfigError: the model's name begins with no known prefix.
    """
    if not preset.routes:
        return preset
    route = next((route for route in preset.routes if model.startswith(route.prefix)), None)
    if route is None:
        prefixes = ", ".join(f"`{route.prefix}`" for route in preset.routes)
        raise ConfigError(f"`{preset.name}/{model}`: the name of a model of `{preset.name}` must begin with one of {prefixes}.")
    home = load_presets()[route.like]
    return replace(
        preset,
        dialect=home.dialect,
        base_path=route.base_path,
        block_phrases=home.block_phrases,
        parameter_phrases=home.parameter_phrases,
        profile={**preset.profile, **route.profile},
        routes=(),
    )


def dialect_of(preset: Preset) -> Dialect:
    """The dialect of a preset, with the preset's phrases.

    Raises:
        ConfigError: there is no such dialect.
    """
    factory = DIALECTS.get(preset.dialect)
    if factory is None:
        known = ", ".join(sorted(DIALECTS))
        raise ConfigError(f"provider `{preset.name}`: there is no dialect `{preset.dialect}`; there are {known}.")
    return factory(preset.block_phrases, preset.parameter_phrases)


def base_url_of(preset: Preset, environ: Mapping[str, str], configured: str | None = None) -> str:
    """The base URL to which a dialect's path is appended: configured, else from the environment, else the preset's own.

    Raises:
        ConfigError: there is none, or it is no http(s) URL.
    """
    from_environment = environ.get(preset.base_url_env, "").strip() if preset.base_url_env else ""
    url = configured or from_environment or preset.base_url
    if not url:
        way = f"set {preset.base_url_env}" if preset.base_url_env else "give it a `base_url`"
        raise ConfigError(f"provider `{preset.name}` has no base URL: {way}.")
    where = f"provider '{preset.name}'" if configured or not from_environment else preset.base_url_env
    path = _split(url, f"{where}: ").path.rstrip("/")
    return url.rstrip("/") + ("" if _VERSION.fullmatch(path.rpartition("/")[2]) else preset.base_path)


def identity(preset: Preset, base_url: str) -> str:
    """Who answers, for call ids: the preset's name only while `base_url` is one of the provider's own hosts.

    Anyone else is `name@host:port`, so that answers of a proxy or a mock never pass as the provider's.

    Raises:
        ConfigError: `base_url` is no http(s) URL.
    """
    parts = _split(base_url)
    host = parts.hostname or ""
    if is_own_host(preset, host):
        return preset.name
    shown = f"[{host}]" if ":" in host else host
    return f"{preset.name}@{shown}:{parts.port or _DEFAULT_PORTS[parts.scheme]}"


def is_own_host(preset: Preset, host: str) -> bool:
    """Whether a host is one of the provider's own."""
    return any(fnmatchcase(host, own) for own in preset.hosts)


def _split(url: str, where: str = "") -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _DEFAULT_PORTS and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = None
    # A blank or a newline would end the request line early, and what follows would be headers.
    if not usable or parts.query or parts.fragment or not url.isprintable() or " " in url:
        raise ConfigError(f"{where}`{printable(shown(url))}` is no base URL; it must look like https://host/path, without `?` or `#`")
    return parts


def shown(url: str) -> str:
    """A URL that somebody gave, without what may be secret in it: user and password, and whatever stands behind `?` or `#`."""
    plain, mark, _ = url.partition("?")
    plain, other, _ = plain.partition("#")
    return re.sub(r"//[^/\s]*@", "//…@", plain) + (f"{mark or other}…" if mark or other else "")


def _read(name: str, toml: str) -> Preset:
    fields = tomllib.loads(toml)
    phrases = fields.pop("parameter_phrases", {})
    return Preset(
        name=name,
        hosts=tuple(fields.pop("hosts", ())),
        key_env=tuple(fields.pop("key_env", ())),
        block_phrases=tuple(BlockPhrase(**phrase) for phrase in fields.pop("block_phrases", ())),
        parameter_phrases=tuple(ParameterPhrase(text, to) for to, texts in phrases.items() for text in texts),
        routes=tuple(Route(**route) for route in fields.pop("routes", ())),
        **fields,
    )
