"""A run replayed whole: every sample with what each model answered, what was said of it and what it scored.

Tallies forget samples; comparing models, labelling, exports and the page need them one by one. All of them begin here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from siuo_async.benchmarks.seen import Score, Seen
from siuo_async.engine import plan as plans
from siuo_async.engine.plan import Plan
from siuo_async.engine.records import CallRecord
from siuo_async.engine.replay import Lived, replay
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.engine.summary import summarise
from siuo_async.values import Json, Sample


@dataclass(frozen=True, slots=True)
class Take:
    """One sample as one model lived it."""

    seen: Seen | None
    """None while it is pending."""
    calls: tuple[CallRecord, ...] = ()
    """The finished calls that it passed through."""
    result: Any = field(default=None, repr=False)
    """What the benchmark's `evaluate` gave, which its tally counts; None while it is pending."""

    def score(self, metric: str) -> Score | None:
        """None where it is pending, or the metric is not asked of this sample."""
        return self.seen.scores.get(metric) if self.seen else None


@dataclass(frozen=True, slots=True)
class Item:
    """One sample with every model's take on it."""

    sample: Sample
    takes: Mapping[str, Take]
    """By the model's label, in the run's order of models."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """A run, replayed."""

    directory: RunDirectory
    plan: Plan
    summary: Mapping[str, Any]
    """As in `summary.json`, of this very replay."""
    items: tuple[Item, ...] = field(repr=False)
    """In the order of asking."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the models, in the run's order."""
        return tuple(participant.label for participant in self.plan.models)

    def model(self, label: str) -> Mapping[str, Json]:
        """A model's part of the summary.

        Raises:
            KeyError: there is no such model.
        """
        for found in self.summary["models"]:
            if found["label"] == label:
                return dict(found)
        raise KeyError(label)


def gather(directory: RunDirectory) -> Gathered:
    """Replays a run, which may still be going on.

    Raises:
        RunDirectoryError: the directory cannot be read.
        DataError: released prompts were used and are gone.
    """
    return asyncio.run(gathered(plans.from_directory(directory), directory))


async def gathered(plan: Plan, directory: RunDirectory) -> Gathered:
    """The same, inside an event loop."""
    samples: dict[str, Sample] = {}
    takes: dict[str, dict[str, Take]] = {}

    def keep(lived: Lived) -> None:
        sample = samples.setdefault(lived.sample.id, lived.sample)
        seen = None if lived.result is None else plan.benchmark.seen(sample, lived.result)
        takes.setdefault(sample.id, {})[lived.label] = Take(seen, lived.calls, lived.result)

    boards = await replay(plan, directory, visit=keep)
    items = tuple(Item(sample, takes[name]) for name, sample in samples.items())
    return Gathered(directory, plan, summarise(plan, boards), items)
