"""Samples as lines of a file, read one at a time, so that a hundred thousand of them take no room in memory.

While data are loaded their samples go into a file without a name; a run writes these lines into its directory (`samples.jsonl`) and
reads them from there. In memory a sample is where its line ends, 8 bytes.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

import orjson

from siuo_async.benchmarks.data.datasets import digest_of
from siuo_async.errors import DataError, RunDirectoryError, StoppedEarly
from siuo_async.plain_files import must_be_plain
from siuo_async.seals import BadLineError, checked, sealed
from siuo_async.values import Picture, Sample

T = TypeVar("T")
_BLOCK = 1 << 18
_MIMES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
_WAY_OUT = "restore it from a copy, or type its `siuo run` command again, which writes it anew"


class Lines:
    """A file of lines that are read by their number, or all in turn.

    Args:
        handle: the open file; closed when nobody holds this any more.
        name: how messages call it.
        ends: the offset behind each line.
    """

    __slots__ = ("__weakref__", "_ends", "_handle", "name")

    def __init__(self, handle: int, name: str, ends: array[int]) -> None:
        self._handle = handle
        self._ends = ends
        self.name = name
        weakref.finalize(self, os.close, handle)

    @classmethod
    def written(cls, lines: Iterable[bytes]) -> Lines:
        """Lines (each with its newline) in a file without a name, which is gone with this process.

        Raises:
            StoppedEarly: the disk would not take them.
        """
        made = cls(*_nameless(), array("Q"))
        held: list[bytes] = []
        end = size = 0
        for line in lines:
            held.append(line)
            size += len(line)
            made._ends.append(end := end + len(line))
            if size >= _BLOCK:
                made._write(b"".join(held))
                held, size = [], 0
        made._write(b"".join(held))
        return made

    @classmethod
    def of(cls, path: Path) -> Lines:
        """The lines of a file that is there; blank ones are passed over.

        Raises:
            OSError: it cannot be read.
        """
        found = cls(os.open(path, os.O_RDONLY), str(path), array("Q"))
        at = begun = 0
        while block := os.pread(found._handle, _BLOCK, at):
            start = 0
            while (end := block.find(b"\n", start)) >= 0:
                if at + end > begun:
                    found._ends.append(at + end + 1)
                begun, start = at + end + 1, end + 1
            at += len(block)
        if at > begun:  # the last one may lack its newline
            found._ends.append(at)
        return found

    def _write(self, block: bytes) -> None:
        view = memoryview(block)
        try:
            while view:
                view = view[os.write(self._handle, view) :]
        except OSError as error:
            raise _no_room(error) from error

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, number: int) -> bytes:
        """The line without its newline.

        Raises:
            RunDirectoryError: the file is no longer what it was.
        """
        start = self._ends[number - 1] if number else 0
        return self._read(start, self._ends[number]).strip(b"\n")

    def __iter__(self) -> Iterator[bytes]:
        """Every line without its newline."""
        number = start = 0
        while number < len(self._ends):
            last = number
            while last + 1 < len(self._ends) and self._ends[last + 1] - start <= _BLOCK:
                last += 1
            block = self._read(start, self._ends[last])
            for each in range(number, last + 1):
                before = self._ends[each - 1] if each else 0
                yield block[before - start : self._ends[each] - start].strip(b"\n")
            number, start = last + 1, self._ends[last]

    def blocks(self) -> Iterator[bytes]:
        """The whole file, piece by piece."""
        end = self._ends[-1] if self._ends else 0
        for start in range(0, end, _BLOCK):
            yield self._read(start, min(start + _BLOCK, end))

    def _read(self, start: int, end: int) -> bytes:
        try:
            found = os.pread(self._handle, end - start, start)
        except OSError as error:
            raise RunDirectoryError(f"{self.name} cannot be read ({error.strerror}); run the same command again") from error
        if len(found) < end - start:
            raise RunDirectoryError(f"{self.name} became shorter while it was read; keep other programs off it, and {_WAY_OUT}")
        return found

    def are_at(self, path: Path) -> bool:
        """Whether these are read from the file that is at `path` now."""
        try:
            return os.path.samestat(os.fstat(self._handle), os.stat(path))
        except OSError:
            return False

    def read_from(self, path: Path) -> None:
        """From now on reads the same lines from `path`, and lets go of where they were."""
        handle = os.open(path, os.O_RDONLY)
        try:
            os.dup2(handle, self._handle, inheritable=False)
        finally:
            os.close(handle)
        self.name = str(path)


def _nameless() -> tuple[int, str]:
    try:
        handle, name = tempfile.mkstemp(prefix="siuo-")
        os.unlink(name)
    except OSError as error:
        raise _no_room(error) from error
    return handle, f"the copy of the data in {os.path.dirname(name)}"


def _no_room(error: OSError) -> StoppedEarly:
    return StoppedEarly(
        f"the data cannot be copied to {tempfile.gettempdir()} ({error.strerror}); make room there, or name another folder in TMPDIR, "
        "and run the same command again"
    )


class Rows(Generic[T]):
    """Values of any kind in a file without a name, given again whenever they are asked for.

    Args:
        items: read once, when this is made.
        packed: a value as what JSON can hold.
        unpacked: the value again.
    """

    __slots__ = ("_lines", "_unpacked")

    def __init__(self, items: Iterable[T], packed: Callable[[T], Any], unpacked: Callable[[Any], T]) -> None:
        self._lines = Lines.written(orjson.dumps(packed(item), option=orjson.OPT_APPEND_NEWLINE) for item in items)
        self._unpacked = unpacked

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[T]:
        return map(self._unpacked, map(orjson.loads, self._lines))


class StoredSamples(Sequence[Sample]):
    """Samples that are read when they are needed; each look makes a new object.

    Args:
        lines: as `line_of` makes them.
    """

    __slots__ = ("lines",)

    def __init__(self, lines: Lines) -> None:
        self.lines = lines

    @classmethod
    def of(cls, samples: Iterable[Sample]) -> StoredSamples:
        """Puts `samples`, taken one by one, into a file without a name.

        Raises:
            DataError: a sample's text is not valid Unicode.
            StoppedEarly: the disk would not take them.
        """
        return cls(Lines.written(map(line_of, samples)))

    @classmethod
    def at(cls, path: Path, digest: str = "") -> StoredSamples:
        """The samples of a run; every line is looked at.

        Args:
            digest: how the data set's begins; "" lets any samples pass.

        Raises:
            RunDirectoryError: the file is gone, damaged, or holds others than `digest` stands for.
        """
        try:
            must_be_plain(path)
            found = cls(Lines.of(path))
        except OSError as error:
            raise _unreadable(str(path), error.strerror) from error
        looked_at = map(partial(_looked_at, str(path)), found)
        if not digest:
            deque(looked_at, maxlen=0)
        elif not digest_of(looked_at).startswith(digest):
            raise RunDirectoryError(f"{path} does not hold the samples that the run was made of; {_WAY_OUT}")
        return found

    def __len__(self) -> int:
        return len(self.lines)

    @overload
    def __getitem__(self, place: int) -> Sample: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Sample]: ...

    def __getitem__(self, place: int | slice) -> Sample | Sequence[Sample]:
        if isinstance(place, slice):
            return tuple(self[number] for number in range(*place.indices(len(self))))
        number = place + len(self) if place < 0 else place
        if not 0 <= number < len(self):
            raise IndexError(place)
        return self._sample(self.lines[number])

    def __iter__(self) -> Iterator[Sample]:
        return map(self._sample, self.lines)

    def _sample(self, line: bytes) -> Sample:
        """Whoever writes into the file while a run reads it makes no bug of ours."""
        try:
            return sample_of(line)
        except orjson.JSONDecodeError as error:
            raise _unreadable(self.lines.name, f"a line is no JSON: {error}") from error
        except BadLineError as error:
            raise _unreadable(self.lines.name, f"a line was changed: {error}") from error
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise _unreadable(self.lines.name, "a line is no sample") from error


class KnownPictures(Mapping[str, Picture]):
    """Pictures by place, looked up in the samples that hold them; some hundred thousand of them need not be in memory.

    Args:
        samples: of an earlier run.
    """

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = samples
        self._holders = {hash(picture.place): number for number, sample in enumerate(samples) for picture in sample.pictures}

    def __getitem__(self, place: str) -> Picture:
        for picture in self._samples[self._holders[hash(place)]].pictures:
            if picture.place == place:
                return picture
        raise KeyError(place)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(picture.place for sample in self._samples for picture in sample.pictures))

    def __len__(self) -> int:
        return len(self._holders)


class Ids:
    """Tells whether ids differ, in 8 bytes each. Different ones with one hash are all but impossible, so who asks looks again."""

    __slots__ = ("_marks",)

    def __init__(self) -> None:
        self._marks = array("q")

    def add(self, identity: str) -> None:
        """Notes one."""
        self._marks.append(hash(identity))

    def differ(self) -> bool:
        """Whether no two are the same; False is a suspicion, as two may have one hash."""
        return len(set(self._marks)) == len(self._marks)


def _looked_at(name: str, sample: Sample) -> Sample:
    """A sample of a line that has no checksum may be anything: RunDirectoryError where whoever uses a field would stumble."""
    texts = (sample.id, sample.text, *sample.category, *(text for p in sample.pictures for text in (p.path, p.sha256, p.member or "")))
    numbers = [number for p in sample.pictures for number in (p.size, p.mtime_ns)]
    fit = (
        all(type(text) is str for text in texts) and all(type(number) is int for number in numbers) and isinstance(sample.fields, dict)
    )
    if not fit or not all(picture.mime in _MIMES for picture in sample.pictures):
        raise _unreadable(name, f"sample {sample.id} is damaged")
    return sample


def _unreadable(name: str, why: str | None) -> RunDirectoryError:
    return RunDirectoryError(f"{name} cannot be read ({why}); {_WAY_OUT}")


def line_of(sample: Sample) -> bytes:
    """A sample as its line, newline included.

    Raises:
        DataError: its text is not valid Unicode.
    """
    fields: dict[str, Any] = {"id": sample.id, "category": sample.category, "text": sample.text, "fields": dict(sample.fields)}
    fields["pictures"] = [
        {name: value for name in Picture.__slots__ if (value := getattr(p, name)) is not None} for p in sample.pictures
    ]
    try:
        return sealed(orjson.dumps(fields))
    except orjson.JSONEncodeError as error:
        raise DataError(f"sample {sample.id}: its text is not valid Unicode ({error}); mend it in the data file") from error


def sample_of(line: bytes) -> Sample:
    """The sample of a line.

    Raises:
        ValueError: it is no JSON, or its checksum does not fit.
    """
    fields = orjson.loads(line)
    if "crc" in fields:  # lines of earlier versions have none
        checked(line)
    pictures = fields["pictures"]
    return Sample(
        fields["id"],
        _category(fields["category"]),
        fields["text"],
        tuple(_picture(found) for found in pictures) if pictures else (),
        fields["fields"],
    )


def _category(found: Any) -> tuple[str, ...]:
    if type(found) is not list:
        raise TypeError(found)
    return tuple(found)


def _picture(found: Mapping[str, Any]) -> Picture:
    return Picture(found["path"], found["sha256"], found["mime"], found["size"], found["mtime_ns"], found.get("member"))


def first_twice(ids: Iterable[str]) -> tuple[int, int] | None:
    """Places of the first id that comes again, and of its second coming."""
    seen: dict[str, int] = {}
    for place, identity in enumerate(ids):
        if (earlier := seen.setdefault(identity, place)) != place:
            return earlier, place
    return None
