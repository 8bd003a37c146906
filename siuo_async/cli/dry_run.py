"""`siuo run --dry-run`: how many calls a run would take, per model and for the judge; nothing is sent or written."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict

from siuo_async.cli.output import print_json, say
from siuo_async.cli.preparing import Job
from siuo_async.engine.estimate import ModelEstimate, estimate, searches
from siuo_async.engine.summary import judge_name, protocol_line
from siuo_async.values import Json


def tell(jobs: Sequence[Job], *, as_json: bool) -> None:
    """Prints the numbers of each run."""
    found = [(job, asyncio.run(estimate(job.plan, job.directory, job.spec_of))) for job in jobs]
    if as_json:
        every = [_as_json(job, models) for job, models in found]
        print_json(every[0] if len(every) == 1 else every)
        return
    for job, models in found:
        _say(job, models)


def _as_json(job: Job, models: Sequence[ModelEstimate]) -> dict[str, Json]:
    plan, directory = job.plan, job.directory
    return {
        "dry_run": True,
        "protocol_line": protocol_line(plan, complete=not _total(models)),
        "run": str(directory.path),
        "continues": directory.calls.exists(),
        "models": [asdict(model) for model in models],
        "judge": judge_name(plan),
        "calls": _total(models),
        "searches": searches(plan, models),
    }


def _total(models: Sequence[ModelEstimate]) -> int:
    return sum(model.generation_calls + model.judge_calls for model in models)


def _say(job: Job, models: Sequence[ModelEstimate]) -> None:
    say(protocol_line(job.plan, complete=not _total(models)), to_stderr=False)
    for model in models:
        done = f" ({model.finished} of {model.samples} samples are finished)" if model.finished else ""
        say(f"{model.label}: {model.generation_calls} calls, and {model.judge_calls} of the judge{done}", to_stderr=False)
    also = f"and {found} searches " if (found := searches(job.plan, models)) else ""
    verb = "continues" if job.directory.calls.exists() else "would be"
    say(
        f"{_total(models)} calls {also}at most, retries, re-asked verdicts and stand-ins aside; nothing was sent. "
        f"The run {verb} {job.directory.path}",
        to_stderr=False,
    )
