"""What a benchmark's `ask` does: prompts become call ids, call ids become answers through the one door."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache

from siuo_async.benchmarks.base import GENERATE, SEARCH, Juror
from siuo_async.client.endpoint import CallResult, Endpoint
from siuo_async.client.halt import Halt
from siuo_async.client.limits import Priority
from siuo_async.engine.call_id import common_part, joined_id, prompt_part, search_id
from siuo_async.engine.door import Door, PendingError
from siuo_async.engine.records import CallRecord
from siuo_async.errors import CallError, ConfigError
from siuo_async.search.base import clean_query
from siuo_async.values import Answer, Completion, Json, Outcome, Parameters, Prompt, Turn, quick_value

EMPTY_SCALE = 4
"""An answer cut before its first visible token is asked for once more with this many times the cap."""


@quick_value
class StageCalls:
    """What all calls of one target in one stage share."""

    parameters: Parameters
    common: bytes
    """Their part of the call id."""
    priority: Priority
    model: str
    """In records: `model[@revision]`."""


@dataclass(frozen=True, slots=True)
class Target:
    """A model in the role it has here: who it is in call ids, and where its calls go."""

    label: str
    provider: str
    """The provider identity."""
    model: str
    revision: str | None
    parameters: Mapping[str, Parameters]
    """By stage."""
    endpoint: Endpoint | None = None
    """None where nothing is ever sent."""
    system: str | None = None
    """This model's own system prompt, in place of the run's."""
    halt: Halt | None = None
    """Stops this model alone, not others that share its endpoint."""
    full_name: str = field(init=False)
    """`provider/model[@revision]`."""
    _calls: dict[tuple[str, int], StageCalls] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Works out the full name, which every call needs."""
        object.__setattr__(self, "full_name", f"{self.provider}/{self.model}" + (f"@{self.revision}" if self.revision else ""))

    def calls(self, stage: str, cap_scale: int = 1) -> StageCalls:
        """What the calls of a stage share; made once."""
        if (found := self._calls.get((stage, cap_scale))) is None:
            parameters = self.parameters[stage]
            if cap_scale != 1:
                parameters = replace(parameters, cap_scale=cap_scale)
            found = self._calls[stage, cap_scale] = StageCalls(
                parameters,
                common_part(stage=stage, provider=self.provider, model=self.model, revision=self.revision, parameters=parameters),
                Priority.GENERATION if stage == GENERATE else Priority.JUDGE,
                self.full_name.partition("/")[2],
            )
        return found

    def own(self, prompt: Prompt) -> Prompt:
        """`prompt` with this model's own system prompt, where it has one."""
        if self.system is None:
            return prompt
        return (Turn("system", (self.system,)), *(turn for turn in prompt if turn.role != "system"))

    @property
    def max_n(self) -> int:
        """The most answers one call can be asked for."""
        return self.endpoint.max_n if self.endpoint else 1


Find = Callable[[str, str, str], Awaitable[CallRecord]]
"""Searches: (id, query, sample) -> record."""


@dataclass(frozen=True, slots=True)
class SearchTarget:
    """The search engine of a run."""

    source: str
    """What stands for it in call ids."""
    find: Find | None = None
    """None where nothing is ever sent."""


Observer = Callable[[Target, str, CallRecord, bool], None]
"""Told of every record that a sample's life passes through, from the journal or fresh: (target, stage, record, made just now)."""


