"""Means of shares with intervals: of samples that each give a share, and of rates that each count the same.

Sums come in as integers, so the order in which samples finish changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from siuo_async.stats.csqa_rates import Metric
from siuo_async.stats.intervals import wilson
from siuo_async.stats.rates import Rate


def mean_rate(total_points: int, sum_squares: int, units: int, per_unit: int, total_units: int) -> Metric:
    """The mean of per-sample shares, as of the orders of options (of 4) in which a sample was answered right; in percent.

    The interval is Wilson's at the effective number of answers, n_eff = units x p(1-p)/s2 with s2 the variance of the shares
    (units - 1 below the line): `units` where a sample's answers all agree, `units x per_unit` where they are independent, and
    never outside these two. (Wilson: see `intervals`; the effective size: L. Kish, "Survey Sampling", 1965, section 8.2.)

    Args:
        total_points: points of all decided samples.
        sum_squares: sum of the squares of each sample's points.
        units: decided samples.
        per_unit: points a sample can get.
        total_units: samples asked for.

    Returns:
        The fields of `Rate.as_json()`; `k`, `n` and `total` count points.

    Raises:
        ValueError: the counts contradict each other.
    """
    if per_unit < 1 or not 0 <= units <= total_units:
        raise ValueError(f"a mean needs per_unit >= 1 and 0 <= units <= total_units, got {per_unit}, {units}, {total_units}")
    if not total_points <= sum_squares <= total_points * per_unit or total_points**2 > units * sum_squares:
        raise ValueError(f"no {units} samples of at most {per_unit} points have the sum {total_points} and squares {sum_squares}")
    rate = Rate(k=total_points, n=per_unit * units, total=per_unit * total_units)
    if not units:
        return rate.as_json()
    effective = _effective_size(total_points, sum_squares, units, per_unit)
    low, high = wilson(effective * total_points / rate.n, effective)
    return {**rate.as_json(), "low": 100 * low, "high": 100 * high}


def _effective_size(points: int, squares: int, units: int, per_unit: int) -> float:
    spread = units * squares - points**2  # units x (units - 1) x per_unit^2 x s2
    if spread == 0 or units == 1:
        return units
    independent = points * (per_unit * units - points) * (units - 1) / spread
    return min(max(independent, units), units * per_unit)


def macro_rate(cells: Sequence[Rate]) -> Metric:
    """The unweighted mean of several rates, in percent, with the interval of the cells' Wilson intervals combined (MOVER).

    low = m - sqrt(sum (p_i - l_i)^2)/c and high = m + sqrt(sum (u_i - p_i)^2)/c for c cells. Source: G. Y. Zou and A. Donner,
    "Construction of confidence limits about effect measures: a general approach", Statistics in Medicine 27 (2008), 1693-1702.

    Returns:
        The fields of `Rate.as_json()` (`k`, `n`, `total` are sums; `worst` and `best` means of the cells') and
        `cells_missing`, how many cells hold no decided sample: with any, or without cells, `value`, `low` and `high` are None.
    """
    counts = {"k": sum(each.k for each in cells), "n": sum(each.n for each in cells), "total": sum(each.total for each in cells)}
    bounds = {"worst": _mean([each.worst for each in cells]), "best": _mean([each.best for each in cells])}
    missing = sum(each.n == 0 for each in cells)
    value = _mean([each.value for each in cells])
    if value is None:
        return {"value": None, "low": None, "high": None, **counts, **bounds, "cells_missing": missing}
    below = sqrt(sum(((each.value or 0) - (each.low or 0)) ** 2 for each in cells)) / len(cells)
    above = sqrt(sum(((each.high or 0) - (each.value or 0)) ** 2 for each in cells)) / len(cells)
    ends = {"low": max(0.0, value - below), "high": min(100.0, value + above)}
    return {"value": value, **ends, **counts, **bounds, "cells_missing": missing}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None
