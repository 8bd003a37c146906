"""Reads JSON of which nothing is certain: any field may be missing, null or of another type. Shared by the dialects.

Two ways. What is merely told along (tokens, names, reasons) is taken where it can be and is nothing where it cannot. What decides
what an answer is (its text, why it ended) may be missing or null, but of another type it is an `OddFieldError`: to go on as if it
were not there would turn a block into an answer, or leave a piece of the text out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from siuo_async.values import Json

MOST_CHARACTERS = 1_000
"""Of a name, a code or a reason; no real one is as long."""
_FINISH = MappingProxyType(
    dict.fromkeys(("stop", "STOP", "end_turn", "stop_sequence", "eos"), "stop")
    | dict.fromkeys(("length", "max_tokens", "MAX_TOKENS", "model_length", "model_context_window_exceeded", "CONTINUATION"), "length")
)


class OddFieldError(ValueError):
    """A field that decides what an answer is has a type that it never has."""


def known_text(fields: Mapping[str, Json], name: str) -> str:
    """A field that decides, as text; empty where it is missing or null.

    Raises:
        OddFieldError: it is of another type.
    """
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise OddFieldError(f"its {name} is no text")
    return value


def known_table(fields: Mapping[str, Json], name: str) -> dict[str, Json]:
    """A field that decides, as an object; an empty one where it is missing or null.

    Raises:
        OddFieldError: it is of another type.
    """
    value = fields.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise OddFieldError(f"its {name} is no object")
    return value


def known_tables(fields: Mapping[str, Json], name: str) -> list[dict[str, Json]]:
    """A field that decides, as a list of objects; an empty one where it is missing or null.

    Raises:
        OddFieldError: it, or anything in it, is of another type.
    """
    value = fields.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise OddFieldError(f"its {name} is no list of objects")
    return value


def piece(fields: Mapping[str, Json], name: str) -> str:
    """The text of a piece of an answer, which must be there.

    Raises:
        OddFieldError: it is not.
    """
    value = fields.get(name)
    if not isinstance(value, str):
        raise OddFieldError(f"a piece of it has no {name}")
    return value


def table(value: Json) -> dict[str, Json]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def rows(value: Json) -> list[Json]:
    """`value` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: Json) -> str:
    """`value` if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def word(value: Json) -> str | None:
    """`value` if it is a string with something in it; a whole number (a code) as its digits; else None."""
    if isinstance(value, str):
        return value[:MOST_CHARACTERS] or None
    return str(value) if type(value) is int and abs(value) < 10**9 else None


def count(value: Json) -> int | None:
    """`value` as a number of tokens, or None if it cannot be one."""
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value < 2**53 else None


def amount(value: Json) -> float | None:
    """`value` as a finite number that is not negative, or None if it is none."""
    if type(value) not in (int, float) or not 0 <= value < 1e15:
        return None
    return float(value)


def number(value: Json) -> float | None:
    """`value` as a finite number, or None if it is none."""
    if type(value) not in (int, float) or not -1e15 < value < 1e15:
        return None
    return float(value)


def total(*parts: int | None) -> int | None:
    """The sum of the parts that are known; None if none is."""
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def finish(told: str) -> str | None:
    """Why an answer ended: `stop`, `length`, or the provider's own word."""
    told = told[:MOST_CHARACTERS]
    return _FINISH.get(told, told) or None
