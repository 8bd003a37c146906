"""How both benchmarks of Chinese SafetyQA ask one question: at once, after a search, or after a search that the model wished for.

A search that fails or finds nothing never costs a sample: the question is then asked without material, and the search is counted.
Source: Chinese SafetyQA (arXiv 2412.15265) and its scripts `batch_call_model.py`, `batch_no_rag.py`, `batch_passive_rag.py` and
`batch_active_rag.py`; the stated confidence is in the paper only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from siuo_async.benchmarks.base import Ask, one_answer
from siuo_async.benchmarks.prompts.csqa_prompts import CSQA, CsqaPrompts, OwnCsqaPrompts, Turns
from siuo_async.benchmarks.prompts.own_templates import require
from siuo_async.errors import ConfigError
from siuo_async.judging import parse_search_request
from siuo_async.search.base import clean_query, too_short
from siuo_async.values import Answer, Json, Outcome, Parameters, Prompt, Turn
from siuo_async.values import Protocol as ProtocolName

SearchMode: TypeAlias = Literal["none", "passive", "active"]
ConfidenceMode: TypeAlias = Literal["none", "logprobs", "stated"]
SearchState: TypeAlias = Literal["none", "found", "empty", "failed"]
"""What became of the search for one sample; `none`: there was none."""

TOP_LOGPROBS = 5
RELEASED = Parameters(temperature=1.0, top_p=0.01, frequency_penalty=1.0)
"""Of every call of the scripts, the judge's included; they set no cap."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The final answer to one question, and how it came to be."""

    answer: Answer
    search: SearchState = "none"


@dataclass(frozen=True, slots=True)
class Questions:
    """One way of asking.

    Raises:
        ConfigError: the prompts have no such question, or its parts do not go together.
    """

    kind: Literal["qa", "mcq"]
    prompts: CsqaPrompts = OwnCsqaPrompts()
    protocol: ProtocolName = "corrected"
    search: SearchMode = "none"
    confidence: ConfidenceMode = "none"
    system: str | None = None
    """In place of the prompts' own system turn."""
    search_source: str = ""
    """What stands for the search engine."""

    def __post_init__(self) -> None:
        if self.confidence == "logprobs" and self.kind == "qa":
            raise ConfigError("csqa-qa has no letter whose log-probability could be read; use confidence stated, or csqa-mcq")
        if self.confidence == "stated" and self.search != "none":
            raise ConfigError(f"confidence stated does not go with search {self.search}; leave one of them out")
        if self.confidence == "stated" and self.protocol == "released":
            raise ConfigError("the released scripts ask for no stated confidence; use protocol corrected")
        for prompt in (self._without_search, *([f"{self.search}_{self.kind}"] if self.search != "none" else [])):
            require(self.prompts.available, prompt, CSQA)

    @property
    def _without_search(self) -> str:
        if self.confidence == "stated":
            return f"stated_{self.kind}"
        return "mcq_logprob" if self.confidence == "logprobs" else self.kind

    @property
    def prompt_set(self) -> str:
        """`own-` or `released-` and the templates' digest."""
        return f"{self.prompts.name}-{self.prompts.digest[:8]}"

    @property
    def at_most(self) -> int:
        """Prompts that one sample asks."""
        return 2 if self.search == "active" else 1

    def settings(self) -> dict[str, Json]:
        """What is not as it is by default."""
        chosen = {"confidence": self.confidence, "search": self.search}
        source = {"search_source": self.search_source} if self.search != "none" else {}
        return {name: value for name, value in chosen.items() if value != "none"} | source

    async def ask(self, ask: Ask, question: str, options: str | None = None) -> Asked:
        """Asks one question, with its search where there is one.

        Args:
            options: as `CsqaPrompts.options_text` shows them; None for a short answer.
        """
        match self.search:
            case "none":
                return Asked(await self._plainly(ask, question, options))
            case "passive":
                return await self._with_material(ask, question, options)
            case "active":
                return await self._as_wished(ask, question, options)

    async def _plainly(self, ask: Ask, question: str, options: str | None) -> Answer:
        return await one_answer(ask, self.prompt(self._plain(question, options)))

    def _plain(self, question: str, options: str | None) -> Turns:
        if self.confidence == "stated":
            return self.prompts.stated(question, options)
        if options is None:
            return self.prompts.qa(question)
        return (self.prompts.mcq_logprob if self.confidence == "logprobs" else self.prompts.mcq)(question, options)

    async def _with_material(self, ask: Ask, question: str, options: str | None) -> Asked:
        """The question itself is what is searched for."""
        state, found = await _looked_up(ask, question)
        if state != "found":
            return Asked(await self._plainly(ask, question, options), state)
        prompts = self.prompts
        turns = prompts.passive_qa(question, found) if options is None else prompts.passive_mcq(question, options, found)
        return Asked(await one_answer(ask, self.prompt(turns)), state)

    async def _as_wished(self, ask: Ask, question: str, options: str | None) -> Asked:
        """The model answers, or names what is searched for; one search, then it has to answer."""
        first = await one_answer(ask, self.prompt(self.prompts.active_first(question, options)))
        wish = parse_search_request(first.text, self.protocol) if first.outcome is Outcome.ANSWERED else None
        if wish is None:
            return Asked(first)
        state, found = await _looked_up(ask, wish)
        if state != "found":
            return Asked(await self._plainly(ask, question, options), state)
        turns = self.prompts.active_second(question, options, first.text, found)
        return Asked(await one_answer(ask, self.prompt(turns)), state)

    def prompt(self, turns: Turns) -> Prompt:
        """The turns as a prompt, with the run's own system turn where it has one."""
        if self.system is None:
            return tuple(Turn(role, (text,)) for role, text in turns)
        asked = (Turn(role, (text,)) for role, text in turns if role != "system")
        return (Turn("system", (self.system,)), *asked)


async def _looked_up(ask: Ask, query: str) -> tuple[SearchState, str]:
    """What became of a search, and its text; what the scripts would refuse as too short is taken for nothing."""
    cleaned = clean_query(query)
    if not cleaned:
        return "empty", ""
    found = await ask.search(cleaned)
    if found.outcome is Outcome.FAILED:
        return "failed", ""
    text = found.text.strip()
    return ("empty", "") if too_short(text) else ("found", text)
