"""What is on the wire stands in a file before it is sent, so that a run that is killed knows what it may owe."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.engine.held_money import HeldMoney, read
from siuo_async.errors import JournalWriteError


def test_a_run_without_a_budget_owes_nothing(tmp_path: Path) -> None:
    assert read(tmp_path / "budget.json") == (0, 0)


@given(st.lists(st.tuples(st.sampled_from(["hold", "give", "keep", "lower"]), st.integers(1, 10**13)), max_size=40))
def test_the_file_never_says_less_than_what_is_held_and_kept(steps: list[tuple[str, int]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "budget.json"
        it, held, kept = HeldMoney(path, 5, 1), 0, 5
        for what, pico in steps:
            if what == "hold":
                it.raise_to(held + pico)
                held += pico
            elif what == "give":
                held = max(0, held - pico)
            elif what == "keep":
                kept += pico
                it.keep(pico, 1, held)
            else:
                it.lower(held)
            assert read(path)[0] >= held + kept
        it.close()
        assert read(path)[0] == kept


def test_it_is_written_only_when_more_is_held_than_it_says(tmp_path: Path) -> None:
    path = tmp_path / "budget.json"
    it = HeldMoney(path)
    it.raise_to(1000)
    before = path.stat().st_mtime_ns, path.read_bytes()
    for held in (900, 1000, 0, 1100):
        it.raise_to(held)
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before
    it.close()


def test_a_file_that_is_damaged_is_told(tmp_path: Path) -> None:
    for text in ("", "{}", "[1]", '{"maybe_billed_pico_usd": -1, "tries": 0}', '{"maybe_billed_pico_usd": 1.5, "tries": 0}'):
        (tmp_path / "budget.json").write_text(text)
        with pytest.raises(ValueError, match="damaged"):
            read(tmp_path / "budget.json")


def test_a_file_that_cannot_be_written_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(JournalWriteError, match="cannot be written"):
        HeldMoney(tmp_path / "nowhere" / "budget.json")
