"""Reads a picture's identity, from a folder or out of a ZIP archive: kind, hash, size and time, never its pixels.

The kind comes from the first bytes, because released data sets hold PNG files called .jpg and download pages called .png. The
second is a mistake that would otherwise be paid for with one failed call per sample, so it is found before a run begins.

Data files come from elsewhere, so the names in them are not trusted: nothing outside the folder or archive is ever read, whatever a
name or a link says, and nothing is unpacked to disk.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Protocol, Self, TypeVar

from siuo_async.errors import DataError
from siuo_async.plain_files import without_waiting
from siuo_async.values import EMPTY, Picture
from siuo_async.zip_members import ZipMembers

T = TypeVar("T")
MOST_BYTES = 64 << 20
"""Of a picture: three times what any provider takes. What says or proves to be more is a bomb, or would fill the memory of a run."""
_HEAD_BYTES = 512
"""Enough for every signature below, and for a doctype behind some white space."""
_CHUNK_BYTES = 1 << 18
_THREADS = 8
"""Hashing lets go of the interpreter lock, so a few threads use disk and cores."""
_BATCH = 64
"""Pictures that a thread takes at once; a future for each would cost more than a small picture does."""
_PORTION = 1024
"""Rows whose pictures are read together."""
_MOST_LATELY = 4096
"""Pictures that are remembered for rows to come."""
_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The others are unpacked by Python without a bound on what comes out."""


class PictureSource(Protocol):
    """Where the pictures of a data set are. Safe to use from several threads."""

    @property
    def place(self) -> Path:
        """The folder or archive."""

    def read(self, name: str) -> Picture:
        """Identify the picture that a data file calls `name`.

        Raises:
            DataError: it is not there, may not be followed, or is no picture.
        """


def sniff(head: bytes) -> str | None:
    """The MIME type of a picture that begins with `head`, or None where it is none that the APIs take."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return None


def read_picture(path: Path, known: Mapping[str, Picture] = EMPTY) -> Picture:
    """Identify the picture at `path`.

    Args:
        path: the file; the picture's own `path` is this one made absolute, links left as they are.
        known: pictures by their `place`. One whose size and time of change still fit is trusted and not read again.

    Raises:
        DataError: the file is missing, empty, a folder, unreadable or no picture; the message names it.
    """
    name = str(path.absolute())
    try:
        seen = os.stat(name)
        _must_be_a_file(path, seen)
        earlier = known.get(name)
        if earlier is not None and (earlier.size, earlier.mtime_ns) == (seen.st_size, seen.st_mtime_ns):
            return earlier
        return _read(path, name)
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such picture") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: the picture cannot be read ({reason})") from error


def _must_be_a_file(path: Path, seen: os.stat_result) -> None:
    if stat.S_ISDIR(seen.st_mode):
        raise DataError(f"{path}: is a folder, not a picture")
    if not stat.S_ISREG(seen.st_mode):  # opening a pipe would wait for ever
        raise DataError(f"{path}: is no ordinary file, so it cannot be read as a picture")
    if seen.st_size == 0:
        raise DataError(f"{path}: the picture is empty (0 bytes); copy or download it again")
    if seen.st_size > MOST_BYTES:
        size, most = seen.st_size >> 20, MOST_BYTES >> 20
        raise DataError(f"{path}: is {size} MB, more than the {most} MB that a picture may have; make it smaller, or take it out")


def _read(path: Path, name: str) -> Picture:
    with open(name, "rb", opener=without_waiting) as file:
        seen = os.fstat(file.fileno())
        _must_be_a_file(path, seen)  # once more, since the file may be another one by now
        head = file.read(_HEAD_BYTES)
        mime = sniff(head)
        if mime is None:
            raise DataError(f"{path}: is no PNG, JPEG, WebP or GIF picture; it looks like {_looks_like(head)}")
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Picture(path=name, sha256=digest, mime=mime, size=seen.st_size, mtime_ns=seen.st_mtime_ns)


@contextmanager
def open_pictures(place: Path, known: Mapping[str, Picture] = EMPTY) -> Iterator[PictureSource]:
    """The pictures in a folder or a ZIP archive; closed at the end.

    Names in a data file have a first folder (`img/`) that `place` may or may not hold; an archive may hold all in one folder more.

    Args:
        known: pictures by their `place`. One whose size and time of change still fit is trusted and not read again.

    Raises:
        DataError: there is nothing at `place`, or it is neither a folder nor a ZIP archive.
    """
    if place.is_dir():
        yield PictureFolder(place, known)
        return
    archive = PictureArchive(place, known)
    try:
        yield archive
    finally:
        archive.close()


def read_each(read: Callable[[str], Picture], names: Iterable[str]) -> dict[str, Picture | DataError]:
    """What `read` makes of each name, or its error; the names are shared out among a few threads."""

    def attempt(name: str) -> Picture | DataError:
        try:
            return read(name)
        except DataError as error:
            return error

    def take(batch: list[str]) -> list[Picture | DataError]:
        return [attempt(name) for name in batch]

    once = list(dict.fromkeys(names))
    batches = [once[start : start + _BATCH] for start in range(0, len(once), _BATCH)]
    found: dict[str, Picture | DataError] = {}
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        for batch, results in zip(batches, pool.map(take, batches), strict=True):
            found.update(zip(batch, results, strict=True))
    return found


class PictureReader:
    """Reads the pictures of a data set in portions, so that no more than one portion's are in memory; closed at the end of its block.

    Args:
        places: folders or archives; a picture is taken out of the first that has a usable one.
        known: pictures by their `place`, as in `open_pictures`.
    """

    def __init__(self, places: Sequence[Path], known: Mapping[str, Picture] = EMPTY) -> None:
        self._places = places
        self._known = known
        self._open: dict[Path, PictureSource] = {}
        self._files = ExitStack()
        self._lately: dict[str, Picture | DataError] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def beside(self, rows: Iterable[T], names_of: Callable[[T], Sequence[str]]) -> Iterator[tuple[T, tuple[Picture | DataError, ...]]]:
        """Each row with the pictures that it names: a picture, or its error in the last of the places.

        Raises:
            DataError: a place that is needed is neither a folder nor a ZIP archive.
        """
        left = iter(rows)
        while portion := list(islice(left, _PORTION)):
            found = self._read(dict.fromkeys(name for row in portion for name in names_of(row)))
            for row in portion:
                yield row, tuple(found[name] for name in names_of(row))

    def _read(self, names: Collection[str]) -> Mapping[str, Picture | DataError]:
        """Of all `names`; rows that share a picture often stand near each other, so the last portions' are kept."""
        left = [name for name in names if name not in self._lately]
        if len(self._lately) + len(left) > _MOST_LATELY:
            self._lately = {name: self._lately[name] for name in names if name in self._lately}
        for place in self._places:
            if left:
                self._lately |= read_each(self._source(place).read, left)
                left = [name for name in left if not isinstance(self._lately[name], Picture)]
        return self._lately

    def _source(self, place: Path) -> PictureSource:
        if place not in self._open:
            self._open[place] = self._files.enter_context(open_pictures(place, self._known))
        return self._open[place]


