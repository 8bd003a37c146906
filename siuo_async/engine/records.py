"""The journal's record: one finished call as one line of JSON.

A line begins with its id (a reader can index by slicing) and ends with the CRC-32 of everything before it. Null and empty fields are
left out; unknown fields are kept by copying lines whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType

import orjson

from siuo_async.benchmarks.base import SEARCH
from siuo_async.seals import BadLineError, sealed
from siuo_async.values import EMPTY, Answer, Json, Outcome, Usage, quick_value

VERSION = 1
_ANSWERS = b'"answers":['
FAILED_MARK = _ANSWERS + b'{"outcome":"failed"'
_ANSWER_FIELDS = ("outcome", "text", "finish", "where", "reason", "logprobs")
_USAGE_FIELDS = ("input", "output", "cached", "reasoning", "cache_write")


@quick_value
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
    redacted: bool = False
    """A key was taken out of an answer."""
    error: Mapping[str, Json] | None = None

    @property
    def failed(self) -> bool:
        """Whether the call gave no result."""
        return self.error is not None

    def line(self) -> bytes:
        """The record as its line, newline included."""
        fields: dict[str, Json] = {
            "id": self.id,
            "v": VERSION,
            "kind": "search" if self.stage == SEARCH else "call",
            "stage": self.stage,
            "provider": self.provider,
            "model": self.model,
            "sample": self.sample,
            "first": self.first,
            "asked": self.asked,
            "answers": [_answer_fields(answer) for answer in self.answers],
        }
        if usage := _usage_fields(self.usage):
            fields["usage"] = usage
        if self.provider_cost_usd is not None:
            fields["provider_cost_usd"] = self.provider_cost_usd
        fields["latency_s"] = round(self.latency_s, 4)
        if self.waited_s >= 0.0001:
            fields["waited_s"] = round(self.waited_s, 4)
        fields["attempts"] = self.attempts
        if self.maybe_billed:
            fields["maybe_billed"] = self.maybe_billed
        if self.started_at:
            fields["started_at"] = self.started_at
        if self.sent:
            fields["sent"] = self.sent if type(self.sent) is dict else dict(self.sent)
        if self.served_model:
            fields["served_model"] = self.served_model
        if self.request_id:
            fields["request_id"] = self.request_id
        if self.repaired:
            fields["repaired"] = True
        if self.redacted:
            fields["redacted"] = True
        if self.error:
            fields["error"] = dict(self.error)
        return sealed(orjson.dumps(fields))


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
        if not _of_their_kinds(fields, answers):
            raise TypeError("a field is of another kind")
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
            redacted=fields.get("redacted", False),
            error=fields.get("error"),
        )
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadLineError("it is no call record") from error


_TEXT, _TABLE, _WHOLE, _NUMBER = frozenset({str}), frozenset({dict}), frozenset({int}), frozenset({int, float})
_KINDS: Mapping[str, frozenset[type]] = MappingProxyType(
    {
        **dict.fromkeys(("id", "stage", "provider", "model", "sample", "started_at", "served_model", "request_id"), _TEXT),
        **dict.fromkeys(("usage", "sent", "error"), _TABLE),
        **dict.fromkeys(("first", "asked", "attempts", "maybe_billed"), _WHOLE),
        **dict.fromkeys(("latency_s", "waited_s", "provider_cost_usd"), _NUMBER),
    }
)


def _of_their_kinds(fields: Mapping[str, Json], answers: tuple[Answer, ...]) -> bool:
    """Whether what there is can be counted, added and shown; a checksum says only that nobody changed the line since."""
    for name, value in fields.items():
        if (kinds := _KINDS.get(name)) is not None and type(value) not in kinds:
            return False
    for answer in answers:
        if type(answer.text) is not str or type(answer.finish or "") is not str or type(answer.reason or "") is not str:
            return False
    usage = fields.get("usage")
    if not answers:
        return False
    return not usage or all(type(usage.get(name, 0)) in _NUMBER for name in _USAGE_FIELDS)


def _answer_fields(answer: Answer) -> dict[str, Json]:
    """What there is of an answer; written out, since this is done for every call."""
    fields: dict[str, Json] = {"outcome": answer.outcome}
    if answer.text:
        fields["text"] = answer.text
    if answer.finish:
        fields["finish"] = answer.finish
    if answer.where:
        fields["where"] = answer.where
    if answer.reason:
        fields["reason"] = answer.reason
    if answer.logprobs is not None:
        fields["logprobs"] = answer.logprobs
    return fields


def _usage_fields(usage: Usage) -> dict[str, Json]:
    fields: dict[str, Json] = {}
    if usage.input is not None:
        fields["input"] = usage.input
    if usage.output is not None:
        fields["output"] = usage.output
    if usage.cached is not None:
        fields["cached"] = usage.cached
    if usage.reasoning is not None:
        fields["reasoning"] = usage.reasoning
    if usage.cache_write is not None:
        fields["cache_write"] = usage.cache_write
    return fields
