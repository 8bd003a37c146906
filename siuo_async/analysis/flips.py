"""The samples on which two models disagree: what a figure that moved is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from siuo_async.analysis.gathered import Item, Take
from siuo_async.benchmarks.seen import SeenAnswer

MOST_CHARS = 200


@dataclass(frozen=True, slots=True)
class Flip:
    """One sample that scores differently."""

    sample: str
    category: str
    before: float
    """What the first one scores on it, as in `Score.value`."""
    after: float
    before_answer: str
    """The beginning of an answer that speaks for the score; empty where it holds no text."""
    after_answer: str
    before_outcome: str
    after_outcome: str

    @property
    def gained(self) -> bool:
        """Whether the second one scores higher."""
        return self.after > self.before


def flips(a: Iterable[Item], b: Iterable[Item], labels: tuple[str, str], metric: str, ids: Sequence[str]) -> tuple[Flip, ...]:
    """The samples among `ids` that both decided and that score differently, the largest change first, then by id.

    Args:
        labels: of the model in `a` and of the one in `b`.
    """
    old, new = ({item.sample.id: item for item in items} for items in (a, b))
    found = []
    for name in ids:
        before, after = old[name].takes[labels[0]], new[name].takes[labels[1]]
        one, other = before.score(metric), after.score(metric)
        if one is None or other is None or one.value is None or other.value is None or one.value == other.value:
            continue
        answers = _telling(before, metric, one.value), _telling(after, metric, other.value)
        found.append(
            Flip(
                name,
                " / ".join(new[name].sample.category),
                one.value,
                other.value,
                *(answer.answer.text[:MOST_CHARS] if answer else "" for answer in answers),
                *(str(answer.answer.outcome) if answer else "" for answer in answers),
            )
        )
    return tuple(sorted(found, key=lambda flip: (-abs(flip.after - flip.before), flip.gained, flip.sample)))


def _telling(take: Take, metric: str, value: float) -> SeenAnswer | None:
    """An answer that scores as its sample does, else the first."""
    if take.seen is None or not take.seen.answers:
        return None
    score = take.score(metric)
    scored = score.answers if score else ()
    if len(scored) == len(take.seen.answers):
        for answer, own in zip(take.seen.answers, scored, strict=True):
            if own == value:
                return answer
    return take.seen.answers[0]
