"""Rates that people's labels on some answers correct, from a judge's verdicts on all of them: prediction-powered inference.

The judge alone is precise and may be wrong; labels alone are right and few. The corrected figure is the judge's mean plus the mean
error that the labels show, each label weighted by how likely it was to be drawn. Any share `lam` of the judge's figure may be taken;
the best one is estimated, so a useless judge does no harm (A. N. Angelopoulos, J. C. Duchi and T. Zrnic, "PPI++: Efficient
Prediction-Powered Inference", arXiv 2311.01453, 2023; inverse-probability weights: T. Zrnic and E. J. Candès, "Active Statistical
Inference", ICML 2024).

The point estimate is `ppi_py`'s. Its interval is not used: it takes the labelled answers for a sample apart from the others, drawn with
replacement, and knows neither strata nor several answers of one question. Here the labelled ones were drawn within strata out of all
answers, which is sampling in two phases (W. G. Cochran, "Sampling Techniques", 3rd edition, 1977, sections 5.3 and 12.2).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from siuo_async.errors import ConfigError
from siuo_async.stats.intervals import wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MISSING = "correcting rates needs the package ppi-python, which is not installed: pip install 'siuo-async[labels]'"
PSEUDO = 0.3
"""Labels of either end that are thought beside those of a stratum when its spread is estimated: five labels that agree do not say that
no answer differs. Without them, intervals of rates near 100% held the truth in 85 to 90% of simulated draws; with one of either end,
in 98 to 99%. What this number comes to: `make bench-labels`."""
_LEAST_SLOPE = 0.1
"""Of the judge's verdicts on the truth; below it they say nothing of how much the answers of one sample are alike."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """A mean with its 95% interval, in the units of the values."""

    value: float
    low: float
    high: float
    effective: float
    """Answers, each of another sample and labelled, that would tell as much."""
    lam: float = 0.0
    """The share of the judge's figure that was taken, 0 to 1."""


def corrected_mean(
    labels: Sequence[float | None],
    predictions: Sequence[float],
    strata: Sequence[int],
    clusters: Sequence[int],
    *,
    low: float = 0.0,
    high: float = 1.0,
) -> Corrected | None:
    """The mean of what people would say of all units, from the labels of those that were drawn; None without any label.

    Within a stratum each unit was as likely to be drawn as any other. The variance is that of the units themselves, as a draw of
    clusters, plus that of the labels within strata:

        V = S2/N x deff + sum_h (N_h/N)^2 (1 - n_h/N_h) s2_h/n_h

    with s2_h the variance of label - lam x prediction in stratum h (`PSEUDO`), deff = 1 + (sum m_g^2/N - 1) rho for clusters of m_g
    units, and rho the likeness of labels within clusters: the predictions' covariance there, which all units tell, divided by the
    squared slope of predictions on labels, since a judge's own errors make the answers of one sample look less alike than they are.
    The interval is Wilson's at the effective number p(1-p)/V.

    Args:
        labels: what people said of each unit, None where nobody was asked. All in one order, one entry per unit.
        predictions: what the judge said.
        strata: which stratum a unit was drawn from; one that holds no label is taken together with the largest that does.
        clusters: which units belong to one sample.
        low, high: the ends of the scale.

    Raises:
        ConfigError: ppi-python is not installed.
    """
    span = high - low
    given = np.array([np.nan if label is None else (label - low) / span for label in labels], dtype=np.float64)
    told = (np.asarray(predictions, dtype=np.float64) - low) / span
    labelled = ~np.isnan(given)
    if not labelled.any():
        return None
    groups = _joined(np.unique(np.asarray(strata), return_inverse=True)[1].astype(np.int64), labelled)
    sizes, drawn = np.bincount(groups), np.bincount(groups[labelled], minlength=int(groups.max()) + 1)
    weights = (sizes / drawn)[groups[labelled]]
    y, f = given[labelled], told[labelled]
    lam = _best_share(y, f, groups[labelled], sizes, drawn)
    value = min(max(_point(y, f, told, weights, lam), 0.0), 1.0)
    spread = _phase_one(y, f, told, weights, np.asarray(clusters), value) + _phase_two(y, f, lam, groups[labelled], sizes, drawn)
    at, effective = _effective(value, spread, len(given))
    ends = wilson(at * effective, effective)
    bottom, top = min(ends[0], value), max(ends[1], value)
    return Corrected(low + span * value, low + span * bottom, low + span * top, effective, lam)


