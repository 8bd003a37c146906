"""RunConfig: everything a run is told, validated, with errors that name the field and the fix.

The same words in the file (`siuo run -c run.yaml`) and on the command line; a flag wins over the file. Secrets are never in here: a
provider names the environment variable that holds its key.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from siuo_async.errors import ConfigError
from siuo_async.judges_named import as_share, split_share, wrong_with_judges
from siuo_async.keys import looks_like_a_key, place_of
from siuo_async.values import Json, Parameters, Protocol
from siuo_async.wording import must_be, shown
from siuo_async.yaml_files import read_yaml

_MOST = 2**31 - 1
_MOST_RPM, _MOST_TPM, _MOST_AT_ONCE = 10_000_000, 10_000_000_000, 100_000
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONG_NAME = 20
"""A name with small letters and digits that is as long as this is more likely a key."""
_FLAGS = {"combinations": "--combination", "usages": "--usage", "check_share": "--check-judge", "test_retest": "--test-retest"}
"""Where a field's flag has another name, and can be given a wrong value."""
_CEILINGS = frozenset({"rpm", "tpm", "concurrency"})
"""For all providers, or by provider."""
_MOST_MODELS = 1000


def _sendable(params: dict[str, Json]) -> dict[str, Json]:
    """A YAML file can hold what JSON cannot; told here rather than by the first call."""
    try:
        json.dumps(params, allow_nan=False)
        orjson.dumps(params)
    except (TypeError, ValueError) as error:
        raise ValueError(f"it holds what JSON cannot ({error}); put names that are numbers in quotes") from error
    return params


def _variable(name: str | None) -> str | None:
    """A variable's name goes into messages, so that a key in its place must not pass for one."""
    if name is not None and (not _VARIABLE.fullmatch(name) or _odd_for_a_name(name)):
        raise ValueError("this is no name of a variable; write the name of the one that holds the key, never the key itself")
    return name


def _odd_for_a_name(name: str) -> bool:
    return looks_like_a_key(name) or (len(name) >= _LONG_NAME and any(c.islower() for c in name) and any(c.isdigit() for c in name))


Params = Annotated[dict[str, Json], AfterValidator(_sendable)]
"""Provider-specific fields of a request's body."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Price(_Strict):
    """USD per million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached: float | None = Field(default=None, ge=0)
    """Of cached input tokens; `input` where absent."""


class ModelConfig(_Strict):
    """One model of a run, with whatever differs for it from the run's own settings."""

    model: str
    """`provider/name`; the first slash splits."""
    label: str | None = None
    revision: str | None = None
    system: str | None = None
    max_tokens: int | None = Field(default=None, ge=1, le=_MOST)
    thinking_tokens: int | None = Field(default=None, ge=0, le=_MOST)
    temperature: float | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, gt=0, le=1)
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    params: Params = {}
    profile: dict[str, Json] = {}
    """Corrections to what the built-in profile says this model accepts."""
    price: Price | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return parse_model(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _has_provider(self) -> ModelConfig:
        provider, slash, name = self.model.partition("/")
        if not slash or not provider or not name:
            raise ValueError(f"'{self.model}' names no provider; write PROVIDER/MODEL, as in openai/gpt-4o")
        return self

    @property
    def provider(self) -> str:
        """The provider's name, as in the presets or under `providers`."""
        return self.model.partition("/")[0]

    @property
    def name(self) -> str:
        """The model's name at its provider."""
        return self.model.partition("/")[2]

    def settings(self) -> dict[str, Json]:
        """What was set for this model alone, in a fixed order."""
        chosen = self.model_dump(exclude={"model", "label", "price", "profile"}, exclude_defaults=True)
        return {key: chosen[key] for key in type(self).model_fields if key in chosen}

    def parameters(self, base: Parameters) -> Parameters:
        """`base` with this model's own parameters over it."""
        changed = {
            name: value
            for name in ("max_tokens", "thinking_tokens", "temperature", "top_p", "seed")
            if (value := getattr(self, name)) is not None
        }
        merged = {name: getattr(base, name) for name in Parameters.__slots__} | changed
        merged["extra"] = {**base.extra, **self.params}
        return Parameters(**merged)


def parse_model(text: str) -> dict[str, str]:
    """`PROVIDER/MODEL[@REVISION]` as fields; an `@` before the last slash belongs to the name."""
    head, at, revision = text.rpartition("@")
    if at and head and revision and "/" not in revision:
        return {"model": head, "revision": revision}
    return {"model": text}


class ProviderConfig(_Strict):
    """A provider of one's own, or other settings for a known one."""

    dialect: Literal["openai", "anthropic", "gemini"] | None = None
    base_url: str | None = None
    key_env: Annotated[str | None, AfterValidator(_variable)] = None
    """The environment variable that holds the key; never the key itself."""
    identity: str | None = None
    """What stands for this provider in call ids instead of `name@host:port`."""
    rpm: float | None = Field(default=None, gt=0, le=_MOST_RPM)
    tpm: float | None = Field(default=None, gt=0, le=_MOST_TPM)
    concurrency: int | None = Field(default=None, ge=1, le=_MOST_AT_ONCE)
    limit_group: Literal["model", "account"] | None = None
    """Whether rpm, tpm and concurrency hold for each model or for the whole account."""
    profile: dict[str, Json] = {}


Combination = Literal["RIRT", "SIRT", "RIST", "SIST"]
"""Risky or safe image, risky or safe text."""
Usage = Literal["vulnerability", "overrefusal"]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str | dict) else value