def plain_name(name: str) -> str:
    """`name` as a path below some folder, with `/` between its parts.

    Raises:
        DataError: it is empty, an address on the web, absolute, or leads upwards.
    """
    if "://" in name:
        raise DataError(f"its picture {name!r} is an address on the web, not a file")
    path = name.replace("\\", "/")  # tables written on Windows
    parts = [part for part in path.split("/") if part not in ("", ".")]  # `PurePath` would intern each for good
    if not name.strip() or "\x00" in name or path.startswith("/") or ".." in parts or name[1:2] == ":":
        raise DataError(f"its picture {name!r} is no name of a file below the pictures")
    plain = "/".join(parts) or "."
    return name if plain == name else plain  # the table's own object: thousands of samples hold one


def _spellings(name: str) -> tuple[str, ...]:
    """The name, and the name without its first folder."""
    plain = plain_name(name)
    _, _, below = plain.partition("/")
    return (plain, below) if below else (plain,)


class PictureFolder:
    """The pictures in a folder."""

    def __init__(self, place: Path, known: Mapping[str, Picture] = EMPTY) -> None:
        self.place = place
        self._real = place.resolve()
        self._known = known

    def read(self, name: str) -> Picture:
        """As in `PictureSource`."""
        try:
            path = next((path for spelling in _spellings(name) if os.path.lexists(path := self.place / spelling)), None)
            inside = path is not None and path.resolve().is_relative_to(self._real)
        except (OSError, RuntimeError) as error:  # a ring of links, a name that is too long
            raise DataError(f"its picture {name!r} cannot be followed ({error})") from error
        if path is None:
            raise DataError(f"its picture {name} is not in {self.place}")
        if not inside:
            raise DataError(f"its picture {name} is a link that leads out of {self.place}")
        return read_picture(path, self._known)


