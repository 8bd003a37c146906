"""From a provider's name to an account: preset or configured provider, environment, key.

Base URLs come from the environment or the configuration, keys from the environment or a `.env` file; neither is ever stored.
"""

from __future__ import annotations

import difflib
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from yarl import URL

from siuo_async.config import Price, ProviderConfig
from siuo_async.errors import ConfigError
from siuo_async.keys import Secrets, in_variables
from siuo_async.network import authorities_for, is_here, is_near
from siuo_async.providers import presets
from siuo_async.providers.dialects.base import Dialect
from siuo_async.providers.presets import Preset
from siuo_async.values import EMPTY, Json

SIMULATED = "sim"
IMPORTED = "imported"
"""Stands for a provider where answers or verdicts were made elsewhere; nothing is ever sent to it."""
_SIMULATED_PRICE = Price(input=1.0, cached=0.25, output=4.0, source="made up")


class Environment:
    """The process environment, with a `.env` file behind it for keys alone.

    Args:
        variables: usually `os.environ`.
        dotenv: the `.env` file, which need not exist.
        sends: False where nothing is ever sent, so that no key is needed.
    """

    def __init__(self, variables: Mapping[str, str], dotenv: Path | None = None, *, sends: bool = True) -> None:
        self.variables = variables
        self.sends = sends
        self._keys: dict[str, str] = {}
        self.unread = ""
        """A sentence on what in the file cannot be read, if anything."""
        if dotenv is not None and dotenv.is_file():
            try:
                self._keys, bad = _read_dotenv(dotenv)
            except (OSError, ValueError) as error:
                why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
                raise ConfigError(f"{dotenv} cannot be read ({why}); save it as UTF-8 text, or move it away") from error
            self.unread = f" (line {bad[0]} of {dotenv} is not NAME=VALUE)" if bad else ""

    @cached_property
    def secrets(self) -> Secrets:
        """What a confused server, or a user's module, could tell of this environment: keys of all providers, passwords of proxies."""
        names = {name for preset in presets.load_presets().values() for name in preset.key_env}
        return Secrets.of(*in_variables({**self._keys, **self.variables}, names), sent=False)

    def key(self, name: str) -> str | None:
        """A key: from the environment, else from `.env`."""
        return (self.variables.get(name) or self._keys.get(name) or "").strip() or None


def _read_dotenv(path: Path) -> tuple[dict[str, str], list[int]]:
    """What a `.env` file sets, and the lines that cannot be read, of which the library would print a line of its own."""
    with path.open(encoding="utf-8") as text:
        bad = [found.original.line for found in parse_stream(text) if found.error]
    log = logging.getLogger("dotenv.main")
    before, log.disabled = log.disabled, True
    try:
        return {name: value for name, value in dotenv_values(path).items() if value}, bad
    finally:
        log.disabled = before


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """Everything that an account is made from."""

    preset: Preset
    identity: str
    """What stands for it in call ids."""
    environment: Environment = field(repr=False)
    key: str | None = field(repr=False)
    base_url: str | None = None
    """As configured; None leaves it to the environment and the preset."""
    shared_limits: bool = False
    rpm: float | None = None
    tpm: float | None = None
    concurrency: int | None = None
    profile: Mapping[str, Json] = field(default_factory=lambda: EMPTY)
    price: Price | None = None
    trusted: ssl.SSLContext | bool = field(default=True, repr=False)
    """Who may vouch for its hosts; True for the system's own."""

    @property
    def secrets(self) -> Secrets:
        """Its key, and what else of the environment must not get out."""
        return Secrets.of(self.key) | self.environment.secrets

    @property
    def name(self) -> str:
        """As the user named it."""
        return self.preset.name

    def notices(self) -> list[str]:
        """Where the key goes, in a sentence for each surprise: to a host that is not the provider's own, or readable on its way."""
        variable = next((each for each in self.preset.key_env if self.environment.key(each)), None)
        if variable is None:
            return []
        url = URL(presets.base_url_of(self.preset, self.environment.variables, self.base_url))
        host, found = url.host or "", []
        owner = next((each for each in presets.load_presets().values() if variable in each.key_env), None)
        if owner and not presets.is_own_host(owner, host) and not is_here(host):
            whose = "the configuration" if self.base_url else self.preset.base_url_env
            found.append(f"{variable} is sent to {host}, which is not {owner.name}'s own host, since {whose} says so")
        if url.scheme == "http" and not is_near(host):
            found.append(f"{variable} is sent to http://{host}, readable by anybody on the way; write https:// if the server can")
        return found

    def route(self, model: str) -> tuple[Dialect, str, Mapping[str, Json]]:
        """(dialect, base URL, what is known of the model's profile) of one of its models.

        Raises:
            ConfigError: the provider has no such model, or no base URL.
        """
        preset = presets.for_model(self.preset, model)
        base_url = presets.base_url_of(preset, self.environment.variables, self.base_url)
        return presets.dialect_of(preset), base_url, {**preset.profile, **self.profile}


