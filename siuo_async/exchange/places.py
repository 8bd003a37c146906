"""Where exported files go, what they are called, and that none is replaced unasked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from siuo_async.engine.durable import write_parts
from siuo_async.engine.plan import Plan
from siuo_async.errors import ConfigError
from siuo_async.exchange.upstream_files import MADE_UP

FOLDER = "export"
"""In the run's directory, where no other is named."""
_MOST_NAME_CHARS = 50
"""Of a label in a file name, which takes 255 bytes."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export came to."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]
    """What the files do not hold, or hold otherwise, one sentence each."""
    protocol_line: str


def chosen_labels(plan: Plan, labels: Sequence[str]) -> list[str]:
    """The labels to write; all where none is named.

    Raises:
        ConfigError: no model is called so.
    """
    there = [participant.label for participant in plan.models]
    for label in labels:
        if label not in there:
            raise ConfigError(f"no model of this run is called '{label}'; there are: {', '.join(there)}")
    return list(labels) or there


def must_be_free(folder: Path, names: Iterable[str], *, force: bool) -> None:
    """Raises ConfigError where a file of one of these names is there, unless it may be replaced."""
    if not force and (there := next((folder / name for name in names if (folder / name).exists()), None)) is not None:
        raise ConfigError(f"{there} is there already; --force replaces it, --to names another folder")


def write(folder: Path, files: Mapping[str, Iterable[bytes]], *, force: bool) -> tuple[Path, ...]:
    """Writes files, each at once and 0600; a part of one at a time is in memory.

    Raises:
        ConfigError: a file is there already, or the folder cannot be made.
        StoppedEarly: the disk would not take a file.
    """
    must_be_free(folder, files, force=force)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be made ({error.strerror}); name another folder with --to") from error
    for name, parts in files.items():
        write_parts(folder / name, parts)
    return tuple(folder / name for name in files)


def mark(plan: Plan) -> str:
    """In the file's name, where everybody sees it: nobody must take made-up answers for a model's."""
    return f"-{MADE_UP}" if plan.simulated else ""


def stem(plan: Plan) -> str:
    """How the files of a run begin: its benchmark."""
    return re.sub(r"[^\w.@+-]+", "_", plan.benchmark.name.replace("-", "_")).strip("._")[:_MOST_NAME_CHARS] or "run"


def file_names(labels: Sequence[str]) -> dict[str, str]:
    """For each label a part of a file name, without slashes and the like, no two the same in any case."""
    names: dict[str, str] = {}
    for label in labels:
        plain = re.sub(r"[^\w.@+-]+", "_", label).strip("._")[:_MOST_NAME_CHARS] or "model"
        taken = {name.casefold() for name in names.values()}
        numbered = (plain if number == 1 else f"{plain}-{number}" for number in range(1, len(labels) + 1))
        names[label] = next(name for name in numbered if name.casefold() not in taken)
    return names
