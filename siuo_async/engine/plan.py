"""From a configuration, or from a run's directory, to what is to be done: the plan."""

from __future__ import annotations

import platform
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from siuo_async.benchmarks import catalogue
from siuo_async.benchmarks.base import GENERATE, Benchmark, JudgeRole
from siuo_async.benchmarks.catalogue import Setup
from siuo_async.client.accounts import IMPORTED, SIMULATED, AccountSpec
from siuo_async.config import ModelConfig, Price, RunConfig, make
from siuo_async.engine import run_directory
from siuo_async.engine.asking import SearchTarget, Target
from siuo_async.engine.order import Ordered, balanced, in_file_order
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.engine.spending import given_price, price_for
from siuo_async.errors import ConfigError, RunDirectoryError
from siuo_async.values import Json, Parameters, Sample
from siuo_async.wording import must_be


@dataclass(frozen=True, slots=True)
class Participant:
    """A model in a run, as its directory remembers it."""

    label: str
    provider: str
    """The provider identity, as in call ids."""
    config: ModelConfig

    def as_json(self) -> dict[str, Json]:
        """For `run.json`."""
        return {
            "label": self.label,
            "provider": self.provider,
            "config": self.config.model_dump(mode="json", exclude_defaults=True),
        }

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Participant:
        """From `run.json`."""
        return cls(found["label"], found["provider"], ModelConfig.model_validate(found["config"]))

    @property
    def priced_as(self) -> str:
        """What its price is found under."""
        return f"{self.provider}/{self.config.name}"

    def target(self, base: Mapping[str, Parameters]) -> Target:
        """The model with its parameters by stage; nothing is sent until it has an endpoint."""
        config = self.config
        parameters = {stage: config.parameters(asked) for stage, asked in base.items()}
        return Target(self.label, self.provider, config.name, config.revision, parameters, system=config.system)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is of."""

    config: RunConfig
    benchmark: Benchmark[Any]
    all_samples: Sequence[Sample]
    """In the data set's order, limit or not; large ones are read from disk, one at a time."""
    identity: Mapping[str, Json]
    """What makes two runs comparable; the fingerprint is made from it."""
    models: tuple[Participant, ...]
    judge: Participant | None
    """The one whose verdicts count; None where a panel judges, or nobody."""
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What is odd about the data, yet asked."""
    licence: str = ""
    data_file: str = ""
    prompts_folder: Path | None = None
    created_at: str = ""
    fresh: bool = False
    """Whether the command that began the run was one to measure again."""
    prices: Mapping[str, Price] | None = None
    """By `provider identity/model`."""
    made_up: bool = False
    """Whether a file that was imported says that a simulator made its answers up."""
    other_judges: tuple[tuple[JudgeRole, Participant], ...] = ()
    """A panel, a stand-in, a second opinion, in this order."""

    @property
    def name(self) -> str:
        """The run's name: chosen, or the benchmark's."""
        return self.config.name or self.benchmark.name

    @property
    def scored(self) -> bool:
        """Whether answers become scores: a judge was named, or none is needed."""
        return bool(self.judges) or not self.benchmark.needs_judge

    @property
    def judges(self) -> tuple[tuple[JudgeRole, Participant], ...]:
        """Everyone who judges, with what for; those whose verdicts count first."""
        return (("judge", self.judge), *self.other_judges) if self.judge else self.other_judges

    @property
    def participants(self) -> tuple[Participant, ...]:
        """The models under test, then the judges."""
        return (*self.models, *(judge for _, judge in self.judges))

    @property
    def panel(self) -> tuple[Participant, ...]:
        """The judges that vote."""
        return tuple(judge for role, judge in self.judges if role == "panel")

    @property
    def simulated(self) -> bool:
        """Whether any answer or verdict comes from the simulator."""
        return self.made_up or any(p.provider == SIMULATED for p in self.participants)

    @property
    def imported(self) -> bool:
        """Whether any answer or verdict was made elsewhere."""
        return any(p.provider == IMPORTED for p in self.participants)

    def providers(self) -> list[str]:
        """The names of all providers that take part."""
        return list(dict.fromkeys(p.config.provider for p in self.participants))

    @property
    def asked(self) -> int:
        """How many samples are asked."""
        total = len(self.all_samples)
        return total if self.config.limit is None else min(total, self.config.limit)

    def samples(self) -> Ordered:
        """What is asked, in the order it is asked; looks at every sample, so once is enough."""
        config = self.config
        ordered = in_file_order(self.all_samples) if config.in_file_order else balanced(self.all_samples, config.order_seed)
        return ordered[: config.limit]

    def generation(self) -> Mapping[str, Parameters]:
        """What is asked of every model, by stage: the protocol's parameters with the user's over them."""
        base, config = self.benchmark.generation(), self.config
        chosen = {
            name: value
            for name in ("max_tokens", "thinking_tokens", "temperature", "top_p", "seed", "safety_filters")
            if (value := getattr(config, name)) is not None
        }
        return {GENERATE: replace(base, **chosen, extra={**base.extra, **config.params})}

    def judging(self) -> Mapping[str, Parameters]:
        """What is asked of the judge, by stage."""
        return self.benchmark.judging()

    @property
    def search(self) -> SearchTarget | None:
        """The search engine, as call ids know it."""
        source = self.benchmark.settings().get("search_source")
        return SearchTarget(source) if source else None

    def manifest(self) -> dict[str, Json]:
        """`run.json`."""
        return {
            "name": self.name,
            "fingerprint": run_directory.fingerprint(self.identity),
            "identity": dict(self.identity),
            "benchmark": self.benchmark.name,
            "created_at": self.created_at,
            "simulated": self.simulated,
            **({"made_up": True} if self.made_up else {}),
            "fresh": self.fresh,
            "models": [participant.as_json() for participant in self.models],
            "judge": self.judge.as_json() if self.judge else None,
            **({"other_judges": [{"role": role, **judge.as_json()} for role, judge in self.other_judges]} if self.other_judges else {}),
            "dataset": {
                "file": self.data_file,
                "licence": self.licence,
                "samples": len(self.all_samples),
                "skipped": list(self.skipped),
                "notes": list(self.notes),
            },
            "prompts_folder": str(self.prompts_folder) if self.prompts_folder else None,
            "prices": {name: price.model_dump(exclude_none=True, exclude_defaults=True) for name, price in (self.prices or {}).items()},
            "config": self.config.model_dump(mode="json", exclude_defaults=True),
            "versions": {"siuo-async": version("siuo-async"), "python": platform.python_version(), "aiohttp": version("aiohttp")},
        }


def from_config(
    config: RunConfig, specs: Mapping[str, AccountSpec], known: Mapping[str, Any] | None = None, search_source: str = ""
) -> Plan:
    """The plan of `siuo run`.

    Args:
        search_source: what stands for the run's search engine.
        specs: the accounts of all providers that are named.
        known: pictures by path as an earlier session hashed them.

    Raises:
        UsageError: benchmark, data or prompts cannot be used.
    """
    loaded = catalogue.load(config, known or {}, search_source)
    if not len(loaded.dataset.samples):
        missing = f" ({loaded.dataset.skipped[0]})" if loaded.dataset.skipped else ""
        raise ConfigError(f"no sample is left to ask of {loaded.dataset.file}{missing}; widen --category, or mend what is left out")
    identity = {
        "benchmark": loaded.benchmark.name,
        "protocol": config.protocol,
        "dataset": loaded.dataset.digest[:16],
        "prompts": loaded.benchmark.prompt_set,
        "parameters": config.base_parameters(),
    }
    if settings := loaded.benchmark.settings():
        identity["settings"] = dict(settings)
    models = tuple(
        Participant(label, specs[model.provider].identity, model) for label, model in zip(config.labels(), config.models, strict=True)
    )
    plan = Plan(
        config=config,
        benchmark=loaded.benchmark,
        all_samples=loaded.dataset.samples,
        identity=identity,
        models=models,
        **judges_of(config, specs),
        skipped=loaded.dataset.skipped,
        notes=loaded.dataset.notes,
        licence=loaded.licence,
        data_file=str(loaded.dataset.file),
        prompts_folder=loaded.prompts_folder,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return replace(plan, prices=prices_of(plan, specs))


def judges_of(config: RunConfig, specs: Mapping[str, AccountSpec]) -> dict[str, Any]:
    """The judges of a configuration, as fields of a plan; their labels differ."""
    found: list[tuple[JudgeRole, Participant]] = []
    named: list[tuple[JudgeRole, ModelConfig | None]] = [("judge", config.judge), *(("panel", each) for each in config.panel)]
    for role, judge in (*named, ("stand-in", config.stand_in_judge), ("check", config.check_judge)):
        if judge is not None:
            taken = {participant.label for _, participant in found}
            tried = (judge.label, judge.name, judge.model, f"{judge.model} ({role})")
            label = next((each for each in tried if each and each not in taken), f"{judge.model} ({role} {len(found)})")
            identity = IMPORTED if judge.provider == IMPORTED else specs[judge.provider].identity
            found.append((role, Participant(label, identity, judge)))
    first = found.pop(0)[1] if config.judge else None
    return {"judge": first, "other_judges": tuple(found)}


def with_prices(plan: Plan, specs: Mapping[str, AccountSpec]) -> Plan:
    """The plan of a run that goes on, with prices for those who had none when it began and are asked now."""
    return replace(plan, prices=prices_kept(prices_of(plan, specs), plan.prices or {}, prices_given(plan)))


def prices_of(plan: Plan, specs: Mapping[str, AccountSpec]) -> dict[str, Price]:
    """The prices of everyone whose account is known, by `provider identity/model`; those that nobody knows are not in it."""
    found = {}
    for participant in plan.participants:
        spec = specs.get(participant.config.provider)
        if spec is not None and (price := price_for(participant, plan.config, spec)) is not None:
            found[participant.priced_as] = price
    return found


def prices_given(plan: Plan) -> set[str]:
    """Those whose price the configuration gives, wherever it says that it has it from, by `provider identity/model`."""
    return {each.priced_as for each in plan.participants if given_price(each.config, plan.config) is not None}


def prices_kept(now: Mapping[str, Price], before: Mapping[str, Price], given: Collection[str]) -> dict[str, Price]:
    """The prices of a run that goes on: those it began with, save where the configuration gives one.

    So its figures stay what they were when a list of prices is updated.

    Args:
        given: those whose price the configuration gives now.
    """
    return {**now, **before, **{name: price for name, price in now.items() if name in given}}


def from_directory(run: RunDirectory, *, samples: bool = True, benchmark: str | None = None) -> Plan:
    """The plan as a run's directory remembers it; needs neither data set nor keys.

    Args:
        samples: False leaves them out, for those who only compare settings.
        benchmark: the benchmark as it is named now, where the file of a custom one may have been moved.

    Raises:
        RunDirectoryError: the directory cannot be read.
        DataError: released prompts were used and are gone.
    """
    manifest = run.manifest()
    try:
        return _from_manifest(run, manifest, samples=samples, named=benchmark)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise RunDirectoryError(
            f"{run.path / 'run.json'} is damaged ({_wrong_in(error)}); restore it from a copy, or start again with --fresh"
        ) from error


def _wrong_in(error: Exception) -> str:
    """What kept a manifest from being read."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False)[0]
        return f"'{'.'.join(map(str, first['loc'])) or 'a model'}' {must_be(first)}"
    return f"{error} is missing" if isinstance(error, KeyError) else "a field is of another kind than it was written"


