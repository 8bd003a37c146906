"""Anthropic Messages as a strict server speaks it, in both wire versions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NoReturn

from siuo_async.simulator.checks import Rule, broken_rule, picture_seen, unknown_field
from siuo_async.simulator.counting import ANTHROPIC, Size
from siuo_async.simulator.structured import loose_object
from siuo_async.simulator.wire import Answer, Asked, Fault, Hints, Json, LimitName, Problem, Quota, RejectedError, Reply, Signal

VERSIONS = ("2023-06-01", "2026-10-21")
_STOP = {
    Signal.STOP: "end_turn",
    Signal.LENGTH: "max_tokens",
    Signal.DECLINED: "refusal",
    Signal.FILTERED: "refusal",
}
_ROLES = ("user", "assistant", "system")
_LIMITS: Mapping[LimitName, str] = {
    "requests": "requests per minute",
    "tokens": "tokens per minute",
    "day": "requests per day",
}
_FAMILIES = (("requests", "requests"), ("input-tokens", "tokens"), ("output-tokens", "tokens"), ("tokens", "tokens"))
_MIMES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_SAMPLING: Mapping[str, Rule] = {
    "temperature": Rule("number", 0, 1),
    "top_p": Rule("number", 0, 1),
    "top_k": Rule("integer", 0),
}
_OUTPUT: Mapping[str, Rule] = {"effort": Rule("string"), "format": Rule("object")}
_FORMAT = "output_config.format"
_FIELDS: Mapping[str, Rule] = {
    "model": Rule("string"),
    "max_tokens": Rule("integer", 1),
    "messages": Rule("list"),
    "system": Rule("anything"),
    "stop_sequences": Rule("list"),
    "thinking": Rule("object"),
    "output_config": Rule("object"),
    "metadata": Rule("object"),
    "cache_control": Rule("object"),
    "service_tier": Rule("string"),
    "speed": Rule("string"),
    "inference_geo": Rule("string"),
    "stream": Rule("boolean"),
}


def key(headers: Mapping[str, str], query: Mapping[str, str], /) -> str | None:
    """`x-api-key`, else the bearer token: the server takes either in both versions."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    return headers.get("x-api-key") or (token.strip() or None if scheme.lower() == "bearer" else None)


def read(body: dict[str, Json], headers: Mapping[str, str], path_model: str, /) -> Asked:
    """The request in neutral form. Raises `RejectedError`."""
    version = headers.get("anthropic-version")
    if version is None:
        _reject("anthropic-version: header is required")
    if version not in VERSIONS:
        _reject(f"anthropic-version: {version!r} is not a valid version")
    fields = _FIELDS if version == VERSIONS[1] else {**_FIELDS, **_SAMPLING}
    stranger = unknown_field(body, fields)
    if stranger:
        raise RejectedError(Fault(Problem.UNKNOWN_FIELD, param=stranger))
    broken = broken_rule(body, fields)
    if broken:
        _reject(f"{broken[0]}: {broken[1]}")
    for name in ("model", "max_tokens", "messages"):
        if not body.get(name):
            _reject(f"{name}: Field required")
    if body.get("stream"):
        _reject("stream: streaming is not simulated")
    output = body.get("output_config") or {}
    stranger = unknown_field(output, _OUTPUT)
    if stranger:
        raise RejectedError(Fault(Problem.UNKNOWN_FIELD, param=f"output_config.{stranger}"))
    texts = [_read_system(body["system"])] if body.get("system") is not None else []
    last_user = ""
    sizes: list[Size | None] = []
    for place, message in enumerate(body["messages"]):
        role, text, seen = _read_message(message, f"messages.{place}")
        texts.append(text)
        sizes += seen
        if role == "user":
            last_user = text
    return Asked(
        model=body["model"],
        texts=tuple(texts),
        last_user=last_user,
        pictures=len(sizes),
        cap=body["max_tokens"],
        named=frozenset(body) & _SAMPLING.keys() | ({_FORMAT} if output.get("format") else set()),
        schema=_read_format(output.get("format")),
        sizes=tuple(sizes),
        counting=ANTHROPIC,
    )


