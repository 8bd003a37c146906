"""Width and height from the first bytes, as the library that made the picture has them; the simulator's own reader agrees."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from siuo_async.providers.picture_size import size_in
from siuo_async.simulator.counting import size_of

KINDS = {
    "png": ("PNG", {}),
    "gif": ("GIF", {}),
    "jpeg": ("JPEG", {}),
    "progressive jpeg": ("JPEG", {"progressive": True}),
    "jpeg with a comment": ("JPEG", {"comment": b"x" * 5000}),
    "lossy webp": ("WEBP", {"quality": 50}),
    "lossless webp": ("WEBP", {"lossless": True}),
    "extended webp": ("WEBP", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"}),
}


def made(kind: str, size: tuple[int, int]) -> bytes:
    name, options = KINDS[kind]
    held = io.BytesIO()
    Image.new("RGB", size, (200, 100, 50)).save(held, name, **options)
    return held.getvalue()


@pytest.mark.parametrize("size", [(1, 1), (641, 480), (300, 1201)])
@pytest.mark.parametrize("kind", KINDS)
def test_the_size_is_read_from_the_first_bytes(kind: str, size: tuple[int, int]) -> None:
    content = made(kind, size)
    assert size_in(content) == size
    assert size_of(content) == size


@pytest.mark.parametrize("kind", KINDS)
def test_a_beginning_that_is_too_short_has_no_size(kind: str) -> None:
    content = made(kind, (64, 48))
    assert {size_in(content[:length]) for length in range(200)} <= {None, (64, 48)}


@given(st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF0000WEBPVP8 "]), st.binary())
def test_no_bytes_break_the_reader(head: bytes, rest: bytes) -> None:
    found = size_in(head + rest)
    assert found is None or min(found) > 0
