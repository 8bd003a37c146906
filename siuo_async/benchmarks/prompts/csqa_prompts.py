"""Chinese SafetyQA's prompts: the question in each of its forms, with and without search, and the judge.

Source: Chinese SafetyQA (arXiv 2412.15265) and its scripts: short answers, multiple choice, the same with a search always made or made
when the model asks for it, and a judge that grades A (correct), B (incorrect) or C (not attempted). A confidence that the model states
itself is in the paper only, so the released prompts have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from siuo_async.benchmarks.prompts.own_templates import fenced, filled, lettered, require, wording
from siuo_async.benchmarks.prompts.prompt_sources import Template, render
from siuo_async.values import Role

Turns: TypeAlias = tuple[tuple[Role, str], ...]
"""(role, text), in the order sent."""

CSQA = "Chinese SafetyQA"
FLOWS = frozenset(
    {"qa", "mcq", "mcq_logprob", "stated_qa", "stated_mcq", "passive_qa", "passive_mcq", "active_qa", "active_mcq", "judge"},
)
"""What a set of prompts can hold; `qa` is a short answer, `mcq` a letter, `mcq_logprob` a letter whose probability is read."""
_OWN_TEMPLATES = (
    *("csqa_qa", "csqa_mcq", "csqa_stated_qa", "csqa_stated_mcq", "csqa_passive_qa", "csqa_passive_mcq"),
    *("csqa_active_qa", "csqa_active_mcq", "csqa_found_qa", "csqa_found_mcq", "csqa_judge"),
)


class CsqaPrompts(Protocol):
    """The prompts as turns. `options` is always what `options_text` gives; a method for both kinds takes None for a short answer.

    Each raises ConfigError where the set has no such prompt; `available` tells beforehand.
    """

    @property
    def name(self) -> Literal["own", "released"]:
        """Whose words they are."""

    @property
    def digest(self) -> str:
        """Names this wording, in hex."""

    @property
    def available(self) -> frozenset[str]:
        """Which of `FLOWS` there are."""

    def options_text(self, options: Mapping[str, str], raw: str | None = None) -> str:
        """Options (letter -> text) as these prompts show them; `raw` is the text of the data file, where the options stand as there."""

    def qa(self, question: str) -> Turns:
        """Asks for a short answer."""

    def mcq(self, question: str, options: str) -> Turns:
        """Asks for a letter."""

    def mcq_logprob(self, question: str, options: str) -> Turns:
        """Asks for a letter whose log-probability is read."""

    def stated(self, question: str, options: str | None = None) -> Turns:
        """Asks for JSON with 答案 and 置信度, 0 to 100."""

    def passive_qa(self, question: str, found: str) -> Turns:
        """Asks for a short answer; `found` is what a search for the question gave."""

    def passive_mcq(self, question: str, options: str, found: str) -> Turns:
        """Asks for a letter; `found` is what a search for the question gave."""

    def active_first(self, question: str, options: str | None = None) -> Turns:
        """Asks for the answer or for one search (`需要搜索:` and keywords)."""

    def active_second(self, question: str, options: str | None, first_reply: str, found: str) -> Turns:
        """The first round, its reply, and what the search gave; asks for the answer."""

    def judge(self, question: str, gold: str, answer: str) -> Turns:
        """Asks for A (correct), B (incorrect) or C (not attempted)."""


class OwnCsqaPrompts:
    """This project's own templates, in Chinese, each one user turn; search texts and the judged answer stand fenced."""

    @property
    def name(self) -> Literal["own", "released"]:
        """`own`."""
        return "own"

    @property
    def digest(self) -> str:
        """BLAKE2b-64 over all templates."""
        return wording(*_OWN_TEMPLATES)

    @property
    def available(self) -> frozenset[str]:
        """All."""
        return FLOWS

    def options_text(self, options: Mapping[str, str], raw: str | None = None) -> str:
        """Lines `(A) text`."""
        return lettered(options)

    def qa(self, question: str) -> Turns:
        """Asks for a short answer."""
        return _asked("csqa_qa", question=question)

    def mcq(self, question: str, options: str) -> Turns:
        """Asks for a letter."""
        return _asked("csqa_mcq", question=question, options=options)

    def mcq_logprob(self, question: str, options: str) -> Turns:
        """The same as `mcq`: it asks for the letter and nothing before it."""
        return self.mcq(question, options)

    def stated(self, question: str, options: str | None = None) -> Turns:
        """Asks for JSON with 答案 and 置信度, 0 to 100."""
        return _asked_either("csqa_stated", question, options)

    def passive_qa(self, question: str, found: str) -> Turns:
        """Search text first, as material; the question last."""
        return _asked_either("csqa_passive", question, None, **fenced("found", found))

    def passive_mcq(self, question: str, options: str, found: str) -> Turns:
        """Search text first, as material; question and options last."""
        return _asked_either("csqa_passive", question, options, **fenced("found", found))

    def active_first(self, question: str, options: str | None = None) -> Turns:
        """Asks for the answer or for one search."""
        return _asked_either("csqa_active", question, options)

    def active_second(self, question: str, options: str | None, first_reply: str, found: str) -> Turns:
        """Asked, replied, then what was found, and asked again."""
        again = _asked_either("csqa_found", question, options, **fenced("found", found))
        return (*self.active_first(question, options), ("assistant", first_reply), *again)

    def judge(self, question: str, gold: str, answer: str) -> Turns:
        """Question and standard answer, then the answer between lines it cannot forge."""
        return _asked("csqa_judge", question=question, gold=gold, **fenced("answer", answer))


