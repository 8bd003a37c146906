"""Fills prompt templates in one pass, and fences untrusted text so that it cannot pass for a part of the prompt.

Both are deterministic: the filled prompt is part of a call's id, so a random delimiter would make every call a new one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

_PIECE: Final = re.compile(r"\{\{|\}\}|\{(\w+)\}|[{}]")
_SHORTEST_TAG, _LONGEST_TAG = 4, 64


def fill(template: str, values: Mapping[str, str]) -> str:
    """`template` with each `{name}` replaced by its value; `{{` and `}}` stand for braces.

    One pass: what a value holds is never looked at again, so an answer that contains `{reference}` stays as it is.

    Raises:
        KeyError: a placeholder has no value.
        ValueError: a brace is neither doubled nor part of a placeholder.
    """

    literals, names = _taken_apart(template)
    filled = [literals[0]]
    for name, literal in zip(names, literals[1:], strict=True):
        filled += (values[name], literal)
    return "".join(filled)


@lru_cache(maxsize=64)
def _taken_apart(template: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(the texts around the placeholders, their names): a template is filled for every answer."""
    literals, names, end = [""], [], 0
    for found in _PIECE.finditer(template):
        literals[-1] += template[end : found.start()]
        end = found.end()
        if (name := found[1]) is not None:
            names.append(name)
            literals.append("")
        elif len(found[0]) == 1:
            raise ValueError(f"single {found[0]!r} at character {found.start()} of a prompt template: double it")
        else:
            literals[-1] += found[0][0]
    literals[-1] += template[end:]
    return tuple(literals), tuple(names)


def fence(text: str) -> tuple[str, str, str]:
    """(opening delimiter, `text`, closing delimiter) for untrusted `text`, to be joined with newlines.

    The delimiters carry a BLAKE2b digest of the text, longer where the text happens to hold it, so neither occurs in the text
    and nobody can write them without knowing the whole text beforehand. The same text always gets the same ones.
    """
    raw, lowered = text.encode("utf-8", "surrogatepass"), text.lower()
    # A text would have to hold digests of itself in sixty lengths for this to run dry.
    sizes = range(_SHORTEST_TAG, _LONGEST_TAG + 1)
    digests = (hashlib.blake2b(raw, digest_size=size).hexdigest() for size in sizes)
    tag = next(digest for digest in digests if digest not in lowered)
    return f"<untrusted-{tag}>", text, f"</untrusted-{tag}>"
