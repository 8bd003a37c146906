"""What a Python module of one's own needs, in one place (see `docs/custom-benchmarks.md`)."""

from siuo_async.benchmarks.base import Ask, one_answer
from siuo_async.benchmarks.custom_scores import Scored
from siuo_async.benchmarks.data.custom_data import read_rows
from siuo_async.benchmarks.data.pictures import read_picture
from siuo_async.benchmarks.judged import JUDGE_CAP, Verdict, verdict
from siuo_async.benchmarks.options import Shuffled, rotation, shuffled
from siuo_async.benchmarks.prompts.own_templates import lettered
from siuo_async.errors import DataError, StoppedEarly
from siuo_async.judging import fence, fill, parse_letter
from siuo_async.judging.custom import YES_NO_SCHEMA, parse_score, parse_yes_no, score_schema
from siuo_async.stats import decided_vote
from siuo_async.values import Answer, Outcome, Parameters, Picture, Prompt, Sample, Turn

__all__ = [
    "JUDGE_CAP",
    "YES_NO_SCHEMA",
    "Answer",
    "Ask",
    "DataError",
    "Outcome",
    "Parameters",
    "Picture",
    "Prompt",
    "Sample",
    "Scored",
    "Shuffled",
    "StoppedEarly",
    "Turn",
    "Verdict",
    "decided_vote",
    "fence",
    "fill",
    "lettered",
    "one_answer",
    "parse_letter",
    "parse_score",
    "parse_yes_no",
    "read_picture",
    "read_rows",
    "rotation",
    "score_schema",
    "shuffled",
    "verdict",
]
