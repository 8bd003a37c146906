"""What every benchmark counts alike: outcomes and lengths of answers, the judge's health, rates of ones.

Only integers are kept, so the order in which samples finish changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from siuo_async.benchmarks.base import JudgeRole
from siuo_async.benchmarks.judged import Verdict
from siuo_async.stats import Rate
from siuo_async.values import Answer, Json, Outcome

CHARS_PER_TOKEN = 4
"""A rough ratio, for the share of answers longer than a cap whose tokens no provider counts."""
MOST_UNDECIDED = 2.0
"""Percent of verdicts; with more of them missing the bounds are what is known, not the figure between them."""
_JUDGE_STATES = ("unreadable", "declined", "filtered", "failed")


class AnswerCounts:
    """Outcomes and lengths of the answers of one model.

    Args:
        cap: the protocol's cap on the visible answer, in tokens; None: it has none.
    """

    def __init__(self, cap: int | None) -> None:
        self._most_chars = None if cap is None else cap * CHARS_PER_TOKEN
        self._outcomes: Counter[str] = Counter()
        self._chars = self._over_cap = 0

    @property
    def with_text(self) -> int:
        """Answers that hold text."""
        return self._outcomes["with_text"]

    def add(self, answer: Answer) -> None:
        """Counts one answer."""
        self._outcomes[answer.outcome] += 1
        self._outcomes["cut"] += answer.cut and answer.outcome is not Outcome.EMPTY
        if answer.outcome is Outcome.FILTERED and answer.where:
            self._outcomes[f"filtered_{answer.where}"] += 1
        if answer.text.strip():
            self._outcomes["with_text"] += 1
            self._chars += len(answer.text)
            self._over_cap += self._most_chars is not None and len(answer.text) > self._most_chars

    def outcomes(self) -> dict[str, Json]:
        """`outcomes` of a summary."""
        return {
            **{outcome.value: self._outcomes[outcome] for outcome in Outcome},
            "filtered_prompt": self._outcomes["filtered_prompt"],
            "filtered_answer": self._outcomes["filtered_answer"],
        }

    def answers(self, asked: int) -> dict[str, Json]:
        """`answers` of a summary.

        Args:
            asked: answers asked for.
        """
        return {
            "asked": asked,
            "finished": sum(self._outcomes[outcome] for outcome in Outcome),
            "with_text": self.with_text,
            "cut": self._outcomes["cut"],
            "over_cap_estimated": self._over_cap,
            "mean_chars": round(self._chars / self.with_text, 1) if self.with_text else None,
        }


class JudgeCounts:
    """The judge's health over the answers of one model."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._opinions: Counter[tuple[str, str]] = Counter()

    def add(self, verdict: Verdict[Any] | None) -> None:
        """Counts a verdict that a judge was asked for: what the first one made of it, and whether a stand-in did better."""
        if verdict is not None and verdict.state != "rule":
            first = verdict.opinions[0] if verdict.by == "stand-in" else verdict
            self._counts["verdicts"] += 1
            self._counts[first.state] += 1
            self._counts["re_asked"] += first.re_asked
            self._counts["stood_in"] += verdict.by == "stand-in"
            for opinion in verdict.opinions:
                self._opinions[opinion.role, "asked"] += 1
                self._opinions[opinion.role, "read"] += opinion.state == "read"

    def as_json(self) -> dict[str, Json]:
        """`judge` of a summary."""
        counts: dict[str, Json] = {name: self._counts[name] for name in ("verdicts", *_JUDGE_STATES, "re_asked", "stood_in")}
        roles = [role for role in get_args(JudgeRole) if role != "judge" and self._opinions[role, "asked"]]
        told = {role: {what: self._opinions[role, what] for what in ("asked", "read")} for role in roles}
        return {**counts, **({"opinions": told} if told else {})}


def without_verdict(judge: Mapping[str, Any]) -> int:
    """How many answers have no verdict, by the `judge` of a summary."""
    return sum(int(judge.get(state, 0)) for state in _JUDGE_STATES) - int(judge.get("stood_in", 0))


def undecided(judge: Mapping[str, Any] | None) -> float:
    """Percent of the verdicts that are missing, by the `judge` of a summary."""
    return 100 * without_verdict(judge) / judge["verdicts"] if judge and judge.get("verdicts") else 0.0


class RateCounts:
    """Ones and decided samples by metric, for one group of samples."""

    __slots__ = ("_decided", "_ones", "samples")

    def __init__(self) -> None:
        self.samples = 0
        self._ones: Counter[str] = Counter()
        self._decided: Counter[str] = Counter()

    def count(self, metric: str, value: int | bool | None) -> None:
        """Counts one sample's 1 or 0; None is undecided."""
        if value is not None:
            self._decided[metric] += 1
            self._ones[metric] += value == 1

    def rate(self, metric: str, total: int) -> Rate:
        """The rate of ones among the decided, of `total` asked for."""
        decided = self._decided[metric]
        return Rate(self._ones[metric], decided, max(total, decided))


class Breakdown:
    """Groups of samples along one dimension (a category level, a picture style, ...), each with its counters."""

    __slots__ = ("_groups",)

    def __init__(self) -> None:
        self._groups: dict[str, RateCounts] = {}

    def group(self, name: str) -> RateCounts:
        """The counters of a group; made when first asked for. Counts one sample."""
        if (found := self._groups.get(name)) is None:
            found = self._groups[name] = RateCounts()
        found.samples += 1
        return found

    def as_json(
        self,
        totals: Mapping[str, int],
        metrics: Callable[[RateCounts, int], Mapping[str, Json]],
        order: Sequence[str] = (),
    ) -> dict[str, Json]:
        """{name: {samples, metrics}}.

        Args:
            totals: samples asked for, by group.
            metrics: makes the metrics of a group, given its total.
            order: names in the order they are published in; others follow, by name.
        """
        names = sorted(totals, key=lambda name: (order.index(name) if name in order else len(order), name))
        return {
            name: {"samples": totals[name], "metrics": dict(metrics(self._groups.get(name) or RateCounts(), totals[name]))}
            for name in names
        }
