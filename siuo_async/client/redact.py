"""Keeping keys out of whatever is stored or shown."""

from __future__ import annotations

import re

_SHORTEST = 6
_KEY_SHAPES = re.compile(r"\b(?:sk|pk|rk|gsk|xai|key)-[A-Za-z0-9_\-*]{8,}|\bAIza[0-9A-Za-z_\-]{10,}|\bBearer\s+[A-Za-z0-9._\-]{8,}")


def redact(text: str, key: str | None) -> str:
    """`text` without `key`, its parts, or anything of the shape of a key (servers echo them in errors)."""
    if key and len(key) >= _SHORTEST:
        text = text.replace(key, "[key]")
    return _KEY_SHAPES.sub("[key]", text)
