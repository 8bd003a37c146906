"""Searches as records, and when they stop."""

from __future__ import annotations

import pytest

from siuo_async.engine.searching import FAILURES_STOP, Searches
from siuo_async.errors import ErrorKind, StoppedEarly
from siuo_async.search.base import Found, SearchError
from tests.engine.samples import identity


class Engine:
    """Finds nothing but failures while it is down."""

    identity = "an engine"

    def __init__(self) -> None:
        self.down = True

    async def search(self, query: str) -> Found:
        if self.down:
            raise SearchError(ErrorKind.SERVER, f"no {query}")
        return Found(query, 1)

    async def close(self) -> None:
        return None


async def test_the_tenth_failure_in_a_row_stops_and_leaves_no_record() -> None:
    stops: list[StoppedEarly] = []
    searches = Searches(Engine(), stops.append)
    for number in range(FAILURES_STOP - 1):
        assert (await searches.find(identity(number), "q", "1")).failed
    for number in range(3):  # others were on the way
        with pytest.raises(StoppedEarly, match="10 searches failed one after another"):
            await searches.find(identity(f"late {number}"), "q", "1")
    assert len(stops) == 1


async def test_a_search_that_succeeds_begins_the_row_anew() -> None:
    stops: list[StoppedEarly] = []
    engine = Engine()
    searches = Searches(engine, stops.append)
    for number in range(2 * FAILURES_STOP):
        engine.down = number % FAILURES_STOP != 0
        await searches.find(identity(number), "q", "1")
    assert stops == []
