"""Votes, rates and their intervals: pure functions over scores."""

from siuo_async.stats.calibration import Calibration
from siuo_async.stats.csqa import csqa_category, csqa_metrics
from siuo_async.stats.csqa_rates import csqa_rates
from siuo_async.stats.intervals import wilson
from siuo_async.stats.logprobs import csqa_confidence
from siuo_async.stats.means import macro_rate, mean_rate
from siuo_async.stats.rates import Rate
from siuo_async.stats.siuo import siuo_statistics
from siuo_async.stats.votes import conjunction, decided_vote, released_combination, released_vote

__all__ = [
    "Calibration",
    "Rate",
    "conjunction",
    "csqa_category",
    "csqa_confidence",
    "csqa_metrics",
    "csqa_rates",
    "decided_vote",
    "macro_rate",
    "mean_rate",
    "released_combination",
    "released_vote",
    "siuo_statistics",
    "wilson",
]
