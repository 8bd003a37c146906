"""The journal's record: one finished call as one line of JSON.

A line begins with its id (a reader can index by slicing) and ends with the CRC-32 of everything before it. Null and empty fields are
left out; unknown fields are kept by copying lines whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zlib import crc32

import orjson

from siuo_async.benchmarks.base import SEARCH
from siuo_async.values import EMPTY, Answer, Json, Outcome, Usage

VERSION = 1
CRC_FIELD = b',"crc":'
_ANSWERS = b'"answers":['
FAILED_MARK = _ANSWERS + b'{"outcome":"failed"'
_ANSWER_FIELDS = ("outcome", "text", "finish", "where", "reason", "logprobs")
_USAGE_FIELDS = ("input", "output", "cached", "reasoning")


class BadLineError(ValueError):
    """A complete line of the journal that is not what was written."""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One finished call: what was asked, what came, and what it took."""

    id: str
    stage: str
    provider: str
    model: str
    sample: str
    first: int
    asked: int
    answers: tuple[Answer, ...]
    usage: Usage = Usage()
    provider_cost_usd: float | None = None
    latency_s: float = 0.0
    """The try that gave the result, from sending to the last byte."""
    waited_s: float = 0.0
    """For pace, slot and cooldown, over all tries."""
    attempts: int = 1
    """Tries that the retry policy counts; being rate-limited is none."""
    maybe_billed: int = 0
    """Tries without a result that the provider may charge for."""
    started_at: str = ""
    sent: Mapping[str, Json] = field(default_factory=lambda: EMPTY)
    served_model: str | None = None
    request_id: str | None = None
    repaired: bool = False
    error: Mapping[str, Json] | None = None

    @property
    def failed(self) -> bool:
        """Whether the call gave no result."""
        return self.error is not None

    def line(self) -> bytes:
        """The record as its line, newline included."""
        kind = "search" if self.stage == SEARCH else "call"
        fields: dict[str, Json] = {"id": self.id, "v": VERSION, "kind": kind, "stage": self.stage}
        fields |= {"provider": self.provider, "model": self.model, "sample": self.sample}
        fields |= {"first": self.first, "asked": self.asked}
        fields["answers"] = [_sparse(answer, _ANSWER_FIELDS) for answer in self.answers]
        if usage := _sparse(self.usage, _USAGE_FIELDS):
            fields["usage"] = usage
        if self.provider_cost_usd is not None:
            fields["provider_cost_usd"] = self.provider_cost_usd
        fields["latency_s"] = round(self.latency_s, 4)
        if self.waited_s >= 0.0001:
            fields["waited_s"] = round(self.waited_s, 4)
        fields["attempts"] = self.attempts
        for name in ("maybe_billed", "started_at", "sent", "served_model", "request_id", "repaired", "error"):
            value = getattr(self, name)
            if value:
                fields[name] = dict(value) if isinstance(value, Mapping) else value
        return sealed(orjson.dumps(fields))


def sealed(body: bytes) -> bytes:
    """`body` (a JSON object) with its CRC-32 as last member, as a line."""
    head = body[:-1]
    return b'%b,"crc":%d}\n' % (head, crc32(head))


def checked(line: bytes) -> bytes:
    """`line` (without its newline) if its checksum holds.

    Raises:
        BadLineError: the line was changed, or never was a record.
    """
    at = line.rfind(CRC_FIELD)
    if at < 0 or not line.endswith(b"}") or not line[at + 7 : -1].isdigit():
        raise BadLineError("it has no checksum")
    if crc32(memoryview(line)[:at]) != int(line[at + 7 : -1]):
        raise BadLineError("its checksum does not fit")
    return line


def line_failed(line: bytes) -> bool:
    """Whether a record's line holds a failure, without parsing it (inside a text the mark's quotes would be escaped)."""
    return line.startswith(FAILED_MARK, line.find(_ANSWERS))  # the first is near, and the whole line long


def parse(line: bytes) -> CallRecord:
    """The record of a checked line.

    Raises:
        BadLineError: it is no call record.
    """
    try:
        fields = orjson.loads(line)
        answers = tuple(
            Answer(Outcome(a["outcome"]), a.get("text", ""), *(a.get(name) for name in _ANSWER_FIELDS[2:])) for a in fields["answers"]
        )
        usage = fields.get("usage", EMPTY)
        return CallRecord(
            id=fields["id"],
            stage=fields["stage"],
            provider=fields["provider"],
            model=fields["model"],
            sample=fields.get("sample", ""),
            first=fields["first"],
            asked=fields["asked"],
            answers=answers,
            usage=Usage(*(usage.get(name) for name in _USAGE_FIELDS)),
            provider_cost_usd=fields.get("provider_cost_usd"),
            latency_s=fields.get("latency_s", 0.0),
            waited_s=fields.get("waited_s", 0.0),
            attempts=fields.get("attempts", 1),
            maybe_billed=fields.get("maybe_billed", 0),
            started_at=fields.get("started_at", ""),
            sent=fields.get("sent", EMPTY),
            served_model=fields.get("served_model"),
            request_id=fields.get("request_id"),
            repaired=fields.get("repaired", False),
            error=fields.get("error"),
        )
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadLineError(f"it is no call record ({type(error).__name__}: {error})") from error


def _sparse(value: Answer | Usage, names: tuple[str, ...]) -> dict[str, Json]:
    return {name: found for name in names if (found := getattr(value, name)) is not None and found != ""}
