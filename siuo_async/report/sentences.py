"""What a report says in words around its tables: what the comparison found, how the judge fared, what no interval holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from siuo_async.analysis.agreement import Agreement
from siuo_async.analysis.comparison import Comparison
from siuo_async.benchmarks.counting import without_verdict

NOT_IN_INTERVAL = "What is not in the intervals"
_STATES = ("unreadable", "declined", "filtered", "failed")


def first_sentences(summary: Mapping[str, Any], comparison: Comparison | None, agreements: Sequence[Agreement]) -> list[str]:
    """Below the leaderboard: differences in words, then the judge's health."""
    if not summary["scored"]:
        return [
            "nobody has judged these answers, so there is no score; `siuo judge RUN --judge PROVIDER/MODEL` pays for verdicts alone"
        ]
    if not any(model["samples"]["finished"] for model in summary["models"]):
        return ["no sample is finished yet"]
    compared = [words for each in (comparison.metrics if comparison else ()) if each.tested for words in each.sentences]
    return [*dict.fromkeys(compared), *judge_health(summary, agreements)]


def last_sentences(comparison: Comparison | None) -> list[str]:
    """Above the warnings: what the intervals do not hold."""
    return list(comparison.not_in_interval) if comparison else []


def judge_health(summary: Mapping[str, Any], agreements: Sequence[Agreement] = ()) -> Iterator[str]:
    """One line for the judge over all models, and one for each judge that it was set against."""
    counted = [model["judge"] for model in summary["models"] if model.get("judge")]
    verdicts = sum(each.get("verdicts", 0) for each in counted)
    if not verdicts:
        return
    states = [f"{sum(each.get(state, 0) for each in counted)} {state}" for state in _STATES]
    again = [f"{sum(each.get('re_asked', 0) for each in counted)} re-asked"]
    stood_in = sum(each.get("stood_in", 0) for each in counted)
    again += [f"{stood_in} by the stand-in"] if stood_in else []
    missing = sum(map(without_verdict, counted))
    share = f"{100 * missing / verdicts:.1f}% missing ({', '.join(states)})"
    yield f"judge {summary['judge']}: {verdicts} verdicts, {share}, {', '.join(again)}"
    for found in agreements:
        if not found.model:
            yield _agreement(found)


def _agreement(found: Agreement) -> str:
    percent, alpha = found.percent, found.alpha
    who = f"{found.a} and the same asked again" if found.role == "retest" else f"{found.a} and {found.b} ({found.role})"
    if percent.value is None:
        return f"{found.stage}: {who} have no readable verdict in common"
    ends = "" if percent.low is None or percent.high is None else f" ({percent.low:.1f}–{percent.high:.1f})"
    words = f"{found.stage}: {who} agree on {percent.value:.1f}%{ends} of {found.n} answers"
    if alpha.value is None:
        return f"{words}; alpha is undefined, since only one verdict occurs"
    ends = "" if alpha.low is None or alpha.high is None else f" ({alpha.low:.2f}–{alpha.high:.2f})"
    return f"{words}, Krippendorff's alpha {alpha.value:.2f}{ends}"
