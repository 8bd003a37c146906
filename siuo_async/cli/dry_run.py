"""`siuo run --dry-run`: how many calls a run would take, per model and for the judge; nothing is sent or written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict

from siuo_async.cli.output import print_json, say
from siuo_async.client.accounts import AccountSpec
from siuo_async.engine.estimate import estimate
from siuo_async.engine.plan import Plan
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.engine.summary import protocol_line


def tell(plan: Plan, directory: RunDirectory, spec_of: Callable[[str], AccountSpec], *, as_json: bool) -> int:
    """Prints the numbers; 0."""
    models = asyncio.run(estimate(plan, directory, spec_of))
    total = sum(model.generation_calls + model.judge_calls for model in models)
    line = protocol_line(plan, complete=not total)
    if as_json:
        print_json(
            {
                "dry_run": True,
                "protocol_line": line,
                "run": str(directory.path),
                "continues": directory.calls.exists(),
                "models": [asdict(model) for model in models],
                "judge": plan.judge and f"{plan.judge.provider}/{plan.judge.config.name}",
                "calls": total,
            }
        )
        return 0
    say(line, to_stderr=False)
    for model in models:
        done = f" ({model.finished} of {model.samples} samples are finished)" if model.finished else ""
        say(f"{model.label}: {model.generation_calls} calls, and {model.judge_calls} of the judge{done}", to_stderr=False)
    verb = "continues" if directory.calls.exists() else "would be"
    say(
        f"{total} calls at most, retries and re-asked verdicts aside; nothing was sent. The run {verb} {directory.path}",
        to_stderr=False,
    )
    return 0
