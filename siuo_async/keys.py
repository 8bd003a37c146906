"""Keeping keys out of text: what servers echo must never reach a journal, a screen or a report.

It stands below every room that sends something, since models and search engines are both asked with keys.
"""

from __future__ import annotations

import re

_SHORTEST = 6
_PART = 12
_PASSWORD = re.compile(r"//[^/\s@]+@")
_KEY_SHAPES = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|key)-[A-Za-z0-9_\-*]{8,}|\bAIza[0-9A-Za-z_\-]{10,}|\bBearer\s+[A-Za-z0-9._\-]{8,}|[A-Za-z0-9_\-]+\*{3,}[A-Za-z0-9_\-]*"
)


def redact(text: str, key: str | None) -> str:
    """`text` without `key`, its parts, or anything of the shape of a key (servers echo them in errors)."""
    if key and len(key) >= _SHORTEST:
        text = text.replace(key, "[key]")
        if len(key) > _PART:
            text = re.sub(rf"{re.escape(key[:_PART])}[^\s'\"]*|[^\s'\"]*{re.escape(key[-_PART:])}", "[key]", text)
    return _KEY_SHAPES.sub("[key]", _PASSWORD.sub("//[key]@", text))


def without_key(text: str, key: str | None) -> str:
    """`text` without the key itself; what merely looks like one stays."""
    return text.replace(key, "[key]") if key and len(key) >= _SHORTEST else text


def unmistakable(key: str | None) -> bool:
    """Whether a key is no word that a model or a page may use of itself: taking those out would change what is measured."""
    return key is not None and len(key) >= _PART and any(c.isdigit() for c in key) and any(c.isalpha() for c in key)
