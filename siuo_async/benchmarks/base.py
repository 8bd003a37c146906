"""The seam between a benchmark and whatever asks models for it.

A benchmark is one module: what is asked, how an answer is judged, how verdicts become scores. It is handed an `Ask` and imports no
client, so the same coroutine serves a live run, `siuo score` and a test with canned answers.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Protocol, TypeVar

from siuo_async.values import Answer, Json, Parameters, Prompt, Sample

GENERATE = "generate"
"""The stage that asks the model under test; every other stage asks the judge."""

R = TypeVar("R")
R_contra = TypeVar("R_contra", contravariant=True)


class Ask(Protocol):
    """Asks models. What was asked before is answered from the journal."""

    def answers(self, prompt: Prompt, n: int) -> AsyncGenerator[tuple[int, Answer], None]:
        """The n answers of the model under test, each with its number, as they come.

        An answer cut before its first visible token has been asked for once more with four times the cap.

        Raises:
            StoppedEarly: a call that is needed cannot be made now; the sample stays pending.
        """

    async def verdict(self, prompt: Prompt, stage: str, *, first: int = 0, cap_scale: int = 1) -> Answer:
        """One answer of the judge.

        Args:
            stage: `judge.` and what is judged.
            first: 1 asks the same again.
            cap_scale: 4 asks with four times the cap.

        Raises:
            StoppedEarly: a call that is needed cannot be made now; the sample stays pending.
        """


class Tally(Protocol[R_contra]):
    """Counters over samples: adding is all that grows with the data, and the order of adding changes nothing."""

    def add(self, category: tuple[str, ...], result: R_contra) -> None:
        """Counts one finished sample."""

    def summary(self, totals: Mapping[str, int]) -> dict[str, Json]:
        """Metrics, outcomes and the judge's health as they stand in summaries.

        Args:
            totals: samples asked for, by category.
        """


class Benchmark(Protocol[R]):
    """What is asked and how an answer becomes a score."""

    @property
    def name(self) -> str:
        """As in `siuo run`."""

    @property
    def answers(self) -> int:
        """Answers per sample."""

    @property
    def prompt_set(self) -> str:
        """Names the prompts in fingerprints and protocol lines."""

    @property
    def primary(self) -> str:
        """The metric that models are compared by."""

    @property
    def metrics(self) -> Mapping[str, str]:
        """Metric -> heading in tables, in order."""

    @property
    def calls_per_answer(self) -> int:
        """Judge calls that one answer needs at least."""

    def generation(self) -> Parameters:
        """What the protocol asks of the model under test."""

    def judging(self) -> Parameters:
        """What the protocol asks of the judge."""

    async def evaluate(self, sample: Sample, ask: Ask) -> R:
        """The life of one sample: its answers, their verdicts."""

    def tally(self) -> Tally[R]:
        """New, empty counters."""
