"""What models cost where the user does not say: looked up by the host that is asked, offline.

First the data of the installed genai-prices, then the dated table beside this module. The host decides, not the name of a provider: a
server of the user's own has no price, whatever its models are called, and a provider's own host has one however it was configured. A
name is matched whole, or with a date behind it; a model that is only alike may cost something else.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from siuo_async.config import Price, PriceTier
from siuo_async.network import is_near

if TYPE_CHECKING:
    from genai_prices.types import ConditionalPrice, ModelInfo, ModelPrice

_DATED = re.compile(r"[-@](20\d{2}-?[01]\d-?[0-3]\d|[0-9]{4})$", re.ASCII)
_FIELDS: Mapping[str, str] = MappingProxyType(
    {"input": "input_mtok", "output": "output_mtok", "cached": "cache_read_mtok", "cache_write": "cache_write_mtok"}
)
"""Ours, and theirs."""


def looked_up(base_url: str, model: str, at: datetime | None = None) -> Price | None:
    """The price of a model at the host of `base_url`, with where it comes from; None where nobody knows it.

    Args:
        model: its name there; a date behind it may be left out of account.
        at: the moment whose prices are wanted (default: now); the table has one day's only.
    """
    parts, name = urlsplit(base_url), model.lower().removeprefix("models/")
    host = parts.hostname or ""
    if not name or "." not in host or is_near(host):
        return None  # a server of the user's own
    return _from_package(f"https://{host}{parts.path}", name, at or datetime.now(UTC)) or _from_table(host, name)


def _from_package(url: str, name: str, at: datetime) -> Price | None:
    from genai_prices.data_snapshot import get_snapshot  # half a second, so only where it is needed

    snapshot = get_snapshot()
    try:
        provider = snapshot.find_provider(None, None, url)
        _, found = snapshot.find_provider_model(name, provider, None, None)
    except LookupError:
        return None
    if not _is_at(provider.api_pattern, url) or not _is_same(found, name):
        return None
    prices = _valid(found.prices, at) if isinstance(found.prices, list) else found.prices
    return _as_price(prices, source=f"genai-prices {version('genai-prices')}", date=at.date().isoformat())


def _is_at(pattern: str, url: str) -> bool:
    """Whether the pattern ends where a part of the URL does: the package asks only whether the URL begins like it."""
    end = matched.end() if (matched := re.match(pattern, url)) else 0
    return end > 0 and (url[end - 1] == "/" or url[end : end + 1] in ("", "/"))


def _is_same(found: ModelInfo, name: str) -> bool:
    """Whether the name is one that the package lists, a date or a release's name aside: some of its patterns take any ending."""
    known = {found.id.lower(), *_listed(found.match)}
    return bool({name, _DATED.sub("", name)} & known) or any(
        name.startswith(f"{each}-") and re.fullmatch(r"(preview|latest|exp|experimental|\d+|-)+", name[len(each) :]) for each in known
    )


def _listed(match: Any) -> set[str]:
    """The names that stand whole in a pattern."""
    inner = getattr(match, "or_", None) or getattr(match, "and_", None) or ()
    named = {getattr(match, field, None) for field in ("equals", "starts_with")} - {None}
    return {str(name).lower() for name in named}.union(*(_listed(each) for each in inner))


def _valid(prices: list[ConditionalPrice], at: datetime) -> ModelPrice:
    """What holds on that day; where it depends on the hour, the dearer, since a run takes hours."""
    from genai_prices.types import StartDateConstraint

    chosen = prices[0].prices
    for each in prices[1:]:
        if each.constraint is None or isinstance(each.constraint, StartDateConstraint):
            if each.constraint is None or each.constraint.active(at):
                chosen = each.prices
        elif _usd(each.prices, "output_mtok") > _usd(chosen, "output_mtok"):
            chosen = each.prices
    return chosen


def _usd(prices: ModelPrice, field: str) -> float:
    told = getattr(prices, field, None)
    return float(getattr(told, "base", told) or 0)


def _as_price(prices: ModelPrice, *, source: str, date: str) -> Price | None:
    told = {ours: getattr(prices, theirs, None) for ours, theirs in _FIELDS.items()}
    if told["input"] is None or told["output"] is None or getattr(prices, "requests_kcount", None):
        return None  # no model that reads and writes text, or one that is paid by the call
    starts = sorted({tier.start for each in told.values() for tier in getattr(each, "tiers", ())})
    tiers = tuple(PriceTier(above=start, **_above(told, start)) for start in starts)
    base = {name: float(getattr(each, "base", each)) for name, each in told.items() if each is not None}
    return Price(**base, tiers=tiers, source=source, date=date)


def _above(told: Mapping[str, Any], start: int) -> dict[str, float]:
    """What each sort of token costs in a call whose input is longer than `start`."""
    found: dict[str, float] = {}
    for name, each in told.items():
        if each is None:
            continue
        usd: Decimal = getattr(each, "base", each)
        for tier in getattr(each, "tiers", ()):
            if tier.start <= start:
                usd = tier.price
        found[name] = float(usd)
    return found


def _from_table(host: str, name: str) -> Price | None:
    date, providers = _table()
    for hosts, models in providers:
        if any(fnmatchcase(host, pattern) for pattern in hosts):
            told = models.get(name) or models.get(_DATED.sub("", name))
            return told and Price(**told, source="siuo's table", date=date)
    return None


def priced_beside(base_url: str) -> Mapping[str, Price]:
    """The models of the table at the host of `base_url`, with their prices; all of them can see."""
    date, providers = _table()
    host = urlsplit(base_url).hostname or ""
    models = next((models for hosts, models in providers if any(fnmatchcase(host, pattern) for pattern in hosts)), {})
    return {name: Price(**told, source="siuo's table", date=date) for name, told in models.items()}


@cache
def _table() -> tuple[str, tuple[tuple[tuple[str, ...], Mapping[str, Any]], ...]]:
    """(day it was read, hosts and models of each provider)."""
    parsed = tomllib.loads(files(__package__).joinpath("prices.toml").read_text(encoding="utf-8"))
    providers = [each for each in parsed.values() if isinstance(each, dict)]
    found = ((tuple(each["hosts"]), {name.lower(): price for name, price in each["models"].items()}) for each in providers)
    return str(parsed["date"]), tuple(found)
