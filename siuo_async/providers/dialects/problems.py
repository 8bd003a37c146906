"""What a reply without an answer means: the kind of an error, or a provider's block. Shared by the dialects.

A dialect takes its error body apart into a `Problem`; the rules here are the same for all, since servers borrow each other's
words. Status and codes decide; prose only where the provider has no code, by phrases that stand in the preset.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal
from urllib.parse import urlsplit

from siuo_async.errors import CallError, ErrorKind
from siuo_async.providers import lenient
from siuo_async.providers.dialects import shape
from siuo_async.providers.dialects.base import Reply
from siuo_async.providers.hints import limit_named, retry_after
from siuo_async.values import EMPTY, Answer, Completion, Json, Outcome

LONGEST_MESSAGE = 1_000
"""Characters of a provider's message that are kept; some echo the whole request."""


@dataclass(frozen=True, slots=True)
class BlockPhrase:
    """A sentence by which a provider without a code tells that it blocked something."""

    text: str
    status: int = 400
    where: Literal["prompt", "answer"] = "prompt"


@dataclass(frozen=True, slots=True)
class ParameterPhrase:
    """A sentence by which a provider without a code refuses one parameter (as named in `Parameters`, or `n`)."""

    text: str
    parameter: str


def phrases(texts: Mapping[str, tuple[str, ...]]) -> tuple[ParameterPhrase, ...]:
    """Phrases from a table: parameter -> the sentences, or names of fields, by which a server refuses it."""
    return tuple(ParameterPhrase(text, parameter) for parameter, found in texts.items() for text in found)


