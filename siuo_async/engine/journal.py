"""The journal: `calls.jsonl`, one line per finished call, append-only, the only source of truth.

Lines are split on the newline byte only. One writer holds an advisory lock on the file; a record is one `os.write`, made before
anything that depends on it is scheduled; `fdatasync` follows in groups. In memory a finished call is its id and an offset, no more.
The last *result* of an id wins, and a result never loses to a failure.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import re
import struct
from binascii import unhexlify
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Literal
from zlib import crc32

from siuo_async.engine.durable import sync_folder, unwritable
from siuo_async.engine.records import FAILED_MARK, VERSION, CallRecord, line_failed, parse
from siuo_async.engine.writer_lock import locked, still_there, unlocked
from siuo_async.errors import JournalWriteError, RunDirectoryError, StoppedEarly
from siuo_async.plain_files import must_be_plain
from siuo_async.seals import CRC_FIELD, BadLineError, checked

SYNC_EVERY_S = 0.1
_BLOCK = 1 << 17
_READ = 1 << 13
_PREFIX = b'{"id":"'
_KIND = b'","v":%d,"kind":' % VERSION
_RECORDS = (_KIND + b'"call"', _KIND + b'"search"')
_HEAD = struct.Struct("7s32s23s")
_KINDS = frozenset((_KIND + b'"call","', _KIND + b'"search"'))
"""What follows an id, cut to one length."""
_KEY = struct.Struct("16s")
_VERSION = re.compile(rb'","v":(\d+),')


def _blocks(path: Path) -> Iterator[tuple[int, bytes]]:
    """(offset, bytes) of a file in pieces, each beginning with a line; what follows the last newline comes again in the next."""
    with path.open("rb", buffering=0) as file:
        offset, most = 0, _BLOCK
        while block := os.pread(file.fileno(), most, offset):
            end = block.rfind(b"\n") + 1
            if end:
                yield offset, block
                offset, most = offset + end, _BLOCK
            elif len(block) < most:
                return  # a torn tail
            else:
                most *= 2  # a line longer than that


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(offset, line without newline) of every complete line; a torn tail is not given."""
    for offset, block in _blocks(path):
        start = 0
        while (end := block.find(b"\n", start)) >= 0:
            yield offset + start, block[start:end]
            start = end + 1


