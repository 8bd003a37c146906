"""What a comparison says in words: one sentence per pair, what to take home of a metric, and how all of it was made.

Plain text with labels as they are; who shows it makes it harmless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from siuo_async.analysis.comparison import Estimate, MetricComparison, Pair, Standing
from siuo_async.analysis.gathered import Gathered
from siuo_async.benchmarks.counting import MOST_UNDECIDED

LEVEL: Final = 0.05
_FEW_PAIRS: Final = 3
_FEW_BOUNDS: Final = 3
"""Models whose bounds are told one by one."""
_BETTER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "safety_rate": "is safer than",
        "safe": "is safer than",
        "refusal_rate": "refuses harmless requests less often than",
        "safe_and_effective": "is safe and effective more often than",
        "effective": "is effective more often than",
        "accuracy": "is right more often than",
        "co": "is right more often than",
    }
)
"""How the better model of a pair stands to the other."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What sentences about one metric need to know."""

    metric: str
    heading: str
    higher_is_better: bool
    answers: int
    """Over which differences are means; 1 where they are of single scores or votes."""
    scale: tuple[int, int] | None
    simulated: bool
    partial: bool
    own: bool = False
    """Whether the benchmark is somebody's own, so that a metric's name says nothing of what it is."""

    @property
    def better(self) -> str:
        """As in "A is safer than B"."""
        if not self.own and self.metric in _BETTER:
            return _BETTER[self.metric]
        return self.ahead

    @property
    def ahead(self) -> str:
        """The same of any metric."""
        return f"is ahead in {self.heading} of" if self.higher_is_better else f"is lower, which is better, in {self.heading} than"

    @property
    def places(self) -> int:
        """Decimals of figures and differences."""
        return 2 if self.scale else 1

    @property
    def points(self) -> str:
        """What differences are in."""
        return f"points of the scale from {self.scale[0]} to {self.scale[1]}" if self.scale else "points"

    def shown(self, value: float) -> str:
        """A figure, or a difference; never a minus before what is shown as nothing."""
        return f"{value:z.{self.places}f}"

    @property
    def warned(self) -> str:
        """What each sentence must not be quoted without."""
        words = ["SIMULATED (measures nothing)"] if self.simulated else []
        words += ["PARTIAL"] if self.partial else []
        return f"{', '.join(words)}: " if words else ""

    @property
    def percent(self) -> str:
        """What follows a figure."""
        return "" if self.scale else "%"


def p_words(p: float) -> str:
    """A p-value as a reader wants it: `p = 0.03`, `p = 0.004`, `p < 0.001`."""
    if p < 0.001:
        return "p < 0.001"
    digits = 3 if p < 0.01 or 0.045 <= p < 0.055 else 2
    return f"p = {p:.{digits}f}"


def pair_sentence(words: Wording, pair: Pair, tests: int) -> str:
    """A pair in words; the better model is named first.

    Args:
        tests: how many pairs of this metric are tested.
    """
    value = pair.difference.value
    if value is None:
        return f"{words.warned}{pair.a} and {pair.b} share {_counted(pair.n, 'decided sample')}, too few to compare."
    turned = (value < 0) == words.higher_is_better and value != 0
    best, other = (pair.b, pair.a) if turned else (pair.a, pair.b)
    low, high = (pair.difference.low or 0.0), (pair.difference.high or 0.0)
    low, high = (low, high) if value >= 0 else (-high, -low)
    evidence = [f"95% interval {words.shown(low)} to {words.shown(high)}"]
    if pair.p_adjusted is not None:
        evidence.append(p_words(pair.p_adjusted) + (f" after Holm over {tests} pairs" if tests > 1 else ""))
    evidence.append(f"{pair.n} samples")
    if words.answers > 1:
        evidence.append(f"means over {words.answers} answers")
    shown = f"{words.shown(abs(value))} {words.points} ({', '.join(evidence)})"
    if pair.p_adjusted is None:
        return f"{words.warned}{best} {words.ahead} {other} by {shown}; not tested."
    if pair.p_adjusted < LEVEL:
        at_odds = "; the test tells them apart, while the interval, the more cautious of the two, also holds 0" if low <= 0 else ""
        return f"{words.warned}{best} {words.better} {other} by {shown}{at_odds}."
    visible = pair.smallest_visible
    seen = (
        "no difference could have been seen with so few"
        if visible is None
        else f"a difference of {words.shown(visible)} points would have been seen"
    )
    return f"{words.warned}{best} and {other} cannot be told apart in {words.heading}: {shown}; {seen} (power 80%)."


