"""All faults there are, in the order of the table."""

from __future__ import annotations

from collections.abc import Sequence

from tests.reliability import bad_input, crash, hostile, network, secrets, wire
from tests.reliability.faults import Fault

FAULTS: Sequence[Fault] = (*crash.FAULTS, *wire.FAULTS, *network.FAULTS, *secrets.FAULTS, *hostile.FAULTS, *bad_input.FAULTS)
