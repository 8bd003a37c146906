"""Faults of servers and of what they answer."""

from __future__ import annotations

from collections.abc import Sequence

from tests.reliability.faults import Fault

FAULTS: Sequence[Fault] = ()
