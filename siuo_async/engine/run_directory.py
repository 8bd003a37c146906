"""A run's directory: where it is, what it is of, and whether a command continues it.

`results/<date>-<name>-<fingerprint>/` holds `run.json` (what was asked for), `samples.jsonl` (enough to replay without the data set),
`calls.jsonl` (the journal), `summary.json` (only what follows from results) and `run_stats.json` (times, tries, spend). All 0600.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson

from siuo_async.benchmarks.data.sample_store import KnownPictures, StoredSamples, line_of
from siuo_async.engine.durable import make_folder, sweep, write_parts
from siuo_async.errors import RunDirectoryError
from siuo_async.plain_files import plain_bytes
from siuo_async.values import Json, Picture, Sample

FORMAT = 1
_FIELDS: Mapping[str, type] = MappingProxyType(
    {
        "name": str,
        "fingerprint": str,
        "identity": dict,
        "benchmark": str,
        "created_at": str,
        "models": list,
        "dataset": dict,
        "config": dict,
    }
)
_OTHER_ROLES = frozenset({"panel", "stand-in", "check"})
_SEAL = "seal"
"""The field of `run.json` that a reader can tell damage by; older runs have none."""
_MOST_NUMBER = 1 << 53
"""What JSON holds exactly everywhere, with room for all runs to come."""
_FIRST_FILES = frozenset({"calls.jsonl", "writer.json", "samples.jsonl"})
_JSON = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


def fingerprint(identity: Mapping[str, Json]) -> str:
    """Eight hex digits over what makes two runs comparable; models, judges, limit and pace are not in it."""
    return blake2b(orjson.dumps(identity, option=orjson.OPT_SORT_KEYS), digest_size=4).hexdigest()


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """Paths of one run."""

    path: Path

    @property
    def calls(self) -> Path:
        """The journal."""
        return self.path / "calls.jsonl"

    @property
    def summary(self) -> Path:
        """What follows from results."""
        return self.path / "summary.json"

    @property
    def stats(self) -> Path:
        """Times, tries, spend."""
        return self.path / "run_stats.json"

    @property
    def limits(self) -> Path:
        """What became of the limits, for plots."""
        return self.path / "limits.jsonl"

    def make(self) -> None:
        """Makes the directory, for nobody else's eyes.

        Raises:
            RunDirectoryError: it cannot be made.
        """
        try:
            make_folder(self.path)
        except OSError as error:
            raise RunDirectoryError(
                f"{self.path} cannot be made ({error.strerror}); choose another place with --results or --run"
            ) from error

    def manifest(self) -> dict[str, Json]:
        """`run.json`.

        Raises:
            RunDirectoryError: there is none, or it is damaged or of a newer format.
        """
        file = self.path / "run.json"
        try:
            found = orjson.loads(plain_bytes(file))
        except FileNotFoundError:
            raise RunDirectoryError(f"{self.path} is no run (it has no run.json); `siuo ls` lists the runs") from None
        except OSError as error:
            raise RunDirectoryError(
                f"{file} cannot be read ({error.strerror}); restore it from a copy, or start again with --fresh"
            ) from error
        except orjson.JSONDecodeError as error:
            raise RunDirectoryError(f"{file} cannot be read ({error}); restore it from a copy, or start again with --fresh") from error
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise RunDirectoryError(f"{file} is not of format {FORMAT}; it was written by another version of siuo")
        if (lacking := _lacking(found)) is not None:
            raise RunDirectoryError(f"{file} is damaged ('{lacking}'); restore it from a copy, or start again with --fresh")
        if found.get(_SEAL, seal := _seal_of(found)) != seal:
            raise RunDirectoryError(
                f"{file} was changed since it was written (its seal does not fit); restore it from a copy, or start again with --fresh "
                f"(if you changed it yourself and mean it, take out the line '{_SEAL}')"
            )
        return found

    def write_manifest(self, manifest: Mapping[str, Json]) -> None:
        """Replaces `run.json` at once.

        The run's number is given once and kept: when it was made, or one more than any of its neighbours has, since a clock may jump
        back. So runs that come together from several machines, or from a time when they had no numbers, stand in their order too.
        """
        number = _number(self)
        if number is None:
            newest = max((_number(run) or 0 for run in _directories(self.path.parent)), default=0)
            number = max(_seconds(manifest["created_at"]), newest + 1)
        whole = {"format": FORMAT, **manifest, "number": number}
        sealed = {"format": FORMAT, _SEAL: _seal_of(whole)}  # not at the end: without its line the file is JSON still
        write_json(self.path / "run.json", {**sealed, **{name: value for name, value in whole.items() if name != _SEAL}})

    def read_samples(self, digest: str = "") -> StoredSamples:
        """The samples as they were when the run was made, in the data set's order; read when they are needed.

        Args:
            digest: of the data set, as the run's identity has it; what is not that any more is refused, since it would change
                numbers without a word.

        Raises:
            RunDirectoryError: the file is gone or damaged.
        """
        return StoredSamples.at(self.path / "samples.jsonl", digest)

    def write_samples(self, samples: Sequence[Sample]) -> None:
        """Writes `samples.jsonl`, from which stored samples are read from then on."""
        path = self.path / "samples.jsonl"
        if not isinstance(samples, StoredSamples):
            write_parts(path, map(line_of, samples))
        elif not samples.lines.are_at(path):
            write_parts(path, samples.lines.blocks())
            samples.lines.read_from(path)

    def begin(self, samples: Sequence[Sample], manifest: Mapping[str, Json]) -> None:
        """Writes what a run is of; the samples first, since what has a manifest can be read."""
        sweep(self.path)
        self.write_samples(samples)
        self.write_manifest(manifest)

    def read_stats(self) -> dict[str, Json]:
        """`run_stats.json`, or nothing where it is not there or not readable."""
        try:
            found = orjson.loads(plain_bytes(self.stats))
        except (OSError, orjson.JSONDecodeError):
            return {}
        return found if isinstance(found, dict) else {}


def _seal_of(manifest: Mapping[str, Json]) -> str:
    """Sixteen hex digits over all fields but the seal, however they are laid out."""
    held = {name: value for name, value in manifest.items() if name != _SEAL}
    return blake2b(orjson.dumps(held, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()


def _lacking(manifest: Mapping[str, Any]) -> str | None:
    """The first field of a manifest that is not what it must be."""
    for name, kind in _FIELDS.items():
        if not isinstance(manifest.get(name), kind):
            return name
    others = manifest.get("other_judges", [])
    if not isinstance(others, list) or not all(isinstance(each, dict) and each.get("role") in _OTHER_ROLES for each in others):
        return "other_judges"
    for participant in (*manifest["models"], *([manifest["judge"]] if manifest.get("judge") is not None else []), *others):
        if not isinstance(participant, dict) or not all(isinstance(participant.get(name), str) for name in ("label", "provider")):
            return "models"
    return None


def write_json(path: Path, value: Json) -> None:
    """Replaces a JSON file at once, 0600.

    Raises:
        StoppedEarly: the disk would not take it.
    """
    write_bytes(path, orjson.dumps(value, option=_JSON))


def write_bytes(path: Path, content: bytes) -> None:
    """As `write_parts`, of one part."""
    write_parts(path, (content,))


def all_runs(results: Path) -> list[tuple[RunDirectory, dict[str, Json]]]:
    """Every readable run below `results`, newest first."""
    found = []
    for run in _directories(results):
        with contextlib.suppress(RunDirectoryError):
            found.append((run, run.manifest()))
    return sorted(found, key=_age, reverse=True)


def _age(entry: tuple[RunDirectory, Mapping[str, Any]]) -> tuple[int, str, str]:
    return _number_in(entry[1]), entry[1]["created_at"], entry[0].path.name


def _number(run: RunDirectory) -> int | None:
    """The run's number; None where there is no run."""
    try:
        return _number_in(run.manifest())
    except RunDirectoryError:
        return None


