"""The part `secrets` of the table, a few times each."""

from __future__ import annotations

from tests.reliability.inflicting import inflicted
from tests.reliability.secrets import FAULTS

test_no_key_is_left_anywhere = inflicted(FAULTS)
