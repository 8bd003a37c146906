"""Small copies of the samples' pictures: bounded one by one and together, made anew, so that nothing of the file comes along.

What is copied is the picture as it was asked about: a file that changed since is left out, as one is that cannot be read.
"""

from __future__ import annotations

import stat
import warnings
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pybase64

from siuo_async.client.pictures import PictureFiles
from siuo_async.errors import DataError
from siuo_async.values import Picture

MOST_BYTES = 24 << 20
"""Of all thumbnails together, as they stand in the file."""
_SIDES = ((400, 320), (2_000, 200))
"""Up to so many pictures, so many pixels on the longer side."""
_LEAST_SIDE = 128
_QUALITY = 72
_MOST_PIXELS = 60_000_000
"""Of a picture that is unpacked at all."""


@dataclass(slots=True)
class Thumbnails:
    """What was made, and what was not."""

    made: dict[str, str]
    """Picture's hash -> data URI."""
    unreadable: int = 0
    """Gone, changed since, or damaged."""
    beyond: int = 0
    """Left out, since together they would have been too large."""

    @property
    def words(self) -> str:
        """What is to be said of those that were left out; empty where none were."""
        said = []
        if self.beyond:
            said.append(f"{self.beyond:,} pictures are left out, since all together would be larger than {MOST_BYTES >> 20} MB")
        if self.unreadable:
            said.append(f"{self.unreadable:,} pictures could not be read where the run had them (moved, changed or damaged)")
        return "; ".join(said)


def thumbnails(pictures: Sequence[Picture], most_bytes: int = MOST_BYTES) -> Thumbnails:
    """Thumbnails of pictures, those that come first before others, each content once."""
    wanted = {picture.sha256: picture for picture in reversed(pictures)}
    wanted = dict(reversed(wanted.items()))
    side = next((side for most, side in _SIDES if len(wanted) <= most), _LEAST_SIDE)
    found = Thumbnails({})
    held = 0
    with closing(PictureFiles()) as files:
        for sha256, picture in wanted.items():
            if held >= most_bytes:
                found.beyond += 1
                continue
            uri = _thumbnail(files, picture, side)
            if uri is None:
                found.unreadable += 1
            elif held + len(uri) > most_bytes:
                found.beyond += 1
                held = most_bytes  # the first that does not fit is the end: which are there must not depend on their sizes
            else:
                held += len(uri)
                found.made[sha256] = uri
    return found


def _thumbnail(files: PictureFiles, picture: Picture, side: int) -> str | None:
    """None where it cannot be read; nothing that a damaged or hostile file does to a decoder may end the report."""
    from PIL import Image

    try:
        if not stat.S_ISREG(Path(picture.path).stat().st_mode):  # a pipe in its place would be waited for
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(files.read(picture)), formats=("PNG", "JPEG", "WEBP", "GIF")) as image:
                if image.width * image.height > _MOST_PIXELS:
                    return None
                image.draft("RGB", (side * 2, side * 2))
                image.thumbnail((side, side))
                flat = Image.new("RGB", image.size, "white")
                converted = image.convert("RGBA")
                flat.paste(converted, mask=converted.getchannel("A"))
        small = BytesIO()
        flat.save(small, "JPEG", quality=_QUALITY, optimize=True)
    except (DataError, OSError, ValueError, SyntaxError, EOFError, MemoryError, IndexError, Image.DecompressionBombError):
        return None
    return "data:image/jpeg;base64," + pybase64.b64encode(small.getvalue()).decode("ascii")
