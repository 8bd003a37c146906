"""Checks that all dialects share: types and ranges of fields, and pictures in base64."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pybase64

from siuo_async.simulator.counting import Size, size_of
from siuo_async.simulator.wire import Json

Kind = Literal["integer", "number", "boolean", "string", "object", "list", "anything"]

_TYPES: Mapping[Kind, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "string": (str,),
    "object": (dict,),
    "list": (list,),
    "anything": (object,),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What one field of a request may hold; null is as good as absent."""

    kind: Kind
    low: float = float("-inf")
    high: float = float("inf")

    def complaint(self, value: Json) -> str | None:
        """What is wrong with `value`; None if nothing is."""
        if value is None:
            return None
        is_bool = isinstance(value, bool) and self.kind in ("integer", "number")
        if is_bool or not isinstance(value, _TYPES[self.kind]):
            return f"expected {self.kind}, got {type(value).__name__}"
        if isinstance(value, int | float) and not self.low <= value <= self.high:
            return f"{value} is outside {self.low:g} to {self.high:g}"
        return None


def unknown_field(body: dict[str, Json], rules: Mapping[str, Rule]) -> str | None:
    """The first field without a rule."""
    return next((name for name in body if name not in rules), None)


def broken_rule(body: dict[str, Json], rules: Mapping[str, Rule]) -> tuple[str, str] | None:
    """The first field whose value breaks its rule, and the complaint."""
    for name, value in body.items():
        complaint = rules[name].complaint(value)
        if complaint:
            return name, complaint
    return None


def picture_seen(data: str, *, url_safe: bool = False) -> tuple[str | None, Size | None]:
    """(MIME type, size) of a picture by its first bytes; None: no format known here.

    Args:
        data: base64; decoded whole, which costs less than any other proof that it can be.
        url_safe: whether `-` and `_`, and missing padding, are accepted too.

    Raises:
        ValueError: not base64.
    """
    if url_safe:
        if "-" in data or "_" in data:
            data = data.replace("-", "+").replace("_", "/")
        data += "=" * (-len(data) % 4)
    raw = pybase64.b64decode(data, validate=True)
    return _mime_of(raw[:16]), size_of(raw)


def _mime_of(head: bytes) -> str | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"mif1", b"heif"):
        return "image/heic"
    return None
