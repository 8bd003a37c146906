"""`csqa-mcq`: the same questions of Chinese safety knowledge as multiple choice; a letter is read, nobody judges.

Source: Chinese SafetyQA (arXiv 2412.15265) and its scripts `batch_call_model.py`, `batch_no_rag.py` and `pack/utils.py`. In the file
the right option stands first 1,192 times in 2,000, and the scripts send it so; `corrected` shows the options in an order drawn from
the sample (`option_seed`) unless the question lists them by letter, asks at temperature 0, and counts an answer without a readable
letter as not attempted. `released` keeps the file's order and parameters (temperature 1, top_p 0.01, frequency_penalty 1, no cap) and
knows no answer but a, b, c or d alone.
With `confidence` the letter comes with how sure the model is: by log-probability of its first token, or as it states itself.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from siuo_async.benchmarks.base import Ask
from siuo_async.benchmarks.csqa_asking import RELEASED, TOP_LOGPROBS, Questions
from siuo_async.benchmarks.csqa_scores import (
    BY_LOGPROB,
    CORRECT,
    INCORRECT,
    NORMALISED,
    NOT_ATTEMPTED,
    PRIMARY,
    STATED,
    CsqaResult,
    CsqaTally,
    Sureness,
    csqa_seen,
    metrics_of,
)
from siuo_async.benchmarks.options import Shuffled, lists_options, shuffled
from siuo_async.benchmarks.seen import Seen
from siuo_async.errors import ConfigError
from siuo_async.judging import LogprobChoice, letters_alone, parse_letter, parse_stated_confidence, read_logprob_choice
from siuo_async.stats.logprobs import released_valid_answer
from siuo_async.values import EMPTY, Answer, Json, Outcome, Parameters, Sample
from siuo_async.values import Protocol as ProtocolName

LETTER_CAP = 16
"""Where a letter's log-probability is read: the letter comes first or not at all."""
CAP = 256
"""A letter, a sentence around it, or keywords to search for; JSON with a stated confidence."""


