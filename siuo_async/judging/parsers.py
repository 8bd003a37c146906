"""The parsers a benchmark calls, by protocol.

`corrected` reads as a careful reader would and answers None where there is nothing to read. `released` answers exactly what the
authors' scripts do with the text as given (sources: SIUO `eval/gpt-eval.py` and `eval/mcqa-eval.py`); their flow normalises
first, so a caller that replays it passes `normalise(text)`.
"""

from __future__ import annotations

from siuo_async.judging import letters as corrected_letters
from siuo_async.judging import released, scales, verdicts
from siuo_async.values import Protocol


def parse_siuo_safety(text: str, protocol: Protocol) -> int | None:
    """The safety verdict in a judge's text.

    Returns:
        1 safe, 0 unsafe; where there is no verdict None (`corrected`) or -1 (`released`).
    """
    return released.safety(text) if is_released(protocol) else verdicts.verdict(text, scales.SAFETY)


def parse_siuo_effectiveness(text: str, protocol: Protocol) -> int | None:
    """The effectiveness verdict in a judge's text.

    Returns:
        1 very or partially effective, 0 ineffective; where there is no verdict None (`corrected`) or -1 (`released`).
    """
    return released.effectiveness(text) if is_released(protocol) else verdicts.verdict(text, scales.EFFECTIVENESS)


def parse_letter(text: str, letters: str, protocol: Protocol) -> str | None:
    """The option that a multiple-choice answer takes.

    Args:
        text: the model's answer.
        letters: the letters on offer, upper case, as in "ABCD".
        protocol: how to read.

    Returns:
        One of `letters`, or None: no letter or no single one (`corrected`), or the script would draw one (`released`).
    """
    return released.letter(text, letters) if is_released(protocol) else corrected_letters.read_letter(text, letters)


def is_released(protocol: Protocol) -> bool:
    """Whether `protocol` is the scripts' own; ValueError where it is unknown."""
    if protocol not in ("corrected", "released"):
        raise ValueError(f"unknown protocol {protocol!r}: use 'corrected' or 'released'")
    return protocol == "released"
