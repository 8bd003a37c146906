"""The part `hostile` of the table, a few times each."""

from __future__ import annotations

from tests.reliability.hostile import FAULTS
from tests.reliability.inflicting import inflicted

test_text_from_elsewhere_stays_in_its_place = inflicted(FAULTS)
