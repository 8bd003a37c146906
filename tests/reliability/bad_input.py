"""Configuration, flags, data and run directories that are not what they should be."""

from __future__ import annotations

from collections.abc import Sequence

from tests.reliability.faults import Fault

FAULTS: Sequence[Fault] = ()