def account_spec(name: str, configured: Mapping[str, ProviderConfig], environment: Environment) -> AccountSpec:
    """What is known of the provider `name`.

    Raises:
        ConfigError: unknown provider, no base URL, a base URL that is none, or no key.
    """
    if name == IMPORTED:
        raise ConfigError(
            "'imported' stands for answers and verdicts that were made elsewhere, so nothing can be asked of it; name a provider "
            "(`siuo judge RUN` judges imported answers, `siuo import` brings in more)"
        )
    config = configured.get(name, ProviderConfig())
    preset = _preset(name, config, configured)
    if name == SIMULATED and not (config.base_url or environment.variables.get(preset.base_url_env or "")):
        raise ConfigError(
            "provider 'sim' is the simulator: `siuo demo` runs it, or start `siuo simulator` and set SIUO_SIM_URL to its address"
        )
    base_url = presets.base_url_of(preset, environment.variables, config.base_url)
    if (url := URL(base_url)).user or url.password:
        raise ConfigError(f"the base URL of '{name}' must hold no user or password; put the key into a variable (`key_env`)")
    if url.scheme == "http" and presets.is_own_host(preset, url.host or "") and not is_near(url.host or ""):
        raise ConfigError(f"the base URL of '{name}' is http://{url.host}, over which a key goes readable by anybody; write https://")
    return AccountSpec(
        preset=preset,
        identity=config.identity or presets.identity(preset, base_url),
        environment=environment,
        key=_key(preset, environment) or (SIMULATED if name == SIMULATED else None),
        base_url=config.base_url,
        shared_limits=(config.limit_group or preset.limit_group_by) == "account",
        rpm=config.rpm,
        tpm=config.tpm,
        concurrency=config.concurrency,
        profile=config.profile,
        price=config.price or (_SIMULATED_PRICE if name == SIMULATED else None),
        trusted=authorities_for(url.scheme, url.host),
    )


def _preset(name: str, config: ProviderConfig, configured: Mapping[str, ProviderConfig]) -> Preset:
    known = presets.load_presets()
    if name in known:
        preset = known[name] if config.dialect is None else replace(known[name], dialect=config.dialect)
    elif name in configured:
        if config.base_url is None:
            raise ConfigError(f"provider '{name}' has no base URL; add `base_url:` under `providers: {name}:` in the config file")
        home = known[config.dialect or "openai"]
        preset = replace(home, name=name, hosts=(), base_url=None, base_url_env=None, key_env=(), key_required=False)
    else:
        guess = difflib.get_close_matches(name, {*known, *configured}, 1)
        hint = f"did you mean '{guess[0]}'?" if guess else f"known are {', '.join(sorted({*known, *configured}))}."
        raise ConfigError(f"unknown provider '{name}': {hint} A server of your own goes under `providers:` in the config file")
    return replace(preset, key_env=(config.key_env,), key_required=True) if config.key_env else preset


def _key(preset: Preset, environment: Environment) -> str | None:
    for variable in preset.key_env:
        if key := environment.key(variable):
            if key[0] in "'\"" and key[-1] == key[0]:
                raise ConfigError(f"{variable} stands in quotation marks, which are no part of a key; take them away")
            if any(not 33 <= ord(c) <= 126 for c in key):
                raise ConfigError(f"{variable} holds blanks or characters that no key has; copy the key again")
            return key
    if preset.key_required and environment.sends:
        named = " or ".join(preset.key_env)
        raise ConfigError(f"no key for '{preset.name}': set {named} in the environment or in a .env file here{environment.unread}")
    return None