def weighted_mean(
    labels: Sequence[float], weights: Sequence[float], clusters: Sequence[int], *, low: float = 0.0, high: float = 1.0
) -> Corrected | None:
    """The mean of labels by the weights of their draw alone, with Wilson's interval at the effective number; None where no weight is.

    The variance is the linearised one of a ratio over clusters (Cochran, section 6.4 and 11.8); the effective number is never above
    Kish's (sum w)^2 / sum w^2 (L. Kish, "Survey Sampling", 1965, section 11.7), so that labels that all agree have an interval too.
    """
    w = np.asarray(weights, dtype=np.float64)
    if not w.sum() > 0:
        return None
    span = high - low
    y = (np.asarray(labels, dtype=np.float64) - low) / span
    value = float((w * y).sum() / w.sum())
    group = np.unique(np.asarray(clusters)[w > 0], return_inverse=True)[1]
    sums = np.bincount(group, weights=(w * (y - value))[w > 0])
    mend = len(sums) / (len(sums) - 1) if len(sums) > 1 else 1.0
    kish = float(w.sum() ** 2 / (w**2).sum())
    spread = float((sums**2).sum() / w.sum() ** 2) * mend
    effective = min(kish, value * (1 - value) / spread) if spread > 0 and 0 < value < 1 else min(kish, float(len(sums)))
    ends = wilson(min(value, 1.0) * effective, effective)
    return Corrected(low + span * value, low + span * min(ends[0], value), low + span * max(ends[1], value), effective)


def require_ppi() -> None:
    """Raises ConfigError where ppi-python is not installed."""
    try:
        with warnings.catch_warnings():  # importing it silences all warnings of the process
            warnings.simplefilter("ignore")
            import ppi_py  # noqa: F401
    except ImportError as error:
        raise ConfigError(MISSING) from error


def _point(y: Floats, f: Floats, told: Floats, weights: Floats, lam: float) -> float:
    """lam x mean(all predictions) + the weighted mean of label - lam x prediction."""
    require_ppi()
    from ppi_py import ppi_mean_pointestimate

    return float(np.squeeze(ppi_mean_pointestimate(y, f, told, lam=lam, w=weights)))


def _joined(groups: Ints, labelled: NDArray[np.bool_]) -> Ints:
    """The strata, numbered from 0, each with a label in it."""
    sizes = np.bincount(groups)
    drawn = np.bincount(groups[labelled], minlength=len(sizes))
    largest = int(np.argmax(np.where(drawn > 0, sizes, -1)))
    kept = np.where(drawn > 0, np.arange(len(sizes)), largest)[groups]
    return np.unique(kept, return_inverse=True)[1].astype(np.int64)


def _best_share(y: Floats, f: Floats, groups: Ints, sizes: Ints, drawn: Ints) -> float:
    """The lam at which `_phase_two` is least: the slope of labels on predictions within strata, by how much each stratum counts."""
    mean_y = np.bincount(groups, weights=y) / drawn
    mean_f = np.bincount(groups, weights=f) / drawn
    counts = (sizes / sizes.sum()) ** 2 * (1 - drawn / sizes) / drawn / np.maximum(drawn - 1, 1)
    off_y, off_f, share = y - mean_y[groups], f - mean_f[groups], counts[groups]
    spread = float((share * off_f**2).sum())
    return min(max(float((share * off_y * off_f).sum()) / spread, 0.0), 1.0) if spread > 1e-12 else 1.0


def _phase_two(y: Floats, f: Floats, lam: float, groups: Ints, sizes: Ints, drawn: Ints) -> float:
    """What not labelling every unit adds to the variance."""
    rest = y - lam * f
    middle = lam * np.bincount(groups, weights=f) / drawn
    count = drawn + 2 * PSEUDO
    mean = (np.bincount(groups, weights=rest) + PSEUDO * (1 - 2 * middle)) / count
    squares = np.bincount(groups, weights=rest**2) + PSEUDO * (middle**2 + (1 - middle) ** 2)
    spread = np.maximum(squares / count - mean**2, 0.0)
    return float(((sizes / sizes.sum()) ** 2 * (1 - drawn / sizes) * spread / drawn).sum())


def _phase_one(y: Floats, f: Floats, told: Floats, weights: Floats, clusters: Ints, value: float) -> float:
    """What the units themselves, as a draw of clusters, add to the variance."""
    total = len(told)
    spread = max(float(np.average(y**2, weights=weights)) - value**2, 0.0)
    group = np.unique(clusters, return_inverse=True)[1]
    sizes = np.bincount(group)
    pairs = float((sizes * (sizes - 1)).sum())
    if not pairs:
        return spread / total
    off = told - told.mean()
    together = float(((np.bincount(group, weights=off) ** 2) - np.bincount(group, weights=off**2)).sum()) / pairs
    middle = float(np.average(y, weights=weights))
    own = float(np.average((y - middle) ** 2, weights=weights))
    slope = float(np.average((y - middle) * (f - np.average(f, weights=weights)), weights=weights)) / own if own > 0 else 1.0
    alike = min(max(together / slope**2 / own, 0.0), 1.0) if own > 0 and slope > _LEAST_SLOPE else 1.0
    return spread / total * (1 + (float((sizes**2).sum()) / total - 1) * alike)


def _effective(value: float, spread: float, total: int) -> tuple[float, float]:
    """(the value, kept off the ends; the number of independent answers whose mean has this variance)."""
    inside = min(max(value, 0.5 / total), 1 - 0.5 / total)
    effective = inside * (1 - inside) / spread if spread > 0 else float(total)
    return value, min(max(effective, 1.0), float(total))
