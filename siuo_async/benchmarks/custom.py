"""Benchmarks that are one YAML file and one JSONL file: a judge that says yes or no, one that gives a score, or a letter.

What they ask stands in the file (`custom_spec`), what they are asked of in the rows (`custom_data`); here is the life of a sample.
Anything else is a Python module (`custom_module`). Rules: `docs/custom-benchmarks.md`.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from siuo_async.benchmarks.base import Ask, Benchmark, one_answer
from siuo_async.benchmarks.custom_scores import PER_ANSWER, Points, Scored, ScoredTally, Shape, scored_seen
from siuo_async.benchmarks.custom_spec import PASS, Judge, Metric, Spec, placeholders
from siuo_async.benchmarks.data.custom_data import values_of
from siuo_async.benchmarks.judged import Settle, Verdict, majority, median, verdict
from siuo_async.benchmarks.options import Shuffled, rotation, shuffled
from siuo_async.benchmarks.prompts.own_templates import fenced, filled, lettered
from siuo_async.benchmarks.seen import Seen
from siuo_async.judging import fill, own_words, parse_letter
from siuo_async.judging.custom import YES_NO_SCHEMA, parse_score, parse_yes_no, score_schema
from siuo_async.stats import decided_vote
from siuo_async.values import EMPTY, Answer, Json, Outcome, Parameters, Prompt, Sample, Turn

STAGE = "judge.custom"
LETTER_CAP = 16
"""A letter needs a token or two; some models write `The answer is B`."""
WITHHELD, UNPARSED = "declined or filtered", "unparsed"


def build_custom(spec: Spec, *, answers: int | None, judged: bool, system: str | None, option_seed: int | None) -> Benchmark[Scored]:
    """The benchmark of a YAML file.

    Args:
        answers: instead of the file's own number.
        judged: False when no judge was asked for.
        system: instead of the file's own.
        option_seed: shuffles the options; only for letters.
    """
    system = spec.system if system is None else system
    if spec.kind == "letter":
        return Lettered(spec, system=system, option_seed=option_seed or 0)
    return Judged(spec, answers=answers or spec.parameters.answers, judged=judged, system=system)


def _question(spec: Spec, sample: Sample, system: str | None, **more: str) -> Prompt:
    return _prompt(asked_text(spec, sample, **more), sample, system)


def _prompt(text: str, sample: Sample, system: str | None) -> Prompt:
    asked = Turn("user", (text, *sample.pictures))
    return (Turn("system", (system,)), asked) if system else (asked,)


def asked_text(spec: Spec, sample: Sample, **more: str) -> str:
    """The question, filled: the row's fields by name."""
    return fill(spec.question, {**texts_of(sample, placeholders(spec.question)), **more})


def texts_of(sample: Sample, names: Iterable[str]) -> dict[str, str]:
    """Those fields of a sample that are named, as texts: what is no text is shown as JSON."""
    values = values_of(sample.id, sample.text, sample.category, sample.fields)
    chosen = {name: values[name] for name in names if name in values}
    return {name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for name, value in chosen.items()}


