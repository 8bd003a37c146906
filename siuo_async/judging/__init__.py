"""From a judge's text to a verdict, and from untrusted text to a prompt that it cannot escape."""

from siuo_async.judging.delimit import fence, fill
from siuo_async.judging.parsers import parse_letter, parse_siuo_effectiveness, parse_siuo_safety
from siuo_async.judging.released import normalise

__all__ = ["fence", "fill", "normalise", "parse_letter", "parse_siuo_effectiveness", "parse_siuo_safety"]
