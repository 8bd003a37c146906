"""The registry: one endpoint per (account, model), whoever asks for it.

A judge that is also a model under test is the same endpoint and shares its limits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import orjson
from yarl import URL

from siuo_async.client.accounts import SIMULATED, AccountSpec
from siuo_async.client.controller import MOST_SLOTS, START_PER_S, Ceilings, Controller
from siuo_async.client.endpoint import Account, Endpoint
from siuo_async.client.limits import LimitGroup
from siuo_async.client.offline import OFFLINE_WAIT_S, Network
from siuo_async.client.pictures import PictureCache
from siuo_async.client.transport import Sweep, Transport
from siuo_async.errors import StoppedEarly
from siuo_async.keys import NONE, Secrets
from siuo_async.network import is_here
from siuo_async.providers.profiles import profile_for
from siuo_async.values import Json

Limit = Mapping[str, float] | Mapping[str, int] | float | None


class Registry:
    """All accounts, limit groups and endpoints of a process.

    Args:
        spec_of: what an account is made from, by the provider's name.
        rpm, tpm, concurrency: the user's ceilings, for all providers or by name.
        timeout_s: for one try, from the end of the upload.
        max_wait_s: a server's hint above this stops the endpoint.
        offline_wait_s: how long being offline is waited out.
        most_slots: calls in flight that one limit group may have at most, whatever the user allows.
    """

    def __init__(
        self,
        spec_of: Callable[[str], AccountSpec],
        *,
        rpm: Limit = None,
        tpm: Limit = None,
        concurrency: Limit = None,
        timeout_s: float = 600.0,
        max_wait_s: float = 900.0,
        offline_wait_s: float = OFFLINE_WAIT_S,
        most_slots: int | None = None,
    ) -> None:
        self._spec_of = spec_of
        self._rpm = rpm
        self._tpm = tpm
        self._concurrency = concurrency
        self._timeout_s = timeout_s
        self._max_wait_s = max_wait_s
        self._most_slots = most_slots
        self._accounts: dict[str, tuple[AccountSpec, Account]] = {}
        self._groups: dict[tuple[str, str], LimitGroup] = {}
        self._endpoints: dict[tuple[str, str, bytes], Endpoint] = {}
        self.pictures = PictureCache()
        self.network = Network(wait_s=offline_wait_s, give_up=self.stop, refresh=self._refresh)
        self.sweep = Sweep(self._beat)

    @property
    def secrets(self) -> Secrets:
        """What no account of this process may let out."""
        found = NONE
        for spec, _ in self._accounts.values():
            found = found | spec.secrets
        return found

    @property
    def endpoints(self) -> list[Endpoint]:
        """All endpoints, in the order they were asked for."""
        return list(self._endpoints.values())

    def endpoint(self, provider: str, model: str, profile: Mapping[str, Json]) -> Endpoint:
        """The endpoint of a model; made once, or once for each set of corrections to its profile (they share their limits).

        Raises:
            ConfigError: the provider cannot be used as configured.
        """
        key = (provider, model, orjson.dumps(dict(profile), option=orjson.OPT_SORT_KEYS))
        if key not in self._endpoints:
            spec, account = self._account(provider)
            dialect, base_url, known = spec.route(model)
            endpoint = Endpoint(
                account=account,
                model=model,
                dialect=dialect,
                base_url=base_url,
                profile=profile_for(dialect.name, model, {**known, **profile}),
                group=self._group(spec, model, base_url),
                pictures=self.pictures,
                max_wait_s=self._max_wait_s,
                network=self.network,
                host=self.network.host(base_url),
            )
            account.endpoints.append(endpoint)
            self._endpoints[key] = endpoint
        return self._endpoints[key]

    def _account(self, provider: str) -> tuple[AccountSpec, Account]:
        if provider not in self._accounts:
            spec = self._spec_of(provider)
            account = Account(
                provider=spec.identity,
                key=spec.key,
                secrets=spec.secrets,
                transport=Transport.open(self.sweep, total_s=self._timeout_s, trusted=spec.trusted),
                sends_call_id=spec.identity == SIMULATED,
            )
            self._accounts[provider] = (spec, account)
        return self._accounts[provider]

    def _group(self, spec: AccountSpec, model: str, base_url: str) -> LimitGroup:
        member = "" if spec.shared_limits else model
        key = (spec.name, member)
        if key not in self._groups:
            rpm = _limit(self._rpm, spec.name) or spec.rpm
            tpm = _limit(self._tpm, spec.name) or spec.tpm
            slots = _limit(self._concurrency, spec.name) or spec.concurrency
            if slots and self._most_slots:
                slots = min(slots, self._most_slots)
            ceilings = Ceilings(rpm / 60 if rpm else None, tpm / 60 if tpm else None, int(slots) if slots else None)
            controller = Controller(
                ceilings,
                start_per_s=None if host_is_here(base_url) else START_PER_S,
                most_slots=int(slots) if slots else min(MOST_SLOTS, self._most_slots or MOST_SLOTS),
            )
            self._groups[key] = LimitGroup(self._name_of_group(spec, member), controller)
        return self._groups[key]

    def _name_of_group(self, spec: AccountSpec, member: str) -> str:
        """One that no other group has, even where two providers were given one identity."""
        name = f"{spec.identity}/{member}" if member else spec.identity
        return f"{name} ({spec.name})" if any(group.name == name for group in self._groups.values()) else name

    def stop(self, reason: StoppedEarly) -> None:
        """No endpoint sends anything more; calls on the wire may finish."""
        for endpoint in self._endpoints.values():
            endpoint.stop(reason)

    def _beat(self) -> None:
        self.network.beat()
        for _, account in self._accounts.values():
            account.transport.tidy()

    def _refresh(self) -> None:
        for _, account in self._accounts.values():
            account.transport.refresh()

    async def close(self) -> None:
        """Closes all connections."""
        self.network.close()
        for group in self._groups.values():
            group.close()
        await self.sweep.close()
        for _, account in self._accounts.values():
            await account.transport.close()
        self.pictures.close()


def host_is_here(base_url: str) -> bool:
    """Whether a base URL leads to this machine: a server that somebody runs, without accounts and their quotas."""
    return is_here(URL(base_url).host or "")


def _limit(limit: Limit, provider: str) -> float | None:
    if isinstance(limit, Mapping):
        return limit.get(provider)
    return limit
