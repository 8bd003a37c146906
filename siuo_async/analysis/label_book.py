"""The labels of one draw, looked up by unit, with what each unit stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from siuo_async.analysis.clusters import clusters_of
from siuo_async.analysis.gathered import Gathered
from siuo_async.analysis.label_key import Key, Keyed
from siuo_async.analysis.questions import Measure, Said, Sheet, Value
from siuo_async.analysis.units import Name, Unit, text_digest
from siuo_async.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Labelled:
    """What one person said of one answer."""

    item: str
    annotator: str
    stages: Mapping[str, Value | None]
    """Stage -> label; None for "cannot tell"."""


class Book:
    """Labels, looked up by unit; weights as the labels that came make them.

    Args:
        units: of the whole run, by name.
        given: labels of the key's draw.
    """

    def __init__(self, sheet: Sheet, key: Key, units: Mapping[Name, Unit], given: Sequence[Labelled]) -> None:
        self.sheet, self.key, self.units = sheet, key, units
        samples = list({unit.sample.id: unit.sample for unit in units.values()}.values())
        self.clusters = dict(zip((sample.id for sample in samples), clusters_of(samples), strict=True))
        """By sample: those that share a picture or a question belong together."""
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

    def answers(self, stage: str) -> list[tuple[str, Mapping[str, Value | None]]]:
        """By answer that is asked for a stage: the sample's id, and what each annotator said."""
        found: list[tuple[str, Mapping[str, Value | None]]] = []
        for keyed in self.key.items:
            said = {name: stages[stage] for name, stages in self.by_item.get(keyed.item, {}).items() if stage in stages}
            if said:
                found.append((keyed.unit[1], said))
        return found

    def said(self, unit: Unit, measure: Measure) -> float | None:
        """What people say of a unit: the mean over those who labelled it whole; None where nobody did."""
        if unit.name not in self.labelled:
            return None
        held = self.of_unit[unit.name]
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
