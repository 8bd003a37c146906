"""Thousands of small pictures: what is kept of them does not grow with the data."""

from __future__ import annotations

from pathlib import Path

import pytest

from siuo_async.client.pictures import MOST_KEPT, PictureCache
from siuo_async.errors import DataError
from tests.client.servers import picture


async def test_small_pictures_are_let_go_by_number_before_their_bytes_are_too_many(tmp_path: Path) -> None:
    cache = PictureCache()
    pictures = [picture(tmp_path, number.to_bytes(2, "big"), f"{number}.png") for number in range(MOST_KEPT + 50)]
    for asked in pictures:
        await cache.pin(asked)
        cache.unpin(asked)
    assert cache.held_bytes == 4 * MOST_KEPT  # four characters of base64 each
    for place in (0, 49):
        Path(pictures[place].path).unlink()
        with pytest.raises(DataError):
            await cache.pin(pictures[place])
    Path(pictures[50].path).unlink()
    assert await cache.pin(pictures[50])
