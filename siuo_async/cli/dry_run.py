"""`siuo run --dry-run`: how many calls a run would take, per model and for the judge; nothing is sent or written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from siuo_async.cli.output import console, print_json
from siuo_async.client.accounts import AccountSpec
from siuo_async.engine.plan import Plan
from siuo_async.engine.replay import replay
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.engine.summary import protocol_line
from siuo_async.providers.profiles import profile_for
from siuo_async.report.text import harmless
from siuo_async.values import Json


def tell(plan: Plan, directory: RunDirectory, spec_of: Callable[[str], AccountSpec], *, as_json: bool) -> int:
    """Prints the plan; 0."""
    boards = asyncio.run(replay(plan, directory))
    models: list[dict[str, Json]] = []
    for participant, board in zip(plan.models, boards, strict=True):
        config = participant.config
        spec = spec_of(config.provider)
        dialect, _, known = spec.route(config.name)
        takes_n = min(profile_for(dialect.name, config.name, {**known, **config.profile}).max_n, plan.benchmark.answers)
        per_sample = -(-plan.benchmark.answers // takes_n)
        judging = plan.benchmark.answers * plan.benchmark.calls_per_answer if plan.judge else 0
        models.append(
            {
                "label": board.target.label,
                "model": board.target.full_name,
                "samples": board.total,
                "finished": board.finished,
                "generation_calls": board.pending * per_sample,
                "judge_calls": board.pending * judging,
            }
        )
    total = sum(model["generation_calls"] + model["judge_calls"] for model in models)
    found = {
        "dry_run": True,
        "protocol_line": protocol_line(plan, complete=False),
        "run": str(directory.path),
        "continues": directory.calls.exists(),
        "models": models,
        "judge": plan.judge and f"{plan.judge.provider}/{plan.judge.config.name}",
        "calls": total,
    }
    if as_json:
        print_json(found)
        return 0
    out = console()
    out.print(harmless(protocol_line(plan, complete=False)), soft_wrap=True)
    for model in models:
        done = f" ({model['finished']} of {model['samples']} samples are finished)" if model["finished"] else ""
        out.print(
            harmless(f"{model['label']}: {model['generation_calls']} calls, and up to {model['judge_calls']} of the judge{done}"),
            soft_wrap=True,
        )
    verb = "continues" if directory.calls.exists() else "would be"
    out.print(f"{total} calls at most, retries aside; nothing was sent. The run {verb} {directory.path}", soft_wrap=True)
    return 0
