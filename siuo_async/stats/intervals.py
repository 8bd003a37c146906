"""Confidence intervals for proportions."""

from __future__ import annotations

from functools import cache
from math import sqrt
from statistics import NormalDist


def wilson(k: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval (low, high) of the proportion k/n, as fractions; (0, 1) for n = 0.

    `k` and `n` need not be whole: an effective number of samples is none.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927), 209-212.

    Raises:
        ValueError: not 0 <= k <= n, or `confidence` not strictly between 0 and 1.
    """
    if not 0 <= k <= n:
        raise ValueError(f"k must be between 0 and n, got k={k}, n={n}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence}")
    if n == 0:
        return 0.0, 1.0
    z = _quantile(confidence)
    share, widened = k / n, 1 + z * z / n
    centre = (share + z * z / (2 * n)) / widened
    half = z / widened * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # At the ends the formula gives 0 and 1 but for rounding.
    return 0.0 if k == 0 else max(0.0, centre - half), 1.0 if k == n else min(1.0, centre + half)


@cache
def _quantile(confidence: float) -> float:
    """Of the standard normal distribution; a screen asks for hundreds of intervals each second, and this is most of their cost."""
    return NormalDist().inv_cdf((1 + confidence) / 2)
