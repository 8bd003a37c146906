"""Pictures in memory: read once, bounded, and never another file than the one that was hashed."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from siuo_async.client.pictures import PictureCache
from siuo_async.errors import DataError
from siuo_async.values import Picture
from tests.client.servers import picture


async def test_a_picture_is_the_standard_base64_of_its_bytes(tmp_path: Path) -> None:
    content = os.urandom(1_000)
    assert await PictureCache().pin(picture(tmp_path, content)) == base64.b64encode(content)


async def test_many_pins_at_once_are_one_read(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)  # gives its content to one reader only
    asked = Picture(str(path), picture(tmp_path, b"picture").sha256, "image/png", 7)
    cache = PictureCache()
    writer = threading.Thread(target=path.write_bytes, args=(b"picture",))
    writer.start()
    encoded = await asyncio.wait_for(asyncio.gather(*(cache.pin(asked) for _ in range(50))), 5)
    writer.join()
    assert len({id(found) for found in encoded}) == 1


async def test_a_file_without_an_end_in_a_pictures_place_is_not_read(tmp_path: Path) -> None:
    asked = picture(tmp_path, b"picture")
    Path(asked.path).unlink()
    Path(asked.path).symlink_to("/dev/zero")
    with pytest.raises(DataError, match="changed since the run began"):
        await asyncio.wait_for(PictureCache().pin(asked), 20)


async def test_what_is_not_pinned_is_let_go_oldest_first(tmp_path: Path) -> None:
    cache = PictureCache(most_bytes=2_000)
    pictures = [picture(tmp_path, bytes([number]) * 600, f"{number}.png") for number in range(6)]  # 800 bytes of base64
    for asked in pictures:
        await cache.pin(asked)
        cache.unpin(asked)
        assert cache.held_bytes <= 2_000
    for asked in pictures:
        Path(asked.path).unlink()
    assert await cache.pin(pictures[-1])  # still in memory
    with pytest.raises(DataError):
        await cache.pin(pictures[0])


async def test_what_is_pinned_stays_beyond_the_bound_and_goes_when_it_is_let_go(tmp_path: Path) -> None:
    cache = PictureCache(most_bytes=1_000)
    pictures = [picture(tmp_path, bytes([number]) * 600, f"{number}.png") for number in range(5)]
    for asked in pictures:
        await cache.pin(asked)
    assert cache.held_bytes == 5 * 800
    for asked in pictures:
        cache.unpin(asked)
    assert cache.held_bytes <= 1_000


@pytest.mark.parametrize("new", [b"other bytes", b"PICTURE"])
async def test_a_changed_file_is_a_data_error_that_names_it(tmp_path: Path, new: bytes) -> None:
    asked = picture(tmp_path, b"picture")
    os.utime(asked.path, ns=(1, 1))
    Path(asked.path).write_bytes(new)
    with pytest.raises(DataError, match=r"p\.png changed since the run began"):
        await PictureCache().pin(asked)


async def test_a_file_that_is_gone_is_a_data_error_for_everyone_who_asks(tmp_path: Path) -> None:
    asked = picture(tmp_path, b"picture")
    Path(asked.path).unlink()
    cache = PictureCache()
    found = await asyncio.gather(*(cache.pin(asked) for _ in range(3)), return_exceptions=True)
    assert [type(error) for error in found] == [DataError] * 3
    Path(asked.path).write_bytes(b"picture")
    assert await cache.pin(asked)  # put back, it is read again
    cache.unpin(asked)


async def test_a_copy_of_the_file_with_another_time_is_as_good(tmp_path: Path) -> None:
    asked = picture(tmp_path, b"picture")
    assert await PictureCache().pin(replace(asked, mtime_ns=5))


async def test_who_is_cancelled_while_it_loads_takes_nothing_from_the_others(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    asked = Picture(str(path), picture(tmp_path, b"picture").sha256, "image/png", 7)
    cache = PictureCache(most_bytes=0)
    first = asyncio.create_task(cache.pin(asked))
    await asyncio.sleep(0)
    others = [asyncio.create_task(cache.pin(asked)) for _ in range(3)]
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.sleep(0)
    await asyncio.to_thread(path.write_bytes, b"picture")
    assert await asyncio.wait_for(asyncio.gather(*others), 5) == [base64.b64encode(b"picture")] * 3
    with pytest.raises(asyncio.CancelledError):
        await first
    for _ in others:
        cache.unpin(asked)
    assert cache.held_bytes == 0


# Pictures in archives.


@pytest.fixture
def cache() -> Iterator[PictureCache]:
    made = PictureCache(most_bytes=0)  # what is let go is read again
    yield made
    made.close()


def packed(path: Path, contents: dict[str, bytes]) -> list[Picture]:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    found = path.stat()
    return [
        Picture(str(path), hashlib.sha256(content).hexdigest(), "image/png", len(content), found.st_mtime_ns, name)
        for name, content in contents.items()
    ]


async def fetch(cache: PictureCache, asked: Picture) -> bytes:
    encoded = await cache.pin(asked)
    cache.unpin(asked)
    return base64.b64decode(encoded)


async def test_a_member_of_an_archive_is_sent_unpacked(tmp_path: Path, cache: PictureCache) -> None:
    content = b"picture" * 1_000
    (asked,) = packed(tmp_path / "img.zip", {"img/a.png": content})
    assert await fetch(cache, asked) == content


async def test_many_members_at_once_are_each_their_own(tmp_path: Path, cache: PictureCache) -> None:
    contents = {f"img/{number}.png": os.urandom(3_000) for number in range(100)}
    pictures = packed(tmp_path / "img.zip", contents)
    assert await asyncio.gather(*(fetch(cache, asked) for asked in pictures)) == list(contents.values())


def open_files() -> set[str]:
    return {os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")}


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
async def test_an_archive_stays_open_until_the_cache_is_closed(tmp_path: Path, cache: PictureCache) -> None:
    first, second = packed(tmp_path / "img.zip", {"a.png": b"one", "b.png": b"two"})
    await fetch(cache, first)
    assert first.path in open_files()
    await fetch(cache, second)
    cache.close()
    assert first.path not in open_files()


async def test_an_archive_that_was_replaced_by_its_like_is_opened_again(tmp_path: Path, cache: PictureCache) -> None:
    first, second = packed(tmp_path / "img.zip", {"a.png": b"one", "b.png": b"two"})
    await fetch(cache, first)
    packed(tmp_path / "new.zip", {"b.png": b"two", "more.png": b"more"})
    os.replace(tmp_path / "new.zip", tmp_path / "img.zip")
    os.utime(tmp_path / "img.zip", ns=(1, 1))
    assert await fetch(cache, second) == b"two"


@pytest.mark.parametrize("new", [b"other bytes", b"PICTURE"])
async def test_a_changed_member_is_a_data_error_that_names_it(tmp_path: Path, cache: PictureCache, new: bytes) -> None:
    asked, other = packed(tmp_path / "img.zip", {"a.png": b"picture", "b.png": b"other"})
    await fetch(cache, other)  # so the archive is open
    packed(tmp_path / "img.zip", {"a.png": new})
    os.utime(tmp_path / "img.zip", ns=(1, 1))
    with pytest.raises(DataError, match=r"img\.zip/a\.png changed since the run began"):
        await fetch(cache, asked)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04"])
async def test_an_archive_that_is_none_any_more_is_a_data_error(tmp_path: Path, cache: PictureCache, content: bytes) -> None:
    asked, other = packed(tmp_path / "img.zip", {"a.png": b"picture", "b.png": b"other"})
    await fetch(cache, other)
    (tmp_path / "img.zip").write_bytes(content)
    with pytest.raises(DataError, match="changed since the run began"):
        await fetch(cache, asked)


async def test_a_member_that_is_gone_is_a_data_error(tmp_path: Path, cache: PictureCache) -> None:
    (asked,) = packed(tmp_path / "img.zip", {"a.png": b"picture"})
    packed(tmp_path / "img.zip", {"b.png": b"picture"})
    with pytest.raises(DataError, match="changed since the run began"):
        await fetch(cache, asked)


async def test_an_archive_that_is_gone_is_read_again_when_it_is_put_back(tmp_path: Path, cache: PictureCache) -> None:
    (asked,) = packed(tmp_path / "img.zip", {"a.png": b"picture"})
    (tmp_path / "img.zip").rename(tmp_path / "away.zip")
    with pytest.raises(DataError, match=r"img\.zip/a\.png can no longer be read"):
        await fetch(cache, asked)
    (tmp_path / "away.zip").rename(tmp_path / "img.zip")
    assert await fetch(cache, asked) == b"picture"


async def test_a_member_is_bounded_by_the_size_that_was_hashed(tmp_path: Path, cache: PictureCache) -> None:
    (asked,) = packed(tmp_path / "img.zip", {"a.png": b"\0" * 1_000_000})
    with pytest.raises(DataError, match="changed since the run began"):
        await fetch(cache, replace(asked, size=10))


async def test_the_same_picture_in_a_file_and_in_an_archive_is_held_once(tmp_path: Path) -> None:
    cache = PictureCache()
    (member,) = packed(tmp_path / "img.zip", {"a.png": b"picture"})
    assert await cache.pin(member) is await cache.pin(picture(tmp_path, b"picture"))
    cache.close()
