"""Pictures in folders and in archives: found under their names, and nothing followed that leads elsewhere."""

from __future__ import annotations

import hashlib
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.benchmarks.data import pictures
from siuo_async.benchmarks.data.pictures import open_pictures, plain_name, read_each
from siuo_async.errors import DataError
from siuo_async.values import EMPTY, Picture
from tests.benchmarks.archives import PNG, pack, pack_link, rewrite

NAME = "img/vulnerability_eval/7(source).jpg"


def read(place: Path, name: str = NAME) -> Picture:
    with open_pictures(place) as source:
        return source.read(name)


def folder(place: Path, name: str = NAME, content: bytes = PNG) -> Path:
    (place / name).parent.mkdir(parents=True, exist_ok=True)
    (place / name).write_bytes(content)
    return place


def test_a_member_is_known_by_archive_name_hash_and_unpacked_size(tmp_path: Path) -> None:
    content = PNG + b"x" * 5_000
    place = pack(tmp_path / "img.zip", {NAME: content})
    assert read(place) == Picture(
        path=str(place),
        sha256=hashlib.sha256(content).hexdigest(),
        mime="image/png",
        size=len(content),
        mtime_ns=place.stat().st_mtime_ns,
        member=NAME,
    )


def test_the_place_of_a_member_is_below_its_archive(tmp_path: Path) -> None:
    assert read(pack(tmp_path / "img.zip", {NAME: PNG})).place == f"{tmp_path}/img.zip/{NAME}"


def test_the_place_of_a_file_is_its_path(tmp_path: Path) -> None:
    assert read(folder(tmp_path)).place == f"{tmp_path}/{NAME}"


@pytest.mark.parametrize("inside", [NAME, "vulnerability_eval/7(source).jpg"])
def test_the_first_folder_of_a_name_may_be_missing(tmp_path: Path, inside: str) -> None:
    assert read(pack(tmp_path / "img.zip", {inside: PNG})).member == inside
    assert read(folder(tmp_path / "unpacked", inside)).path.endswith(inside)


@pytest.mark.parametrize("inside", [f"USB/{NAME}", f"USB/{NAME.removeprefix('img/')}"])
def test_an_archive_may_hold_all_in_one_folder_more(tmp_path: Path, inside: str) -> None:
    assert read(pack(tmp_path / "img.zip", {"USB/": b"", inside: PNG, "__MACOSX/x": b"x"})).member == inside
    with pytest.raises(DataError, match="is not in"):
        read(pack(tmp_path / "two.zip", {inside: PNG, "other/x.png": PNG}))


@pytest.mark.parametrize("name", [f"./{NAME}", NAME.replace("/", "//"), NAME.replace("/", "\\")])
def test_other_spellings_of_a_path_are_understood(tmp_path: Path, name: str) -> None:
    assert read(pack(tmp_path / "img.zip", {NAME: PNG}), name).member == NAME


@pytest.mark.parametrize(
    "name",
    ["../x.png", "img/../../x.png", "/etc/hostname", "", " ", "a\x00.png", "C:\\x.png", "\\\\host\\x.png", "..\\x.png", "a/..\\b"],
)
def test_a_name_that_leads_out_is_refused_even_if_it_is_there(tmp_path: Path, name: str) -> None:
    place = pack(tmp_path / "img.zip", {"../x.png": PNG, "img/../../x.png": PNG, "/etc/hostname": PNG})
    (tmp_path / "x.png").write_bytes(PNG)
    for source in (place, folder(tmp_path / "unpacked")):
        with pytest.raises(DataError, match="no name of a file below the pictures"):
            read(source, name)


def test_an_address_on_the_web_is_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="address on the web"):
        read(folder(tmp_path), "https://example.org/img/x.png")


@given(st.text(alphabet="ab./\\: \x00", max_size=12))
def test_no_name_that_is_accepted_leads_out(name: str) -> None:
    try:
        plain = plain_name(name)
    except DataError:
        return
    assert os.path.normpath(os.path.join("/pictures/here", plain)).startswith("/pictures/here")


def test_a_picture_that_is_not_there_is_named_with_the_place(tmp_path: Path) -> None:
    for place in (pack(tmp_path / "img.zip", {"other.png": PNG}), folder(tmp_path / "unpacked", "other.png")):
        with pytest.raises(DataError) as error:
            read(place)
        assert str(error.value) == f"its picture {NAME} is not in {place}"


