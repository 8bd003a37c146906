"""Where limits stand by the headers of any provider, and which one a rejection names."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from siuo_async.errors import CallError, ErrorKind
from siuo_async.providers.dialects.base import Dialect
from siuo_async.providers.hints import LONGEST_HINT_S, LimitTold, limit_named, limits_told
from siuo_async.simulator import anthropic as sim_anthropic
from siuo_async.simulator import gemini as sim_gemini
from siuo_async.simulator import openai as sim_openai
from siuo_async.simulator.wire import Dialect as SimulatedDialect
from siuo_async.simulator.wire import Fault, LimitName, Problem, Quota
from tests.providers.samples import ANTHROPIC, GEMINI, NOW, OPENAI, reply

# NOW is Mon, 21 Sep 2026 14:13:20 GMT
IN_9_S = "2026-09-21T14:13:29Z"


def family(name: str, limit: Any = None, remaining: Any = None, reset: Any = None) -> dict[str, str]:
    """Headers `name` with `{}` for the field; those that are not None."""
    fields = {"limit": limit, "remaining": remaining, "reset": reset}
    return {name.format(field): str(value) for field, value in fields.items() if value is not None}


X = "x-ratelimit-{}"
REQUESTS, TOKENS = "x-ratelimit-{}-requests", "x-ratelimit-{}-tokens"

CASES: dict[str, tuple[dict[str, str], list[LimitTold]]] = {
    "nothing": ({"content-type": "application/json", "x-request-id": "r"}, []),
    "OpenAI": (
        family(REQUESTS, 500, 499, "120ms") | family(TOKENS, 30_000, 29_000, "1m30.5s"),
        [LimitTold("requests", 500, 499, 0.12, None), LimitTold("tokens", 30_000, 29_000, 90.5, None)],
    ),
    "Groq": (family(REQUESTS, 14_400, 14_370, "2m59.56s"), [LimitTold("requests", 14_400, 14_370, 179.56, None)]),
    "Azure": (family(TOKENS, None, 4_000, 60), [LimitTold("tokens", None, 4_000, 60, None)]),
    "hours and days": (family(REQUESTS, 5, 0, "1d2h3m4s"), [LimitTold("requests", 5, 0, 93_784, None)]),
    "Anthropic": (
        family("anthropic-ratelimit-requests-{}", 50, 49, IN_9_S)
        | family("anthropic-ratelimit-input-tokens-{}", 40_000, 39_000, IN_9_S)
        | family("anthropic-ratelimit-output-tokens-{}", 8_000, 7_000, IN_9_S)
        | family("anthropic-ratelimit-tokens-{}", 48_000, 46_000, IN_9_S),
        [
            LimitTold("requests", 50, 49, 9, None),
            LimitTold("input_tokens", 40_000, 39_000, 9, None),
            LimitTold("output_tokens", 8_000, 7_000, 9, None),
            LimitTold("tokens", 48_000, 46_000, 9, None),
        ],
    ),
    "Anthropic's other kind": ({"anthropic-ratelimit-unified-5h-utilization": "0.5"}, []),
    "Mistral": (
        family("x-ratelimit-{}-req-minute", 60, 59) | family("x-ratelimit-{}-tokens-minute", 500_000, 499_000),
        [LimitTold("requests", 60, 59, None, 60), LimitTold("tokens", 500_000, 499_000, None, 60)],
    ),
    "Mistral by size": (
        family("x-ratelimitbysize-{}-minute", 500_000, 499_000) | family("x-ratelimitbysize-{}-month", 10**9, 10**8),
        [LimitTold("tokens", 500_000, 499_000, None, 60), LimitTold("tokens", 10**9, 10**8, None, 30 * 86_400)],
    ),
    "Mistral by size, bare": (family("ratelimitbysize-{}", 500_000, 499_000, 36), [LimitTold("tokens", 500_000, 499_000, 36, None)]),
    "several windows of one unit": (
        family("x-ratelimit-{}-requests-day", 1_000, 900, "3600") | family("x-ratelimit-{}-requests-minute", 10, 9, "12.5"),
        [LimitTold("requests", 1_000, 900, 3_600, 86_400), LimitTold("requests", 10, 9, 12.5, 60)],
    ),
    "OpenRouter": (family(X, 20, 0, int(NOW + 4) * 1_000), [LimitTold("requests", 20, 0, 4, None)]),
    "epoch seconds": (family(X, 20, 0, NOW + 4), [LimitTold("requests", 20, 0, 4, None)]),
    "seconds": (family("ratelimit-{}", 20, 3, 4), [LimitTold("requests", 20, 3, 4, None)]),
    "limit alone": (family(X, 20), [LimitTold("requests", 20, None, None, None)]),
    "reset alone": (family(X, None, None, 4), []),
    "limit minus one": (family(REQUESTS, -1, -1, "1s") | family(TOKENS, 9, 8), [LimitTold("tokens", 9, 8, None, None)]),
    "limit nothing": (family(REQUESTS, 0, 0, 0), []),
    "limit not a number": (family(REQUESTS, "NaN", 5, "1s"), []),
    "limit in words": (family(REQUESTS, "unlimited", 5, "1s"), []),
    "limit without end": (family(REQUESTS, "inf", 5), []),
    "limit that means none": (family(REQUESTS, 2**63 - 1, 2**63 - 1), []),
    "remaining minus one": (family(REQUESTS, 20, -1, "1s"), [LimitTold("requests", 20, None, 1, None)]),
    "more left than there is": (family(REQUESTS, 20, 21), [LimitTold("requests", 20, None, None, None)]),
    "reset in words": (family(REQUESTS, 20, 3, "soon"), [LimitTold("requests", 20, 3, None, None)]),
    "reset negative": (family(REQUESTS, 20, 3, "-1"), [LimitTold("requests", 20, 3, None, None)]),
    "reset not a number": (family(REQUESTS, 20, 3, "nan"), [LimitTold("requests", 20, 3, None, None)]),
    "reset just gone by": (family(REQUESTS, 20, 3, "2026-09-21T14:13:19Z"), [LimitTold("requests", 20, 3, 0, None)]),
    "reset long gone by": (family(REQUESTS, 20, 3, "2026-09-21T14:00:00Z"), [LimitTold("requests", 20, 3, None, None)]),
    "reset of another age": (family(REQUESTS, 20, 3, "1970-01-01T00:00:09Z"), [LimitTold("requests", 20, 3, None, None)]),
    "reset of another zone": (family(REQUESTS, 20, 3, "2026-09-21T16:13:29+02:00"), [LimitTold("requests", 20, 3, 9, None)]),
    "reset without a zone": (family(REQUESTS, 20, 3, "2026-09-21T14:13:29"), [LimitTold("requests", 20, 3, None, None)]),
    "reset beyond waiting": (family(REQUESTS, 20, 3, "700h"), [LimitTold("requests", 20, 3, None, None)]),
    "names that only look alike": ({"x-ratelimit-limit-images": "3", "llm-x-ratelimit-limit-requests": "3", "x-ratelimit": "3"}, []),
}


@pytest.mark.parametrize("headers, limits", CASES.values(), ids=CASES)
def test_limits_are_read_as_they_are_told(headers: dict[str, str], limits: list[LimitTold]) -> None:
    told = limits_told(headers, NOW)
    assert [limit._replace(reset_s=None) for limit in told] == [limit._replace(reset_s=None) for limit in limits]
    assert [limit.reset_s for limit in told] == [None if limit.reset_s is None else pytest.approx(limit.reset_s) for limit in limits]


def test_the_case_of_a_name_does_not_matter() -> None:
    headers = CIMultiDictProxy(CIMultiDict({"X-RateLimit-Limit-Requests": "20", "X-RATELIMIT-REMAINING-REQUESTS": "3"}))
    assert limits_told(headers, NOW) == (LimitTold("requests", 20, 3, None, None),)


def test_what_a_list_of_names_means_is_not_kept_for_other_values() -> None:
    assert [limits_told(family(REQUESTS, 20, left), NOW)[0].remaining for left in (3, 2)] == [3, 2]


NAMES = [
    pattern.format(field)
    for pattern in (X, REQUESTS, TOKENS, "x-ratelimit-{}-req-minute", "ratelimitbysize-{}", "ratelimit-{}-second")
    for field in ("limit", "remaining", "reset")
]
NAMES += [f"anthropic-ratelimit-{unit}-{field}" for unit in ("tokens", "input-tokens") for field in ("limit", "remaining", "reset")]
ODD = st.text(max_size=12) | st.floats().map(str) | st.integers().map(str) | st.datetimes().map(lambda at: at.isoformat() + "Z")
HOSTILE = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=30).map(str.lower), ODD, max_size=20)


@given(headers=HOSTILE, now=st.floats(0, 1e10))
def test_no_headers_make_a_limit_that_cannot_be_meant(headers: dict[str, str], now: float) -> None:
    for told in limits_told(headers, now):
        assert told.limit is not None or told.remaining is not None
        assert told.limit is None or 0 < told.limit < math.inf
        assert told.remaining is None or 0 <= told.remaining <= (told.limit or math.inf)
        assert told.reset_s is None or 0 <= told.reset_s <= LONGEST_HINT_S


NAMED: dict[str, tuple[tuple[str, ...], str, str | None]] = {
    "nothing said": ((), "Rate limit reached.", None),
    "OpenAI requests": (("rate_limit_exceeded", "requests"), "Rate limit reached for m on requests per min (RPM): Limit 3", "requests"),
    "OpenAI tokens": (("rate_limit_exceeded", "tokens"), "Rate limit reached for m on tokens per min (TPM): Limit 3", "tokens"),
    "OpenAI day, whose type is requests": (("rate_limit_exceeded", "requests"), "on requests per day (RPD): Limit 200", "day"),
    "OpenAI type alone": (("rate_limit_exceeded", "tokens"), "m", "tokens"),
    "Groq tokens of the day": (("rate_limit_exceeded", "tokens"), "on tokens per day (TPD): Limit 9", "day"),
    "Azure": (("429",), "You have exceeded the token rate limit of your tier", "tokens"),
    "Anthropic slots": (("rate_limit_error",), "Number of concurrent connections has exceeded your rate limit", "concurrency"),
    "Anthropic tokens": (("rate_limit_error",), "a rate limit of 40,000 input tokens per minute", "tokens"),
    "Anthropic requests": (("rate_limit_error",), "a rate limit of 50 requests per minute", "requests"),
    "Gemini minute": (("RESOURCE_EXHAUSTED", "429", "GenerateRequestsPerMinutePerProjectPerModel"), "", "requests"),
    "Gemini tokens": (("RESOURCE_EXHAUSTED", "GenerateContentInputTokensPerModelPerMinute"), "", "tokens"),
    "Gemini day": (("GenerateRequestsPerMinutePerProjectPerModel", "GenerateRequestsPerDayPerProjectPerModel-FreeTier"), "", "day"),
    "Gemini without details": (("RESOURCE_EXHAUSTED",), "Resource exhausted. Please try again later.", None),
    "Zhipu slots": (("1302",), "", "concurrency"),
    "Zhipu frequency": (("1303",), "", "requests"),
    "Zhipu load": (("1305",), "", None),
    "DashScope": (("limit_requests",), "", "requests"),
    "Ark": (("RateLimitExceeded.EndpointTPMExceeded",), "", "tokens"),
    "Moonshot slots": (("rate_limit_reached_error",), "request reached organization max concurrency: 3", "concurrency"),
    "Moonshot requests": (("rate_limit_reached_error",), "request reached organization max RPM: 3", "requests"),
    "Mistral": ((), "Requests rate limit exceeded", "requests"),
    "OpenRouter": (("429",), "Rate limit exceeded: free-models-per-day", "day"),
    "a code before the message": (("1302",), "too many requests per minute", "concurrency"),
}


@pytest.mark.parametrize("words, message, limit", NAMED.values(), ids=NAMED)
def test_a_rejection_names_its_limit(words: tuple[str, ...], message: str, limit: str | None) -> None:
    assert limit_named(words, message) == limit


def rejected(dialect: Dialect, body: Any, status: int = 429) -> CallError:
    with pytest.raises(CallError) as raised:
        dialect.read(reply(body, status), 1)
    return raised.value


def openai(message: str, **error: Any) -> Any:
    return {"error": {"message": message, "type": "requests", "code": "rate_limit_exceeded"} | error}


def test_the_error_of_a_rejection_tells_the_limit() -> None:
    error = rejected(OPENAI, openai("on tokens per min (TPM)"))
    assert (error.kind, error.limit) == (ErrorKind.RATE_LIMITED, "tokens")
    body = {"type": "error", "error": {"type": "rate_limit_error", "message": "Number of concurrent connections has exceeded"}}
    assert rejected(ANTHROPIC, body).limit == "concurrency"


def test_a_spent_day_stops_the_account_whoever_tells_it() -> None:
    violations = [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}]
    google = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "m", "details": [{"violations": violations}]}}
    for error in (rejected(OPENAI, openai("on requests per day (RPD): Limit 200")), rejected(GEMINI, google)):
        assert (error.kind, error.limit) == (ErrorKind.QUOTA, "day")


def test_only_a_rejection_names_a_limit() -> None:
    error = rejected(OPENAI, openai("at most 3 requests per day", code="invalid_value", type="invalid_request_error"), 400)
    assert (error.kind, error.limit) == (ErrorKind.BAD_REQUEST, None)


SIMULATED: list[tuple[Dialect, SimulatedDialect]] = [(OPENAI, sim_openai), (ANTHROPIC, sim_anthropic), (GEMINI, sim_gemini)]


@pytest.mark.parametrize("limit", ["requests", "tokens", "concurrency", "day", None])
@pytest.mark.parametrize("dialect, simulated", SIMULATED, ids=["openai", "anthropic", "gemini"])
def test_the_words_of_the_simulator_are_understood(dialect: Dialect, simulated: SimulatedDialect, limit: LimitName | None) -> None:
    told = simulated.error(Fault(Problem.TOO_FAST, param="careful", limit=limit, ceiling=60), "req_1")
    error = rejected(dialect, told.body, told.status)
    assert error.kind is (ErrorKind.QUOTA if limit == "day" else ErrorKind.RATE_LIMITED)
    assert error.limit == limit


def test_the_headers_of_the_simulator_are_understood() -> None:
    quotas = {"requests": Quota(60, 59, 60.0), "tokens": Quota(900, 300, 1.5)}
    both = [("requests", 60, 59, 60.0), ("tokens", 900, 300, 1.5)]
    assert [tuple(told[:4]) for told in limits_told(sim_openai.headers("r", quotas, NOW), NOW)] == both
    families = {told.unit: told[1:4] for told in limits_told(sim_anthropic.headers("r", quotas, NOW), NOW)}
    tokens = (900, 300, 2.0)  # dates are whole seconds
    assert families == {"requests": (60, 59, 60.0), "tokens": tokens, "input_tokens": tokens, "output_tokens": tokens}
    assert limits_told(sim_gemini.headers("r", quotas, NOW), NOW) == ()


@pytest.mark.parametrize("limit", ["1e-323", "0.001", "0.5", "1e13", "nan", "inf", "-1"])
def test_a_limit_that_lets_nothing_or_everything_through_is_none(limit: str) -> None:
    assert limits_told({"x-ratelimit-limit-requests": limit, "x-ratelimit-remaining-requests": "0"}, 0.0) == ()


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_reset_is_a_date_of_the_servers_own_clock(hours: int) -> None:
    headers = family("anthropic-ratelimit-tokens-{}", 100, 0, f"2026-09-21T{14 + hours:02}:13:29Z")
    headers["date"] = f"Mon, 21 Sep 2026 {14 + hours:02}:13:20 GMT"
    (told,) = limits_told(headers, NOW)
    assert told.reset_s == 9.0


def test_what_is_larger_than_the_whole_limit_is_not_waited_for() -> None:
    def kind(message: str) -> ErrorKind:
        with pytest.raises(CallError) as raised:
            OPENAI.read(reply({"error": {"message": message, "type": "tokens", "code": "rate_limit_exceeded"}}, 429), 1)
        return raised.value.kind

    assert kind("Request too large for m on tokens per min (TPM): Limit 30000, Requested 36,000.") is ErrorKind.BAD_REQUEST
    assert kind("Rate limit reached for m on tokens per min (TPM): Limit 30000, Used 29000, Requested 3000.") is ErrorKind.RATE_LIMITED
    assert kind("Limit 30000, Requested 3000.") is ErrorKind.RATE_LIMITED
