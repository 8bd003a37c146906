"""What all simulated dialects have in common: the neutral request, the neutral result, and the seam between them.

A dialect is a module with the functions of `Dialect`; the server knows nothing else about wire formats.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol, TypeAlias

from siuo_async.simulator.counting import OPENAI, Counting, Size

Json: TypeAlias = Any
LimitName: TypeAlias = Literal["requests", "tokens", "concurrency", "day"]

CREATED = 1_790_000_000
"""Epoch seconds in every reply: a constant, so that equal requests get equal bytes."""


class Signal(StrEnum):
    """How one answer ended."""

    STOP = "stop"
    LENGTH = "length"
    DECLINED = "declined"
    FILTERED = "filtered"


class Problem(StrEnum):
    """Why there is no answer at all; each dialect has its own words and status for it."""

    INVALID = "invalid"
    UNKNOWN_FIELD = "unknown_field"
    UNSUPPORTED = "unsupported"
    NO_KEY = "no_key"
    WRONG_KEY = "wrong_key"
    NO_MODEL = "no_model"
    TOO_LARGE = "too_large"
    TOO_FAST = "too_fast"
    QUOTA = "quota"
    ON_HOLD = "on_hold"
    PROMPT_FILTERED = "prompt_filtered"
    SERVER = "server"
    OVERLOADED = "overloaded"


class Hints(StrEnum):
    """What a server tells of its limits."""

    FULL = "full"
    """All that the provider tells: its headers on every reply, and when to come back."""
    RETRY_AFTER = "retry-after"
    """Only, on a rejection, a `Retry-After` in whole seconds."""
    BODY = "body"
    """Only, on a rejection, what the provider's body holds: Gemini's `RetryInfo`."""
    NONE = "none"
    """Nothing but the status, and a message that names no limit."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One problem, before a dialect words it."""

    problem: Problem
    message: str = ""
    param: str | None = None
    """The request's field, or the model or key, that the problem is about."""
    code: str | None = None
    """A provider's code for this very problem, where it has one."""
    retry_after_s: float | None = None
    limit: LimitName | None = None
    """The limit that was hit; None: not told."""
    ceiling: int | None = None
    """What that limit holds."""
    hints: Hints = Hints.FULL
    """How `retry_after_s` may be told."""


class RejectedError(Exception):
    """A request that gets no further; carries the fault to be told."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, whatever dialect it came in."""

    model: str
    texts: tuple[str, ...]
    """All texts in order, the system prompt first."""
    last_user: str
    """The text of the last user turn."""
    pictures: int
    n: int = 1
    cap: int | None = None
    """The most output tokens, thinking included."""
    named: frozenset[str] = frozenset()
    """Optional parameters that the request holds."""
    shows_thoughts: bool = False
    logprobs: int | None = None
    """How many likeliest tokens are to be told at each place; None: no log-probabilities."""
    schema: Json = None
    """JSON schema of the reply; `{}`: any JSON object; None: any text."""

    sizes: tuple[Size | None, ...] = ()
    """Of the pictures; None: it is only named, or its size cannot be read."""
    counting: Counting = OPENAI

    @property
    def input_tokens(self) -> int:
        """As this provider counts them."""
        return self.counting.asked(self.texts, self.sizes)


@dataclass(frozen=True, slots=True)
class Token:
    """One token of an answer with its natural log-probability."""

    text: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()
    """The likeliest tokens at this place, best first."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a simulated model."""

    signal: Signal
    text: str = ""
    reasoning: int = 0
    """Tokens of thinking, billed but not shown."""
    tokens: tuple[Token, ...] | None = None
    """The text's tokens, where log-probabilities were asked for."""
    counting: Counting = OPENAI

    @property
    def visible(self) -> int:
        """Tokens of the text, as this provider counts them."""
        return self.counting.tokens(self.text)


@dataclass(frozen=True, slots=True)
class Quota:
    """Where a limit stands after one request."""

    limit: int
    remaining: int
    reset_s: float
    """Until nothing of the limit is used any more."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, body and the dialect's own headers."""

    status: int
    body: Json
    headers: Mapping[str, str] = field(default_factory=dict)


class Dialect(Protocol):
    """One wire format; implemented by modules."""

    def key(self, headers: Mapping[str, str], query: Mapping[str, str], /) -> str | None:
        """The credential, None where there is none."""

    def read(self, body: dict[str, Json], headers: Mapping[str, str], path_model: str, /) -> Asked:
        """The request in neutral form. Raises `RejectedError` as strictly as the provider does."""

    def without_n(self, body: dict[str, Json], /) -> Json:
        """The body without the number of answers: what tells equal requests."""

    def write(self, asked: Asked, answers: tuple[Answer, ...], reply_id: str, /) -> Json:
        """The body of a 200."""

    def error(self, fault: Fault, request_id: str, /) -> Reply:
        """How this provider tells `fault`."""

    def headers(self, request_id: str, quotas: Mapping[str, Quota], now: float, /) -> Mapping[str, str]:
        """Headers of every reply: the limits (`requests`, `tokens`) that are to be told; `now` in epoch seconds."""

    def models(self, names: Iterable[str], /) -> Json:
        """The list of models."""
