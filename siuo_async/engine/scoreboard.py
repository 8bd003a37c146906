"""Counters of a run as it goes: what the screen, the summary and the exit code are made from.

Everything kept is a sum of integers, so the order in which calls finish, and how often the run was killed, change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from siuo_async.benchmarks.base import GENERATE, SEARCH, Benchmark, Tally
from siuo_async.benchmarks.counting import MOST_UNDECIDED, undecided
from siuo_async.config import Price
from siuo_async.engine.asking import Target
from siuo_async.engine.order import totals
from siuo_async.engine.records import CallRecord
from siuo_async.engine.spending import PICO, Spend
from siuo_async.values import Json, Sample

MOST_AHEAD = 1024


@dataclass(slots=True)
class SessionCalls:
    """What this invocation did for one model, judging included."""

    sent: int = 0
    reused: int = 0
    retried: int = 0
    maybe_billed: int = 0

    def add(self, record: CallRecord, *, fresh: bool) -> None:
        """Counts one call."""
        self.sent += fresh
        self.reused += not fresh
        self.retried += (record.attempts - 1) * fresh
        self.maybe_billed += record.maybe_billed * fresh

    def as_json(self) -> dict[str, int]:
        """For `--json`."""
        return {"sent": self.sent, "reused": self.reused, "retried": self.retried, "maybe_billed": self.maybe_billed}


class ModelBoard:
    """One model's counters.

    Args:
        target: the model.
        benchmark: gives the tallies.
        samples: what is asked, in order; only their categories are kept.
    """

    def __init__(self, target: Target, benchmark: Benchmark[Any], samples: Sequence[Sample], prices: Mapping[str, Price]) -> None:
        self.target = target
        self.totals = totals(samples)
        self.total = len(samples)
        self.tally: Tally[Any] = benchmark.tally(samples)
        """While the run goes on, over the longest finished prefix: quick answers come first, and are refusals more often."""
        self.prefix = 0
        self.begun = 0
        """Samples that a worker took up so far."""
        self.finished = 0
        self.stopped = 0
        """Samples that were begun and stay pending."""
        self.generation = Spend()
        self.judging = Spend()
        self.paid_pico = 0
        """What the calls of this invocation cost, each counted once, whichever models share it; in 10^-12 USD."""
        self.searches = 0
        """Searches that samples' lives passed through."""
        self.calls = SessionCalls()
        self.served: set[str] = set()
        self.judge_served: set[tuple[str, str]] = set()
        """(judge, what it was served as)."""
        self.redacted = 0
        """Calls of which an answer or a verdict held a key, which was taken out."""
        self.left_out: set[str] = set()
        self.judge_left_out: set[str] = set()
        self._prices = prices
        self._ahead: dict[int, tuple[tuple[str, ...], Any] | None] = {}

    @property
    def pending(self) -> int:
        """Samples without a result yet."""
        return self.total - self.finished

    def observe(self, target: Target, stage: str, record: CallRecord, fresh: bool) -> None:
        """Counts one record that a sample's life passed through; `fresh`: made in this invocation."""
        self.calls.add(record, fresh=fresh)
        if stage == SEARCH:
            self.searches += 1
            return
        spend = self.generation if stage == GENERATE else self.judging
        cost = spend.add(record, self._prices.get(f"{target.provider}/{target.model}") if self._prices else None)
        self.paid_pico += cost * fresh
        self.redacted += record.redacted
        if record.served_model:
            if stage == GENERATE:
                self.served.add(record.served_model)
            else:
                self.judge_served.add((target.full_name, record.served_model))
        if left_out := record.sent.get("left_out"):
            (self.left_out if stage == GENERATE else self.judge_left_out).update(left_out)

    def finish(self, position: int, category: tuple[str, ...], result: Any) -> None:
        """Counts one finished sample."""
        self.finished += 1
        if position < self.prefix:
            self.tally.add(category, result)
        else:
            self._ahead[position] = (category, result)
            self._grow_prefix()

    def stop(self, position: int) -> None:
        """Notes that a sample stays pending; the live prefix goes on without it."""
        self.stopped += 1
        if position >= self.prefix:
            self._ahead[position] = None
            self._grow_prefix()

    def _grow_prefix(self) -> None:
        """One sample that takes for ever must not hold back, or keep in memory, all that come after it."""
        while self.prefix in self._ahead or len(self._ahead) > MOST_AHEAD:
            found = self._ahead.pop(self.prefix, None)
            self.prefix += 1
            if found is not None:
                self.tally.add(*found)

    def settle(self) -> None:
        """Counts what is finished beyond the prefix; for when nothing more will come."""
        for position in sorted(self._ahead):
            if (found := self._ahead.pop(position)) is not None:
                self.tally.add(*found)

    def as_json(self) -> dict[str, Json]:
        """What follows from results alone, for `summary.json`."""
        self.settle()
        generation, judging = self.generation, self.judging
        unpriced = generation.unpriced + judging.unpriced
        price = self._prices.get(f"{self.target.provider}/{self.target.model}")
        told = self.tally.summary(self.totals)
        return {
            "label": self.target.label,
            "model": self.target.full_name,
            "revision": self.target.revision,
            "complete": self.pending == 0,
            "samples": {"total": self.total, "finished": self.finished, "pending": self.pending},
            **told,
            "bounds_are_headline": undecided(told.get("judge")) > MOST_UNDECIDED,
            "tokens": {"generation": self.generation.tokens_as_json(), "judging": self.judging.tokens_as_json()},
            "cost_usd": None if unpriced else (generation.pico_usd + judging.pico_usd) / PICO,
            "cost": {"generation_usd": generation.usd, "judging_usd": judging.usd, "unpriced_calls": unpriced},
            "price": price.model_dump(exclude_none=True, exclude_defaults=True) if price else None,
            "served_models": sorted(self.served),
            "left_out": sorted(self.left_out),
            **({"redacted": self.redacted} if self.redacted else {}),
        }
