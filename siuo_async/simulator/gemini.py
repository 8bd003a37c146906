"""Gemini `generateContent` as a strict server speaks it: proto JSON, so camelCase and snake_case both."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NoReturn

from siuo_async.simulator.checks import Rule, broken_rule, picture_seen, unknown_field
from siuo_async.simulator.counting import GEMINI, Size
from siuo_async.simulator.wire import Answer, Asked, Fault, Hints, Json, LimitName, Problem, Quota, RejectedError, Reply, Signal, Token

_STATUS = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
_CATEGORIES = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
_THRESHOLDS = ("BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF")

_QUOTAS: Mapping[LimitName | None, str] = {
    "requests": "GenerateRequestsPerMinutePerProjectPerModel",
    "tokens": "GenerateContentInputTokensPerModelPerMinute",
    "day": "GenerateRequestsPerDayPerProjectPerModel",
}

_FIELDS: Mapping[str, Rule] = {
    "contents": Rule("list"),
    "systemInstruction": Rule("object"),
    "generationConfig": Rule("object"),
    "safetySettings": Rule("list"),
    "serviceTier": Rule("string"),
    "store": Rule("boolean"),
    "cachedContent": Rule("string"),
    "continuationToken": Rule("string"),
}
_CONFIG: Mapping[str, Rule] = {
    "temperature": Rule("number", 0, 2),
    "topP": Rule("number", 0, 1),
    "topK": Rule("number", 0),
    "maxOutputTokens": Rule("integer", 1),
    "candidateCount": Rule("integer", 1, 8),
    "seed": Rule("integer"),
    "stopSequences": Rule("list"),
    "responseLogprobs": Rule("boolean"),
    "logprobs": Rule("integer", 0, 20),
    "presencePenalty": Rule("number", -2, 2),
    "frequencyPenalty": Rule("number", -2, 2),
    "responseMimeType": Rule("string"),
    "responseSchema": Rule("object"),
    "responseJsonSchema": Rule("anything"),
    "responseModalities": Rule("list"),
    "mediaResolution": Rule("string"),
    "thinkingConfig": Rule("object"),
}
_THINKING: Mapping[str, Rule] = {
    "thinkingBudget": Rule("integer", -1),
    "thinkingLevel": Rule("string"),
    "includeThoughts": Rule("boolean"),
}
_PARTS = ("text", "inlineData", "fileData")


def key(headers: Mapping[str, str], query: Mapping[str, str], /) -> str | None:
    """`x-goog-api-key`, else the query's `key`."""
    return headers.get("x-goog-api-key") or query.get("key")


def read(body: dict[str, Json], headers: Mapping[str, str], path_model: str, /) -> Asked:
    """The request in neutral form. Raises `RejectedError`."""
    body = _checked(body, _FIELDS, "")
    config = _checked(body.get("generationConfig") or {}, _CONFIG, "generation_config")
    thinking = _checked(config.get("thinkingConfig") or {}, _THINKING, "generation_config.thinking_config")
    _check_safety(body.get("safetySettings") or [])
    if not body.get("contents"):
        _reject("contents: contents is not specified")
    texts: list[str] = []
    if body.get("systemInstruction"):
        texts.append(_read_content(body["systemInstruction"], "system_instruction", ("user", "system", "model"))[0])
    last_user = ""
    sizes: list[Size | None] = []
    for place, content in enumerate(body["contents"]):
        text, seen = _read_content(content, f"contents[{place}]", ("user", "model"))
        texts.append(text)
        sizes += seen
        if content.get("role", "user") == "user":
            last_user = text
    return Asked(
        model=path_model,
        texts=tuple(texts),
        last_user=last_user,
        pictures=len(sizes),
        n=config.get("candidateCount") or 1,
        cap=config.get("maxOutputTokens"),
        named=frozenset(name for name in config if name != "maxOutputTokens"),
        shows_thoughts=bool(thinking.get("includeThoughts")),
        logprobs=_read_logprobs(config),
        schema=_read_schema(config),
        sizes=tuple(sizes),
        counting=GEMINI,
    )


