"""Reads what a server tells of its limits: how long to wait, where they stand, which one was hit. Pure.

Headers vanish behind gateways and hold -1 or NaN, so every field is optional and a value that cannot be meant is no hint.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from siuo_async.values import Json

Unit: TypeAlias = Literal["requests", "tokens", "input_tokens", "output_tokens"]
LimitKind: TypeAlias = Literal["requests", "tokens", "concurrency", "day"]

LONGEST_HINT_S = 7 * 86_400.0
"""A longer wait cannot be meant: it is a date read as a number of seconds, or a clock that is wrong."""

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhd]))+", re.ASCII)
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])", re.ASCII)
_FAMILIES = ("-requests", "-tokens", "")
_ANTHROPIC_FAMILIES = ("requests", "tokens", "input-tokens", "output-tokens")
_LEAST, _MOST = 1.0, 1e12
"""A limit above the second is a way of saying that there is none; one below the first would let nothing through."""
_JUST_NOW_S = 60.0
"""A reset that is a date is given in whole seconds of another clock, so one that has just gone by means now."""
_CLOCKS_AGREE_S = 2.0
"""`Date` is in whole seconds and as old as the way here: only beyond this does it show that the server's clock is another."""
_LIMIT_NAME = re.compile(
    r"(?:x-)?ratelimit(bysize)?-(limit|remaining|reset)(?:-(requests|req|tokens|input-tokens|output-tokens))?"
    r"(?:-(second|minute|hour|day|month))?"
    r"|anthropic-ratelimit-(requests|tokens|input-tokens|output-tokens)-(limit|remaining|reset)"
)
_PLACES = ("limit", "remaining", "reset")
_UNITS: Mapping[str, Unit] = MappingProxyType(
    {
        **{"requests": "requests", "req": "requests", "": "requests"},
        **{"tokens": "tokens", "input-tokens": "input_tokens", "output-tokens": "output_tokens"},
    }
)
_WINDOWS_S = MappingProxyType({"second": 1.0, "minute": 60.0, "hour": 3_600.0, "day": 86_400.0, "month": 30 * 86_400.0})

_CODES: Mapping[str, LimitKind] = MappingProxyType(
    {
        **{"1302": "concurrency", "1303": "requests", "1304": "day"},  # Zhipu
        **{"limit_requests": "requests", "limit_burst_rate": "requests"},  # DashScope
    }
)
_WORDS: tuple[tuple[str, LimitKind], ...] = (
    *(("PerDay", "day"), ("TokensPer", "tokens"), ("RequestsPer", "requests")),  # Gemini's names of quotas
    *(("TPMExceeded", "tokens"), ("TpmRateLimitExceeded", "tokens")),  # Ark
    *(("RPMExceeded", "requests"), ("RpmRateLimitExceeded", "requests")),
)
"""Parts of a machine-readable word, the most telling first."""
_PHRASES: tuple[tuple[str, LimitKind], ...] = (
    *(("requests per day", "day"), ("tokens per day", "day"), ("(rpd)", "day"), ("(tpd)", "day")),  # OpenAI, Groq
    *(("max rpd", "day"), ("max tpd", "day")),  # Moonshot
    *(("daily rate limit", "day"), ("daily limit", "day"), ("models-per-day", "day")),  # Anthropic, several, OpenRouter
    *(("concurrent connections", "concurrency"), ("concurrent requests", "concurrency")),  # Anthropic, several
    *(("max concurrency", "concurrency"), ("concurrency limit", "concurrency")),  # Moonshot, several
    *(("tokens per min", "tokens"), ("(tpm)", "tokens"), ("max tpm", "tokens"), ("tpm limit", "tokens")),  # OpenAI, Anthropic, Moonshot
    *(("token rate limit", "tokens"), ("request tokens", "tokens")),  # Azure, Anthropic
    *(("requests per min", "requests"), ("(rpm)", "requests"), ("max rpm", "requests"), ("rpm limit", "requests")),
    *(("requests per second", "requests"), ("call rate limit", "requests")),  # several, Azure
    *(("requests rate limit", "requests"), ("number of requests", "requests"), ("models-per-min", "requests")),  # Mistral, Anthropic
)
"""Parts of a message in lower case, the most telling first; only of a rejection."""
_TYPES: Mapping[str, LimitKind] = MappingProxyType({"tokens": "tokens", "requests": "requests"})
"""OpenAI's `type`. It says nothing of the day, so the message goes first."""
_EPOCH_FROM, _EPOCH_MS_FROM = 1e9, 1e12
"""A bare `x-ratelimit-reset` is seconds to wait, epoch seconds or epoch milliseconds; only its size tells which."""


class LimitTold(NamedTuple):
    """One limit as the headers of a reply tell it. A tuple, since up to four are made per reply and one takes a quarter of the time."""

    unit: Unit
    limit: float | None
    """What a window holds."""
    remaining: float | None
    reset_s: float | None
    """Seconds until all of it, or some of it, is there again: providers differ."""
    window_s: float | None
    """Only where the header's name says it: the same name is of a minute at one provider and of a day at another."""


