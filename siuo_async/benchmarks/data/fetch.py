"""Brings a data set from the Hub into a data folder: whole, proved, and with a record of what was taken from where.

Files come into a folder of their own beside their place (`.fetching`), are proved there by what the Hub lists and by what is
known of the released files, and are moved only when all of them are there. So nothing half stands under a final name, a fetch
that was killed goes on where it was, and a file that somebody else put there is never overwritten. `source.json` records repository,
commit, licence and the SHA-256 of every file; the next fetch takes that commit again, whatever `main` has become.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from siuo_async.benchmarks.data import hub
from siuo_async.benchmarks.data.hub import AGAIN, Listing, RemoteFile, Tell
from siuo_async.benchmarks.data.sources import Source
from siuo_async.errors import DataError, StoppedEarly
from siuo_async.values import Json

RECORD_FILE = "source.json"
UNKNOWN_LICENCE = "unknown"
_STAGING = ".fetching"
_BRANCH = "main"
_BLOCK_BYTES = 1 << 20
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True)
class Hashes:
    """What stands for a file's bytes."""

    sha256: str
    blob_id: str
    """SHA-1 as git counts it, which is what the Hub lists for files outside large-file storage."""


@dataclass(frozen=True, slots=True)
class Record:
    """What `source.json` says of an earlier fetch."""

    repo: str
    commit: str
    fetched_at: str
    """ISO 8601, UTC."""
    licence: str
    files: Mapping[str, str]
    """Path in the folder -> SHA-256, hex."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to have, and what proves it."""

    target: str
    """Its path in the data set's folder."""
    remote: RemoteFile
    released: str | None
    """SHA-256 of the released file, where known."""

    def is_listed(self, found: Hashes) -> bool:
        """Whether these bytes are what the Hub lists; where it lists no hash, whether they are the released file's."""
        if self.remote.sha256 is None and self.remote.blob_id is not None:
            return found.blob_id == self.remote.blob_id
        return found.sha256 == (self.remote.sha256 or self.released)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a fetch is going to do."""

    source: Source
    folder: Path
    listing: Listing
    there: Mapping[str, str]
    """Path in the folder -> SHA-256 of what is there already and right."""
    to_fetch: tuple[Wanted, ...]
    absent: tuple[str, ...]
    """Files that this copy of the data set does not hold, and that it can do without."""

    @property
    def size(self) -> int:
        """Bytes still to come, apart from what an earlier try left half."""
        return sum(each.remote.size or 0 for each in self.to_fetch)


def plan_fetch(source: Source, folder: Path, revision: str | None = None, *, token: str | None = None) -> Plan:
    """Ask the Hub what there is, and compare it with what is in `folder`.

    Args:
        revision: a commit, branch or tag; None takes the recorded commit, else the pinned one, else that of `main`.
        token: None leaves it to `huggingface_hub`.

    Raises:
        DataError: the data set cannot be had, or a file stands in the way.
        StoppedEarly: the Hub cannot be reached.
    """
    record = read_record(folder)
    ours = record if record is not None and record.repo == source.repo else None
    listing = hub.list_files(source, revision or (ours.commit if ours else None) or source.revision or _BRANCH, token=token)
    wanted, absent = _choose(source, listing)
    there = {}
    to_fetch = []
    for each in wanted:
        if (found := _settled(folder, each, ours)) is not None:
            there[each.target] = found
        else:
            _refuse_unprovable(each, listing)
            to_fetch.append(each)
    return Plan(source, folder, listing, there, tuple(to_fetch), absent)


def fetch(plan: Plan, tell: Tell, *, accept_changed: bool = False, token: str | None = None) -> Record:
    """Fetch what is missing, prove it, move it into place and record it.

    Args:
        tell: told of bytes as they arrive.
        accept_changed: take files that are not the released ones.

    Raises:
        DataError: what came is not what is listed, or not the released file, or cannot be written.
        StoppedEarly: the network, the Hub or the disk gave out; the same command goes on.
    """
    with _writing(plan.folder):
        plan.folder.mkdir(parents=True, exist_ok=True)
        with _alone(plan.folder):
            for each in plan.to_fetch if not accept_changed else ():
                _refuse_changed(each, each.remote.sha256, plan)
            staging = plan.folder / _STAGING / plan.listing.commit
            _check_space(plan, staging)
            got = {each.target: _get(each, staging, plan, tell, token) for each in plan.to_fetch}
            for each in plan.to_fetch if not accept_changed else ():
                _refuse_changed(each, got[each.target], plan)
            for each in plan.to_fetch:
                (plan.folder / each.target).parent.mkdir(parents=True, exist_ok=True)
                os.replace(staging / each.target, plan.folder / each.target)
            record = _write_record(plan, {**plan.there, **got})
    shutil.rmtree(plan.folder / _STAGING, ignore_errors=True)
    return record


def finished(source: Source, folder: Path, revision: str | None = None) -> Record | None:
    """The record of an earlier fetch that left nothing to do, without asking anybody; None where there is something to do."""
    record = read_record(folder)
    if record is None or record.repo != source.repo or revision not in (None, record.commit):
        return None
    return None if _differing(folder, record) else record


def read_record(folder: Path) -> Record | None:
    """What an earlier fetch recorded in `folder` (or in that of a file); None where nothing, or nothing readable, is recorded."""
    file = (folder.parent if folder.is_file() else folder) / RECORD_FILE
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        files = {str(path): str(each["sha256"]) for path, each in stored["files"].items()}
        return Record(str(stored["repo"]), str(stored["commit"]), str(stored["fetched_at"]), str(stored["licence"]), files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def licence_of(source: Source, file: Path) -> str:
    """The licence of a data file of `source`: as recorded when it was fetched, else the released file's.

    That is known by its SHA-256, and by its name where none is known (USB's, and Chinese SafetyQA's as a table); else it is `unknown`.
    """
    record = read_record(file)
    if record is not None and record.repo == source.repo and file.name in record.files:
        return record.licence
    hashed = {each.name: each.sha256 for each in source.files}
    released = any(file.name in names for names in source.benchmarks.values()) and hashed.get(file.name) in (None, hashes(file).sha256)
    return source.licence if released else UNKNOWN_LICENCE


def describe_source(source: Source, folder: Path) -> list[str]:
    """Where the data in `folder` came from and whether they are still what was fetched; a sentence or two, none if not fetched."""
    record = read_record(folder)
    if record is None:
        return []
    lines = [f"fetched from {record.repo} at {record.commit[:12]} on {record.fetched_at[:10]}; licence: {record.licence}"]
    if differing := _differing(folder, record):
        lines.append(
            f"{len(differing)} of {len(record.files)} fetched files are missing or changed, the first is {differing[0]}; "
            f"move away what is changed and run `siuo data fetch {source.name}`"
        )
    else:
        lines.append(f"all {len(record.files)} fetched files are as they came")
    lines += [f"{name} is not the released file (taken with --accept-changed)" for name in _not_released(source, record.files)]
    return lines


def hashes(path: Path) -> Hashes:
    """The hashes of a file, read once."""
    sha256 = hashlib.sha256()
    blob = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            sha256.update(block)
            blob.update(block)
    return Hashes(sha256.hexdigest(), blob.hexdigest())


def _choose(source: Source, listing: Listing) -> tuple[list[Wanted], tuple[str, ...]]:
    """The files of this commit that make up the data set, and those it does without."""
    wanted = []
    absent = []
    for file in source.files:
        remote = listing.files.get(file.name) or listing.files.get(f"data/{file.name}")
        if remote is not None:
            wanted.append(Wanted(file.name, remote, file.sha256))
        elif file.required:
            raise DataError(f"{source.repo} at {listing.commit[:12]} holds no {file.name}; name another --revision (see {source.page})")
        else:
            absent.append(file.name)
    for folder in source.folders:
        inside = [remote for path, remote in sorted(listing.files.items()) if _stands_in(path, folder)]
        if not inside:
            raise DataError(
                f"{source.repo} at {listing.commit[:12]} holds no folder {folder}; name another --revision (see {source.page})"
            )
        wanted += [Wanted(remote.path, remote, None) for remote in inside]
    return wanted, tuple(absent)


def _stands_in(path: str, folder: str) -> bool:
    """Whether `path` is a file right in `folder`, under a name that leads nowhere else."""
    parent, _, name = path.rpartition("/")
    return parent == folder and name not in ("", ".", "..") and not set(name) & set("\\\0")


def _settled(folder: Path, wanted: Wanted, record: Record | None) -> str | None:
    """The SHA-256 of what stands at a file's place if that can stay; None if it has to be fetched.

    Raises:
        DataError: something else stands there that no fetch brought, which is never overwritten.
    """
    path = folder / wanted.target
    if not path.exists():
        return None
    found = hashes(path)
    if wanted.is_listed(found) or found.sha256 == wanted.released:
        return found.sha256
    if record is not None and record.files.get(wanted.target) == found.sha256:
        return None
    raise DataError(
        f"{path}: is neither what would be fetched nor what was fetched before (SHA-256 {found.sha256}); "
        "move it away and run the same command again, or fetch into another folder with --to"
    )


def _get(wanted: Wanted, staging: Path, plan: Plan, tell: Tell, token: str | None) -> str:
    """Bring one file into the staging folder, proved; its SHA-256."""
    place = staging / wanted.target
    if place.exists() and wanted.is_listed(found := hashes(place)):
        tell(wanted.remote.size or 0)
        return found.sha256
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(place.name + ".part")
    part.touch()
    tell(part.stat().st_size)
    hub.download(plan.source, plan.listing, wanted.remote, part, tell, token=token)
    found = hashes(part)
    if not wanted.is_listed(found):
        part.unlink()
        blob = wanted.remote.blob_id
        listed = wanted.remote.sha256 or (f"git {blob}" if blob else f"none, and the released one's {wanted.released}")
        raise DataError(
            f"{wanted.remote.path}: what came from {plan.listing.endpoint} is not what is listed there (its SHA-256 is {found.sha256}, "
            f"listed is {listed}); it was thrown away, run the same command again"
        )
    os.replace(part, place)
    return found.sha256


def _refuse_unprovable(wanted: Wanted, listing: Listing) -> None:
    """What nothing can be compared with might be anything, a login page for one."""
    if wanted.remote.sha256 is None and wanted.remote.blob_id is None and wanted.released is None:
        raise DataError(
            f"{listing.endpoint} lists no hash of {wanted.remote.path}, so what came could not be proved and nothing is fetched; "
            "set HF_ENDPOINT to the Hub itself, or to a mirror that lists them"
        )


def _refuse_changed(wanted: Wanted, sha256: str | None, plan: Plan) -> None:
    if None not in (wanted.released, sha256) and sha256 != wanted.released:
        raise DataError(
            f"{wanted.remote.path} of {plan.source.repo} at {plan.listing.commit[:12]} is not the released file: its SHA-256 is "
            f"{sha256}, the released one's {wanted.released}; add --accept-changed to take it all the same"
        )


def _check_space(plan: Plan, staging: Path) -> None:
    needed = plan.size - sum(file.stat().st_size for file in staging.rglob("*") if file.is_file())
    free = shutil.disk_usage(plan.folder).free
    if free < needed:
        raise StoppedEarly(f"{plan.folder}: {needed:,} bytes are needed and {free:,} are free; free some and {AGAIN}")


def _differing(folder: Path, record: Record) -> list[str]:
    """Files that are not, or no longer, what was recorded."""
    folder = folder.parent if folder.is_file() else folder
    return [name for name, sha in record.files.items() if not (folder / name).is_file() or hashes(folder / name).sha256 != sha]


def _write_record(plan: Plan, files: Mapping[str, str]) -> Record:
    """Write `source.json`, in one piece."""
    record = Record(plan.source.repo, plan.listing.commit, datetime.now(UTC).isoformat(timespec="seconds"), plan.source.licence, files)
    stored: Json = {
        "v": 1,
        "data": plan.source.name,
        "endpoint": plan.listing.endpoint,
        "repo": record.repo,
        "commit": record.commit,
        "fetched_at": record.fetched_at,
        "licence": record.licence,
        "notice": plan.source.notice,
        "paper": plan.source.paper,
        "not_the_released": _not_released(plan.source, files),
        "files": {name: {"sha256": files[name], "bytes": (plan.folder / name).stat().st_size} for name in sorted(files)},
    }
    temporary = plan.folder / f"{RECORD_FILE}.part"
    temporary.write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8")
    os.replace(temporary, plan.folder / RECORD_FILE)
    return record


def _not_released(source: Source, files: Mapping[str, str]) -> Sequence[str]:
    return [file.name for file in source.files if file.sha256 and files.get(file.name, file.sha256) != file.sha256]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One fetch at a time into a folder."""
    (folder / _STAGING).mkdir(exist_ok=True)
    with (folder / _STAGING / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataError(f"{folder}: another fetch is writing there; wait for it to end") from error
        yield


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """A disk that takes nothing more stops the fetch; what is there stays for the next try."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StoppedEarly(f"{folder}: takes no more data ({error.strerror}); free some space and {AGAIN}") from error
        raise DataError(f"{error.filename or folder}: cannot be written ({error.strerror})") from error
