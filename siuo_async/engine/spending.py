"""What calls cost: one call at a time, never by totals, since tiers hold for the call that is long.

Money is counted in 10^-12 USD, as integers: sums are exact in whatever order calls finish.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from siuo_async.client.accounts import IMPORTED, AccountSpec
from siuo_async.config import ModelConfig, Price, RunConfig
from siuo_async.engine.records import CallRecord
from siuo_async.values import Completion, Json, Outcome, Usage

if TYPE_CHECKING:
    from siuo_async.engine.plan import Participant

PICO = 10**12
"""Of our units, in one US dollar."""
CONFIGURED = "config"
"""The source of a price that the user gave."""


def price_for(participant: Participant, config: RunConfig, spec: AccountSpec) -> Price | None:
    """The price of a model of a run, with its source and date, or None where nobody knows it.

    The user's word for the model, for its name, for its provider; else what is known of the host that is asked.

    Args:
        spec: the account of the participant's provider.
    """
    return price_of(participant.config, config, spec)


def given_price(model: ModelConfig, config: RunConfig) -> Price | None:
    """The price that the user gives: for the model, for its name, for its provider; None where nothing is said."""
    provider = config.providers.get(model.provider)
    return model.price or config.prices.get(model.model) or (provider.price if provider else None)


def price_of(model: ModelConfig, config: RunConfig, spec: AccountSpec) -> Price | None:
    """The same of a model that has no place in a run yet."""
    if (given := given_price(model, config) or spec.price) is not None:
        return given if given.source else given.model_copy(update={"source": CONFIGURED})
    if spec.identity == IMPORTED:
        return None
    from siuo_async.providers.prices import looked_up

    return looked_up(spec.route(model.name)[1], model.name)


def price_of_call(call: CallRecord, prices: Mapping[str, Price]) -> Price | None:
    """The price of whom a record says was asked; all revisions of a model have one price.

    Args:
        prices: of a run, by `provider/model`.
    """
    full = f"{call.provider}/{call.model}"
    return prices.get(full) or prices.get(full.rpartition("@")[0])


def cost_pico_usd(usage: Usage, provider_cost_usd: float | None, price: Price | None) -> int | None:
    """The cost of one call in 10^-12 USD: the provider's own word, else tokens times price, else None.

    The price is that of the call's own length; what is cached counts as input at a price of its own, thinking as output.
    """
    if provider_cost_usd is not None:
        return round(provider_cost_usd * PICO)
    if price is None or usage.input is None or usage.output is None:
        return None
    each = price.at(usage.input) if price.tiers else price
    cost = usage.output * round(each.output * 10**6)
    if not usage.cached and not usage.cache_write:
        return cost + usage.input * round(each.input * 10**6)
    cached = min(usage.cached or 0, usage.input)
    written = min(usage.cache_write or 0, usage.input - cached)
    parts = (
        (usage.input - cached - written, each.input),
        (cached, each.input if each.cached is None else each.cached),
        (written, each.input if each.cache_write is None else each.cache_write),
    )
    return cost + sum(count * round(per_million * 10**6) for count, per_million in parts)


def dearest_input(price: Price, tokens: int) -> int:
    """The most that so many input tokens may cost, in 10^-12 USD: none read from a cache, all written into one."""
    each = price.at(tokens)
    return tokens * round(max(each.input, each.cached or 0.0, each.cache_write or 0.0) * 10**6)


def cost_of(paid: CallRecord | Completion, price: Price | None) -> int | None:
    """The cost of a finished call in 10^-12 USD; None where nobody can tell."""
    if price is None and paid.provider_cost_usd is None:
        return None
    return cost_pico_usd(_billed(paid), paid.provider_cost_usd, price)


def _billed(paid: CallRecord | Completion) -> Usage:
    """The tokens of a call; where a filter took everything away, what the provider does not tell is nothing."""
    if all(answer.outcome is Outcome.FILTERED and not answer.text for answer in paid.answers):
        return replace(paid.usage, input=paid.usage.input or 0, output=paid.usage.output or 0)
    return paid.usage


@dataclass(slots=True)
class Spend:
    """Tokens and money of one role (model or judge)."""

    calls: int = 0
    tokens: Counter[str] = field(default_factory=Counter)
    pico_usd: int = 0
    """Integer, so that sums are exact in any order."""
    unpriced: int = 0
    """Calls whose cost nobody can tell."""

    def add(self, record: CallRecord, price: Price | None) -> int:
        """Counts one call's tokens and its cost, which is returned; 0 where nobody can tell it."""
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
        if (cost := cost_of(record, price)) is None:
            self.unpriced += not record.failed or record.maybe_billed > 0
            return 0
        self.pico_usd += cost
        return cost

    @property
    def usd(self) -> float | None:
        """US dollars, or None when a call's cost is unknown."""
        return None if self.unpriced else self.pico_usd / PICO

    def tokens_as_json(self) -> dict[str, Json]:
        """Tokens by sort; null where no call told."""
        untold = None if self.calls else 0
        return {"calls": self.calls, **{name: self.tokens.get(name, untold) for name in ("input", "output", "cached", "reasoning")}}


@dataclass(frozen=True, slots=True)
class Spent:
    """What an invocation cost, in USD, and how that stands to the budget, where there is one."""

    now_usd: float
    """Its own calls, each counted once."""
    unpriced_calls: int = 0
    """Of all that its results were made from: calls whose cost nobody can tell."""
    budget_usd: float | None = None
    used_usd: float | None = None
    """By all runs and sessions that the budget is for, what may have been billed included."""
    maybe_billed_usd: float | None = None
    """The most that may have been billed for calls that gave no result."""

    def as_json(self) -> dict[str, Json]:
        """What there is of it."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}
