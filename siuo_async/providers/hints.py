"""Reads the server's hint of how long to wait, from headers and error bodies. Pure.

Headers vanish behind gateways and hold -1 or NaN, so every field is optional and a value that cannot be meant is no hint.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from siuo_async.values import Json

LONGEST_HINT_S = 7 * 86_400.0
"""A longer wait cannot be meant: it is a date read as a number of seconds, or a clock that is wrong."""

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhd]))+", re.ASCII)
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])", re.ASCII)
_FAMILIES = ("-requests", "-tokens", "")
_ANTHROPIC_FAMILIES = ("requests", "tokens", "input-tokens", "output-tokens")
_EPOCH_FROM, _EPOCH_MS_FROM = 1e9, 1e12
"""A bare `x-ratelimit-reset` is seconds to wait, epoch seconds or epoch milliseconds; only its size tells which."""


def retry_after(headers: Mapping[str, str], body_json: Json, now: float) -> float | None:
    """Seconds to wait before the next try, or None where the server gives no usable hint.

    In this order: `retry-after-ms`; `retry-after` (seconds or an HTTP date); Google's `RetryInfo` in the body;
    `x-ratelimit-reset*` of the families that are used up; Anthropic's resets of the families that are used up.

    Args:
        headers: looked up case-insensitively, or with lower-case keys.
        body_json: the parsed error body, of any shape.
        now: epoch seconds at which the reply came, for hints that are dates.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    tries = (
        None if milliseconds is None else _sane(milliseconds / 1000),
        _seconds_or_date(headers.get("retry-after"), now),
        _retry_info(body_json),
        _resets(headers, now),
        _anthropic_resets(headers, now),
    )
    return next((seconds for seconds in tries if seconds is not None), None)


def parse_duration(text: str) -> float | None:
    """Seconds in `6m0s`, `7.66s`, `40ms`, `1h2m3.5s` or a bare number of seconds; None for anything else."""
    text = text.strip()
    if _DURATION.fullmatch(text):
        return sum(float(amount) * _UNITS_S[unit] for amount, unit in _DURATION_PART.findall(text))
    return _number(text)


def _sane(seconds: float | None) -> float | None:
    if seconds is None or not math.isfinite(seconds) or not 0 <= seconds <= LONGEST_HINT_S:
        return None
    return seconds


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _seconds_or_date(text: str | None, now: float) -> float | None:
    if text is None:
        return None
    seconds = _number(text)
    if seconds is not None:
        return _sane(seconds)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return _until(date, now)


def _until(date: datetime, now: float) -> float | None:
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    try:
        return _sane(date.timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _retry_info(body: Json) -> float | None:
    if isinstance(body, list) and body:
        body = body[0]
    error = body.get("error") if isinstance(body, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    for detail in details if isinstance(details, list) else ():
        delay = detail.get("retryDelay") if isinstance(detail, dict) else None
        if isinstance(delay, str):
            return _sane(parse_duration(delay))
    return None


def _resets(headers: Mapping[str, str], now: float) -> float | None:
    waits = []
    for family in _FAMILIES:
        reset = headers.get(f"x-ratelimit-reset{family}")
        if reset is None or (_number(headers.get(f"x-ratelimit-remaining{family}")) or 0) > 0:
            continue
        seconds = parse_duration(reset)
        if seconds is not None and seconds >= _EPOCH_FROM:
            seconds = (seconds / 1000 if seconds >= _EPOCH_MS_FROM else seconds) - now
        waits.append(_sane(seconds))
    return max((wait for wait in waits if wait is not None), default=None)


def _anthropic_resets(headers: Mapping[str, str], now: float) -> float | None:
    waits = []
    for family in _ANTHROPIC_FAMILIES:
        reset = headers.get(f"anthropic-ratelimit-{family}-reset")
        if reset is None or _number(headers.get(f"anthropic-ratelimit-{family}-remaining")) != 0:
            continue
        try:
            waits.append(_until(datetime.fromisoformat(reset.strip()), now))
        except ValueError:
            continue
    return max((wait for wait in waits if wait is not None), default=None)