def _in_capitals(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _without_hyphen(value: Any) -> Any:
    return value.lower().replace("-", "") if isinstance(value, str) else value


class RunConfig(_Strict):
    """Everything a run is told."""

    benchmark: str
    models: Annotated[tuple[ModelConfig, ...], BeforeValidator(_as_list), Field(max_length=_MOST_MODELS)] = ()
    judge: ModelConfig | None = None
    no_judge: bool = False
    stand_in_judge: ModelConfig | None = None
    """Asked where the judge gave no verdict."""
    check_judge: ModelConfig | None = None
    """A second opinion; as text also `PROVIDER/MODEL:SHARE`."""
    check_share: Annotated[float, BeforeValidator(as_share), Field(gt=0, le=1)] = 1.0
    """Of the samples."""
    test_retest: Annotated[float | None, BeforeValidator(as_share), Field(gt=0, le=1)] = None
    """Share of the samples on which the judge is asked a second time."""
    panel: Annotated[tuple[ModelConfig, ...], BeforeValidator(_as_list)] = ()
    """Judges that vote, in place of one."""
    data: Path | None = None
    images: Path | None = None
    missing_images: Literal["error", "skip"] | None = None
    categories: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = ()
    limit: int | None = Field(default=None, ge=1, le=_MOST)
    in_file_order: bool = False
    order_seed: int = Field(default=0, ge=0, le=_MOST)
    answers: int | None = Field(default=None, ge=1, le=64)
    protocol: Protocol = "corrected"
    prompts: Literal["own", "released"] | None = None
    language: Literal["en", "zh"] | None = None
    combinations: Annotated[tuple[Annotated[Combination, BeforeValidator(_in_capitals)], ...], BeforeValidator(_as_list)] = ()
    usages: Annotated[tuple[Annotated[Usage, BeforeValidator(_without_hyphen)], ...], BeforeValidator(_as_list)] = ()
    option_seed: int | None = Field(default=None, ge=0, le=_MOST)
    """Shuffles the options of multiple-choice items."""
    confidence: Literal["none", "logprobs", "stated"] | None = None
    search: Literal["none", "passive", "active"] | None = None
    search_url: str | None = None
    """Template with `{query}` of an HTTP endpoint that answers with JSON."""
    search_corpus: Path | None = None
    """Folder of texts, searched with BM25."""
    search_function: str | None = None
    """`module:function` or `file.py:function`."""
    search_key_env: Annotated[str | None, AfterValidator(_variable)] = None
    """The environment variable that holds the search endpoint's key; never the key itself."""
    search_key_header: str = "Authorization"
    """Where the key goes if the URL has no `{key}`; `Authorization` sends `Bearer KEY`, any other header the key alone."""
    search_results: int = Field(default=5, ge=1, le=100)
    """Passages of a folder that one search gives; endpoints and functions decide for themselves."""
    search_timeout: float | None = Field(default=None, gt=0)
    """Seconds: of one try of an endpoint (30 unless told), of one call of a function (120)."""
    search_at_once: int = Field(default=8, ge=1, le=_MOST_AT_ONCE)
    search_rpm: float | None = Field(default=None, gt=0, le=_MOST_RPM)
    """Requests per minute to an endpoint, tries included."""
    search_identity: str | None = None
    """What stands for the search engine in call ids, instead of what is made of its settings."""
    search_chars: int = Field(default=30_000, ge=100, le=1_000_000)
    """The most characters of what a search found that go into a prompt."""
    system: str | None = None
    max_tokens: int | None = Field(default=None, ge=1, le=_MOST)
    thinking_tokens: int | None = Field(default=None, ge=0, le=_MOST)
    temperature: float | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, gt=0, le=1)
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    params: Params = {}
    safety_filters: Literal["as-shipped", "off"] | None = None
    name: str | None = None
    results: Path = Path("results")
    rpm: dict[str, float] | float | None = None
    tpm: dict[str, float] | float | None = None
    concurrency: dict[str, int] | int | None = None
    timeout: float = Field(default=600.0, gt=0)
    max_wait: float = Field(default=900.0, ge=0)
    grace: float = Field(default=30.0, ge=0)
    offline_wait: float = Field(default=7200.0, ge=0)
    retry_failed: bool = False
    accept_served: bool = False
    reuse: Annotated[tuple[Path, ...], BeforeValidator(_as_list)] = ()
    fsync: Literal["group", "always", "off"] = "group"
    providers: dict[str, ProviderConfig] = {}
    prices: dict[str, Price] = {}

    @model_validator(mode="before")
    @classmethod
    def _split_share(cls, value: Any) -> Any:
        if not isinstance(value, Mapping) or not isinstance(value.get("check_judge"), str):
            return value
        model, share = split_share(value["check_judge"])
        return {**value, "check_judge": model, **({} if share is None else {"check_share": share})}

    @model_validator(mode="after")
    def _consistent(self) -> RunConfig:
        if self.name is not None and not _NAME.match(self.name):
            raise ValueError(f"name: '{self.name}' would make a poor folder name; use letters, digits, '.', '_' and '-'")
        engines = [name for name in ("search_url", "search_corpus", "search_function") if getattr(self, name)]
        if len(engines) > 1:
            raise ValueError(f"{' and '.join(engines)} exclude each other; leave one")
        if (self.search or "none") != "none" and not engines:
            raise ValueError(f"search {self.search} needs something to search; add search_url, search_corpus or search_function")
        if engines and (self.search or "none") == "none":
            raise ValueError(f"{engines[0]} is given but nothing is searched; add search: passive or search: active")
        if self.judge is not None and self.no_judge:
            raise ValueError("judge and no_judge exclude each other; leave one out")
        if (wrong := wrong_with_judges(self)) is not None:
            raise ValueError(wrong)
        for name, most in (("rpm", _MOST_RPM), ("tpm", _MOST_TPM), ("concurrency", _MOST_AT_ONCE)):
            limit = getattr(self, name)
            values = limit.values() if isinstance(limit, dict) else () if limit is None else (limit,)
            if not all(0 < value <= most for value in values):
                raise ValueError(f"{name} must be above zero and at most {most}")
        self.labels()
        return self

    def labels(self) -> tuple[str, ...]:
        """One unique label per model: as given, else its name with the settings that differ.

        Raises:
            ValueError: two models would have one label.
        """
        labels = tuple(model.label or _default_label(model, self.models) for model in self.models)
        for label in labels:
            if labels.count(label) > 1:
                raise ValueError(f"two models have the label '{label}'; give each a label of its own in the config file")
        return labels

    def judges(self) -> tuple[ModelConfig, ...]:
        """Everyone who judges."""
        return tuple(judge for judge in (self.judge, *self.panel, self.stand_in_judge, self.check_judge) if judge is not None)

    def base_parameters(self) -> dict[str, Json]:
        """The generation parameters that were asked for, for all models."""
        names = ("max_tokens", "thinking_tokens", "temperature", "top_p", "seed", "safety_filters", "system")
        asked = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return asked | ({"params": self.params} if self.params else {})