def _read_format(told: Json) -> Json:
    """The schema of the reply; None for text."""
    if told is None:
        return None
    if not isinstance(told, dict) or told.get("type") != "json_schema" or not isinstance(told.get("schema"), dict):
        _reject(f"{_FORMAT}: expected an object of type json_schema with a schema")
    loose = loose_object(told["schema"], all_required=False)
    if loose:
        _reject(f"{_FORMAT}.{loose}: for 'object' type, 'additionalProperties' must be false")
    return told["schema"]


def _reject(message: str) -> NoReturn:
    raise RejectedError(Fault(Problem.INVALID, message))


def _read_system(system: Json) -> str:
    if isinstance(system, str):
        return system
    if not isinstance(system, list):
        _reject("system: expected a string or text blocks")
    return "\n".join(_read_text(block, f"system.{place}") for place, block in enumerate(system))


def _read_text(block: Json, where: str) -> str:
    if not isinstance(block, dict) or block.get("type") != "text" or not isinstance(block.get("text"), str):
        _reject(f"{where}: expected a text block")
    if not block["text"].strip():
        _reject(f"{where}: text content blocks must be non-empty")
    return str(block["text"])


def _read_message(message: Json, where: str) -> tuple[str, str, list[Size | None]]:
    """Role, text and sizes of the pictures of one message."""
    if not isinstance(message, dict):
        _reject(f"{where}: expected an object")
    role, content = message.get("role"), message.get("content")
    if role not in _ROLES:
        _reject(f"{where}.role: expected one of {', '.join(_ROLES)}")
    if isinstance(content, str):
        if not content.strip():
            _reject(f"{where}.content: must be non-empty")
        return role, content, []
    if not isinstance(content, list) or not content:
        _reject(f"{where}.content: expected a string or a non-empty list of blocks")
    texts: list[str] = []
    sizes: list[Size | None] = []
    for place, block in enumerate(content):
        at = f"{where}.content.{place}"
        if isinstance(block, dict) and block.get("type") == "image":
            sizes.append(_read_picture(block.get("source"), f"{at}.image.source"))
        else:
            texts.append(_read_text(block, at))
    return role, "\n".join(texts), sizes


def _read_picture(source: Json, where: str) -> Size | None:
    kind = source.get("type") if isinstance(source, dict) else None
    if kind == "url" and isinstance(source.get("url"), str):
        return None
    if kind != "base64" or not isinstance(source.get("data"), str):
        _reject(f"{where}: expected a base64 or url source")
    declared = source.get("media_type")
    if declared not in _MIMES:
        _reject(f"{where}.base64.media_type: expected one of {', '.join(_MIMES)}")
    try:
        mime, size = picture_seen(source["data"])
    except ValueError:
        _reject(f"{where}.base64.data: invalid base64")
    if mime != declared:
        _reject(f"{where}.base64: the bytes are {mime or 'no picture'}, but media_type says {declared}")
    return size


def without_n(body: dict[str, Json], /) -> Json:
    """The body: there is no number of answers in this dialect."""
    return body


def write(asked: Asked, answers: tuple[Answer, ...], reply_id: str, /) -> Json:
    """A message."""
    answer = answers[0]
    content: list[Json] = []
    if answer.reasoning:
        content.append({"type": "thinking", "thinking": "", "signature": reply_id})
    if answer.text:
        content.append({"type": "text", "text": answer.text, "citations": None})
    return {
        "id": f"msg_{reply_id}",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": content,
        "stop_reason": _STOP[answer.signal],
        "stop_sequence": None,
        "stop_details": _stop_details(answer.signal),
        "usage": {
            "input_tokens": asked.input_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": answer.reasoning + answer.visible,
            "output_tokens_details": {"thinking_tokens": answer.reasoning},
            "service_tier": "standard",
        },
    }


