"""Text from models, judges, servers and data sets that tries to get out of its place."""

from __future__ import annotations

from collections.abc import Sequence

from tests.reliability import hostile_data, hostile_judges, hostile_outputs
from tests.reliability.faults import Fault

FAULTS: Sequence[Fault] = (*hostile_outputs.FAULTS, *hostile_data.FAULTS, *hostile_judges.FAULTS)