def _default_label(model: ModelConfig, models: tuple[ModelConfig, ...]) -> str:
    same_name = [other for other in models if other.name == model.name]
    if len(same_name) == 1:
        return model.name
    same_model = [other for other in same_name if other.model == model.model]
    base = model.name if len({other.model for other in same_name}) == 1 else model.model
    if len(same_model) == 1:
        return base
    differing = {
        key: value for key, value in model.settings().items() if any(other.settings().get(key) != value for other in same_model)
    }
    return " ".join([base, *(f"{key}={_short(value)}" for key, value in differing.items())])


def _short(value: Json) -> str:
    text = str(value)
    return text if len(text) <= 24 else text[:23] + "…"


def load_file(path: Path, such_as: str = "benchmark: siuo-gen") -> dict[str, Json]:
    """The mapping in a YAML (or JSON) configuration file.

    Args:
        such_as: a line of such a file, for messages.

    Raises:
        ConfigError: no such file, not YAML (with the line), or not a mapping.
    """
    found = read_yaml(path)
    if not isinstance(found, dict):
        holds = "is empty" if found is None else f"holds {shown(found)}, not settings"
        raise ConfigError(f"{path} {holds}; write lines such as `{such_as}`")
    return {str(key): value for key, value in found.items()}


def make(settings: Mapping[str, Json], *, source: str = "the command line") -> RunConfig:
    """A RunConfig from plain settings.

    Raises:
        ConfigError: names the field, what is wrong, and a guess where a name is unknown.
    """
    try:
        json.dumps(settings, default=str, ensure_ascii=False, skipkeys=True).encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"{source}: a text in it is not valid Unicode; type it again, or put it into a config file") from error
    except RecursionError as error:
        raise ConfigError(f"{source}: a value in it is nested too deeply; make it simpler") from error
    except ValueError:
        pass  # a number that JSON has not; its field will say so
    if (where := place_of(settings, looks_like_a_key)) is not None:
        raise key_in_settings(source, where)
    try:
        return RunConfig.model_validate(dict(settings))
    except ValidationError as error:
        raise ConfigError(_sentence(error, source)) from None


