"""Log-probabilities of a simulated text, token by token. Pure.

The first token that names a shown option carries `letter_shares`; all other tokens have plausible values. What was put in can
be recomputed from the dice of the call.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence

from siuo_async.simulator.dice import Dice
from siuo_async.simulator.wire import Token

_TOKEN = re.compile(r"\s?[A-Za-z]{1,6}|\s?[0-9]{1,3}|[\u4e00-\u9fff]{1,2}|\s+|.", re.DOTALL)
_FILLERS = (
    "The",
    "I",
    "It",
    "Please",
    "This",
    "Answer",
    "Option",
    "None",
    "In",
    "Based",
    "To",
    "As",
    "We",
    "答案",
    "选",
    "我",
    "这",
    "根据",
    "Sure",
    "Yes",
    "No",
    "If",
)


def letter_shares(letters: Sequence[str], chosen: str, dice: Dice, index: int) -> Mapping[str, float]:
    """Probability of each letter, `chosen` the likeliest; in all between 0.9 and 0.99, since other tokens are possible too."""
    weights = [0.001 - math.log(1 - dice.share(f"weight {letter}", index)) for letter in letters]
    place, largest = letters.index(chosen), weights.index(max(weights))
    weights[place], weights[largest] = weights[largest], weights[place]
    mass = 0.9 + 0.09 * dice.share("letter mass", index)
    return {letter: mass * weight / sum(weights) for letter, weight in zip(letters, weights, strict=True)}


def tokens_of(text: str, letters: Sequence[str], top: int, dice: Dice, index: int) -> tuple[Token, ...]:
    """The tokens of `text`, which they make up when joined, each with its `top` likeliest alternatives, itself among them.

    Args:
        letters: of the options that the prompt shows; empty where it shows none.
        top: 0 to 20.
    """
    told: list[Token] = []
    lettered = False
    for place, found in enumerate(_TOKEN.finditer(text)):
        piece = found[0]
        letter = piece.strip().upper()
        if not lettered and letter in letters:
            lettered = True
            shares = letter_shares(letters, letter, dice, index)
            # What is meant may be written in another way than the bare letter: then that is the likeliest token.
            likely = {piece if name == letter else name: share for name, share in shares.items()}
        else:
            likely = {piece: 0.5 + 0.49 * dice.share(f"token {place}", index)}
        told.append(_token(piece, likely, top))
    return tuple(told)


def _token(piece: str, likely: Mapping[str, float], top: int) -> Token:
    ranked = sorted([*likely.items(), *_others(likely)], key=lambda each: -each[1])[:top]
    return Token(piece, math.log(likely[piece]), tuple((name, math.log(share)) for name, share in ranked))


def _others(likely: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    """Tokens that share, each half of the one before, what `likely` leaves."""
    left = 1 - sum(likely.values())
    for filler in _FILLERS:
        if filler not in likely:
            left /= 2
            yield filler, left
