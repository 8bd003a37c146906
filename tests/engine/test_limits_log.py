"""`limits.jsonl`: one line per change, bounded, and never a reason to stop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from siuo_async.client.controller import Change, Controller
from siuo_async.client.limits import LimitGroup
from siuo_async.engine.limits_log import MOST_LINES, WHOLE_LINES, LimitsLog

EPOCH = 1_700_000_000.0


class Scene:
    """Limit groups whose controllers note what a test says, and a log of them, on one clock."""

    def __init__(self, path: Path, *names: str) -> None:
        self.now = 500.0
        self.path = path
        self.groups = [LimitGroup(name, Controller(clock=self.clock), clock=self.clock) for name in names or ("g",)]
        self.log = self.opened()

    def clock(self) -> float:
        return self.now

    def opened(self) -> LimitsLog:
        return LimitsLog(self.path, self.groups, clock=self.clock, wall=lambda: EPOCH + self.now)

    def note(self, slots: int, why: str = "headers", group: int = 0, calls_per_s: float | None = 2.0) -> None:
        self.groups[group].controller.changes.append(Change(self.now, calls_per_s, slots, 1_000.0, 0.5, why))

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_bytes().split(b"\n")[:-1]]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "limits.jsonl")


def test_a_change_is_a_line_in_calls_and_tokens_per_minute(scene: Scene) -> None:
    scene.note(16)
    scene.now += 0.25
    assert scene.log.write() is None
    limits = {"calls_per_min": 120.0, "slots": 16, "tokens_per_min": 60_000.0}
    assert scene.lines() == [{"t": EPOCH + 500, "group": "g", **limits, "cooldown_s": 0.5, "why": "headers"}]


def test_what_is_not_limited_is_null(scene: Scene) -> None:
    scene.note(16, calls_per_s=None)
    scene.log.write()
    assert scene.lines()[0]["calls_per_min"] is None


def test_each_change_is_written_once(scene: Scene) -> None:
    for slots in range(1, 6):
        scene.note(slots)
        scene.note(-slots)
        scene.log.write()
        scene.log.write()
    assert [line["slots"] for line in scene.lines()] == [1, -1, 2, -2, 3, -3, 4, -4, 5, -5]


def test_a_group_without_changes_has_one_line_when_its_first_call_is_made(scene: Scene) -> None:
    scene.log.write()
    assert not scene.path.exists()
    scene.groups[0].in_use = 1
    scene.log.write()
    scene.log.write()
    assert [line["why"] for line in scene.lines()] == ["the session's first call"]


def test_a_group_whose_calls_were_all_over_between_two_looks_has_a_line_too(scene: Scene) -> None:
    scene.groups[0].controller.started()
    scene.log.write(last=True)
    assert len(scene.lines()) == 1


def test_what_an_earlier_session_wrote_stays_and_is_not_written_again(scene: Scene) -> None:
    scene.note(1)
    scene.log.write()
    scene.log.close()
    later = scene.opened()
    scene.note(2)
    later.write()
    assert [line["slots"] for line in scene.lines()] == [1, 2]


def test_a_line_that_a_kill_cut_short_does_not_swallow_the_next(scene: Scene) -> None:
    scene.path.write_bytes(b'{"t":1700000000.0,"gro')
    scene.note(7)
    scene.log.write()
    assert scene.path.read_bytes().split(b"\n")[0] == b'{"t":1700000000.0,"gro'
    assert json.loads(scene.path.read_bytes().split(b"\n")[1])["slots"] == 7


def test_lines_of_several_groups_stand_in_order_of_time(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "limits.jsonl", "a", "b")
    for group in (1, 0, 1):
        scene.note(4, group=group)
        scene.now += 0.01
    scene.log.write()
    assert [line["group"] for line in scene.lines()] == ["b", "a", "b"]


def test_the_file_is_for_nobody_elses_eyes(scene: Scene) -> None:
    scene.note(1)
    scene.log.write()
    assert scene.path.stat().st_mode & 0o777 == 0o600


def test_lines_are_thinned_out_and_never_more_than_so_many(scene: Scene) -> None:
    for number in range(100_000):
        scene.now += 0.25
        scene.note(number)
        scene.log.write()
    lines = scene.lines()
    assert [line["slots"] for line in lines[:WHOLE_LINES]] == list(range(WHOLE_LINES))
    assert WHOLE_LINES < len(lines) < MOST_LINES
    times = [line["t"] for line in lines]
    assert times[-1] - times[-2] > times[WHOLE_LINES + 1] - times[WHOLE_LINES] >= 1.0


def test_the_last_change_is_written_at_the_end_though_it_came_too_soon(scene: Scene) -> None:
    for number in range(WHOLE_LINES + 3):
        scene.note(number)
        scene.log.write()
    scene.log.write(last=True)
    assert [line["slots"] for line in scene.lines()[-2:]] == [WHOLE_LINES - 1, WHOLE_LINES + 2]


def test_what_came_too_soon_is_written_when_nothing_else_came(scene: Scene) -> None:
    for number in range(WHOLE_LINES + 2):
        scene.note(number)
        scene.log.write()
    scene.now += 1.0
    scene.log.write()
    assert scene.lines()[-1]["slots"] == WHOLE_LINES + 1


def test_even_in_a_burst_there_are_never_more_lines_than_allowed(scene: Scene) -> None:
    for number in range(3 * MOST_LINES):
        scene.now += 1e6
        scene.note(number)
        scene.log.write(last=True)
    assert len(scene.lines()) == MOST_LINES


def test_a_full_disk_is_told_once_and_ends_only_the_log() -> None:
    scene = Scene(Path("/dev/full"))
    scene.note(1)
    sentence = scene.log.write()
    assert sentence == "/dev/full cannot be written (No space left on device); the run goes on without a log of its limits"
    scene.note(2)
    assert scene.log.write() is None


def test_a_folder_that_is_gone_ends_only_the_log(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "gone" / "limits.jsonl")
    scene.note(1)
    assert "cannot be written (No such file or directory)" in str(scene.log.write())
