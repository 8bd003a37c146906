"""How far a figure would move if every answer were drawn again, as the answers that there are tell."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb, sqrt
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import roots_jacobi

Counts: TypeAlias = Sequence[int] | NDArray[np.int64]


def redraw_sd_of_mean(ones: Counts, answers: Counts) -> float | None:
    """The standard deviation of the mean over samples of each one's share of ones, over new draws of their answers.

    sqrt(sum of p(1 - p)/(m - 1))/N over the N samples with m >= 2 answers and share p: the unbiased variance within each sample.

    Source: W. G. Cochran, "Sampling Techniques", 3rd edition, 1977, section 3.2 (the variance of a proportion, of its estimate).

    Returns:
        As a fraction; None where no sample has two answers.
    """
    m = np.asarray(answers, dtype=float)
    several = m >= 2
    if not several.any():
        return None
    share = np.asarray(ones, dtype=float)[several] / m[several]
    return sqrt(float((share * (1 - share) / (m[several] - 1)).sum())) / int(several.sum())


def redraw_sd_of_votes(ones: Counts, answers: int) -> float | None:
    """The same of the share of samples whose majority is 1, out of those that are no tie.

    A sample with 3 alike answers may still have a vote that another draw turns, so votes need an assumption: the chance p of a one
    is beta distributed over the samples, with the mean and the mean of p(1 - p) that are seen (moments; J. G. Skellam, "A
    probability distribution derived from the binomial distribution by regarding the probability of success as variable between the
    sets of trials", JRSS B 10 (1948), 257-261). With it the mean variance of a vote is an exact Gauss-Jacobi sum.

    Args:
        ones: of each sample all of whose `answers` are decided.
        answers: of each sample.

    Returns:
        As a fraction; None for less than two answers or no sample.
    """
    counts = np.asarray(ones, dtype=float)
    if answers < 2 or not len(counts):
        return None
    share = counts / answers
    mean = float(share.mean())
    within = float((share * (1 - share)).mean()) * answers / (answers - 1)
    if within <= 0:
        return 0.0
    if within >= mean * (1 - mean) * (1 - 1e-6):  # samples do not differ more than draws do
        chances, weights = np.array([mean]), np.array([1.0])
    else:
        together = within / (mean * (1 - mean) - within)  # alpha + beta
        nodes, weights = roots_jacobi(answers + 1, together * (1 - mean) - 1, together * mean - 1)
        chances, weights = (nodes + 1) / 2, weights / weights.sum()
    for_it, against = _majority(chances, answers), _majority(1 - chances, answers)
    decided = float((weights * (for_it + against)).sum())
    share_of_ones = float((weights * for_it).sum()) / decided
    up, down = 1 - share_of_ones, share_of_ones
    spread = for_it * up**2 + against * down**2 - (for_it * up - against * down) ** 2
    return sqrt(float((weights * spread).sum()) / len(counts)) / decided


def _majority(chance: NDArray[np.float64], answers: int) -> NDArray[np.float64]:
    wins = range(answers // 2 + 1, answers + 1)
    return np.asarray(np.sum([comb(answers, k) * chance**k * (1 - chance) ** (answers - k) for k in wins], axis=0), dtype=float)
