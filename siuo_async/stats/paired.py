"""Tests of two models on the same samples, all of them exact where a computer can be.

Both ask: if the two models were alike, so that each difference could as well have the other sign, how often would the sum of the
differences be at least as far from zero as it is?
"""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

DRAWS: Final = 9_999
"""Of the Monte Carlo test."""
_MOST_STEPS: Final = 1 << 22
"""Of the exact distribution, in memory 8 bytes each; 20,000 samples of 60 steps fit."""
_CHUNK: Final = 1 << 22
"""Signs drawn at once."""
_MOST_ANSWERS: Final = 64
_SAME: Final = 1e-9
"""Sums that differ by less, in units of the largest one, are equal: thirds are no binary fractions."""


def mcnemar(only_a: int, only_b: int) -> float:
    """The two-sided mid-p value of McNemar's test.

    p = 2 P(X < m) + P(X = m) with X binomial(only_a + only_b, 1/2) and m the smaller count; 1 where the counts are equal.

    Source: M. W. Fagerland, S. Lydersen and P. Laake, "The McNemar test for binary matched-pairs data: mid-p and asymptotic are
    better than exact conditional", BMC Medical Research Methodology 13 (2013), 91, section "The McNemar mid-p test".

    Raises:
        ValueError: a negative count.
    """
    if min(only_a, only_b) < 0:
        raise ValueError(f"counts cannot be negative, got {only_a} and {only_b}")
    if only_a == only_b:
        return 1.0
    m, n = min(only_a, only_b), only_a + only_b
    below = float(bdtr(m - 1, n, 0.5)) if m else 0.0
    return below + float(bdtr(m, n, 0.5))


def sign_flip(differences: Sequence[float] | Floats, clusters: Sequence[int] | Ints | None = None, *, seed: int = 0) -> float:
    """The two-sided p-value of the paired permutation test on the sum of `differences`; those of one cluster turn together.

    Exact where the clusters' sums are multiples of one step, as means over n answers are: the distribution of the sum over all
    2^m flips comes from one Fourier transform of its characteristic function, the product of cos(t |s|) over the clusters. Else
    9,999 seeded draws, with the observed signs counted as one more, (r + 1)/(draws + 1).

    Sources: R. A. Fisher, "The Design of Experiments", 1935, section 21 (the test); B. Phipson and G. K. Smyth, "Permutation
    p-values should never be zero", Statistical Applications in Genetics and Molecular Biology 9 (2010), 39 (the one more).

    Args:
        differences: of each sample.
        clusters: whole numbers, alike where samples belong together; None: each sample by itself.
    """
    sums = np.asarray(differences, dtype=float)
    if clusters is not None and len(sums):
        sums = np.bincount(np.unique(np.asarray(clusters), return_inverse=True)[1], weights=sums)
    sizes = np.abs(sums)
    sums = sums[sizes > _SAME * max(1.0, float(sizes.max(initial=0.0)))]
    if not len(sums):
        return 1.0
    steps = _in_steps(sums)
    return _exact(steps) if steps is not None else _drawn(sums, seed)


def _in_steps(sums: Floats) -> Ints | None:
    """The sums in whole steps of 1/lcm(1, ..., n) for the smallest n that fits; None where none does, or the steps are too many."""
    parts = 1
    for answers in range(1, _MOST_ANSWERS + 1):
        parts = lcm(parts, answers)
        scaled = sums * parts
        if float(np.abs(scaled).sum()) > _MOST_STEPS:
            return None
        whole = np.rint(scaled)
        if bool(np.all(np.abs(scaled - whole) < 1e-6)):
            return whole.astype(np.int64)
    return None


def _exact(steps: Ints) -> float:
    sizes, counts = np.unique(np.abs(steps), return_counts=True)
    common = int(np.gcd.reduce(sizes))
    sizes //= common
    observed = abs(int(steps.sum())) // common
    total = int((sizes * counts).sum())
    if observed == 0:
        return 1.0
    # Sums go from -total to total in twos: with u = (sum + total)/2 in 0..total, total + 1 points hold the whole distribution.
    length = 1 << total.bit_length()  # more than total
    angles = 2 * np.pi * np.arange(length // 2 + 1) / length
    spectrum = np.ones(len(angles), dtype=complex)
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        spectrum *= ((1 + np.exp(-1j * angles * size)) / 2) ** count
    chances = np.fft.irfft(spectrum, length)[: total + 1]
    tail = float(chances[: (total - observed) // 2 + 1].sum())
    # Below what rounding leaves of the transform there is still the smallest value that this test can have.
    return min(1.0, max(2 * tail, 2.0 ** (1 - len(steps)), 0.0))


def _drawn(sums: Floats, seed: int) -> float:
    random = np.random.default_rng(seed)
    observed = abs(float(sums.sum())) * (1 - _SAME)
    beyond = done = 0
    at_once = max(1, _CHUNK // len(sums))
    while done < DRAWS:
        count = min(at_once, DRAWS - done)
        bits = np.unpackbits(np.frombuffer(random.bytes(count * -(-len(sums) // 8)), dtype=np.uint8).reshape(count, -1), axis=1)
        drawn = 2 * (bits[:, : len(sums)].astype(float) @ sums) - sums.sum()
        beyond += int((np.abs(drawn) >= observed).sum())
        done += count
    return (beyond + 1) / (DRAWS + 1)
