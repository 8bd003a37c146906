"""Which benchmarks there are, and how a configuration becomes one of them with its samples."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siuo_async.benchmarks.base import Benchmark
from siuo_async.benchmarks.data_folders import bundled_demo, find_data
from siuo_async.benchmarks.released_prompts import load_released_prompts
from siuo_async.benchmarks.siuo_data import Dataset, load_siuo_gen
from siuo_async.benchmarks.siuo_gen import ANSWERS, OwnPrompts, SiuoGen
from siuo_async.config import RunConfig
from siuo_async.errors import ConfigError, DataError
from siuo_async.values import EMPTY, Picture

DEMO = "demo"
BENCHMARKS: Mapping[str, str] = {
    "siuo-gen": "SIUO, free generation: answers judged for safety and effectiveness",
    DEMO: "the bundled samples, 27 of our own making in SIUO's form; never called SIUO",
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A benchmark, its samples and where they came from."""

    benchmark: Benchmark[Any]
    dataset: Dataset
    prompts_folder: Path | None
    """Where released prompts were read from."""


def check_name(name: str) -> None:
    """Raises ConfigError, with a guess, where there is no such benchmark."""
    if name not in BENCHMARKS:
        guess = difflib.get_close_matches(name, BENCHMARKS, 1)
        hint = f"did you mean '{guess[0]}'?" if guess else f"there are: {', '.join(BENCHMARKS)}"
        raise ConfigError(f"there is no benchmark '{name}'; {hint}")


def load(config: RunConfig, known: Mapping[str, Picture] = EMPTY) -> Loaded:
    """The benchmark with its data.

    Args:
        known: pictures by path as an earlier session hashed them.

    Raises:
        ConfigError: no such benchmark.
        DataError: the data cannot be used, or released prompts were asked for and not imported.
    """
    check_name(config.benchmark)
    folder = bundled_demo() if config.benchmark == DEMO else find_data(config.data, "siuo")
    dataset = load_siuo_gen(
        folder,
        pictures=config.images,
        missing_images=config.missing_images,
        categories=config.categories,
        known=known,
    )
    prompts_folder = prompts_folder_for(config, dataset.file.parent)
    return Loaded(build(config, prompts_folder), dataset, prompts_folder)


def prompts_folder_for(config: RunConfig, folder: Path) -> Path | None:
    """Where the released prompts are, if they are to be used: the default once imported.

    Raises:
        DataError: they were asked for and are not there.
    """
    if config.benchmark == DEMO or config.prompts == "own":
        return None
    if load_released_prompts(folder) is not None:
        return folder
    if config.prompts == "released":
        raise DataError(
            f"the released prompts are not imported (looked in {folder}); run `siuo data import siuo PATH` with PATH your checkout "
            "of the SIUO repository, or use --prompts own"
        )
    return None


def build(config: RunConfig, prompts_folder: Path | None) -> Benchmark[Any]:
    """The benchmark, set up, without its data.

    Raises:
        DataError: the released prompts are no longer where they were.
    """
    check_name(config.benchmark)
    shared: dict[str, Any] = {
        "protocol": config.protocol,
        "answers": config.answers or ANSWERS,
        "judged": not config.no_judge,
        "system": config.system,
        "name": config.benchmark,
    }
    if prompts_folder is None:
        return SiuoGen(**shared, prompts=OwnPrompts(), prompts_name="own")
    released = load_released_prompts(prompts_folder)
    if released is None:
        raise DataError(f"the released prompts are no longer in {prompts_folder}; import them again with `siuo data import siuo PATH`")
    return SiuoGen(**shared, prompts=released, prompts_name="released")
