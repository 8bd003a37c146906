"""Which samples belong together: those that share a picture, a question or, in data of one's own, a `cluster`.

What a model makes of one of them tells something of the others, so a new draw of samples would bring them together or not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from typing import Final

from siuo_async.values import Sample

FIELD: Final = "cluster"
"""The field by which rows of one's own data say what they belong to."""
_FEW: Final = 20
_MOST: Final = 0.1
"""Of the samples: a group above both is no source but a frame, as one question that is asked of every picture."""


def clusters_of(samples: Sequence[Sample]) -> list[int]:
    """The cluster of each sample, as the number of its first one.

    Where a question or a chain of shared questions would put more than a tenth of the samples together (and more than 20), pictures
    alone tell.
    """
    together = _united(samples, questions=True)
    if max(Counter(together).values(), default=0) <= max(_FEW, _MOST * len(samples)):
        return together
    return _united(samples, questions=False)


def _united(samples: Sequence[Sample], *, questions: bool) -> list[int]:
    """Union-find over what samples hold."""
    parent = list(range(len(samples)))

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    first: dict[Hashable, int] = {}
    for number, sample in enumerate(samples):
        for key in _keys(sample, questions=questions):
            one, other = root(first.setdefault(key, number)), root(number)
            parent[max(one, other)] = min(one, other)
    return [root(number) for number in range(len(samples))]


def _keys(sample: Sample, *, questions: bool) -> Iterator[Hashable]:
    for picture in sample.pictures:
        yield "picture", picture.sha256
    if (named := sample.fields.get(FIELD)) not in (None, ""):
        yield FIELD, str(named)
    if questions and (text := " ".join(sample.text.split()).casefold()):
        yield "question", text