class PictureArchive:
    """The pictures in a ZIP archive, read without unpacking it.

    Raises:
        DataError: it is not there or no ZIP archive.
    """

    def __init__(self, place: Path, known: Mapping[str, Picture] = EMPTY) -> None:
        self.place = place
        self._path = str(place.absolute())
        self._known = known
        self._counting = threading.Lock()
        """`ZipFile` counts its open members without a lock; reading them has one."""
        if not place.is_file():  # opening a pipe would wait for ever
            raise DataError(f"{place}: there is no such folder or archive of pictures")
        try:
            self._file = open(place, "rb")  # noqa: SIM115
        except OSError as error:
            raise DataError(f"{place}: the pictures cannot be read ({error.strerror})") from error
        try:
            self._mtime_ns = os.fstat(self._file.fileno()).st_mtime_ns
            self._archive = zipfile.ZipFile(self._file)
            tops = {name.partition("/")[0] for name in self._archive.NameToInfo} - {"__MACOSX"}
            self._top = tops.pop() if len(tops) == 1 else ""  # who packs a folder packs its name too
            self._members = ZipMembers(self._archive)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
            self._file.seek(0)
            head = self._file.read(_HEAD_BYTES)
            self._file.close()
            like = "a cut or damaged one" if head.startswith(b"PK") else _looks_like(head) if head else "an empty file"
            raise DataError(f"{place}: is no ZIP archive of pictures; it looks like {like}; copy or download it again") from error

    def close(self) -> None:
        """Closes the archive."""
        self._archive.close()
        self._file.close()

    def read(self, name: str) -> Picture:
        """As in `PictureSource`."""
        info = self._find(name)
        if (reason := _unfit(info)) is not None:
            raise DataError(f"its picture {info.filename} in {self.place} {reason}")
        earlier = self._known.get(f"{self._path}/{info.filename}")
        if earlier is not None and (earlier.member, earlier.size, earlier.mtime_ns) == (info.filename, info.file_size, self._mtime_ns):
            return self._picture(info, earlier.sha256, earlier.mime)
        try:
            return self._hash(info)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
            raise DataError(
                f"its picture {info.filename} in {self.place} cannot be unpacked ({error}); get the archive again"
            ) from error

    def _find(self, name: str) -> zipfile.ZipInfo:
        spellings = _spellings(name)
        for spelling in (*spellings, *(f"{self._top}/{each}" for each in spellings)):
            if (info := self._members.find(spelling)) is not None:
                return info
        raise DataError(f"its picture {name} is not in {self.place}")

    def _hash(self, info: zipfile.ZipInfo) -> Picture:
        with self._counting:
            stream = self._archive.open(info)
        try:
            head = stream.read(_HEAD_BYTES)
            mime = sniff(head)
            if mime is None:
                raise DataError(f"its picture {info.filename} in {self.place} is no picture; it looks like {_looks_like(head)}")
            digest, size = hashlib.sha256(head), len(head)
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
        finally:
            with self._counting:
                stream.close()
        if size != info.file_size:
            raise zipfile.BadZipFile(f"{size} bytes instead of {info.file_size}")
        return self._picture(info, digest.hexdigest(), mime)

    def _picture(self, info: zipfile.ZipInfo, sha256: str, mime: str) -> Picture:
        return Picture(self._path, sha256, mime, info.file_size, self._mtime_ns, info.filename)


def _unfit(info: zipfile.ZipInfo) -> str | None:
    """Why a member is not to be read, if it is not."""
    if info.is_dir():
        return "is a folder"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "is a link"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if info.compress_type not in _METHODS:
        return "is packed by a method other than deflate; pack it again with an ordinary ZIP program"
    if info.file_size == 0:
        return "is empty (0 bytes)"
    if info.file_size > MOST_BYTES:
        return f"is {info.file_size >> 20} MB unpacked, more than the {MOST_BYTES >> 20} MB that a picture may have"
    return None


_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs", "a Git LFS pointer (run `git lfs pull` where it comes from)"),
    (b"PK\x03\x04", "a ZIP archive (unpack it)"),
    (b"\x1f\x8b", "a gzip archive (unpack it)"),
    (b"%PDF", "a PDF document"),
    (b"BM", "a BMP picture (convert it to PNG)"),
    (b"II*\x00", "a TIFF picture (convert it to PNG)"),
    (b"MM\x00*", "a TIFF picture (convert it to PNG)"),
)
_TEXT_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"<!doctype html", "an HTML page (a login or error page saved in the picture's place?)"),
    (b"<html", "an HTML page (a login or error page saved in the picture's place?)"),
    (b"<svg", "an SVG drawing (convert it to PNG)"),
    (b"<?xml", "XML"),
    (b"{", "JSON"),
    (b"[", "JSON"),
)


def _looks_like(head: bytes) -> str:
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head[4:8] == b"ftyp":
        return "a HEIC or AVIF picture (convert it to PNG)"
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for signature, kind in _TEXT_SIGNATURES:
        if start.startswith(signature):
            return kind
    return "binary data of another kind" if _is_binary(head) else "text"


def _is_binary(head: bytes) -> bool:
    return any(byte < 32 and byte not in b"\t\n\r\f" for byte in head) or head.startswith((b"\xff", b"\xfe"))