@dataclass(frozen=True, slots=True)
class Judged:
    """`yes-no` and `graded`: answers that a judge reads one after another."""

    spec: Spec
    answers: int = 1
    judged: bool = True
    system: str | None = None
    needs_judge: bool = True
    prompts_per_sample: int = 1

    @property
    def name(self) -> str:
        """The file's own."""
        return self.spec.name

    @property
    def primary(self) -> str:
        """The file's metric, else `score` or `rate`."""
        return self._metric.name

    @property
    def headline(self) -> tuple[str, ...]:
        """The primary metric."""
        return (self.primary,)

    @property
    def lower_is_better(self) -> frozenset[str]:
        """All, where the file says so of its metric: a share that passes a bad mark is no better than the mark."""
        return frozenset(self.metrics) if self.spec.metric and self.spec.metric.lower_is_better else frozenset()

    @property
    def metrics(self) -> Mapping[str, str]:
        """With a scale also the share that passes."""
        passed = {PASS: f"Pass (≥ {self._judge.scale.pass_at:g})"} if self._judge.scale else {}
        return {self._metric.name: self._metric.heading, **passed}

    @property
    def note(self) -> str:
        """What a figure is of."""
        if scale := self._judge.scale:
            return (
                f"mean from {scale.low} to {scale.high} over n samples; pass: percent of samples at {scale.pass_at:g} or above; "
                "below it the 95% interval"
            )
        return f"percent of decided samples judged {self._judge.positive}, votes for it/decided; below it the Wilson 95% interval"

    @property
    def _judge(self) -> Judge:
        assert self.spec.judge is not None
        return self.spec.judge

    @property
    def _metric(self) -> Metric:
        if (scale := self._judge.scale) is None:
            return self.spec.metric or Metric(name="rate", heading=f"Judged {self._judge.positive}")
        if self.spec.metric is None:
            return Metric(name="score", heading=f"Score ({scale.low}–{scale.high})")
        return self.spec.metric

    @property
    def prompt_set(self) -> str:
        """`custom-` and the digest of the templates."""
        return self.spec.prompt_set

    @property
    def calls_per_answer(self) -> int:
        """One verdict."""
        return 1 if self.judged else 0

    def settings(self) -> Mapping[str, Json]:
        """The digest of the file's content."""
        return {"definition": self.spec.definition}

    def generation(self) -> Parameters:
        """The file's."""
        return Parameters(max_tokens=self.spec.parameters.max_tokens, temperature=self.spec.parameters.temperature)

    def judging(self) -> Mapping[str, Parameters]:
        """Temperature 0, held to a JSON schema where the judge takes one."""
        if not self.judged:
            return EMPTY
        scale = self._judge.scale
        schema = YES_NO_SCHEMA if scale is None else score_schema(scale.low, scale.high)
        return {STAGE: Parameters(max_tokens=self._judge.max_tokens, temperature=0.0, answer_schema=schema)}

    @property
    def _shape(self) -> Shape:
        scale, metric, cap = self._judge.scale, self._metric.name, self.spec.parameters.max_tokens
        if scale is not None:
            points = {metric: Points(scale.low, scale.high)}
            return Shape((PASS,), points, answers=self.answers, cap=cap, judged=self.judged)
        per_answer = (metric + PER_ANSWER,) if self.answers > 1 else ()
        return Shape((metric,), per_answer=per_answer, answers=self.answers, cap=cap, judged=self.judged)

    def tally(self, samples: Collection[Sample]) -> ScoredTally:
        """New, empty counters."""
        return ScoredTally(self._shape, samples)

    def seen(self, sample: Sample, result: Scored) -> Seen:
        """The vote of each sample, or its mean on the scale."""
        return scored_seen(result, self._shape, STAGE)

    async def evaluate(self, sample: Sample, ask: Ask) -> Scored:
        """Asks, and judges each answer as it comes, one after another."""
        found: dict[int, tuple[Answer, Verdict[int] | None]] = {}
        async with aclosing(ask.answers(_question(self.spec, sample, self.system), self.answers)) as answers:
            async for number, answer in answers:
                found[number] = answer, await self._verdict(sample, answer, ask)
        given = [found[number] for number in sorted(found)]
        values = [said.value if said else None for _, said in given]
        shared = {
            "answers": tuple(answer for answer, _ in given),
            "verdicts": tuple(said for _, said in given if said),
            "counts": {WITHHELD: sum(_withheld(answer) for answer, _ in given)},
        }
        return self._points(values, shared) if self._judge.scale else self._votes(values, shared)

    def _votes(self, values: Sequence[int | None], shared: Mapping[str, Any]) -> Scored:
        metric = self._metric.name
        per_answer = {metric + PER_ANSWER: tuple(values)} if self.answers > 1 else EMPTY
        return Scored({metric: decided_vote(values)}, per_answer=per_answer, **shared)

    def _points(self, scores: Sequence[int | None], shared: Mapping[str, Any]) -> Scored:
        scale = self._judge.scale
        assert scale is not None
        known = [score for score in scores if score is not None]
        if not known or len(known) < len(scores):  # a mean over those that came would be of other answers for each model
            return Scored({PASS: None}, points={self._metric.name: None}, **shared)
        points = sum(known) - scale.low * len(known)
        return Scored({PASS: sum(known) >= scale.pass_at * len(known)}, points={self._metric.name: points}, **shared)

    async def _verdict(self, sample: Sample, answer: Answer, ask: Ask) -> Verdict[int] | None:
        """1 or 0, or points on the scale; None where nobody judges."""
        if not self.judged:
            return None
        if not answer.text.strip():
            scored = self.spec.withheld != "missing" and _withheld(answer)
            return Verdict(int(self.spec.withheld) if scored else None)
        text = self._judge_prompt(sample, answer.text)
        pictures = sample.pictures if self._judge.picture else ()
        read = self._reader()
        prompt = (Turn("user", (*pictures, text)),)
        settle: Settle[int] = median if self._judge.scale else majority
        return await verdict(ask, prompt, STAGE, lambda reply: read(own_words(reply, answer.text)), settle)

    def _judge_prompt(self, sample: Sample, answer: str) -> str:
        fence = fenced("answer", answer)
        values = texts_of(sample, placeholders(self._judge.prompt))
        values |= {"question": asked_text(self.spec, sample), "answer": "\n".join(fence.values())}
        prompt = fill(self._judge.prompt, values).rstrip()
        ends = {"open": fence["open"], "close": fence["close"]}
        if (scale := self._judge.scale) is None:
            return filled("custom_yes_no", prompt=prompt, **ends)
        return filled("custom_score", prompt=prompt, low=str(scale.low), high=str(scale.high), **ends)

    def _reader(self) -> Callable[[str], int | None]:
        if (scale := self._judge.scale) is not None:
            low, high = scale.low, scale.high
            return lambda text: parse_score(text, low, high)
        if self._judge.positive == "yes":
            return parse_yes_no
        return lambda text: None if (said := parse_yes_no(text)) is None else 1 - said