class Asker:
    """`ask` for one sample of one model.

    Args:
        door: where records come from.
        model: the model under test.
        judge: the judge, or None.
        sample: the sample's id, for the records.
        order: the sample's place; among calls that wait, earlier samples go first.
        observe: told once of every record used.
        on_answer: told of every final answer of the model under test.
        search: the search engine, or None.
        others: judges beside `judge`, which is the first of a panel where there is one; their numbers begin with 1.
        judges: who is asked about this sample; empty where that is `judge` alone.
    """

    __slots__ = (
        "_door",
        "_judge",
        "_model",
        "_observe",
        "_on_answer",
        "_order",
        "_others",
        "_prompt",
        "_sample",
        "_search",
        "_seen",
        "judges",
        "sent",
    )

    def __init__(
        self,
        door: Door,
        model: Target,
        judge: Target | None,
        sample: str,
        observe: Observer,
        on_answer: Callable[[Answer], None] = lambda _: None,
        order: int = 0,
        search: SearchTarget | None = None,
        others: Sequence[Target] = (),
        judges: Sequence[Juror] = (),
    ) -> None:
        self._door = door
        self._search = search
        self._model = model
        self._judge = judge
        self._others = others
        self.judges = judges
        """Who is asked for verdicts on this sample; empty where that is the run's own judge alone."""
        self._sample = sample
        self._observe = observe
        self._on_answer = on_answer
        self._order = order
        self._seen: set[str] = set()
        self._prompt: tuple[Prompt, bytes] = ((), b"")
        """The prompt asked last, with its part of the call id: it is asked for several answers."""
        self.sent = False
        """Whether anything was sent, so that others had their turn meanwhile."""

    async def verdict(self, prompt: Prompt, stage: str, *, first: int = 0, cap_scale: int = 1, judge: int | None = None) -> Answer:
        """One answer of a judge; of the run's own, unless its number is given.

        Raises:
            StoppedEarly: the call cannot be made now.
            ConfigError: the run's own is asked for, and it has a panel.
        """
        if self._judge is None:
            raise PendingError("no judge was named yet")
        if judge is None and self.judges and self.judges[0].role == "panel":
            raise ConfigError(
                "the benchmark asks its judge by `ask.verdict`, which no panel can answer; let it use `verdict`, or --judge"
            )
        target = self._others[judge - 1] if judge else self._judge
        record = await self._call(target, stage, target.own(prompt), first=first, asked=1, cap_scale=cap_scale)
        return record.answers[0]

    async def answers(self, prompt: Prompt, n: int) -> AsyncGenerator[tuple[int, Answer], None]:
        """The n answers of the model under test, each with its number, as they come.

        Raises:
            StoppedEarly: a call cannot be made now.
        """
        prompt = self._model.own(prompt)
        known, gaps = self._known(prompt, n)
        for position, answer in known:
            yield position, await self._if_empty_again(prompt, position, answer)
        if not gaps:
            return
        if self._model.endpoint is None:
            raise PendingError(f"{self._model.label} is not asked in this invocation")
        if self._model.max_n == 1 and gaps != [(gaps[0][0], 1)]:
            positions = [start + i for start, length in gaps for i in range(length)]
            part = self._all_at_once({position: (prompt, position) for position in positions})
            async with aclosing(part) as answers:  # closed here and now: calls on the wire come home before the session ends
                async for found in answers:
                    yield found
            return
        for position, length in gaps:  # all answers of a gap in one call; what it leaves open, one at a time
            end, asked = position + length, min(length, self._model.max_n)
            while position < end:
                record = await self._call(self._model, GENERATE, prompt, first=position, asked=min(asked, end - position))
                got = record.answers[: end - position]
                if len(got) < asked:
                    asked = 1
                for answer in got:
                    yield position, await self._if_empty_again(prompt, position, answer)
                    position += 1

    async def answers_to(self, prompts: Sequence[Prompt]) -> AsyncGenerator[tuple[int, Answer], None]:
        """One answer to each prompt, with the prompt's number, as they come; all are asked together.

        Raises:
            StoppedEarly: a call cannot be made now.
        """
        part = self._all_at_once({number: (self._model.own(prompt), 0) for number, prompt in enumerate(prompts)})
        async with aclosing(part) as answers:
            async for found in answers:
                yield found

    async def search(self, query: str) -> Answer:
        """What the search engine finds; journalled like a call, so equal queries share one.

        Raises:
            StoppedEarly: the search cannot be made now.
        """
        if self._search is None:
            raise ConfigError("the benchmark asks for a search, but none of its runs has a search engine; take `ask.search` out of it")
        target, query = self._search, clean_query(query)
        identity = search_id(target.source, query)

        async def send() -> CallRecord:
            if target.find is None or self._model.endpoint is None:
                raise PendingError("nothing is searched in this invocation")
            (self._model.halt or self._model.endpoint.halt).check()
            return await target.find(identity, query, self._sample)

        record, fresh = await self._door.call(identity, send)
        self._note(self._model, SEARCH, record, fresh=fresh)
        return record.answers[0]

    def _known(self, prompt: Prompt, n: int) -> tuple[list[tuple[int, Answer]], list[tuple[int, int]]]:
        """(answers that are there, with their numbers; gaps as (first number, length))."""
        known: list[tuple[int, Answer]] = []
        gaps: list[tuple[int, int]] = []
        position = failed_until = 0
        calls = self._model.calls(GENERATE)
        while position < n:
            record = self._door.known(self._id(calls, prompt, position))
            if record is None and position >= failed_until:
                gaps = _widened(gaps, position)
                position += 1
                continue
            answers: tuple[Answer, ...] = (Answer(Outcome.FAILED),)
            if record is not None:
                self._note(self._model, GENERATE, record, fresh=False)
                answers = record.answers[: n - position]
                if record.failed:  # it stands for all that it was asked for, save what came by another way
                    failed_until = position + len(answers)
                    answers = answers[:1]
            known += [(position + offset, answer) for offset, answer in enumerate(answers)]
            position += len(answers)
        return known, gaps

    async def _all_at_once(self, questions: Mapping[int, tuple[Prompt, int]]) -> AsyncGenerator[tuple[int, Answer], None]:
        """One call per question, all on their way together; answers are given as they come, with the question's number.

        Args:
            questions: number -> (prompt, number of the first answer that is asked for).
        """

        async def one(number: int, prompt: Prompt, first: int) -> tuple[int, Answer]:
            record = await self._call(self._model, GENERATE, prompt, first=first, asked=1)
            return number, await self._if_empty_again(prompt, first, record.answers[0])

        tasks = [asyncio.create_task(one(number, *question)) for number, question in questions.items()]
        try:
            for finished in asyncio.as_completed(tasks):
                yield await finished
        except asyncio.CancelledError:  # cut: nothing on the wire is waited for
            for task in tasks:
                task.cancel()
            raise
        finally:
            await _settle(tasks)

    async def _if_empty_again(self, prompt: Prompt, position: int, answer: Answer) -> Answer:
        if answer.outcome is Outcome.EMPTY and answer.cut:
            record = await self._call(self._model, GENERATE, prompt, first=position, asked=1, cap_scale=EMPTY_SCALE)
            answer = record.answers[0]
        self._on_answer(answer)
        return answer

    def _id(self, calls: StageCalls, prompt: Prompt, first: int) -> str:
        if not _fixed(prompt):  # a user's module may add turns to the list that it asked before
            return joined_id(calls.common, prompt_part(prompt), first)
        if self._prompt[0] is not prompt:
            self._prompt = prompt, prompt_part(prompt)
        return joined_id(calls.common, self._prompt[1], first)

    async def _call(self, target: Target, stage: str, prompt: Prompt, *, first: int, asked: int, cap_scale: int = 1) -> CallRecord:
        calls = target.calls(stage, cap_scale)
        identity = self._id(calls, prompt, first)

        async def send() -> CallRecord:
            if target.endpoint is None:
                raise PendingError(f"{target.label} is not asked in this invocation")
            result = await target.endpoint.call(
                prompt, calls.parameters, asked, call_id=identity, priority=calls.priority, order=self._order, halt=target.halt
            )
            return _record(result, identity, stage, target.provider, calls.model, self._sample, first, asked)

        record, fresh = await self._door.call(identity, send)
        self.sent = self.sent or fresh
        self._note(target, stage, record, fresh=fresh)
        return record

    def _note(self, target: Target, stage: str, record: CallRecord, *, fresh: bool) -> None:
        """Equal answers share one verdict: its tokens are counted once."""
        if record.id not in self._seen:
            self._seen.add(record.id)
            self._observe(target, stage, record, fresh)


