"""Anthropic's Messages, in both wire versions.

Version 2026-10-21 refuses sampling parameters of every model; 2023-06-01 takes them where the model does. So the older one,
with its own header for the key, is spoken exactly when the body holds one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from siuo_async.errors import ConfigError
from siuo_async.providers.dialects import parts, problems, shape
from siuo_async.providers.dialects.base import Reply, Request, WireRequest
from siuo_async.providers.dialects.problems import BlockPhrase, ParameterPhrase, Problem, Rules
from siuo_async.providers.profiles import cap_to_send, thinking_fragment
from siuo_async.values import Answer, Completion, Json, Outcome, Picture, Turn, Usage

DEFAULT_VISIBLE_CAP = 4_096
"""`max_tokens` is required; this is the room for the visible answer where no cap is asked for."""

SAMPLING_VERSION = "2023-06-01"

_RESERVED = frozenset({"model", "messages", "system", "stream"})
_CONTENT = frozenset({"model", "messages", "system"})
_NEVER = frozenset({"seed", "frequency_penalty", "top_logprobs", "safety_filters"})
_SAMPLING = ("temperature", "top_p", "top_k")
_PARAMETERS = MappingProxyType(
    {"temperature": "temperature", "top_p": "top_p", "stop_sequences": "stop", "thinking": "thinking_tokens"}
)
_REFUSALS = problems.phrases({"answer_schema": ("output_config", "output_format", "output format", "structured output")})
"""Complaints that name the schema, whatever of it was refused: the answer is read without it too."""


@dataclass(frozen=True, slots=True)
class AnthropicMessages:
    """`POST {base}/v1/messages`, where the base URL has no version."""

    block_phrases: tuple[BlockPhrase, ...] = ()
    parameter_phrases: tuple[ParameterPhrase, ...] = ()

    name = "anthropic"

    def build(self, request: Request, key: str | None) -> WireRequest:
        """The HTTP request for `request`; one answer per call, since the format has no `n`.

        Raises:
            ConfigError: `extra` sets a field that is not the user's to set, or a system turn holds a picture.
        """
        profile, asked, ruled_out = request.profile, request.parameters, request.ruled_out
        replaced = frozenset({"answer_schema"} if "format" in shape.table(asked.extra.get("output_config")) else ())
        chosen, left_out = parts.choose(request, _NEVER, replaced)
        body: dict[str, Json] = {
            "model": request.model,
            "max_tokens": cap_to_send(asked, profile, default=DEFAULT_VISIBLE_CAP, ruled_out=ruled_out),
        }
        system = [_text_block(part) for turn in request.turns if turn.role == "system" for part in turn.parts]
        if system:
            body["system"] = system[0]["text"] if len(system) == 1 else system
        body["messages"] = [_message(turn) for turn in request.turns if turn.role != "system"]
        if "stop" in chosen:
            body["stop_sequences"] = chosen.pop("stop")
        if (schema := chosen.pop("answer_schema", None)) is not None:
            body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        body = parts.merge(body | chosen, thinking_fragment(asked, profile, ruled_out))
        body = parts.merge_extra(body, asked.extra, _RESERVED)
        sampled = any(name in body for name in _SAMPLING)
        headers = _headers(SAMPLING_VERSION if sampled else profile.anthropic_version, key)
        encoded = parts.encode(body, request.turns)
        return WireRequest("/v1/messages", headers, encoded, parts.sent(body, _CONTENT, left_out))

    def read(self, reply: Reply, asked: int) -> Completion:
        """What `reply` means.

        Raises:
            CallError: the reply holds no result.
        """
        body, repaired = problems.read_body(reply)
        fields = shape.table(body)
        if reply.status >= 300 or fields.get("type") == "error" or ("content" not in fields and fields.get("error")):
            rules = Rules(self.block_phrases, self.parameter_phrases + _REFUSALS, _PARAMETERS)
            return problems.settle(_problem(fields), reply, body, asked, rules)
        return Completion(
            answers=problems.readable(_answer, [fields], reply),
            usage=_usage(shape.table(fields.get("usage"))),
            served_model=shape.word(fields.get("model")),
            request_id=problems.request_id(reply, body),
            repaired=repaired,
        )


def _headers(version: str, key: str | None) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "anthropic-version": version}
    if key:
        headers |= {"X-Api-Key": key} if version == SAMPLING_VERSION else {"Authorization": f"Bearer {key}"}
    return headers


def _text_block(part: str | Picture) -> dict[str, Json]:
    if isinstance(part, Picture):
        raise ConfigError("a system turn can hold text only, not a picture.")
    return {"type": "text", "text": part}


def _message(turn: Turn) -> dict[str, Json]:
    # Empty text blocks are refused by the server and say nothing.
    return {"role": turn.role, "content": [_block(part) for part in turn.parts if part != ""]}


def _block(part: str | Picture) -> dict[str, Json]:
    if isinstance(part, str):
        return _text_block(part)
    return {"type": "image", "source": {"type": "base64", "media_type": part.mime, "data": parts.PICTURE}}


def _answer(fields: Mapping[str, Json]) -> Answer:
    blocks = [(shape.piece(block, "type"), block) for block in shape.known_tables(fields, "content")]
    told = "".join(shape.piece(block, "text") for kind, block in blocks if kind == "text")
    content = told if told.strip() else ""
    stop = shape.known_text(fields, "stop_reason")
    if stop == "refusal":
        details = shape.table(fields.get("stop_details"))
        reason = shape.word(details.get("explanation")) or shape.word(details.get("category")) or stop
        return Answer(Outcome.DECLINED, content, stop, reason=reason)
    if content:
        return Answer(Outcome.ANSWERED, content, shape.finish(stop))
    if not stop or "content" not in fields:
        raise shape.OddFieldError("it has no content" if "content" not in fields else "it is empty and has no stop_reason")
    return Answer(Outcome.EMPTY, "", shape.finish(stop), reason=stop[: shape.MOST_CHARACTERS])


def _usage(usage: Mapping[str, Json]) -> Usage:
    cached = shape.count(usage.get("cache_read_input_tokens"))
    written = shape.count(usage.get("cache_creation_input_tokens"))
    return Usage(
        input=shape.total(shape.count(usage.get("input_tokens")), written, cached),
        output=shape.count(usage.get("output_tokens")),
        cached=cached,
        reasoning=shape.count(shape.table(usage.get("output_tokens_details")).get("thinking_tokens")),
        cache_write=written or None,
    )


def _problem(fields: Mapping[str, Json]) -> Problem:
    inner = fields.get("error")
    error = shape.table(inner) or fields
    message = inner if isinstance(inner, str) else shape.text(error.get("message")) or shape.text(error.get("detail"))
    words = (shape.table(error.get("details")).get("error_code"), error.get("code"), error.get("type"))
    told = tuple(found for found in map(shape.word, words) if found and found != "error")
    return Problem(message[: problems.LONGEST_MESSAGE], told, shape.word(error.get("param")))
