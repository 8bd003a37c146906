"""The part `bad_input` of the table, a few times each."""

from __future__ import annotations

from tests.reliability.bad_input import FAULTS
from tests.reliability.inflicting import inflicted

test_bad_input_is_told_in_one_sentence = inflicted(FAULTS)
