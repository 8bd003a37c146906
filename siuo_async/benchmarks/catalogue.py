"""Which benchmarks there are, and how a configuration becomes one of them with its samples."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from siuo_async.benchmarks.base import Benchmark
from siuo_async.benchmarks.csqa_asking import Questions
from siuo_async.benchmarks.csqa_mcq import CsqaMcq
from siuo_async.benchmarks.csqa_qa import CsqaQa
from siuo_async.benchmarks.custom import build_custom
from siuo_async.benchmarks.custom_module import load_module, load_samples
from siuo_async.benchmarks.custom_spec import read_spec
from siuo_async.benchmarks.data.csqa_data import FILES as CSQA_FILES
from siuo_async.benchmarks.data.csqa_data import load_csqa
from siuo_async.benchmarks.data.custom_data import load_custom
from siuo_async.benchmarks.data.data_folders import bundled_demo, find_data, prompts_folders
from siuo_async.benchmarks.data.datasets import Dataset
from siuo_async.benchmarks.data.fetch import licence_of
from siuo_async.benchmarks.data.siuo_data import load_siuo_gen, load_siuo_mcqa
from siuo_async.benchmarks.data.sources import sources
from siuo_async.benchmarks.data.usb_data import BASE_FILE, HARD_FILE, OVERREFUSAL, VULNERABILITY, load_usb
from siuo_async.benchmarks.prompts.csqa_prompts import OwnCsqaPrompts
from siuo_async.benchmarks.prompts.own_templates import require
from siuo_async.benchmarks.prompts.released_prompts import load_released_csqa, load_released_prompts, load_released_usb
from siuo_async.benchmarks.prompts.usb_prompts import USB, OwnUsbPrompts
from siuo_async.benchmarks.siuo_gen import ANSWERS, OwnPrompts, SiuoGen
from siuo_async.benchmarks.siuo_mcqa import SiuoMcqa
from siuo_async.benchmarks.usb import Usb
from siuo_async.config import RunConfig
from siuo_async.errors import ConfigError, DataError
from siuo_async.values import EMPTY, Picture

DEMO = "demo"
_YAML = (".yaml", ".yml")

Known = Mapping[str, Picture]


@dataclass(frozen=True, slots=True)
class Setup:
    """What a benchmark is set up with."""

    config: RunConfig
    prompts_folder: Path | None = None
    """Where released prompts are; None: our own are used."""
    search_source: str = ""
    """What stands for the run's search engine; empty where nothing is searched."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A benchmark of the catalogue."""

    what: str
    """One line for people."""
    data: str
    """Its data set, as in `siuo data`; empty where the samples are bundled."""
    judged: bool
    """Whether answers are judged by a model."""
    load: Callable[[RunConfig, Known], Dataset]
    build: Callable[[Setup], Benchmark[Any]]
    options: frozenset[str] = frozenset()
    """Settings that not every benchmark takes."""
    prompts_from: Callable[[Path], object | None] | None = None
    """Reads the released prompts in a folder, None where there are none; None: there are none to be had."""
    name: str = ""
    """What a custom benchmark calls itself; empty in the catalogue, where the name is the key."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A benchmark, its samples and where they came from."""

    benchmark: Benchmark[Any]
    dataset: Dataset
    prompts_folder: Path | None
    """Where released prompts were read from."""
    licence: str
    """Of the data."""


_SEARCH = frozenset(name for name in RunConfig.model_fields if name == "search" or name.startswith("search_"))
_PICTURES = frozenset({"images", "missing_images"})
_USB = _PICTURES | {"language", "combinations", "usages"}


def _siuo_data(config: RunConfig, known: Known) -> Dataset:
    demo = config.benchmark == DEMO
    return load_siuo_gen(
        bundled_demo() if demo else find_data(config.data, "siuo", ("siuo_gen.json",)),
        **({"licence": "Apache-2.0"} if demo else {}),
        pictures=config.images,
        missing_images=config.missing_images or "error",
        categories=config.categories,
        known=known,
    )


