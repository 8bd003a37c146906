"""How many calls a plan would take, beyond what its journal holds; nothing is sent or written."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass

from siuo_async.benchmarks.base import GENERATE, SEARCH, SampleBug
from siuo_async.client.accounts import AccountSpec
from siuo_async.engine.asking import Asker, Target
from siuo_async.engine.bench import Bench
from siuo_async.engine.door import ReplayDoor
from siuo_async.engine.journal import JournalReader
from siuo_async.engine.plan import Plan
from siuo_async.engine.records import CallRecord
from siuo_async.engine.replay import readers
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.errors import StoppedEarly
from siuo_async.providers.profiles import profile_for
from siuo_async.values import Answer, Outcome, Prompt, Sample


@dataclass(frozen=True, slots=True)
class ModelEstimate:
    """Calls for one model; upper bounds, retries aside."""

    label: str
    model: str
    samples: int
    finished: int
    generation_calls: int
    judge_calls: int


async def estimate(plan: Plan, directory: RunDirectory, spec_of: Callable[[str], AccountSpec]) -> list[ModelEstimate]:
    """What is still to be asked.

    Each sample is lived over what the journal holds, and what it lacks is counted. Where an answer is lacking the sample's other calls
    are not known yet and are counted whole: an upper bound.
    """
    samples = plan.samples()
    bench, reuse = Bench(plan, samples), readers(plan.config.reuse)
    reader = JournalReader(directory.calls)
    try:
        door, found = ReplayDoor(reader, reuse), []
        for participant in plan.models:
            config = participant.config
            dialect, _, known = spec_of(config.provider).route(config.name)
            needs = _Needs.of(plan, profile_for(dialect.name, config.name, {**known, **config.profile}).max_n)
            target = participant.target(plan.generation())
            lacks = [await _lacking(plan, door, target, bench, needs, place, sample) for place, sample in enumerate(samples)]
            found.append(
                ModelEstimate(
                    label=target.label,
                    model=target.full_name,
                    samples=len(lacks),
                    finished=lacks.count((0, 0)),
                    generation_calls=sum(generation for generation, _ in lacks),
                    judge_calls=sum(judging for _, judging in lacks),
                )
            )
        return found
    finally:
        for one in (reader, *reuse):
            one.close()


@dataclass(frozen=True, slots=True)
class _Needs:
    """Calls that a sample of which nothing is there needs."""

    generation: int
    verdicts: int
    """Of each judge; 0 where nobody judges."""

    @classmethod
    def of(cls, plan: Plan, max_n: int) -> _Needs:
        benchmark = plan.benchmark
        to_each_prompt = max(1, benchmark.answers // benchmark.prompts_per_sample)
        each = -(-to_each_prompt // min(max_n, to_each_prompt))
        return cls(benchmark.prompts_per_sample * each, benchmark.answers * benchmark.calls_per_answer if plan.judges else 0)


async def _lacking(
    plan: Plan, door: ReplayDoor, target: Target, bench: Bench, needs: _Needs, place: int, sample: Sample
) -> tuple[int, int]:
    """(calls of the model, calls of judges) that a sample lacks."""
    known: Counter[bool] = Counter()

    def observe(_: Target, stage: str, record: CallRecord, fresh: bool) -> None:
        known[stage == GENERATE] += stage != SEARCH

    judges = bench.of(place)
    asker = Asker(door, target, bench.judge, sample.id, observe, search=plan.search, others=bench.others, judges=judges)
    ask = _Counting(asker)
    try:
        await plan.benchmark.evaluate(sample, ask)
    except (StoppedEarly, SampleBug):
        ask.answers_lacking += 1
    if not ask.answers_lacking:
        return 0, ask.verdicts_lacking
    asked = max(1, sum(juror.role != "stand-in" for juror in judges))
    return max(1, needs.generation - known[True]), max(0, needs.verdicts * asked - known[False])


class _Counting:
    """`ask` over what is there: what is not is counted, and stands as failed, so that a sample is lived to its end."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self.judges = asker.judges
        self.answers_lacking = self.verdicts_lacking = 0

    def answers(self, prompt: Prompt, n: int) -> AsyncGenerator[tuple[int, Answer], None]:
        """The n answers."""
        return self._with_failures(self._asker.answers(prompt, n), n)

    def answers_to(self, prompts: Sequence[Prompt]) -> AsyncGenerator[tuple[int, Answer], None]:
        """One answer to each prompt."""
        return self._with_failures(self._asker.answers_to(prompts), len(prompts))

    async def _with_failures(self, given: AsyncGenerator[tuple[int, Answer], None], n: int) -> AsyncGenerator[tuple[int, Answer], None]:
        there = set()
        with suppress(StoppedEarly):
            async with aclosing(given) as answers:
                async for number, answer in answers:
                    there.add(number)
                    yield number, answer
        for number in range(n):
            if number not in there:
                self.answers_lacking += 1
                yield number, Answer(Outcome.FAILED)

    async def search(self, query: str) -> Answer:
        """What was found."""
        try:
            return await self._asker.search(query)
        except StoppedEarly:
            return Answer(Outcome.EMPTY)

    async def verdict(self, prompt: Prompt, stage: str, *, first: int = 0, cap_scale: int = 1, judge: int | None = None) -> Answer:
        """One answer of a judge."""
        try:
            return await self._asker.verdict(prompt, stage, first=first, cap_scale=cap_scale, judge=judge)
        except StoppedEarly:
            self.verdicts_lacking += 1
            return Answer(Outcome.FAILED)


def searches(plan: Plan, models: Sequence[ModelEstimate]) -> int:
    """Searches that are still to be made, at most: models share those for the questions themselves, not those that they wish for."""
    if plan.search is None:
        return 0
    pending = [model.samples - model.finished for model in models]
    return min(pending, default=0) if plan.config.search == "passive" else sum(pending)


def differences(plan: Plan, earlier: Plan) -> list[str]:
    """What this command asks differently of a run that is there, in words; none of it makes another run."""
    found = []
    before = {participant.label: participant for participant in earlier.models}
    for participant in plan.models:
        if participant.label not in before:
            found.append(f"model {participant.label} is new")
        elif participant != before[participant.label]:
            found.append(f"model {participant.label} has other settings")
    named = {participant.label for participant in plan.models}
    found += [f"model {label} is not named now (its calls are kept)" for label in before if label not in named]
    if plan.judge != earlier.judge or plan.panel != earlier.panel:
        found.append(f"the judge is {_judge(plan)}, it was {_judge(earlier)}")
    for role, words in (("stand-in", "the stand-in judge"), ("check", "the check judge")):
        now, then = ([judge for each, judge in one.judges if each == role] for one in (plan, earlier))
        if now != then:
            found.append(f"{words} is {now[0].label if now else 'nobody'}, it was {then[0].label if then else 'nobody'}")
    for name in ("limit", "answers", "in_file_order", "order_seed", "check_share", "test_retest"):
        now, then = getattr(plan.config, name), getattr(earlier.config, name)
        if now != then:
            found.append(f"{name} is {'not set' if now is None else now}, it was {'not set' if then is None else then}")
    return found


def _judge(plan: Plan) -> str:
    """Whose verdicts count, by label."""
    return plan.judge.label if plan.judge else ", ".join(judge.label for judge in plan.panel) or "nobody"
