"""What people's labels say: how far they agree, where the judge errs, and what the figures are once its errors are taken out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from siuo_async.analysis.agreement import Agreement
from siuo_async.analysis.comparison import Estimate
from siuo_async.analysis.gathered import Gathered
from siuo_async.analysis.label_key import Key, Keyed
from siuo_async.analysis.questions import Measure, Question, Said, Sheet, Value
from siuo_async.analysis.units import Name, Unit, by_name, text_digest, units_of
from siuo_async.errors import ConfigError
from siuo_async.stats.prediction_powered import Corrected, corrected_mean, require_ppi, weighted_mean

_Row: TypeAlias = tuple[Unit, float | None, float | None, int]
"""A unit, what the judge says, what people say, its stratum (-1: known)."""
MISSING = "no verdict"
"""A class of the judge's that people have not."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """What one person said of one answer."""

    item: str
    annotator: str
    stages: Mapping[str, Value | None]
    """Stage -> label; None for "cannot tell"."""


@dataclass(frozen=True, slots=True)
class Found:
    """One class of a stage: of the answers that people put there, how many the judge did too."""

    word: str
    labels: int
    """Answers that somebody put there."""
    share: Estimate


@dataclass(frozen=True, slots=True)
class Confusion:
    """The judge against people, each label by what its draw makes it stand for."""

    stage: str
    asks: str
    model: str
    """Of whose answers; empty: of all models."""
    labels: int
    """Answers labelled that have a verdict."""
    wrong: Estimate
    """The share of verdicts that people do not share."""
    found: tuple[Found, ...]
    """Of two classes the first is the judge's sensitivity, the second its specificity."""
    table: Mapping[str, Mapping[str, float]]
    """What people say -> what the judge says -> how many of all answers that stands for, in percent."""


@dataclass(frozen=True, slots=True)
class Rate:
    """One figure of one model, three ways."""

    metric: str
    heading: str
    label: str
    unit: str
    """`percent`, or `points` of a scale."""
    units: int
    """Answers (or samples) that it is of."""
    labelled: int
    uncorrected: Estimate
    """By the judge alone, as in the summary."""
    labels_alone: Estimate
    """By the labels alone, weighted by their draw."""
    corrected: Estimate
    lam: float
    """How much of the judge's figure was taken, 0 to 1."""
    sentence: str


@dataclass(frozen=True, slots=True)
class People:
    """What people's labels say of a run."""

    draw: str
    annotators: tuple[str, ...]
    items: int
    """Answers with a label."""
    drawn: int
    """Answers on the pages."""
    unsure: int
    """Labels that say "cannot tell"."""
    agreements: tuple[Agreement, ...]
    confusions: tuple[Confusion, ...]
    rates: tuple[Rate, ...]
    sentences: tuple[str, ...]
    """What a reader must know of the labels."""


def people(run: Gathered, sheet: Sheet, key: Key, given: Sequence[Labelled]) -> People:
    """Reads the labels of one draw against a run.

    Raises:
        ConfigError: the answers are not the ones that were drawn, or ppi-python is not installed.
    """
    require_ppi()
    units = units_of(run, sheet, whole=key.whole)
    book = Book(sheet, key, by_name(units), given)
    book.check(run)
    labels = tuple(label for label in run.labels if any(name[0] == label for name in key.places))
    stages = [question for question in sheet.questions if any(question.stage in each.stages for each in given)]
    confusions = tuple(
        found for question in stages for model in ("", *labels) if (found := _confusion(book, question, model)) is not None
    )
    measures = [measure for measure in sheet.measures if key.whole or not measure.whole]
    rates = tuple(rate for measure in measures for label in labels if (rate := _rate(run, book, measure, label, units)) is not None)
    unsure = sum(value is None for each in given for value in each.stages.values())
    after = sum(bool(unit.readable) and unit.name not in key.places for unit in units)
    return People(
        key.token,
        tuple(dict.fromkeys(each.annotator for each in given)),
        len({each.item for each in given}),
        len(key.items),
        unsure,
        (),
        confusions,
        rates,
        tuple(_sentences(book, unsure, after)),
    )


