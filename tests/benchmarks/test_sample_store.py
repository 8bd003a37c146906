"""Samples on disk: what comes back is what went in, in next to no memory, wherever their lines are."""

from __future__ import annotations

import gc
import re
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.benchmarks.data.sample_store import Ids, KnownPictures, Lines, Rows, StoredSamples, first_twice, line_of
from siuo_async.engine.order import balanced
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.errors import DataError, RunDirectoryError, StoppedEarly
from siuo_async.values import Picture, Sample

PICTURE = Picture("/data/img.zip", "ab" * 32, "image/png", 7, 5, "img/1.png")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def numbered(count: int) -> list[Sample]:
    return [Sample(str(n), (f"c{n % 3}",), f"question {n} " + "x" * 300, (PICTURE,) * (n % 2), {"n": n}) for n in range(count)]


@given(st.lists(st.tuples(TEXTS, TEXTS, st.dictionaries(TEXTS, TEXTS))))
def test_samples_come_back_as_they_were(made: list[tuple[str, str, dict[str, str]]]) -> None:
    samples = [Sample(str(n), (level,), text, (PICTURE,), fields) for n, (level, text, fields) in enumerate(made)]
    stored = StoredSamples.of(iter(samples))
    assert list(stored) == samples
    assert [stored[n] for n in range(len(stored))] == samples


def test_more_than_a_block_of_samples_comes_back_in_turn_and_by_number() -> None:
    samples = numbered(3000)
    stored = StoredSamples.of(samples)
    assert list(stored) == samples
    assert [stored[n] for n in (0, 1, 1499, 2999, -1)] == [samples[n] for n in (0, 1, 1499, 2999, -1)]
    assert list(stored[10:20]) == samples[10:20]
    with pytest.raises(IndexError):
        stored[3000]


def test_a_sample_and_its_place_in_the_order_take_sixteen_bytes() -> None:
    def taken(count: int) -> int:
        gc.collect()
        tracemalloc.start()
        try:
            kept = balanced(StoredSamples.of(Sample(str(n), (f"c{n % 3}",), "x" * 300) for n in range(count)), 0)
            gc.collect()
            assert len(kept) == count
            return tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()

    # The least of several: what else a process keeps by the way is no sample's. Arrays have room to spare.
    assert min(taken(9_000) for _ in range(3)) - min(taken(1_000) for _ in range(3)) <= 8_000 * 18


def test_a_run_reads_its_samples_from_its_own_directory(tmp_path: Path) -> None:
    stored = StoredSamples.of(numbered(5))
    run = RunDirectory(tmp_path)
    run.write_samples(stored)
    assert stored.lines.are_at(tmp_path / "samples.jsonl")
    assert list(stored) == numbered(5) == list(run.read_samples())


def test_what_is_read_from_the_directory_is_not_written_there_again(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    run.write_samples(numbered(5))
    before = (tmp_path / "samples.jsonl").stat()
    run.write_samples(run.read_samples())
    assert (tmp_path / "samples.jsonl").stat().st_ino == before.st_ino


def test_samples_of_another_run_are_written_whole(tmp_path: Path) -> None:
    one, two = RunDirectory(tmp_path / "one"), RunDirectory(tmp_path / "two")
    for run in (one, two):
        run.make()
    one.write_samples(numbered(3000))
    two.write_samples(one.read_samples())
    assert (two.path / "samples.jsonl").read_bytes() == (one.path / "samples.jsonl").read_bytes()


def test_a_file_that_was_cut_meanwhile_is_told(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    run.write_samples(numbered(5))
    stored = run.read_samples()
    (tmp_path / "samples.jsonl").write_bytes(b"")
    with pytest.raises(RunDirectoryError, match=r"samples\.jsonl became shorter"):
        stored[4]


def test_blank_lines_and_a_last_line_without_an_end_are_read(tmp_path: Path) -> None:
    one, two = map(line_of, numbered(2))
    (tmp_path / "samples.jsonl").write_bytes(b"\n" + one + b"\n\n" + two.removesuffix(b"\n"))
    stored = StoredSamples.at(tmp_path / "samples.jsonl")
    assert list(stored) == [stored[0], stored[1]] == numbered(2)


def test_a_sample_that_is_no_unicode_is_named() -> None:
    with pytest.raises(DataError, match="sample 7"):
        StoredSamples.of([Sample("7", ("a",), "\ud800")])


def test_a_place_that_takes_no_copy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(StoppedEarly, match="TMPDIR"):
        StoredSamples.of(numbered(1))


def test_nothing_is_left_in_the_folder_of_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    stored = StoredSamples.of(numbered(2))
    assert (len(stored), list(tmp_path.iterdir())) == (2, [])


def test_rows_can_be_gone_through_again() -> None:
    rows = Rows(iter(["a", "b"]), lambda row: [row], lambda found: str(found[0]))
    assert (list(rows), list(rows), len(rows)) == (["a", "b"], ["a", "b"], 2)


def test_known_pictures_are_found_by_place() -> None:
    other = Picture("/data/2.png", "cd" * 32, "image/png", 9, 5)
    known = KnownPictures(
        StoredSamples.of([Sample("1", (), "", (PICTURE, other)), Sample("2", (), ""), Sample("3", (), "", (PICTURE,))])
    )
    assert dict(known) == {PICTURE.place: PICTURE, other.place: other}
    assert known.get("/data/3.png") is None


def test_equal_ids_are_noticed_and_named_by_place() -> None:
    given_ids = ["a", "b", "c", "b", "a"]
    ids = Ids()
    for each in given_ids[:3]:
        ids.add(each)
    assert ids.differ()
    ids.add("b")
    assert not ids.differ()
    assert first_twice(given_ids) == (1, 3)
    assert first_twice("abc") is None


def test_no_lines_are_no_lines(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    for lines in (Lines.written([]), Lines.of(tmp_path / "empty")):
        assert (len(lines), list(lines), list(lines.blocks())) == (0, [], [])


def test_a_sample_that_was_changed_on_the_disk_is_told_and_never_asked(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    written = [Sample("1", ("a",), "What about it?"), Sample("2", ("b", "c"), "ä", (), {"warning": "w"})]
    path.write_bytes(b"".join(map(line_of, written)))
    content = path.read_bytes()
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        try:
            found = list(StoredSamples.at(path))
        except RunDirectoryError:
            continue
        assert found == written, f"byte {at}"


def test_a_sample_of_another_kind_names_its_file(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_bytes(b'{"id":1,"category":[],"text":"t","fields":{},"pictures":[]}\n')
    with pytest.raises(RunDirectoryError, match=re.escape(f"{path} cannot be read")):
        StoredSamples.at(path)
