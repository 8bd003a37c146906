"""The part `crash` of the table, a few times each."""

from __future__ import annotations

from tests.reliability.crash import FAULTS
from tests.reliability.inflicting import inflicted

test_what_a_crash_must_leave_is_there = inflicted(FAULTS)
