"""What is tried again and why, in a sentence: a run that waits for a server that is unwell must not look stuck."""

from __future__ import annotations

import time
from collections.abc import Sequence

from siuo_async.client.endpoint import Endpoint

FRESH_S = 30.0
"""An error that is older has been overcome, or its call has failed for good; so the line does not come and go between two tries."""


def trouble(endpoints: Sequence[Endpoint], now: float | None = None) -> str:
    """The endpoint whose try failed last, with how many there are; empty where none did of late.

    Args:
        now: on the monotonic clock.
    """
    now = time.monotonic() if now is None else now
    unwell = [each for each in endpoints if now - each.stats.error_at <= FRESH_S and each.halt.reason is None]
    if not unwell:
        return ""
    last = max(unwell, key=lambda each: each.stats.error_at)
    more = f"; {len(unwell) - 1} more had errors of late" if len(unwell) > 1 else ""
    return f"{last.name}: {last.stats.error} ({last.stats.retried} tries again so far{more})"
