"""Reads a picture file's identity: kind, hash, size and time, never its pixels.

The kind comes from the first bytes, because released data sets hold PNG files called .jpg and download pages called .png. The
second is a mistake that would otherwise be paid for with one failed call per sample, so it is found before a run begins.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from siuo_async.errors import DataError
from siuo_async.values import EMPTY, Picture

_HEAD_BYTES = 512
"""Enough for every signature below, and for a doctype behind some white space."""


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
        known: pictures by their `path`. One whose size and time of change still fit is trusted and not read again.

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


def _read(path: Path, name: str) -> Picture:
    with open(name, "rb") as file:
        seen = os.fstat(file.fileno())
        head = file.read(_HEAD_BYTES)
        mime = sniff(head)
        if mime is None:
            raise DataError(f"{path}: is no PNG, JPEG, WebP or GIF picture; it looks like {_looks_like(head)}")
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Picture(path=name, sha256=digest, mime=mime, size=seen.st_size, mtime_ns=seen.st_mtime_ns)


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
