"""How many calls a plan would take, beyond what its journal holds; nothing is sent or written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from siuo_async.client.accounts import AccountSpec
from siuo_async.engine.plan import Plan
from siuo_async.engine.replay import replay
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.providers.profiles import profile_for


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

    Samples without a result are counted whole, so answers of theirs that are there already make it an upper bound.
    """
    found = []
    benchmark = plan.benchmark
    judging = benchmark.answers * benchmark.calls_per_answer if plan.judge else 0
    to_each_prompt = max(1, benchmark.answers // benchmark.prompts_per_sample)
    for participant, board in zip(plan.models, await replay(plan, directory, reusing=True), strict=True):
        config = participant.config
        dialect, _, known = spec_of(config.provider).route(config.name)
        takes = min(profile_for(dialect.name, config.name, {**known, **config.profile}).max_n, to_each_prompt)
        per_sample = benchmark.prompts_per_sample * -(-to_each_prompt // takes)
        found.append(
            ModelEstimate(
                label=board.target.label,
                model=board.target.full_name,
                samples=board.total,
                finished=board.finished,
                generation_calls=board.pending * per_sample,
                judge_calls=board.pending * judging,
            )
        )
    return found


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
    if plan.judge != earlier.judge:
        found.append(
            f"the judge is {plan.judge.label if plan.judge else 'nobody'}, it was {earlier.judge.label if earlier.judge else 'nobody'}"
        )
    for name in ("limit", "answers", "in_file_order", "order_seed", "budget"):
        now, then = getattr(plan.config, name), getattr(earlier.config, name)
        if now != then:
            found.append(f"{name} is {'not set' if now is None else now}, it was {'not set' if then is None else then}")
    return found
