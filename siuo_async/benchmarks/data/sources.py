"""The table of data sets: where each is published, under which licence, and what its files are called and must hash to.

Data rather than code (`sources.toml`), so that a pin or a licence is changed in one place, and read without any network.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from siuo_async.errors import ConfigError
from siuo_async.values import Json

_TABLE = Path(__file__).with_name("sources.toml")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a data set."""

    name: str
    """As the loaders look for it, in the data set's folder."""
    sha256: str | None
    """Hex, of the file as released; None where it is not known."""
    required: bool
    """Whether a copy without it is of no use."""


@dataclass(frozen=True, slots=True)
class Source:
    """A data set and where it is published."""

    name: str
    """Also the name of its folder in a data folder."""
    title: str
    repo: str
    """On the Hugging Face Hub, as `owner/name`."""
    revision: str | None
    """The pinned commit, 40 hex digits; None: resolved when it is fetched."""
    licence: str
    notice: str
    """What else a user should know before taking it."""
    size: str
    paper: str
    gated: bool
    """Whether the terms have to be accepted on the Hub first."""
    files: tuple[SourceFile, ...]
    folders: tuple[str, ...]
    """Folders of the repository that are taken with all the files that stand in them."""
    benchmarks: Mapping[str, tuple[str, ...]]
    """Benchmark -> names of the file of its samples, any of which will do."""

    @property
    def page(self) -> str:
        """Where a person reads about it and accepts its terms."""
        return f"https://huggingface.co/datasets/{self.repo}"


def sources() -> dict[str, Source]:
    """All data sets, by name."""
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return {name: _source(name, entry) for name, entry in table.items()}


def find_source(name: str) -> Source:
    """The data set called `name`; the name of one of its benchmarks is understood too.

    Raises:
        ConfigError: there is none.
    """
    known = sources()
    for source in known.values():
        if name == source.name or name in source.benchmarks:
            return source
    raise ConfigError(f"there are no data called '{name}'; there are: {', '.join(known)}")


def source_of(benchmark: str) -> Source | None:
    """The data set that a benchmark is measured on; None where it is none of these."""
    return next((source for source in sources().values() if benchmark in source.benchmarks), None)


def _source(name: str, entry: Mapping[str, Json]) -> Source:
    given = ("name", "revision", "files", "folders", "benchmarks")
    plain = {key: value for key, value in entry.items() if key not in given}
    return Source(
        name=name,
        revision=entry.get("revision"),
        files=tuple(SourceFile(file["name"], file.get("sha256"), file["required"]) for file in entry["files"]),
        folders=tuple(entry["folders"]),
        benchmarks={benchmark: tuple(names) for benchmark, names in entry["benchmarks"].items()},
        **plain,
    )
