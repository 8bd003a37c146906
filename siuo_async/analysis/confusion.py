"""The judge against people: how often it is wrong, and of what people put into a class, how much it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from siuo_async.analysis.comparison import Estimate
from siuo_async.analysis.label_book import Book
from siuo_async.analysis.questions import Question, Value
from siuo_async.stats.prediction_powered import Corrected, weighted_mean

MISSING = "no verdict"
"""A class of the judge's that people have not."""


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


_Rows: TypeAlias = list[tuple[Value | None, dict[Value, float], float, str]]
"""Of each answer labelled: the verdict, the share of people for each label, what it stands for, its sample."""


def _rows_of(book: Book, question: Question, model: str) -> _Rows:
    rows: _Rows = []
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
    return rows


def confusion(book: Book, question: Question, model: str) -> Confusion | None:
    """The judge against people in one stage; None where no answer that was labelled has a verdict.

    Args:
        model: of whose answers; empty: of all models.
    """
    rows = _rows_of(book, question, model)
    if all(row[0] is None for row in rows):
        return None
    judged = [row for row in rows if row[0] is not None]
    wrong = weighted_mean(
        [1 - shares[verdict] for verdict, shares, _, _ in judged if verdict is not None],
        [weight for _, _, weight, _ in judged],
        [book.clusters[sample] for _, _, _, sample in judged],
    )
    found = []
    for choice in question.choices:
        own = weighted_mean(
            [float(verdict == choice.value) for verdict, _, _, _ in rows],
            [weight * shares[choice.value] for _, shares, weight, _ in rows],
            [book.clusters[sample] for _, _, _, sample in rows],
        )
        count = sum(shares[choice.value] > 0 for _, shares, _, _ in rows)
        found.append(Found(choice.word, count, shown(own)))
    return Confusion(question.stage, question.asks, model, len(judged), shown(wrong), tuple(found), _table(question, rows))


def _table(question: Question, rows: _Rows) -> dict[str, dict[str, float]]:
    whole = sum(weight for _, _, weight, _ in rows)
    table: dict[str, dict[str, float]] = {}
    for choice in question.choices:
        cells: dict[str, float] = {}
        for verdict, shares, weight, _ in rows:
            word = MISSING if verdict is None else question.word(verdict)
            cells[word] = cells.get(word, 0.0) + 100 * weight * shares[choice.value] / whole
        table[choice.word] = cells
    return table


def shown(found: Corrected | None, scale: float = 100.0) -> Estimate:
    """As it is reported: in percent, or in points of a scale."""
    return Estimate(found.value * scale, found.low * scale, found.high * scale) if found else Estimate(None)
