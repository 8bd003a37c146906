"""The journal under what happens to processes and disks: kills, locks, full disks, failed syncs. All of it real."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest

from siuo_async.engine.journal import Index, Journal, lines
from siuo_async.engine.writer_lock import being_written
from siuo_async.errors import JournalWriteError, RunDirectoryError, StoppedEarly
from siuo_async.seals import checked
from tests.engine.samples import answered, identity, record

REPOSITORY = Path(__file__).resolve().parents[2]
HOLD = """
import sys
from pathlib import Path
from siuo_async.engine.journal import Journal
from tests.engine.samples import record
journal = Journal(Path(sys.argv[1]))
journal.append(record("held"))
print("held", flush=True)
sys.stdin.read()
"""


def child(code: str, *arguments: object, **more: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **more)  # type: ignore[call-overload,no-any-return]


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the journal of `tmp_path`."""
    with child(HOLD, tmp_path / "calls.jsonl") as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_writer_is_told_who_holds_the_run(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(RunDirectoryError, match=f"is being written by process {holder.pid} on {socket.gethostname()} ") as caught:
        Journal(tmp_path / "calls.jsonl")
    assert "--fresh" in str(caught.value)


def test_a_second_writer_cuts_nothing_off_the_holders_file(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    path = tmp_path / "calls.jsonl"
    with path.open("ab") as file:
        file.write(b"half a rec")
    before = path.read_bytes()
    with pytest.raises(RunDirectoryError):
        Journal(path)
    assert path.read_bytes() == before


def test_a_killed_writer_leaves_its_records_and_no_lock(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "writer.json").exists(), "a kill leaves the note; it must lock nobody out"
    with closing(Journal(tmp_path / "calls.jsonl")) as journal:
        assert journal.get(identity("held")) == record("held")


WRITE_ON = """
import sys
from pathlib import Path
from siuo_async.engine.journal import Journal
from tests.engine.samples import answered, record
journal = Journal(Path(sys.argv[1]), sync="off")
for number in range(1_000_000):
    journal.append(record(number, answered("x" * (number % 3000))))
    if number == 200:
        print("on", flush=True)
"""


def test_every_record_before_a_kill_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    with child(WRITE_ON, path) as process:
        assert process.stdout
        assert process.stdout.readline() == "on\n"
        process.send_signal(signal.SIGKILL)
    with closing(Journal(path)) as journal:
        assert len(journal) > 200
        numbers = range(len(journal))
        assert all(journal.get(identity(n)) == record(n, answered("x" * (n % 3000))) for n in numbers)


FILL = """
import json, sys
from pathlib import Path
from siuo_async.engine.journal import Journal
from siuo_async.errors import StoppedEarly
from tests.engine.samples import answered, record
told = []
journal = Journal(Path(sys.argv[1]), sync="off", on_fatal=told.append)
begin = len(journal)
for number in range(begin, begin + 100_000):
    try:
        journal.append(record(number, answered("x" * 701)))
    except StoppedEarly as error:
        try:
            journal.append(record("later"))
            again = "taken"
        except StoppedEarly as later:
            again = type(later).__name__
        print(json.dumps({"count": number, "kind": type(error).__name__, "message": str(error), "told": len(told), "again": again}))
        break
journal.close()
"""


def assert_ends_with_its_last_good_line(path: Path, count: int) -> None:
    content = path.read_bytes()
    assert content.endswith(b"\n")
    assert [len(checked(line)) > 0 for _, line in lines(path)] == [True] * count
    assert Index.of(path).end == len(content)


def fill(path: Path, **more: object) -> dict[str, object]:
    """Writes until the disk is full; what the writer says then."""
    with child(FILL, path, **more) as process:
        said, _ = process.communicate()
    assert process.returncode == 0
    found: dict[str, object] = json.loads(said)
    assert "make room and run the same command again" in str(found.pop("message"))
    return found


def test_a_file_that_may_not_grow_ends_with_its_last_good_line(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}  # Python leaves half of a compiled module, for whoever is next
    found = fill(path, env=env, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)))
    count = found["count"]
    assert isinstance(count, int)
    assert 10 < count < 30
    assert found == {"count": count, "kind": "JournalWriteError", "told": 1, "again": "JournalWriteError"}
    assert_ends_with_its_last_good_line(path, count)
    with closing(Journal(path)) as journal:
        journal.append(record("resumed"))
    assert_ends_with_its_last_good_line(path, count + 1)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KB, where this user may mount one."""
    place = tmp_path / "tiny"
    place.mkdir()
    mount = shutil.which("mount")
    if sys.platform != "linux" or os.geteuid() != 0 or mount is None:
        pytest.skip("only root can mount a tiny disk")
    if subprocess.run([mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a tiny disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def test_a_full_disk_ends_with_its_last_good_line_and_goes_on_when_there_is_room(tiny_disk: Path) -> None:
    path = tiny_disk / "calls.jsonl"
    found = fill(path)
    count = found["count"]
    assert isinstance(count, int)
    assert found == {"count": count, "kind": "JournalWriteError", "told": 1, "again": "JournalWriteError"}
    assert_ends_with_its_last_good_line(path, count)
    subprocess.run(["mount", "-o", "remount,size=128k", tiny_disk], check=True)
    more = fill(path)["count"]
    assert isinstance(more, int)
    assert more > 1.5 * count
    assert_ends_with_its_last_good_line(path, more)


def test_a_run_on_a_disk_that_was_full_from_the_start_says_so(tiny_disk: Path) -> None:
    with suppress(OSError), (tiny_disk / "fill").open("wb") as file:
        file.write(b"x" * (1 << 20))
    with closing(Journal(tiny_disk / "calls.jsonl")) as journal, pytest.raises(JournalWriteError, match="No space left"):
        journal.append(record("a"))


@pytest.fixture
def pipe() -> Iterator[int]:
    """A descriptor that takes what is written and cannot be synced."""
    reading, writing = os.pipe()
    yield writing
    os.close(reading)
    os.close(writing)


def break_sync(journal: Journal, pipe: int) -> None:
    """From now on writing works and syncing does not."""
    os.dup2(pipe, journal._writer)


async def test_a_failed_group_sync_is_fatal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    told: asyncio.Future[StoppedEarly] = asyncio.get_running_loop().create_future()
    journal = Journal(tmp_path / "calls.jsonl", on_fatal=told.set_result)
    monkeypatch.setattr(os, "fdatasync", fails)
    syncing = asyncio.create_task(journal.keep_synced())
    journal.append(record("a"))
    assert "Input/output error); look after the disk" in str(await asyncio.wait_for(told, 5))
    with pytest.raises(JournalWriteError):
        journal.append(record("b"))
    syncing.cancel()
    journal.close()


def test_a_failed_sync_with_each_record_is_fatal(tmp_path: Path, pipe: int) -> None:
    journal = Journal(tmp_path / "calls.jsonl", sync="always")
    break_sync(journal, pipe)
    with pytest.raises(JournalWriteError):
        journal.append(record("a"))
    assert journal.get(identity("a")) is None
    journal.close()


def test_a_failed_sync_at_the_end_is_told(tmp_path: Path, pipe: int) -> None:
    told: list[StoppedEarly] = []
    journal = Journal(tmp_path / "calls.jsonl", on_fatal=told.append)
    break_sync(journal, pipe)
    journal.append(record("a"))
    with pytest.raises(JournalWriteError):
        journal.close()
    assert len(told) == 1


async def test_a_group_sync_that_was_cancelled_before_it_began_falls_to_close(tmp_path: Path, pipe: int) -> None:
    loop, free = asyncio.get_running_loop(), threading.Event()
    loop.set_default_executor(ThreadPoolExecutor(1))
    busy = loop.run_in_executor(None, free.wait)
    journal = Journal(tmp_path / "calls.jsonl")
    syncing = asyncio.create_task(journal.keep_synced())
    journal.append(record("a"))
    while journal._dirty:  # until the sync stands in the queue for the busy thread
        await asyncio.sleep(0.01)
    syncing.cancel()
    await asyncio.gather(syncing, return_exceptions=True)
    free.set()
    await busy
    break_sync(journal, pipe)
    with pytest.raises(JournalWriteError):  # so it does sync
        journal.close()


def test_a_place_that_cannot_be_written_is_named_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match=r"cannot be written \(No such file or directory\); use another --run"):
        Journal(tmp_path / "nowhere" / "calls.jsonl")


async def test_a_journal_that_was_moved_stops_the_run_and_still_takes_what_is_on_the_wire(tmp_path: Path) -> None:
    told: asyncio.Future[StoppedEarly] = asyncio.get_running_loop().create_future()
    path, moved = tmp_path / "calls.jsonl", tmp_path / "moved.jsonl"
    with closing(Journal(path, sync="off", on_fatal=told.set_result)) as journal:
        watching = asyncio.create_task(journal.keep_synced())
        journal.append(record("a"))
        path.rename(moved)
        assert "was moved while the run went on; put it back" in str(await asyncio.wait_for(told, 5))
        journal.append(record("b"))
        watching.cancel()
    assert moved.read_bytes() == record("a").line() + record("b").line()


async def test_what_another_program_appends_is_told_and_nothing_of_it_is_taken_for_ours(tmp_path: Path) -> None:
    told: asyncio.Future[StoppedEarly] = asyncio.get_running_loop().create_future()
    path = tmp_path / "calls.jsonl"
    with closing(Journal(path, sync="off", on_fatal=told.set_result)) as journal:
        watching = asyncio.create_task(journal.keep_synced())
        with path.open("ab") as other:
            other.write(record("theirs").line())
        assert "another program changed" in str(await asyncio.wait_for(told, 5))
        journal.append(record("ours"))
        assert journal.get(identity("ours")) == record("ours")
        watching.cancel()


async def test_where_no_thread_can_be_started_the_sync_is_made_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = asyncio.Event()

    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(asyncio, "to_thread", refuse)
    monkeypatch.setattr(os, "fdatasync", lambda _: synced.set())
    with closing(Journal(tmp_path / "calls.jsonl")) as journal:
        syncing = asyncio.create_task(journal.keep_synced())
        journal.append(record("a"))
        await asyncio.wait_for(synced.wait(), 5)
        syncing.cancel()


def test_a_place_for_the_holders_note_that_cannot_be_written_keeps_nobody_out(tmp_path: Path) -> None:
    (tmp_path / "writer.json").mkdir()
    with closing(Journal(tmp_path / "calls.jsonl", sync="off")) as journal:
        journal.append(record("a"))


async def test_a_file_system_that_is_away_for_a_moment_ends_no_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked, synced = asyncio.Event(), asyncio.Event()
    fstat = os.fstat

    def away(handle: int) -> os.stat_result:
        if looked.is_set():
            return fstat(handle)
        looked.set()
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(os, "fdatasync", lambda _: synced.set())
    told: list[StoppedEarly] = []
    with closing(Journal(tmp_path / "calls.jsonl", on_fatal=told.append)) as journal:
        monkeypatch.setattr(os, "fstat", away)
        syncing = asyncio.create_task(journal.keep_synced())
        journal.append(record("a"))
        await asyncio.wait_for(synced.wait(), 5)
        syncing.cancel()
    assert looked.is_set()
    assert not told


def test_a_disk_that_failed_is_not_told_as_another_program_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int, content: bytes) -> int:
        return write(handle, content[:9])

    def failed(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    told: list[StoppedEarly] = []
    write = os.write
    with closing(Journal(tmp_path / "calls.jsonl", on_fatal=told.append)) as journal:
        monkeypatch.setattr(os, "write", full)
        monkeypatch.setattr(os, "ftruncate", failed)
        with pytest.raises(JournalWriteError, match="make room"):
            journal.append(record("a"))
        journal._look_after()
    assert len(told) == 1


def test_a_place_where_no_file_keeps_its_identity_is_refused_and_hangs_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "samestat", lambda *_: False)
    with pytest.raises(RunDirectoryError, match="--results"):
        Journal(tmp_path / "calls.jsonl")


def test_nobody_writes_where_there_are_no_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    path = tmp_path / "calls.jsonl"
    with closing(Journal(path)):
        assert being_written(path)
    monkeypatch.setattr(fcntl, "flock", none)
    assert not being_written(path)
