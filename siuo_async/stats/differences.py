"""How large a paired difference is, how sure that is, and how small a one would still have been seen.

Of the intervals for paired proportions the one of Bonett and Price was chosen: it holds its 95% also where both models are nearly
always right or hardly ever differ, never has no width, and says the same of means over several answers, in categories and clusters
(`tests/performance/coverage.py` measures it).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist
from typing import Final

import numpy as np
from scipy.special import stdtrit

from siuo_async.stats.resampling import Design, Floats, mean_variance

POWER: Final = 0.8
_NORMAL: Final = NormalDist()


def difference_interval(differences: Sequence[float] | Floats, drawn: Design, *, span: float = 1.0) -> tuple[float, float]:
    """The 95% interval of a mean difference.

    Two samples are added to the N there are, one with the difference `span` and one with -`span`: with S the sum of the
    differences and V the variance of S over designs like this one, (S -+ t sqrt(V + 2 span^2))/(N + 2), t with the design's
    degrees of freedom. For one answer each, without strata and clusters and with a normal quantile, this is Bonett and Price's
    interval but for a term below 1/N of its variance.

    Source: D. G. Bonett and R. M. Price, "Adjusted Wald confidence interval for a difference of binomial proportions based on
    paired data", Journal of Educational and Behavioral Statistics 37 (2012), 479-488.

    Args:
        differences: of each sample, between -span and span.
        drawn: how they were drawn.
        span: the largest difference that a sample can have.

    Returns:
        (low, high), within -span and span; both ends of these for less than two clusters.
    """
    known = np.asarray(differences, dtype=float)
    variance = mean_variance(known, drawn) if len(known) else None
    if variance is None or drawn.degrees < 1:
        return -span, span
    n = len(known)
    wide = float(stdtrit(drawn.degrees, 0.975)) * sqrt(variance * n * n + 2 * span * span) / (n + 2)
    middle = float(known.sum()) / (n + 2)
    return max(-span, middle - wide), min(span, middle + wide)


def smallest_visible(
    differences: Sequence[float] | Floats, drawn: Design, share: float, *, step: float = 1.0, span: float = 1.0, level: float = 0.05
) -> float | None:
    """The mean difference that the paired test finds with 80% power at this n.

    The root of d sqrt(C) = z_level sqrt(v) + z_power sqrt(v - d^2) with C the clusters, d the difference by cluster and v the mean
    square of a cluster's difference. For one answer each v is the share of samples that differ, and this is Miettinen's formula.
    v is what models would have that answer alike but for d: the variance seen, changed as p(1 - p) changes when one of two equal
    shares p moves by d to the middle, and d^2. It is at least |d| in steps of `step`. As in the interval, the data have one sample
    more each way.

    Source: O. S. Miettinen, "The matched pairs design in the case of all-or-none responses", Biometrics 24 (1968), 339-352;
    R. J. Connor, "Sample size for testing differences in proportions for the paired-sample design", Biometrics 43 (1987), 207-211.
    How v grows with d is our own; `tests/performance/coverage.py` measures the power that comes of it.

    Args:
        differences: of each sample.
        drawn: how they were drawn.
        share: the mean over both models, as a fraction of the way from the lowest to the highest score.
        step: the smallest difference that a sample can have: 1/n for n answers.
        span: the largest one.
        level: of the test; that of Holm's first step where several are made.

    Returns:
        In the units of `differences`; None where not even `span` would be found.
    """
    known = np.asarray(differences, dtype=float) / span
    if not len(known):
        return None
    sums = np.bincount(drawn.cluster_of, weights=known, minlength=drawn.clusters)
    variance = (float(((sums - sums.mean()) ** 2).sum()) + 2) / (drawn.clusters + 2)
    p = (share * len(known) + 1) / (len(known) + 2)
    alpha, beta, size = _NORMAL.inv_cdf(1 - level / 2), _NORMAL.inv_cdf(POWER), len(known) / drawn.clusters

    def found(difference: float) -> bool:
        moved = p - difference if p >= 0.5 else p + difference
        within = variance * (p * (1 - p) + max(0.0, moved * (1 - moved))) / (2 * p * (1 - p))
        squared = (difference * size) ** 2
        v = max(within + squared, step / span * difference * size)
        return difference * size * sqrt(drawn.clusters) >= alpha * sqrt(v) + beta * sqrt(v - squared)

    if not found(1.0):
        return None
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) else (middle, high)
    return high * span
