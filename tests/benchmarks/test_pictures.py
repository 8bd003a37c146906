from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from siuo_async.benchmarks.data.pictures import read_picture
from siuo_async.errors import DataError

PNG = b"\x89PNG\r\n\x1a\n" + b"rest"


@pytest.mark.parametrize(
    "content, mime",
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0JFIF", "image/jpeg"),
        (b"GIF87a..", "image/gif"),
        (b"GIF89a..", "image/gif"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
    ],
)
def test_the_kind_comes_from_the_bytes_and_not_from_the_name(tmp_path: Path, content: bytes, mime: str) -> None:
    file = tmp_path / "picture.txt"
    file.write_bytes(content)
    assert read_picture(file).mime == mime


def test_a_picture_is_named_by_hash_size_and_time(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(PNG)
    picture = read_picture(file)
    assert picture.path == str(file)
    assert picture.sha256 == hashlib.sha256(PNG).hexdigest()
    assert picture.size == len(PNG)
    assert picture.mtime_ns == file.stat().st_mtime_ns


def test_the_path_is_absolute_so_that_a_replay_works_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    monkeypatch.chdir(tmp_path)
    assert read_picture(Path("a.png")).path == str(tmp_path / "a.png")


@pytest.mark.parametrize(
    "content, said",
    [
        (b"", "empty"),
        (b"\n<!DOCTYPE html><html>", "HTML"),
        (b"<html><body>", "HTML"),
        (b"<svg xmlns='x'/>", "SVG"),
        (b"<?xml version='1.0'?>", "XML"),
        (b'{"error": "denied"}', "JSON"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"PK\x03\x04....", "ZIP"),
        (b"%PDF-1.7", "PDF"),
        (b"BM\x00\x00", "BMP"),
        (b"II*\x00", "TIFF"),
        (b"\x00\x00\x00\x18ftypheic", "HEIC"),
        ("just words, ünd so".encode(), "looks like text"),
        (b"\x00\x01\x02\x03", "binary"),
        (b"RIFF\x10\x00\x00\x00WAVEfmt \x00", "binary"),
        (b"\x89PN", "looks like"),
    ],
)
def test_a_file_that_is_no_picture_is_refused_with_what_it_looks_like(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(content)
    with pytest.raises(DataError) as error:
        read_picture(file)
    assert said in str(error.value)
    assert str(file) in str(error.value)


def test_a_missing_picture_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no\.png: there is no such picture"):
        read_picture(tmp_path / "no.png")


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a folder"):
        read_picture(tmp_path)


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(DataError, match="no ordinary file"):
        read_picture(tmp_path / "pipe.png")


@pytest.mark.parametrize("name", ["nul\x00.png", "x" * 300, "file.txt/a.png"])
def test_a_name_that_cannot_be_opened_is_an_error_of_the_data(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.txt").touch()
    with pytest.raises(DataError, match="cannot be read"):
        read_picture(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_picture_without_permission_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(PNG)
    file.chmod(0)
    with pytest.raises(DataError, match="cannot be read"):
        read_picture(file)


def test_a_known_picture_that_did_not_change_is_trusted_without_reading(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(PNG)
    trusted = replace(read_picture(file), sha256="from an earlier run")
    assert read_picture(file, {str(file): trusted}) is trusted


@pytest.mark.parametrize("change", [{"size": 1}, {"mtime_ns": 1}])
def test_a_known_picture_that_changed_is_read_again(tmp_path: Path, change: dict[str, int]) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(PNG)
    fresh = read_picture(file)
    stale = replace(fresh, sha256="old", **change)  # type: ignore[arg-type]
    assert read_picture(file, {str(file): stale}) == fresh
