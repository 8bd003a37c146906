"""`siuo compare --drift-check`: has old answers judged again, and says whether the judge is still the same.

New verdicts stand in `drift/calls.jsonl` of the second run, so asking once more pays for nothing twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from siuo_async.analysis.drift import Drawn, Drift, draw, measured
from siuo_async.analysis.gathered import Gathered
from siuo_async.cli.ceilings import registry_of
from siuo_async.cli.output import say
from siuo_async.cli.preparing import environment
from siuo_async.cli.running import in_loop
from siuo_async.cli.simulated import simulator_for
from siuo_async.client.accounts import IMPORTED, AccountSpec, Environment, account_spec
from siuo_async.engine.asking import Target
from siuo_async.engine.door import SendingDoor
from siuo_async.engine.journal import Journal
from siuo_async.engine.judging_again import judged_again
from siuo_async.engine.plan import Participant
from siuo_async.engine.records import CallRecord
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.errors import ConfigError

FOLDER = "drift"


def drift_checked(a: Gathered, b: Gathered, labels: Sequence[str], count: int) -> Drift:
    """Has `count` old answers of the first run judged again by the second one's judge.

    Args:
        labels: of the first run's models whose answers are drawn from.

    Raises:
        ConfigError: there is nothing to judge again, or nobody to do it.
        StoppedEarly: a verdict could not be had now; the same command goes on.
    """
    judge = b.plan.judge
    if not a.plan.benchmark.needs_judge or a.plan.judge is None:
        raise ConfigError("--drift-check: no single judge judged the first run, so there is none that can have drifted")
    if judge is None or judge.provider == IMPORTED:
        raise ConfigError("--drift-check: the second run has no judge that could be asked; `siuo judge` names one")
    kept = tuple(replace(item, takes={label: item.takes[label] for label in dict.fromkeys(labels)}) for item in a.items)
    old = replace(a, items=kept)
    drawn = draw(old, count)
    if not drawn:
        raise ConfigError(
            "--drift-check: the first run has no readable verdict that belongs to a single answer, so nothing can be judged again"
        )
    surroundings = environment()
    with simulator_for(b.directory.path, surroundings, judge.config.model) as extra:
        spec = _account(b, judge, environment(extra) if extra else surroundings)
        return in_loop(_judged(old, b, judge, spec, drawn))


def _account(b: Gathered, judge: Participant, surroundings: Environment) -> AccountSpec:
    name = judge.config.provider
    spec = account_spec(name, b.plan.config.providers, surroundings)
    if spec.identity != judge.provider:
        raise ConfigError(
            f"--drift-check: {judge.label} was asked of {judge.provider}, but '{name}' is now {spec.identity}; put it back"
        )
    return spec


async def _judged(a: Gathered, b: Gathered, judge: Participant, spec: AccountSpec, drawn: Sequence[Drawn]) -> Drift:
    chosen: dict[tuple[str, str], set[int]] = {}
    for each in drawn:
        chosen.setdefault((each.label, each.sample), set()).add(each.number)
    days: set[str] = set()

    def observe(target: Target, stage: str, record: CallRecord, fresh: bool) -> None:
        if stage in judging:
            days.add(record.started_at[:10])

    judging = b.plan.judging()
    async with _asking(b, judge, spec) as (door, target):
        say(f"{len(drawn)} old answers are judged again by {judge.provider}/{judge.config.name}")
        results = await judged_again(a.plan, a.directory, target, chosen, door, observe)
        sent = door.sent
    again = _seen(a, results)
    return measured(a, drawn, again, judge=f"{judge.provider}/{judge.config.name}", checked_at=max(days, default=""), sent=sent)


def _seen(a: Gathered, results: Mapping[tuple[str, str], Any]) -> dict[tuple[str, str], Any]:
    samples = {item.sample.id: item.sample for item in a.items}
    return {key: a.plan.benchmark.seen(samples[key[1]], result) for key, result in results.items()}


@contextlib.asynccontextmanager
async def _asking(b: Gathered, judge: Participant, spec: AccountSpec) -> AsyncIterator[tuple[SendingDoor, Target]]:
    """A door that sends and keeps what comes, and the judge with its endpoint."""
    folder = RunDirectory(b.directory.path / FOLDER)
    folder.make()
    registry = registry_of(b.plan.config, lambda _: spec, {judge.config.provider}, 1, say)
    journal = Journal(folder.calls, sync=b.plan.config.fsync, on_fatal=registry.stop)
    keeping = asyncio.create_task(journal.keep_synced())
    try:
        endpoint = registry.endpoint(judge.config.provider, judge.config.name, judge.config.profile)
        yield SendingDoor(journal), replace(judge.target(b.plan.judging()), endpoint=endpoint)
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await registry.close()
        journal.close()