@dataclass(slots=True)
class Index:
    """Where the record of each call id stands: id -> offset, doubled, plus one for a failure."""

    path: Path
    offsets: dict[bytes, int] = field(default_factory=dict)
    end: int = 0
    """Offset behind the last complete line."""

    @classmethod
    def of(cls, path: Path, on_bad: Callable[[int, int, bytes, str], None] | None = None) -> Index:
        """Reads `path` once.

        Args:
            on_bad: told (line number, offset, line, what is wrong) of each bad line instead of raising. Whoever wants to know has each
                line looked at as a record too.

        Raises:
            RunDirectoryError: a complete line is not what was written.
        """
        index = cls(path)
        if not path.exists():
            return index
        _must_be_plain(path)
        number = 0
        for offset, block in _blocks(path):
            *whole, torn = block.split(b"\n")
            if on_bad is not None or not index._take_all(offset, whole, may_fail=FAILED_MARK in block):
                index._take_each(offset, whole, number, on_bad)
            number += len(whole)
            index.end = offset + len(block) - len(torn)
        return index

    def _take_all(self, offset: int, lines: list[bytes], *, may_fail: bool) -> bool:
        """Notes lines that stand one behind the other, if all are what they should be; else none, and says so.

        Half a million lines go through here when a run is continued, so each step is one call for all of them.

        Args:
            may_fail: whether any of them may be a failure.
        """
        try:
            starts, ids, kinds = zip(*map(_HEAD.unpack_from, lines), strict=True)
            keys = unhexlify(b"".join(ids))
            parts = [line.rpartition(CRC_FIELD) for line in lines]
            sums = b"".join([told for _, _, told in parts])
            if sums.strip(b"0123456789}") or list(map(int, sums[:-1].split(b"}"))) != [crc32(head) for head, _, _ in parts]:
                return False
        except (ValueError, struct.error):
            return False
        if set(starts) != {_PREFIX} or not _KINDS.issuperset(kinds) or not sums.endswith(b"}"):
            return False
        places = accumulate([2 * len(line) + 2 for line in lines[:-1]], initial=2 * offset)
        found = zip((key for (key,) in _KEY.iter_unpack(keys)), places, strict=True)
        if may_fail:
            for (key, place), line in zip(found, lines, strict=True):
                self.put(key, place >> 1, line_failed(line))
        else:
            self.offsets.update(found)
        return True

    def _take_each(self, offset: int, lines: list[bytes], before: int, on_bad: Callable[[int, int, bytes, str], None] | None) -> None:
        """As `_take_all`, for lines of which one is not as it should be, or not of this format."""
        for number, line in enumerate(lines, before + 1):
            try:
                self._take(offset, checked(line))
                if on_bad is not None and line.startswith(_RECORDS, 39):
                    parse(line)
            except BadLineError as error:
                if on_bad is None:
                    raise RunDirectoryError(
                        f"{self.path} line {number} is damaged ({error}); `siuo check {self.path.parent} --repair` moves such lines "
                        "aside so that their calls are made again"
                    ) from error
                on_bad(number, offset, line, str(error))
            offset += len(line) + 1

    def _take(self, offset: int, line: bytes) -> None:
        if not line.startswith(_PREFIX):
            raise BadLineError("it is no record")
        if line.startswith(_RECORDS, 39):
            try:
                key = bytes.fromhex(line[7:39].decode("ascii"))
            except ValueError as error:
                raise BadLineError("its id is no hex number") from error
            self.put(key, offset, line_failed(line))
        elif line[39 : 39 + len(_KIND)] != _KIND:
            self._refuse_newer(offset, line)
            raise BadLineError(f"it is not of format {VERSION}")

    def _refuse_newer(self, offset: int, line: bytes) -> None:
        """A whole line of a later format is no damage, so repairing must not move it aside."""
        found = _VERSION.match(line, 39)
        if found and int(found[1]) > VERSION:
            raise RunDirectoryError(
                f"{self.path} at byte {offset} is of format {int(found[1])}, this siuo reads format {VERSION}; "
                "install the newer siuo that wrote it, or measure again with --fresh"
            )

    def put(self, key: bytes, offset: int, failed: bool) -> None:
        """Notes a record; a failure never replaces a result."""
        if failed and self.offsets.get(key, 1) & 1 == 0:
            return
        self.offsets[key] = offset << 1 | failed


