"""What is on the wire stands in a file before it is sent, so that a run that is killed knows what it may owe."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.engine.held_money import HeldMoney, Owed, read
from siuo_async.errors import JournalWriteError

SAID = {"maybe_billed_pico_usd": 0, "tries": 0, "on_wire_pico_usd": 0, "on_wire_calls": 0}


def test_a_run_without_a_budget_owes_nothing(tmp_path: Path) -> None:
    assert read(tmp_path / "budget.json") == Owed()


@given(st.lists(st.tuples(st.sampled_from(["hold", "give", "keep", "lower"]), st.integers(1, 10**13)), max_size=40))
def test_the_file_never_says_less_than_what_is_held_and_kept(steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "budget.json"
        it, held, calls, kept = HeldMoney(path, 5, 1), 0, 0, 5
        for what, pico in steps:
            if what == "hold":
                it.raise_to(held + pico, calls + 1)
                held, calls = held + pico, calls + 1
            elif what == "give":
                held, calls = max(0, held - pico), max(0, calls - 1)
            elif what == "keep":
                kept += pico
                it.keep(pico, 1)
            else:
                it.lower(held, calls)
            said = read(path)
            assert said.kept_pico == kept
            assert said.wire_pico >= held
            assert said.wire_calls >= calls
        it.close()
        assert (read(path).kept_pico, read(path).wire_pico, read(path).wire_calls) == (kept, 0, 0)


def test_it_is_written_only_when_more_is_held_than_it_says(tmp_path: Path) -> None:
    path = tmp_path / "budget.json"
    it = HeldMoney(path)
    it.raise_to(1000, 8)
    before = path.stat().st_mtime_ns, path.read_bytes()
    for held, calls in ((900, 7), (1000, 9), (0, 0), (1100, 8)):
        it.raise_to(held, calls)
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before
    it.close()


def test_a_file_that_is_damaged_is_told(tmp_path: Path) -> None:
    for text in ("", "{}", "[1]", *(json.dumps({**SAID, "tries": wrong}) for wrong in (-1, 1.5, "1", True))):
        (tmp_path / "budget.json").write_text(text)
        with pytest.raises(ValueError, match="damaged"):
            read(tmp_path / "budget.json")


def test_a_file_that_cannot_be_written_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(JournalWriteError, match="cannot be written"):
        HeldMoney(tmp_path / "nowhere" / "budget.json")
