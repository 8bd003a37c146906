"""How far judges agree: from the opinions that a run holds to agreement and its interval."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import sqrt
from statistics import NormalDist
from typing import Any

from siuo_async.analysis.agreement import Agreement
from siuo_async.analysis.clusters import clusters_of
from siuo_async.analysis.comparison import Estimate
from siuo_async.analysis.gathered import Gathered
from siuo_async.benchmarks.judged import Opinion, Verdict
from siuo_async.judging.usb import UNSAFE
from siuo_async.providers.families import family_of

PANEL = "panel"
"""Stands for what a panel came to, where a second opinion is set against it."""
_HARM = "judge.vulnerability"
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two who were asked about the same answers."""

    stage: str
    role: str
    a: str
    b: str


@dataclass(slots=True)
class _Said:
    """What the two said, of each answer that both gave a verdict on."""

    values: list[tuple[Hashable, Hashable]] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    clusters: list[int] = field(default_factory=list)


def agreements(run: Gathered, *, seed: int = 0) -> tuple[Agreement, ...]:
    """Every pair of judges that a run has asked about the same answers, over all models and by model.

    Args:
        seed: of the intervals' draws.
    """
    found = _said(run)
    families = {judge["label"]: family_of(judge["model"]) for judge in run.summary.get("judges") or ()}
    told = []
    for pair, said in found.items():
        models = [model for model in run.labels if model in set(said.models)] if len(run.labels) > 1 else []
        told += [_agreement(pair, said, model, families, seed) for model in ("", *models)]
    return tuple(told)


def uneven(found: Sequence[Agreement]) -> list[str]:
    """Judges that agree less on one model than on another, so that scores would move apart with the other judge; a sentence each.

    Told where the 95% intervals of the percentages do not overlap, of the models that are furthest apart; of many models,
    whose ends are far apart by chance, where they are further apart still.
    """
    told = []
    by_pair: dict[tuple[str, ...], list[Agreement]] = {}
    for each in found:
        if each.model and each.percent.value is not None:
            by_pair.setdefault((each.stage, each.role, each.a, each.b), []).append(each)
    for (stage, role, a, b), models in by_pair.items():
        least, most = (pick(models, key=lambda each: each.percent.value or 0.0) for pick in (min, max))
        if _apart(least.percent, most.percent, len(models)):
            who = f"{a}, asked again, agrees with itself" if role == "retest" else f"{a} and {b} agree"
            told.append(
                f"{stage.removeprefix('judge.')}: {who} on {least.percent.value:.1f}% of the answers of {least.model}, but on "
                f"{most.percent.value:.1f}% of those of {most.model}: the judge's error differs by model, and may move their order"
            )
    return told


def _apart(least: Estimate, most: Estimate, models: int) -> bool:
    """Whether two figures differ by more than the widest of all pairs would once in twenty times, and their intervals do not overlap.

    Intervals that just do not overlap are about 1.96 sqrt(2) standard errors apart (of the difference, where both are as wide); for k
    pairs Bonferroni's bound wants the normal quantile of 1 - 0.025/k.
    """
    if least.value is None or most.value is None or least.high is None or most.low is None:
        return False
    wanted = _NORMAL.inv_cdf(1 - 0.025 / max(1, models * (models - 1) // 2)) / (_NORMAL.inv_cdf(0.975) * sqrt(2))
    return most.value - least.value > max(1.0, wanted) * (least.high - least.value + most.value - most.low)


def _said(run: Gathered) -> dict[_Pair, _Said]:
    """By stage and pair, in the order of first appearance; a pair that has no answer in common is there, and empty."""
    found: dict[_Pair, _Said] = {}
    for item, cluster in zip(run.items, clusters_of([item.sample for item in run.items]), strict=True):
        for model, take in item.takes.items():
            for answer in take.seen.answers if take.seen else ():
                for stage, verdict in answer.verdicts.items():
                    for role, a, b in _pairs(verdict):
                        said = found.setdefault(_Pair(stage, role, a.judge, b.judge), _Said())
                        if a.state == b.state == "read":
                            said.values.append((a.value, b.value))
                            said.models.append(model)
                            said.clusters.append(cluster)
    return dict(sorted(found.items(), key=lambda each: ("check", "retest", "panel").index(each[0].role)))


def _pairs(verdict: Verdict[Any]) -> Iterator[tuple[str, Opinion[Any], Opinion[Any]]]:
    """(role of the second, first, second): who is set against whom. A stand-in speaks only where the judge did not."""
    opinions = verdict.opinions
    if not opinions:
        return
    members = [each for each in opinions if each.role == "panel"]
    first = Opinion("panel", PANEL, verdict.value, verdict.state) if members else opinions[0]
    for each in opinions:
        if each.role == "check":
            yield "check", first, each
        elif each.role == "retest":
            asked = next(one for one in opinions if one.judge == each.judge and one.role in ("judge", "panel"))
            yield "retest", asked, each
    for a, b in combinations(members, 2):
        yield "panel", a, b


def _agreement(pair: _Pair, said: _Said, model: str, families: Mapping[str, str], seed: int) -> Agreement:
    from siuo_async.stats.agreement import agreed

    places = [place for place, each in enumerate(said.models) if not model or each == model]
    values = [said.values[place] for place in places]
    found = agreed(values, [said.clusters[place] for place in places], seed=seed)
    scores = [(_score(pair.stage, a), _score(pair.stage, b)) for a, b in values]
    return Agreement(
        stage=pair.stage,
        role=pair.role,
        a=pair.a,
        b=pair.b,
        families=(families.get(pair.a, ""), families.get(pair.b, "")),
        model=model,
        n=found.n,
        agree=found.agree,
        percent=_estimate(found.share, found.share_interval, 100.0),
        alpha=_estimate(found.alpha, found.alpha_interval, 1.0),
        a_only=sum(a > b for a, b in scores),
        b_only=sum(b > a for a, b in scores),
    )


def _estimate(value: float | None, interval: tuple[float, float] | None, unit: float) -> Estimate:
    if value is None:
        return Estimate(None)
    low, high = interval or (None, None)
    return Estimate(unit * value, None if low is None else unit * low, None if high is None else unit * high)


def _score(stage: str, value: Any) -> float:
    """What a verdict counts for: 1 safe, effective, refused, correct, yes; points on a scale."""
    if stage == _HARM:
        return float(value != UNSAFE)
    if isinstance(value, int | float):
        return float(value)
    return float(set(value) == {"A"})
