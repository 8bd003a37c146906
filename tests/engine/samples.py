"""Records, ids and seams that the engine's tests share."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from siuo_async.benchmarks.base import Juror
from siuo_async.client.endpoint import CallResult, Tries
from siuo_async.client.halt import Halt
from siuo_async.client.limits import Priority
from siuo_async.engine.records import CallRecord
from siuo_async.errors import CallError, ErrorKind, StoppedEarly
from siuo_async.values import Answer, Completion, Outcome, Parameters, Picture, Prompt, Sample, Usage

PICTURE = Picture("roof.png", "ab" * 32, "image/png", 1234)
OTHER_PICTURE = Picture("desk.png", "cd" * 32, "image/png", 99)


def identity(name: object) -> str:
    """A call id made from any name."""
    return hashlib.blake2b(str(name).encode(), digest_size=16).hexdigest()


def answered(text: str = "Hello.", **more: Any) -> Answer:
    return Answer(Outcome.ANSWERED, text, **({"finish": "stop"} | more))


def record(name: object = "a", *answers: Answer, **more: Any) -> CallRecord:
    """A result with `answers`, or with one plain answer."""
    given = answers or (answered(),)
    fields: dict[str, Any] = {"stage": "generate", "provider": "openai", "model": "m", "sample": "1", "first": 0, "asked": len(given)}
    return CallRecord(id=identity(name), answers=given, **(fields | more))


def failure(name: object = "a", *, status: int = 500, asked: int = 1, **more: Any) -> CallRecord:
    """A call that gave no result."""
    error = {"kind": "server", "status": status, "message": "Internal error"}
    return record(name, *(Answer(Outcome.FAILED),) * asked, asked=asked, error=error, **more)


def sample(number: object = 1, category: str = "self-harm", **fields: str) -> Sample:
    held = {"safety_warning": "W", "reference_answer": "R"} | fields
    return Sample(str(number), (category,), f"Question {number}?", (PICTURE,), held)


@dataclass
class FakeEndpoint:
    """Stands where an endpoint does: gives what `reply` says and notes what was asked of it."""

    reply: Callable[[int, int, Parameters], tuple[Answer, ...] | None]
    """(number of this call, n, parameters) -> answers, None for a failure; may raise StoppedEarly."""
    max_n: int = 1
    asked: list[tuple[Prompt, int, int]] = field(default_factory=list)
    """(prompt, n, cap_scale) of each call."""

    async def call(
        self,
        prompt: Prompt,
        parameters: Parameters,
        n: int,
        *,
        call_id: str,
        priority: Priority,
        order: int = 0,
        halt: Halt | None = None,
    ) -> CallResult:
        self.asked.append((prompt, n, parameters.cap_scale))
        answers = self.reply(len(self.asked) - 1, n, parameters)
        tries = Tries(call_id, priority, halt or Halt(), order)
        if answers is None:
            return CallResult(None, CallError(ErrorKind.SERVER, "Internal error", status=500), tries)
        return CallResult(Completion(answers, Usage(10, 5), served_model="m-1"), None, tries)


class CannedAsk:
    """`ask` with canned answers and verdicts; notes every question to the judge.

    Args:
        answers: what the model under test says.
        verdicts: (stage, first, cap_scale) -> the judge's reply; a question that is not there is an error of the test.
    """

    def __init__(self, answers: tuple[Answer, ...], verdicts: Mapping[tuple[str, int, int], Answer] | None = None) -> None:
        self._answers = answers
        self._verdicts = verdicts or {}
        self.prompts: list[Prompt] = []
        self.questions: list[tuple[str, int, int]] = []

    async def answers(self, prompt: Prompt, n: int) -> AsyncGenerator[tuple[int, Answer], None]:
        self.prompts.append(prompt)
        for number, answer in reversed(list(enumerate(self._answers[:n]))):  # last first: the order must not matter
            yield number, answer

    judges: tuple[Juror, ...] = ()

    async def verdict(self, prompt: Prompt, stage: str, *, first: int = 0, cap_scale: int = 1, judge: int | None = None) -> Answer:
        self.prompts.append(prompt)
        self.questions.append((stage, first, cap_scale))
        return self._verdicts[stage, first, cap_scale]


class Killed(StoppedEarly):
    """The session ended before this call was made."""
