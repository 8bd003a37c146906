"""The hand on system calls itself, and what needs one to be seen at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.reliability.crash_stage import stage, survives, the_run
from tests.reliability.faults import Scene, Seen
from tests.reliability.syscalls import Act, FileCall, impossible, in_fork, run_held


@pytest.fixture(autouse=True)
def _possible() -> None:
    if why := impossible():
        pytest.skip(why)


def test_a_journal_that_is_repaired_between_opening_and_locking_is_opened_again(tmp_path: Path) -> None:
    seen = Seen()
    with stage(Scene(tmp_path, 1, 1)) as place:
        siuo = place.siuo(place.calm)
        run = the_run(siuo)
        assert run is not None
        (run / "calls.jsonl").write_bytes((run / "calls.jsonl").read_bytes()[:3000])
        replaced: list[FileCall] = []

        def replace(call: FileCall) -> Act:
            if call.name == "flock" and not replaced:
                replaced.append(call)
                shutil.copy(run / "calls.jsonl", run / "calls.copy")
                os.replace(run / "calls.copy", run / "calls.jsonl")
            return None

        assert run_held(siuo, place.words, replace, within=siuo.folder / "results").code == place.code
        assert replaced
        assert survives(place, siuo, seen, "replaced") == 0
    assert seen.broken == []


def test_a_new_run_is_on_the_disk_with_its_name_before_anything_is_paid(tmp_path: Path) -> None:
    with stage(Scene(tmp_path, 1, 1)) as place:
        calls = [str(call) for call in place.calls]
    paid = calls.index("write calls.jsonl")
    folder = f"fsync {place.calm_run.name}"
    last_name = max(number for number, call in enumerate(calls[:paid]) if call.startswith(("rename", "openat calls")))
    assert folder in calls[last_name:paid]
    assert "fsync results" in calls[:paid]


def test_help_is_the_same_program_in_a_fork(tmp_path: Path) -> None:
    with stage(Scene(tmp_path, 1, 1)) as place:
        assert "siuo" in in_fork(place.siuo(), ("--version",)).out
