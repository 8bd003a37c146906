"""OpenAI's Chat Completions, as OpenAI and the many servers compatible with it speak it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from siuo_async.errors import CallError, ErrorKind
from siuo_async.providers.dialects import logprobs, parts, problems, shape
from siuo_async.providers.dialects.base import Reply, Request, WireRequest
from siuo_async.providers.dialects.problems import BlockPhrase, ParameterPhrase, Problem, Rules
from siuo_async.providers.profiles import cap_to_send, thinking_fragment
from siuo_async.values import Answer, Completion, Json, Outcome, Picture, Turn, Usage

_RESERVED = frozenset({"model", "messages", "n", "stream"})
_CONTENT = frozenset({"model", "messages"})
_OTHER_CAP = MappingProxyType(
    {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"},
)
_PARAMETERS = MappingProxyType(
    {
        **{name: name for name in ("temperature", "top_p", "frequency_penalty", "seed", "stop", "n", "max_tokens", "top_logprobs")},
        **{"max_completion_tokens": "max_tokens", "logprobs": "top_logprobs"},
        **dict.fromkeys(("reasoning_effort", "reasoning", "thinking", "enable_thinking"), "thinking_tokens"),
    }
)
_REFUSALS = problems.phrases(
    {
        # Any complaint that names it: what the server does not take of it is beside the point, the answer is read without it too.
        "answer_schema": ("response_format", "json_schema", "json schema"),
        "top_logprobs": ("`logprobs` is not supported", "not allowed to request logprobs"),
        "frequency_penalty": ("frequencyPenalty",),
    }
)
"""What holds for every server of the dialect, beside the phrases of the preset."""
_ANSWER = "answer"
"""The name that a schema must have here; it tells the model nothing."""
_END_OF_THINKING = "</think>"
_FILTERED = frozenset({"content_filter", "sensitive"})
_WITHOUT_MESSAGE = _FILTERED | {"refusal"}
"""Where nothing but the reason may come."""
_UPSTREAM_FAILED = frozenset({"error", "insufficient_system_resource"})
_TICKS_PER_USD = 1e10


@dataclass(frozen=True, slots=True)
class OpenAIChat:
    """`POST {base}/chat/completions`, where the base URL includes the version (`/v1`)."""

    block_phrases: tuple[BlockPhrase, ...] = ()
    parameter_phrases: tuple[ParameterPhrase, ...] = ()
    _frames: parts.Frames = field(default_factory=parts.Frames, repr=False, compare=False)

    name = "openai"

    def build(self, request: Request, key: str | None) -> WireRequest:
        """The HTTP request for `request`; a cap that was ruled out goes into the other of the two cap fields.

        Raises:
            ConfigError: `extra` sets a field that is not the user's to set.
        """
        frame = self._frames.of(request, key, self._frame)
        messages = [_message(turn) for turn in request.turns]
        return WireRequest("/chat/completions", frame.headers, frame.around(messages, request.turns), frame.sent)

    def _frame(self, request: Request, key: str | None) -> parts.Frame:
        """Everything of a request but its messages."""
        profile, asked, ruled_out = request.profile, request.parameters, request.ruled_out
        replaced = frozenset({"answer_schema"} if "response_format" in asked.extra else ())
        chosen, left_out = parts.choose(request, frozenset({"safety_filters"}), replaced)
        body: dict[str, Json] = {"model": request.model, "messages": []}
        cap = cap_to_send(asked, profile, ruled_out=ruled_out)
        if cap is not None:
            body[_OTHER_CAP[profile.cap_field] if "max_tokens" in ruled_out else profile.cap_field] = cap
        if (n := parts.answers_to_ask(request)) > 1:
            body["n"] = n
        if "top_logprobs" in chosen:
            body["logprobs"] = True
        if (schema := chosen.pop("answer_schema", None)) is not None:
            body["response_format"] = {"type": "json_schema", "json_schema": {"name": _ANSWER, "strict": True, "schema": schema}}
        body = parts.merge(body | chosen, thinking_fragment(asked, profile, ruled_out))
        body = parts.merge_extra(body, asked.extra, _RESERVED)
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        return parts.frame(body, "messages", headers, parts.sent(body, _CONTENT, left_out))

    def read(self, reply: Reply, asked: int) -> Completion:
        """What `reply` means.

        Raises:
            CallError: the reply holds no result.
        """
        body, repaired = problems.read_body(reply)
        fields = shape.table(body)
        if reply.status >= 300 or (not fields.get("choices") and _holds_error(body)):
            rules = Rules(self.block_phrases, self.parameter_phrases + _REFUSALS, _PARAMETERS)
            return problems.settle(_problem(body), reply, body, asked, rules)
        choices = [choice for choice in shape.rows(fields.get("choices")) if isinstance(choice, dict)]
        if not choices:
            raise problems.garbled(reply, "it has no choices")
        finished = [choice for choice in choices if not _failed(choice)]
        if not finished:
            raise _upstream_error(choices[0], reply)
        told = shape.table(fields.get("usage"))
        return Completion(
            answers=problems.readable(_answer, finished, reply)[:asked],
            usage=_usage(told),
            served_model=shape.word(fields.get("model")),
            request_id=problems.request_id(reply, body),
            provider_cost_usd=_cost(told),
            repaired=repaired,
        )


def _message(turn: Turn) -> dict[str, Json]:
    if len(turn.parts) == 1 and isinstance(turn.parts[0], str):
        # The oldest form, and the only one that every compatible server takes.
        return {"role": turn.role, "content": turn.parts[0]}
    return {"role": turn.role, "content": [_part(part) for part in turn.parts]}


def _part(part: str | Picture) -> dict[str, Json]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    return {"type": "image_url", "image_url": {"url": f"data:{part.mime};base64,{parts.PICTURE}"}}


def _answer(choice: Mapping[str, Json]) -> Answer:
    message = shape.known_table(choice, "message")
    content, refusal = _content(message)
    told = shape.known_text(choice, "finish_reason")
    reason, where = None, None
    visible = bool(content.strip())
    if not (message or told in _WITHOUT_MESSAGE):
        raise shape.OddFieldError("a choice has no message")
    if refusal or told == "refusal":
        outcome, reason = Outcome.DECLINED, refusal or told
    elif told in _FILTERED:
        outcome, reason, where = Outcome.FILTERED, _filter_reason(choice, told), "answer"
    elif visible:
        outcome = Outcome.ANSWERED
    elif told:
        outcome, reason = Outcome.EMPTY, told[: shape.MOST_CHARACTERS]
    else:
        raise shape.OddFieldError("a choice is empty and has no finish_reason")
    return Answer(
        outcome,
        content if visible else "",
        shape.finish(told),
        "answer" if where else None,
        reason,
        _logprobs(choice.get("logprobs"), message),
    )


def _content(message: Mapping[str, Json]) -> tuple[str, str]:
    content, refusal = message.get("content"), shape.known_text(message, "refusal")
    if isinstance(content, str):
        return content, refusal
    # Servers of reasoning models return chunks; those of thinking are no part of the answer.
    chunks = [(shape.piece({"type": "text", **chunk}, "type"), chunk) for chunk in shape.known_tables(message, "content")]
    told = "".join(shape.piece(chunk, "text") for kind, chunk in chunks if kind == "text")
    refused = "".join(shape.piece(chunk, "refusal") for kind, chunk in chunks if kind == "refusal")
    return told, refusal or refused


def _filter_reason(choice: Mapping[str, Json], told: str) -> str:
    results = shape.table(choice.get("content_filter_results"))
    named = [name for name, result in results.items() if shape.table(result).get("filtered") is True]
    return f"{told}: {', '.join(named)}" if named else told


def _logprobs(value: Json, message: Mapping[str, Json]) -> Json:
    if value is None:  # as nearly always: only what asks for letters asks for them
        return None
    entries = [shape.table(entry) for entry in shape.rows(shape.table(value).get("content"))]
    entries = _of_answer(entries, shape.text(message.get("reasoning")) or shape.text(message.get("reasoning_content")))
    return logprobs.kept(entries, [shape.rows(entry.get("top_logprobs")) for entry in entries], "logprob")


def _of_answer(entries: list[dict[str, Json]], thoughts: str) -> list[dict[str, Json]]:
    """The tokens of the visible answer: some servers put those of the thinking they took out of the text before them."""
    if not thoughts.strip() or not entries:
        return entries
    tokens = [shape.text(entry.get("token")).strip() for entry in entries]
    if _END_OF_THINKING in tokens:
        return entries[len(tokens) - tokens[::-1].index(_END_OF_THINKING) :]
    # Where nothing marks the end, tokens that spell the thoughts must not pass for the answer's.
    return [] if thoughts.strip().startswith(next(filter(None, tokens), "")) else entries


def _usage(usage: Mapping[str, Json]) -> Usage:
    prompt, output = shape.count(usage.get("prompt_tokens")), shape.count(usage.get("completion_tokens"))
    reasoning = shape.count(shape.table(usage.get("completion_tokens_details")).get("reasoning_tokens"))
    all_tokens = shape.count(usage.get("total_tokens"))
    if reasoning and prompt is not None and output is not None and all_tokens == prompt + output + reasoning:
        # Some servers (xAI) leave reasoning out of completion_tokens; their total gives it away.
        output += reasoning
    cached = shape.count(shape.table(usage.get("prompt_tokens_details")).get("cached_tokens"))
    return Usage(prompt, output, cached, reasoning)


def _cost(usage: Mapping[str, Json]) -> float | None:
    cost = shape.amount(usage.get("cost"))
    ticks = shape.amount(usage.get("cost_in_usd_ticks"))
    return ticks / _TICKS_PER_USD if cost is None and ticks is not None else cost


def _failed(choice: Mapping[str, Json]) -> bool:
    """Whether the server behind a gateway broke off: not an answer, even if some text came."""
    return shape.text(choice.get("finish_reason")) in _UPSTREAM_FAILED or bool(choice.get("error"))


def _upstream_error(choice: Mapping[str, Json], reply: Reply) -> CallError:
    problem = _problem({"error": choice.get("error")})
    message = problem.message or f"the provider broke off (finish reason {shape.text(choice.get('finish_reason'))!r})"
    return CallError(
        ErrorKind.SERVER,
        message[: problems.LONGEST_MESSAGE],
        status=reply.status,
        code=next(iter(problem.words), None),
        maybe_billed=True,
    )


def _holds_error(body: Json) -> bool:
    fields = shape.table(body[0] if isinstance(body, list) and body else body)
    return bool(fields.get("error")) or fields.get("object") == "error"


def _problem(body: Json) -> Problem:
    """The error in any of the shapes that compatible servers use: nested, flat, with a text only, or a list of details."""
    outer = shape.table(body[0] if isinstance(body, list) and body else body)
    inner = outer.get("error")
    error = inner if isinstance(inner, dict) else {**outer, "message": inner} if isinstance(inner, str) else outer
    metadata = shape.table(error.get("metadata"))
    details = [shape.table(detail) for detail in shape.rows(error.get("detail"))]
    azure = shape.table(error.get("innererror") or error.get("inner_error"))
    messages = [error.get("message"), error.get("detail"), metadata.get("raw"), *(d.get("msg") for d in details)]
    words = [error.get("code"), azure.get("code"), error.get("type"), metadata.get("error_type")]
    words += [detail.get("type") for detail in details]
    if metadata.get("reasons") or metadata.get("flagged_input"):
        words.append("flagged_input")
    places = [shape.rows(detail.get("loc")) for detail in details]
    param = shape.word(error.get("param")) or next((shape.word(place[-1]) for place in places if place), None)
    return Problem(
        message=": ".join(text for text in messages if isinstance(text, str) and text)[: problems.LONGEST_MESSAGE],
        words=tuple(found for found in map(shape.word, words) if found),
        param=param,
    )
