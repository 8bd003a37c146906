"""Keeping keys out of whatever is stored or shown."""

from __future__ import annotations

import re
from dataclasses import replace

from siuo_async.errors import CallError
from siuo_async.values import Answer, Completion

_SHORTEST = 6
_PART = 12
_PASSWORD = re.compile(r"//[^/\s@]+@")
_KEY_SHAPES = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|key)-[A-Za-z0-9_\-*]{8,}|\bAIza[0-9A-Za-z_\-]{10,}|\bBearer\s+[A-Za-z0-9._\-]{8,}|[A-Za-z0-9_\-]+\*{3,}[A-Za-z0-9_\-]*"
)


def redact(text: str, key: str | None) -> str:
    """`text` without `key`, its parts, or anything of the shape of a key (servers echo them in errors)."""
    if key and len(key) >= _SHORTEST:
        text = text.replace(key, "[key]")
        if len(key) > _PART:
            text = re.sub(rf"{re.escape(key[:_PART])}[^\s'\"]*|[^\s'\"]*{re.escape(key[-_PART:])}", "[key]", text)
    return _KEY_SHAPES.sub("[key]", _PASSWORD.sub("//[key]@", text))


def redact_error(error: CallError, key: str | None) -> None:
    """Takes the key out of everything of an error that is stored or shown."""
    error.message = redact(error.message, key)
    if error.code is not None:
        error.code = redact(error.code, key)


def redact_completion(completion: Completion, key: str | None) -> Completion:
    """A completion without the key. Of an answer's text only the key itself goes, never what merely looks like one."""
    return replace(
        completion,
        answers=tuple(_redact_answer(answer, key) for answer in completion.answers),
        served_model=_without(completion.served_model, key if key and _unmistakable(key) else None),
        request_id=_without(completion.request_id, key),
    )


def _redact_answer(answer: Answer, key: str | None) -> Answer:
    text, reason = _without(answer.text, key if key and _unmistakable(key) else None), answer.reason and redact(answer.reason, key)
    return answer if text == answer.text and reason == answer.reason else replace(answer, text=text or "", reason=reason)


def _unmistakable(key: str) -> bool:
    """Whether a key is no word that a model may use of itself: taking those out would change what is measured."""
    return len(key) >= _PART and any(c.isdigit() for c in key) and any(c.isalpha() for c in key)


def _without(text: str | None, key: str | None) -> str | None:
    return text.replace(key, "[key]") if text and key and len(key) >= _SHORTEST else text
