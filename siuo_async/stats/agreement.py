"""How far raters agree on the same units: percentage agreement and Krippendorff's alpha, with intervals by samples.

Both are worked out from counts, a row per unit and a column per value, so several raters and missing ratings are no special case. Units
of one sample (its answers, by several models) tell of each other, so samples are what is drawn again, not units.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from siuo_async.stats.resampling import DRAWS, Design, Floats, Ints, bootstrap_means, design, mean_variance, share_interval

_MOST_UNDEFINED: Final = 0.05
"""Of the draws; with more of them undefined an interval would be of the others alone."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """Raters on the same units."""

    n: int
    """Units with at least two ratings; only these count."""
    agree: int
    """Units on which all ratings are alike."""
    share: float | None
    """Of the pairs of ratings of a unit, those that are alike; the mean over units. None without units."""
    share_interval: tuple[float, float] | None
    alpha: float | None
    """From -1 to 1. None where all ratings are the same value: nothing tells agreement from a habit then."""
    alpha_interval: tuple[float, float] | None


def agreed(ratings: Sequence[Sequence[Hashable | None]], samples: Sequence[int], *, draws: int = DRAWS, seed: int = 0) -> Agreed:
    """How far raters agree.

    Args:
        ratings: units x raters; None where a rater said nothing.
        samples: of each unit, a number that units of one sample (or of what samples share) have in common.
        draws: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ValueError: `ratings` and `samples` are of different lengths.
    """
    if len(ratings) != len(samples):
        raise ValueError(f"{len(ratings)} units, but samples of {len(samples)}")
    counts = counted(ratings)
    pairable = counts.sum(axis=1) >= 2
    counts, drawn = counts[pairable], design(np.zeros(int(pairable.sum()), dtype=np.int64), np.asarray(samples)[pairable])
    if not len(counts):
        return Agreed(0, 0, None, None, None, None)
    rated = counts.sum(axis=1)
    shares = (counts * (counts - 1)).sum(axis=1) / (rated * (rated - 1))
    mean = float(shares.mean())
    interval = share_interval(mean, mean_variance(shares, drawn), drawn.clusters, len(shares))
    found = alpha(counts)
    return Agreed(
        n=len(counts),
        agree=int((shares == 1).sum()),
        share=mean,
        share_interval=interval,
        alpha=found,
        alpha_interval=None if found is None else _alpha_interval(counts, drawn, interval[0], draws, seed),
    )


def counted(ratings: Sequence[Sequence[Hashable | None]]) -> Ints:
    """How often each value was given: units x values, in the order in which they were first seen."""
    values: dict[Hashable, int] = {}
    for unit in ratings:
        for rating in unit:
            if rating is not None:
                values.setdefault(rating, len(values))
    counts = np.zeros((len(ratings), len(values)), dtype=np.int64)
    for number, unit in enumerate(ratings):
        for rating in unit:
            if rating is not None:
                counts[number, values[rating]] += 1
    return counts


def alpha(counts: Ints) -> float | None:
    """Krippendorff's alpha for nominal values: 1 - observed/expected disagreement.

    Observed: among the pairs of ratings of a unit, each unit with the weight of its ratings; expected: among pairs of all ratings.
    None where fewer than two values were given in units that have at least two ratings.

    Source: K. Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), section D; "Content Analysis", 4th edition, 2019,
    chapter 12.

    Args:
        counts: units x values, how many raters gave each value.
    """
    counts = counts[counts.sum(axis=1) >= 2]
    total = counts.sum()
    if not total:
        return None
    parts = _parts(counts).sum(axis=0) / total
    found = float(_alpha(parts[None, :], int(total))[0])
    return None if np.isnan(found) else found


def _parts(counts: Ints) -> Floats:
    """Of each unit: pairs of ratings that are alike, over its ratings less one; then its ratings by value."""
    alike = (counts * (counts - 1)).sum(axis=1) / (counts.sum(axis=1) - 1)
    return np.column_stack((alike, counts))


def _alpha(parts: Floats, total: int) -> Floats:
    """Alpha of each row of `_parts` over the number of ratings; NaN where all are of one value."""
    expected = (1 - (parts[:, 1:] ** 2).sum(axis=1)) * total / (total - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(expected > 1e-12, 1 - (1 - parts[:, 0]) / expected, np.nan)


def _alpha_interval(counts: Ints, drawn: Design, least_share: float, draws: int, seed: int) -> tuple[float, float] | None:
    """95%, by resampling clusters; None where too few draws have an alpha.

    Where nobody disagreed no draw can, though more units might: the lower end is then what the lower end of the share comes to.
    """
    if drawn.clusters < 2:
        return None
    parts, rated = _parts(counts), counts.sum(axis=1)
    total = int(rated.sum())
    if np.isclose(parts[:, 0].sum(), total):
        expected = (1 - ((counts.sum(axis=0) / total) ** 2).sum()) * total / (total - 1)
        return max(-1.0, 1 - (1 - least_share) / float(expected)), 1.0
    below = np.repeat(rated[:, None].astype(float), parts.shape[1], axis=1)
    found = _alpha(bootstrap_means(parts, below, drawn, draws=draws, seed=seed), total)
    known = found[~np.isnan(found)]
    if len(known) < (1 - _MOST_UNDEFINED) * draws:
        return None
    low, high = np.quantile(known, (0.025, 0.975))
    return max(-1.0, float(low)), min(1.0, float(high))
