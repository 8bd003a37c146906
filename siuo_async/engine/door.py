"""One door for every call: answered from the journal, joined to an equal call in flight, or sent.

Two samples with equal requests, a judge that is also a target, a resumed run: none of them is a special case here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from siuo_async.benchmarks.base import GENERATE, SEARCH
from siuo_async.client.accounts import IMPORTED
from siuo_async.engine.journal import Journal, JournalReader
from siuo_async.engine.records import CallRecord
from siuo_async.errors import NAMES_THE_SAMPLE, StoppedEarly


class PendingError(StoppedEarly):
    """The call has not been made yet, and this door does not send."""


class Door(Protocol):
    """Where the records of calls come from."""

    def known(self, call_id: str) -> CallRecord | None:
        """The record if the call need not be made, else None."""

    async def call(self, call_id: str, send: Callable[[], Awaitable[CallRecord]]) -> tuple[CallRecord, bool]:
        """The record of the call, made now if it must be, and whether it was.

        Raises:
            StoppedEarly: it cannot be made now.
        """


class SendingDoor:
    """The door of a run that is going on.

    Args:
        journal: where finished calls are kept.
        reuse: other runs' journals; what is found there is copied.
        retry_failed: ask again also for calls whose sample the provider rejected, and search again where a search failed.
        judge_only: only verdicts are paid for; of everything else, failures stand as they are.
    """

    def __init__(
        self, journal: Journal, *, reuse: Sequence[JournalReader] = (), retry_failed: bool = False, judge_only: bool = False
    ) -> None:
        self._journal = journal
        self._reuse = reuse
        self._retry_failed = retry_failed
        self._judge_only = judge_only
        self._in_flight: dict[str, asyncio.Future[CallRecord] | None] = {}
        """A future only where somebody joined."""
        self.sent = 0
        self.reused = 0

    def known(self, call_id: str) -> CallRecord | None:
        """The journal's record, or a copy of another run's; None where the call is to be made."""
        record = self._journal.get(call_id)
        if record is not None and not (record.failed and self._journal.failed_earlier(call_id) and self._again(record)):
            self.reused += 1
            return record
        for other in self._reuse:
            found = other.get(call_id)
            if found is not None and not found.failed and (line := other.raw(call_id)) is not None:
                self._journal.append_raw(call_id, line)
                self.reused += 1
                return found
        return None

    def _again(self, record: CallRecord) -> bool:
        if record.provider == IMPORTED:
            return False  # nobody is there to be asked again
        if self._judge_only and record.stage in (GENERATE, SEARCH):
            return False
        if record.stage == SEARCH:  # its sample was asked without material: finding some now would pay for the answer twice
            return self._retry_failed
        status = (record.error or {}).get("status")
        return self._retry_failed or status not in NAMES_THE_SAMPLE

    async def call(self, call_id: str, send: Callable[[], Awaitable[CallRecord]]) -> tuple[CallRecord, bool]:
        """The record of the call, and whether it was made just now.

        Raises:
            StoppedEarly: it cannot be made now.
        """
        if call_id in self._in_flight:
            return await self._join(call_id), False
        if (record := self.known(call_id)) is not None:
            return record, False
        self._in_flight[call_id] = None
        try:
            record = await send()
            self._journal.append(record)
        except BaseException as error:
            if (joined := self._in_flight.pop(call_id)) is not None:
                joined.set_exception(error if isinstance(error, Exception) else PendingError("the call was cut short"))
                joined.exception()  # whoever joined may be gone; that is no lost exception
            raise
        self.sent += 1
        if (joined := self._in_flight.pop(call_id)) is not None:
            joined.set_result(record)
        return record, True

    async def _join(self, call_id: str) -> CallRecord:
        """Waits for the equal call that is on its way; who goes away takes nothing from the others."""
        if (joined := self._in_flight[call_id]) is None:
            joined = self._in_flight[call_id] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(joined)


class ReplayDoor:
    """A door that never sends: `score` and `report` look through it.

    Args:
        journal: the run's own.
        reuse: other runs' journals, where a run would find results too.
    """

    def __init__(self, journal: JournalReader, reuse: Sequence[JournalReader] = ()) -> None:
        self._journal = journal
        self._reuse = reuse

    def known(self, call_id: str) -> CallRecord | None:
        """The journal's record, failures included, or another run's result."""
        if (record := self._journal.get(call_id)) is not None:
            return record
        found = (other.get(call_id) for other in self._reuse)
        return next((record for record in found if record is not None and not record.failed), None)

    async def call(self, call_id: str, send: Callable[[], Awaitable[CallRecord]]) -> tuple[CallRecord, bool]:
        """The journal's record.

        Raises:
            PendingError: the call has not been made.
        """
        if (record := self.known(call_id)) is None:
            raise PendingError("a call of this sample has not been made yet")
        return record, False
