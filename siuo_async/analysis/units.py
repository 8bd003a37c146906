"""A run's answers as units that can be drawn for people: one answer, or all of a sample, each with what judges said of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from siuo_async.analysis.gathered import Gathered, Take
from siuo_async.analysis.questions import Measure, Said, Sheet, Value
from siuo_async.benchmarks.judged import Verdict
from siuo_async.benchmarks.seen import SeenAnswer
from siuo_async.values import Sample

Name: TypeAlias = tuple[str, str, int]
"""(the model's label, the sample's id, the answer's number); the number is -1 for all answers of a sample."""
WHOLE = -1


@dataclass(frozen=True, slots=True)
class Unit:
    """One answer, or all answers of a sample."""

    name: Name
    sample: Sample = field(repr=False)
    answers: tuple[SeenAnswer, ...] = field(repr=False)
    numbers: tuple[int, ...]
    """Of its answers, as they stand in the take."""
    said: tuple[Said, ...]
    """By the judge, of each answer."""
    stages: tuple[str, ...]
    """What is asked of it."""
    disputed: bool
    """Whether judges who were asked about it disagree."""

    @property
    def model(self) -> str:
        """The label."""
        return self.name[0]

    @property
    def readable(self) -> tuple[int, ...]:
        """Places, in `answers`, of those that hold text; only these can be shown to people."""
        return tuple(place for place, seen in enumerate(self.answers) if seen.answer.text.strip())

    def told_of(self, measure: Measure) -> bool:
        """Whether a figure is of such a unit."""
        return all(stage in self.stages for stage in measure.stages)

    def judged(self, measure: Measure) -> float | None:
        """What the judge's verdicts add to a figure."""
        return measure.of(self.said)


def units_of(run: Gathered, sheet: Sheet, *, whole: bool) -> tuple[Unit, ...]:
    """All finished answers (or samples) of a run, model by model in the order of asking; answers that failed are none."""
    return tuple(_units(run, sheet, whole=whole))


def _units(run: Gathered, sheet: Sheet, *, whole: bool) -> Iterator[Unit]:
    for label in run.labels:
        for item in run.items:
            take = item.takes.get(label)
            if take is None or take.seen is None:
                continue
            stages = tuple(question.stage for question in sheet.asked_of(item.sample))
            told = [(number, seen, _said(take, seen, stages, sheet)) for number, seen in enumerate(take.seen.answers)]
            kept = [each for each in told if each[1].answer.text.strip() or any(value is not None for value in each[2].values())]
            groups = [kept] if whole and kept else [] if whole else [[each] for each in kept]
            for group in groups:
                yield Unit(
                    (label, item.sample.id, WHOLE if whole else group[0][0]),
                    item.sample,
                    tuple(seen for _, seen, _ in group),
                    tuple(number for number, _, _ in group),
                    tuple(said for _, _, said in group),
                    stages,
                    any(_disputed(verdict) for _, seen, _ in group for verdict in seen.verdicts.values()),
                )


def _said(take: Take, seen: SeenAnswer, stages: tuple[str, ...], sheet: Sheet) -> Said:
    """The verdicts of an answer, where they are labels that people have too; without text also what a rule says of the sample."""
    found = {stage: _value(seen.verdicts.get(stage), stage, sheet) for stage in stages}
    if seen.answer.text.strip() or any(value is not None for value in found.values()) or take.seen is None:
        return found
    for measure in sheet.measures:  # Chinese SafetyQA counts what was withheld without a verdict
        score = take.seen.scores.get(measure.metric)
        if score is not None and score.value == 1 and len(measure.stages) == 1 and not seen.verdicts:
            given = [choice.value for choice in sheet.of_stage(measure.stages[0]).choices]
            fitting = [value for value in given if measure.of([{measure.stages[0]: value}]) == 1]
            if len(fitting) == 1:
                return {measure.stages[0]: fitting[0]}
    return found


def _value(verdict: Verdict[object] | None, stage: str, sheet: Sheet) -> Value | None:
    value = verdict.value if verdict else None
    if isinstance(value, frozenset) and len(value) == 1:
        value = next(iter(value))
    known = {choice.value for choice in sheet.of_stage(stage).choices}
    return value if isinstance(value, int | str) and value in known else None


def _disputed(verdict: Verdict[object]) -> bool:
    return len({opinion.value for opinion in verdict.opinions if opinion.value is not None}) > 1


def text_digest(seen: SeenAnswer) -> str:
    """Names the text of an answer, so that labels are never read as those of another."""
    return hashlib.blake2b(seen.answer.text.encode(errors="surrogatepass"), digest_size=8).hexdigest()


def by_name(units: tuple[Unit, ...]) -> Mapping[Name, Unit]:
    """To look units up."""
    return {unit.name: unit for unit in units}
