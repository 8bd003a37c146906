"""An archive's table of contents: every member can still be read, in far less memory."""

from __future__ import annotations

import gc
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from siuo_async.zip_members import ZipMembers
from tests.benchmarks.archives import pack

MANY = 3000


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_every_member_reads_as_it_was_packed(tmp_path: Path, method: int) -> None:
    packed = {f"img/{number}(kürbis).png": bytes([number]) * (number + 1) for number in range(200)}
    with zipfile.ZipFile(pack(tmp_path / "a.zip", packed, method)) as archive:
        members = ZipMembers(archive)
        for name, content in packed.items():
            info = members.find(name)
            assert info is not None
            assert (info.file_size, archive.read(info)) == (len(content), content)


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    with zipfile.ZipFile(pack(tmp_path / "a.zip", {"one": b"1"})) as archive:
        members = ZipMembers(archive)
        assert [members.find(name) for name in ("two", "", "One", "one/")] == [None] * 4
    with zipfile.ZipFile(pack(tmp_path / "empty.zip", {})) as archive:
        assert ZipMembers(archive).find("one") is None


def test_of_two_members_with_one_name_the_last_counts(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"one": b"first"})
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("one", b"last")
    with zipfile.ZipFile(path) as archive:
        info = ZipMembers(archive).find("one")
        assert info is not None
        assert archive.read(info) == b"last"


def test_a_member_takes_less_than_120_bytes(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {f"img/vulnerability_eval/{number}(made).png": b"x" for number in range(MANY)})
    with zipfile.ZipFile(path) as archive:
        gc.collect()
        tracemalloc.start()
        members = ZipMembers(archive)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert members.find("img/vulnerability_eval/0(made).png") is not None
        assert (archive.filelist, archive.NameToInfo) == ([], {})
    assert held < 120 * MANY  # free lists of the interpreter included