@pytest.mark.parametrize(
    "content, said",
    [(b"", "empty"), (b"<html>", "HTML"), (b"text", "looks like text")],
)
def test_what_is_no_picture_is_refused_in_an_archive_too(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read(pack(tmp_path / "img.zip", {NAME: content}))


def test_a_link_in_an_archive_is_not_followed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a link"):
        read(pack_link(tmp_path / "img.zip", NAME, "/etc/hostname"))


def test_a_link_out_of_a_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "private.png").write_bytes(PNG)
    place = folder(tmp_path / "unpacked")
    (place / NAME).unlink()
    (place / NAME).symlink_to(tmp_path / "private.png")
    with pytest.raises(DataError, match="is a link that leads out"):
        read(place)


def test_a_ring_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "x.png").symlink_to(tmp_path / "img" / "x.png")
    with pytest.raises(DataError, match=r"x\.png"):
        read(tmp_path, "img/x.png")


def test_a_folder_in_an_archive_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not in"):
        read(pack(tmp_path / "img.zip", {"img/x.png/": b""}), "img/x.png")


def test_an_encrypted_member_is_said_to_be_encrypted(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is encrypted"):
        read(rewrite(pack(tmp_path / "img.zip", {NAME: PNG}), flags=1))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_python_unpacks_without_a_bound_are_refused(tmp_path: Path, method: int) -> None:
    with pytest.raises(DataError, match="other than deflate"):
        read(pack(tmp_path / "img.zip", {NAME: PNG}, method))


def test_a_member_that_declares_more_than_any_picture_has_is_not_unpacked(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is 65 MB unpacked, more than the 64 MB"):
        read(pack(tmp_path / "img.zip", {NAME: PNG + b"\0" * (65 << 20)}))


def test_a_member_that_unpacks_to_more_than_it_declares_is_broken(tmp_path: Path) -> None:
    place = rewrite(pack(tmp_path / "img.zip", {NAME: PNG + b"\0" * (8 << 20)}), declared=1_000)
    with pytest.raises(DataError, match="cannot be unpacked"):
        read(place)


def test_a_damaged_member_is_told(tmp_path: Path) -> None:
    place = pack(tmp_path / "img.zip", {NAME: PNG + os.urandom(1_000)}, zipfile.ZIP_STORED)
    content = bytearray(place.read_bytes())
    content[500] ^= 1
    place.write_bytes(content)
    with pytest.raises(DataError, match=r"cannot be unpacked \(Bad CRC-32"):
        read(place)


@pytest.mark.parametrize(
    "content, said",
    [
        (b"", "an empty file"),
        (b"<html>", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"PK\x03\x04 and then nothing", "cut or damaged"),
    ],
)
def test_what_is_no_archive_is_refused_with_what_it_looks_like(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "img.zip").write_bytes(content)
    with pytest.raises(DataError, match=said):
        read(tmp_path / "img.zip")


def test_a_place_that_is_not_there_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.zip")
    for place in (tmp_path / "no.zip", tmp_path / "pipe.zip"):
        with pytest.raises(DataError, match="no such folder or archive"):
            read(place)


def test_a_known_member_is_not_read_again(tmp_path: Path) -> None:
    place = pack(tmp_path / "img.zip", {NAME: PNG})
    trusted = replace(read(place), sha256="from an earlier run")
    with open_pictures(place, {trusted.place: trusted}) as source:
        assert source.read(NAME) == trusted


@pytest.mark.parametrize("change", [{"size": 1}, {"mtime_ns": 1}, {"member": None}])
def test_a_known_member_of_a_changed_archive_is_read_again(tmp_path: Path, change: dict[str, int]) -> None:
    place = pack(tmp_path / "img.zip", {NAME: PNG})
    fresh = read(place)
    stale = replace(fresh, sha256="old", **change)  # type: ignore[arg-type]
    with open_pictures(place, {fresh.place: stale}) as source:
        assert source.read(NAME) == fresh


def test_many_threads_read_what_one_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "_BATCH", 3)
    contents = {f"img/{number}.png": PNG + os.urandom(2_000) for number in range(300)}
    with open_pictures(pack(tmp_path / "img.zip", contents)) as source:
        found = read_each(source.read, [*contents, "img/none.png", *contents])
    assert isinstance(found.pop("img/none.png"), DataError)
    read_hashes = {name: picture.sha256 for name, picture in found.items() if isinstance(picture, Picture)}
    assert read_hashes == {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def test_the_archive_is_closed_whatever_happens(tmp_path: Path) -> None:
    place = pack(tmp_path / "img.zip", {NAME: PNG})
    with pytest.raises(KeyError), open_pictures(place, EMPTY) as source:
        raise KeyError
    with pytest.raises((DataError, ValueError)):
        source.read(NAME)