@dataclass(frozen=True, slots=True)
class Lettered:
    """`letter`: one of several options, read out of the answer; no judge."""

    spec: Spec
    system: str | None = None
    option_seed: int = 0
    answers: int = 1
    prompts_per_sample: int = 1
    calls_per_answer: int = 0
    needs_judge: bool = False
    _default: Metric = field(default=Metric(name="accuracy", heading="Accuracy"), repr=False)

    @property
    def name(self) -> str:
        """The file's own."""
        return self.spec.name

    @property
    def primary(self) -> str:
        """The file's metric, else `accuracy`."""
        return (self.spec.metric or self._default).name

    @property
    def headline(self) -> tuple[str, ...]:
        """The primary metric."""
        return (self.primary,)

    @property
    def lower_is_better(self) -> frozenset[str]:
        """None: they are shares of right letters."""
        return frozenset()

    @property
    def metrics(self) -> Mapping[str, str]:
        """Accuracy alone."""
        metric = self.spec.metric or self._default
        return {metric.name: metric.heading}

    @property
    def note(self) -> str:
        """What a figure is of."""
        return "percent of samples answered with the right letter, right/decided; below it the Wilson 95% interval"

    @property
    def prompt_set(self) -> str:
        """`custom-` and the digest of the template."""
        return self.spec.prompt_set

    def settings(self) -> Mapping[str, Json]:
        """The digest of the file's content, and what the options were shuffled by."""
        seed = {"option_seed": self.option_seed} if self.spec.shuffles else {}
        return {"definition": self.spec.definition, **seed}

    def generation(self) -> Parameters:
        """The file's; without, 16 tokens at temperature 0."""
        asked = self.spec.parameters
        return Parameters(
            max_tokens=LETTER_CAP if asked.max_tokens is None else asked.max_tokens,
            temperature=0.0 if asked.temperature is None else asked.temperature,
        )

    def judging(self) -> Mapping[str, Parameters]:
        """Nobody judges."""
        return EMPTY

    def tally(self, samples: Collection[Sample]) -> ScoredTally:
        """New, empty counters."""
        chances = array("d", (100 / len(sample.fields["options"]) for sample in samples))
        baselines = {"chance": sum(chances) / len(chances)} if chances else {}
        return ScoredTally(Shape((self.primary,), cap=self.generation().max_tokens, baselines=baselines), samples)

    def seen(self, sample: Sample, result: Scored) -> Seen:
        """Right or wrong."""
        return scored_seen(result, Shape((self.primary,)))

    async def evaluate(self, sample: Sample, ask: Ask) -> Scored:
        """Asks, and reads a letter; a text without one is wrong, and counted."""
        options, gold = sample.fields["options"], sample.fields["gold"]
        shown = shuffled(options, gold, self.option_seed, sample.id) if self.spec.shuffles else rotation(options, gold, 0)
        answer = await one_answer(ask, self._prompt(sample, shown))
        counts = {WITHHELD: int(_withheld(answer)), UNPARSED: 0}
        value: int | None = None
        notes: dict[str, Json] = {"options": dict(shown.options), "gold": shown.gold}
        if answer.text.strip():
            notes["letter"] = letter = parse_letter(answer.text, shown.letters, "corrected")
            value = int(letter == shown.gold)
            counts[UNPARSED] = int(letter is None)
        elif _withheld(answer) and self.spec.withheld != "missing":
            value = int(self.spec.withheld)
        return Scored({self.primary: value}, (answer,), counts=counts, notes=notes)

    def _prompt(self, sample: Sample, shown: Shuffled) -> Prompt:
        options = lettered(shown.options)
        if "options" in placeholders(self.spec.question):
            return _question(self.spec, sample, self.system, options=options)
        return _prompt(filled("custom_letter", question=asked_text(self.spec, sample), options=options), sample, self.system)


def _withheld(answer: Answer) -> bool:
    """Whether the provider's refusal or filter left no text."""
    return answer.outcome in (Outcome.DECLINED, Outcome.FILTERED) and not answer.text.strip()