def _fixed(prompt: Prompt) -> bool:
    """Whether a prompt, looked at again, is what it was: types bind no user's module."""
    return type(prompt) is tuple and all(type(turn.parts) is tuple for turn in prompt)


def _widened(gaps: list[tuple[int, int]], position: int) -> list[tuple[int, int]]:
    if gaps and gaps[-1][0] + gaps[-1][1] == position:
        return [*gaps[:-1], (gaps[-1][0], gaps[-1][1] + 1)]
    return [*gaps, (position, 1)]


async def _settle(tasks: list[asyncio.Task[tuple[int, Answer]]]) -> None:
    """Lets calls on the wire come home (they are journalled), whatever became of the others; cuts them where this task is cut."""
    me = asyncio.current_task()
    if me is not None and me.cancelling():
        for task in tasks:
            task.cancel()
    try:
        await asyncio.gather(*tasks, return_exceptions=True)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
        raise


def _record(
    result: CallResult, identity: str, stage: str, provider: str, model: str, sample: str, first: int, asked: int
) -> CallRecord:
    tries = result.tries
    completion = result.completion or Completion((Answer(Outcome.FAILED),) * asked)
    return CallRecord(
        id=identity,
        stage=stage,
        provider=provider,
        model=model,
        sample=sample,
        first=first,
        asked=asked,
        answers=completion.answers[:asked],
        usage=completion.usage,
        provider_cost_usd=completion.provider_cost_usd,
        latency_s=tries.latency_s,
        waited_s=tries.waited_s,
        attempts=tries.attempts,
        maybe_billed=tries.maybe_billed,
        started_at=_stamp(tries.started_at),
        sent=completion.sent,
        served_model=completion.served_model,
        request_id=completion.request_id,
        repaired=completion.repaired,
        redacted=completion.redacted,
        error=_error(result.error) if result.error else None,
    )


def _stamp(epoch_s: float) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    second = int(epoch_s)
    return f"{_second(second)}.{int((epoch_s - second) * 1000):03d}+00:00"


@lru_cache(maxsize=4)
def _second(epoch_s: int) -> str:
    """The part of a time that thousands of calls share."""
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _error(error: CallError) -> dict[str, Json]:
    told = {"kind": error.kind.value, "status": error.status, "code": error.code, "message": error.message[:2000]}
    return {key: value for key, value in told.items() if value is not None}