def _read_logprobs(config: dict[str, Json]) -> int | None:
    if config.get("responseLogprobs"):
        return config.get("logprobs") or 0
    if config.get("logprobs") is not None:
        _reject("generation_config.logprobs is only valid when response_logprobs is true", "generation_config.logprobs")
    return None


def _read_schema(config: dict[str, Json]) -> Json:
    """The schema of the reply; `{}` for any JSON object, None for text."""
    given = [name for name in ("responseSchema", "responseJsonSchema") if config.get(name) is not None]
    as_json = config.get("responseMimeType") == "application/json"
    if given and not as_json:
        _reject("A response schema needs response_mime_type application/json", "generation_config.response_mime_type")
    if len(given) > 1:
        _reject("Only one of response_schema and response_json_schema can be set", "generation_config.response_schema")
    if given and not isinstance(config[given[0]], dict):
        _reject(f"Invalid value at 'generation_config.{given[0]}': expected an object", f"generation_config.{given[0]}")
    return config[given[0]] if given else {} if as_json else None


def _reject(message: str, param: str | None = None) -> NoReturn:
    raise RejectedError(Fault(Problem.INVALID, message, param))


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


def _checked(value: dict[str, Json], rules: Mapping[str, Rule], where: str) -> dict[str, Json]:
    """`value` with camelCase names, all of them known and of the right type."""
    renamed = {_camel(name): held for name, held in value.items()}
    stranger = unknown_field(renamed, rules)
    if stranger:
        raise RejectedError(Fault(Problem.UNKNOWN_FIELD, where, stranger))
    broken = broken_rule(renamed, rules)
    if broken:
        at = f"{where}.{broken[0]}" if where else broken[0]
        _reject(f"Invalid value at '{at}': {broken[1]}", at)
    return renamed


def _check_safety(settings: list[Json]) -> None:
    for place, setting in enumerate(settings):
        category = setting.get("category") if isinstance(setting, dict) else None
        if category not in {f"HARM_CATEGORY_{name}" for name in _CATEGORIES}:
            _reject(f"safety_settings[{place}]: element predicate failed: $.category", "safety_settings")
        if setting.get("threshold") not in _THRESHOLDS:
            _reject(f"Invalid value at 'safety_settings[{place}].threshold'", "safety_settings")


def _read_content(content: Json, where: str, roles: tuple[str, ...]) -> tuple[str, list[Size | None]]:
    """Text and sizes of the pictures of one content."""
    if not isinstance(content, dict):
        _reject(f"Invalid value at '{where}': expected an object", where)
    if content.get("role", roles[0]) not in roles:
        _reject(f"Please use a valid role: {', '.join(roles)}.", where)
    parts = content.get("parts")
    if not isinstance(parts, list) or not parts:
        _reject(f"{where}.parts must not be empty", where)
    texts: list[str] = []
    sizes: list[Size | None] = []
    for place, part in enumerate(parts):
        at = f"{where}.parts[{place}]"
        held = {_camel(name): value for name, value in part.items()} if isinstance(part, dict) else {}
        kinds = [name for name in _PARTS if name in held]
        if len(kinds) != 1:
            _reject(f"{at}: required oneof field 'data' must have one initialized field", at)
        if kinds[0] == "text":
            if not isinstance(held["text"], str):
                _reject(f"Invalid value at '{at}.text'", at)
            texts.append(held["text"])
        else:
            sizes.append(_read_picture(held[kinds[0]], kinds[0], at))
    return "\n".join(texts), sizes


