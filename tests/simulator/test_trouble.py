"""Trouble to order: it comes when it is told, hits the share it should, and is over when its time is."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from siuo_async.simulator import Trouble
from siuo_async.simulator.dice import dice_for
from siuo_async.simulator.personas import Mischief
from siuo_async.simulator.trouble import Spell
from tests.simulator.conftest import Start
from tests.simulator.speak import Client


def hit(spell: Spell, now: float, calls: int = 400) -> list[Mischief | None]:
    return [spell.mischief(now, dice_for(1, "careful", f"id:{call}"), 2) for call in range(calls)]


def test_a_spell_hits_its_share_of_the_requests_whichever_try_it_is() -> None:
    share = sum(each is Mischief.SERVER for each in hit(Spell(Trouble.ERRORS, 10.0, 5.0, 0.5), 12.0)) / 400
    assert 0.4 < share < 0.6


def test_a_spell_is_over_when_its_seconds_are() -> None:
    assert set(hit(Spell(Trouble.ERRORS, 10.0, 5.0), 15.0)) == {None}


def test_garbled_replies_are_cut_or_html() -> None:
    assert set(hit(Spell(Trouble.GARBLED, 0.0, 5.0), 1.0)) == {Mischief.CUT, Mischief.HTML}


@pytest.mark.parametrize("trouble", [Trouble.HANGS, Trouble.TURNED_AWAY, Trouble.GONE])
def test_what_is_suffered_elsewhere_spoils_no_reply(trouble: Trouble) -> None:
    assert set(hit(Spell(trouble, 0.0, 5.0), 1.0)) == {None}


@pytest.mark.parametrize("body", [{}, [], {"trouble": "rain", "seconds": 1}, {"trouble": "errors", "seconds": 0}])
def test_an_order_that_cannot_be_meant_is_refused(body: object) -> None:
    with pytest.raises(ValueError, match=r"spell|Trouble"):
        Spell.told(body, 0.0)


async def test_a_server_in_trouble_answers_errors_and_counts_no_answer(simulator: Start) -> None:
    async with simulator() as client:
        assert (await client.post("/trouble", {"trouble": "errors", "seconds": 600}, {})).status == 200
        got = await client.ask("openai", "openai-careful", call_id="c")
        stats = await client.stats()
    assert got.status in (500, 503, 529)
    assert (stats["calls"], stats["answered"]) == ({"c": 1}, {})


async def test_whoever_is_turned_away_is_told_when_to_come_back(simulator: Start) -> None:
    async with simulator() as client:
        await client.post("/trouble", {"trouble": "turned-away", "seconds": 600}, {})
        got = await client.ask("openai", "openai-careful")
    assert (got.status, got.headers["retry-after"]) == (429, "1")


async def test_nothing_is_answered_before_a_server_that_hangs_is_well_again(simulator: Start) -> None:
    async with simulator() as client:
        begun = time.monotonic()
        await client.post("/trouble", {"trouble": "hangs", "seconds": 0.3}, {})
        got = await client.ask("openai", "openai-careful")
    assert got.status == 200
    assert time.monotonic() - begun >= 0.3


async def test_an_answer_is_counted_once_it_is_given(simulator: Start) -> None:
    async with simulator() as client:
        await client.ask("gemini", "gemini-careful", call_id="c")
        assert (await client.stats())["answered"] == {"c": 1}


async def test_a_server_that_is_gone_drops_who_is_there_and_comes_back_with_what_it_counted(simulator: Start) -> None:
    async with simulator(latency_s=60.0, latency_sigma=0) as client:
        asking = asyncio.create_task(client.ask("openai", "openai-careful", call_id="c"))
        while (await client.stats())["in_flight"] == 0:
            await asyncio.sleep(0.01)
        await client.post("/trouble", {"trouble": "gone", "seconds": 0.3}, {})
        with pytest.raises(aiohttp.ClientError):
            await asking
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.stats()
        stats = await until_back(client)
    assert (stats["calls"], stats["in_flight"]) == ({"c": 1}, 0)


async def until_back(client: Client) -> Any:
    while True:
        try:
            return await client.stats()
        except aiohttp.ClientError:
            await asyncio.sleep(0.01)
