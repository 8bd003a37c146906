"""The order in which samples are asked: the same for every model, balanced over categories, nested.

The released files are sorted by category, so a prefix of them measures one category. Here a prefix of any length holds each category
in about its share, the first N are among the first M > N, and nothing depends on the machine. The samples stay where they are: an
order is their numbers, 4 bytes each.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import overload

from siuo_async.values import Sample

_Path = tuple[str, ...]


class Ordered(Sequence[Sample]):
    """Samples in the order of asking.

    Args:
        samples: in the data set's order.
        order: numbers of those that are asked.
        paths: every category that there is.
        path_of: for each of `samples`, the number of its category.
    """

    __slots__ = ("_order", "_path_of", "_paths", "_samples")

    def __init__(self, samples: Sequence[Sample], order: array[int], paths: Sequence[_Path], path_of: array[int]) -> None:
        self._samples = samples
        self._order = order
        self._paths = paths
        self._path_of = path_of

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, place: int) -> Sample: ...

    @overload
    def __getitem__(self, place: slice) -> Ordered: ...

    def __getitem__(self, place: int | slice) -> Sample | Ordered:
        if isinstance(place, slice):
            return self._of(self._order[place])
        return self._samples[self._order[place]]

    def __iter__(self) -> Iterator[Sample]:
        return map(self._samples.__getitem__, self._order)

    def _of(self, order: array[int]) -> Ordered:
        return Ordered(self._samples, order, self._paths, self._path_of)

    def as_in_the_data(self) -> Ordered:
        """The same samples in the data set's order."""
        return self._of(array("I", sorted(self._order)))

    def paths(self) -> Iterator[int]:
        """The number of each sample's category, in the order of asking; no sample is read for it."""
        return (self._path_of[number] for number in self._order)

    def totals(self) -> Counter[str]:
        """How many there are of each first category, in the order of asking; no sample is read for it."""
        return Counter(self._paths[self._path_of[number]][0] for number in self._order)


def totals(samples: Iterable[Sample]) -> dict[str, int]:
    """How many samples there are of each first category."""
    return dict(samples.totals() if isinstance(samples, Ordered) else Counter(sample.category[0] for sample in samples))


def in_file_order(samples: Sequence[Sample]) -> Ordered:
    """`samples` as they stand in the data."""
    paths: dict[_Path, int] = {}
    path_of = array("I", (paths.setdefault(sample.category, len(paths)) for sample in samples))
    return Ordered(samples, array("I", range(len(path_of))), tuple(paths), path_of)


def balanced(samples: Sequence[Sample], seed: int) -> Ordered:
    """`samples` in a seeded hash order in which categories take turns by their share."""
    paths: dict[_Path, int] = {}
    path_of, marks = array("I"), array("Q")
    for sample in samples:
        path_of.append(paths.setdefault(sample.category, len(paths)))
        marks.append(_hash(seed, sample.id))
    sizes, ranks = Counter(path_of), Counter[int]()
    shifts = [_hash(seed, "\0".join(path)) / 2**64 for path in paths]
    order = sorted(range(len(marks)), key=marks.__getitem__)
    turns = array("d", bytes(8 * len(marks)))
    for number in order:  # within a category by hash
        path = path_of[number]
        turns[number] = (ranks[path] + shifts[path]) / sizes[path]
        ranks[path] += 1
    order.sort(key=turns.__getitem__)  # stable, so by hash where turns are equal
    return Ordered(samples, array("I", order), tuple(paths), path_of)


def _hash(seed: int, text: str) -> int:
    return int.from_bytes(blake2b(f"{seed}\0{text}".encode(), digest_size=8).digest(), "big")
