"""Servers and errors that try to get a key into what a run leaves behind."""

from __future__ import annotations

from collections.abc import Sequence

from tests.reliability.faults import Fault

FAULTS: Sequence[Fault] = ()
