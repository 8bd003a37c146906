"""The one door: answered from the journal, joined to an equal call in flight, or sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from siuo_async.benchmarks.base import GENERATE, SEARCH
from siuo_async.engine.door import PendingError, ReplayDoor, SendingDoor
from siuo_async.engine.journal import Journal, JournalReader
from siuo_async.engine.records import CallRecord
from siuo_async.errors import CallError, ErrorKind, JournalWriteError, StoppedEarly
from siuo_async.seals import sealed
from tests.engine.samples import answered, failure, identity, record

A = identity("a")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path / "calls.jsonl", sync="off")) as opened:
        yield opened


def sending(result: CallRecord) -> Callable[[], Awaitable[CallRecord]]:
    async def send() -> CallRecord:
        return result

    return send


async def never() -> CallRecord:
    raise AssertionError("a finished call was sent again")


class Wire:
    """A call that is on the wire until the test says what came of it."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.result: asyncio.Future[CallRecord] = asyncio.get_running_loop().create_future()
        self.sent = 0

    async def send(self) -> CallRecord:
        self.sent += 1
        self.begun.set()
        return await self.result


async def two_callers(
    door: SendingDoor, wire: Wire
) -> tuple[asyncio.Task[tuple[CallRecord, bool]], asyncio.Task[tuple[CallRecord, bool]]]:
    owner = asyncio.create_task(door.call(A, wire.send))
    await wire.begun.wait()
    joiner = asyncio.create_task(door.call(A, never))
    await asyncio.sleep(0)
    return owner, joiner


async def test_a_call_is_sent_once_and_then_answered_from_the_journal(journal: Journal) -> None:
    door = SendingDoor(journal)
    assert await door.call(A, sending(record("a"))) == (record("a"), True)
    assert await door.call(A, never) == (record("a"), False)
    assert (door.sent, door.reused) == (1, 1)


async def test_the_record_is_in_the_file_before_the_caller_goes_on(journal: Journal) -> None:
    await SendingDoor(journal).call(A, sending(record("a")))
    assert journal.path.read_bytes() == record("a").line()


async def test_an_equal_call_in_flight_is_joined(journal: Journal) -> None:
    door, wire = SendingDoor(journal), Wire()
    owner, joiner = await two_callers(door, wire)
    wire.result.set_result(record("a"))
    assert await owner == (record("a"), True)
    assert await joiner == (record("a"), False)
    assert (wire.sent, door.sent) == (1, 1)
    assert journal.path.read_bytes() == record("a").line()


async def test_a_failed_call_is_handed_to_those_who_joined(journal: Journal) -> None:
    owner, joiner = await two_callers(SendingDoor(journal), wire := Wire())
    wire.result.set_result(failure("a"))
    assert [await owner, await joiner] == [(failure("a"), True), (failure("a"), False)]


@pytest.mark.parametrize("error", [StoppedEarly("the endpoint was stopped"), CallError(ErrorKind.SERVER, "x"), ValueError("a bug")])
async def test_an_error_is_handed_to_those_who_joined(journal: Journal, error: Exception) -> None:
    owner, joiner = await two_callers(SendingDoor(journal), wire := Wire())
    wire.result.set_exception(error)
    for task in (owner, joiner):
        with pytest.raises(type(error), match=str(error)):
            await task
    assert journal.path.read_bytes() == b""


async def test_those_who_joined_a_cancelled_call_do_not_hang(journal: Journal) -> None:
    door, wire = SendingDoor(journal), Wire()
    owner, joiner = await two_callers(door, wire)
    owner.cancel()
    with pytest.raises(PendingError):
        await asyncio.wait_for(joiner, 5)
    with pytest.raises(asyncio.CancelledError):
        await owner
    assert await door.call(A, sending(record("a"))) == (record("a"), True), "and the call can be made again"


async def test_a_cancelled_joiner_leaves_the_call_alone(journal: Journal) -> None:
    owner, joiner = await two_callers(SendingDoor(journal), wire := Wire())
    joiner.cancel()
    with pytest.raises(asyncio.CancelledError):
        await joiner
    wire.result.set_result(record("a"))
    assert await owner == (record("a"), True)


