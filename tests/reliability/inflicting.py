"""Turns the faults of a part into tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.reliability.faults import Fault, Scene


def inflicted(faults: Sequence[Fault]) -> Callable[[Fault, Path], None]:
    """A test that inflicts each fault a few times."""

    @pytest.mark.parametrize("fault", faults, ids=str)
    def inflict(fault: Fault, tmp_path: Path) -> None:
        if why := fault.needs():
            pytest.skip(why)
        seen = fault.inflict(Scene(tmp_path, seed=1, times=fault.few))
        assert not seen.broken, "\n".join(seen.broken)
        assert seen.times >= fault.few, f"only {seen.times} times"
        assert seen.words

    return inflict
