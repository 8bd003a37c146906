"""The simulated models, as data: one table of rates and switches.

A judge of known error has its rates in its name: `judge-errs_10_5` calls 10% of what is good bad and 5% of what is bad good (one
number: both), and `judge-errs_10_5_blunt_30_20` does so with 30% and 20% of what the persona `blunt` answered; more may follow. Good
is what counts as 1: safe, effective, refused, correct, yes, the upper end of a scale. Each call errs by a draw of its own, so that the
same judge asked again may say otherwise, and two such judges err independently.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from siuo_async.simulator.wire import Problem

PREFIXES = ("openai-", "anthropic-", "gemini-")


class Mischief(StrEnum):
    """What can go wrong on the way, seen by the first try of a call only."""

    SERVER = "server"
    RESET = "reset"
    CUT = "cut"
    BLANKS = "blanks"
    HTML = "html"


@dataclass(frozen=True, slots=True)
class Persona:
    """What one simulated model does. Shares are in [0, 1]."""

    safe: float = 0.9
    effective: float = 0.8
    usb: tuple[float, float] = (0.35, 0.5)
    """Shares of answers that are safe with refusal and safe with warning; the rest is unsafe."""
    refused: float = 0.08
    """Share of answers that turn a request down, whatever it is."""
    grade: tuple[float, float] = (0.7, 0.2)
    """Shares of answers that are correct and incorrect; the rest was not attempted."""
    chooses: Literal["drawn", "first", "longest"] = "drawn"
    """Which option is meant where there are options: any, the first shown, the one with the longest text."""
    searches: float = 0.0
    """Share of calls that ask for a search where they may."""
    search_mark: str = "需要搜索:"
    """What stands before the keywords."""
    refuses: bool = False
    """Every answer is a polite refusal in plain prose."""
    thinking_tokens: int = 0
    """Spent from the cap before the first visible token."""
    declined: float = 0.0
    """Share of answers with the API's refusal signal."""
    declined_text: bool = False
    """Whether declined answers hold some text all the same."""
    filtered: float = 0.0
    """Share of answers taken away by the provider's filter."""
    empty: float = 0.0
    """Share of answers that stop without text."""
    prompt_filtered: float = 0.0
    """Share of calls whose prompt is blocked."""
    bad_request: float = 0.0
    """Share of calls answered by a 400 that names nothing."""
    fewer: bool = False
    """Asked for n > 1 answers, gives n - 1."""
    long: bool = False
    """Writes until the cap cuts it."""
    max_n: int | None = None
    rejects: tuple[str, ...] = ()
    """Parameters that are refused where they are present."""
    always: Problem | None = None
    """The error that every call gets."""
    mischief: tuple[tuple[Mischief, float], ...] = ()
    delay_s: float = 0.0
    """On top of the latency; infinite: never answers."""
    judge: bool = False
    odd: bool = False
    """Verdicts, letters and stated confidences in unusual yet readable forms."""
    unreadable: float = 0.0
    """Share of replies without what was asked for: a verdict, a letter, a stated confidence."""
    cut: float = 0.0
    """Judge: share of replies cut before the verdict where the cap is below `JUDGE_NEEDS` tokens."""
    harsh: float = 0.0
    """Judge: share of good answers called bad; what is of use stays so."""
    quotes: bool = False
    """Judge: puts the whole judged answer into its reasons, or, in prose, sometimes behind its verdict, in one of several forms."""
    obeys: bool = False
    """Judge: says what the judged answer tells it to say, where that looks like a verdict."""
    errs: tuple[float, float] = (0.0, 0.0)
    """Judge: shares of good answers called bad, and of bad ones called good."""
    errs_on: tuple[tuple[str, float, float], ...] = ()
    """Judge: the same for the answers of some personas, by name."""


JUDGE_NEEDS = 4_000

_FLAKY = (
    (Mischief.SERVER, 0.15),
    (Mischief.RESET, 0.05),
    (Mischief.CUT, 0.05),
    (Mischief.BLANKS, 0.05),
    (Mischief.HTML, 0.03),
)

_STRUCTURED = ("response_format", "output_config.format", "responseJsonSchema", "responseSchema", "responseMimeType")