async def test_a_journal_that_takes_no_more_fails_owner_and_joiner(journal: Journal) -> None:
    owner, joiner = await two_callers(SendingDoor(journal), wire := Wire())
    journal._broken = JournalWriteError("the disk is full")
    wire.result.set_result(record("a"))
    for task in (owner, joiner):
        with pytest.raises(JournalWriteError):
            await task


FAILURES = [(500, False, True), (None, False, True), (404, False, True), (400, False, False), (413, False, False), (422, False, False)]


@pytest.mark.parametrize("status, retry_failed, asked_again", [*FAILURES, *((s, True, True) for s, _, _ in FAILURES)])
async def test_failures_of_earlier_sessions_are_asked_again_unless_they_name_the_sample(
    tmp_path: Path, status: int | None, retry_failed: bool, asked_again: bool
) -> None:
    path = tmp_path / "calls.jsonl"
    failed = failure("a", status=status)
    path.write_bytes(failed.line())
    with closing(Journal(path, sync="off")) as journal:
        found = await SendingDoor(journal, retry_failed=retry_failed).call(A, sending(record("a")))
    assert found == ((record("a"), True) if asked_again else (failed, False))


@pytest.mark.parametrize("status", [None, 400, 500])
@pytest.mark.parametrize("retry_failed", [False, True])
async def test_a_failed_search_stands_unless_failures_are_retried(tmp_path: Path, status: int | None, retry_failed: bool) -> None:
    path = tmp_path / "calls.jsonl"
    failed = failure("a", status=status, stage=SEARCH)
    path.write_bytes(failed.line())
    with closing(Journal(path, sync="off")) as journal:
        found = await SendingDoor(journal, retry_failed=retry_failed).call(A, sending(record("a")))
    assert found == ((record("a"), True) if retry_failed else (failed, False))


@pytest.mark.parametrize("stage, asked_again", [(GENERATE, False), (SEARCH, False), ("judge.grade", True)])
async def test_where_only_verdicts_are_paid_for_all_other_failures_stand(tmp_path: Path, stage: str, asked_again: bool) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_bytes(failure("a", stage=stage).line())
    with closing(Journal(path, sync="off")) as journal:
        door = SendingDoor(journal, retry_failed=True, judge_only=True)
        assert (door.known(A) is None) == asked_again


async def test_a_failure_of_this_session_is_not_asked_again(journal: Journal) -> None:
    door = SendingDoor(journal, retry_failed=True)
    await door.call(A, sending(failure("a")))
    assert await door.call(A, never) == (failure("a"), False)


async def test_a_second_failure_is_kept_for_the_next_session(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_bytes(failure("a").line())
    with closing(Journal(path, sync="off")) as journal:
        await SendingDoor(journal).call(A, sending(failure("a", sample="later")))
        assert journal.get(A) == failure("a", sample="later")


async def test_reuse_copies_whole_lines_with_what_this_version_does_not_know(tmp_path: Path, journal: Journal) -> None:
    fields = orjson.loads(record("a", answered("ü")).line())
    del fields["crc"]
    line = sealed(orjson.dumps(fields | {"new_field": {"x": 1}}))
    other = tmp_path / "other.jsonl"
    other.write_bytes(line + failure("b").line())
    with closing(JournalReader(other)) as reader:
        door = SendingDoor(journal, reuse=[reader])
        assert await door.call(A, never) == (record("a", answered("ü")), False)
        assert await door.call(identity("b"), sending(record("b"))) == (record("b"), True), "failures are not reused"
        assert await door.call(A, never) == (record("a", answered("ü")), False)
    assert journal.path.read_bytes() == line + record("b").line()
    assert (door.sent, door.reused) == (1, 2)


async def test_an_own_result_is_taken_before_another_runs(tmp_path: Path, journal: Journal) -> None:
    other = tmp_path / "other.jsonl"
    other.write_bytes(record("a", answered("other")).line())
    journal.append(record("a", answered("own")))
    with closing(JournalReader(other)) as reader:
        assert await SendingDoor(journal, reuse=[reader]).call(A, never) == (record("a", answered("own")), False)


async def test_a_replay_never_sends(journal: Journal) -> None:
    journal.append(failure("b"))
    with closing(JournalReader(journal.path)) as reader:
        door = ReplayDoor(reader)
        with pytest.raises(PendingError):
            await door.call(A, never)
        assert await door.call(identity("b"), never) == (failure("b"), False)
        assert door.known(identity("b")) == failure("b")
