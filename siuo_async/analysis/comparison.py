"""The models of a run compared: what is reported of them, as values. How it is worked out stands in `comparing`.

Figures are in percent, differences in percentage points; of a metric on a scale both are in points of that scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95% interval; None where it is undefined."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models on the same samples."""

    metric: str
    a: str
    """Labels; the difference is a - b."""
    b: str
    n: int
    """Samples that both decided."""
    difference: Estimate
    p: float | None
    """Two-sided; None where no test is made (every metric but the primary ones, a single sample)."""
    p_adjusted: float | None
    """By Holm, over the tests of this metric."""
    method: Literal["permutation", "mcnemar", "none"]
    only_a: int
    """Samples where a scores above b (votes, or means over the answers where those are tested)."""
    only_b: int
    smallest_visible: float | None
    """The difference that a test at this n finds with 80% power, in points."""
    sentence: str
    """The same in words, for a reader who skips tables."""
    of_answers: bool = False
    """Whether the difference is of means over several answers; else it is of the figure that standings show."""
    level: float = 0.05
    """Of the test that `smallest_visible` speaks of: 5% over the number of tests, which is Holm's first step."""
    on_scale: bool = False
    """Whether differences are in points of a scale of the benchmark's own, and not in percentage points."""

    @property
    def places(self) -> int:
        """Decimals that differences are shown with, as the figures themselves are."""
        return 2 if self.on_scale else 1


@dataclass(frozen=True, slots=True)
class Standing:
    """One model's place in one metric."""

    label: str
    rank: int
    """From 1, by the metric's direction; models that are equal share one."""
    value: Estimate
    """As in the summary, with its Wilson (or the summary's own) interval."""
    per_answer: Estimate | None
    """The mean over answers with an interval by resampling samples within categories; None with one answer each."""
    letters: str
    """Models that share a letter do not differ; empty where no test is made."""
    k: int
    n: int
    total: int
    draw_sd: float | None
    """How much `value` would move if every answer were drawn again (one standard deviation, in points); None with one answer."""
    draw_sd_per_answer: float | None = None
    """The same of `per_answer`."""
    undecided: int = 0
    """Finished samples that are in no figure."""


@dataclass(frozen=True, slots=True)
class MetricComparison:
    """All models in one metric."""

    metric: str
    heading: str
    tested: bool
    """Whether it is a primary metric, so that pairs have p-values and standings letters."""
    higher_is_better: bool
    reference: str | None
    """Everything is compared with this model; None: all pairs."""
    standings: tuple[Standing, ...]
    """The best first."""
    pairs: tuple[Pair, ...]
    smallest_visible: float | None
    """Over all pairs at this n: the median pair's, in points."""
    sentences: tuple[str, ...]
    """What a reader should take home, most important first."""


@dataclass(frozen=True, slots=True)
class CategoryCell:
    """One model in one category: an interval, never a test."""

    category: str
    label: str
    value: Estimate
    k: int
    n: int
    total: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """The models of a run, compared."""

    metrics: tuple[MetricComparison, ...]
    """The primary ones first."""
    cells: tuple[CategoryCell, ...]
    """Of the primary metric."""
    clusters: int
    """Groups of samples that share a picture or a source question; equal to `samples` where none do."""
    samples: int
    not_in_interval: tuple[str, ...]
    """What the intervals do not hold (the judge's error, another day's draw, ...), one sentence each."""
    method: str
    """How intervals and tests were made, in a paragraph's words, for methods sections."""

    @property
    def primary(self) -> MetricComparison:
        """The metric that models are compared by."""
        return self.metrics[0]
