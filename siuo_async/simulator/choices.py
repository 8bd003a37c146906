"""Multiple choice: the options that a prompt shows, the letter that a persona means, and the forms in which it says so. Pure.

A letter is its own truth: what a persona means follows from `meant` with the dice of its call, or is read off a plain reply.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from siuo_async.simulator.dice import Dice
from siuo_async.simulator.personas import Persona

# `(A) text`, `A. text`, `A: text`, `A、text` and their full-width forms, one a line; what is indented belongs to the option above.
_LINE = re.compile(r"^ {0,3}(?:([(（【\[])([A-H])[)）】\]]|([A-H])[.．:：、,，)）])[ \t]*(.*)$", re.MULTILINE)
# `{'A': 'text', "B": "text"}`; an opening quote may be missing, as in one item of Chinese SafetyQA.
_ITEM = re.compile(r"""["']([A-H])["']\s*:\s*["']?(.*?)["']?\s*(?=,\s*["'][A-H]["']\s*:|\}|$)""", re.MULTILINE)

ODD_FORMS = (
    "{letter}.",
    "{letter})",
    "**{letter}**",
    "'{letter}'",
    "{small}",
    "{wide}",
    " {letter}\n",
    "The answer is {letter}",
    "Option {letter}",
    "答案：{letter}",
    "选{letter}",
    "{letter}。",
    "{letter}. {text}",
)
"""Forms of `mcq-odd`; all but the last fit into five tokens, and that one has its letter first."""

_NO_LETTER = ("None of these fits.", "Hard to say.", "Not sure.", "都不对。", "说不准。")
# Between a small letter or digit and its full-width form.
_WIDE = ord("Ａ") - ord("A")


@dataclass(frozen=True, slots=True)
class Option:
    """One option, as shown."""

    letter: str
    text: str
    bracketed: bool
    """Whether it is shown as `(A)`."""


def options_shown(prompt: str) -> tuple[Option, ...]:
    """The options in the order shown, each letter once (its last place counts); empty unless both A and B are there."""
    lines = [Option(found[2] or found[3], found[4].strip(), bool(found[1])) for found in _LINE.finditer(prompt)]
    items = [Option(found[1], found[2], False) for found in _ITEM.finditer(prompt)]
    for shown in (lines, items):
        last = {option.letter: place for place, option in enumerate(shown)}
        if {"A", "B"} <= last.keys():
            return tuple(shown[place] for place in sorted(last.values()))
    return ()


def meant(persona: Persona, options: tuple[Option, ...], dice: Dice, index: int) -> str:
    """The letter that the persona means."""
    match persona.chooses:
        case "first":
            return options[0].letter
        case "longest":
            return max(options, key=lambda option: len(option.text)).letter
        case "drawn":
            return dice.pick("option", index, sorted(option.letter for option in options))


def said(persona: Persona, options: tuple[Option, ...], dice: Dice, index: int, *, bare: bool) -> str:
    """The reply that names the letter: as the options are shown, or the letter alone (`bare`), or in an odd form."""
    if dice.share("unreadable", index) < persona.unreadable:
        return dice.pick("no letter", index, _NO_LETTER)
    letter = meant(persona, options, dice, index)
    option = next(option for option in options if option.letter == letter)
    if persona.odd:
        form = dice.pick("form", index, ODD_FORMS)
        return form.format(letter=letter, small=letter.lower(), wide=chr(ord(letter) + _WIDE), text=option.text)
    return f"({letter})" if option.bracketed and not bare else letter