@dataclass(frozen=True, slots=True)
class CsqaMcq:
    """The benchmark, set up.

    Raises:
        ConfigError: options are to be shuffled as the released scripts do not.
    """

    questions: Questions = Questions("mcq")
    option_seed: int | None = None
    """Draws the order of the options; None is 0."""
    name: str = "csqa-mcq"
    primary: str = PRIMARY
    headline: tuple[str, ...] = (PRIMARY,)
    lower_is_better: frozenset[str] = frozenset({"in"})
    answers: int = 1
    needs_judge: bool = False
    calls_per_answer: int = 0

    def __post_init__(self) -> None:
        if self.protocol == "released" and self.option_seed is not None:
            raise ConfigError("the released protocol shows the options in the file's order; leave option_seed out")

    @property
    def protocol(self) -> ProtocolName:
        """How it is asked and read."""
        return self.questions.protocol

    @property
    def metrics(self) -> Mapping[str, str]:
        """The published ones; beside them how often was searched and something found, where that can happen."""
        return metrics_of(searching=self.questions.search != "none")

    @property
    def note(self) -> str:
        """How answers are counted."""
        if self.protocol == "released":
            return "as the released scripts count: options in the file's order, only a lone a, b, c or d is an answer"
        return "percent of answers; one without a readable letter is not attempted; below it the 95% interval"

    @property
    def prompt_set(self) -> str:
        """`own-` or `released-` and the templates' digest."""
        return self.questions.prompt_set

    @property
    def prompts_per_sample(self) -> int:
        """Two where the model may wish for a search."""
        return self.questions.at_most

    def settings(self) -> Mapping[str, Json]:
        """Search and confidence, where there are any, and what the order of the options is drawn from."""
        drawn = {} if self.protocol == "released" else {"option_seed": self.option_seed or 0}
        return {**self.questions.settings(), **drawn}

    def generation(self) -> Parameters:
        """See the module."""
        top = TOP_LOGPROBS if self.questions.confidence == "logprobs" else None
        if self.protocol == "released":
            return replace(RELEASED, top_logprobs=top)
        cap = CAP if top is None or self.questions.search == "active" else LETTER_CAP
        return Parameters(max_tokens=cap, temperature=0.0, top_logprobs=top)

    def judging(self) -> Mapping[str, Parameters]:
        """Nobody judges."""
        return EMPTY

    def tally(self, samples: Collection[Sample] = ()) -> CsqaTally:
        """New, empty counters, and what guessing would score."""
        measures = {"none": (), "logprobs": (BY_LOGPROB, NORMALISED), "stated": (STATED,)}
        return CsqaTally(
            self.protocol,
            samples,
            scored=True,
            judged=False,
            cap=self.generation().max_tokens,
            sureness=measures[self.questions.confidence],
            searching=self.questions.search != "none",
            parsed=True,
            baselines=self._baselines(samples),
        )

    def _baselines(self, samples: Collection[Sample]) -> dict[str, float | None]:
        """In percent: the first option always, in the file's order and as shown, and one drawn blindly."""
        if not len(samples):
            return {}
        first = shown = 0
        chances = array("d")
        for sample in samples:
            first += sample.fields["gold"] == "A"
            shown += self._shown(sample).gold == "A"
            chances.append(1 / len(sample.fields["options"]))
        moved = {} if self.protocol == "released" else {"always A as shuffled": 100 * shown / len(samples)}
        return {"always A": 100 * first / len(samples), **moved, "chance": 100 * sum(chances) / len(samples)}

    def _shown(self, sample: Sample) -> Shuffled:
        options, gold = sample.fields["options"], sample.fields["gold"]
        if self.protocol == "released" or lists_options(sample.text, options):
            return Shuffled(options, gold, {letter: letter for letter in options})
        return shuffled(options, gold, self.option_seed or 0, sample.id)

    def seen(self, sample: Sample, result: CsqaResult) -> Seen:
        """Correct, not attempted, incorrect: of each 1 or 0."""
        return csqa_seen(result)

    async def evaluate(self, sample: Sample, ask: Ask) -> CsqaResult:
        """Asks, and reads the letter."""
        shown = self._shown(sample)
        raw = sample.fields["options_text"] if self.protocol == "released" else None
        options = self.questions.prompts.options_text(shown.options, raw)
        asked = await self.questions.ask(ask, sample.text, options)
        read = self._released if self.protocol == "released" else self._corrected
        grade, unparsed, sureness = read(asked.answer, shown)
        grades = None if grade is None else frozenset(grade)
        return CsqaResult(asked.answer, grades, unparsed=unparsed, search=asked.search, sureness=sureness, shown=shown)

    def _corrected(self, answer: Answer, shown: Shuffled) -> tuple[str | None, bool, tuple[Sureness, ...]]:
        """(grade, whether there was text but no letter, how sure)."""
        if not answer.text.strip():
            return (NOT_ATTEMPTED if answer.outcome in (Outcome.DECLINED, Outcome.FILTERED) else None), False, ()
        sureness: tuple[Sureness, ...] = ()
        text = letters_alone(answer.text, shown.options)
        if self.questions.confidence == "stated":
            letter, percent = parse_stated_confidence(text, shown.letters)
            sureness = (Sureness(STATED, None if letter is None else percent),)  # of no answer that could be right
        else:
            letter = parse_letter(text, shown.letters, "corrected")
            if self.questions.confidence == "logprobs":
                choice = read_logprob_choice(answer.logprobs, shown.letters)
                sureness = _by_tokens(choice if choice and letter and choice.letter == letter else None, shown.gold)
        if letter is None:
            return NOT_ATTEMPTED, True, sureness
        return (CORRECT if letter == shown.gold else INCORRECT), False, sureness

    def _released(self, answer: Answer, shown: Shuffled) -> tuple[str | None, bool, tuple[Sureness, ...]]:
        """As `pack/utils.py`: a to d in any case is an answer, but only the letter as the file has it can be right; else no value."""
        if not answer.text.strip():
            return None, False, ()
        said: str | None = answer.text.strip()
        sureness: tuple[Sureness, ...] = ()
        if not released_valid_answer(answer.text):
            return None, True, sureness
        if self.questions.confidence == "logprobs":
            choice = read_logprob_choice(answer.logprobs, shown.letters, "released")
            if choice is None:
                return None, False, _by_tokens(None, shown.gold)
            said, sureness = choice.letter, _by_tokens(choice, shown.gold)
        return (CORRECT if said == shown.gold else INCORRECT), False, sureness


def _by_tokens(choice: LogprobChoice | None, gold: str) -> tuple[Sureness, ...]:
    """The same confidence by both formulas."""
    if choice is None or choice.letter is None:
        return Sureness(BY_LOGPROB, None), Sureness(NORMALISED, None)
    return (
        Sureness(BY_LOGPROB, _bounded(choice.chosen), _bounded(choice.of(gold))),
        Sureness(NORMALISED, choice.normalised.get(choice.letter), choice.normalised.get(gold)),
    )


def _bounded(probability: float | None) -> float | None:
    """Servers have been seen to tell logarithms above 0."""
    return None if probability is None else min(1.0, probability)
