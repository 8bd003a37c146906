"""Google's `generateContent`, with a key of AI Studio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from urllib.parse import quote

from siuo_async.errors import CallError, ConfigError, ErrorKind
from siuo_async.providers.dialects import logprobs, parts, problems, shape
from siuo_async.providers.dialects.base import Reply, Request, WireRequest
from siuo_async.providers.dialects.problems import BlockPhrase, ParameterPhrase, Problem, Rules
from siuo_async.providers.profiles import cap_to_send, thinking_fragment
from siuo_async.values import Answer, Completion, Json, Outcome, Picture, Turn, Usage

SAFETY_CATEGORIES = (
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
)
"""The four that can be set; the server refuses a request that names any other."""

_RESERVED = frozenset({"contents", "systemInstruction"})
_CONTENT = _RESERVED
_FIELDS = MappingProxyType(
    {
        **{"temperature": "temperature", "top_p": "topP", "frequency_penalty": "frequencyPenalty"},
        **{"seed": "seed", "stop": "stopSequences"},
    }
)
_SHAPE = frozenset({"responseMimeType", "responseSchema", "responseJsonSchema"})
"""Fields that say which shape the answer has."""
_PARAMETERS = MappingProxyType(
    {
        **{"temperature": "temperature", "topP": "top_p", "seed": "seed", "stopSequences": "stop", "candidateCount": "n"},
        **{"responseLogprobs": "top_logprobs", "logprobs": "top_logprobs", "thinkingConfig": "thinking_tokens"},
        **{"frequencyPenalty": "frequency_penalty"},
    }
)
_REFUSALS = problems.phrases(
    {
        # Any complaint that names it, in either spelling: the answer is read without it too.
        "answer_schema": (
            *("responseMimeType", "response_mime_type", "responseSchema", "response_schema"),
            *("responseJsonSchema", "response_json_schema", "JSON mode", "controlled generation"),
        ),
        "top_logprobs": ("logprobs is not enabled", "logprobs is not supported"),
        "frequency_penalty": ("penalty is not enabled", "penalty is not supported"),
    }
)
"""The sentences of Google's servers, which name no parameter in a field of their own."""
_FILTERED = frozenset(
    {
        *("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "ESCALATION", "MODEL_ARMOR"),
        *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
    }
)
_ACCOUNT_FLAGGED = "PUP_LIMITED_DISABLED"
_SIGNS = ("promptFeedback", "usageMetadata", "modelVersion", "responseId")
"""Any of these shows that a reply without candidates is Gemini's way to block a prompt, and not some other server's JSON."""


@dataclass(frozen=True, slots=True)
class Gemini:
    """`POST {base}/models/{model}:generateContent`, where the base URL includes the version (`/v1beta`)."""

    block_phrases: tuple[BlockPhrase, ...] = ()
    parameter_phrases: tuple[ParameterPhrase, ...] = ()

    name = "gemini"

    def build(self, request: Request, key: str | None) -> WireRequest:
        """The HTTP request for `request`.

        Raises:
            ConfigError: `extra` sets a field that is not the user's to set, or a system turn holds a picture.
        """
        asked, ruled_out = request.parameters, request.ruled_out
        replaced = frozenset({"answer_schema"} if _SHAPE & {*shape.table(asked.extra.get("generationConfig"))} else ())
        chosen, left_out = parts.choose(request, replaced=replaced)
        body: dict[str, Json] = {}
        system = [_system_part(part) for turn in request.turns if turn.role == "system" for part in turn.parts]
        if system:
            body["systemInstruction"] = {"parts": system}
        body["contents"] = [_content(turn) for turn in request.turns if turn.role != "system"]
        if asked.safety_filters == "off" and "safety_filters" not in ruled_out:
            body["safetySettings"] = [{"category": category, "threshold": "OFF"} for category in SAFETY_CATEGORIES]
        if config := _generation_config(request, chosen):
            body["generationConfig"] = config
        body = parts.merge(body, thinking_fragment(asked, request.profile, ruled_out))
        if "candidateCount" in shape.table(asked.extra.get("generationConfig")):
            raise ConfigError("`candidateCount` is not possible in `--param`: siuo sets it itself; use `--answers`.")
        body = parts.merge_extra(body, asked.extra, _RESERVED)
        headers = {"Content-Type": "application/json"} | ({"x-goog-api-key": key} if key else {})
        encoded = parts.encode(body, request.turns)
        return WireRequest(_path(request.model), headers, encoded, parts.sent(body, _CONTENT, left_out))

    def read(self, reply: Reply, asked: int) -> Completion:
        """What `reply` means.

        Raises:
            CallError: the reply holds no result.
        """
        body, repaired = problems.read_body(reply)
        # Errors sometimes come as a list of one.
        fields = shape.table(body[0] if isinstance(body, list) and len(body) == 1 else body)
        if reply.status >= 300 or (fields.get("error") and not fields.get("candidates")):
            rules = Rules(self.block_phrases, self.parameter_phrases + _REFUSALS, _PARAMETERS)
            return problems.settle(_problem(fields), reply, body, asked, rules)
        return Completion(
            answers=_answers(fields, reply, asked),
            usage=_usage(shape.table(fields.get("usageMetadata"))),
            served_model=shape.word(fields.get("modelVersion")),
            request_id=problems.request_id(reply, fields),
            repaired=repaired,
        )


def _path(model: str) -> str:
    name = model if model.startswith(("models/", "tunedModels/")) else f"models/{model}"
    return f"/{quote(name, safe='/')}:generateContent"


def _generation_config(request: Request, chosen: Mapping[str, Json]) -> dict[str, Json]:
    config = {_FIELDS[name]: value for name, value in chosen.items() if name in _FIELDS}
    if (n := parts.answers_to_ask(request)) > 1:
        config["candidateCount"] = n
    cap = cap_to_send(request.parameters, request.profile, ruled_out=request.ruled_out)
    if cap is not None:
        config["maxOutputTokens"] = cap
    if "top_logprobs" in chosen:
        config |= {"responseLogprobs": True, "logprobs": chosen["top_logprobs"]}
    if "answer_schema" in chosen:
        config |= {"responseMimeType": "application/json", "responseJsonSchema": chosen["answer_schema"]}
    return config


def _system_part(part: str | Picture) -> dict[str, Json]:
    if isinstance(part, Picture):
        raise ConfigError("a system turn can hold text only, not a picture.")
    return {"text": part}


def _content(turn: Turn) -> dict[str, Json]:
    return {"role": "model" if turn.role == "assistant" else "user", "parts": [_part(part) for part in turn.parts]}


def _part(part: str | Picture) -> dict[str, Json]:
    if isinstance(part, str):
        return {"text": part}
    return {"inlineData": {"mimeType": part.mime, "data": parts.PICTURE}}


def _answers(fields: Mapping[str, Json], reply: Reply, asked: int) -> tuple[Answer, ...]:
    told = fields.get("candidates")
    candidates = [one for one in shape.rows(told) if isinstance(one, dict)]
    if candidates:
        return problems.readable(partial(_answer, reply=reply), candidates, reply)[:asked]
    feedback = shape.table(fields.get("promptFeedback"))
    if told not in (None, []) or not any(sign in fields for sign in _SIGNS) or (not feedback and _wrote(fields)):
        raise problems.garbled(reply, "it has no candidates")
    reason = shape.word(feedback.get("blockReason"))
    if reason == _ACCOUNT_FLAGGED:
        raise _flagged(reply)
    sentence = shape.word(feedback.get("blockReasonMessage")) or reason or "no candidates, no reason given"
    return (Answer(Outcome.FILTERED, where="prompt", reason=sentence),) * asked


def _wrote(fields: Mapping[str, Json]) -> bool:
    """Whether tokens of an answer were counted, so that its absence is no block."""
    return bool(shape.count(shape.table(fields.get("usageMetadata")).get("candidatesTokenCount")))


def _answer(candidate: Mapping[str, Json], reply: Reply) -> Answer:
    told = shape.known_text(candidate, "finishReason")
    if told == _ACCOUNT_FLAGGED:
        raise _flagged(reply)
    holder = shape.known_table(candidate, "content")
    pieces = shape.known_tables(holder, "parts")
    if "parts" not in holder and holder.keys() - {"role"}:
        raise shape.OddFieldError("its content has no parts")
    content = "".join(_visible(piece) for piece in pieces)
    visible = bool(content.strip())
    finish, reason = shape.finish(told), shape.word(candidate.get("finishMessage")) or told or None
    told_logprobs = _logprobs(shape.table(candidate.get("logprobsResult")))
    if told in _FILTERED:
        return Answer(Outcome.FILTERED, content if visible else "", finish, "answer", reason, told_logprobs)
    if visible:
        return Answer(Outcome.ANSWERED, content, finish, logprobs=told_logprobs)
    if not told:
        raise shape.OddFieldError("a candidate is empty and has no finishReason")
    return Answer(Outcome.EMPTY, "", finish, reason=reason)


def _visible(piece: Mapping[str, Json]) -> str:
    """The text of a part, unless it is a thought or of another kind (a call, a picture, a signature alone)."""
    thought = piece.get("thought")
    if not isinstance(thought, bool | None):
        raise shape.OddFieldError("nothing tells whether a part of it is a thought")
    if thought or ("text" not in piece and piece.keys() - {"thought"}):
        return ""
    return shape.piece(piece, "text")


def _flagged(reply: Reply) -> CallError:
    return CallError(
        ErrorKind.ACCOUNT,
        f"Google has limited this account ({_ACCOUNT_FLAGGED})",
        status=reply.status,
        code=_ACCOUNT_FLAGGED,
    )


def _logprobs(result: Mapping[str, Json]) -> Json:
    chosen = [shape.table(entry) for entry in shape.rows(result.get("chosenCandidates"))]
    tops = [shape.rows(shape.table(step).get("candidates")) for step in shape.rows(result.get("topCandidates"))]
    return logprobs.kept(chosen, tops + [[]] * (len(chosen) - len(tops)), "logProbability")


def _usage(usage: Mapping[str, Json]) -> Usage:
    thoughts = shape.count(usage.get("thoughtsTokenCount"))
    return Usage(
        input=shape.count(usage.get("promptTokenCount")),
        output=shape.total(shape.count(usage.get("candidatesTokenCount")), thoughts),
        cached=shape.count(usage.get("cachedContentTokenCount")),
        reasoning=thoughts,
    )


def _problem(fields: Mapping[str, Json]) -> Problem:
    inner = fields.get("error")
    error = shape.table(inner) or fields
    message = inner if isinstance(inner, str) else shape.text(error.get("message"))
    details = [shape.table(detail) for detail in shape.rows(error.get("details"))]
    violations = [shape.table(one) for detail in details for one in shape.rows(detail.get("violations"))]
    words = [detail.get("reason") for detail in details] + [error.get("status"), error.get("code")]
    words += [violation.get("quotaId") for violation in violations]
    told = tuple(found for found in map(shape.word, words) if found)
    return Problem(message[: problems.LONGEST_MESSAGE], told)
