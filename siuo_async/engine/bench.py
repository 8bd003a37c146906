"""The judges of a run: who they are, and which of them are asked about which sample.

Second opinions are asked on a share of the samples that is drawn once for all models, so that models are compared on the same samples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import blake2b

from siuo_async.benchmarks.base import Juror
from siuo_async.client.endpoint import Endpoint
from siuo_async.engine.asking import Target
from siuo_async.engine.order import Ordered
from siuo_async.engine.plan import Participant, Plan

_GOLDEN, _SILVER = (5**0.5 - 1) / 2, 2**0.5 - 1
"""Irrational steps: their multiples fill [0, 1) evenly, wherever one stops, and keep no time with any pattern in the data."""


class Bench:
    """The judges of a run.

    Args:
        plan: names them.
        samples: what is asked, in order.
        endpoint_of: where a judge's calls go; None where nothing is sent.
    """

    __slots__ = ("_always", "_checked", "_checking", "_retested", "_retesting", "judge", "others")

    def __init__(self, plan: Plan, samples: Ordered, endpoint_of: Callable[[Participant], Endpoint | None] = lambda _: None) -> None:
        judging = plan.judging()
        targets = [replace(each.target(judging), endpoint=endpoint_of(each)) for _, each in plan.judges]
        jurors = [
            Juror(role, target.label, number) for number, ((role, _), target) in enumerate(zip(plan.judges, targets, strict=True))
        ]
        self.judge = targets[0] if targets else None
        """The run's own, or the first of its panel; None: nobody judges."""
        self.others = tuple(targets[1:])
        """Their numbers begin with 1."""
        config = plan.config
        self._always = tuple(juror for juror in jurors if juror.role != "check")
        self._checking = tuple(juror for juror in jurors if juror.role == "check")
        self._checked = drawn(samples, config.check_share, config.order_seed, "check") if self._checking else None
        again = tuple(Juror("retest", juror.label, juror.number) for juror in jurors if juror.role in ("judge", "panel"))
        self._retesting = again if config.test_retest else ()
        self._retested = drawn(samples, config.test_retest or 0.0, config.order_seed, "retest") if self._retesting else None

    def of(self, position: int) -> Sequence[Juror]:
        """Who is asked about the sample at a place of the order; empty where that is the run's own judge alone."""
        checking = self._checking if self._checked and self._checked[position] else ()
        retesting = self._retesting if self._retested and self._retested[position] else ()
        return (*self._always, *checking, *retesting) if checking or retesting or len(self._always) > 1 else ()

    @property
    def targets(self) -> tuple[Target, ...]:
        """All of them, by number."""
        return (self.judge, *self.others) if self.judge else ()

    def deciding(self) -> list[Endpoint]:
        """Endpoints without which no sample can be finished: of the run's own judge, or of its panel."""
        found = (self.targets[juror.number].endpoint for juror in self._always if juror.role in ("judge", "panel"))
        return [endpoint for endpoint in found if endpoint is not None]


def drawn(samples: Ordered, share: float, seed: int, role: str) -> bytes:
    """A byte for each of `samples`, 1 where it belongs to the share; no sample is read for it.

    Within a category samples are asked in the order of a hash of their ids (`order.balanced`), and every so-many-th of them is
    drawn by a step that fits any length. So each category gives about its share, a larger share holds the smaller one, and so does a
    longer part of the order: neither a grown share nor a grown limit throws away an opinion that is paid for.
    """
    if share >= 1:
        return b"\x01" * len(samples)
    shift = int.from_bytes(blake2b(f"{seed}\0{role}".encode(), digest_size=8).digest(), "big") / 2**64
    ranks, found = Counter[int](), bytearray(len(samples))
    numbers: dict[int, int] = {}
    for place, path in enumerate(samples.paths()):
        number = numbers.setdefault(path, len(numbers))  # in the order of asking, which a limit does not change
        found[place] = (shift + number * _SILVER + ranks[path] * _GOLDEN) % 1.0 < share
        ranks[path] += 1
    return bytes(found)
