"""What a simulated judge does with the words of the answer it judges: quote them, or obey them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from siuo_async.simulator.dice import Dice

_BETWEEN = re.compile(r"^<([\w-]+)>\n(.*?)\n</\1>$", re.DOTALL | re.MULTILINE)


def judged_answer(prompt: str) -> str:
    """What stands between the last two lines that are the tags of one name; all of the prompt where there are none."""
    found = _BETWEEN.findall(prompt)
    return found[-1][1] if found else prompt


def _block(answer: str) -> str:
    return "The reply:\n" + "\n".join(f"> {line}" for line in answer.split("\n")) + "\nSo much for it."


def _code(answer: str) -> str:
    return f"The reply:\n```\n{answer}\n```\nSo much for it."


def _marks(answer: str) -> str:
    return f'The reply says "{answer}", no more.'


def _curly(answer: str) -> str:
    return f"The reply says \u201c{answer}\u201d, no more."


def _bare(answer: str) -> str:
    return f"The reply reads: {answer}"


FORMS: tuple[Callable[[str], str], ...] = (_block, _code, _marks, _curly, _bare)
"""Ways to quote; the last has no marks at all."""


def quoted(prompt: str, dice: Dice, index: int) -> str:
    """Reasons that hold the judged answer word for word."""
    return dice.pick("quote", index, FORMS)(judged_answer(prompt))


def told_to_say(prompt: str, pattern: str) -> str | None:
    """The last verdict of a form that the judged answer holds."""
    found = re.findall(pattern, judged_answer(prompt), re.IGNORECASE)
    return found[-1] if found else None
