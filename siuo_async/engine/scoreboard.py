"""Counters of a run as it goes: what the screen, the summary and the exit code are made from.

Everything kept is a sum of integers, so the order in which calls finish, and how often the run was killed, change nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from siuo_async.benchmarks.base import GENERATE, SEARCH, Benchmark, Tally
from siuo_async.benchmarks.counting import MOST_UNDECIDED, undecided
from siuo_async.config import Price
from siuo_async.engine.asking import Target
from siuo_async.engine.order import totals
from siuo_async.engine.records import CallRecord
from siuo_async.values import Json, Outcome, Sample, Usage

MOST_AHEAD = 1024
_TOKENS = ("input", "output", "cached", "reasoning")


@dataclass(slots=True)
class Spend:
    """Tokens and money of one role (model or judge)."""

    calls: int = 0
    tokens: Counter[str] = field(default_factory=Counter)
    pico_usd: int = 0
    """Integer, so that sums are exact in any order."""
    unpriced: int = 0
    """Calls whose cost nobody can tell."""

    def add(self, record: CallRecord, price: Price | None) -> None:
        """Counts one call's tokens and its cost."""
        self.calls += 1
        usage, tokens = record.usage, self.tokens
        if usage.input is not None:  # written out, since this is done for every call
            tokens["input"] = tokens.get("input", 0) + usage.input
        if usage.output is not None:
            tokens["output"] = tokens.get("output", 0) + usage.output
        if usage.cached is not None:
            tokens["cached"] = tokens.get("cached", 0) + usage.cached
        if usage.reasoning is not None:
            tokens["reasoning"] = tokens.get("reasoning", 0) + usage.reasoning
        if price is None and record.provider_cost_usd is None:
            cost = None
        else:
            cost = cost_pico_usd(_billed(record), record.provider_cost_usd, price)
        if cost is None:
            self.unpriced += not record.failed or record.maybe_billed > 0
        else:
            self.pico_usd += cost

    @property
    def usd(self) -> float | None:
        """US dollars, or None when a call's cost is unknown."""
        return None if self.unpriced else self.pico_usd / 10**12


def _billed(record: CallRecord) -> Usage:
    """The tokens of a call; where a filter took everything away, what the provider does not tell is nothing."""
    if all(answer.outcome is Outcome.FILTERED and not answer.text for answer in record.answers):
        return replace(record.usage, input=record.usage.input or 0, output=record.usage.output or 0)
    return record.usage


def cost_pico_usd(usage: Usage, provider_cost_usd: float | None, price: Price | None) -> int | None:
    """The cost of one call in 10^-12 USD: the provider's own word, else tokens times price, else None."""
    if provider_cost_usd is not None:
        return round(provider_cost_usd * 10**12)
    if price is None or usage.input is None or usage.output is None:
        return None
    cached = min(usage.cached or 0, usage.input)
    cached_price = price.input if price.cached is None else price.cached
    parts = ((usage.input - cached, price.input), (cached, cached_price), (usage.output, price.output))
    return sum(count * round(per_million * 10**6) for count, per_million in parts)


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
        spend.add(record, self._prices.get(f"{target.provider}/{target.model}") if self._prices else None)
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
        spends = (self.generation, self.judging)
        usd = None if any(spend.unpriced for spend in spends) else sum(spend.pico_usd for spend in spends) / 10**12
        told = self.tally.summary(self.totals)
        return {
            "label": self.target.label,
            "model": self.target.full_name,
            "revision": self.target.revision,
            "complete": self.pending == 0,
            "samples": {"total": self.total, "finished": self.finished, "pending": self.pending},
            **told,
            "bounds_are_headline": undecided(told.get("judge")) > MOST_UNDECIDED,
            "tokens": {"generation": _tokens(self.generation), "judging": _tokens(self.judging)},
            "cost_usd": usd,
            "served_models": sorted(self.served),
            "left_out": sorted(self.left_out),
            **({"redacted": self.redacted} if self.redacted else {}),
        }


def _tokens(spend: Spend) -> dict[str, Json]:
    untold = None if spend.calls else 0
    return {"calls": spend.calls, **{name: spend.tokens.get(name, untold) for name in _TOKENS}}
