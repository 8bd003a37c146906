"""What a run would ask, use and cost, beyond what its journal holds: the same coroutines over a door behind which calls are reckoned.

Nothing here knows what a benchmark asks. Its own `evaluate` runs, answers that are in the journal are used, and whatever else it asks
goes to an endpoint that counts tokens instead of sending (`_Reckoner`) and gives made-up answers of the expected length, so that the
judge's prompts are as long as they will be. A verdict is never made up: it stands as failed, which no benchmark asks for again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from siuo_async.benchmarks.base import GENERATE, SEARCH
from siuo_async.client.accounts import AccountSpec
from siuo_async.client.endpoint import CallResult, Endpoint, Tries
from siuo_async.client.halt import Halt
from siuo_async.client.limits import Priority
from siuo_async.config import Price
from siuo_async.engine.asking import Asker, Target
from siuo_async.engine.bench import Bench
from siuo_async.engine.journal import JournalReader
from siuo_async.engine.lengths import Length, Lengths
from siuo_async.engine.picture_sizes import PictureSizes
from siuo_async.engine.plan import Participant, Plan
from siuo_async.engine.reckoned import Called, Part
from siuo_async.engine.records import CallRecord
from siuo_async.engine.replay import readers
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.errors import NAMES_THE_SAMPLE, StoppedEarly
from siuo_async.providers.profiles import profile_for, room_for_thinking
from siuo_async.providers.token_counts import Family, family_of
from siuo_async.values import Answer, Completion, Outcome, Parameters, Picture, Prompt, Sample

_ENGLISH = "the picture shows what was asked about and one would first look at it with some care before going on. "
_CHINESE = "先看清楚情况再决定下一步怎么做，注意其中的风险和后果。"
_FOUND_CHARS = 3000
"""Of what a search finds, where nobody searched yet."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a plan would take, on top of what its journal holds."""

    parts: tuple[Part, ...]
    """What each model is asked, and what each judge is asked about it."""
    samples: int
    """Asked of each model."""
    finished: Mapping[str, int]
    """By model: samples that need no further call."""
    odd: int = 0
    """Samples that the benchmark's own code could not live through with made-up answers."""
    searches: int = 0
    unknown_sizes: int = 0
    """Pictures whose size could not be read."""


async def forecast(plan: Plan, directory: RunDirectory, spec_of: Callable[[str], AccountSpec], lengths: Lengths) -> Forecast:
    """Goes through all samples of all models; nothing is sent or written.

    Raises:
        RunDirectoryError: a line of a journal is damaged.
    """
    reuse = readers(plan.config.reuse)
    reader = JournalReader(directory.calls)
    sizes = PictureSizes()
    try:
        return await _Forecasting(plan, spec_of, lengths, sizes, [reader, *reuse]).whole()
    finally:
        sizes.close()
        for each in (reader, *reuse):
            each.close()


@dataclass(slots=True)
class _Reckoner:
    """Stands where an endpoint would: counts the tokens of a call, and gives answers that are made up."""

    family: Family
    sizes: PictureSizes
    max_n: int
    length_of: Callable[[str, int | None], Length]
    """(stage, visible cap) -> how long an answer will be."""
    filler: str
    halt: Halt = field(default_factory=Halt)
    called: Called | None = None
    """The call that was made last."""
    _made_up: int = 0

    async def call(self, prompt: Prompt, parameters: Parameters, n: int, *, call_id: str, priority: Priority, **_: Any) -> CallResult:
        """As `Endpoint.call`; never waits."""
        self.called = self.reckon(prompt, parameters, n)
        answers = tuple(self._answer(parameters) for _ in range(n)) if priority is Priority.GENERATION else (Answer(Outcome.FAILED),)
        return CallResult(Completion(answers), None, Tries(call_id, priority, self.halt, 0))

    def reckon(self, prompt: Prompt, parameters: Parameters, n: int) -> Called:
        """What a call with `prompt` would be."""
        text, pictures = self.family.prompt_tokens(prompt, self.sizes)
        return Called(text, pictures, n, _upload_bytes(prompt), parameters.max_tokens)

    def _answer(self, parameters: Parameters) -> Answer:
        """Unlike any other, since equal answers would share their verdicts."""
        self._made_up += 1
        chars = round(self.length_of(GENERATE, parameters.max_tokens).chars)
        words = f"{self._made_up} {self.filler * (chars // len(self.filler) + 1)}"
        return Answer(Outcome.ANSWERED, words[: max(chars, len(str(self._made_up)))], "stop")