def _siuo_gen(setup: Setup) -> SiuoGen:
    config, released = setup.config, _released(load_released_prompts, setup.prompts_folder)
    shared = partial(
        SiuoGen,
        protocol=config.protocol,
        answers=config.answers or ANSWERS,
        judged=not config.no_judge,
        system=config.system,
        name=config.benchmark,
    )
    return shared(prompts=OwnPrompts(), prompts_name="own") if released is None else shared(prompts=released, prompts_name="released")


def _siuo_mcqa_data(config: RunConfig, known: Known) -> Dataset:
    return load_siuo_mcqa(
        find_data(config.data, "siuo", ["siuo_mcqa.json"]),
        pictures=config.images,
        missing_images=config.missing_images or "error",
        categories=config.categories,
        known=known,
    )


def _siuo_mcqa(setup: Setup) -> SiuoMcqa:
    released = _released(load_released_prompts, setup.prompts_folder)
    shared = partial(SiuoMcqa, protocol=setup.config.protocol, system=setup.config.system)
    return shared() if released is None else shared(prompts=released, prompts_name="released")


def _usb_data(config: RunConfig, known: Known) -> Dataset:
    hard = config.benchmark == "usb-hard"
    return load_usb(
        find_data(config.data, "usb", (HARD_FILE if hard else BASE_FILE,)),
        hard=hard,
        pictures=config.images,
        language=config.language or "en",
        combinations=config.combinations,
        usages=config.usages,
        categories=config.categories,
        missing_images=config.missing_images or "skip",
        known=known,
    )


def _usb(setup: Setup) -> Usb:
    config = setup.config
    prompts = _released(load_released_usb, setup.prompts_folder) or OwnUsbPrompts(config.protocol)
    for prompt in _usb_judging(config):  # half a set would be found out by the first row that needs the other half
        require(prompts.available, prompt, USB)
    return Usb(
        name="usb-hard" if config.benchmark == "usb-hard" else "usb-base",
        protocol=config.protocol,
        judged=not config.no_judge,
        prompts=prompts,
        system=config.system,
        language=config.language or "en",
    )


def _usb_judging(config: RunConfig) -> list[str]:
    """The judge prompts that a run needs: harmless rows have no combination of risks, and harmful ones no refusal to be judged."""
    if config.no_judge:
        return []
    usages = config.usages or (VULNERABILITY, OVERREFUSAL)
    refusal = OVERREFUSAL in usages and not config.combinations
    return ["vulnerability"] * (VULNERABILITY in usages) + ["refusal"] * refusal


def _csqa_data(config: RunConfig, known: Known) -> Dataset:
    file = find_data(config.data, "csqa", CSQA_FILES)
    return load_csqa(file, need_options=config.benchmark == "csqa-mcq", categories=config.categories)


def _csqa_questions(setup: Setup, kind: Literal["qa", "mcq"]) -> Questions:
    config = setup.config
    return Questions(
        kind,
        prompts=_released(load_released_csqa, setup.prompts_folder) or OwnCsqaPrompts(),
        protocol=config.protocol,
        search=config.search or "none",
        confidence=config.confidence or "none",
        system=config.system,
        search_source=setup.search_source,
    )


def _csqa_qa(setup: Setup) -> CsqaQa:
    return CsqaQa(_csqa_questions(setup, "qa"), judged=not setup.config.no_judge)


def _csqa_mcq(setup: Setup) -> CsqaMcq:
    return CsqaMcq(_csqa_questions(setup, "mcq"), option_seed=setup.config.option_seed)


