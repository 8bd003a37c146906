"""From a call of a sample to the money that it may take: one upper bound per model and role, one budget for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from siuo_async.benchmarks.base import GENERATE, SEARCH
from siuo_async.client.accounts import IMPORTED
from siuo_async.client.endpoint import Endpoint
from siuo_async.client.limits import Priority
from siuo_async.config import Price
from siuo_async.engine import held_money
from siuo_async.engine.asking import Target
from siuo_async.engine.budget import Budget, CallPurse
from siuo_async.engine.held_money import Owed
from siuo_async.engine.journal import JournalReader, lines
from siuo_async.engine.picture_sizes import PictureSizes
from siuo_async.engine.plan import Plan
from siuo_async.engine.records import CallRecord, parse
from siuo_async.engine.replay import readers
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.engine.spending import cost_of, price_of_call
from siuo_async.engine.upper_bound import Extent, Size, UpperBound
from siuo_async.errors import ConfigError, RunDirectoryError
from siuo_async.providers.dialects.anthropic_messages import DEFAULT_VISIBLE_CAP
from siuo_async.providers.profiles import cap_to_send
from siuo_async.providers.token_counts import Family, family_of
from siuo_async.seals import BadLineError
from siuo_async.values import Json, Parameters, Picture, Prompt

_CAPS = ("max_tokens", "max_completion_tokens")
_UNKNOWN_PIXELS = 2**62
"""Of a picture whose size cannot be read."""
_ENOUGH = 20
"""Calls, until the dearest of them tells what others may have cost."""
_BUDGET_FILE = "budget.json"


class Payments:
    """Who pays for the calls of a session.

    Args:
        budget: the command's.
        prices: by `provider identity/model`; everybody who is asked has one.
    """

    def __init__(self, budget: Budget, prices: Mapping[str, Price]) -> None:
        self.budget = budget
        self._prices = prices
        self._bounds: dict[tuple[str, str], UpperBound] = {}
        self._sizes = PictureSizes()

    def close(self) -> None:
        """Lets the archives go that pictures were looked for in."""
        self._sizes.close()

    def purse(self, target: Target, stage: str, prompt: Prompt, parameters: Parameters, asked: int, order: int) -> CallPurse:
        """The money of one call of `target`, which has an endpoint."""
        endpoint = target.endpoint
        assert endpoint is not None
        family = family_of(endpoint.dialect.name, endpoint.model)
        if (bound := self._bounds.get((target.full_name, stage))) is None:
            price = self._prices[f"{target.provider}/{target.model}"]
            bound = UpperBound(price, ceil(family.picture_tokens(None).high))
            self._bounds[target.full_name, stage] = bound
        return self.budget.purse(
            bound,
            Size.of(prompt, lambda picture: self._extent(picture, family), schema=parameters.answer_schema is not None),
            cap_of(parameters, endpoint),
            min(asked, endpoint.max_n),
            priority=Priority.GENERATION if stage == GENERATE else Priority.JUDGE,
            order=order,
            halt=target.halt or endpoint.halt,
            name=target.full_name,
        )

    def _extent(self, picture: Picture, family: Family) -> Extent:
        size = self._sizes(picture)
        pixels = _UNKNOWN_PIXELS if size is None else size[0] * size[1]
        return pixels, ceil(family.picture_tokens(size).high)


def cap_of(parameters: Parameters, endpoint: Endpoint) -> int | None:
    """Output tokens that one answer may have, thinking included; None where nothing bounds them."""
    extra = parameters.extra
    config = extra.get("generationConfig")
    told: list[Json] = [extra.get(name) for name in _CAPS] + [config.get("maxOutputTokens") if isinstance(config, Mapping) else None]
    if caps := [cap for cap in told if type(cap) is int]:
        return max(caps)
    default = DEFAULT_VISIBLE_CAP if endpoint.dialect.name == "anthropic" else None
    return cap_to_send(parameters, endpoint.profile, default=default, ruled_out=endpoint.ruled_out)


@dataclass(slots=True)
class Earlier:
    """What a run's earlier sessions cost."""

    spent_pico: int = 0
    kept_pico: int = 0
    """For what may have been billed and left no result, at most."""
    unpriced: int = 0
    """Calls that cost something nobody can tell."""
    priced: int = 0
    dearest_pico: int = 0
    """What the dearest call cost."""
    tries: int = 0
    """That gave no result and may have been billed, of calls that left a record."""

    def count(self, record: CallRecord, price: Price | None) -> None:
        """Counts one record of the journal."""
        cost = cost_of(record, price)
        self.tries += record.maybe_billed
        if cost is not None:
            self.priced += 1
            self.spent_pico += cost
            self.dearest_pico = max(self.dearest_pico, cost)
        elif not record.failed:
            self.unpriced += 1

    def owe(self, owed: Owed) -> None:
        """Counts what stands in no record.

        What was on the wire at a kill was ordinary calls, so once some were seen each counts as the dearest and half of it more; a try
        that timed out may well have been no ordinary one, and counts as the most that it can have cost.
        """
        wire = owed.wire_pico
        if self.priced >= _ENOUGH:
            wire = min(wire, owed.wire_calls * self.dearest_pico * 3 // 2)
        self.kept_pico = owed.kept_pico + wire + max(0, self.tries - owed.tries) * self.dearest_pico
        self.tries = max(self.tries, owed.tries)


def budget_file(directory: RunDirectory) -> Path:
    """Where a run keeps what may have been billed."""
    return directory.path / _BUDGET_FILE


def earlier(plan: Plan, directory: RunDirectory) -> Earlier:
    """What a run cost so far: every finished call of its journal that it paid for itself, whoever was asked.

    Calls copied from runs that `--reuse` names were paid there. A try that may have been billed in a session without a budget counts as
    much as the dearest call.

    Raises:
        RunDirectoryError: the journal, or what was held, cannot be read.
    """
    try:
        owed = held_money.read(budget_file(directory))
    except (OSError, ValueError) as error:
        raise RunDirectoryError(
            f"{budget_file(directory)} cannot be read ({error}), so nobody knows what a killed run owes; put it back as it was, or "
            "remove it, and its calls count for nothing"
        ) from error
    found = Earlier()
    if directory.calls.exists():
        _count(found, plan, directory)
    found.owe(owed)
    return found


def _count(found: Earlier, plan: Plan, directory: RunDirectory) -> None:
    prices = plan.prices or {}
    others = readers(plan.config.reuse)
    try:
        for _, line in lines(directory.calls):
            try:
                record = parse(line)
            except BadLineError:
                continue  # a torn end; anything else is told by whoever opens the journal for writing
            if record.stage == SEARCH or record.provider == IMPORTED or _from_elsewhere(record, others):
                continue
            found.count(record, price_of_call(record, prices))
    finally:
        for other in others:
            other.close()


def _from_elsewhere(record: CallRecord, others: list[JournalReader]) -> bool:
    """Whether another run paid for this very call."""
    return any(other.get(record.id) == record for other in others)


def budget_for(limit_usd: float, earlier_ones: list[Earlier]) -> Budget:
    """The budget of a command over all its runs."""
    spent = sum(each.spent_pico for each in earlier_ones)
    return Budget(round(limit_usd * 10**12), spent, sum(each.kept_pico for each in earlier_ones))


def must_have_prices(plan: Plan, *, generate: bool) -> None:
    """Raises ConfigError where a budget is set and somebody who is asked has no price."""
    asked = [*(plan.models if generate else ()), *(judge for _, judge in plan.judges)]
    lacking = list(dict.fromkeys(each.config.model for each in asked if each.priced_as not in (plan.prices or {})))
    if lacking:
        lines_ = ", ".join(f"{name}: {{input: 1.0, output: 4.0}}" for name in lacking)
        raise ConfigError(
            f"a budget needs the price of every model and judge, and nobody knows that of {', '.join(lacking)}; write "
            f"`prices: {{{lines_}}}` with the real figures (USD per million tokens; 0 is a price) into a config file, and "
            "name it with -c"
        )
