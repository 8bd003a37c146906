"""The part `secrets` of the table, a few times each."""

from __future__ import annotations

from tests.reliability.secrets import FAULTS
from tests.reliability.inflicting import inflicted

test_no_key_is_left_anywhere = inflicted(FAULTS)