PERSONAS: Mapping[str, Persona] = MappingProxyType(
    {
        "careful": Persona(),
        "blunt": Persona(safe=0.45, effective=0.92, usb=(0.1, 0.25), refused=0.01, grade=(0.6, 0.38)),
        "terse": Persona(safe=0.70, effective=0.45, usb=(0.3, 0.3), refused=0.15, grade=(0.5, 0.2)),
        "refuser": Persona(refuses=True),
        "thinker": Persona(thinking_tokens=3_000),
        "decliner": Persona(declined=0.3),
        "decliner-text": Persona(declined=0.3, declined_text=True),
        "filtered-prompt": Persona(prompt_filtered=0.25),
        "filtered-answer": Persona(filtered=0.25),
        "empty": Persona(empty=0.2),
        "fewer": Persona(fewer=True),
        "flaky": Persona(mischief=_FLAKY),
        "broken": Persona(always=Problem.SERVER),
        "badrequest": Persona(bad_request=0.2),
        "refusing-parameters": Persona(rejects=("temperature", "max_tokens")),
        "no-n": Persona(max_n=1),
        "quota": Persona(always=Problem.QUOTA),
        "on-hold": Persona(always=Problem.ON_HOLD),
        "long": Persona(long=True),
        "slow": Persona(delay_s=3.0),
        "hang": Persona(delay_s=math.inf),
        "mixed": Persona(declined=0.1, filtered=0.1, empty=0.1, prompt_filtered=0.1, bad_request=0.1),
        "mcq-odd": Persona(odd=True),
        "mcq-unparsed": Persona(unreadable=0.2),
        "mcq-first": Persona(chooses="first"),
        "mcq-longest": Persona(chooses="longest"),
        "confident-odd": Persona(odd=True, unreadable=0.1),
        "searcher": Persona(searches=0.5),
        "searcher-odd": Persona(searches=0.5, search_mark="需要搜索："),
        "judge": Persona(judge=True),
        "judge-odd": Persona(judge=True, odd=True),
        "judge-unreadable": Persona(judge=True, unreadable=0.2),
        "judge-declines": Persona(judge=True, declined=0.2),
        "judge-filtered": Persona(judge=True, prompt_filtered=0.2),
        "judge-cut": Persona(judge=True, cut=0.2),
        "judge-harsh": Persona(judge=True, harsh=0.1),
        "judge-quotes": Persona(judge=True, quotes=True),
        "judge-quotes-prose": Persona(judge=True, quotes=True, rejects=_STRUCTURED),
        "judge-gullible": Persona(judge=True, obeys=True),
        "judge-no-schema": Persona(judge=True, rejects=_STRUCTURED),
        "judge-broken": Persona(judge=True, always=Problem.SERVER),
    }
)


def persona_name(model: str) -> str:
    """The name in `PERSONAS` that `model` means: without one of `PREFIXES`."""
    for prefix in PREFIXES:
        if model.startswith(prefix):
            return model[len(prefix) :]
    return model


_ERRING = re.compile(r"judge-errs((?:_\d{1,3}(?:\.\d+)?){1,2})((?:_[a-z-]+(?:_\d{1,3}(?:\.\d+)?){1,2})*)")
_ERRING_ON = re.compile(r"_([a-z-]+)((?:_\d{1,3}(?:\.\d+)?){1,2})")


@lru_cache(maxsize=256)
def persona_of(name: str) -> Persona | None:
    """The persona of a name: in `PERSONAS`, or a judge with its error rates in its name; None where there is none."""
    if (found := PERSONAS.get(name)) is not None or (told := _ERRING.fullmatch(name)) is None:
        return found
    errs_on = tuple((on[1], *_rates(on[2])) for on in _ERRING_ON.finditer(told[2]))
    rates = (_rates(told[1]), *(on[1:] for on in errs_on))
    return Persona(judge=True, errs=rates[0], errs_on=errs_on) if all(max(pair) <= 1 for pair in rates) else None


def _rates(percent: str) -> tuple[float, float]:
    """`_10_5` as shares; one number stands for both."""
    first, *second = (float(each) / 100 for each in percent[1:].split("_"))
    return first, second[0] if second else first
