"""Votes, rates and their intervals: pure functions over scores."""

from siuo_async.stats.intervals import wilson
from siuo_async.stats.rates import Rate
from siuo_async.stats.siuo import siuo_statistics
from siuo_async.stats.votes import conjunction, decided_vote, released_combination, released_vote

__all__ = [
    "Rate",
    "conjunction",
    "decided_vote",
    "released_combination",
    "released_vote",
    "siuo_statistics",
    "wilson",
]
