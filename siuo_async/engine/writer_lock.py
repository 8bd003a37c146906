"""Who may write a run: an advisory lock on its journal, and a note beside it that says who holds the lock."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

import orjson

from siuo_async.engine.private_files import private
from siuo_async.errors import RunDirectoryError
from siuo_async.plain_files import plain_bytes

_TRIES = 100


def _holder_file(path: Path) -> Path:
    """Where the holder of the lock says who it is; the lock itself is on the journal."""
    return path.with_name("writer.json")


def locked(path: Path, flags: int) -> int:
    """A descriptor of the journal, which this process alone may write until it is closed.

    Raises:
        RunDirectoryError: another process writes it, it cannot be opened, or its file system has no locks.
    """
    for _ in range(_TRIES):
        try:
            writer = private(path, flags)
        except OSError as error:
            raise RunDirectoryError(f"{path} cannot be written ({error.strerror}); use another --run or results folder") from error
        try:
            _lock(writer, path)
            if still_there(os.fstat(writer), path):
                _leave_note(path)
                return writer
        except BaseException:
            os.close(writer)
            raise
        os.close(writer)  # replaced by a repair between opening and locking: what is written here nobody would find
    raise RunDirectoryError(
        f"{path} is another file each time it is looked at, so nobody could tell whether it was moved; keep runs on a disk of this "
        "machine with --results"
    )


def unlocked(writer: int, path: Path) -> None:
    """Gives back what `locked` gave."""
    with contextlib.suppress(OSError):
        _holder_file(path).unlink(missing_ok=True)
    os.close(writer)


def still_there(found: os.stat_result, path: Path) -> bool:
    """Whether the file that was opened is the one at its place."""
    try:
        return os.path.samestat(found, os.stat(path))
    except FileNotFoundError:
        return False
    except OSError:
        return True  # a file system that is away for a moment says nothing of the file


def _lock(writer: int, path: Path) -> None:
    try:
        fcntl.flock(writer, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise RunDirectoryError(
            f"{path.parent} is being written by {_holder(path)}; wait for it, stop it, or start another run with --fresh"
        ) from error
    except OSError as error:
        raise RunDirectoryError(
            f"{path} cannot be locked ({error.strerror}), and without a lock two processes could write it; keep runs on a disk of this "
            "machine with --results"
        ) from error


def _leave_note(path: Path) -> None:
    """Says who holds the lock; a courtesy, without which the run goes on. A full disk is met, and told, by the first record."""
    who = {"pid": os.getpid(), "host": socket.gethostname(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
    with contextlib.suppress(OSError):
        _holder_file(path).unlink(missing_ok=True)  # a dead writer's, or a link that somebody put there
        target = private(_holder_file(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            os.write(target, orjson.dumps(who))
        finally:
            os.close(target)


def _holder(path: Path) -> str:
    try:
        who = orjson.loads(plain_bytes(_holder_file(path)))
        return f"process {who['pid']} on {who['host']} (since {who['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def being_written(path: Path) -> bool:
    """Whether a process holds the journal's lock now."""
    if not path.exists():
        return False
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # without locks nobody writes here, as `_lock` sees to
    finally:
        os.close(handle)
    return False
