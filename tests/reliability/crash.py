"""Faults of processes, disks and clocks: kills, signals, memory, full disks."""

from __future__ import annotations

from collections.abc import Sequence

from tests.reliability import crash_disks, crash_files, crash_kills, crash_signals
from tests.reliability.faults import Fault

FAULTS: Sequence[Fault] = (*crash_kills.FAULTS, *crash_disks.FAULTS, *crash_signals.FAULTS, *crash_files.FAULTS)
