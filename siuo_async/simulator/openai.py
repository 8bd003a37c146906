"""OpenAI Chat Completions as a strict server speaks it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import NoReturn

from siuo_async.simulator.checks import Rule, broken_rule, picture_seen, unknown_field
from siuo_async.simulator.counting import OPENAI, Size
from siuo_async.simulator.structured import loose_object
from siuo_async.simulator.wire import (
    CREATED,
    Answer,
    Asked,
    Fault,
    Hints,
    Json,
    LimitName,
    Problem,
    Quota,
    RejectedError,
    Reply,
    Signal,
    Token,
)

_FINISH = {Signal.STOP: "stop", Signal.LENGTH: "length", Signal.DECLINED: "stop", Signal.FILTERED: "content_filter"}
_ROLES = ("system", "developer", "user", "assistant")
_MIMES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_ANYTHING = Rule("anything")

_FIELDS: Mapping[str, Rule] = {
    "model": Rule("string"),
    "messages": Rule("list"),
    "max_tokens": Rule("integer", 1),
    "max_completion_tokens": Rule("integer", 1),
    "n": Rule("integer", 1, 128),
    "temperature": Rule("number", 0, 2),
    "top_p": Rule("number", 0, 1),
    "seed": Rule("integer"),
    "logprobs": Rule("boolean"),
    "top_logprobs": Rule("integer", 0, 20),
    "presence_penalty": Rule("number", -2, 2),
    "frequency_penalty": Rule("number", -2, 2),
    "store": Rule("boolean"),
    "stream": Rule("boolean"),
    "reasoning_effort": Rule("string"),
    "verbosity": Rule("string"),
    "service_tier": Rule("string"),
    "safety_identifier": Rule("string"),
    "prompt_cache_key": Rule("string"),
    "user": Rule("string"),
    "metadata": Rule("object"),
    "logit_bias": Rule("object"),
    "response_format": Rule("object"),
    "moderation": Rule("object"),
    "stop": _ANYTHING,
    "prompt_cache_options": Rule("object"),
}
_NOT_PARAMETERS = {"model", "messages", "n"}
_LIMITS: Mapping[LimitName, str] = {
    "requests": "requests per min (RPM)",
    "tokens": "tokens per min (TPM)",
    "day": "requests per day (RPD)",
    "concurrency": "concurrent requests",
}


def key(headers: Mapping[str, str], query: Mapping[str, str], /) -> str | None:
    """The bearer token."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def read(body: dict[str, Json], headers: Mapping[str, str], path_model: str, /) -> Asked:
    """The request in neutral form. Raises `RejectedError`."""
    stranger = unknown_field(body, _FIELDS)
    if stranger:
        raise RejectedError(Fault(Problem.UNKNOWN_FIELD, param=stranger))
    broken = broken_rule(body, _FIELDS)
    if broken:
        _reject(f"Invalid value for '{broken[0]}': {broken[1]}.", broken[0], "invalid_type")
    for name in ("model", "messages"):
        if not body.get(name):
            _reject(f"Missing required parameter: '{name}'.", name, "missing_required_parameter")
    if body.get("stream"):
        _reject("Streaming is not simulated.", "stream", "unsupported_value")
    if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
        _reject("Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.", "max_tokens")
    if body.get("top_logprobs") is not None and not body.get("logprobs"):
        _reject("'top_logprobs' needs 'logprobs' to be true.", "top_logprobs")
    stop = body.get("stop")
    if stop is not None and not isinstance(stop, str) and not (isinstance(stop, list) and len(stop) <= 4):
        _reject("Invalid value for 'stop': a string or at most four of them.", "stop", "invalid_type")
    texts: list[str] = []
    last_user = ""
    sizes: list[Size | None] = []
    for place, message in enumerate(body["messages"]):
        role, text, seen = _read_message(message, f"messages[{place}]")
        texts.append(text)
        sizes += seen
        if role == "user":
            last_user = text
    cap = body.get("max_completion_tokens")
    return Asked(
        model=body["model"],
        texts=tuple(texts),
        last_user=last_user,
        pictures=len(sizes),
        n=body.get("n") or 1,
        cap=body.get("max_tokens") if cap is None else cap,
        named=frozenset(name for name, value in body.items() if value is not None) - _NOT_PARAMETERS,
        logprobs=(body.get("top_logprobs") or 0) if body.get("logprobs") else None,
        schema=_read_format(body.get("response_format"), texts),
        sizes=tuple(sizes),
        counting=OPENAI,
    )