def key_in_settings(source: str, where: str) -> ConfigError:
    """The error for a key that stands where it would be stored."""
    return ConfigError(
        f"{source}: '{where}' holds what is, or looks like, a key, and settings are stored; put it into the "
        "environment or a .env file instead, and renew it if others may have seen it"
    )


def _sentence(error: ValidationError, source: str) -> str:
    found = error.errors(include_url=False, include_context=False)
    if found[0]["loc"] and (ceiling := found[0]["loc"][0]) in _CEILINGS:
        return f"{source}: '{ceiling}' must be a number, or a table of providers and numbers, but it is {_given(found)}"
    first = found[0]
    location = first["loc"][:-2] if "[key]" in first["loc"] else first["loc"]
    where = ".".join(map(str, location)) or "the settings"
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    if first["type"] == "extra_forbidden":
        known = _known_fields(first["loc"])
        guess = difflib.get_close_matches(str(first["loc"][-1]), known, 1)
        hint = f"; did you mean '{guess[0]}'?" if guess else f"; known are: {', '.join(sorted(known))}"
        return f"{source}: unknown setting '{where}'{hint}{more}"
    if first["type"] == "missing":
        return f"{source}: '{where}' is missing; add it{more}"
    value = "" if first["type"] == "value_error" else f", but it is {shown(first['input'])}"
    flag = f" ({_FLAGS[owner]})" if first["loc"] and (owner := first["loc"][0]) in _FLAGS else ""
    name = "a name in " if "[key]" in first["loc"] else ""
    prefix = "" if first["type"] == "value_error" and not first["loc"] else f"{name}'{where}'{flag}: "
    return f"{source}: {prefix}{must_be(first)}{value}{more}"


def _given(found: Sequence[Mapping[str, Any]]) -> str:
    """What stands where a ceiling should: the value in a table, if it is one."""
    inside = next((each for each in found if len(each["loc"]) > 2), None)
    return shown(found[0]["input"]) if inside is None else f"{shown(inside['input'])} for '{inside['loc'][2]}'"


def _known_fields(location: tuple[int | str, ...]) -> list[str]:
    owner: type[BaseModel] = RunConfig
    for part in location[:-1]:
        match part:
            case "models" | "judge" | "stand_in_judge" | "check_judge" | "panel":
                owner = ModelConfig
            case "providers":
                owner = ProviderConfig
            case "prices" | "price":
                owner = Price
    return list(owner.model_fields)
