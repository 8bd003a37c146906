"""All 167 items of the released file, with stand-in pictures (the real ones are not ours to ship): every answer and verdict counted."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from siuo_async.simulator import Settings, SimulatorProcess
from tests.cli import truth
from tests.cli.program import PNG, Siuo, journal, model, to_judge

SEED = 11
MODELS = ("openai-blunt", "openai-flaky")
PICTURE_BYTES = 1_000_000


def with_pictures(folder: Path, released: Path, size: int) -> Path:
    """The released items, each with a picture of `size` bytes that is like no other."""
    (folder / "images").mkdir(parents=True)
    shutil.copy(released, folder / "siuo_gen.json")
    for number, item in enumerate(json.loads(released.read_bytes())):
        (folder / "images" / item["image"]).write_bytes(PNG + random.Random(number).randbytes(size))
    return folder


@pytest.fixture(scope="module")
def unhurried() -> Iterator[SimulatorProcess]:
    process = SimulatorProcess(Settings(seed=SEED, latency_s=0.02))
    with process:
        yield process


def test_the_released_items_are_all_asked_and_judged_and_scored_right(
    tmp_path: Path, shared: Path, unhurried: SimulatorProcess
) -> None:
    unhurried.reset()
    data = with_pictures(tmp_path / "data", shared / "upstream-data" / "siuo_gen.json", PICTURE_BYTES)
    siuo = Siuo(tmp_path / "here", SIUO_SIM_URL=unhurried.url)
    asked = [word for name in MODELS for word in ("-m", f"sim/{name}")]
    done = siuo("run", "siuo-gen", "--data", data, *asked, "--judge", "sim/openai-judge-odd", "--json")
    shutil.rmtree(data)  # 167 MB, which pytest would keep for a while
    records = journal(siuo.folder / done.run)
    stages = [record["stage"] for record in records]
    assert done.json["complete"] is True
    assert stages.count("generate") == 334
    assert len(records) - 334 == to_judge(records)
    for name in MODELS:
        told = model(done.json, name)
        samples = truth.by_sample(records, name, SEED)
        assert told["samples"] == {"total": 167, "finished": 167, "pending": 0}
        assert told["answers"]["finished"] == sum(map(len, samples.values())) == 501
        assert told["judge"] == {
            "verdicts": 1002,
            "unreadable": 0,
            "declined": 0,
            "filtered": 0,
            "failed": 0,
            "re_asked": 0,
            "stood_in": 0,
        }
        truth.assert_equal(told["metrics"], truth.metrics(samples))
    assert model(done.json, "openai-flaky")["calls"]["retried"] > 0
    assert unhurried.stats()["distinct_call_ids"] == len(records)
