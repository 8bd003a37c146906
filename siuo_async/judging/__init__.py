"""From a judge's text to a verdict, and from untrusted text to a prompt that it cannot escape."""

from siuo_async.judging.csqa import parse_search_request, parse_stated_confidence, released_filter
from siuo_async.judging.delimit import fence, fill
from siuo_async.judging.letters import letters_alone
from siuo_async.judging.parsers import parse_letter, parse_siuo_effectiveness, parse_siuo_safety
from siuo_async.judging.quotations import own_words
from siuo_async.judging.released import normalise
from siuo_async.judging.usb import parse_usb_refusal, parse_usb_vulnerability
from siuo_async.stats.csqa_grades import parse_csqa_grade, released_csqa_grades
from siuo_async.stats.logprobs import LogprobChoice, read_logprob_choice

__all__ = [
    "LogprobChoice",
    "fence",
    "fill",
    "letters_alone",
    "normalise",
    "own_words",
    "parse_csqa_grade",
    "parse_letter",
    "parse_search_request",
    "parse_siuo_effectiveness",
    "parse_siuo_safety",
    "parse_stated_confidence",
    "parse_usb_refusal",
    "parse_usb_vulnerability",
    "read_logprob_choice",
    "released_csqa_grades",
    "released_filter",
]
