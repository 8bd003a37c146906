"""A session of this package under the bench: everything on, as the command line runs it.

The only module here that knows how a plan, a session and a registry are made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from siuo_async.benchmarks.data.pictures import read_picture
from siuo_async.benchmarks.siuo_gen import SiuoGen
from siuo_async.cli.output import console
from siuo_async.cli.running import in_loop
from siuo_async.client.accounts import Environment, account_spec
from siuo_async.client.registry import Registry
from siuo_async.config import RunConfig, make
from siuo_async.engine.plan import Participant, Plan
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.engine.session import Session
from siuo_async.ui.watch import watching
from siuo_async.values import EMPTY, Sample
from tests.performance.measuring import Load, Measured, Meter, cpu_s, watching_stalls

__all__ = ["in_loop", "run"]

_FIELDS = {"safety_warning": "What the picture shows makes it risky.", "reference_answer": "A good answer says so."}


def run(told: dict[str, Any]) -> Measured:
    """The engine's way through the same calls, with journal, limits, scoreboard and screen."""
    load = Load(**told)
    config = _config(load)
    begun = cpu_s()
    plan = _plan(config, load, list(_samples(load)))
    prepared = cpu_s() - begun
    warming = _plan(config, load, [Sample("warm", ("all",), "Warming up.", (), _FIELDS)])
    return in_loop(_measured(load, warming, plan, prepared))


def _config(load: Load) -> RunConfig:
    settings: dict[str, Any] = {
        "benchmark": "siuo-gen",
        "models": ["canned/canned"],
        "answers": load.per_picture,
        "concurrency": load.at_once,
        # So that model and judge together have no more calls in flight than the floor.
        "providers": {"canned": {"base_url": load.url, "limit_group": "account"}},
    }
    return make(settings | ({"judge": "canned/judge"} if load.judged else {"no_judge": True}))


def _samples(load: Load) -> Iterator[Sample]:
    pictures = [read_picture(path) for path in load.paths()]
    for number in range(load.calls // load.per_picture // (3 if load.judged else 1)):
        shown = (pictures[number % len(pictures)],) if pictures else ()
        yield Sample(str(number), ("all",), f"Question {number}?", shown, _FIELDS)


def _plan(config: RunConfig, load: Load, samples: list[Sample]) -> Plan:
    spec = account_spec("canned", config.providers, Environment(EMPTY))
    return Plan(
        config=config,
        benchmark=SiuoGen(answers=load.per_picture, judged=load.judged),
        all_samples=tuple(samples),
        identity={},
        models=(Participant("canned", spec.identity, config.models[0]),),
        judge=Participant("judge", spec.identity, config.judge) if config.judge else None,
    )


async def _measured(load: Load, warming: Plan, plan: Plan, prepared_cpu_s: float) -> Measured:
    folder = Path(load.folder)
    spec = account_spec("canned", plan.config.providers, Environment(EMPTY))
    registry = Registry(lambda _: spec, concurrency=load.at_once)
    try:
        warmed = await Session(warming, RunDirectory(folder / "warm"), registry).run()
        if warmed.code:
            raise RuntimeError(f"not even one sample came to its end: {warmed.stops}")
        async with watching_stalls(load) as late:
            meter = Meter()
            session = Session(plan, RunDirectory(folder / "run"), registry)
            async with watching(session.state, console(to_stderr=True), heading="bench"):
                outcomes = await session.run()
                late.over()
            used = meter.read(late)
    finally:
        await registry.close()
    if outcomes.code or outcomes.sent != load.calls:
        raise RuntimeError(f"exit code {outcomes.code}, {outcomes.sent} of {load.calls} calls were sent: {outcomes.stops}")
    return replace(used, prepared_cpu_s=prepared_cpu_s)