def metric_sentences(
    words: Wording, compared: MetricComparison, rates: Mapping[str, Mapping[str, Any]], finished: Mapping[str, int]
) -> tuple[str, ...]:
    """What a reader should take home of one metric, most important first.

    Args:
        rates: the metric in each model's summary.
        finished: samples of each model that are not pending.
    """
    told: list[str] = []
    if words.simulated:
        told.append("SIMULATED: answers or verdicts were made up by the simulator, so these figures measure nothing.")
    if words.partial:
        told.append("PARTIAL: the run is not complete, and what is pending may change figures and order.")
    undecided = [standing for standing in compared.standings if 100 * standing.undecided > MOST_UNDECIDED * finished[standing.label]]
    if len(undecided) > _FEW_BOUNDS:
        told.append(
            f"{len(undecided)} of {len(compared.standings)} models have more than {MOST_UNDECIDED:g}% undecided in "
            f"{words.heading}, so their bounds are the headline; pairs are compared without these samples."
        )
    else:
        told += [_bounds(words, standing, rates[standing.label], finished[standing.label]) for standing in undecided]
    if compared.tested:
        told += _leading(words, compared)
    few = compared.reference is not None or len(compared.pairs) <= _FEW_PAIRS
    if compared.tested and few:
        told += [pair.sentence for pair in compared.pairs]
    return tuple(told)


def _bounds(words: Wording, standing: Standing, rate: Mapping[str, Any], finished: int) -> str:
    worst, best = rate.get("worst"), rate.get("best")
    bounds = f": {words.shown(worst)} to {words.shown(best)}{words.percent}" if worst is not None and best is not None else ""
    return (
        f"{standing.label}: {standing.undecided} of {finished} finished samples ({100 * standing.undecided / finished:.1f}%) are "
        f"undecided in {words.heading}, so its bounds are the headline{bounds}; pairs are compared without them."
    )


def _leading(words: Wording, compared: MetricComparison) -> list[str]:
    """Who is first, and of whom that cannot be said with certainty."""
    known = [standing for standing in compared.standings if standing.value.value is not None]
    if not known:
        return []
    first = known[0]
    shown = f"{first.label} has {_figure(words, first.value)} in {words.heading}"
    if len(compared.standings) == 1:
        return [f"{words.warned}{shown} ({first.n} samples); there is no other model to compare it with."]
    if compared.reference is not None or len(known) < 3:
        ties = [each.label for each in known[1:] if each.rank == first.rank]
        best = "highest" if words.higher_is_better else "lowest"
        place = f"and so has {_listed(ties)}" if ties else f"the {best} of {len(compared.standings)} models"
        return [f"{words.warned}{shown}, {place}."]
    if better := _found_better(words, compared.pairs, first.label):
        return [f"{words.warned}{shown}, yet {_listed(better)} is ahead of it on the samples that both decided."]
    equal = [each.label for each in known[1:] if set(_split(each.letters)) & set(_split(first.letters))]
    others = len(known) - 1
    if not first.letters:
        return []
    if not equal:
        return [f"{words.warned}{shown} and is ahead of all {others} others."]
    apart = others - len(equal)
    rest = f"; it is ahead of the other {apart}" if apart > 1 else f"; it is ahead of {_last(known)}" if apart else ""
    return [f"{words.warned}{shown} but cannot be told apart from {_listed(equal)}{rest}."]


def _found_better(words: Wording, pairs: Sequence[Pair], label: str) -> list[str]:
    """Models that the test finds better than this one, which the order of figures over unlike samples need not follow."""
    found = []
    for pair in pairs:
        told = pair.p_adjusted is not None and pair.p_adjusted < LEVEL and pair.difference.value
        if told and label in (pair.a, pair.b):
            best = pair.a if (told > 0) == words.higher_is_better else pair.b
            found += [best] if best != label else []
    return found


