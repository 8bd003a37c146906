"""Each fault, inflicted a few times: its promise is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reliability.catalogue import FAULTS
from tests.reliability.faults import Fault, Scene


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_what_is_promised_survives(fault: Fault, tmp_path: Path) -> None:
    if why := fault.needs():
        pytest.skip(why)
    seen = fault.inflict(Scene(tmp_path, seed=1, times=fault.few))
    assert seen.broken == []
    assert seen.times >= fault.few
    assert seen.words
