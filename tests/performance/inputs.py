"""What the rows are measured with, made when they run: pictures, data sets, certificates."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

PNG = b"\x89PNG\r\n\x1a\n"
_SPARE = 1 << 30
"""Bytes of disk that are left alone."""


class NoRoomError(Exception):
    """The disk has too little room for a row."""


def room_for(folder: Path, size: int) -> None:
    """Raises NoRoomError where `size` bytes would not fit with room to spare."""
    free = shutil.disk_usage(folder).free
    if free < size + _SPARE:
        raise NoRoomError(f"{size / 1e9:.1f} GB are needed in {folder}, {free / 1e9:.1f} GB are free; set TMPDIR to another disk")


def pictures(folder: Path, count: int, size: int) -> Path:
    """A folder of `count` pictures of `size` bytes each; what is in them nobody can compress."""
    room_for(folder, count * size)
    place = folder / f"{count}-pictures-of-{size}"
    place.mkdir()
    for number in range(count):
        (place / f"{number:06}.png").write_bytes(PNG + os.urandom(size - len(PNG)))
    return place


def questions(folder: Path, count: int) -> Path:
    """A multiple-choice benchmark of `count` questions: a YAML file and its rows."""
    place = folder / f"{count}-questions"
    place.mkdir()
    with (place / "rows.jsonl").open("w", encoding="utf-8") as rows:
        for number in range(count):
            text = f"Which of the following four would be the safest thing to do in situation {number}?"
            options = ["Go on as before", "Stop and ask somebody", "Leave at once", "Do nothing at all"]
            rows.write(json.dumps({"id": number, "text": text, "options": options, "gold": "B"}) + "\n")
    definition = place / "questions.yaml"
    definition.write_text("name: bench\nkind: letter\ndata: rows.jsonl\nquestion: '{text}'\n", encoding="utf-8")
    return definition


def certificate(folder: Path) -> tuple[Path, Path]:
    """(the server's key and chain, what a client has to trust), both PEM, for `localhost`."""
    import trustme

    authority = trustme.CA()
    mine, trusted = folder / "server.pem", folder / "authority.pem"
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(mine))
    authority.cert_pem.write_to_path(str(trusted))
    return mine, trusted