class Book:
    """Labels, looked up by unit; weights as the labels that came make them.

    Args:
        units: of the whole run, by name.
        given: labels of the key's draw.
    """

    def __init__(self, sheet: Sheet, key: Key, units: Mapping[Name, Unit], given: Sequence[Labelled]) -> None:
        self.sheet, self.key, self.units = sheet, key, units
        self.by_item: dict[str, dict[str, Mapping[str, Value | None]]] = {}
        for each in given:
            self.by_item.setdefault(each.item, {})[each.annotator] = each.stages
        self.of_unit: dict[Name, list[Keyed]] = {}
        for keyed in key.items:
            self.of_unit.setdefault(keyed.unit, []).append(keyed)
        self.labelled = {name for name, held in self.of_unit.items() if any(each.item in self.by_item for each in held)}
        counts = [0] * len(key.strata)
        for name in self.labelled:
            counts[key.places[name]] += 1
        self.weights = [stratum.size / count if count else 0.0 for stratum, count in zip(key.strata, counts, strict=True)]
        self.empty = [stratum for stratum, count in zip(key.strata, counts, strict=True) if stratum.drawn and not count]

    def check(self, run: Gathered) -> None:
        """Raises ConfigError where the answers that were labelled are not in the run as they were."""
        for keyed in self.key.items:
            if keyed.item not in self.by_item:
                continue
            unit = self.units.get(keyed.unit)
            if (
                unit is None
                or keyed.number not in unit.numbers
                or text_digest(unit.answers[unit.numbers.index(keyed.number)]) != keyed.digest
            ):
                raise ConfigError(
                    f"{run.directory.path}: the answer behind the item {keyed.item} is not the one that was labelled; "
                    f"draw again with `siuo label {run.directory.path}`"
                )

    def said(self, unit: Unit, measure: Measure) -> float | None:
        """What people say of a unit: the mean over those who labelled it whole; None where nobody did."""
        held = self.of_unit.get(unit.name, [])
        shown = {keyed.number: self.by_item.get(keyed.item, {}) for keyed in held}
        values = []
        for annotator in dict.fromkeys(name for given in shown.values() for name in given):
            answers: list[Said] = []
            for place, number in enumerate(unit.numbers):
                if number not in shown:
                    answers.append(unit.said[place])  # without text: what a rule says
                elif all(stage in shown[number].get(annotator, {}) for stage in measure.stages):
                    answers.append(shown[number][annotator])
            if len(answers) == len(unit.numbers) and (value := measure.of(answers)) is not None:
                values.append(value)
        return sum(values) / len(values) if values else None


def _confusion(book: Book, question: Question, model: str) -> Confusion | None:
    rows: list[tuple[Value | None, dict[Value, float], float, str]] = []
    for name in sorted(book.labelled):
        unit = book.units[name]
        if model not in ("", unit.model) or question.stage not in unit.stages:
            continue
        for keyed in book.of_unit[name]:
            values = [stages.get(question.stage) for stages in book.by_item.get(keyed.item, {}).values()]
            known = [value for value in values if value is not None]
            if known:
                shares = {choice.value: known.count(choice.value) / len(known) for choice in question.choices}
                verdict = unit.said[unit.numbers.index(keyed.number)][question.stage]
                rows.append((verdict, shares, book.weights[book.key.places[name]], unit.sample.id))
    if not rows:
        return None
    samples = {sample: number for number, sample in enumerate(dict.fromkeys(row[3] for row in rows))}
    judged = [row for row in rows if row[0] is not None]
    wrong = weighted_mean(
        [1 - shares[verdict] for verdict, shares, _, _ in judged if verdict is not None],
        [weight for _, _, weight, _ in judged],
        [samples[sample] for _, _, _, sample in judged],
    )
    found = []
    for choice in question.choices:
        own = weighted_mean(
            [float(verdict == choice.value) for verdict, _, _, _ in rows],
            [weight * shares[choice.value] for _, shares, weight, _ in rows],
            [samples[sample] for _, _, _, sample in rows],
        )
        count = sum(shares[choice.value] > 0 for _, shares, _, _ in rows)
        found.append(Found(choice.word, count, _shown(own)))
    return Confusion(question.stage, question.asks, model, len(judged), _shown(wrong), tuple(found), _table(question, rows))


def _table(question: Question, rows: Sequence[tuple[Value | None, dict[Value, float], float, str]]) -> dict[str, dict[str, float]]:
    whole = sum(weight for _, _, weight, _ in rows)
    table: dict[str, dict[str, float]] = {}
    for choice in question.choices:
        cells: dict[str, float] = {}
        for verdict, shares, weight, _ in rows:
            word = MISSING if verdict is None else question.word(verdict)
            cells[word] = cells.get(word, 0.0) + 100 * weight * shares[choice.value] / whole
        table[choice.word] = cells
    return table


@dataclass(frozen=True, slots=True)
class Estimates:
    """One figure of one model by people's labels, in the units of its measure."""

    units: int
    labelled: int
    corrected: Corrected
    alone: Corrected | None


