"""Slow (`make soak`): the released items with pictures of 1 MB, killed ten times and finished."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from siuo_async.simulator import SimulatorProcess
from tests.cli.program import Siuo, finish, journal
from tests.cli.test_killed import KILLS, SETTINGS, SLOTS, WORDS, Story
from tests.cli.test_released_data import PICTURE_BYTES, with_pictures


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_the_released_items_with_large_pictures_survive_ten_kills(tmp_path: Path, shared: Path) -> None:
    data = with_pictures(tmp_path / "data", shared / "upstream-data" / "siuo_gen.json", PICTURE_BYTES)
    undisturbed, killed = SimulatorProcess(SETTINGS), SimulatorProcess(SETTINGS)
    with undisturbed as other, killed:
        calm = Siuo(tmp_path / "calm", SIUO_SIM_URL=other)
        reference = calm.folder / finish(calm.start("run", "siuo-gen", "--data", data, *WORDS, "--json"), code=4).run
        story = Story(tmp_path / "killed", data, killed)
        story.live()
    shutil.rmtree(data)  # 167 MB, which pytest would keep for a while
    mine = story.siuo.folder / story.last.run
    assert (mine / "summary.json").read_bytes() == (reference / "summary.json").read_bytes()
    assert {record["id"] for record in story.records()} == {record["id"] for record in journal(reference)}
    assert len(story.lost) == KILLS
    assert all(0 <= lost <= 3 * SLOTS for lost in story.lost), story.lost
    assert sum(story.end.values()) == story.tries() + sum(story.lost)
