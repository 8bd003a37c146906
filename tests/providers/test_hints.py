"""How long a server asks to wait, in every form it is said; values that cannot be meant are no hint."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.providers.hints import parse_duration, retry_after
from tests.providers.samples import NOW

# NOW is Mon, 21 Sep 2026 14:13:20 GMT
IN_9_S = "Mon, 21 Sep 2026 14:13:29 GMT"


def info(delay: Any) -> Any:
    details = [{"@type": "type.googleapis.com/google.rpc.Help"}, {"@type": "…RetryInfo", "retryDelay": delay}]
    return {"error": {"details": details}}


def limits(kind: str, remaining: Any, reset: str) -> dict[str, str]:
    left = {} if remaining is None else {f"x-ratelimit-remaining-{kind}": str(remaining)}
    return left | {f"x-ratelimit-reset-{kind}": reset}


def anthropic(kind: str, remaining: Any, reset: str) -> dict[str, str]:
    return {f"anthropic-ratelimit-{kind}-remaining": str(remaining), f"anthropic-ratelimit-{kind}-reset": reset}


CASES: dict[str, tuple[dict[str, str], Any, float | None]] = {
    "nothing": ({}, None, None),
    "milliseconds": ({"retry-after-ms": "300"}, None, 0.3),
    "milliseconds before seconds": ({"retry-after-ms": "300", "retry-after": "9"}, None, 0.3),
    "unusable milliseconds": ({"retry-after-ms": "soon", "retry-after": "9"}, None, 9.0),
    "seconds": ({"retry-after": "9"}, None, 9.0),
    "part of a second": ({"retry-after": "0.5"}, None, 0.5),
    "at once": ({"retry-after": "0"}, None, 0.0),
    "date": ({"retry-after": IN_9_S}, None, 9.0),
    "date gone by": ({"retry-after": "Mon, 21 Sep 2026 14:00:00 GMT"}, None, None),
    "date without sense": ({"retry-after": "Mon, 99 Sep 2026"}, None, None),
    "minus one": ({"retry-after": "-1"}, None, None),
    "not a number": ({"retry-after": "NaN"}, None, None),
    "infinite": ({"retry-after": "inf"}, None, None),
    "absurd": ({"retry-after": "99999999"}, None, None),
    "seconds before RetryInfo": ({"retry-after": "9"}, info("26s"), 9.0),
    "RetryInfo": ({}, info("26s"), 26.0),
    "RetryInfo in a list": ({}, [info("1.5s")], 1.5),
    "RetryInfo of another type": ({}, info(26), None),
    "RetryInfo negative": ({}, info("-3s"), None),
    "details of another type": ({}, {"error": {"details": "none"}}, None),
    "reset of used-up requests": (limits("requests", 0, "6m0s"), None, 360.0),
    "reset while some are left": (limits("requests", 10, "6m0s"), None, None),
    "reset without remaining": (limits("tokens", None, "7.66s"), None, 7.66),
    "the longer of two": (limits("requests", 0, "6ms") | limits("tokens", 0, "1h2m3.5s"), None, 3723.5),
    "only the family that is used up": (limits("requests", 0, "6ms") | limits("tokens", 5, "1h"), None, 0.006),
    "remaining minus one": (limits("tokens", -1, "2s"), None, 2.0),
    "integer seconds": (limits("tokens", 0, "12"), None, 12.0),
    "date of a clock hours ahead": (
        {"retry-after": "Mon, 21 Sep 2026 19:00:09 GMT", "date": "Mon, 21 Sep 2026 19:00:00 GMT"},
        None,
        9.0,
    ),
    "date of a clock hours behind": (
        {"retry-after": "Mon, 21 Sep 2026 09:00:09 GMT", "date": "Mon, 21 Sep 2026 09:00:00 GMT"},
        None,
        9.0,
    ),
    "date of a clock a second behind": ({"retry-after": IN_9_S, "date": "Mon, 21 Sep 2026 14:13:19 GMT"}, None, 9.0),
    "a date that is none": ({"retry-after": IN_9_S, "date": "yesterday"}, None, 9.0),
    "epoch seconds of a clock hours ahead": (
        {"x-ratelimit-reset": str(NOW + 18_004), "date": "Mon, 21 Sep 2026 19:13:20 GMT"},
        None,
        4.0,
    ),
    "Anthropic's reset of a clock hours behind": (
        anthropic("tokens", 0, "2026-09-21T09:00:09Z") | {"date": "Mon, 21 Sep 2026 09:00:00 GMT"},
        None,
        9.0,
    ),
    "epoch seconds": ({"x-ratelimit-reset": str(NOW + 4)}, None, 4.0),
    "epoch milliseconds": ({"x-ratelimit-reset": str(int(NOW + 4) * 1000)}, None, 4.0),
    "RetryInfo before resets": (limits("requests", 0, "6m0s"), info("2s"), 2.0),
    "anthropic used up": (anthropic("input-tokens", 0, "2026-09-21T14:13:30Z"), None, 10.0),
    "anthropic with some left": (anthropic("requests", 3, "2026-09-21T14:13:30Z"), None, None),
    "anthropic gone by": (anthropic("requests", 0, "2026-09-21T14:13:00Z"), None, None),
    "anthropic no date": (anthropic("requests", 0, "soon"), None, None),
    "resets before anthropic": (
        limits("requests", 0, "1s") | anthropic("requests", 0, "2026-09-21T14:13:30Z"),
        None,
        1.0,
    ),
}


@pytest.mark.parametrize("headers, body, seconds", CASES.values(), ids=CASES)
def test_a_hint_is_read(headers: dict[str, str], body: Any, seconds: float | None) -> None:
    assert retry_after(headers, body, NOW) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    "text, seconds",
    [("6ms", 0.006), ("1m30s", 90), ("2m59.56s", 179.56), ("1d", 86_400), ("5", 5), ("", None), ("5x", None), ("m5", None)],
)
def test_a_duration_is_read(text: str, seconds: float | None) -> None:
    assert parse_duration(text) == (None if seconds is None else pytest.approx(seconds))


NAMES = ["retry-after", "retry-after-ms", "x-ratelimit-reset", "x-ratelimit-reset-tokens", "x-ratelimit-remaining-tokens"]
NAMES += ["anthropic-ratelimit-requests-reset", "anthropic-ratelimit-requests-remaining"]
ODD = st.text(max_size=12) | st.floats().map(str) | st.integers().map(str) | st.datetimes().map(str)


@given(headers=st.dictionaries(st.sampled_from(NAMES), ODD), delay=ODD, now=st.floats(0, 1e10))
def test_no_header_can_make_a_hint_that_cannot_be_waited_for(headers: dict[str, str], delay: str, now: float) -> None:
    seconds = retry_after(headers, info(delay), now)
    assert seconds is None or 0 <= seconds <= 7 * 86_400
