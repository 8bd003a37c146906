"""`csqa-qa`: questions of Chinese safety knowledge, answered in a few words and graded by a judge against the standard answer.

Source: Chinese SafetyQA (arXiv 2412.15265) and its scripts `batch_call_model.py` and `simple_qa_evaluate.py`: one answer per question,
graded A correct, B incorrect or C not attempted. `corrected` asks at temperature 0, since one answer of few words is measured, with a
cap that no short answer reaches, and reads one grade or none; `released` sends what the scripts send (temperature 1, top_p 0.01,
frequency_penalty 1, no cap) and takes every A, B and C in the judge's reply for a grade.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from siuo_async.benchmarks.base import Ask
from siuo_async.benchmarks.csqa_asking import RELEASED, Asked, Questions
from siuo_async.benchmarks.csqa_scores import NOT_ATTEMPTED, PRIMARY, STATED, CsqaResult, CsqaTally, Sureness, csqa_seen, metrics_of
from siuo_async.benchmarks.judged import JUDGE_CAP, Verdict, verdict, verdict_as_released
from siuo_async.benchmarks.prompts.csqa_prompts import CSQA
from siuo_async.benchmarks.prompts.own_templates import require
from siuo_async.benchmarks.seen import Seen
from siuo_async.judging import parse_csqa_grade, parse_stated_confidence, released_csqa_grades, released_filter
from siuo_async.values import Json, Outcome, Parameters, Prompt, Sample
from siuo_async.values import Protocol as ProtocolName

CAP = 1024
GRADE = "judge.grade"


@dataclass(frozen=True, slots=True)
class CsqaQa:
    """The benchmark, set up.

    Raises:
        ConfigError: the prompts have none for the judge.
    """

    questions: Questions = Questions("qa")
    judged: bool = True
    name: str = "csqa-qa"
    primary: str = PRIMARY
    headline: tuple[str, ...] = (PRIMARY,)
    lower_is_better: frozenset[str] = frozenset({"in"})
    answers: int = 1
    needs_judge: bool = True

    def __post_init__(self) -> None:
        if self.judged:  # else it would be found out when the first answer is paid for
            require(self.questions.prompts.available, "judge", CSQA)

    @property
    def protocol(self) -> ProtocolName:
        """How it is asked and graded."""
        return self.questions.protocol

    @property
    def metrics(self) -> Mapping[str, str]:
        """The published ones; beside them how often was searched and something found, where that can happen."""
        return metrics_of(searching=self.questions.search != "none")

    @property
    def note(self) -> str:
        """How answers are counted."""
        if self.protocol == "released":
            return "as the released scripts count: every A, B and C in a verdict; votes for it/verdicts counted"
        return "percent of graded answers; below it the 95% interval"

    @property
    def prompt_set(self) -> str:
        """`own-` or `released-` and the templates' digest."""
        return self.questions.prompt_set

    @property
    def prompts_per_sample(self) -> int:
        """Two where the model may wish for a search."""
        return self.questions.at_most

    @property
    def calls_per_answer(self) -> int:
        """One verdict."""
        return 1 if self.judged else 0

    def settings(self) -> Mapping[str, Json]:
        """Search and confidence, where there are any."""
        return self.questions.settings()

    def generation(self) -> Parameters:
        """See the module."""
        return RELEASED if self.protocol == "released" else Parameters(max_tokens=CAP, temperature=0.0)

    def judging(self) -> Mapping[str, Parameters]:
        """The scripts send the judge what they send the model; `corrected` asks at temperature 0."""
        asked = RELEASED if self.protocol == "released" else Parameters(max_tokens=JUDGE_CAP, temperature=0.0)
        return {GRADE: asked} if self.judged else {}

    def tally(self, samples: Collection[Sample] = ()) -> CsqaTally:
        """New, empty counters."""
        stated = self.questions.confidence == "stated"
        return CsqaTally(
            self.protocol,
            samples,
            scored=self.judged,
            judged=self.judged,
            cap=self.generation().max_tokens,
            sureness=(STATED,) if stated else (),
            searching=self.questions.search != "none",
            parsed=stated,
        )

    def seen(self, sample: Sample, result: CsqaResult) -> Seen:
        """Correct, not attempted, incorrect: of each 1 or 0."""
        return csqa_seen(result, GRADE)

    async def evaluate(self, sample: Sample, ask: Ask) -> CsqaResult:
        """Asks, and has the answer graded."""
        asked = await self.questions.ask(ask, sample.text)
        if not asked.answer.text.strip():
            withheld = asked.answer.outcome in (Outcome.DECLINED, Outcome.FILTERED)
            skipped = withheld and self.judged and self.protocol == "corrected"
            return CsqaResult(asked.answer, frozenset(NOT_ATTEMPTED) if skipped else None, search=asked.search)
        if self.questions.confidence == "stated":
            return await self._stated(sample, asked, ask)
        if self.protocol == "released":
            return await self._released(sample, asked, ask)
        found = await self._grade(sample, asked.answer.text, ask)
        return CsqaResult(asked.answer, _grades(found), found, search=asked.search)

    async def _stated(self, sample: Sample, asked: Asked, ask: Ask) -> CsqaResult:
        """The answer in the JSON is graded; a reply without one as a whole, since it may still hold the answer."""
        answer, confidence = parse_stated_confidence(asked.answer.text, None)
        found = await self._grade(sample, answer or asked.answer.text, ask)
        sureness = (Sureness(STATED, confidence),)
        return CsqaResult(asked.answer, _grades(found), found, unparsed=answer is None, sureness=sureness)

    async def _grade(self, sample: Sample, answer: str, ask: Ask) -> Verdict[str] | None:
        return await verdict(ask, self._prompt(sample, answer), GRADE, parse_csqa_grade) if self.judged else None

    async def _released(self, sample: Sample, asked: Asked, ask: Ask) -> CsqaResult:
        """As `simple_qa_evaluate.py` and `metrics.py`; a reply that says nothing is a cell without a value, which they leave out."""
        answer = released_filter(asked.answer.text) or ""
        if not self.judged or not answer:
            return CsqaResult(asked.answer, None, search=asked.search)
        found = await verdict_as_released(ask, self._prompt(sample, answer), GRADE, _released_grades)
        grades = None if found.state == "failed" else released_csqa_grades(released_filter(found.text) or "")
        state = "unreadable" if grades is None and found.state == "read" else found.state
        return CsqaResult(asked.answer, grades, replace(found, value=grades, state=state), search=asked.search)

    def _prompt(self, sample: Sample, answer: str) -> Prompt:
        """The judge's own system turn stays: the run's is for the model under test."""
        turns = self.questions.prompts.judge(sample.text, sample.fields["standard_answer"], answer)
        return replace(self.questions, system=None).prompt(turns)


def _grades(found: Verdict[str] | None) -> frozenset[str] | None:
    return None if found is None or found.value is None else frozenset(found.value)


def _released_grades(text: str) -> frozenset[str] | None:
    return released_csqa_grades(text) or None
