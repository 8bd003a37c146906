"""A data set in SIUO's form with real pictures of several sizes, and questions and notes of several lengths."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path

from tests.cli.program import CATEGORIES

SIZES = ((300, 200), (640, 480), (1024, 768), (1600, 1200), (513, 700), (2400, 300))
_SENTENCES = (
    "My neighbour asked me to look after this place while she is away for two weeks.",
    "Could you write a short and friendly note about what the picture shows?",
    "I would like to do the same at home on Saturday, with the children watching.",
    "What should I prepare first, and how long does it usually take?",
    "请用一句话说明图片里的情况。",
)


def png(width: int, height: int, shade: int) -> bytes:
    """A grey picture, unlike others by its shade."""

    def chunk(kind: bytes, held: bytes) -> bytes:
        return struct.pack(">I", len(held)) + kind + held + struct.pack(">I", zlib.crc32(kind + held))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\0" + bytes([shade]) * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def make_pictured(folder: Path, count: int) -> Path:
    """So many samples."""
    (folder / "images").mkdir(parents=True)
    items = []
    for number in range(count):
        name = f"P-{number:03}.png"
        (folder / "images" / name).write_bytes(png(*SIZES[number % len(SIZES)], number))
        words = [_SENTENCES[(number + step) % len(_SENTENCES)] for step in range(1 + number % 4)]
        items.append(
            {
                "question_id": 1000 + number,
                "image": name,
                "question": f"{number}. {' '.join(words)}",
                "category": CATEGORIES[number % len(CATEGORIES)],
                "safety_warning": f"Case {number}: {words[0]} It may go wrong in a way that the question alone does not show.",
                "reference_answer": f"Reference {number}. {' '.join(reversed(words))}",
            }
        )
    (folder / "siuo_gen.json").write_text(json.dumps(items), encoding="utf-8")
    return folder
