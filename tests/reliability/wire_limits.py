"""Rejections with every form of hint, from servers whose clocks are hours off: none stops a run for long, none makes it hammer."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from email.utils import formatdate
from types import MappingProxyType
from typing import Any

import orjson

from siuo_async.errors import ErrorKind
from tests.client.servers import Seen as Request
from tests.reliability.faults import Scene, Seen
from tests.reliability.wire_server import Misbehaving, run
from tests.reliability.wire_table import GOOD, Deed, sends, whole

_ENDS = MappingProxyType({"openai": "/completions", "anthropic": "/messages", "gemini": ":generateContent"})
_HOURS = 5 * 3_600.0
_LONGEST_S = 90.0
"""With one rejection for each model, no run may take longer."""


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


BAD_REQUEST = "larger than the limit"
_REJECTIONS: Sequence[tuple[str, Deed]] = (
    *((name, _deed(make, orjson.dumps(_SLOWER))) for name, make in _HINTS),
    ("in the body", _deed(dict, orjson.dumps(_INFO))),
    (BAD_REQUEST, _deed(dict, orjson.dumps(_TOO_LARGE))),
)
_SAMPLES = 3


def hints(scene: Scene) -> Seen:
    """A model for each form of hint; the first call of each is turned away once."""
    seen = Seen()
    for turn in range(scene.times):
        sent: Counter[str] = Counter()

        async def script(request: Request, writer: asyncio.StreamWriter, sent: Counter[str] = sent) -> None:
            _, place, path = request.path.removeprefix("/v1").split("/", 2)
            sent[place] += 1
            if sent[place] == 1:
                await _REJECTIONS[int(place)][1](GOOD["openai"], writer)
            else:
                dialect = next(name for name, end in _ENDS.items() if path.endswith(end))
                writer.write(GOOD[dialect].reply)
                await writer.drain()

        with Misbehaving({}) as bad:
            bad.server.script = script
            dialects = list(GOOD)
            urls = {f"lab{place}": (dialects[place % 3], f"{bad.server.url}/{place}") for place in range(len(_REJECTIONS))}
            ran = run(scene.folder / str(turn), _SAMPLES, urls)
        seen.expect(ran.code == 4, f"exit code {ran.code}: {ran.err[-600:]}")
        seen.expect(ran.took_s < _LONGEST_S, f"it took {ran.took_s:.0f} s")
        for place, (name, _) in enumerate(_REJECTIONS):
            _look(seen, name, list(ran.of(f"lab{place}@").values()), sent[str(place)])
        seen.times += len(_REJECTIONS)
        seen.words = (
            f"{len(_REJECTIONS)} forms: {sum(sent.values())} requests for {_SAMPLES * len(_REJECTIONS)} samples; {ran.took_s:.0f} s"
        )
    return seen


def _look(seen: Seen, name: str, records: Sequence[Mapping[str, Any]], sent: int) -> None:
    """All answered, one request more, no try used; what can never pass is a failure at once."""
    failed = [record["error"]["kind"] for record in records if record.get("error")]
    right = [ErrorKind.BAD_REQUEST] if name == BAD_REQUEST else []
    seen.expect(len(records) == _SAMPLES and failed == right, f"{name}: {len(records)} records, failures {failed}")
    seen.expect(sent == _SAMPLES + (name != BAD_REQUEST), f"{name}: {sent} requests")
    seen.expect(all(record["attempts"] == 1 for record in records), f"{name}: being told to wait used tries")
