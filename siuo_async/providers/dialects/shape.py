"""Reads JSON of which nothing is certain: any field may be missing, null or of another type. Shared by the dialects."""

from __future__ import annotations

import math
from types import MappingProxyType

from siuo_async.values import Json

_FINISH = MappingProxyType(
    dict.fromkeys(("stop", "STOP", "end_turn", "stop_sequence", "eos"), "stop")
    | dict.fromkeys(("length", "max_tokens", "MAX_TOKENS", "model_length", "model_context_window_exceeded", "CONTINUATION"), "length")
)


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
        return value or None
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


def finish(value: Json) -> str | None:
    """Why an answer ended: `stop`, `length`, or the provider's own word."""
    told = text(value)
    return _FINISH.get(told, told) or None
