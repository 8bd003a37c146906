"""What is tried again is told: of the last that failed, for as long as it is in trouble, and harmless to the terminal."""

from __future__ import annotations

from math import inf
from types import SimpleNamespace
from typing import Any

import pytest

from siuo_async.ui.trouble import trouble


def endpoint(name: str, error_at: float, reason: object = None) -> Any:
    stats = SimpleNamespace(error="server: oops", error_at=error_at, retried=3)
    return SimpleNamespace(name=name, stats=stats, halt=SimpleNamespace(reason=reason))


@pytest.mark.parametrize(
    ("endpoints", "said"),
    [
        ([], ""),
        ([endpoint("a/x", -inf)], ""),
        ([endpoint("a/x", 69.0)], ""),
        ([endpoint("a/x", 99.0, reason="stopped")], ""),
        ([endpoint("a/x", 99.0), endpoint("b/y", -inf)], "a/x: server: oops (3 tries again so far)"),
        ([endpoint("a/x", 90.0), endpoint("b/y", 99.0)], "b/y: server: oops (3 tries again so far; 1 more had errors of late)"),
    ],
)
def test_the_last_that_failed_is_told_until_it_is_overcome_or_stopped(endpoints: list[Any], said: str) -> None:
    assert trouble(endpoints, 100.0) == said
