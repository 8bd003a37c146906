"""Keeping keys out of errors and completions that are stored or shown."""

from __future__ import annotations

from dataclasses import replace

import orjson

from siuo_async.errors import CallError
from siuo_async.keys import Secrets
from siuo_async.values import Answer, Completion, Json

_ENDS = frozenset({None, "stop", "length"})
"""Our own words for why an answer ended; any other is the server's."""


def redact_error(error: CallError, secrets: Secrets) -> None:
    """Takes keys out of everything of an error that is stored or shown, a traceback's last line included."""
    error.message = secrets.out_of(error.message)
    error.args = (error.message,)
    if error.code is not None:
        error.code = secrets.out_of(error.code)


def redact_completion(completion: Completion, secrets: Secrets) -> Completion:
    """A completion without keys, marked as `redacted` where one stood in an answer.

    Of an answer's text only whole keys go, never what merely looks like one; of a reason, which is the server's own, both.
    """
    if not _to_redact(completion, secrets):  # what nearly every completion is
        return completion
    return replace(
        completion,
        answers=tuple(_redact_answer(answer, secrets) for answer in completion.answers),
        served_model=_name(completion.served_model, secrets),
        request_id=_name(completion.request_id, secrets),
        redacted=any(_told(answer, secrets) for answer in completion.answers),
    )


def _to_redact(completion: Completion, secrets: Secrets) -> bool:
    for answer in completion.answers:
        if answer.reason or answer.finish not in _ENDS or _told(answer, secrets):
            return True
    names = (completion.served_model, completion.request_id)
    return any(name is not None and secrets.told_in(name) for name in names)


def _told(answer: Answer, secrets: Secrets) -> bool:
    """Whether what is judged or counted of an answer holds a key."""
    if secrets.told_in(answer.text):
        return True
    return answer.logprobs is not None and secrets.told_in(orjson.dumps(answer.logprobs).decode())


def _redact_answer(answer: Answer, secrets: Secrets) -> Answer:
    return replace(
        answer,
        text=secrets.out_of_answer(answer.text),
        reason=answer.reason and secrets.out_of(answer.reason),
        finish=answer.finish if answer.finish in _ENDS else secrets.out_of(answer.finish or ""),
        logprobs=_without(answer.logprobs, secrets),
    )


def _without(value: Json, secrets: Secrets) -> Json:
    if value is None:
        return None
    text = orjson.dumps(value).decode()
    return orjson.loads(secrets.out_of_answer(text)) if secrets.told_in(text) else value


def _name(text: str | None, secrets: Secrets) -> str | None:
    """A name without whole keys; an ordinary one may look like a key, or hold a word that is used as one."""
    return text and secrets.out_of_answer(text)