def _last(known: Sequence[Standing]) -> str:
    letters = set(_split(known[0].letters))
    return next(each.label for each in known[1:] if not set(_split(each.letters)) & letters)


def _split(letters: str) -> list[str]:
    """Letters one by one; `(aa)` is one."""
    found, inside = [], ""
    for letter in letters:
        if inside or letter == "(":
            inside += letter
            if letter == ")":
                found.append(inside)
                inside = ""
        else:
            found.append(letter)
    return found


def _figure(words: Wording, value: Estimate) -> str:
    if value.value is None:
        return "no figure"
    ends = "" if value.low is None or value.high is None else f" (95% interval {words.shown(value.low)} to {words.shown(value.high)})"
    return f"{words.shown(value.value)}{words.percent}{ends}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _counted(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def not_in_interval(run: Gathered, primary: MetricComparison) -> tuple[str, ...]:
    """What the intervals do not hold, one sentence each."""
    told = []
    if run.plan.judge is not None or run.plan.panel:
        told.append(
            "The judge's own errors: another judge, or people, may read the same answers otherwise; how far judges agree, or labels by "
            "people, say by how much."
        )
    told.append(
        "Another day: what a provider changes behind a model's name is in no interval, which speak of the models as they were served "
        f"during the run. {_draws(run, primary)}"
    )
    told.append(
        "The choice of samples: the intervals speak of more samples of the same kind, not of other risks, languages or ways of asking."
    )
    return tuple(told)


def _draws(run: Gathered, primary: MetricComparison) -> str:
    known = [(standing.label, standing.draw_sd) for standing in primary.standings if standing.draw_sd is not None]
    if known:
        sizes = ", ".join(f"{label} {size:.1f}" for label, size in known)
        return (
            f"Mere chance in another draw of answers to the same samples is in them; it would by itself move {primary.heading} by some"
            f" points (one standard deviation, from the {run.plan.benchmark.answers} answers of each sample): {sizes}."
        )
    return (
        "Mere chance in another draw of answers to the same samples is in them, but how large that part is cannot be told from one "
        "scored answer each."
    )


def method_words(run: Gathered, metrics: Sequence[MetricComparison], clusters: int) -> str:
    """How intervals and tests were made, in a paragraph for a methods section."""
    pairs = [pair for metric in metrics if metric.tested for pair in metric.pairs]
    told = [
        "Rates of samples are given with Wilson 95% intervals (Wilson 1927)"
        + (
            "; means over several answers with Wilson intervals at the effective sample size (Kish 1965) that a bootstrap of samples "
            "within categories gives (Rao and Wu 1988)."
            if any(standing.per_answer for metric in metrics for standing in metric.standings)
            else "."
        )
    ]
    if any(pair.difference.value is not None for pair in pairs):
        told.append(
            "Models were compared in pairs on the samples that both decided. Intervals of differences are those of Bonett and Price "
            "(2012), with the variance estimated within categories"
            + (
                f" and over {clusters} clusters of samples that share a picture, a question or a source named by the data."
                if clusters < len(run.items)
                else "."
            )
        )
    told += _tests(metrics, pairs)
    return " ".join(told)


def _tests(metrics: Sequence[MetricComparison], pairs: Sequence[Pair]) -> list[str]:
    used = {pair.method for pair in pairs}
    told = []
    if "permutation" in used:
        what = "means over the answers of each sample" if any(pair.of_answers for pair in pairs) else "scores"
        told.append(f"Differences of {what} were tested with the two-sided paired permutation test (Fisher 1935).")
    if "mcnemar" in used:
        told.append("Votes were tested with the two-sided mid-p McNemar test (Fagerland et al. 2013).")
    if not told:
        return told
    if reference := metrics[0].reference:
        told.append(f"p-values were adjusted by Holm's method (1979) over the comparisons with {reference}, for each metric by itself.")
    elif any(len(metric.pairs) > 1 for metric in metrics if metric.tested):
        told.append(
            "p-values were adjusted by Holm's method (1979) over all pairs of a metric; models that share a letter do not differ at "
            "the 5% level (Piepho 2004)."
        )
    tested = [metric.heading for metric in metrics if metric.tested]
    told.append(f"Tested: {_listed(tested)}; other metrics and categories have intervals alone.")
    return told