def _read_format(told: Json, texts: list[str]) -> Json:
    """The schema that `response_format` asks for; `{}` for any JSON object, None for text."""
    kind = told.get("type") if told else "text"
    if kind == "text":
        return None
    if kind == "json_object":
        if "json" not in "\n".join(texts).lower():
            _reject("'messages' must contain the word 'json' to use 'response_format' of type 'json_object'.", "messages")
        return {}
    at = "response_format.json_schema"
    if kind != "json_schema":
        _reject(f"Invalid value: '{kind}'. Supported values are: 'json_object', 'json_schema', 'text'.", "response_format.type")
    held = told.get("json_schema")
    if not isinstance(held, dict) or not isinstance(held.get("schema"), dict):
        _reject(f"Missing required parameter: '{at}.schema'.", f"{at}.schema", "missing_required_parameter")
    if not re.fullmatch(r"[\w-]{1,64}", str(held.get("name", "")), re.ASCII):
        _reject(f"Invalid '{at}.name': at most 64 letters, digits, underscores and dashes.", f"{at}.name", "invalid_value")
    loose = loose_object(held["schema"], all_required=True) if held.get("strict") else None
    if loose:
        told = f"In {loose}, 'additionalProperties' must be false and 'required' must name every property."
        _reject(f"Invalid schema for response_format '{held['name']}': {told}", "response_format")
    return held["schema"]


def _reject(message: str, param: str, code: str | None = None) -> NoReturn:
    raise RejectedError(Fault(Problem.INVALID, message, param, code))


def _read_message(message: Json, where: str) -> tuple[str, str, list[Size | None]]:
    """Role, text and sizes of the pictures of one message."""
    if not isinstance(message, dict):
        _reject(f"Invalid type for '{where}': expected an object.", where, "invalid_type")
    role, content = message.get("role"), message.get("content")
    if role not in _ROLES:
        _reject(f"Invalid value: '{role}'. Supported values are: {', '.join(_ROLES)}.", f"{where}.role", "invalid_value")
    if isinstance(content, str):
        return role, content, []
    if not isinstance(content, list) or not content:
        _reject(f"Invalid type for '{where}.content': expected a string or parts.", f"{where}.content", "invalid_type")
    texts: list[str] = []
    sizes: list[Size | None] = []
    for place, part in enumerate(content):
        at = f"{where}.content[{place}]"
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text" and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif kind == "image_url" and role == "user":
            sizes.append(_read_picture(part.get("image_url"), f"{at}.image_url"))
        else:
            _reject(f"Invalid value for '{at}'.", at, "invalid_value")
    return role, "\n".join(texts), sizes


def _read_picture(image: Json, where: str) -> Size | None:
    url = image.get("url") if isinstance(image, dict) else None
    if not isinstance(url, str):
        _reject(f"Invalid type for '{where}': expected an object with a url.", where, "invalid_type")
    if image.get("detail", "auto") not in ("auto", "low", "high", "original"):
        _reject(f"Invalid value for '{where}.detail'.", f"{where}.detail", "invalid_value")
    if url.startswith(("https://", "http://")):
        return None
    head, comma, data = url.partition(",")
    if not comma or not head.startswith("data:image/") or not head.endswith(";base64"):
        _reject("The picture is neither a URL nor a base64 data URL.", f"{where}.url", "invalid_image_url")
    try:
        mime, size = picture_seen(data)
    except ValueError:
        _reject("The picture's base64 cannot be decoded.", f"{where}.url", "invalid_base64_image")
    if mime not in _MIMES:
        _reject("The picture is not one of png, jpeg, gif, webp.", f"{where}.url", "invalid_image_format")
    return size


def without_n(body: dict[str, Json], /) -> Json:
    """The body without `n`."""
    return {name: value for name, value in body.items() if name != "n"}


def write(asked: Asked, answers: tuple[Answer, ...], reply_id: str, /) -> Json:
    """A chat completion."""
    reasoning = sum(answer.reasoning for answer in answers)
    output = reasoning + sum(answer.visible for answer in answers)
    return {
        "id": f"chatcmpl-{reply_id}",
        "object": "chat.completion",
        "created": CREATED,
        "model": asked.model,
        "choices": [_choice(index, answer) for index, answer in enumerate(answers)],
        "usage": {
            "prompt_tokens": asked.input_tokens,
            "completion_tokens": output,
            "total_tokens": asked.input_tokens + output,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": reasoning, "audio_tokens": 0},
        },
        "service_tier": "default",
        "system_fingerprint": None,
    }


def _choice(index: int, answer: Answer) -> Json:
    declined = answer.signal is Signal.DECLINED
    message: dict[str, Json] = {
        "role": "assistant",
        "content": None if declined and not answer.text else answer.text,
        "refusal": "I'm sorry, the simulated model declines this." if declined else None,
        "annotations": [],
    }
    logprobs = {"content": [_token(token) for token in answer.tokens], "refusal": None} if answer.tokens else None
    return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": _FINISH[answer.signal]}


def _token(token: Token) -> Json:
    told = _scored(token.text, token.logprob)
    return told | {"top_logprobs": [_scored(*likely) for likely in token.top]}


