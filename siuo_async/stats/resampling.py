"""Samples as they were drawn: in categories whose sizes are fixed, and in clusters that come and go together.

A category is a stratum: another data set would have the same categories, so what differs between them is no chance. A cluster is what
samples share (a picture, a source question): it is drawn whole. Variances and draws in this module know both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from siuo_async.stats.intervals import wilson

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

DRAWS: Final = 2_000
_CHUNK: Final = 1 << 21
"""Weights held at once: 16 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """How samples were drawn. Made by `design`."""

    cluster_of: Ints
    """Cluster of each sample, 0 to clusters - 1; those of one stratum are neighbours."""
    sizes: tuple[int, ...]
    """Clusters of each stratum, in the clusters' order; each at least 2, unless there is but one cluster at all."""

    @property
    def clusters(self) -> int:
        """How many there are."""
        return sum(self.sizes)

    @property
    def degrees(self) -> int:
        """Of freedom that a variance is estimated with: clusters less strata."""
        return self.clusters - len(self.sizes)


def design(strata: Sequence[int] | Ints, clusters: Sequence[int] | Ints) -> Design:
    """Reads strata and clusters off the samples.

    A cluster that spans strata belongs to its first sample's. A stratum of a single cluster tells nothing of its own variance:
    such strata are taken together (collapsed strata; W. G. Cochran, "Sampling Techniques", 3rd edition, 1977, section 5A.12), and
    a lone one that is left over joins the smallest other.

    Args:
        strata: of each sample, whole numbers.
        clusters: of each sample, whole numbers, alike where samples belong together.
    """
    _, first, cluster = np.unique(np.asarray(clusters), return_index=True, return_inverse=True)
    _, stratum = np.unique(np.asarray(strata)[first], return_inverse=True)
    sizes = np.bincount(stratum) if len(first) else np.zeros(0, dtype=int)
    lone = np.flatnonzero(sizes == 1)
    if len(lone):
        target = lone[0]
        if len(lone) == 1 and len(sizes) > 1:
            others = np.where(sizes == 1, np.iinfo(np.int64).max, sizes)
            target = int(others.argmin())
        stratum = np.where(np.isin(stratum, lone), target, stratum)
        _, stratum = np.unique(stratum, return_inverse=True)
    order = np.argsort(stratum, kind="stable")
    renamed = np.empty(len(order), dtype=np.int64)
    renamed[order] = np.arange(len(order))
    return Design(
        renamed[cluster] if len(first) else np.zeros(0, dtype=np.int64), tuple(np.bincount(stratum).tolist()) if len(first) else ()
    )


def mean_variance(values: Sequence[float] | Floats, drawn: Design) -> float | None:
    """The variance of the mean of `values` over designs like this one; None for a single cluster.

    sum over strata of n/(n - 1) sum over its clusters of (z - mean z)^2, z being the cluster's sum of (value - mean)/N.

    Source: W. G. Cochran, "Sampling Techniques", 3rd edition, 1977, sections 5.4 (strata), 6.3 and 9A.2 (a ratio over clusters).
    """
    if drawn.clusters < 2:
        return None
    known = np.asarray(values, dtype=float)
    sums = np.bincount(drawn.cluster_of, weights=known - known.mean(), minlength=drawn.clusters) / len(known)
    found, begin = 0.0, 0
    for size in drawn.sizes:
        part = sums[begin : begin + size]
        found += size / (size - 1) * float(((part - part.mean()) ** 2).sum())
        begin += size
    return found


def bootstrap_means(sums: Floats, counts: Floats, drawn: Design, *, draws: int = DRAWS, seed: int = 0) -> Floats:
    """Means of each column over resampled clusters; all answers of a sample and all samples of a cluster go together.

    Of the n clusters of a stratum n - 1 are drawn, each with the weight n/(n - 1), which is right for the variance where n is
    small. All columns see the same draws, so differences of columns are paired.

    Source: J. N. K. Rao and C. F. J. Wu, "Resampling inference with complex survey data", JASA 83 (1988), 231-241, section 3.

    Args:
        sums: samples x columns; what a sample adds, over its answers.
        counts: samples x columns; how many answers that is over, 0 where nothing is known.

    Returns:
        draws x columns, sum over count; NaN where a draw met nothing that is known.

    Raises:
        ValueError: there is only one cluster.
    """
    if drawn.clusters < 2:
        raise ValueError("resampling needs at least two clusters")
    above, below = (_per_cluster(each, drawn) for each in (sums, counts))
    random = np.random.default_rng(seed)
    at_once = max(1, _CHUNK // drawn.clusters)
    found = np.empty((draws, sums.shape[1]))
    for begin in range(0, draws, at_once):
        weights = _weights(drawn, min(at_once, draws - begin), random)
        with np.errstate(invalid="ignore"):
            found[begin : begin + len(weights)] = (weights @ above) / (weights @ below)
    return found


def _per_cluster(columns: Floats, drawn: Design) -> Floats:
    found = np.zeros((drawn.clusters, columns.shape[1]))
    np.add.at(found, drawn.cluster_of, columns)
    return found


def _weights(drawn: Design, count: int, random: np.random.Generator) -> Floats:
    """How much each cluster weighs in each draw: draws x clusters."""
    weights = np.empty((count, drawn.clusters))
    begin = 0
    for size in drawn.sizes:
        chosen = random.integers(0, size, size=(count, size - 1)) + size * np.arange(count)[:, None]
        times = np.bincount(chosen.ravel(), minlength=count * size).reshape(count, size)
        weights[:, begin : begin + size] = times * (size / (size - 1))
        begin += size
    return weights


def share_interval(mean: float, variance: float | None, clusters: int, most: int) -> tuple[float, float]:
    """The 95% interval of a mean of shares, as fractions: Wilson's at the number of independent answers that vary as much.

    That number, mean (1 - mean)/variance, is held between 1 and `most`, and is the number of clusters where all shares are 0 or
    all are 1, so that the interval always has a width.

    Source: the effective size, L. Kish, "Survey Sampling", 1965, section 8.2; in Wilson's interval, N. Dean and M. Pagano,
    "Evaluating confidence interval methods for binomial proportions in clustered surveys", Journal of Survey Statistics and
    Methodology 3 (2015), 484-503.

    Args:
        mean: of all shares.
        variance: of that mean; None: unknown.
        clusters: how many the mean is over.
        most: answers that the mean is over.
    """
    if variance is None or clusters < 2:
        return 0.0, 1.0
    spread = mean * (1 - mean)
    effective = float(clusters) if min(spread, variance) <= 0 else min(max(spread / variance, 1.0), float(most))
    return wilson(effective * mean, effective)
