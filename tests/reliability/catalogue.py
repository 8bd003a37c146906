"""All faults there are, in the order of the table."""

from __future__ import annotations

from collections.abc import Sequence

from tests.reliability.faults import Fault

FAULTS: Sequence[Fault] = ()