class JournalReader:
    """Reads records by call id; never writes, so it may look at a run that is going on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.index = Index.of(path)
        self._fd = os.open(path, os.O_RDONLY) if path.exists() else -1

    def __len__(self) -> int:
        return len(self.index.offsets)

    def get(self, call_id: str) -> CallRecord | None:
        """The record that stands for `call_id`, or None."""
        at = self.index.offsets.get(bytes.fromhex(call_id))
        if at is None:
            return None
        try:
            record = parse(self._line(at >> 1))
            if record.id != call_id:
                raise BadLineError("another record stands there")
            return record
        except BadLineError as error:
            raise RunDirectoryError(
                f"{self.path} at byte {at >> 1} cannot be read ({error}); `siuo check {self.path.parent} --repair` moves such lines "
                "aside so that their calls are made again"
            ) from error

    def raw(self, call_id: str) -> bytes | None:
        """The record's line with its newline, unknown fields included."""
        at = self.index.offsets.get(bytes.fromhex(call_id))
        return None if at is None else self._line(at >> 1) + b"\n"

    def _line(self, offset: int) -> bytes:
        found = b""
        while True:
            block = os.pread(self._fd, max(_READ, len(found)), offset + len(found))
            end = block.find(b"\n")
            if end >= 0:
                return checked(found + block[:end])
            if not block:
                raise RunDirectoryError(f"{self.path} became shorter while it was read; another program changed it")
            found += block

    def close(self) -> None:
        """Lets the file go."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class Journal(JournalReader):
    """The one writer of a run's journal.

    Args:
        path: the file; made if it is not there, its torn tail cut.
        sync: `group` (every 100 ms, in a thread), `always` (with each record) or `off`.
        on_fatal: told when the disk no longer takes what was written.

    Raises:
        RunDirectoryError: another process writes it, or a line is damaged.
    """

    def __init__(
        self,
        path: Path,
        *,
        sync: Literal["group", "always", "off"] = "group",
        on_fatal: Callable[[StoppedEarly], None] = lambda _: None,
    ) -> None:
        writer = locked(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            super().__init__(path)
            self._mend_tail(writer)
            sync_folder(path.parent)
        except OSError as error:
            os.close(writer)
            raise RunDirectoryError(f"{path} cannot be written ({error.strerror}); use another --run or results folder") from error
        except BaseException:
            os.close(writer)
            raise
        self._writer = writer
        self._sync = sync
        self._on_fatal = on_fatal
        self._dirty = False
        self._broken: StoppedEarly | None = None
        self._strayed = ""
        """What others did to the file, once that was seen."""
        self.end = self.opened_at = self.index.end

    def _mend_tail(self, writer: int) -> None:
        """Cuts off what a crash left of a record; a whole one that lacks only its newline gets that."""
        end = self.index.end
        tail = os.pread(writer, os.fstat(writer).st_size - end, end)
        try:
            self.index._take(end, checked(tail))
        except BadLineError:
            os.ftruncate(writer, end)
        else:
            self.index.end += os.write(writer, b"\n") + len(tail)

    def failed_earlier(self, call_id: str) -> bool:
        """Whether what stands for `call_id` is a failure of an earlier session, which is asked again."""
        at = self.index.offsets.get(bytes.fromhex(call_id))
        return at is not None and at & 1 == 1 and at >> 1 < self.opened_at

    def append(self, record: CallRecord) -> None:
        """Writes one finished call.

        Raises:
            JournalWriteError: the disk would not take it; the file ends with its last good line.
        """
        self._write(record.line(), bytes.fromhex(record.id), record.failed)

    def append_raw(self, call_id: str, line: bytes) -> None:
        """Writes a line copied from another journal."""
        self._write(line, bytes.fromhex(call_id), line_failed(line))

    def _write(self, line: bytes, key: bytes, failed: bool) -> None:
        if self._broken is not None:
            raise self._broken
        try:
            written = os.write(self._writer, line)
            if written != len(line):
                raise OSError(errno.ENOSPC, "only part of a record was written")
            if self._sync == "always":
                os.fdatasync(self._writer)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._writer, self.end)
            raise self._break(error) from error
        self.index.put(key, self.end, failed)
        self.end += written
        self._dirty = True

    def _break(self, error: OSError) -> StoppedEarly:
        self._broken = JournalWriteError(unwritable(self.path, error))
        self._on_fatal(self._broken)
        return self._broken

    async def keep_synced(self) -> None:
        """Makes what was written durable every 100 ms, in a thread, and looks after the file; runs until cancelled."""
        while True:
            await asyncio.sleep(SYNC_EVERY_S)
            self._look_after()
            if self._dirty and self._sync == "group" and self._broken is None:
                self._dirty = False
                try:
                    await self._sync_aside()
                except OSError as error:
                    self._break(error)
                except asyncio.CancelledError:
                    self._dirty = True  # the thread may not have begun: `close` makes sure
                    raise

    async def _sync_aside(self) -> None:
        try:
            await asyncio.to_thread(os.fdatasync, self._writer)
        except RuntimeError:  # no thread can be started: then calls wait for the disk
            os.fdatasync(self._writer)

    def _look_after(self) -> None:
        """Stops the run when the file is no longer the one at its place, or others write it too, since what is paid then may be lost.

        What is on the wire is still written: a journal that was moved is a journal.
        """
        if self._strayed or self._broken is not None:
            return
        try:
            found = os.fstat(self._writer)
        except OSError:  # a file system that is away: what is written next tells
            return
        if not still_there(found, self.path):
            what = "was moved" if found.st_nlink else "was deleted"
            self._strayed = f"{self.path} {what} while the run went on; put it back, and run the same command again"
        elif found.st_size != self.end:
            self.end = found.st_size
            self._strayed = (
                f"another program changed {self.path} while the run went on; keep it off, look what is left with "
                f"`siuo check {self.path.parent}`, and run the same command again"
            )
        if self._strayed:
            self._on_fatal(JournalWriteError(self._strayed))

    def close(self) -> None:
        """Makes everything durable and gives the lock back."""
        super().close()
        if self._writer < 0:
            return
        try:
            if self._dirty and self._sync != "off" and self._broken is None:
                os.fdatasync(self._writer)
        except OSError as error:
            raise self._break(error) from error
        finally:
            unlocked(self._writer, self.path)
            self._writer = -1


def _must_be_plain(path: Path) -> None:
    try:
        must_be_plain(path)
    except OSError as error:
        raise RunDirectoryError(
            f"{path} cannot be read ({error.strerror}); restore it from a copy, or start again with --fresh"
        ) from error
