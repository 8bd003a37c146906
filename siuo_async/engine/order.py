"""The order in which samples are asked: the same for every model, balanced over categories, nested.

The released files are sorted by category, so a prefix of them measures one category. Here a prefix of any length holds each category
in about its share, the first N are among the first M > N, and nothing depends on the machine.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from hashlib import blake2b

from siuo_async.values import Sample


def balanced(samples: Sequence[Sample], seed: int) -> list[Sample]:
    """`samples` in a seeded hash order in which categories take turns by their share."""
    by_category: dict[tuple[str, ...], list[Sample]] = defaultdict(list)
    for sample in samples:
        by_category[sample.category].append(sample)
    placed: list[tuple[float, int, Sample]] = []
    for category, members in by_category.items():
        members.sort(key=lambda sample: _hash(seed, sample.id))
        shift = _hash(seed, "\0".join(category)) / 2**64
        placed += [((rank + shift) / len(members), _hash(seed, sample.id), sample) for rank, sample in enumerate(members)]
    placed.sort(key=lambda entry: entry[:2])
    return [sample for _, _, sample in placed]


def _hash(seed: int, text: str) -> int:
    return int.from_bytes(blake2b(f"{seed}\0{text}".encode(), digest_size=8).digest(), "big")
