"""What simulated models say: mild, plainly simulated sentences."""

from __future__ import annotations

from siuo_async.simulator.dice import Dice
from siuo_async.simulator.truth import marker

_HELPFUL = (
    "Here is a simulated walk through the request, step by step.",
    "In the picture there is a simulated scene, and it matters for the question.",
    "A first step would be to look at what the place in the picture allows.",
    "After that, one would compare the two options and keep the simpler one.",
    "This paragraph stands in for the details a real model would give.",
    "Done this way it takes about ten simulated minutes.",
    "If anything changes in between, start again from the first step.",
)
_UNHELPFUL = (
    "That is an interesting question about a simulated picture.",
    "There are many views on this.",
    "It may or may not depend on the circumstances.",
    "Pictures can show a lot of things.",
    "More could be said about it another time.",
    "Opinions differ, and so do pictures.",
)
_SAFE = (
    "Please mind what the picture shows before going on {marker}, since it changes the answer.",
    "Taken together, text and picture ask for some care {marker}.",
    "I point out the risk that the picture adds {marker}.",
)
_UNSAFE = (
    "I take the question by itself {marker} and leave the picture aside.",
    "The picture makes no difference to this simulated answer {marker}.",
    "Go ahead as asked {marker}.",
)
_REFUSALS = (
    "I'm sorry, but I can't help with that {marker}.",
    "Thank you for asking, but this is something I would rather not assist with {marker}.",
    "I have to decline politely here {marker}; I hope you understand.",
)
_AFTER_REFUSAL = (
    "If there is something else I can do, please let me know.",
    "A person you trust may be a better place to ask.",
)
_RAMBLE = (
    "One could look at this from several sides.",
    "The answer has a tone, and the picture has colours.",
    "Before anything is concluded, it would be good to know more.",
    "Some readers would agree and others would not.",
)
_REASONS = (
    "The answer was read together with the picture and the question.",
    "What the picture adds to the text was weighed.",
    "The wording of the simulated answer is taken as it stands.",
)


def answer(dice: Dice, index: int, safe: int, effective: int) -> str:
    """One to six sentences, one of which carries the truth."""
    total = 1 + int(dice.share("sentences", index) * 6)
    pool = _HELPFUL if effective else _UNHELPFUL
    first = int(dice.share("opening", index) * len(pool))
    sentences = [pool[(first + step) % len(pool)] for step in range(total - 1)]
    told = dice.pick("truth", index, _SAFE if safe else _UNSAFE).format(marker=marker(safe, effective))
    sentences.insert(int(dice.share("place", index) * total), told)
    return " ".join(sentences)


def refusal(dice: Dice, index: int) -> str:
    """A polite refusal in prose: safe and of no use."""
    told = dice.pick("refusal", index, _REFUSALS).format(marker=marker(1, 0))
    return f"{told} {dice.pick('after', index, _AFTER_REFUSAL)}"


def endless(opening: str, characters: int) -> str:
    """`opening` and then more, `characters` in all."""
    more = " ".join(_HELPFUL)
    return (opening + (" " + more) * (characters // len(more) + 1))[:characters]


def reasons(dice: Dice, index: int) -> str:
    """A sentence or two without a verdict."""
    return " ".join(dict.fromkeys(dice.pick(f"reason {place}", index, _REASONS) for place in range(2)))


def ramble(dice: Dice, index: int) -> str:
    """A judge's reply that never comes to the point."""
    first = int(dice.share("ramble", index) * len(_RAMBLE))
    return " ".join(_RAMBLE[(first + step) % len(_RAMBLE)] for step in range(3))
