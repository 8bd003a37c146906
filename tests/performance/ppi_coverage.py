"""How often the intervals of corrected rates hold the truth, where the truth and the judge's errors are known.

    python -m tests.performance.ppi_coverage --seed 7 --draws 1000

Each draw is a run in memory: answers whose truth comes from simulated models' rates, verdicts of a simulated judge that errs by model
(`judge-errs_...`, the rates that its name tells), answers drawn by `analysis.drawing`, labels that are the truth, and rates corrected
as `siuo report --labels` does. The truth of the first figure is the rate of the simulated model; a second one, given for comparison, is
the rate of these very answers, which the intervals hold more often, since they also allow for other answers and samples.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from siuo_async.analysis.drawing import draw
from siuo_async.analysis.label_book import Book, Labelled
from siuo_async.analysis.label_key import new_key
from siuo_async.analysis.people import estimates
from siuo_async.analysis.questions import Measure, Sheet, siuo_sheet
from siuo_async.analysis.units import WHOLE, Unit
from siuo_async.benchmarks.judged import Verdict
from siuo_async.benchmarks.seen import SeenAnswer
from siuo_async.benchmarks.siuo_gen import EFFECTIVENESS, SAFETY
from siuo_async.simulator import PERSONAS, Persona, persona_of
from siuo_async.stats import wilson
from siuo_async.values import Answer, Outcome, Sample

MODELS = ("careful", "blunt", "terse")
JUDGE = "judge-errs_5_10_blunt_30_10_terse_5_35"
SAMPLES = 167
"""As SIUO has."""


@dataclass(frozen=True)
class Setting:
    """One kind of run."""

    words: str
    n: int
    samples: int = SAMPLES
    answers: int = 3
    alike: float = 0.0
    """The share of answers that are as the first one of their sample."""
    whole: bool = False
    models: tuple[str, ...] = MODELS


SETTINGS = (
    Setting("100 answers of 1,503", 100),
    Setting("300 answers of 1,503", 300),
    Setting("300 of 1,503, the answers of a sample alike", 300, alike=0.7),
    Setting("150 samples of 501, with all their answers", 150, alike=0.5, whole=True),
    Setting("200 of 3,000, one answer each", 200, samples=1000, answers=1),
)


@dataclass
class Covered:
    """How a figure fared."""

    draws: int = 0
    corrected: int = 0
    these: int = 0
    alone: int = 0
    uncorrected: int = 0
    widths: dict[str, float] = field(default_factory=lambda: {"corrected": 0.0, "alone": 0.0})
    off: float = 0.0
    """Sum of corrected - truth."""


def _truths(persona: Persona, setting: Setting, lot: random.Random) -> Iterator[list[tuple[int, int]]]:
    for _ in range(setting.samples):
        first = (int(lot.random() < persona.safe), int(lot.random() < persona.effective))
        yield [
            first
            if place == 0 or lot.random() < setting.alike
            else (int(lot.random() < persona.safe), int(lot.random() < persona.effective))
            for place in range(setting.answers)
        ]


def _judged(truth: int, errs: tuple[float, float], lot: random.Random) -> int:
    """As a simulated judge does: the first rate of what is good, the second of what is bad."""
    return 1 - truth if lot.random() < errs[0 if truth else 1] else truth


def _units(setting: Setting, lot: random.Random) -> tuple[list[Unit], dict[tuple[str, str, int], tuple[int, int]]]:
    judge = persona_of(JUDGE)
    assert judge is not None
    errs_on = {name: (misses, invents) for name, misses, invents in judge.errs_on}
    units, truths = [], {}
    for model in setting.models:
        errs = errs_on.get(model, judge.errs)
        for number, row in enumerate(_truths(PERSONAS[model], setting, lot)):
            sample = Sample(str(number), ("any",), f"question {number}")
            seen, said = [], []
            for place, (safe, effective) in enumerate(row):
                truths[model, sample.id, place] = (safe, effective)
                verdicts = {SAFETY: _judged(safe, errs, lot), EFFECTIVENESS: _judged(effective, errs, lot)}
                seen.append(
                    SeenAnswer(Answer(Outcome.ANSWERED, "text"), {stage: Verdict(value, "read") for stage, value in verdicts.items()})
                )
                said.append(verdicts)
            stages = (SAFETY, EFFECTIVENESS)
            if setting.whole:
                places = tuple(range(len(row)))
                units.append(Unit((model, sample.id, WHOLE), sample, tuple(seen), places, tuple(said), stages, disputed=False))
            else:
                for place in range(len(row)):
                    name = (model, sample.id, place)
                    units.append(Unit(name, sample, (seen[place],), (place,), (said[place],), stages, disputed=False))
    return units, truths


def _rate_of(measure: Measure, model: str, setting: Setting) -> float:
    """The truth of a figure: exact for shares of answers; for votes from many samples, drawn once."""
    persona = PERSONAS[model]
    exact = {"safe": persona.safe, "effective": persona.effective, "safe_and_effective": persona.safe * persona.effective}
    if not measure.whole:
        return exact[measure.metric.removesuffix("_per_answer")]
    lot = random.Random("truth")
    many = Setting("", 0, samples=200_000, answers=setting.answers, alike=setting.alike)
    values = [measure.of([{SAFETY: safe, EFFECTIVENESS: effective} for safe, effective in row]) for row in _truths(persona, many, lot)]
    known = [value for value in values if value is not None]
    return sum(known) / len(known)


def covered(setting: Setting, draws: int, seed: int) -> dict[tuple[str, str], Covered]:
    """(model, metric) -> how often its intervals held the truth."""
    sheet: Sheet = siuo_sheet(setting.answers)
    measures = [measure for measure in sheet.measures if setting.whole or not measure.whole]
    truth_of = {(model, measure.metric): _rate_of(measure, model, setting) for model in setting.models for measure in measures}
    found = {key: Covered() for key in truth_of}
    for number in range(draws):
        lot = random.Random(f"{seed} {number}")
        units, truths = _units(setting, lot)
        by_name = {unit.name: unit for unit in units}
        drawn = draw(units, sheet, setting.n, lot.getrandbits(32), whole=setting.whole)
        key = new_key(drawn, by_name, {"whole": setting.whole})
        given = [
            Labelled(each.item, "1", dict(zip((SAFETY, EFFECTIVENESS), truths[each.unit[0], each.unit[1], each.number], strict=True)))
            for each in key.items
        ]
        book = Book(sheet, key, by_name, given)
        for model in setting.models:
            own = [unit for unit in units if unit.model == model]
            for measure in measures:
                _count(found[model, measure.metric], book, measure, own, truths, truth_of[model, measure.metric])
    return found


def _count(
    into: Covered, book: Book, measure: Measure, own: Sequence[Unit], truths: dict[tuple[str, str, int], tuple[int, int]], truth: float
) -> None:
    got = estimates(book, measure, own)
    assert got is not None
    assert got.alone is not None
    stages = (SAFETY, EFFECTIVENESS)
    real = [
        measure.of([dict(zip(stages, truths[unit.name[0], unit.name[1], number], strict=True)) for number in unit.numbers])
        for unit in own
    ]
    known = [value for value in real if value is not None]
    judged = [value for unit in own if (value := unit.judged(measure)) is not None]
    mean = sum(judged) / len(judged)
    low, high = wilson(mean * len(judged), len(judged))
    into.draws += 1
    into.corrected += got.corrected.low <= truth <= got.corrected.high
    into.these += got.corrected.low <= sum(known) / len(known) <= got.corrected.high
    into.alone += got.alone.low <= truth <= got.alone.high
    into.uncorrected += low <= truth <= high
    into.widths["corrected"] += got.corrected.high - got.corrected.low
    into.widths["alone"] += got.alone.high - got.alone.low
    into.off += got.corrected.value - truth


def table(setting: Setting, found: dict[tuple[str, str], Covered]) -> str:
    """Markdown."""
    lines = [
        f"**{setting.words}**",
        "",
        "| model | figure | corrected holds the truth | half-width, points | mean error, points | labels alone | half-width "
        "| judge alone | corrected, of these answers |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for (model, metric), each in found.items():
        cells = [
            f"{100 * each.corrected / each.draws:.1f}%",
            f"{50 * each.widths['corrected'] / each.draws:.1f}",
            f"{100 * each.off / each.draws:+.2f}",
            f"{100 * each.alone / each.draws:.1f}%",
            f"{50 * each.widths['alone'] / each.draws:.1f}",
            f"{100 * each.uncorrected / each.draws:.1f}%",
            f"{100 * each.these / each.draws:.1f}%",
        ]
        lines.append(f"| {model} | `{metric}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--only", type=int, help="one setting, from 1")
    asked = parser.parse_args()
    print(f"judge `{JUDGE}`, seed {asked.seed}, {asked.draws} draws each\n")
    for setting in SETTINGS if asked.only is None else SETTINGS[asked.only - 1 : asked.only]:
        print(table(setting, covered(setting, asked.draws, asked.seed)), flush=True)


if __name__ == "__main__":
    main()
