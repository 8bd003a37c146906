"""Pictures inside a page, as data URIs of bounded size, so that a page is one file and needs no network."""

from __future__ import annotations

import io
import zipfile
from base64 import b64encode
from pathlib import Path

from siuo_async.benchmarks.data.pictures import MOST_BYTES
from siuo_async.plain_files import plain_bytes
from siuo_async.values import Picture

AS_IT_IS = 1 << 20
"""Bytes up to which a picture is embedded as it is."""
_SIDE = 1600
"""Pixels of the longer side of what is made smaller."""
_QUALITY = 85
_MOST_PIXELS = 100_000_000
"""Beyond it a picture is not opened: it would fill the memory."""


def embedded(picture: Picture) -> tuple[str, str]:
    """(the data URI; empty where there is none, why not)."""
    try:
        content = _content(picture)
    except (OSError, KeyError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:
        return "", f"A picture belongs here, but its file cannot be read any more ({type(error).__name__})."
    if len(content) <= AS_IT_IS:
        return _uri(picture.mime, content), ""
    try:
        return _uri("image/jpeg", _smaller(content)), ""
    except Exception:  # whatever a decoder makes of bytes from elsewhere
        return "", "A picture belongs here, but it is too large and cannot be made smaller."


def _content(picture: Picture) -> bytes:
    if picture.size > MOST_BYTES:
        raise ValueError("too large")
    if picture.member is None:
        return plain_bytes(Path(picture.path))
    with zipfile.ZipFile(picture.path) as archive, archive.open(picture.member) as stream:
        return stream.read(MOST_BYTES + 1)


def _uri(mime: str, content: bytes) -> str:
    return f"data:{mime};base64,{b64encode(content).decode('ascii')}"


def _smaller(content: bytes) -> bytes:
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(content)) as opened:
        if opened.width * opened.height > _MOST_PIXELS:
            raise ValueError("too many pixels")
        opened.draft("RGB", (_SIDE, _SIDE))
        turned = ImageOps.exif_transpose(opened)
        turned.thumbnail((_SIDE, _SIDE))
        flat = Image.new("RGB", turned.size, "white")
        seen = turned.convert("RGBA")
        flat.paste(seen, mask=seen.getchannel("A"))
        held = io.BytesIO()
        flat.save(held, "JPEG", quality=_QUALITY)
        return held.getvalue()
