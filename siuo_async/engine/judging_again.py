"""Old answers judged again: answers come from the run that has them, verdicts from the judge as it is now, into a journal of their own.

The benchmark's own coroutine asks, as always; what differs is where its calls lead to.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from siuo_async.benchmarks.base import GENERATE, SEARCH
from siuo_async.engine.asking import Asker, Observer, Target
from siuo_async.engine.door import SendingDoor
from siuo_async.engine.journal import JournalReader
from siuo_async.engine.plan import Plan
from siuo_async.engine.records import CallRecord
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.values import Answer, Outcome, Prompt

_LEFT_OUT = Answer(Outcome.FAILED)
"""Stands for an answer that is not judged again: benchmarks ask no judge about a failure."""


class AgainDoor:
    """Answers and searches as they were; verdicts through a door that sends.

    Args:
        old: the journal of the run that has the answers.
        new: where verdicts come from.
    """

    def __init__(self, old: JournalReader, new: SendingDoor) -> None:
        self._old = old
        self._new = new

    def known(self, call_id: str) -> CallRecord | None:
        """The old record of an answer or a search, the new one of a verdict."""
        record = self._old.get(call_id)
        if record is not None and record.stage in (GENERATE, SEARCH):
            return record
        return self._new.known(call_id)

    async def call(self, call_id: str, send: Callable[[], Awaitable[CallRecord]]) -> tuple[CallRecord, bool]:
        """The same, or a verdict asked for now.

        Raises:
            StoppedEarly: it cannot be made now.
        """
        record = self._old.get(call_id)
        if record is not None and record.stage in (GENERATE, SEARCH):
            return record, False
        return await self._new.call(call_id, send)


class ChosenAsk:
    """`ask` of which only some answers are really there, so that only these are judged.

    Args:
        asker: what really asks.
        chosen: numbers of the answers that are there.
    """

    def __init__(self, asker: Asker, chosen: Collection[int]) -> None:
        self._asker = asker
        self._chosen = chosen

    def __getattr__(self, name: str) -> Any:
        """Whatever is asked of judges and searches goes through."""
        return getattr(self._asker, name)

    async def answers(self, prompt: Prompt, n: int) -> AsyncGenerator[tuple[int, Answer], None]:
        """The n answers; a failure for each that was not chosen."""
        async with aclosing(self._asker.answers(prompt, n)) as answers:
            async for number, answer in answers:
                yield number, answer if number in self._chosen else _LEFT_OUT

    async def answers_to(self, prompts: Sequence[Prompt]) -> AsyncGenerator[tuple[int, Answer], None]:
        """One answer to each prompt; a failure for each that was not chosen."""
        async with aclosing(self._asker.answers_to(prompts)) as answers:
            async for number, answer in answers:
                yield number, answer if number in self._chosen else _LEFT_OUT


async def judged_again(
    plan: Plan,
    directory: RunDirectory,
    judge: Target,
    chosen: Mapping[tuple[str, str], Collection[int]],
    door: SendingDoor,
    observe: Observer,
) -> dict[tuple[str, str], Any]:
    """What `evaluate` gives for samples of a finished run when some of their answers are judged again.

    Args:
        plan: of the run that has the answers.
        judge: the judge as it is now, with its endpoint.
        chosen: by model and sample, the numbers of the answers.
        door: where new verdicts come from.
        observe: told of every record.

    Raises:
        StoppedEarly: a verdict could not be had now; those that came are in the journal.
    """
    names = {name for _, name in chosen}
    samples = {sample.id: sample for sample in plan.samples() if sample.id in names}
    targets = {participant.label: participant.target(plan.generation()) for participant in plan.models}
    reader = JournalReader(directory.calls)

    async def again(label: str, name: str, numbers: Collection[int]) -> Any:
        asker = Asker(AgainDoor(reader, door), targets[label], judge, name, observe, search=plan.search)
        return await plan.benchmark.evaluate(samples[name], ChosenAsk(asker, numbers))

    try:
        calls = [again(label, name, numbers) for (label, name), numbers in chosen.items()]
        found = await asyncio.gather(*calls, return_exceptions=True)  # what is on the wire comes home and is kept
    finally:
        reader.close()
    for result in found:
        if isinstance(result, BaseException):
            raise result
    return dict(zip(chosen, found, strict=True))