CATALOGUE: Mapping[str, Entry] = {
    "siuo-gen": Entry(
        "SIUO, free generation: answers judged for safety and effectiveness",
        data="siuo",
        judged=True,
        load=_siuo_data,
        build=_siuo_gen,
        options=_PICTURES | {"answers"},
        prompts_from=load_released_prompts,
    ),
    "siuo-mcqa": Entry(
        "SIUO, multiple choice: the same pictures and questions with four answers to choose from",
        data="siuo",
        judged=False,
        load=_siuo_mcqa_data,
        build=_siuo_mcqa,
        options=_PICTURES,
        prompts_from=load_released_prompts,
    ),
    "usb-base": Entry(
        "USB-SafeBench, Base: risky and safe pictures with risky and safe texts, and harmless requests that should be answered",
        data="usb",
        judged=True,
        load=_usb_data,
        build=_usb,
        options=_USB,
        prompts_from=load_released_usb,
    ),
    "usb-hard": Entry(
        "USB-SafeBench, Hard: those requests that most models answered unsafely, and the same harmless ones",
        data="usb",
        judged=True,
        load=_usb_data,
        build=_usb,
        options=_USB,
        prompts_from=load_released_usb,
    ),
    "csqa-qa": Entry(
        "Chinese SafetyQA: short answers, graded by a judge against the standard answer",
        data="csqa",
        judged=True,
        load=_csqa_data,
        build=_csqa_qa,
        options=_SEARCH | {"confidence"},
        prompts_from=load_released_csqa,
    ),
    "csqa-mcq": Entry(
        "Chinese SafetyQA, multiple choice: the same questions with options to choose from",
        data="csqa",
        judged=False,
        load=_csqa_data,
        build=_csqa_mcq,
        options=_SEARCH | {"confidence", "option_seed"},
        prompts_from=load_released_csqa,
    ),
    DEMO: Entry(
        "the bundled samples, 27 of our own making in SIUO's form; never called SIUO",
        data="",
        judged=True,
        load=_siuo_data,
        build=_siuo_gen,
        options=frozenset({"answers"}),
    ),
}
BENCHMARKS: Mapping[str, str] = {name: entry.what for name, entry in CATALOGUE.items()}
OPTIONS: frozenset[str] = frozenset().union(*(entry.options for entry in CATALOGUE.values()))
"""Every setting that only some benchmarks take."""


def entry_of(name: str) -> Entry:
    """The benchmark's entry; that of a custom one is made from its file.

    Raises:
        ConfigError: there is no such benchmark (with a guess), or a custom one cannot be used.
    """
    if (found := CATALOGUE.get(name)) is not None:
        return found
    if is_custom(name):
        return _yaml_entry(Path(name)) if name.endswith(_YAML) else _module_entry(name)
    guess = difflib.get_close_matches(name, CATALOGUE, 1)
    hint = f"did you mean '{guess[0]}'?" if guess else f"there are: {', '.join(CATALOGUE)}"
    raise ConfigError(f"there is no benchmark '{name}'; {hint}")


def is_custom(name: str) -> bool:
    """Whether `name` is a benchmark of the user's own: a YAML file, a Python file, or `package.module:Name`."""
    return is_file(name) or ":" in name


def is_file(name: str) -> bool:
    """Whether `name` is that of a custom benchmark's file, which may be followed by `:Name`."""
    return name.endswith((*_YAML, ".py")) or ".py:" in name


def name_of(name: str) -> str:
    """What runs of the benchmark are called; raises as `entry_of`."""
    return entry_of(name).name or name


def must_be_as_it_was(benchmark: Benchmark[Any], config: RunConfig, identity: Mapping[str, Any]) -> None:
    """Raises ConfigError where a custom benchmark is no longer what a run with this `identity` was made of."""
    if not is_custom(config.benchmark):
        return
    now = (benchmark.name, benchmark.prompt_set, dict(benchmark.settings()))
    if now != (identity["benchmark"], identity["prompts"], identity.get("settings", {})):
        raise ConfigError(
            f"{config.benchmark} was changed since this run was made; put it back as it was, or begin another run with `siuo run` and "
            "--reuse with this run's folder, which pays only for calls that are not in it"
        )


