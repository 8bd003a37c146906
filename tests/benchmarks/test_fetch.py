"""What a fetch records, proves and says, without a network; the fetching itself is tested with the real program."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.benchmarks.catalogue import BENCHMARKS
from siuo_async.benchmarks.data.fetch import (
    UNKNOWN_LICENCE,
    Plan,
    Wanted,
    describe_source,
    fetch,
    finished,
    hashes,
    licence_of,
    read_record,
)
from siuo_async.benchmarks.data.hub import Listing, RemoteFile
from siuo_async.benchmarks.data.sources import Source, find_source, source_of, sources
from siuo_async.errors import ConfigError, DataError, StoppedEarly

COMMIT = "c" * 40
CSQA = find_source("csqa")
FILE = "chinese_safetyqa.jsonl"


def plan(folder: Path, content: bytes = b"{}\n", source: Source = CSQA, *, remote: RemoteFile | None = None) -> Plan:
    """A fetch of one file that is there already."""
    (folder).mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(content)
    listing = Listing("http://hub", source.repo, COMMIT, {})
    to_fetch = () if remote is None else (Wanted("other.bin", remote, None),)
    return Plan(source, folder, listing, {FILE: hashlib.sha256(content).hexdigest()}, to_fetch, ())


def ignored(_: int) -> None:
    pass


def test_every_pin_is_a_whole_commit_and_every_known_hash_a_whole_one() -> None:
    for source in sources().values():
        assert source.revision is None or re.fullmatch("[0-9a-f]{40}", source.revision)
        assert all(file.sha256 is None or re.fullmatch("[0-9a-f]{64}", file.sha256) for file in source.files)
        assert all(set(names) & {file.name for file in source.files} for names in source.benchmarks.values())


def test_the_known_hashes_are_those_of_the_released_files(shared: Path) -> None:
    known = {file.name: file.sha256 for source in sources().values() for file in source.files if file.sha256}
    assert set(known) == {"siuo_gen.json", "siuo_mcqa.json", "chinese_safetyqa.jsonl"}
    for name, sha256 in known.items():
        assert hashes(shared / "upstream-data" / name).sha256 == sha256


def test_licences_say_what_their_publishers_say() -> None:
    said = {name: source.licence + source.notice for name, source in sources().items()}
    assert "CC BY-NC 4.0" in said["siuo"]
    assert "Apache-2.0" in said["usb"]
    assert "research" in said["usb"]
    assert "MIT" in said["csqa"]
    assert "CC BY-NC-SA 4.0" in said["csqa"]


def test_every_benchmark_but_the_bundled_one_has_a_source() -> None:
    assert [name for name in BENCHMARKS if source_of(name) is None] == ["demo"]


@pytest.mark.parametrize("name", ["usb", "usb-hard"])
def test_data_are_found_by_their_name_or_by_a_benchmarks(name: str) -> None:
    assert find_source(name).repo == "cgjacklin/USB"


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="siuo, usb, csqa"):
        find_source("demo")


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize("content", [b"", b"one\n", b"\0" * 2_000_000])
def test_files_are_hashed_as_git_does(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    git = subprocess.run(["git", "hash-object", "--no-filters", str(tmp_path / "file")], capture_output=True, text=True, check=True)
    assert hashes(tmp_path / "file").blob_id == git.stdout.strip()
    assert hashes(tmp_path / "file").sha256 == hashlib.sha256(content).hexdigest()


def test_what_was_recorded_is_read_again(tmp_path: Path) -> None:
    written = fetch(plan(tmp_path / "csqa"), ignored)
    assert read_record(tmp_path / "csqa") == read_record(tmp_path / "csqa" / FILE) == written
    assert finished(CSQA, tmp_path / "csqa") == written
    assert not (tmp_path / "csqa" / ".fetching").exists()


def test_data_of_another_commit_or_changed_or_missing_are_not_finished(tmp_path: Path) -> None:
    fetch(plan(tmp_path), ignored)
    assert finished(CSQA, tmp_path, COMMIT) is not None
    assert finished(CSQA, tmp_path, "main") is None
    (tmp_path / FILE).write_bytes(b"[]\n")
    assert finished(CSQA, tmp_path) is None
    (tmp_path / FILE).unlink()
    assert finished(CSQA, tmp_path) is None


def test_the_licence_is_the_recorded_one(tmp_path: Path) -> None:
    fetch(plan(tmp_path, source=replace(CSQA, licence="as of then")), ignored)
    assert licence_of(CSQA, tmp_path / FILE) == "as of then"


def test_the_licence_of_released_files_is_known_without_a_record(tmp_path: Path, shared: Path) -> None:
    shutil.copy(shared / "upstream-data" / "siuo_mcqa.json", tmp_path)
    assert licence_of(find_source("siuo"), tmp_path / "siuo_mcqa.json") == find_source("siuo").licence


def test_the_licence_of_somebodys_own_file_is_not_guessed(tmp_path: Path) -> None:
    for name in ("siuo_gen.json", "mine.json"):
        (tmp_path / name).write_text("[]")
        assert licence_of(find_source("siuo"), tmp_path / name) == UNKNOWN_LICENCE


def test_files_of_all_data_sets_in_one_folder_have_each_its_own_licence(tmp_path: Path, shared: Path) -> None:
    for name in ("siuo_gen.json", "siuo_mcqa.json", FILE):
        shutil.copy(shared / "upstream-data" / name, tmp_path)
    for name in ("USB_base_final.csv", "chinese_safetyqa.csv"):
        (tmp_path / name).write_text("its hash is not known")
    for source in sources().values():
        for name in {name for names in source.benchmarks.values() for name in names if (tmp_path / name).exists()}:
            assert licence_of(source, tmp_path / name) == source.licence


def test_the_record_of_another_data_set_says_nothing(tmp_path: Path) -> None:
    fetch(plan(tmp_path), ignored)
    (tmp_path / "siuo_gen.json").write_text("[]")
    assert licence_of(find_source("siuo"), tmp_path / "siuo_gen.json") == UNKNOWN_LICENCE


def test_nothing_is_said_of_data_that_were_not_fetched(tmp_path: Path) -> None:
    assert describe_source(CSQA, tmp_path) == []


@pytest.mark.parametrize(("spoil", "said"), [(lambda file: None, "as they came"), (Path.unlink, "1 of 1 fetched files are missing")])
def test_fetched_data_are_compared_with_their_record(tmp_path: Path, spoil: Callable[[Path], None], said: str) -> None:
    fetch(plan(tmp_path), ignored)
    spoil(tmp_path / FILE)
    lines = describe_source(CSQA, tmp_path)
    assert COMMIT[:12] in lines[0]
    assert said in lines[1]
    assert "is not the released file" in lines[2]


def test_a_file_larger_than_the_disk_is_refused_before_a_byte_is_asked_for(tmp_path: Path) -> None:
    huge = RemoteFile("other.bin", 1 << 60, None, None)
    with pytest.raises(StoppedEarly, match="free some"):
        fetch(plan(tmp_path, remote=huge), ignored)


def test_a_large_file_known_to_be_another_is_refused_before_a_byte_is_asked_for(tmp_path: Path) -> None:
    wanted = Wanted(FILE, RemoteFile(FILE, 3, "0" * 64, None), CSQA.files[0].sha256)
    with pytest.raises(DataError, match="--accept-changed"):
        fetch(replace(plan(tmp_path), to_fetch=(wanted,)), ignored)


@given(
    st.one_of(
        st.text(),
        st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)).map(json.dumps),
    )
)
def test_a_record_that_cannot_be_read_is_no_record(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "damaged"
    folder.mkdir(exist_ok=True)
    (folder / "source.json").write_text(text, encoding="utf-8", errors="surrogatepass")
    assert read_record(folder) is None