def _stop_details(signal: Signal) -> Json:
    if signal is Signal.DECLINED:
        return {"type": "refusal", "category": None, "explanation": None}
    if signal is Signal.FILTERED:
        told = "The simulated filter took the answer away."
        return {"type": "refusal", "category": "general_harms", "explanation": told}
    return None


def error(fault: Fault, request_id: str, /) -> Reply:
    """Status and error body."""
    headers: dict[str, str] = {}
    status, kind, message, code = _wording(fault)
    if fault.retry_after_s is not None and fault.hints in (Hints.FULL, Hints.RETRY_AFTER):
        headers = {"retry-after": str(math.ceil(fault.retry_after_s))}
        if fault.hints is Hints.FULL:
            headers["x-should-retry"] = "true"
    elif code:
        headers = {"x-should-retry": "false"}
    told: dict[str, Json] = {"type": kind, "message": message}
    if code:
        told["details"] = {"error_code": code}
    return Reply(status, {"type": "error", "error": told, "request_id": request_id}, headers)


def _wording(fault: Fault) -> tuple[int, str, str, str | None]:
    """Status, type, message, error code."""
    invalid = "invalid_request_error"
    match fault.problem:
        case Problem.INVALID:
            return 400, invalid, fault.message, None
        case Problem.UNKNOWN_FIELD:
            return 400, invalid, f"{fault.param}: Extra inputs are not permitted", None
        case Problem.UNSUPPORTED if fault.param == _FORMAT:
            return 400, invalid, f"{_FORMAT}: structured output is not supported by this model.", None
        case Problem.UNSUPPORTED:
            return 400, invalid, f"`{fault.param}` is deprecated for this model.", None
        case Problem.NO_KEY:
            return 401, "authentication_error", "x-api-key: header is required", None
        case Problem.WRONG_KEY:
            return 401, "authentication_error", "invalid x-api-key", None
        case Problem.NO_MODEL:
            return 404, "not_found_error", f"model: {fault.param}", None
        case Problem.TOO_LARGE:
            return 413, "request_too_large", "The request is too large.", None
        case Problem.TOO_FAST:
            return 429, "rate_limit_error", _too_fast(fault), None
        case Problem.QUOTA:
            return 429, "rate_limit_error", "The spend limit is reached.", "enforced_spend_limit_reached"
        case Problem.ON_HOLD:
            return 400, invalid, "This organization is on hold.", "organization_on_hold"
        case Problem.PROMPT_FILTERED:
            return 400, invalid, "Output blocked by content filtering policy", None
        case Problem.OVERLOADED:
            return 529, "overloaded_error", "Overloaded", None
        case Problem.SERVER:
            return 500, "api_error", "Internal server error", None


def _too_fast(fault: Fault) -> str:
    if fault.limit is None:
        return "Rate limit reached."
    if fault.limit == "concurrency":
        return "Number of concurrent connections has exceeded your rate limit."
    return f"The rate limit of {fault.ceiling} {_LIMITS[fault.limit]} for {fault.param} is reached."


def headers(request_id: str, quotas: Mapping[str, Quota], now: float, /) -> Mapping[str, str]:
    """Request id, and the limits that are to be told. What is left of all tokens is left of either sort."""
    told = {"request-id": request_id, "anthropic-organization-id": "org_simulated"}
    for family, unit in _FAMILIES:
        if quota := quotas.get(unit):
            reset = datetime.fromtimestamp(math.ceil(now + quota.reset_s), UTC)
            told[f"anthropic-ratelimit-{family}-limit"] = str(quota.limit)
            told[f"anthropic-ratelimit-{family}-remaining"] = str(quota.remaining)
            told[f"anthropic-ratelimit-{family}-reset"] = reset.strftime("%Y-%m-%dT%H:%M:%SZ")
    return told


def models(names: Iterable[str], /) -> Json:
    """The list of models, one page."""
    listed = [{"id": name, "type": "model", "display_name": name, "created_at": "2026-09-21T00:00:00Z"} for name in names]
    ends = {"first_id": listed[0]["id"], "last_id": listed[-1]["id"]} if listed else {}
    return {"data": listed, "has_more": False, **ends}
