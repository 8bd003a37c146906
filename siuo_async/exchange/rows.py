"""A run as rows of tables: samples, takes, answers, verdicts, scores, models, figures.

One definition for both who reads files and who reads objects: the fields of these values are the columns of `siuo export --format csv`
and what the library's `Run` gives. Each field says what it holds, and the file beside the tables says it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, TypeAlias

import orjson

from siuo_async.benchmarks.base import SEARCH
from siuo_async.benchmarks.counting import without_verdict
from siuo_async.benchmarks.judged import Opinion, Verdict
from siuo_async.benchmarks.seen import Seen
from siuo_async.config import Price
from siuo_async.engine.plan import Plan
from siuo_async.engine.records import CallRecord
from siuo_async.engine.spending import Spend, price_of_call
from siuo_async.values import Json, Sample

Scalar: TypeAlias = str | int | float | bool | None
"""What a cell can hold."""
_WHAT = "what"


def _says(what: str) -> Mapping[str, str]:
    return {_WHAT: what}


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One sample that is asked."""

    sample: str = field(metadata=_says("id, as in the data"))
    place: int = field(metadata=_says("place in the order of asking, from 0"))
    category: str = field(metadata=_says("widest category"))
    category_path: str = field(metadata=_says("all levels, joined by ' > '"))
    text: str = field(metadata=_says("the question"))
    pictures: int = field(metadata=_says("how many pictures it has"))
    picture_sha256: str = field(metadata=_says("their digests, in order, with blanks between"))
    fields: str = field(metadata=_says("what else the benchmark knows of it (warning, reference, gold), as JSON"))


