"""Makes ZIP archives of tiny pictures, good ones and such that must not be followed."""

from __future__ import annotations

import stat
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

PNG = b"\x89PNG\r\n\x1a\n"


def pack(path: Path, members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """An archive with these members."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def pack_link(path: Path, name: str, target: str) -> Path:
    """An archive with a symbolic link as `zip --symlinks` stores it."""
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(info, target)
    return path


def rewrite(path: Path, *, flags: int | None = None, declared: int | None = None) -> Path:
    """Changes what the table of contents says of its only member: flag bits, unpacked size."""
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    if flags is not None:
        struct.pack_into("<H", content, entry + 8, flags)
        struct.pack_into("<H", content, content.index(b"PK\x03\x04") + 6, flags)
    if declared is not None:
        struct.pack_into("<L", content, entry + 24, declared)
    path.write_bytes(content)
    return path
