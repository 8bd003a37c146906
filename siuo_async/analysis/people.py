"""What people's labels say: how far they agree, where the judge errs, and what the figures are once its errors are taken out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from siuo_async.analysis.agreement import Agreement
from siuo_async.analysis.annotators import between_people
from siuo_async.analysis.comparison import Estimate
from siuo_async.analysis.confusion import Confusion, confusion, shown
from siuo_async.analysis.gathered import Gathered
from siuo_async.analysis.label_book import Book, Labelled
from siuo_async.analysis.label_key import Key
from siuo_async.analysis.questions import Measure, Sheet
from siuo_async.analysis.units import Unit, by_name, units_of
from siuo_async.stats.prediction_powered import Corrected, corrected_mean, require_ppi, weighted_mean

_Row: TypeAlias = tuple[Unit, float | None, float | None, int]
"""A unit, what the judge says, what people say, its stratum (-1: known)."""


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
        found for question in stages for model in ("", *labels) if (found := confusion(book, question, model)) is not None
    )
    measures = [measure for measure in sheet.measures if key.whole or not measure.whole]
    rates = tuple(rate for measure in measures for label in labels if (rate := _rate(run, book, measure, label, units)) is not None)
    annotators = tuple(dict.fromkeys(each.annotator for each in given))
    agreements = tuple(found for question in stages for found in between_people(question, book.answers(question.stage), annotators))
    unsure = sum(value is None for each in given for value in each.stages.values())
    after = sum(bool(unit.readable) and unit.name not in key.places for unit in units)
    return People(
        key.token,
        annotators,
        len({each.item for each in given}),
        len(key.items),
        unsure,
        agreements,
        confusions,
        rates,
        tuple(_sentences(book, unsure, after)),
    )


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
    clusters = [book.clusters[unit.sample.id] for unit, _, _, _ in kept]
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
    corrected, by_judge = shown(found.corrected, measure.scale), _by_judge(run, measure, label)
    return Rate(
        measure.metric,
        measure.heading,
        label,
        "percent" if measure.scale == 100 else "points",
        found.units,
        found.labelled,
        by_judge,
        shown(found.alone, measure.scale),
        corrected,
        found.corrected.lam,
        _in_words(label, measure, by_judge, corrected),
    )


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