@dataclass(frozen=True, slots=True)
class TakeRow:
    """One sample as one model lived it."""

    model: str = field(metadata=_says("the model's label"))
    sample: str = field(metadata=_says("the sample's id"))
    category: str = field(metadata=_says("its widest category"))
    state: str = field(metadata=_says("finished, or pending"))
    calls: int = field(metadata=_says("finished calls, verdicts included"))
    input_tokens: int | None = field(metadata=_says("of all these calls, as told; empty where nobody told"))
    output_tokens: int | None = field(metadata=_says("the same, thinking included"))
    latency_s: float = field(metadata=_says("seconds on the wire, summed over the calls"))
    cost_usd: float | None = field(metadata=_says("US dollars at the run's prices; empty where a price or a usage is unknown"))
    notes: str = field(metadata=_says("what else was seen (letters read, state of a search), as JSON"))


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One answer."""

    model: str = field(metadata=_says("the model's label"))
    sample: str = field(metadata=_says("the sample's id"))
    category: str = field(metadata=_says("its widest category"))
    number: int = field(metadata=_says("which of the sample's answers, from 0"))
    outcome: str = field(metadata=_says("answered, declined, filtered, empty or failed"))
    where: str | None = field(metadata=_says("filtered: prompt or answer"))
    reason: str | None = field(metadata=_says("the provider's own word for a refusal, a block or an emptiness"))
    finish: str | None = field(metadata=_says("stop, length, or the provider's own word"))
    cut: bool = field(metadata=_says("whether the cap ended it"))
    text: str = field(metadata=_says("what the model said"))


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """One verdict on one answer, or one of the opinions behind it."""

    model: str = field(metadata=_says("label of the model whose answer it is"))
    sample: str = field(metadata=_says("the sample's id"))
    category: str = field(metadata=_says("its widest category"))
    number: int = field(metadata=_says("which of the sample's answers, from 0"))
    stage: str = field(metadata=_says("what is judged, as in judge.safety"))
    role: str = field(metadata=_says("judge, stand-in, panel, check or retest: whose it is"))
    judge: str = field(metadata=_says("the judge's label; empty where a rule decided, or several judges together"))
    counts: bool = field(metadata=_says("whether it is the one that scores are made from; the others are opinions beside it"))
    value: Scalar = field(metadata=_says("what was read; empty where nothing was"))
    state: str = field(metadata=_says("read, unreadable, declined, filtered, failed, or rule where no judge was asked"))
    re_asked: bool = field(metadata=_says("whether it was asked for once more"))
    text: str = field(metadata=_says("the judge's reply"))


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """What one sample of one model adds to one metric."""

    model: str = field(metadata=_says("the model's label"))
    sample: str = field(metadata=_says("the sample's id"))
    category: str = field(metadata=_says("its widest category"))
    metric: str = field(metadata=_says("as in figures"))
    value: float | None = field(metadata=_says("its part of the metric's mean (1 or 0 for a vote); empty where undecided"))
    mean: float | None = field(metadata=_says("the mean over its answers; empty where none is decided"))
    answers: str = field(metadata=_says("1, 0 or null for each answer, as JSON; [] where answers are not scored one by one"))


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model of the run."""

    model: str = field(metadata=_says("its label"))
    name: str = field(metadata=_says("provider identity, name and revision: provider/name@revision"))
    served: str = field(metadata=_says("what the servers called it, with ', ' between"))
    left_out: str = field(metadata=_says("parameters that it did not accept, with ', ' between"))
    complete: bool = field(metadata=_says("whether no sample is pending"))
    samples: int = field(metadata=_says("asked"))
    finished: int = field(metadata=_says("finished"))
    answered: int = field(metadata=_says("answers by outcome"))
    declined: int = field(metadata=_says("answers that the API refused"))
    filtered: int = field(metadata=_says("answers that a provider's filter took"))
    empty: int = field(metadata=_says("answers without any text"))
    failed: int = field(metadata=_says("answers that never came"))
    verdicts: int | None = field(metadata=_says("verdicts that a judge was asked for; empty where nobody judges"))
    verdicts_missing: int | None = field(metadata=_says("of these without a readable one, of a stand-in either"))
    input_tokens: int | None = field(metadata=_says("of its own calls; empty where nobody told"))
    output_tokens: int | None = field(metadata=_says("the same, thinking included"))
    judge_input_tokens: int | None = field(metadata=_says("of the verdicts on it"))
    judge_output_tokens: int | None = field(metadata=_says("the same"))
    cost_usd: float | None = field(metadata=_says("US dollars, verdicts included; empty where a price is unknown"))
    simulated: bool = field(metadata=_says("whether anything of the run was made up by the simulator"))


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure of one model, with its bounds."""

    model: str = field(metadata=_says("the model's label"))
    dimension: str = field(metadata=_says("all, category, or what else the benchmark tells apart"))
    group: str = field(metadata=_says("which of its groups; empty for all"))
    metric: str = field(metadata=_says("as in summary.json"))
    value: float | None = field(metadata=_says("in percent, or points of the metric's scale; empty where nothing is decided"))
    low: float | None = field(metadata=_says("lower end of the 95% interval"))
    high: float | None = field(metadata=_says("upper end"))
    k: int | None = field(metadata=_says("counted for it"))
    n: int | None = field(metadata=_says("decided"))
    total: int | None = field(metadata=_says("asked for"))
    worst: float | None = field(metadata=_says("the figure with all undecided as 0"))
    best: float | None = field(metadata=_says("the figure with all undecided as 1"))


TABLES: Mapping[str, type[Any]] = MappingProxyType(
    {
        "samples": SampleRow,
        "takes": TakeRow,
        "answers": AnswerRow,
        "verdicts": VerdictRow,
        "scores": ScoreRow,
        "models": ModelRow,
        "figures": FigureRow,
    }
)
"""Table -> what its rows are."""


def columns(table: str) -> dict[str, str]:
    """The columns of a table, in order, each with what it holds.

    Raises:
        KeyError: there is no such table.
    """
    return {each.name: each.metadata[_WHAT] for each in fields(TABLES[table])}


def cells(row: Any) -> tuple[Scalar, ...]:
    """The cells of a row, in the order of its columns."""
    return tuple(getattr(row, each.name) for each in fields(row))


def sample_row(sample: Sample, place: int) -> SampleRow:
    """A sample."""
    return SampleRow(
        sample=sample.id,
        place=place,
        category=sample.category[0] if sample.category else "",
        category_path=" > ".join(sample.category),
        text=sample.text,
        pictures=len(sample.pictures),
        picture_sha256=" ".join(picture.sha256 for picture in sample.pictures),
        fields=_as_json(dict(sample.fields)),
    )


def take_row(label: str, sample: Sample, seen: Seen | None, calls: Sequence[CallRecord], prices: Mapping[str, Price]) -> TakeRow:
    """What one sample took with one model."""
    spend = Spend()
    for call in calls:
        if call.stage != SEARCH:  # what a search costs is in no figure
            spend.add(call, price_of_call(call, prices))
    return TakeRow(
        model=label,
        sample=sample.id,
        category=_category(sample),
        state="pending" if seen is None else "finished",
        calls=len(calls),
        input_tokens=_added([call.usage.input for call in calls]),
        output_tokens=_added([call.usage.output for call in calls]),
        latency_s=round(sum(call.latency_s for call in calls), 4),
        cost_usd=spend.usd,
        notes=_as_json(dict(seen.notes)) if seen and seen.notes else "",
    )


def _category(sample: Sample) -> str:
    return sample.category[0] if sample.category else ""


def _added(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known or not counts else None


def answer_rows(label: str, sample: Sample, seen: Seen) -> Iterator[AnswerRow]:
    """The answers of a finished sample."""
    for number, each in enumerate(seen.answers):
        answer = each.answer
        yield AnswerRow(
            model=label,
            sample=sample.id,
            category=_category(sample),
            number=number,
            outcome=str(answer.outcome),
            where=answer.where,
            reason=answer.reason,
            finish=answer.finish,
            cut=answer.cut,
            text=answer.text,
        )


def verdict_rows(label: str, sample: Sample, seen: Seen, judge: str) -> Iterator[VerdictRow]:
    """The verdicts on a finished sample's answers, each before the opinions that it was made from.

    Args:
        judge: label of the run's own judge.
    """
    for number, each in enumerate(seen.answers):
        for stage, verdict in each.verdicts.items():
            head = (label, sample.id, _category(sample), number, stage)
            yield _verdict_row(head, verdict, judge)
            for opinion in verdict.opinions:
                yield _opinion_row(head, opinion)


_Head: TypeAlias = tuple[str, str, str, int, str]


def _verdict_row(head: _Head, verdict: Verdict[Any], judge: str) -> VerdictRow:
    own = judge if verdict.by == "judge" and verdict.state != "rule" else ""
    others = [opinion.judge for opinion in verdict.opinions if opinion.role == verdict.by]
    whose = others[0] if len(others) == 1 else own
    return VerdictRow(
        *head, verdict.by, whose, True, _scalar(verdict.value), verdict.state, re_asked=verdict.re_asked, text=verdict.text
    )


def _opinion_row(head: _Head, opinion: Opinion[Any]) -> VerdictRow:
    return VerdictRow(
        *head, opinion.role, opinion.judge, False, _scalar(opinion.value), opinion.state, re_asked=opinion.re_asked, text=opinion.text
    )


def score_rows(label: str, sample: Sample, seen: Seen) -> Iterator[ScoreRow]:
    """What a finished sample adds to each metric."""
    for metric, score in seen.scores.items():
        yield ScoreRow(label, sample.id, _category(sample), metric, score.value, score.mean, _as_json(list(score.answers)))


def model_row(model: Mapping[str, Any], *, simulated: bool) -> ModelRow:
    """A model, from its part of the summary."""
    judge, tokens, outcomes = model.get("judge"), model["tokens"], model["outcomes"]
    return ModelRow(
        model=model["label"],
        name=model["model"],
        served=", ".join(model["served_models"]),
        left_out=", ".join(model["left_out"]),
        complete=model["complete"],
        samples=model["samples"]["total"],
        finished=model["samples"]["finished"],
        **{name: outcomes[name] for name in ("answered", "declined", "filtered", "empty", "failed")},
        verdicts=judge["verdicts"] if judge else None,
        verdicts_missing=without_verdict(judge) if judge else None,
        input_tokens=tokens["generation"]["input"],
        output_tokens=tokens["generation"]["output"],
        judge_input_tokens=tokens["judging"]["input"],
        judge_output_tokens=tokens["judging"]["output"],
        cost_usd=model["cost_usd"],
        simulated=simulated,
    )


def figure_rows(model: Mapping[str, Any]) -> Iterator[FigureRow]:
    """The figures of a model, from its part of the summary: overall, by category, by whatever else is told apart."""
    label = model["label"]
    yield from (_figure(label, "all", "", metric, rate) for metric, rate in model["metrics"].items())
    for dimension, groups in {"category": model["categories"], **model.get("breakdowns", {})}.items():
        for group, held in groups.items():
            yield from (_figure(label, dimension, group, metric, rate) for metric, rate in held["metrics"].items())


def _figure(label: str, dimension: str, group: str, metric: str, rate: Mapping[str, Any]) -> FigureRow:
    names = ("value", "low", "high", "k", "n", "total", "worst", "best")
    return FigureRow(label, dimension, group, metric, *(rate.get(name) for name in names))


def _scalar(value: Json) -> Scalar:
    return value if value is None or isinstance(value, str | int | float | bool) else _as_json(value)


def _as_json(value: Json) -> str:
    """One line of JSON; what JSON has not (a user's own object) stands as its text."""
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def judge_label(plan: Plan) -> str:
    """The label of a run's own judge; empty where nobody judges."""
    return plan.judge.label if plan.judge else ""