def _number_in(manifest: Mapping[str, Any]) -> int:
    """The number that stands there; of a time when runs had none, that of when it was made."""
    number = manifest.get("number")
    return number if type(number) is int and 0 <= number < _MOST_NUMBER else _seconds(manifest["created_at"])


def _seconds(stamp: Json) -> int:
    """A time as seconds since 1970; 0 for what is none."""
    try:
        told = datetime.fromisoformat(str(stamp))
        return max(0, int((told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()))
    except (ValueError, OverflowError):
        return 0


def damaged_runs(results: Path) -> list[RunDirectory]:
    """Every run below `results` whose `run.json` cannot be read."""
    found = []
    for run in _directories(results):
        try:
            run.manifest()
        except RunDirectoryError:
            found.append(run)
    return found


def _directories(results: Path) -> list[RunDirectory]:
    folders = sorted(results.iterdir()) if results.is_dir() else []
    return [RunDirectory(folder) for folder in folders if (folder / "run.json").is_file()]


def locate(results: Path, name: str, identity: Mapping[str, Json], *, explicit: bool, path: Path | None, fresh: bool) -> RunDirectory:
    """The directory of the run with this identity: the newest there is, or a new one, which is not made yet.

    Args:
        explicit: whether the user chose the name, so that another identity under it is an error.
        path: the directory the user named.
        fresh: a new directory whatever is there.

    Raises:
        RunDirectoryError: the named run is of something else; the message lists the differences.
    """
    mark = fingerprint(identity)
    if path is not None:
        if (path / "run.json").exists() and not fresh:
            _same_or_raise(RunDirectory(path), identity)
            return RunDirectory(path)
        if path.exists() and not path.is_dir():
            raise RunDirectoryError(f"{path} is a file; --run names a folder")
        if path.exists() and not _hardly_begun(path, empty=fresh):
            raise RunDirectoryError(f"{path} is not empty; name another --run, or leave --fresh out to continue what is there")
        return RunDirectory(path)
    if not fresh:
        named = [(run, manifest) for run, manifest in all_runs(results) if manifest.get("name") == name]
        for run, manifest in named:
            if manifest.get("fingerprint") == mark:
                return run
        if explicit and named:
            _same_or_raise(named[0][0], identity)
        for run in damaged_runs(results):
            if f"-{name}-{mark}" in run.path.name:  # making another run would pay for everything again
                run.manifest()
    begun = re.compile(rf"\d{{4}}-\d\d-\d\d-{re.escape(name)}-{mark}(-\d+)?")
    for folder in sorted(results.iterdir(), reverse=True) if results.is_dir() else ():
        if begun.fullmatch(folder.name) and (_hardly_begun(folder, empty=True) if fresh else _without_manifest(folder)):
            return RunDirectory(folder)
    base = f"{datetime.now(UTC):%Y-%m-%d}-{name}-{mark}"
    for number in range(1, 1000):
        target = results / (base if number == 1 else f"{base}-{number}")
        if not target.exists():
            return RunDirectory(target)
    raise RunDirectoryError(f"{results / base} exists a thousand times; clean up, or name one with --run")


def _without_manifest(folder: Path) -> bool:
    """Whether a run's folder has no `run.json`, never had or lost it; what was paid stands in its journal all the same."""
    return folder.is_dir() and not os.path.lexists(folder / "run.json")


def _hardly_begun(folder: Path, *, empty: bool) -> bool:
    """Whether a folder holds nothing but what a command that was killed before it wrote `run.json` leaves.

    Args:
        empty: its journal must not hold a call.
    """
    try:
        names = {entry.name for entry in folder.iterdir()}
        journal = folder / "calls.jsonl"
        if empty and journal.exists() and journal.stat().st_size:
            return False
    except OSError:
        return False
    return all(name in _FIRST_FILES or name.startswith((".samples.jsonl.", ".run.json.")) for name in names)


def _same_or_raise(run: RunDirectory, identity: Mapping[str, Json]) -> None:
    before = run.manifest().get("identity", {})
    if before == identity:
        return
    differences = [
        f"{key}: {_shown(before.get(key))} there, {_shown(identity.get(key))} now"
        for key in sorted({*before, *identity})
        if before.get(key) != identity.get(key)
    ]
    raise RunDirectoryError(
        f"{run.path} is a run of something else ({'; '.join(differences)}); use another --name, or --fresh to measure again"
    )


def _shown(value: Json) -> str:
    return "nothing" if value in (None, {}, []) else orjson.dumps(value).decode()


def known_pictures(samples: Sequence[Sample]) -> Mapping[str, Picture]:
    """Pictures by place as an earlier session hashed them."""
    return KnownPictures(samples)


def finished_at(run: RunDirectory) -> datetime | None:
    """When the run was finished, or None."""
    with contextlib.suppress(TypeError, ValueError):
        if told := run.read_stats().get("finished_at"):
            return datetime.fromisoformat(told)
    return None