def _yaml_entry(file: Path) -> Entry:
    spec = read_spec(file)
    _not_taken(spec.name, str(file))

    def data(config: RunConfig, known: Known) -> Dataset:
        return load_custom(
            spec,
            file.parent,
            data=config.data,
            pictures=config.images,
            missing_images=config.missing_images or "error",
            categories=config.categories,
            known=known,
        )

    def built(setup: Setup) -> Benchmark[Any]:
        config = setup.config
        _as_it_is(config)
        return build_custom(
            spec, answers=config.answers, judged=not config.no_judge, system=config.system, option_seed=config.option_seed
        )

    options = _PICTURES | ({"answers"} if spec.judged else {"option_seed"} if spec.shuffles else frozenset())
    return Entry(spec.description or spec.name, "", judged=spec.judged, load=data, build=built, options=options, name=spec.name)


def _module_entry(reference: str) -> Entry:
    found = load_module(reference)
    _not_taken(found.name, reference)

    def built(setup: Setup) -> Benchmark[Any]:
        _as_it_is(setup.config)
        if setup.config.system is not None:
            raise ConfigError(f"{found.name} takes no 'system': its module writes the whole prompt; leave it out")
        return replace(found, judged=not setup.config.no_judge)

    def data(config: RunConfig, known: Known) -> Dataset:
        return load_samples(found, config.data, config.categories)

    return Entry(found.name, "", judged=found.needs_judge, load=data, build=built, name=found.name)


def _not_taken(name: str, where: str) -> None:
    if name in CATALOGUE:
        raise ConfigError(f"{where}: the name '{name}' is that of a benchmark of the catalogue; choose another")


def _as_it_is(config: RunConfig) -> None:
    """Raises ConfigError for what only benchmarks with released scripts have."""
    for setting in ("protocol", "prompts"):
        if getattr(config, setting) == "released":
            raise ConfigError(f"{setting} 'released' is for published benchmarks, not for one of your own; leave it out")


def load(config: RunConfig, known: Known = EMPTY, search_source: str = "") -> Loaded:
    """The benchmark with its data.

    Args:
        search_source: what stands for the run's search engine.
        known: pictures by path as an earlier session hashed them.

    Raises:
        ConfigError: no such benchmark, or a setting that it does not take.
        DataError: the data cannot be used, or released prompts were asked for and not imported.
    """
    entry = entry_of(config.benchmark)
    _only_its_options(config, entry)
    dataset = entry.load(config, known)
    prompts_folder = prompts_folder_for(config, dataset.file.parent)
    licence = licence_of(sources()[entry.data], dataset.file) if entry.data else dataset.licence
    return Loaded(build(Setup(config, prompts_folder, search_source)), dataset, prompts_folder, licence)


def _only_its_options(config: RunConfig, entry: Entry) -> None:
    for name in sorted(OPTIONS - entry.options):
        if getattr(config, name) != RunConfig.model_fields[name].default:
            takers = [other for other, each in CATALOGUE.items() if name in each.options]
            raise ConfigError(f"{config.benchmark} takes no '{name}' (it is for {', '.join(takers)}); leave it out")


def prompts_folder_for(config: RunConfig, folder: Path) -> Path | None:
    """Where the released prompts are, if they are to be used: the default once imported.

    Args:
        folder: that of the data.

    Raises:
        DataError: they were asked for and are not there.
    """
    entry = entry_of(config.benchmark)
    if entry.prompts_from is None or config.prompts == "own":
        return None
    folders = prompts_folders(folder, entry.data)
    for place in folders:
        if entry.prompts_from(place) is not None:
            return place
    if config.prompts == "released":
        raise DataError(
            f"the released prompts are not imported (looked in {' and '.join(map(str, dict.fromkeys(folders)))}); run "
            f"`siuo data import {entry.data} PATH` with PATH your checkout of the benchmark's repository, or use --prompts own"
        )
    return None


def build(setup: Setup) -> Benchmark[Any]:
    """The benchmark, set up, without its data.

    Raises:
        DataError: the released prompts are no longer where they were.
    """
    return entry_of(setup.config.benchmark).build(setup)


def _released(prompts_from: Callable[[Path], Any], folder: Path | None) -> Any:
    """The released prompts in `folder`, None where none were used."""
    if folder is None:
        return None
    if (found := prompts_from(folder)) is None:
        raise DataError(f"the released prompts are no longer in {folder}; import them again with `siuo data import`")
    return found
