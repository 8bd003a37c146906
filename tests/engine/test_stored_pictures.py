"""Pictures in `samples.jsonl`: those of older runs, and those in archives."""

from __future__ import annotations

from pathlib import Path

import orjson

from siuo_async.engine.run_directory import RunDirectory, known_pictures
from siuo_async.values import Picture, Sample

FILE = Picture("/data/a.png", "ab" * 32, "image/png", 7, 5)
MEMBERS = tuple(Picture("/data/img.zip", f"{number}d" * 32, "image/png", 7, 5, f"img/{number}.png") for number in (1, 2))
FIELDS = {"usage": "vulnerability", "combination": None, "options": {"A": "x"}}


def stored(folder: Path, *samples: Sample) -> RunDirectory:
    run = RunDirectory(folder)
    run.write_samples(samples)
    return run


def test_samples_come_back_as_they_were(tmp_path: Path) -> None:
    samples = [Sample("1", ("a", "b"), "text", (FILE,), FIELDS), Sample("2", ("a",), "text", MEMBERS, {}), Sample("3", (), "")]
    assert list(stored(tmp_path, *samples).read_samples()) == samples


def test_a_file_is_stored_as_older_versions_stored_it(tmp_path: Path) -> None:
    (line,) = stored(tmp_path, Sample("1", ("a",), "text", (FILE,))).path.joinpath("samples.jsonl").read_bytes().splitlines()
    assert orjson.loads(line)["pictures"] == [
        {"path": "/data/a.png", "sha256": "ab" * 32, "mime": "image/png", "size": 7, "mtime_ns": 5}
    ]


def test_pictures_of_an_older_run_are_read(tmp_path: Path) -> None:
    (tmp_path / "samples.jsonl").write_bytes(
        b'{"id":"1","category":["a"],"text":"t","fields":{},"pictures":[{"path":"/a.png","sha256":"ab","mime":"image/png","size":7,'
        b'"mtime_ns":5}]}\n'
    )
    assert RunDirectory(tmp_path).read_samples()[0].pictures == (Picture("/a.png", "ab", "image/png", 7, 5),)


def test_members_of_one_archive_are_known_apart(tmp_path: Path) -> None:
    known = known_pictures([Sample("1", (), "", (*MEMBERS, FILE))])
    assert known == {"/data/img.zip/img/1.png": MEMBERS[0], "/data/img.zip/img/2.png": MEMBERS[1], "/data/a.png": FILE}
