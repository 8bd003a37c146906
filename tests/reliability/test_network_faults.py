"""The part `network` of the table, a few times each."""

from __future__ import annotations

from tests.reliability.inflicting import inflicted
from tests.reliability.network import FAULTS

test_a_lost_network_is_waited_out = inflicted(FAULTS)
