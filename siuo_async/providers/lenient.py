"""Reads JSON that was paid for: strictly where it can, leniently within bounds where it must.

Servers of open models send lone surrogates, NaN and deep nesting, which orjson refuses. Throwing such a reply away would pay
for it twice, so the standard library reads it and what no JSON text may hold is replaced.
"""

from __future__ import annotations

import json
import math

import orjson

from siuo_async.values import Json

MOST_VALUES = 3_000_000
"""Short values take twenty times their length in memory; log-probabilities of 8,000 tokens are a million values."""
_COUNTED_FROM_BYTES = 1 << 20
MAX_LENIENT_BYTES = 8 * 1024 * 1024
"""Above this no second, slower reading is tried: real replies are under 1 MB, and meanwhile no other call goes on."""


def loads(body: bytes) -> tuple[Json, bool]:
    """The value in `body`, and whether it had to be repaired.

    Repaired means: lone surrogates and bytes that are no UTF-8 became U+FFFD, NaN and infinities became None, or the nesting
    was deeper than orjson takes.

    Raises:
        ValueError: no JSON, or beyond the bounds in size, number of values or depth.
    """
    if len(body) > _COUNTED_FROM_BYTES and sum(map(body.count, (b",", b"{", b"["))) > MOST_VALUES:
        raise ValueError(f"more than {MOST_VALUES} values")
    try:
        return orjson.loads(body), False
    except orjson.JSONDecodeError:
        body = body.removeprefix(b"\xef\xbb\xbf")
    try:
        return orjson.loads(body), False
    except orjson.JSONDecodeError:
        pass
    if len(body) > MAX_LENIENT_BYTES:
        raise ValueError(f"no strict JSON, and too large ({len(body)} bytes) to be read leniently")
    try:
        return scrub(json.loads(body.decode("utf-8", "replace"), parse_constant=lambda _: None)), True
    except RecursionError:
        raise ValueError("nested too deeply") from None


def scrub(value: Json) -> Json:
    """A copy of `value` that strict JSON can hold: no lone surrogates, no NaN, no infinities.

    Raises:
        RecursionError: nested deeper than the interpreter's stack.
    """
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {scrub(name): scrub(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [scrub(inner) for inner in value]
    return value


def printable(told: str) -> str:
    """`told` on one line, with U+FFFD for control characters, lone surrogates and whatever else has no shape of its own."""
    line = " ".join(told.split())
    return line if line.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in line)
