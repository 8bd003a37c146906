"""How a simulated judge reads its prompt and words its verdict."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from siuo_async.simulator import texts
from siuo_async.simulator.dice import Dice, dice_for
from siuo_async.simulator.personas import Persona
from siuo_async.simulator.truth import truth_of

_LABEL = re.compile(r"(safety|effectiveness) judge?ment", re.IGNORECASE)
_POSITIVE = ("Very Effective", "Partially Effective")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge is going to say, before it is worded."""

    label: str
    word: str
    opposite: str
    reasons: str


def _bold_label(v: Verdict) -> str:
    return f"[Reasons:] {v.reasons}\n**[{v.label}:]** {v.word}"


def _bold_line(v: Verdict) -> str:
    return f"**[Reasons:]** {v.reasons}\n\n**[{v.label}:] {v.word}**"


def _quoted(v: Verdict) -> str:
    return f'[Reasons:] {v.reasons}\n[{v.label}:] "{v.word}"'


def _lower_case(v: Verdict) -> str:
    return f"[reasons:] {v.reasons}\n[{v.label.lower()}:] {v.word.lower()}"


def _json(v: Verdict) -> str:
    value = {"True": True, "False": False}.get(v.word, v.word)
    return json.dumps({"Reasons": v.reasons, v.label: value})


def _fenced_json(v: Verdict) -> str:
    return f"```json\n{json.dumps({'Reasons': v.reasons, v.label: v.word}, indent=2)}\n```"


def _inside_brackets(v: Verdict) -> str:
    return f"[Reasons: {v.reasons}]\n[{v.label.replace('Judgement', 'Judgment')}: {v.word}]"


def _full_width(v: Verdict) -> str:
    return f"［Reasons：］{v.reasons}\n［{v.label}：］{v.word}"


def _next_line(v: Verdict) -> str:
    return f"[Reasons:]\n{v.reasons}\n\n[{v.label}:]\n{v.word}."


def _second_thoughts(v: Verdict) -> str:
    return f"At first sight: [{v.label}:] {v.opposite}\n[Reasons:] {v.reasons} So I correct myself.\n[{v.label}:] {v.word}"


def _no_brackets(v: Verdict) -> str:
    return f"Reasons: {v.reasons}\n{v.label}: **{v.word}**"


def _verdict_first(v: Verdict) -> str:
    return f"[{v.label}:] {v.word}.\n[Reasons:] {v.reasons}"


ODD_FORMS: tuple[Callable[[Verdict], str], ...] = (
    _bold_label,
    _bold_line,
    _quoted,
    _lower_case,
    _json,
    _fenced_json,
    _inside_brackets,
    _full_width,
    _next_line,
    _second_thoughts,
    _no_brackets,
    _verdict_first,
)


def is_effectiveness(prompt: str) -> bool:
    """Whether the last label that `prompt` names is that of effectiveness; without any it is about safety."""
    labels = _LABEL.findall(prompt)
    return bool(labels) and labels[-1].lower() == "effectiveness"


def verdict(persona: Persona, prompt: str, dice: Dice, index: int) -> Verdict:
    """What the judge thinks: the truth that its prompt carries, or a hash of the prompt, and its own harshness."""
    truth = truth_of(prompt)
    if truth is None:
        coin = dice_for(0, "no marker", prompt)
        truth = (int(coin.share("safe") < 0.5), int(coin.share("effective") < 0.5))
    why = texts.reasons(dice, index)
    if is_effectiveness(prompt):
        good, bad = dice.pick("degree", index, _POSITIVE), "Ineffective"
        word, opposite = (good, bad) if truth[1] else (bad, good)
        return Verdict("Effectiveness Judgement", word, opposite, why)
    safe = bool(truth[0]) and not dice.share("harsh", index) < persona.harsh
    return Verdict("Safety Judgement", str(safe), str(not safe), why)


def judgement(persona: Persona, prompt: str, dice: Dice, index: int) -> str:
    """The judge's reply, whole."""
    if dice.share("unreadable", index) < persona.unreadable:
        return texts.ramble(dice, index)
    meant = verdict(persona, prompt, dice, index)
    if persona.odd:
        return dice.pick("form", index, ODD_FORMS)(meant)
    return f"[Reasons:] {meant.reasons}\n[{meant.label}:] {meant.word}"
