"""Width and height of the pictures of a data set, each looked up once, from the first kilobytes of its file."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, ZipFile

from siuo_async.plain_files import without_waiting
from siuo_async.providers.picture_size import Size, size_in
from siuo_async.values import Picture

_HEADS = (4 << 10, 1 << 20)
"""Nearly every picture tells its size at once; a JPEG may hold a preview of a few hundred kilobytes before it does."""


class PictureSizes:
    """`sizes(picture)` is its size, or None where it cannot be read; never raises."""

    def __init__(self) -> None:
        self._found: dict[str, Size | None] = {}
        self._archives: dict[str, ZipFile | None] = {}

    def __call__(self, picture: Picture) -> Size | None:
        """The size of a picture; by content, so that a copy is not looked at again."""
        if picture.sha256 not in self._found:
            self._found[picture.sha256] = self._look(picture)
        return self._found[picture.sha256]

    @property
    def unknown(self) -> int:
        """Pictures whose size could not be read."""
        return sum(size is None for size in self._found.values())

    def close(self) -> None:
        """Closes the archives."""
        for archive in self._archives.values():
            if archive is not None:
                archive.close()
        self._archives.clear()

    def _look(self, picture: Picture) -> Size | None:
        try:
            if picture.member is not None:
                return self._in_archive(picture.path, picture.member)
            with open(picture.path, "rb", opener=without_waiting) as file:
                return _size(file)
        except (OSError, ValueError, KeyError, BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
            return None  # what is wrong with it is told where the data are read

    def _in_archive(self, path: str, member: str) -> Size | None:
        if path not in self._archives:
            self._archives[path] = None
            if Path(path).is_file():
                self._archives[path] = ZipFile(path)
        archive = self._archives[path]
        if archive is None:
            return None
        with archive.open(member) as file:
            return _size(file)


def _size(file: IO[bytes]) -> Size | None:
    head = b""
    for length in _HEADS:
        head += file.read(length - len(head))
        if (found := size_in(head)) is not None or len(head) < length:
            return found
    return None