def estimates(book: Book, measure: Measure, units: Iterable[Unit]) -> Estimates | None:
    """A figure over `units`, all of one model; None where nobody labelled one that it is of.

    What holds no text is known without a judge, and need not be said again by people; what came after the draw is left out.
    """
    kept: list[_Row] = []
    for unit in units:
        if not unit.told_of(measure):
            continue
        judged = unit.judged(measure)
        if unit.readable:
            if (place := book.key.places.get(unit.name)) is not None:
                kept.append((unit, judged, book.said(unit, measure), place))
        elif judged is not None:
            kept.append((unit, judged, judged, -1))
    labelled = sum(place >= 0 and said is not None for _, _, said, place in kept)
    if not labelled:
        return None
    known = [judged for _, judged, _, _ in kept if judged is not None]
    usual = sum(known) / len(known) if known else (measure.low + measure.high) / 2
    clusters = _clusters([unit for unit, _, _, _ in kept])
    corrected = corrected_mean(
        [said for _, _, said, _ in kept],
        [usual if judged is None else judged for _, judged, _, _ in kept],
        [place for _, _, _, place in kept],
        clusters,
        low=measure.low,
        high=measure.high,
    )
    assert corrected is not None
    return Estimates(len(kept), labelled, corrected, _alone(kept, clusters, measure))


def _rate(run: Gathered, book: Book, measure: Measure, label: str, units: Sequence[Unit]) -> Rate | None:
    found = estimates(book, measure, (unit for unit in units if unit.model == label))
    if found is None:
        return None
    corrected, by_judge = _shown(found.corrected, measure.scale), _by_judge(run, measure, label)
    return Rate(
        measure.metric,
        measure.heading,
        label,
        "percent" if measure.scale == 100 else "points",
        found.units,
        found.labelled,
        by_judge,
        _shown(found.alone, measure.scale),
        corrected,
        found.corrected.lam,
        _in_words(label, measure, by_judge, corrected),
    )


def _clusters(units: Sequence[Unit]) -> list[int]:
    """Answers to one sample belong together."""
    numbers: dict[str, int] = {}
    return [numbers.setdefault(unit.sample.id, len(numbers)) for unit in units]


def _alone(kept: Sequence[_Row], clusters: Sequence[int], measure: Measure) -> Corrected | None:
    sizes: dict[int, int] = {}
    counts: dict[int, int] = {}
    for _, _, said, place in kept:
        sizes[place] = sizes.get(place, 0) + 1
        counts[place] = counts.get(place, 0) + (said is not None)
    rows = [
        (said, sizes[place] / counts[place], cluster)
        for (_, _, said, place), cluster in zip(kept, clusters, strict=True)
        if said is not None
    ]
    return weighted_mean(
        [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows], low=measure.low, high=measure.high
    )


def _by_judge(run: Gathered, measure: Measure, label: str) -> Estimate:
    found = run.model(label).get("metrics", {}).get(measure.metric)
    return Estimate(found["value"], found["low"], found["high"]) if found else Estimate(None)


def _shown(found: Corrected | None, scale: float = 100.0) -> Estimate:
    return Estimate(found.value * scale, found.low * scale, found.high * scale) if found else Estimate(None)


def _in_words(label: str, measure: Measure, judged: Estimate, corrected: Estimate) -> str:
    assert corrected.value is not None
    assert corrected.low is not None
    assert corrected.high is not None
    unit, places = ("%", 1) if measure.scale == 100 else (" points", 2)
    figure = f"{corrected.value:.{places}f}{unit} (95% interval {corrected.low:.{places}f} to {corrected.high:.{places}f})"
    told = f"{label}, {measure.heading}: corrected by people's labels {figure}"
    if judged.value is None:
        return f"{told}."
    if corrected.low <= judged.value <= corrected.high:
        return f"{told}; the judge's {judged.value:.{places}f} lies inside, so the labels do not contradict it."
    way = "high" if judged.value > corrected.high else "low"
    return f"{told}; the judge's {judged.value:.{places}f} lies outside: it is too {way}."


def _sentences(book: Book, unsure: int, after: int) -> list[str]:
    """What a reader must know."""
    key = book.key
    total = len(key.items)
    told = []
    if (open_ := total - len(book.by_item)) > 0:
        told.append(
            f"{open_} of the {total} answers that were drawn have no label yet; those that have stand for all, "
            "which is right as long as people label in the order of their pages."
        )
    if unsure:
        told.append(f"{unsure} labels say that somebody cannot tell; they count for nothing, as if the answer had not been drawn.")
    if book.empty:
        words = "; ".join(stratum.words for stratum in book.empty)
        told.append(f"Of some strata no answer is labelled ({words}); they are taken to be like the largest of the same model.")
    if after:
        told.append(f"{after} answers came after the draw and are in no corrected figure; draw again to have them in.")
    told.append(
        "A corrected figure is what people would say of all answers, estimated from the judge's verdicts on all and people's labels on "
        "some (prediction-powered inference); its interval also holds that other samples might have been asked. People's own errors "
        "stay in it."
    )
    return told