def _read_picture(value: Json, kind: str, where: str) -> Size | None:
    held = {_camel(name): inner for name, inner in value.items()} if isinstance(value, dict) else {}
    if kind == "fileData":
        if not isinstance(held.get("fileUri"), str):
            _reject(f"Invalid value at '{where}.file_data'", where)
        return None
    if not isinstance(held.get("data"), str) or not isinstance(held.get("mimeType"), str):
        _reject(f"Invalid value at '{where}.inline_data'", where)
    try:
        mime, size = picture_seen(held["data"], url_safe=True)
    except ValueError:
        _reject(f"Invalid value at '{where}.inline_data.data' (TYPE_BYTES), Base64 decoding failed", where)
    if not held["mimeType"].startswith("image/") or mime is None:
        _reject("Unable to process input image.", where)
    return size


def without_n(body: dict[str, Json], /) -> Json:
    """The body without the count of candidates, which stands one level down."""
    bare = dict(body)
    for name in ("generationConfig", "generation_config"):
        if name in bare:
            bare[name] = {k: v for k, v in bare[name].items() if _camel(k) != "candidateCount"}
    return bare


def write(asked: Asked, answers: tuple[Answer, ...], reply_id: str, /) -> Json:
    """A reply with candidates."""
    reasoning = sum(answer.reasoning for answer in answers)
    output = sum(answer.visible for answer in answers)
    usage = {
        "promptTokenCount": asked.input_tokens,
        "candidatesTokenCount": output,
        "totalTokenCount": asked.input_tokens + output + reasoning,
    }
    if reasoning:
        usage["thoughtsTokenCount"] = reasoning
    return {
        "candidates": [_candidate(index, answer, asked.shows_thoughts) for index, answer in enumerate(answers)],
        "usageMetadata": usage,
        "modelVersion": asked.model,
        "responseId": reply_id,
    }


def _candidate(index: int, answer: Answer, shows_thoughts: bool) -> Json:
    # There is no refusal signal in this dialect: a decline is a finish reason, as a filter is.
    declined = "SAFETY" if answer.text else "PROHIBITED_CONTENT"
    reason = {
        Signal.STOP: "STOP",
        Signal.LENGTH: "MAX_TOKENS",
        Signal.DECLINED: declined,
        Signal.FILTERED: "SAFETY",
    }[answer.signal]
    parts: list[Json] = []
    if answer.reasoning and shows_thoughts:
        parts.append({"text": "Simulated thinking.", "thought": True})
    if answer.text:
        parts.append({"text": answer.text})
    content: dict[str, Json] = {"role": "model"}
    if parts:
        content["parts"] = parts
    candidate = {"content": content, "finishReason": reason, "index": index, **_logprobs(answer.tokens)}
    return candidate | {"safetyRatings": _ratings(True)} if reason == "SAFETY" else candidate


def _logprobs(tokens: tuple[Token, ...] | None) -> dict[str, Json]:
    if not tokens:
        return {}
    result: dict[str, Json] = {"chosenCandidates": [_scored(token.text, token.logprob) for token in tokens]}
    if tokens[0].top:
        result["topCandidates"] = [{"candidates": [_scored(*likely) for likely in token.top]} for token in tokens]
    return {"avgLogprobs": sum(token.logprob for token in tokens) / len(tokens), "logprobsResult": result}


def _scored(text: str, logprob: float) -> Json:
    return {"token": text, "tokenId": zlib.crc32(text.encode()) % 256_000, "logProbability": logprob}


