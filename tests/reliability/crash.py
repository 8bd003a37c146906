"""Faults of processes, disks and clocks: kills, signals, memory, full disks."""

from __future__ import annotations

from collections.abc import Sequence

from tests.reliability.faults import Fault

FAULTS: Sequence[Fault] = ()