def _scored(text: str, logprob: float) -> dict[str, Json]:
    return {"token": text, "logprob": logprob, "bytes": list(text.encode())}


def error(fault: Fault, request_id: str, /) -> Reply:
    """Status and error body."""
    headers: dict[str, str] = {}
    if fault.retry_after_s is not None and fault.hints in (Hints.FULL, Hints.RETRY_AFTER):
        headers["retry-after"] = str(math.ceil(fault.retry_after_s))
        if fault.hints is Hints.FULL:
            headers["retry-after-ms"] = str(math.ceil(fault.retry_after_s * 1000))
    status, message, kind, param, code = _wording(fault)
    return Reply(status, {"error": {"message": message, "type": kind, "param": param, "code": code}}, headers)


def _wording(fault: Fault) -> tuple[int, str, str, str | None, str | None]:
    """Status, message, type, param, code."""
    invalid = "invalid_request_error"
    match fault.problem:
        case Problem.INVALID:
            return 400, fault.message, invalid, fault.param, fault.code
        case Problem.UNKNOWN_FIELD:
            return 400, f"Unknown parameter: '{fault.param}'.", invalid, fault.param, "unknown_parameter"
        case Problem.UNSUPPORTED if fault.param == "max_tokens":
            told = "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
            return 400, f"Unsupported parameter: {told}", invalid, "max_tokens", "unsupported_parameter"
        case Problem.UNSUPPORTED if fault.param == "n":
            return 400, "Unsupported value: 'n' must be 1 with this model.", invalid, "n", "unsupported_value"
        case Problem.UNSUPPORTED:
            told = f"Unsupported parameter: '{fault.param}' is not supported with this model."
            return 400, told, invalid, fault.param, "unsupported_parameter"
        case Problem.NO_KEY:
            return 401, "No API key was provided.", invalid, None, None
        case Problem.WRONG_KEY:
            return 401, f"Incorrect API key provided: {_masked(fault.param or '')}.", invalid, None, "invalid_api_key"
        case Problem.NO_MODEL:
            return 404, f"The model `{fault.param}` does not exist.", invalid, None, "model_not_found"
        case Problem.TOO_LARGE:
            return 413, "The request body is too large.", invalid, None, None
        case Problem.TOO_FAST:
            kind = {None: "rate_limit_error", "tokens": "tokens"}.get(fault.limit, "requests")
            return 429, _too_fast(fault), kind, None, "rate_limit_exceeded"
        case Problem.QUOTA:
            told = "You exceeded your current quota, please check your plan and billing details."
            return 429, told, "insufficient_quota", None, "insufficient_quota"
        case Problem.ON_HOLD:
            return 403, "The organization is on hold.", invalid, None, "organization_on_hold"
        case Problem.PROMPT_FILTERED:
            told = "The request was rejected by the simulated safety system."
            return 400, told, invalid, None, "content_policy_violation"
        case Problem.OVERLOADED:
            return 503, "The simulated engine is overloaded, slow down.", "server_error", None, None
        case Problem.SERVER:
            return 500, "The simulated server had an error.", "server_error", None, None


def _too_fast(fault: Fault) -> str:
    if fault.limit is None:
        return "Rate limit reached."
    ceiling = "" if fault.ceiling is None else f": Limit {fault.ceiling}"
    return f"Rate limit reached for {fault.param} on {_LIMITS[fault.limit]}{ceiling}."


def _masked(secret: str) -> str:
    """The key as an error body echoes it: whole when short, else its ends."""
    return secret if len(secret) <= 8 else f"{secret[:4]}{'*' * (len(secret) - 8)}{secret[-4:]}"


def headers(request_id: str, quotas: Mapping[str, Quota], now: float, /) -> Mapping[str, str]:
    """Request id, and the limits that are to be told."""
    told = {"x-request-id": request_id, "openai-version": "2020-10-01"}
    for unit in ("requests", "tokens"):
        if quota := quotas.get(unit):
            told[f"x-ratelimit-limit-{unit}"] = str(quota.limit)
            told[f"x-ratelimit-remaining-{unit}"] = str(quota.remaining)
            told[f"x-ratelimit-reset-{unit}"] = _go_duration(quota.reset_s)
    return told


def _go_duration(seconds: float) -> str:
    """`6ms`, `1.5s`, `1m30s`."""
    if seconds < 1:
        return f"{math.ceil(seconds * 1000)}ms"
    minutes, rest = divmod(round(seconds, 3), 60)
    return f"{int(minutes)}m{rest:g}s" if minutes else f"{rest:g}s"


def models(names: Iterable[str], /) -> Json:
    """The list of models."""
    listed = [{"id": name, "object": "model", "created": CREATED, "owned_by": "simulator"} for name in names]
    return {"object": "list", "data": listed}
