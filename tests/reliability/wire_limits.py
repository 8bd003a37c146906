"""Rejections with every form of hint, from servers whose clocks are hours off: none stops a run for long, none makes it hammer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from email.utils import formatdate

import orjson

from siuo_async.errors import ErrorKind
from siuo_async.values import Outcome
from tests.reliability.faults import Scene, Seen
from tests.reliability.wire_server import FOR_EVER, Misbehaving, judge, run
from tests.reliability.wire_table import GOOD, Deed, Row, sends, whole

_HOURS = 5 * 3_600.0
_LONGEST_S = 90.0
"""With every rejection but one gone after the first, no run may take longer."""


def _rfc3339(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def _dated(off_s: float, *, soon_s: float = 1.0) -> Sequence[tuple[str, Callable[[], Mapping[str, str]]]]:
    """Hints that are dates, by a clock that is `off_s` from ours and says so."""

    def date() -> dict[str, str]:
        return {"date": formatdate(time.time() + off_s, usegmt=True)}

    def soon() -> float:
        return time.time() + off_s + soon_s

    return (
        ("retry-after, a date", lambda: date() | {"retry-after": formatdate(soon(), usegmt=True)}),
        ("epoch seconds", lambda: date() | {"x-ratelimit-reset": f"{soon():.0f}"}),
        ("epoch milliseconds", lambda: date() | {"x-ratelimit-reset": f"{soon() * 1000:.0f}"}),
        (
            "a date of Anthropic's",
            lambda: date() | {"anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": _rfc3339(soon())},
        ),
    )


def _fixed(name: str, **headers: str) -> tuple[str, Callable[[], Mapping[str, str]]]:
    told = {header.replace("_", "-"): value for header, value in headers.items()}
    return name, lambda: told


_HINTS = (
    _fixed("no hint"),
    _fixed("seconds", retry_after="1"),
    _fixed("at once", retry_after="0"),
    _fixed("milliseconds", retry_after_ms="200"),
    _fixed("a duration", x_ratelimit_remaining_requests="0", x_ratelimit_reset_requests="0m0.3s"),
    *_dated(0.0),
    *((f"{name}, hours ahead", make) for name, make in _dated(_HOURS)),
    *((f"{name}, hours behind", make) for name, make in _dated(-_HOURS)),
    _fixed("less than nothing", retry_after="-5"),
    _fixed("no number", retry_after="NaN"),
    _fixed("a word", retry_after="soon"),
    _fixed("the year 9999", retry_after="Fri, 31 Dec 9999 23:59:59 GMT"),
    _fixed("years of seconds", retry_after="1e12"),
    _fixed("a reset long gone", x_ratelimit_remaining_requests="0", x_ratelimit_reset="1000000000"),
    _fixed("a thousand digits", retry_after="9" * 1_000),
)


def _deed(make: Callable[[], Mapping[str, str]], body: bytes) -> Deed:
    return sends(lambda _: whole(body, 429, **make()))


_INFO = {
    "error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "no", "details": [{"@type": "RetryInfo", "retryDelay": "0.3s"}]}
}
_TOO_LARGE = {
    "error": {"message": "Request too large for m on requests per min: Limit 10, Requested 99.", "code": "rate_limit_exceeded"}
}
_SLOWER = {"error": {"message": "slow down"}}


def _rows() -> list[tuple[Row, float]]:
    rows = [(Row("limits", name, _deed(make, orjson.dumps(_SLOWER)), (Outcome.ANSWERED,), False), 1.0) for name, make in _HINTS]
    rows.append((Row("limits", "in the body", _deed(dict, orjson.dumps(_INFO)), (Outcome.ANSWERED,), False), 1.0))
    too_large = Row("limits", "larger than the limit", _deed(dict, orjson.dumps(_TOO_LARGE)), (ErrorKind.BAD_REQUEST,), False)
    return [*rows, (too_large, FOR_EVER)]


def hints(scene: Scene) -> Seen:
    """Each form of hint once for one sample of each dialect."""
    seen = Seen()
    for turn in range(scene.times):
        rows = _rows()
        with Misbehaving({2 * place: told for place, told in enumerate(rows)}, shared=scene.times == 1) as bad:
            count = 2 * len(rows)
            urls = {dialect: (dialect, bad.server.url) for dialect in GOOD}
            ran = run(scene.folder / str(turn), count, urls)
            judge(seen, ran, bad, count)
            seen.times += bad.inflicted
            wanted = count * len(GOOD) + bad.inflicted
            sent = sum(bad.met.values())
        seen.expect(sent <= wanted, f"{sent} requests where {wanted} would do")
        seen.expect(ran.took_s < _LONGEST_S, f"it took {ran.took_s:.0f} s")
        tries = {record["attempts"] for record in ran.records}
        seen.expect(tries == {1}, f"being told to wait used tries: {tries}")
    seen.words = f"{len(rows)} forms in 3 dialects: {sent} requests for {count * len(GOOD)} samples, one more for each rejection; {ran.took_s:.0f} s"
    return seen
