"""The part `network` of the table, a few times each."""

from __future__ import annotations

from tests.reliability.network import FAULTS
from tests.reliability.inflicting import inflicted

test_a_lost_network_is_waited_out = inflicted(FAULTS)
