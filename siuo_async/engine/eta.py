"""How long a run will still take. Pure: from what is left to be asked, and what each limit group can do.

The slowest limit group decides, since the others wait for it. A group whose limit is known and reached does what the limit allows; any
other goes on as it did in the last minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from siuo_async.benchmarks.base import Benchmark
from siuo_async.client.bottleneck import GroupView
from siuo_async.client.controller import Cause
from siuo_async.client.endpoint import Endpoint
from siuo_async.engine.scoreboard import ModelBoard


@dataclass(frozen=True, slots=True)
class Part:
    """One model's samples in one role: to be answered by it, or to be judged."""

    group: str
    """The name of the limit group that their calls go through."""
    left: int
    """Samples without a result that this invocation still works on, begun or not."""
    finished: int
    begun: int
    """Samples taken up so far, finished ones included, stopped ones not."""
    calls: int
    """That these samples' lives passed through so far, those of the journal included."""
    expected: float
    """Calls that a sample needs, as the benchmark has it."""


def calls_left(part: Part) -> float:
    """Calls that are still to be made.

    A sample needs as many as finished ones needed. Since samples that are under way have calls behind them too, what was counted
    only says that it lies between calls over begun and calls over finished samples; the benchmark's own count holds as long as it
    does too. Those not begun yet need all of theirs, whatever the others needed.
    """
    if part.left <= 0 or part.expected <= 0:
        return 0.0
    each = part.expected
    if part.finished:
        each = min(max(each, part.calls / max(part.begun, part.finished)), part.calls / part.finished)
    untouched = part.left - (part.begun - part.finished)
    return max(1.0, each * untouched, each * (part.finished + part.left) - part.calls)


def calls_per_s(view: GroupView) -> float | None:
    """What a limit group can do; None while nobody can say."""
    if view.cause is Cause.PACE and view.calls.per_min:
        return view.calls.per_min / 60
    if view.cause is Cause.TOKENS and view.tokens.per_min and view.tokens_per_call:
        return view.tokens.per_min / 60 / view.tokens_per_call
    return view.per_s or (view.calls.per_min / 60 if view.calls.per_min else None)


def time_left_s(parts: Iterable[Part], views: Iterable[GroupView]) -> float | None:
    """Seconds until everything is done; None while nothing can be said, as when the network is gone.

    Args:
        parts: what is left, by model and role.
        views: the limit groups that had work.
    """
    found: Mapping[str, GroupView] = {view.name: view for view in views}
    wanted: dict[str, float] = {}
    for part in parts:
        if (calls := calls_left(part)) > 0:
            wanted[part.group] = wanted.get(part.group, 0.0) + calls
    longest_s = 0.0
    for name, calls in wanted.items():
        view = found.get(name)
        if view is None:  # it had no work yet: whoever has gives it some, and decides meanwhile
            continue
        rate = calls_per_s(view)
        if view.offline or not rate:
            return None
        longest_s = max(longest_s, calls / rate + view.cooling_s)
    return longest_s if longest_s or not wanted else None


def parts_of(boards: Iterable[ModelBoard], benchmark: Benchmark[Any], judge: Endpoint | None) -> Iterator[Part]:
    """What each model's samples still need, of the model and of the judge."""
    to_each_prompt = max(1, benchmark.answers // benchmark.prompts_per_sample)
    for board in boards:
        left = board.pending - board.stopped
        begun = max(board.finished, board.begun - board.stopped)
        endpoint, halt = board.target.endpoint, board.target.halt
        if halt is not None and halt.reason is not None:
            continue
        if endpoint is not None:
            expected = benchmark.prompts_per_sample * -(-to_each_prompt // endpoint.max_n)
            yield Part(endpoint.group.name, left, board.finished, begun, board.generation.calls, expected)
        if judge is not None:
            expected = benchmark.answers * benchmark.calls_per_answer
            yield Part(judge.group.name, left, board.finished, begun, board.judging.calls, expected)
