"""What may have been billed and stands in no record, kept in a small file of the run: `budget.json`.

A process that is killed leaves calls on the wire that the provider may charge for. So the file says, before anything is sent, at least
as much as is held for calls on the wire: the next session counts that as spent. It is written in place, some bytes at a time, and only
when more is held than it says; a few times a second it is taken down to what is held then.
"""

from __future__ import annotations

import os
from pathlib import Path

import orjson

from siuo_async.engine.private_files import private
from siuo_async.errors import JournalWriteError
from siuo_async.plain_files import plain_bytes

_WIDTH = 120
"""Bytes of the file, always: so a write in place leaves nothing of an earlier one behind."""
_AHEAD = 8
"""A part of what is held by which the file is ahead of it, so that it is not written for each call."""


def read(path: Path) -> tuple[int, int]:
    """(10^-12 USD that may have been billed, tries without a result among it); nothing where there is no such file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged.
    """
    try:
        told = orjson.loads(plain_bytes(path))
        pico, tries = told["maybe_billed_pico_usd"], told["tries"]
    except FileNotFoundError:
        return 0, 0
    except (orjson.JSONDecodeError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is damaged") from error
    if type(pico) is not int or type(tries) is not int or pico < 0 or tries < 0:
        raise ValueError(f"{path} is damaged")
    return pico, tries


class HeldMoney:
    """The file of a session.

    Args:
        path: the file; made if it is not there.
        kept_pico, tries: what it said.

    Raises:
        JournalWriteError: it cannot be written.
    """

    def __init__(self, path: Path, kept_pico: int = 0, tries: int = 0) -> None:
        self._path = path
        self._kept = kept_pico
        self._tries = tries
        self._said = -1
        try:
            self._fd = private(path, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise self._refused(error) from error
        self._write(kept_pico)

    def raise_to(self, held_pico: int) -> None:
        """So much is held now, and about to be sent."""
        if self._kept + held_pico > self._said:
            self._write(self._kept + held_pico + held_pico // _AHEAD)

    def lower(self, held_pico: int) -> None:
        """No more than so much is on the wire."""
        if self._said > self._kept + held_pico + held_pico // (_AHEAD // 2):
            self._write(self._kept + held_pico + held_pico // _AHEAD)

    def keep(self, pico: int, tries: int, held_pico: int) -> None:
        """So much more stays, for tries that left no result."""
        self._kept += pico
        self._tries += tries
        self.raise_to(held_pico)

    def close(self) -> None:
        """Nothing is on the wire any more."""
        if self._fd >= 0:
            self._write(self._kept)
            os.close(self._fd)
            self._fd = -1

    def _write(self, pico: int) -> None:
        line = orjson.dumps({"maybe_billed_pico_usd": pico, "tries": self._tries}).ljust(_WIDTH - 1) + b"\n"
        try:
            if os.pwrite(self._fd, line, 0) != len(line):
                raise OSError("only a part of it could be written")
        except OSError as error:
            raise self._refused(error) from error
        self._said = pico

    def _refused(self, error: OSError) -> JournalWriteError:
        return JournalWriteError(
            f"{self._path} cannot be written ({error.strerror or error}), and without it nobody would know what a killed run owes; "
            "make room, or mend its rights, and run the same command again"
        )
