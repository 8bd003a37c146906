"""What may have been billed and stands in no record, kept in a small file of the run: `budget.json`.

A process that is killed leaves calls on the wire that the provider may charge for. So the file says, before anything is sent, how many
these are at most, and how much is held for them: the next session counts them as spent. It is written in place, some bytes at a time,
and only when more is on the wire than it says; a few times a second it is taken down to what is there then.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import orjson

from siuo_async.engine.private_files import private
from siuo_async.errors import JournalWriteError
from siuo_async.plain_files import plain_bytes

_WIDTH = 200
"""Bytes of the file, always: so a write in place leaves nothing of an earlier one behind."""
_AHEAD = 8
"""A part of what is held by which the file is ahead of it, so that it is not written for each call."""
_FIELDS = ("maybe_billed_pico_usd", "tries", "on_wire_pico_usd", "on_wire_calls")


@dataclass(frozen=True, slots=True)
class Owed:
    """What may have been billed and stands in no record, at most, in 10^-12 USD."""

    kept_pico: int = 0
    """For tries that gave no result."""
    tries: int = 0
    """How many tries without a result that is for."""
    wire_pico: int = 0
    """For calls on the wire."""
    wire_calls: int = 0
    """How many calls were on the wire, at most."""


def read(path: Path) -> Owed:
    """What the file says; nothing is owed where there is none.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged.
    """
    try:
        told = orjson.loads(plain_bytes(path))
        found = [told[name] for name in _FIELDS]
    except FileNotFoundError:
        return Owed()
    except (orjson.JSONDecodeError, TypeError, KeyError) as error:
        raise ValueError("it is damaged") from error
    if not all(type(number) is int and number >= 0 for number in found):
        raise ValueError("it is damaged")
    return Owed(*found)


class HeldMoney:
    """The file of a session.

    Args:
        path: the file; made if it is not there.
        kept_pico: for tries and calls of earlier sessions.
        tries: how many of these left a record.

    Raises:
        JournalWriteError: it cannot be written.
    """

    def __init__(self, path: Path, kept_pico: int = 0, tries: int = 0) -> None:
        self._path = path
        self._kept = kept_pico
        self._tries = tries
        self._said = self._said_calls = 0
        try:
            self._fd = private(path, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise self._refused(error) from error
        self._write(0, 0)

    def raise_to(self, held_pico: int, calls: int) -> None:
        """So much is held now for so many calls, which are about to be sent."""
        if held_pico > self._said or calls > self._said_calls:
            self._write(held_pico + held_pico // _AHEAD, calls + calls // _AHEAD)

    def lower(self, held_pico: int, calls: int) -> None:
        """No more than so much is on the wire."""
        if self._said > held_pico + held_pico // (_AHEAD // 2) or self._said_calls > calls + calls // (_AHEAD // 2):
            self._write(held_pico + held_pico // _AHEAD, calls + calls // _AHEAD)

    def keep(self, pico: int, tries: int) -> None:
        """So much more stays, for tries that left no result."""
        self._kept += pico
        self._tries += tries
        self._write(self._said, self._said_calls)

    def close(self) -> None:
        """Nothing is on the wire any more."""
        if self._fd >= 0:
            self._write(0, 0)
            os.close(self._fd)
            self._fd = -1

    def _write(self, wire_pico: int, wire_calls: int) -> None:
        told = dict(zip(_FIELDS, (self._kept, self._tries, wire_pico, wire_calls), strict=True))
        line = orjson.dumps(told).ljust(_WIDTH - 1) + b"\n"
        try:
            if os.pwrite(self._fd, line, 0) != len(line):
                raise OSError("only a part of it could be written")
        except OSError as error:
            raise self._refused(error) from error
        self._said, self._said_calls = wire_pico, wire_calls

    def _refused(self, error: OSError) -> JournalWriteError:
        return JournalWriteError(
            f"{self._path} cannot be written ({error.strerror or error}), and without it nobody would know what a killed run owes; "
            "make room, or mend its rights, and run the same command again"
        )