def _ratings(blocked: bool) -> list[Json]:
    rated = [{"category": f"HARM_CATEGORY_{name}", "probability": "NEGLIGIBLE"} for name in _CATEGORIES[:3]]
    return [*rated, {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": blocked}]


def error(fault: Fault, request_id: str, /) -> Reply:
    """Status and error body; a blocked prompt and a flagged account are told by a 200."""
    if fault.problem is Problem.PROMPT_FILTERED:
        feedback = {"blockReason": "SAFETY", "safetyRatings": _ratings(True)}
        usage = {"promptTokenCount": 1, "totalTokenCount": 1}
        return Reply(200, {"promptFeedback": feedback, "usageMetadata": usage, "responseId": request_id})
    if fault.problem is Problem.ON_HOLD:
        candidate = {"content": {"role": "model"}, "finishReason": "PUP_LIMITED_DISABLED", "index": 0}
        return Reply(200, {"candidates": [candidate], "responseId": request_id})
    code, message, details = _wording(fault)
    told: dict[str, Json] = {"code": code, "message": message, "status": _STATUS[code]}
    if details:
        told["details"] = details
    # By itself this provider tells nothing by headers; what stands in front of it may.
    waits = fault.hints is Hints.RETRY_AFTER and fault.retry_after_s is not None
    return Reply(code, {"error": told}, {"retry-after": str(math.ceil(fault.retry_after_s or 0))} if waits else {})


def _wording(fault: Fault) -> tuple[int, str, list[Json]]:
    """Status, message, details."""
    match fault.problem:
        case Problem.INVALID:
            return 400, fault.message, [_violation(fault.param or "", fault.message)] if fault.param else []
        case Problem.UNKNOWN_FIELD:
            at = f' at "{fault.message}"' if fault.message else ""
            told = f'Invalid JSON payload received. Unknown name "{fault.param}"{at}: Cannot find field.'
            return 400, told, [_violation(fault.message, told)]
        case Problem.UNSUPPORTED if fault.param == "n":
            return 400, "Multiple candidates is not enabled for this model", []
        case Problem.UNSUPPORTED:
            return 400, f"{fault.param} is not supported by this model", []
        case Problem.NO_KEY:
            return 403, "Unregistered callers are not served; use an API key.", []
        case Problem.WRONG_KEY:
            info = {"@type": _type("ErrorInfo"), "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
            return 400, "API key not valid. Please pass a valid API key.", [info]
        case Problem.NO_MODEL:
            return 404, f"models/{fault.param} is not found for this API version.", []
        case Problem.TOO_LARGE:
            return 413, "The request payload is too large.", []
        case Problem.TOO_FAST:
            return 429, _too_fast(fault), _exhausted(fault)
        case Problem.QUOTA:
            return 429, "The quota of requests is used up for today.", _exhausted(replace(fault, limit="day"))
        case Problem.OVERLOADED:
            return 503, "The model is overloaded. Please try again later.", []
        case _:
            return 500, "An internal error has occurred.", []


def _type(name: str) -> str:
    return f"type.googleapis.com/google.rpc.{name}"


def _violation(field: str, description: str) -> Json:
    return {"@type": _type("BadRequest"), "fieldViolations": [{"field": field, "description": description}]}


def _too_fast(fault: Fault) -> str:
    told = {
        None: "Rate limit reached.",
        "requests": "The quota of requests is used up for now.",
        "tokens": "The quota of tokens is used up for now.",
        "concurrency": "Too many concurrent requests.",
        "day": "The quota of requests is used up for today.",
    }
    return told[fault.limit]


def _exhausted(fault: Fault) -> list[Json]:
    """Which quota was hit, where it has a name, and when to come back, where that is told."""
    details: list[Json] = []
    if fault.limit in _QUOTAS:
        details.append({"@type": _type("QuotaFailure"), "violations": [{"quotaId": _QUOTAS[fault.limit]}]})
    if fault.retry_after_s is not None and fault.hints in (Hints.FULL, Hints.BODY):
        details.append({"@type": _type("RetryInfo"), "retryDelay": f"{fault.retry_after_s:.3f}s"})
    return details


def headers(request_id: str, quotas: Mapping[str, Quota], now: float, /) -> Mapping[str, str]:
    """None: this provider tells neither limits nor a request id by headers."""
    return {}


def models(names: Iterable[str], /) -> Json:
    """The list of models, one page."""
    methods = ["generateContent"]
    return {"models": [{"name": f"models/{name}", "supportedGenerationMethods": methods} for name in names]}
