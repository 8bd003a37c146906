"""The seam between a benchmark and whatever asks models for it.

A benchmark is one module: what is asked, how an answer is judged, how verdicts become scores. It is handed an `Ask` and imports no
client, so the same coroutine serves a live run, `siuo score` and a test with canned answers.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, TypeVar

from siuo_async.values import Answer, Json, Parameters, Prompt, Sample, quick_value

if TYPE_CHECKING:  # verdicts are asked for through this seam
    from siuo_async.benchmarks.seen import Seen

GENERATE = "generate"
"""The stage that asks the model under test."""
SEARCH = "search"
"""The stage that asks a search engine; every other stage asks the judge."""

R = TypeVar("R")
R_contra = TypeVar("R_contra", contravariant=True)


JudgeRole: TypeAlias = Literal["judge", "stand-in", "panel", "check", "retest"]
"""Of a judge: the run's own, whoever is asked where that one gave no verdict, one of a panel, a second opinion, the same once more."""


@quick_value
class Juror:
    """One who is asked for verdicts on a sample."""

    role: JudgeRole
    label: str
    number: int
    """Which judge of the run it is; for a retest the one that is asked again."""


class SampleBug(Exception):
    """A user's code failed in the life of one sample, which stays pending; the message names file and line."""


class Ask(Protocol):
    """Asks models. What was asked before is answered from the journal."""

    def answers(self, prompt: Prompt, n: int) -> AsyncGenerator[tuple[int, Answer], None]:
        """The n answers of the model under test, each with its number, as they come.

        An answer cut before its first visible token has been asked for once more with four times the cap.

        Raises:
            StoppedEarly: a call that is needed cannot be made now; the sample stays pending.
        """

    def answers_to(self, prompts: Sequence[Prompt]) -> AsyncGenerator[tuple[int, Answer], None]:
        """One answer of the model under test to each prompt, with the prompt's number, as they come; all are asked together.

        Raises:
            StoppedEarly: a call that is needed cannot be made now; the sample stays pending.
        """

    async def search(self, query: str) -> Answer:
        """What the run's search engine finds: the text of an answer, `empty` where nothing was found, `failed` where it failed.

        Raises:
            StoppedEarly: the search is needed and cannot be made now; the sample stays pending.
        """

    @property
    def judges(self) -> Sequence[Juror]:
        """All who are asked about this sample, the judge or the panel first; empty where that is the run's own judge alone."""

    async def verdict(self, prompt: Prompt, stage: str, *, first: int = 0, cap_scale: int = 1, judge: int | None = None) -> Answer:
        """One answer of a judge.

        Args:
            stage: `judge.` and what is judged; one of the benchmark's `judging()`.
            first: 1 asks the same again.
            cap_scale: 4 asks with four times the cap.
            judge: which of the run's judges, by number; None: its one judge, which a panel has not.

        Raises:
            StoppedEarly: a call that is needed cannot be made now; the sample stays pending.
        """


async def one_answer(ask: Ask, prompt: Prompt) -> Answer:
    """The one answer of the model under test to `prompt`."""
    async with aclosing(ask.answers(prompt, 1)) as answers:
        async for _, answer in answers:
            return answer
    raise AssertionError("ask gives as many answers as it is asked for")


class Tally(Protocol[R_contra]):
    """Counters over samples: adding is all that grows with the data, and the order of adding changes nothing."""

    def add(self, category: tuple[str, ...], result: R_contra) -> None:
        """Counts one finished sample."""

    def summary(self, totals: Mapping[str, int]) -> dict[str, Json]:
        """What follows from the samples counted so far, as it stands in summaries.

        Always there: `metrics` {name: rate}, `categories` {name: {samples, metrics}}, `outcomes`, `answers`, `judge` (None where
        nobody judges), `dropped`. Where they make sense: `breakdowns` {title: {name: {samples, metrics}}}, `counts` {words: number}
        for what is counted apart, `baselines` {words: percent}, `remarks` [sentence], `calibration` {words: {bins, ece, ...}}.

        Args:
            totals: samples asked for, by first category.
        """


class Benchmark(Protocol[R]):
    """What is asked and how an answer becomes a score."""

    @property
    def name(self) -> str:
        """As in `siuo run`."""

    @property
    def answers(self) -> int:
        """Answers per sample that are scored."""

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
    def needs_judge(self) -> bool:
        """Whether nothing can be scored without a judge."""

    @property
    def note(self) -> str:
        """What the figures of the overall table are, in a line below it."""

    @property
    def headline(self) -> tuple[str, ...]:
        """The metrics that are never shown without each other; the primary first."""

    @property
    def lower_is_better(self) -> frozenset[str]:
        """The metrics of which less is better."""

    @property
    def prompts_per_sample(self) -> int:
        """Different prompts that one sample asks of the model, at most; each is asked `answers / prompts_per_sample` times."""

    @property
    def calls_per_answer(self) -> int:
        """Judge calls that one answer needs at least; 0 where nobody judges."""

    def settings(self) -> Mapping[str, Json]:
        """What else makes two runs comparable, beside protocol, data, prompts and parameters; in the fingerprint where not empty."""

    def generation(self) -> Parameters:
        """What the protocol asks of the model under test."""

    def judging(self) -> Mapping[str, Parameters]:
        """What the protocol asks of the judge, by stage; empty where nobody judges."""

    async def evaluate(self, sample: Sample, ask: Ask) -> R:
        """The life of one sample: its answers, their verdicts."""

    def seen(self, sample: Sample, result: R) -> Seen:
        """What `evaluate` gave, in the form that all benchmarks share."""

    def tally(self, samples: Collection[Sample]) -> Tally[R]:
        """New, empty counters.

        Args:
            samples: what is asked, for totals and baselines; each is read from disk when its turn comes, so none should be kept.
        """
