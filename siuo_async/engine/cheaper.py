"""Ways to pay less for a plan, each with the flag to type, what it saves, and what it costs in precision. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import floor

from siuo_async.benchmarks.base import GENERATE
from siuo_async.config import Price
from siuo_async.engine.reckoned import Part, costs_together
from siuo_async.stats.intervals import wilson
from siuo_async.values import Json

_MOST_JUDGES = 2
_SHARE = 1 / 3
"""Of the samples that a second opinion is asked on."""
_WORTH_IT = 0.7
"""Of what the judge costs: a smaller saving is no reason to take another one."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to pay less."""

    flag: str
    words: str
    saves_usd: float
    """Expected."""
    cost_usd: float
    """Expected, of the whole plan then."""
    precision: str
    """What is lost."""

    def as_json(self) -> dict[str, Json]:
        """For `--json`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Check:
    """Whoever gives second opinions."""

    model: str
    """As the user names it."""
    full_name: str
    share: float


@dataclass(frozen=True, slots=True)
class Situation:
    """What the ways start from."""

    parts: Sequence[Part]
    samples: int
    """Asked of each model."""
    left: int
    """Of them all, those that still need calls, over all models."""
    answers: int
    fewer_answers: bool
    """Whether the benchmark takes `--answers`."""
    judge: str | None
    """As the user named it."""
    judge_full_name: str
    judge_needed: bool
    budget_usd: float
    """What is left of it."""
    check: Check | None = None
    """Who gives second opinions."""


def half_width(samples: int) -> float:
    """Of the Wilson 95% interval where half of so many samples are for it, in points: the widest there is."""
    low, high = wilson(samples / 2, samples) if samples else (0.0, 1.0)
    return 50 * (high - low)


def ways(now: Situation, cheaper_judges: Callable[[], Sequence[tuple[str, Price]]]) -> list[Way]:
    """Those that save something, the largest saving first; none where a price is unknown.

    Args:
        cheaper_judges: other models of the judge's provider with their prices; only asked where there is a judge.
    """
    whole = costs_together(now.parts)
    if whole is None or not whole.expected:
        return []
    found = [*_fewer_samples(now, whole.expected), *_fewer_answers(now, whole.expected), *_without_verdicts(now, whole.expected)]
    found += _fewer_opinions(now, whole.expected)
    if now.judge:
        found += _other_judge(now, whole.expected, cheaper_judges())
    found += _fewer_models(now, whole.expected)
    return sorted((way for way in found if way.saves_usd > 0), key=lambda way: -way.saves_usd)


def _fewer_samples(now: Situation, cost: float) -> list[Way]:
    """As many as the budget holds; what is finished costs nothing, and the first of the order are finished first."""
    models = max(1, len({part.model for part in now.parts}))
    left = now.left / models
    if not left:
        return []
    limit = floor(now.samples - left + left * min(1.0, now.budget_usd / cost))
    if not 0 < limit < now.samples:
        return []
    then = cost * (limit - (now.samples - left)) / left
    lost = f"95% interval ±{half_width(limit):.1f} points instead of ±{half_width(now.samples):.1f}"
    return [Way(f"--limit {limit}", f"{limit} of {now.samples} samples, balanced over categories", cost - then, then, lost)]


def _fewer_answers(now: Situation, cost: float) -> list[Way]:
    if not now.fewer_answers:
        return []
    found = []
    for answers in range(1, now.answers):
        kept = answers / now.answers
        saved = 0.0
        for part in now.parts:
            assert part.cost is not None
            once = part.calls < part.answers  # one call gives several answers, so its input is paid all the same
            output = _output_usd(part)
            saved += (1 - kept) * (output if part.stage == GENERATE and once else part.cost.expected)
        lost = "each sample is decided by one answer, no vote" if answers == 1 else f"each sample is decided by {answers} answers"
        found.append(Way(f"--answers {answers}", f"{answers} of {now.answers} answers per sample", saved, cost - saved, lost))
    return found


def _output_usd(part: Part) -> float:
    """What of a part's cost is for output."""
    return part.output.expected * part.price.output / 10**6 if part.price else 0.0


def _without_verdicts(now: Situation, cost: float) -> list[Way]:
    saved = _judging_usd(now)
    if not now.judge or not now.judge_needed or not saved:
        return []
    return [
        Way("--no-judge", "answers now, verdicts later with `siuo judge RUN`", saved, cost - saved, "no score until they are judged")
    ]


def _fewer_opinions(now: Situation, cost: float) -> list[Way]:
    """A share of them tells nearly as much of how far two judges agree."""
    if now.check is None or now.check.share <= _SHARE:
        return []
    checks = [part for part in now.parts if part.full_name == now.check.full_name and part.stage != GENERATE]
    saved = sum(part.cost.expected for part in checks if part.cost) * (1 - _SHARE / now.check.share)
    fewer, before = (share * now.samples for share in (_SHARE, now.check.share))
    lost = f"how far the judges agree is told from {fewer:.0f} samples, not {before:.0f}; no score changes"
    return [Way(f"--check-judge {now.check.model}:1/3", "second opinions on a third of the samples", saved, cost - saved, lost)]


def _judging_usd(now: Situation) -> float:
    return sum(part.cost.expected for part in now.parts if part.stage != GENERATE and part.cost is not None)


def _other_judge(now: Situation, cost: float, others: Sequence[tuple[str, Price]]) -> list[Way]:
    """The dearest of the cheaper ones, being likely the best, and the dearest with which the budget suffices."""
    judging = [part for part in now.parts if part.stage != GENERATE and part.full_name == now.judge_full_name]
    before = sum(part.cost.expected for part in judging if part.cost is not None)
    costs = []
    for name, price in others:
        each = [part.costs(price) for part in judging]
        costs.append((sum(found.expected for found in each if found is not None), name))
    cheaper = sorted((found for found in costs if found[0] < before), reverse=True)
    fitting = [found for found in cheaper if cost - before + found[0] <= now.budget_usd]
    worth_it = [found for found in cheaper if found[0] <= _WORTH_IT * before]
    chosen = list(dict.fromkeys([*worth_it[:1], *fitting[:1]]))[:_MOST_JUDGES]
    lost = "another judge measures something else; compare only what one judge judged"
    return [Way(f"--judge {name}", f"{name} judges", saved := before - usd, cost - saved, lost) for usd, name in chosen]


def _fewer_models(now: Situation, cost: float) -> list[Way]:
    labels = list(dict.fromkeys(part.model for part in now.parts))
    if len(labels) < 2:
        return []
    by_model = {label: sum(part.cost.expected for part in now.parts if part.model == label and part.cost) for label in labels}
    label = max(by_model, key=lambda each: by_model[each])
    saved = by_model[label]
    others = "the other" if len(labels) == 2 else "the others"
    return [Way(f"without -m {label}", f"{others} only", saved, cost - saved, f"{label} is not measured")]