def limits_told(headers: Mapping[str, str], now: float) -> tuple[LimitTold, ...]:
    """Where the limits stand, as far as the headers of any provider tell; a limit that cannot be meant is left out.

    For every reply, so it costs a microsecond where there is nothing to read.

    Args:
        headers: looked up case-insensitively, or with lower-case keys.
        now: epoch seconds at which it came, for resets that are dates; the server's own `Date` goes before it.
    """
    told = []
    families = _families("\n".join(headers))
    if families:
        now = _servers_now(headers, now)
    for unit, window_s, names in families:
        limit = _limit_told(unit, window_s, names, headers, now)
        if limit is not None:
            told.append(limit)
    return tuple(told)


def limit_named(words: tuple[str, ...], message: str) -> LimitKind | None:
    """The limit that a rejection says was hit, by its codes, else by its message; None where it says none.

    Args:
        words: the machine-readable words of the error body.
        message: its sentence.
    """
    for word in words:
        if word in _CODES:
            return _CODES[word]
    for part, kind in _WORDS:
        if any(part in word for word in words):
            return kind
    said = message.lower()
    for phrase, kind in _PHRASES:
        if phrase in said:
            return kind
    return next((_TYPES[word] for word in words if word in _TYPES), None)


def retry_after(headers: Mapping[str, str], body_json: Json, now: float) -> float | None:
    """Seconds to wait before the next try, or None where the server gives no usable hint.

    In this order: `retry-after-ms`; `retry-after` (seconds or an HTTP date); Google's `RetryInfo` in the body;
    `x-ratelimit-reset*` of the families that are used up; Anthropic's resets of the families that are used up.

    Args:
        headers: looked up case-insensitively, or with lower-case keys.
        body_json: the parsed error body, of any shape.
        now: epoch seconds at which the reply came, for hints that are dates; the server's own `Date` goes before it.
    """
    now = _servers_now(headers, now)
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


def _servers_now(headers: Mapping[str, str], now: float) -> float:
    """The time by the server's own clock, where it tells it and it is not ours: what it says of dates is said by that clock."""
    date = headers.get("date")
    told = None if date is None else _http_date(date)
    return now if told is None or abs(told - now) <= _CLOCKS_AGREE_S else told


@lru_cache(maxsize=64)
def _http_date(text: str) -> float | None:
    """Epoch seconds of an HTTP date."""
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


# A server sends the same names in nearly every reply, so what they mean is worked out once.
@lru_cache(maxsize=64)
def _families(names: str) -> tuple[tuple[Unit, float | None, tuple[str, str, str]], ...]:
    """Unit, window, and the headers of limit, remaining and reset (empty: not there) of each limit that a list of names tells."""
    found: dict[tuple[Unit, float | None], list[str]] = {}
    for name in names.lower().split("\n") if "ratelimit" in names.lower() else ():
        match = _LIMIT_NAME.fullmatch(name)
        if match is None:
            continue
        by_size, field, unit, window, family, family_field = match.groups(default="")
        key = (_UNITS[unit or family or ("tokens" if by_size else "")], _WINDOWS_S.get(window))
        found.setdefault(key, ["", "", ""])[_PLACES.index(field or family_field)] = name
    return tuple((unit, window_s, (held[0], held[1], held[2])) for (unit, window_s), held in found.items())


def _limit_told(
    unit: Unit, window_s: float | None, names: tuple[str, str, str], headers: Mapping[str, str], now: float
) -> LimitTold | None:
    limit_name, remaining_name, reset_name = names
    limit = remaining = reset_s = None
    if limit_name:
        limit = _number(headers.get(limit_name))
        if limit is None or not _LEAST <= limit <= _MOST:
            return None  # what is left of no limit, or of one that does not hold, is no reason to wait
    if remaining_name:
        remaining = _number(headers.get(remaining_name))
        if remaining is not None and not 0 <= remaining <= (limit or _MOST):
            remaining = None
    if limit is None and remaining is None:
        return None
    if reset_name and (text := headers.get(reset_name)) is not None:
        reset_s = _reset(text, now)
    return LimitTold(unit, limit, remaining, reset_s, window_s)


def _reset(text: str, now: float) -> float | None:
    """Seconds to a reset that is told as a duration, a number of seconds, an epoch or an RFC 3339 date."""
    dated = text[10:11] == "T"
    seconds = _date(text) if dated else _duration(text)
    if seconds is None:
        return None
    if dated or seconds >= _EPOCH_FROM:
        seconds = (seconds / 1000 if seconds >= _EPOCH_MS_FROM else seconds) - now
        if -_JUST_NOW_S <= seconds < 0:
            return 0.0
    return seconds if 0 <= seconds <= LONGEST_HINT_S else None


# The dates are whole seconds, so replies that come close together share them, as the limits of one reply do.
@lru_cache(maxsize=64)
def _date(text: str) -> float | None:
    """Epoch seconds."""
    try:
        date = datetime.fromisoformat(text)
        return date.timestamp() if date.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _duration(text: str) -> float | None:
    """`parse_duration`, with a short way for what nearly every reply holds: `6ms`, `7.66s`, `1m30s`, `12`."""
    try:
        if text[-1:] != "s":
            return float(text)
        if text[-2:-1] == "m":
            return float(text[:-2]) / 1000
        minutes, minute, seconds = text[:-1].rpartition("m")
        return float(minutes) * 60 + float(seconds) if minute else float(seconds)
    except ValueError:
        return parse_duration(text)


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
    date = _http_date(text)
    return None if date is None else _sane(date - now)


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
