"""The part `wire` of the table, a few times each."""

from __future__ import annotations

from tests.reliability.inflicting import inflicted
from tests.reliability.wire import FAULTS

test_what_a_server_does_to_one_call_stays_with_it = inflicted(FAULTS)
