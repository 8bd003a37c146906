"""Searches as records, and when they stop."""

from __future__ import annotations

import asyncio
import errno

import pytest

from siuo_async.client.offline import Network
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


class Unplugged(Engine):
    """Has no way to the network while it is down."""

    async def search(self, query: str) -> Found:
        if self.down:
            raise SearchError(ErrorKind.CONNECTION, "no way there") from OSError(errno.ENETUNREACH, "no way there")
        return Found(query, 1)


def unplugged() -> tuple[Unplugged, Network, Searches, list[StoppedEarly]]:
    """A search engine that was reached before the network went."""
    stops: list[StoppedEarly] = []
    engine, network = Unplugged(), Network(probe_s=0.01)
    searches = Searches(engine, stops.append, network=network, url="https://search.example/?q={query}")
    network.reached(network.host("https://search.example"))
    return engine, network, searches, stops


async def test_searches_wait_for_a_network_that_is_gone() -> None:
    engine, network, searches, stops = unplugged()
    tasks = [asyncio.create_task(searches.find(identity(number), "q", "1")) for number in range(2 * FAILURES_STOP)]
    while not network.offline:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.03)
    assert not any(task.done() for task in tasks)
    engine.down = False
    assert not any(record.failed for record in await asyncio.wait_for(asyncio.gather(*tasks), 10))
    assert stops == []


async def test_a_search_that_waits_for_the_network_leaves_when_nothing_more_is_sent() -> None:
    _, network, searches, _ = unplugged()
    task = asyncio.create_task(searches.find(identity(1), "q", "1"))
    while not network.offline:
        await asyncio.sleep(0.001)
    searches.halt.set(StoppedEarly("enough"))
    network.release_halted()
    with pytest.raises(StoppedEarly, match="enough"):
        await asyncio.wait_for(task, 10)
    network.close()
