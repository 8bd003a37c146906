"""What a session's limit groups are held back by, looked at four times a second for screen, log and `run_stats.json`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from siuo_async.client.bottleneck import GroupMeter, GroupView
from siuo_async.client.controller import Cause
from siuo_async.client.endpoint import Endpoint
from siuo_async.client.limits import LimitGroup
from siuo_async.values import Json


def groups_of(endpoints: Iterable[Endpoint]) -> list[LimitGroup]:
    """The limit groups of these endpoints, each once: several models of one account may share one."""
    return list({id(endpoint.group): endpoint.group for endpoint in endpoints}.values())


class LimitsWatch:
    """The meters of all limit groups of a session.

    Args:
        groups: what is looked at.
        offline: whether the network is gone.
        clock: seconds that do not jump.
    """

    def __init__(
        self,
        groups: Iterable[LimitGroup],
        *,
        offline: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._meters = [GroupMeter(group) for group in groups]
        self._offline = offline
        self._clock = clock

    def look(self) -> tuple[GroupView, ...]:
        """The groups that had work, as they were lately."""
        now, offline = self._clock(), self._offline()
        for meter in self._meters:
            meter.look(now)
        views = tuple(
            view for meter in self._meters if (view := meter.recently(offline=offline)).worked_s or view.in_use or view.waiting
        )
        if not any(view.held for view in views):
            return views
        return tuple(replace(view, elsewhere=True) if view.cause is Cause.NOTHING and not view.held else view for view in views)

    def totals(self) -> dict[str, Json]:
        """For `run_stats.json`: by name, what each group that had work came to in all."""
        now = self._clock()
        for meter in self._meters:
            meter.look(now)
        views = (meter.in_all() for meter in self._meters if meter.worked)
        return {view.name: view.as_json() for view in views}