def _from_manifest(run: RunDirectory, manifest: Mapping[str, Any], *, samples: bool, named: str | None) -> Plan:
    settings = manifest["config"] | ({"benchmark": named} if named else {})
    config = make(settings, source=str(run.path / "run.json"))
    folder = Path(manifest["prompts_folder"]) if manifest.get("prompts_folder") else None
    benchmark = catalogue.build(Setup(config, folder, manifest["identity"].get("settings", {}).get("search_source", "")))
    catalogue.must_be_as_it_was(benchmark, config, manifest["identity"])
    return Plan(
        config=config,
        benchmark=benchmark,
        all_samples=run.read_samples(manifest["identity"]["dataset"]) if samples else (),
        identity=manifest["identity"],
        models=tuple(Participant.of(found) for found in manifest["models"]),
        judge=Participant.of(manifest["judge"]) if manifest.get("judge") else None,
        other_judges=tuple((each["role"], Participant.of(each)) for each in manifest.get("other_judges", ())),
        skipped=tuple(manifest["dataset"]["skipped"]),
        notes=tuple(manifest["dataset"].get("notes", ())),
        licence=manifest["dataset"].get("licence", ""),
        data_file=manifest["dataset"]["file"],
        prompts_folder=folder,
        created_at=manifest["created_at"],
        made_up=manifest.get("made_up") is True,
        fresh=bool(manifest.get("fresh")),
        prices={name: Price.model_validate(price) for name, price in manifest.get("prices", {}).items()},
    )
