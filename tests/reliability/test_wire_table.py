"""Each row of the outcome table against an endpoint of each dialect."""

from __future__ import annotations

import asyncio

import pytest

from siuo_async.client import transport
from siuo_async.errors import ErrorKind
from siuo_async.values import Outcome
from tests.client.servers import Script, Seen, ask, endpoint_for, serving
from tests.reliability.wire_table import GOOD, ROWS, TEXT, TRIES, Good, Row

QUICK = [row for row in ROWS if row.family not in ("slow", "flood")]
SLOW = [row for row in ROWS if row.family == "slow"]


def doing(row: Row, good: Good) -> Script:
    async def script(_: Seen, writer: asyncio.StreamWriter) -> None:
        await row.deed(good, writer)

    return script


async def held(row: Row, dialect: str, **settings: float) -> None:
    config = {"dialect": dialect}
    async with serving(doing(row, GOOD[dialect])) as server, endpoint_for(server.url, config=config, **settings) as endpoint:
        result = await ask(endpoint)
        assert (endpoint.group.in_use, endpoint.stats.on_wire) == (0, 0)
    tries = result.tries
    if result.error is None:
        assert result.completion is not None
        (answer,) = result.completion.answers
        assert (answer.outcome,) == row.becomes
        assert result.completion.repaired is row.repaired
        if not row.repaired and answer.outcome is Outcome.ANSWERED:
            assert answer.text == TEXT
        assert (tries.attempts, tries.maybe_billed) == (1, 0)
        return
    kind = result.error.kind
    assert kind in row.becomes, result.error.message
    assert result.error.message.isprintable()
    assert len(result.error.message) <= 1_000
    assert (tries.attempts, len(server.seen)) == (TRIES[kind], TRIES[kind])
    assert tries.maybe_billed == (tries.attempts if row.billed else 0)


@pytest.mark.parametrize("dialect", GOOD)
@pytest.mark.parametrize("row", QUICK, ids=str)
async def test_a_call_becomes_what_the_table_says(row: Row, dialect: str) -> None:
    await held(row, dialect)


@pytest.mark.parametrize("row", SLOW, ids=str)
async def test_a_call_that_takes_for_ever_ends_in_time(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "SWEEP_S", 0.02)
    await asyncio.wait_for(held(row, "openai", timeout_s=0.1), 30)


def test_every_kind_that_is_one_calls_own_is_in_the_table() -> None:
    shown = {kind for row in ROWS for kind in row.becomes if isinstance(kind, ErrorKind)}
    assert shown == {kind for kind in TRIES if isinstance(kind, ErrorKind)}
