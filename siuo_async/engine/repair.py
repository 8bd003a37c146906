"""Repairing a journal: damaged lines go aside, so that their calls are made again, and no whole record is lost."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from zlib import crc32

from siuo_async.engine.durable import write_parts
from siuo_async.engine.journal import Index, lines
from siuo_async.engine.records import parse
from siuo_async.engine.writer_lock import locked, unlocked
from siuo_async.seals import BadLineError, checked

_BEGIN = re.compile(rb'\{"id":"[0-9a-f]{32}","v":\d+,"kind":"')
_SEAL = re.compile(rb',"crc":\d{1,10}\}')


def repair_journal(path: Path) -> list[tuple[int, str]]:
    """Moves damaged lines of a journal into a file beside it; whole records that stand in such a line stay.

    Killed at any moment it has changed nothing or all, and may be done again.

    Returns: (line number, what was wrong) of each; nothing is changed when there is none.

    Raises:
        RunDirectoryError: a process is writing the journal, or it cannot be written.
        StoppedEarly: the disk would not take the repaired file.
    """
    handle = locked(path, os.O_RDWR)
    try:
        bad: list[tuple[int, int, bytes, str]] = []
        Index.of(path, lambda *found: bad.append(found))
        if bad:
            _move_aside(path, {offset: line for _, offset, line, _ in bad})
        return [(number, why) for number, _, _, why in bad]
    finally:
        unlocked(handle, path)


def _move_aside(path: Path, bad: Mapping[int, bytes]) -> None:
    aside = path.with_name(f"calls.damaged-{crc32(b''.join(bad.values())):08x}.jsonl")  # the same lines make the same file again
    write_parts(aside, (line + b"\n" for line in bad.values()))
    write_parts(path, _without(path, bad))


def _without(path: Path, bad: Mapping[int, bytes]) -> Iterator[bytes]:
    """The journal without its damaged lines, and with the records that stand whole in them; a torn tail as it is."""
    end = 0
    for offset, line in lines(path):
        end = offset + len(line) + 1
        yield b"".join(_records_in(line)) if offset in bad else line + b"\n"
    with path.open("rb") as file:
        file.seek(end)
        yield file.read()


def _records_in(line: bytes) -> Iterator[bytes]:
    """Whole records within a damaged line: the newline before or behind them was lost, their checksums hold."""
    begins = [begin.start() for begin in _BEGIN.finditer(line)]
    for begin, behind in pairwise([*begins, len(line)]):
        for end in _SEAL.finditer(line, begin, behind):  # no further: thousands of records may stand in one line
            with contextlib.suppress(BadLineError):
                found = checked(line[begin : end.end()])
                parse(found)
                yield found + b"\n"
                break
