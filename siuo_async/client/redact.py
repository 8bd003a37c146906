"""Keeping keys out of errors and completions that are stored or shown."""

from __future__ import annotations

from dataclasses import replace

from siuo_async.errors import CallError
from siuo_async.keys import redact, unmistakable, without_key
from siuo_async.values import Answer, Completion


def redact_error(error: CallError, key: str | None) -> None:
    """Takes the key out of everything of an error that is stored or shown."""
    error.message = redact(error.message, key)
    if error.code is not None:
        error.code = redact(error.code, key)


def redact_completion(completion: Completion, key: str | None) -> Completion:
    """A completion without the key. Of an answer's text only the key itself goes, never what merely looks like one."""
    if not _to_redact(completion, key):  # what nearly every completion is
        return completion
    return replace(
        completion,
        answers=tuple(_redact_answer(answer, key) for answer in completion.answers),
        served_model=_without(completion.served_model, key if unmistakable(key) else None),
        request_id=_without(completion.request_id, key),
    )


def _to_redact(completion: Completion, key: str | None) -> bool:
    if any(answer.reason for answer in completion.answers):
        return True
    if not key:
        return False
    told = (completion.served_model, completion.request_id, *(answer.text for answer in completion.answers))
    return any(text is not None and key in text for text in told)


def _redact_answer(answer: Answer, key: str | None) -> Answer:
    text = without_key(answer.text, key if unmistakable(key) else None)
    reason = answer.reason and redact(answer.reason, key)
    return answer if text == answer.text and reason == answer.reason else replace(answer, text=text, reason=reason)


def _without(text: str | None, key: str | None) -> str | None:
    return text and without_key(text, key)