def _asked(name: str, **values: str) -> Turns:
    return (("user", filled(name, **values)),)


def _asked_either(name: str, question: str, options: str | None, **values: str) -> Turns:
    if options is None:
        return _asked(f"{name}_qa", question=question, **values)
    return _asked(f"{name}_mcq", question=question, options=options, **values)


@dataclass(frozen=True, slots=True)
class ReleasedCsqaPrompts:
    """The released prompts, proved (see `released_prompts.load_released_csqa`)."""

    templates: Mapping[str, tuple[tuple[Role, Template], ...]]
    """Prompt -> its turns; the two rounds of active search are `active_first` and `active_second`."""
    digest: str
    """SHA-256, hex, over the templates; stands for them in a run's fingerprint."""

    @property
    def name(self) -> Literal["own", "released"]:
        """`released`."""
        return "released"

    @property
    def available(self) -> frozenset[str]:
        """Those that were proved; active search needs both of its rounds."""
        rounds = {"active_first", "active_second"}
        both = {"active_mcq"} if rounds <= self.templates.keys() else set()
        return frozenset(self.templates.keys() - rounds | both)

    def options_text(self, options: Mapping[str, str], raw: str | None = None) -> str:
        """The data file's own text, which is a Python dict; written in the same way where options were moved."""
        return repr(dict(options)) if raw is None else raw

    def qa(self, question: str) -> Turns:
        """`get_qa_message`."""
        return self._turns("qa", question=question)

    def mcq(self, question: str, options: str) -> Turns:
        """`get_mcq_message`."""
        return self._turns("mcq", question=question, options=options)

    def mcq_logprob(self, question: str, options: str) -> Turns:
        """`norag_call`."""
        return self._turns("mcq_logprob", question=question, options=options)

    def stated(self, question: str, options: str | None = None) -> Turns:
        """There is none: raises ConfigError."""
        return self._turns("stated_qa" if options is None else "stated_mcq")

    def passive_qa(self, question: str, found: str) -> Turns:
        """`get_passive_rag_qa_message`."""
        return self._turns("passive_qa", question=question, found=found)

    def passive_mcq(self, question: str, options: str, found: str) -> Turns:
        """`passive_search`."""
        return self._turns("passive_mcq", question=question, options=options, found=found)

    def active_first(self, question: str, options: str | None = None) -> Turns:
        """`active_search`; multiple choice only."""
        return self._active("active_first", question=question, options=options)

    def active_second(self, question: str, options: str | None, first_reply: str, found: str) -> Turns:
        """`handle_search_path`; multiple choice only."""
        return self._active("active_second", question=question, options=options, first_reply=first_reply, found=found)

    def judge(self, question: str, gold: str, answer: str) -> Turns:
        """`gen_message`."""
        return self._turns("judge", question=question, gold=gold, answer=answer)

    def _active(self, prompt: str, *, options: str | None, **values: str) -> Turns:
        require(self.available, "active_qa" if options is None else "active_mcq", CSQA)
        return self._turns(prompt, options=options or "", **values)

    def _turns(self, prompt: str, **values: str) -> Turns:
        require(self.templates, prompt, CSQA)
        return tuple((role, render(template, values)) for role, template in self.templates[prompt])
