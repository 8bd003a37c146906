"""Small files without a thread: only what is in memory and unchanged, and never too much at once."""

from __future__ import annotations

import asyncio
import base64
import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from siuo_async.client import page_cache as module
from siuo_async.client.page_cache import PageCache
from siuo_async.client.pictures import PictureCache
from tests.client.servers import picture

needs_linux = pytest.mark.skipif(not hasattr(os, "RWF_NOWAIT"), reason="only Linux reads without waiting")


@needs_linux
async def test_a_file_that_was_just_written_is_read_at_once(tmp_path: Path) -> None:
    cache = PageCache()
    for number, size in enumerate((1, 300_000, 5, 0)):
        content = os.urandom(size)
        assert cache.encoded(picture(tmp_path, content, f"{number}.png")) == base64.b64encode(content)


async def test_what_is_not_as_it_was_hashed_is_left_to_a_thread(tmp_path: Path) -> None:
    asked = picture(tmp_path, b"picture")
    cache = PageCache()
    assert cache.encoded(replace(asked, mtime_ns=5)) is None
    assert cache.encoded(replace(asked, size=6)) is None
    assert cache.encoded(replace(asked, size=8)) is None
    assert cache.encoded(replace(asked, path=str(tmp_path / "gone.png"))) is None
    assert cache.encoded(replace(asked, path=str(tmp_path))) is None


async def test_what_is_large_or_in_an_archive_is_left_to_a_thread(tmp_path: Path) -> None:
    asked, cache = picture(tmp_path, b"picture"), PageCache()
    assert not cache.takes(replace(asked, size=module.MOST_BYTES + 1))
    assert not cache.takes(replace(asked, member="a.png"))


@pytest.mark.parametrize("number, goes_on", [(errno.EOPNOTSUPP, False), (errno.EAGAIN, True)])
@needs_linux
async def test_a_file_system_that_cannot_be_asked_is_not_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, goes_on: bool
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, "no")

    asked, cache = picture(tmp_path, b"picture"), PageCache()
    monkeypatch.setattr(os, "preadv", refuse)
    assert cache.encoded(asked) is None
    assert cache.takes(asked) is goes_on


@needs_linux
async def test_many_pictures_at_once_are_read_over_several_turns_of_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BYTES_PER_TURN", 3_000)
    monkeypatch.setattr(module, "BYTES_PER_FILE", 0)
    pictures = [picture(tmp_path, bytes([number]) * 1_000, f"{number}.png") for number in range(20)]
    cache, turns, most = PictureCache(), 0, 0

    def count() -> None:
        nonlocal turns, most
        held = cache.held_bytes
        most = max(most, held - before[0])
        before[0] = held
        if held < 20 * 1_336:
            turns += 1
            asyncio.get_running_loop().call_soon(count)

    before = [0]
    asyncio.get_running_loop().call_soon(count)
    found = await asyncio.gather(*(cache.pin(asked) for asked in pictures))
    assert found == [base64.b64encode(bytes([number]) * 1_000) for number in range(20)]
    assert turns >= 6
    assert most <= 2 * 3 * 1_336


async def test_pictures_are_the_same_where_nothing_can_be_read_at_once(tmp_path: Path) -> None:
    cache = PictureCache()
    cache._page_cache._flag = None
    contents = [os.urandom(2_000) for _ in range(10)]
    pictures = [picture(tmp_path, content, f"{number}.png") for number, content in enumerate(contents)]
    assert await asyncio.gather(*(cache.pin(asked) for asked in pictures)) == [base64.b64encode(content) for content in contents]


@needs_linux
async def test_small_pictures_use_up_a_turn_too(tmp_path: Path) -> None:
    tiny, cache, read = picture(tmp_path, b"x"), PageCache(), 0
    while cache.has_room(tiny):
        assert cache.encoded(tiny) == b"eA=="
        read += 1
    assert 0 < read < 256
    await asyncio.sleep(0)
    assert cache.has_room(tiny)