def _upload_bytes(prompt: Prompt) -> int:
    """Bytes of the body, about: pictures go as base64."""
    parts = [part for turn in prompt for part in turn.parts]
    pictures = sum(-(-part.size // 3) * 4 for part in parts if isinstance(part, Picture))
    return 300 + pictures + sum(len(part.encode(errors="replace")) for part in parts if isinstance(part, str))


class _CountingDoor:
    """Lets through what the journals hold, as a session would; whatever else is asked is counted, equal calls once.

    Args:
        count: told of each call that would be made: (its record, made up).
        learn: told of each that was made, and whether it was reckoned just now; what it really used is in its record.
    """

    def __init__(
        self,
        journals: list[JournalReader],
        *,
        retry_failed: bool,
        count: Callable[[CallRecord], None],
        learn: Callable[..., None],
    ) -> None:
        self._journals = journals
        self._retry_failed = retry_failed
        self._count = count
        self._learn = learn
        self._made: dict[str, CallRecord] = {}

    def known(self, call_id: str) -> CallRecord | None:
        """The record if the call need not be made."""
        if (made := self._made.get(call_id)) is not None:
            return made
        record = self._journalled(call_id)
        if record is not None:
            self._learn(record)
        return record

    def _journalled(self, call_id: str) -> CallRecord | None:
        for number, journal in enumerate(self._journals):
            record = journal.get(call_id)
            if record is not None and not (record.failed and (number or self._again(record))):
                return record
        return None

    def _again(self, record: CallRecord) -> bool:
        """Whether a session would make a failed call once more."""
        if self._retry_failed:
            return True
        return record.stage != SEARCH and (record.error or {}).get("status") not in NAMES_THE_SAMPLE

    async def call(self, call_id: str, send: Callable[[], Awaitable[CallRecord]]) -> tuple[CallRecord, bool]:
        """The record of the call, made up where there is none."""
        if (made := self._made.get(call_id)) is not None:
            return made, False
        record = await send()
        if (found := self._journalled(call_id)) is not None:
            if found.stage != SEARCH:
                self._learn(found, sent=True)
            return found, False
        self._made[call_id] = record
        self._count(record)
        return record, True

    def forget(self) -> None:
        """Lets go of what was made up for a sample: no other asks the same, but for judges that are models too."""
        self._made.clear()


class _Noting:
    """An `ask` that tells which prompt is asked, before it is looked for in the journal."""

    def __init__(self, asker: Asker, note: Callable[[Prompt], None]) -> None:
        self._asker = asker
        self._note = note

    def answers(self, prompt: Prompt, n: int) -> AsyncGenerator[tuple[int, Answer], None]:
        """As `Ask.answers`."""
        self._note(prompt)
        return self._asker.answers(prompt, n)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._asker, name)


class _Forecasting:
    """One forecast while it is made."""

    def __init__(
        self,
        plan: Plan,
        spec_of: Callable[[str], AccountSpec],
        lengths: Lengths,
        sizes: PictureSizes,
        journals: list[JournalReader],
    ) -> None:
        self._plan = plan
        self._spec_of = spec_of
        self._lengths = lengths
        self._sizes = sizes
        self._filler = _CHINESE if plan.benchmark.name.startswith("csqa") or plan.config.language == "zh" else _ENGLISH
        self._door = _CountingDoor(journals, retry_failed=plan.config.retry_failed, count=self._count, learn=self._learn)
        self._parts: dict[tuple[str, str, str], Part] = {}
        self._judges: dict[str, tuple[Participant, _Reckoner]] = {}
        """By full name."""
        self._now: tuple[Participant, _Reckoner]
        """The model whose turn it is."""
        self._asked: tuple[Prompt, Parameters] | None = None
        """What it is asked, while its answers are looked for."""
        self._new = False
        self._odd = self._searches = 0

    async def whole(self) -> Forecast:
        """The forecast of all models."""
        plan = self._plan
        samples, finished = plan.samples(), {}
        bench = Bench(plan, samples, self._judge_endpoint)
        for participant in plan.models:
            target, reckoner = self._target(participant, plan.generation())
            self._now, finished[participant.label] = (participant, reckoner), 0
            self._part(participant, target.full_name, GENERATE)
            for number, sample in enumerate(samples):
                finished[participant.label] += await self._live(number, sample, target, bench)
                self._door.forget()
                if number % 256 == 255:
                    await asyncio.sleep(0)  # Ctrl-C wants its turn
        for part in self._parts.values():
            part.settle()
        return Forecast(tuple(self._parts.values()), len(samples), finished, self._odd, self._searches, self._sizes.unknown)

    def _judge_endpoint(self, judge: Participant) -> Endpoint | None:
        target, reckoner = self._target(judge, self._plan.judging())
        self._judges[target.full_name] = judge, reckoner
        return cast(Endpoint, reckoner)

    async def _live(self, number: int, sample: Sample, target: Target, bench: Bench) -> bool:
        """The life of a sample with made-up answers; whether it needed none of them."""
        search = self._plan.search
        if search is not None:
            search = replace(search, find=self._find)
        self._new, self._asked = False, None
        asker = Asker(
            self._door,
            target,
            bench.judge,
            sample.id,
            lambda *_: None,
            search=search,
            others=bench.others,
            judges=bench.of(number),
        )
        try:
            await self._plan.benchmark.evaluate(sample, cast(Any, _Noting(asker, lambda prompt: self._note(prompt, target))))
        except StoppedEarly:
            return False
        except Exception:  # a user's module may not get along with what is made up
            self._odd += 1
            return False
        return not self._new

    def _target(self, participant: Participant, parameters: Mapping[str, Parameters]) -> tuple[Target, _Reckoner]:
        config = participant.config
        dialect, _, known = self._spec_of(config.provider).route(config.name)
        profile = profile_for(dialect.name, config.name, {**known, **config.profile})
        target = participant.target(parameters)
        reckoner = _Reckoner(
            family_of(dialect.name, config.name),
            self._sizes,
            profile.max_n,
            lambda stage, cap: self._lengths.of(target.full_name, stage, cap, room_for_thinking(target.parameters[stage], profile)),
            self._filler,
        )
        return replace(target, endpoint=cast(Endpoint, reckoner), halt=reckoner.halt), reckoner

    def _note(self, prompt: Prompt, target: Target) -> None:
        self._asked = target.own(prompt), target.parameters[GENERATE]

    def _part(self, participant: Participant, full_name: str, stage: str) -> Part:
        """What a participant is asked in a stage for the model whose turn it is."""
        model = self._now[0].label
        key = (full_name if stage != GENERATE else "", stage, model)
        if key not in self._parts:
            price: Price | None = (self._plan.prices or {}).get(participant.priced_as)
            self._parts[key] = Part(participant.label, full_name, participant.config.provider, stage, model, price)
        return self._parts[key]

    def _whose(self, record: CallRecord) -> tuple[Part, _Reckoner]:
        full_name = f"{record.provider}/{record.model}"
        participant, reckoner = self._now if record.stage == GENERATE else self._judges[full_name]
        return self._part(participant, full_name, record.stage), reckoner

    def _count(self, record: CallRecord) -> None:
        """A call that would be made."""
        self._new = True
        if record.stage == SEARCH:
            self._searches += 1
            return
        part, reckoner = self._whose(record)
        assert reckoner.called is not None
        part.add(reckoner.called, reckoner.length_of(record.stage, reckoner.called.cap))

    def _learn(self, record: CallRecord, *, sent: bool = False) -> None:
        """A call that was made: what it used, beside what would have been reckoned."""
        if record.usage.input is None or record.failed:
            return
        if not sent and (self._asked is None or record.stage != GENERATE):
            return
        part, reckoner = self._whose(record)
        called = reckoner.called if sent or self._asked is None else reckoner.reckon(*self._asked, 1)
        if called is not None:
            part.learn(called, record.usage.input)

    async def _find(self, identity: str, query: str, sample: str) -> CallRecord:
        chars = round(self._lengths.found_chars() or min(_FOUND_CHARS, self._plan.config.search_chars))
        found = Answer(Outcome.ANSWERED, (self._filler * (chars // len(self._filler) + 1))[:chars])
        return CallRecord(identity, SEARCH, "", "", sample, 0, 1, (found,))
