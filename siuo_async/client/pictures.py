"""Pictures on their way to a provider: read, checked and base64-encoded once, in a bounded cache; in a thread where that may wait.

A SIUO picture goes out seven times per model (one question, six verdicts), so encoding it once and sharing the bytes is most of what
there is to gain. Entries in flight are pinned; the rest is let go oldest first. A picture in a ZIP archive is read without unpacking:
the archive is opened once and stays open until the cache is closed, since its table of contents is long.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

import pybase64

from siuo_async.client.page_cache import PageCache
from siuo_async.errors import DataError
from siuo_async.values import Picture
from siuo_async.zip_members import ZipMembers

if TYPE_CHECKING:
    from zipfile import ZipFile

CACHE_BYTES = 256 << 20
MOST_KEPT = 1024
"""Pictures kept beyond what is pinned: of thousands of small ones the bookkeeping alone would grow with the data."""


@dataclass(slots=True)
class _Entry:
    pins: int = 0
    content: bytes | None = None
    loading: asyncio.Future[bytes] | None = None
    """While there is no content."""


class PictureCache:
    """Base64 of pictures by content.

    Args:
        most_bytes: encoded bytes kept beyond what is pinned.
    """

    def __init__(self, most_bytes: int = CACHE_BYTES) -> None:
        self._most_bytes = most_bytes
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._archives: dict[str, _Archive] = {}
        self._page_cache = PageCache()
        self._line: deque[tuple[Picture, _Entry]] = deque()
        """Pictures for a later turn of the event loop."""
        self.held_bytes = 0

    def close(self) -> None:
        """Closes the archives. A read under way is waited for; a later one opens its archive again."""
        for archive in self._archives.values():
            archive.close()

    async def pin(self, picture: Picture) -> bytes:
        """The standard base64 of the picture's bytes, kept until `unpin`.

        Raises:
            DataError: the file is gone, or no longer what was hashed when the run began.
        """
        entry = self._entries.get(picture.sha256)
        if entry is not None:
            self._entries.move_to_end(picture.sha256)
            entry.pins += 1
        else:
            entry = self._entries[picture.sha256] = _Entry(pins=1)
            self._load(picture, entry)
        if entry.content is not None:
            return entry.content
        assert entry.loading is not None
        try:
            # In a future of its own: a caller that is cancelled must not take the bytes away from others that wait for them.
            return await asyncio.shield(entry.loading)
        except BaseException:
            entry.pins -= 1
            self._let_go()
            raise

    def _load(self, picture: Picture, entry: _Entry) -> None:
        """Reads a picture now if that needs no waiting, else in a later turn or in a thread."""
        if not self._page_cache.takes(picture):
            self._load_in_thread(picture, entry)
        elif self._line or not self._page_cache.has_room(picture):
            entry.loading = asyncio.get_running_loop().create_future()
            if not self._line:
                asyncio.get_running_loop().call_soon(self._load_line)
            self._line.append((picture, entry))
        elif (content := self._page_cache.encoded(picture)) is not None:
            self._loaded(entry, content)
        else:
            self._load_in_thread(picture, entry)

    def _load_line(self) -> None:
        while self._line and self._page_cache.has_room(self._line[0][0]):
            picture, entry = self._line.popleft()
            content = self._page_cache.encoded(picture) if self._page_cache.takes(picture) else None
            if content is not None:
                self._loaded(entry, content)
            else:
                self._load_in_thread(picture, entry)
        if self._line:
            asyncio.get_running_loop().call_soon(self._load_line)

    def _load_in_thread(self, picture: Picture, entry: _Entry) -> None:
        loop = asyncio.get_running_loop()
        entry.loading = entry.loading or loop.create_future()
        reading = loop.run_in_executor(None, _read_encoded, picture, self._archive_of(picture))
        reading.add_done_callback(partial(self._read, picture.sha256, entry))

    def _read(self, sha256: str, entry: _Entry, reading: asyncio.Future[bytes]) -> None:
        if not reading.cancelled() and (error := reading.exception()) is None:
            self._loaded(entry, reading.result())
            return
        del self._entries[sha256]  # the next one reads it again
        assert entry.loading is not None
        if reading.cancelled():
            entry.loading.cancel()
        elif error is not None and not entry.loading.done():
            entry.loading.set_exception(error)
            entry.loading.exception()  # who waited may be gone; that is no lost exception

    def _loaded(self, entry: _Entry, content: bytes) -> None:
        entry.content = content
        self.held_bytes += len(content)
        if entry.loading is not None and not entry.loading.done():
            entry.loading.set_result(content)
        entry.loading = None
        self._let_go()

    def _archive_of(self, picture: Picture) -> _Archive | None:
        return None if picture.member is None else self._archives.setdefault(picture.path, _Archive(picture.path))

    def unpin(self, picture: Picture) -> None:
        """Says that a call no longer needs the bytes."""
        if (entry := self._entries.get(picture.sha256)) is not None and entry.pins > 0:
            entry.pins -= 1
            self._let_go()

    def _let_go(self) -> None:
        if self._within_bounds():
            return
        for sha256, entry in list(self._entries.items()):
            if self._within_bounds():
                return
            if entry.pins == 0 and entry.content is not None:
                del self._entries[sha256]
                self.held_bytes -= len(entry.content)

    def _within_bounds(self) -> bool:
        return self.held_bytes <= self._most_bytes and len(self._entries) <= MOST_KEPT


class PictureFiles:
    """Pictures read one after another, without a cache: for whoever only looks at a run."""

    def __init__(self) -> None:
        self._archives: dict[str, _Archive] = {}

    def read(self, picture: Picture) -> bytes:
        """The picture's bytes.

        Raises:
            DataError: it is gone, or no longer what was hashed when the run began.
        """
        archive = None if picture.member is None else self._archives.setdefault(picture.path, _Archive(picture.path))
        return _read(picture, archive)

    def close(self) -> None:
        """Closes the archives."""
        for archive in self._archives.values():
            archive.close()


class _Archive:
    """A ZIP archive of pictures, opened when first needed and again when the file has changed. For several threads, one at a time."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._open: tuple[BinaryIO, ZipFile, ZipMembers, tuple[int, ...]] | None = None

    def read(self, picture: Picture) -> tuple[bytes, bool]:
        """A member's bytes, and whether archive and size are what they were when it was hashed.

        Raises:
            OSError, ValueError: it cannot be read any more.
        """
        import zipfile  # 20 ms that only archives need
        import zlib

        assert picture.member is not None
        with self._lock:
            try:
                archive, members, mtime_ns = self._current()
                if (info := members.find(picture.member)) is None:
                    raise ValueError("it is no longer there")
                if info.file_size != picture.size:  # so what is unpacked here has the bound of what was hashed
                    raise ValueError("its size changed")
                content = archive.read(info)
            except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError, NotImplementedError) as error:
                raise ValueError(str(error)) from error
            return content, mtime_ns == picture.mtime_ns

    def _current(self) -> tuple[ZipFile, ZipMembers, int]:
        from zipfile import ZipFile

        if self._open is None or self._open[3] != _mark(os.stat(self._path)):
            self._close()
            file = open(self._path, "rb")  # noqa: SIM115
            try:
                archive = ZipFile(file)
                self._open = (file, archive, ZipMembers(archive), _mark(os.fstat(file.fileno())))
            except BaseException:
                file.close()
                raise
        _, archive, members, (mtime_ns, *_) = self._open
        return archive, members, mtime_ns

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._open is not None:
            file, archive, *_ = self._open
            self._open = None
            archive.close()
            file.close()


def _mark(found: os.stat_result) -> tuple[int, ...]:
    """What tells a file from a changed one; the time of change first."""
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev


def _read_encoded(picture: Picture, archive: _Archive | None) -> bytes:
    return pybase64.b64encode(_read(picture, archive))


def _read(picture: Picture, archive: _Archive | None) -> bytes:
    try:
        raw, untouched = _read_file(picture) if archive is None else archive.read(picture)
    except OSError as error:
        raise DataError(f"{picture.place} can no longer be read ({error.strerror}); put it back and run again") from error
    except ValueError as error:
        raise _changed(picture) from error
    if not untouched and hashlib.sha256(raw).hexdigest() != picture.sha256:
        raise _changed(picture)
    return raw


def _read_file(picture: Picture) -> tuple[bytes, bool]:
    with open(picture.path, "rb") as file:
        found = os.fstat(file.fileno())
        raw = file.read(picture.size + 1)  # what took its place may have no end
    return raw, found.st_size == len(raw) == picture.size and found.st_mtime_ns == picture.mtime_ns


def _changed(picture: Picture) -> DataError:
    return DataError(f"{picture.place} changed since the run began; put the old file back, or start a new run with --fresh")
