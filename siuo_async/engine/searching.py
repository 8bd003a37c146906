"""Searches as records: made by the run's searcher, kept like calls, and stopped when nothing is found any more.

A failed search costs its sample only the material, never the answer; but a search engine that is down would turn a whole run into one
without search, so after ten failures in a row nothing more is sent. Those that fail from then on leave no record: a record stands, and
their samples have not been asked yet. A search that only this machine's network failed is no failure: it waits as calls do.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from siuo_async.benchmarks.base import SEARCH
from siuo_async.client.halt import Halt
from siuo_async.client.offline import Network, Trouble, trouble_of
from siuo_async.engine.records import CallRecord
from siuo_async.errors import CallError, StoppedEarly
from siuo_async.search.base import Found, Searcher, SearchError
from siuo_async.values import Answer, Json, Outcome

FAILURES_STOP = 10
"""So many searches failed in a row say that the search engine is down or wrongly set up."""


class Searches:
    """Makes the searches of a session.

    Args:
        searcher: searches.
        stop: told when searching makes no sense any more.
        network: knows whether this machine is cut off.
        url: where the searcher asks over the network; None where it does not.
    """

    def __init__(
        self, searcher: Searcher, stop: Callable[[StoppedEarly], None], *, network: Network | None = None, url: str | None = None
    ) -> None:
        self._searcher = searcher
        self._stop = stop
        self._network = network or Network()
        self._host = self._network.host(url) if url else None
        self.halt = Halt()
        """Ends the waiting for the network."""
        self._failed_in_a_row = 0

    async def find(self, identity: str, query: str, sample: str) -> CallRecord:
        """The record of one search; a failed one has an error, as a failed call has.

        Raises:
            StoppedEarly: the search engine seems to be down.
        """
        started, begun = datetime.now(UTC), time.monotonic()
        found, error = Found("", 0), None
        try:
            found = await self._search(query)
        except SearchError as failure:
            error = failure
        self._count(error)
        return CallRecord(
            id=identity,
            stage=SEARCH,
            provider=SEARCH,
            model=self._searcher.identity,
            sample=sample,
            first=0,
            asked=1,
            answers=(_answer(found, error),),
            latency_s=time.monotonic() - begun,
            attempts=error.attempts if error else found.attempts,
            started_at=started.isoformat(timespec="milliseconds"),
            sent={"query": query},
            error=_told(error) if error else None,
        )

    async def _search(self, query: str) -> Found:
        """What is found; asked again as long as it is the network that fails.

        Raises:
            SearchError: the search engine fails.
            StoppedEarly: nothing more is sent.
        """
        if self._host is None:
            return await self._searcher.search(query)
        self._host.calls += 1
        try:
            while True:
                await self._network.wait(self._host, self.halt)
                begun = time.monotonic()
                try:
                    found = await self._searcher.search(query)
                except SearchError as error:
                    if not await self._network.excuses(self._host, _trouble(error), begun, self.halt):
                        raise
                else:
                    self._network.reached(self._host)
                    return found
        finally:
            self._host.calls -= 1

    def _count(self, error: SearchError | None) -> None:
        self._failed_in_a_row = self._failed_in_a_row + 1 if error else 0
        if error and self._failed_in_a_row >= FAILURES_STOP:
            reason = StoppedEarly(
                f"{FAILURES_STOP} searches failed one after another, the last: {error.message}; mend the search and run the same "
                "command again to continue"
            )
            if self._failed_in_a_row == FAILURES_STOP:
                self._stop(reason)
            raise reason


def _trouble(failed: SearchError) -> Trouble | None:
    if failed.status is not None:
        return None
    error = CallError(failed.kind, failed.message)
    error.__cause__ = failed.__cause__
    return trouble_of(error, None)


def _answer(found: Found, error: SearchError | None) -> Answer:
    if error:
        return Answer(Outcome.FAILED)
    return Answer(Outcome.ANSWERED, found.text) if found.text else Answer(Outcome.EMPTY)


def _told(error: SearchError) -> dict[str, Json]:
    told = {"kind": error.kind.value, "status": error.status, "message": error.message[:2000]}
    return {key: value for key, value in told.items() if value is not None}