@dataclass(frozen=True, slots=True)
class Problem:
    """An error body, taken apart."""

    message: str
    words: tuple[str, ...] = ()
    """The machine-readable words (code, type, status), the most telling first."""
    param: str | None = None
    """The request field that the provider names."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What differs between dialects in reading a problem."""

    block_phrases: tuple[BlockPhrase, ...] = ()
    parameter_phrases: tuple[ParameterPhrase, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    """Request field -> its name in `Parameters`, or `n`."""


_BLOCKS = frozenset(
    {
        *("invalid_prompt", "content_policy_violation", "image_content_policy_violation", "cyber_policy", "bio_policy"),
        *("misalignment_policy_violation", "content_filter", "ResponsibleAIPolicyViolation", "refusal"),
        *("data_inspection_failed", "DataInspectionFailed", "1301", "flagged_input"),
    }
)
_BLOCK_STEMS = ("RiskDetection", "SensitiveContent")
_QUOTA = frozenset(
    {
        *("insufficient_quota", "billing_hard_limit_reached", "billing_error", "exceeded_current_quota_error"),
        *("enforced_spend_limit_reached", "contract_spend_limit_reached", "Arrearage", "AccountOverdueError", "1113"),
        "QuotaExceeded",
    }
)
_ACCOUNT = frozenset({"organization_on_hold", "PUP_LIMITED_DISABLED"})
_AUTH = frozenset({"invalid_api_key", "API_KEY_INVALID", "FAILED_PRECONDITION"})
_NOT_FOUND = frozenset({"model_not_found"})
_RATE = frozenset({"rate_limit_exceeded", "rate_limit_error", "rate_limit_reached_error", "RESOURCE_EXHAUSTED"})
_UNSUPPORTED = frozenset({"unsupported_parameter", "unsupported_value", "unknown_parameter", "extra_forbidden"})
_STATUS_OF = MappingProxyType(
    {
        **{"invalid_request_error": 400, "INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 400, "context_length_exceeded": 400},
        **{"authentication_error": 401, "UNAUTHENTICATED": 401, "billing_error": 402, "permission_error": 403},
        **{"PERMISSION_DENIED": 403, "not_found_error": 404, "NOT_FOUND": 404, "request_too_large": 413},
        **{"rate_limit_error": 429, "rate_limit_exceeded": 429, "RESOURCE_EXHAUSTED": 429, "insufficient_quota": 429},
        **{"api_error": 500, "server_error": 500, "INTERNAL": 500, "UNAVAILABLE": 503, "provider_overloaded": 503},
        **{"timeout_error": 504, "DEADLINE_EXCEEDED": 504, "overloaded_error": 529},
    }
)
_KIND_OF = MappingProxyType(
    {
        **dict.fromkeys((401, 403, 407), ErrorKind.AUTH),
        **dict.fromkeys((404, 405, 410), ErrorKind.NOT_FOUND),
        **dict.fromkeys((408, 409, 425, 498), ErrorKind.SERVER),
        402: ErrorKind.QUOTA,
    }
)
_QUOTED = re.compile(r"[`'\"]([A-Za-z_.]{1,60})[`'\"]")
_REQUEST_IDS = ("x-request-id", "request-id", "apim-request-id")
_BODY_IDS = ("request_id", "responseId", "id")
_LIMIT_AND_REQUESTED = re.compile(r"\bLimit:? (\d[\d,]{0,15}), Requested:? (\d[\d,]{0,15})", re.ASCII)
"""In the sentence by which OpenAI and Groq turn away a request; where something was used, `Used` stands between the two."""
_LONGEST_ID = 200
"""Characters of a call's name that are kept. Names in headers are bytes of the server's choice, so they are made printable too."""
_GATEWAY_GAVE_UP = frozenset({504, 524})


def read_body(reply: Reply) -> tuple[Json, bool]:
    """The JSON of a reply, and whether it was repaired; None for the body of an error that is no JSON.

    Raises:
        CallError: a redirect, or a 2xx whose body is empty, cut, HTML or otherwise no JSON.
    """
    if 300 <= reply.status < 400:
        raise _redirected(reply)
    try:
        return lenient.loads(reply.body)
    except ValueError as error:
        if reply.status < 300:
            raise garbled(reply, "it is empty" if not reply.body.strip() else f"no JSON ({error})") from None
        return None, False


def garbled(reply: Reply, why: str) -> CallError:
    """The error for a 2xx that holds no answer of this dialect."""
    start = lenient.printable(reply.body[:200].decode("utf-8", "replace"))
    return CallError(
        ErrorKind.GARBLED,
        f"the reply holds no answer: {why}" + (f"; it begins: {start}" if start else ""),
        status=reply.status,
        maybe_billed=True,
    )


def readable(read: Callable[[dict[str, Json]], Answer], told: Sequence[dict[str, Json]], reply: Reply) -> tuple[Answer, ...]:
    """The answers among `told` that can be read; those that cannot are as if they had not come, and are asked for again.

    Raises:
        CallError: none of them can be read.
    """
    answers, why = [], "it has no answers"
    for one in told:
        try:
            answers.append(read(one))
        except shape.OddFieldError as error:
            why = str(error)
    if not answers:
        raise garbled(reply, why)
    return tuple(answers)


def settle(problem: Problem, reply: Reply, body: Json, asked: int, rules: Rules) -> Completion:
    """Filtered answers if `problem` is a block, `asked` times.

    Raises:
        CallError: it is none.
    """
    status = told_status(reply.status, problem.words)
    where = _block(problem, status, rules)
    if where is None:
        raise _error(problem, status, reply, body, rules)
    reason = problem.message or (problem.words[0] if problem.words else None)
    answer = Answer(Outcome.FILTERED, where=where, reason=reason)
    return Completion((answer,) * asked, request_id=request_id(reply, body))


def told_status(status: int, words: tuple[str, ...]) -> int:
    """The status an error stands for: that of the reply, or, where a 2xx holds an error body, the one the body tells."""
    if status >= 400:
        return status
    for told in words:
        if told.isascii() and told.isdecimal() and 400 <= int(told) < 600:
            return int(told)
    return next((_STATUS_OF[told] for told in words if told in _STATUS_OF), status)


def request_id(reply: Reply, body: Json) -> str | None:
    """The provider's name for the call, from the header of any dialect or from the body."""
    headers = reply.headers
    for name in _REQUEST_IDS:
        if found := headers.get(name):
            return lenient.printable(found[:_LONGEST_ID])
    if isinstance(body, dict):
        for name in _BODY_IDS:
            found = body.get(name)
            if isinstance(found, str) and found:
                return found[:_LONGEST_ID]
    return None


def prose(reply: Reply) -> str:
    """A sentence for an error body that has no message of its own."""
    start = lenient.printable(reply.body[:300].decode("utf-8", "replace"))
    return f"HTTP {reply.status}: {start}" if start else f"HTTP {reply.status} without a message"


def _block(problem: Problem, status: int, rules: Rules) -> Literal["prompt", "answer"] | None:
    if status >= 500:
        return None
    for phrase in rules.block_phrases:
        if phrase.status == status and phrase.text.lower() in problem.message.lower():
            return phrase.where
    for told in problem.words:
        if told in _BLOCKS or any(stem in told for stem in _BLOCK_STEMS):
            return "answer" if told.startswith("Output") else "prompt"
    return None


def _error(problem: Problem, status: int, reply: Reply, body: Json, rules: Rules) -> CallError:
    limit = limit_named(problem.words, problem.message) if _limited(problem, status) else None
    kind, param = _kind(problem, status, limit), None
    # What a model never gives may be refused under 403 too, and that must not stop the account.
    rejected = kind is ErrorKind.BAD_REQUEST or (kind is ErrorKind.AUTH and status == 403)
    if rejected and (param := _unsupported(problem, rules)) is not None:
        kind = ErrorKind.UNSUPPORTED_PARAMETER
    return CallError(
        kind,
        (problem.message or prose(reply))[:LONGEST_MESSAGE],
        status=status,
        code=next((told for told in problem.words if not told.isdecimal()), problem.words[0] if problem.words else None),
        retry_after_s=retry_after(reply.headers, body, reply.received_at),
        param=param,
        maybe_billed=reply.status < 300 or status in _GATEWAY_GAVE_UP,
        limit=limit,
    )


def _limited(problem: Problem, status: int) -> bool:
    return status == 429 or not _RATE.isdisjoint(problem.words)


def _kind(problem: Problem, status: int, limit: str | None) -> ErrorKind:
    words = frozenset(problem.words)
    if words & _ACCOUNT:
        return ErrorKind.ACCOUNT
    if words & _QUOTA or limit == "day":
        return ErrorKind.QUOTA
    if _limited(problem, status) and _never_fits(problem.message):
        return ErrorKind.BAD_REQUEST
    if _limited(problem, status):
        return ErrorKind.RATE_LIMITED
    if status < 500 and words & _AUTH:
        return ErrorKind.AUTH
    if status < 500 and words & _NOT_FOUND:
        return ErrorKind.NOT_FOUND
    if status < 400:
        return ErrorKind.GARBLED
    return _KIND_OF.get(status, ErrorKind.SERVER if status >= 500 else ErrorKind.BAD_REQUEST)


def _never_fits(message: str) -> bool:
    """Whether a rejection says that this one request is larger than the whole limit: waiting does not help it."""
    numbers = _LIMIT_AND_REQUESTED.search(message)
    return numbers is not None and int(numbers[2].replace(",", "")) > int(numbers[1].replace(",", ""))


def _unsupported(problem: Problem, rules: Rules) -> str | None:
    if "context_length_exceeded" in problem.words:
        return None  # its message may list how many tokens each field took
    told = f"{problem.param or ''} {problem.message}".lower()
    for phrase in rules.parameter_phrases:
        if phrase.text.lower() in told:
            return phrase.parameter
    if not _UNSUPPORTED & frozenset(problem.words):
        return None
    named = (problem.param,) if problem.param else _QUOTED.findall(problem.message)
    return next((rules.parameters[name] for name in named if name in rules.parameters), None)


def _redirected(reply: Reply) -> CallError:
    location = reply.headers.get("location") or ""
    try:
        host = urlsplit(location).hostname
    except ValueError:
        host = None
    target = (
        f"to {lenient.printable(host[:200])}"
        if host
        else "to another address of the same host"
        if location
        else "without saying where to"
    )
    return CallError(
        ErrorKind.NOT_FOUND,
        f"the server redirected {target} (HTTP {reply.status}); the base URL must be the API's own address",
        status=reply.status,
    )
