"""How n answers are gathered: by one call or many, over sessions that were killed, whatever servers make of `n`."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import aclosing, closing, suppress
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from siuo_async.engine.asking import Asker, Target, _stamp
from siuo_async.engine.door import Door, PendingError, ReplayDoor, SendingDoor
from siuo_async.engine.journal import Journal, JournalReader
from siuo_async.engine.records import CallRecord
from siuo_async.errors import StoppedEarly
from siuo_async.values import Answer, Outcome, Parameters, Prompt, Turn
from tests.engine.samples import FakeEndpoint, Killed, answered

PROMPT: Prompt = (Turn("user", ("Hello?",)),)
CUT = Answer(Outcome.EMPTY, finish="length")


def target(endpoint: FakeEndpoint | None, **more: Any) -> Target:
    return Target(
        "m",
        "sim",
        "m",
        None,
        dict.fromkeys(("generate", "judge.safety", "judge.effectiveness"), Parameters(max_tokens=500)),
        endpoint,
        **more,
    )  # type: ignore[arg-type]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path / "calls.jsonl", sync="off")) as opened:
        yield opened


async def gathered(door: Door, model: Target, n: int, seen: list[CallRecord] | None = None, **more: Any) -> dict[int, Answer]:
    """The n answers by number."""

    def observe(_target: Target, _stage: str, record: CallRecord, _fresh: bool) -> None:
        if seen is not None:
            seen.append(record)

    found: dict[int, Answer] = {}
    async with aclosing(Asker(door, model, None, "1", observe, **more).answers(PROMPT, n)) as answers:
        async for number, answer in answers:
            assert number not in found, "an answer was given twice"
            found[number] = answer
    return dict(sorted(found.items()))


def numbered(*sizes: int) -> Callable[[int, int, Parameters], tuple[Answer, ...]]:
    """Replies of so many answers each, whatever was asked for; all asked for when `sizes` are used up."""
    numbers = count()
    return lambda call, n, _p: tuple(answered(f"answer {next(numbers)}") for _ in range(sizes[call] if call < len(sizes) else n))


def texts(found: dict[int, Answer]) -> list[str]:
    return [found[number].text for number in range(len(found))]


WAYS = [
    ("n is supported", 8, (), 3, [3]),
    ("n is not supported", 1, (), 3, [1, 1, 1]),
    ("one answer", 8, (), 1, [1]),
    ("n is ignored in silence", 8, (1,), 3, [3, 1, 1]),
    ("fewer came than were asked for", 8, (2,), 4, [4, 1, 1]),
    ("more came than were asked for", 8, (5,), 3, [3]),
    ("less than all may be asked for at once", 2, (), 5, [2, 2, 1]),
]


@pytest.mark.parametrize("max_n, sizes, n, asked", [way[1:] for way in WAYS], ids=[way[0] for way in WAYS])
async def test_n_answers_come_whatever_the_provider_makes_of_n(
    journal: Journal, max_n: int, sizes: tuple[int, ...], n: int, asked: list[int]
) -> None:
    endpoint = FakeEndpoint(numbered(*sizes), max_n)
    found = await gathered(SendingDoor(journal), target(endpoint), n)
    assert [call[1] for call in endpoint.asked] == asked
    assert list(found) == list(range(n))
    assert len({answer.text for answer in found.values()}) == n


async def test_calls_for_single_answers_are_on_their_way_together(journal: Journal) -> None:
    waiting = asyncio.Barrier(3)

    class Together(FakeEndpoint):
        async def call(self, *arguments: Any, **more: Any) -> Any:
            await asyncio.wait_for(waiting.wait(), 5)
            return await super().call(*arguments, **more)

    assert len(await gathered(SendingDoor(journal), target(Together(numbered())), 3)) == 3


async def test_only_what_is_missing_is_asked_for(journal: Journal) -> None:
    door = SendingDoor(journal)
    await gathered(door, target(FakeEndpoint(numbered(), 8)), 2)
    more = FakeEndpoint(numbered(), 8)
    assert len(await gathered(door, target(more), 5)) == 5
    assert [call[1] for call in more.asked] == [3]
    assert len(await gathered(door, target(FakeEndpoint(numbered(0), 8)), 3)) == 3


async def test_gaps_between_earlier_answers_are_filled(journal: Journal) -> None:
    def killed_in_between(call: int, n: int, _p: Parameters) -> tuple[Answer, ...]:
        if call in (1, 2, 4):
            raise Killed("killed")
        return (answered(f"early {call}"),) * n

    with pytest.raises(StoppedEarly):
        await gathered(SendingDoor(journal), target(FakeEndpoint(killed_in_between)), 5)
    later = FakeEndpoint(numbered(), 8)
    found = await gathered(SendingDoor(journal), target(later), 5)
    assert texts(found) == ["early 0", "answer 0", "answer 1", "early 3", "answer 2"]
    assert [call[1] for call in later.asked] == [2, 1]


async def test_an_answer_cut_before_any_text_is_asked_for_once_more_with_four_times_the_cap(journal: Journal) -> None:
    endpoint = FakeEndpoint(lambda _c, n, p: (answered("at last"),) if p.cap_scale == 4 else (answered("a"), CUT, answered("c"))[:n], 8)
    final: list[Answer] = []
    found = await gathered(SendingDoor(journal), target(endpoint), 3, on_answer=final.append)
    assert texts(found) == ["a", "at last", "c"]
    assert [call[1:] for call in endpoint.asked] == [(3, 1), (1, 4)]
    assert CUT not in final


async def test_an_answer_that_stays_cut_is_empty_and_not_asked_for_a_third_time(journal: Journal) -> None:
    endpoint = FakeEndpoint(lambda _c, _n, _p: (CUT,))
    assert await gathered(SendingDoor(journal), target(endpoint), 1) == {0: CUT}
    assert [call[1:] for call in endpoint.asked] == [(1, 1), (1, 4)]


@pytest.mark.parametrize(
    "answer", [Answer(Outcome.EMPTY, finish="stop"), Answer(Outcome.FILTERED), Answer(Outcome.DECLINED), answered("", finish="length")]
)
async def test_nothing_else_is_asked_for_again(journal: Journal, answer: Answer) -> None:
    endpoint = FakeEndpoint(lambda _c, _n, _p: (answer,))
    assert await gathered(SendingDoor(journal), target(endpoint), 1) == {0: answer}
    assert len(endpoint.asked) == 1


async def test_every_record_is_observed_once(journal: Journal) -> None:
    seen: list[CallRecord] = []
    await gathered(SendingDoor(journal), target(FakeEndpoint(numbered(2), 8)), 4, seen)
    assert len(seen) == len({record.id for record in seen}) == 3
    again: list[CallRecord] = []
    await gathered(SendingDoor(journal), target(FakeEndpoint(numbered(), 8)), 4, again)
    assert again == seen


async def test_a_model_that_is_not_asked_now_leaves_the_sample_pending(journal: Journal) -> None:
    await gathered(SendingDoor(journal), target(FakeEndpoint(numbered(), 8)), 2)
    with pytest.raises(PendingError):
        await gathered(SendingDoor(journal), target(None), 3)
    assert len(await gathered(SendingDoor(journal), target(None), 2)) == 2


async def test_a_models_own_system_prompt_stands_in_place_of_the_runs(journal: Journal) -> None:
    endpoint = FakeEndpoint(numbered())
    mine = target(endpoint, system="Be kind.")
    prompts = {PROMPT: None, (Turn("system", ("The run's.",)), *PROMPT): None}
    for prompt in prompts:
        async with aclosing(Asker(SendingDoor(journal), mine, None, "1", lambda *_: None).answers(prompt, 1)) as answers:
            assert [answer.text async for _, answer in answers] == ["answer 0"], "both are one request"
    assert [call[0] for call in endpoint.asked] == [(Turn("system", ("Be kind.",)), *PROMPT)]


async def test_a_verdict_without_a_judge_is_pending(journal: Journal) -> None:
    asker = Asker(SendingDoor(journal), target(None), None, "1", lambda *_: None)
    with pytest.raises(PendingError, match="no judge"):
        await asker.verdict(PROMPT, "judge.safety")


async def test_the_judge_is_asked_under_its_own_stage_and_cap(journal: Journal) -> None:
    judge = FakeEndpoint(numbered())
    asker = Asker(SendingDoor(journal), target(None), target(judge), "1", lambda *_: None)
    replies = [
        await asker.verdict(PROMPT, stage, first=first, cap_scale=scale)
        for stage, first, scale in [
            ("judge.safety", 0, 1),
            ("judge.safety", 1, 1),
            ("judge.safety", 0, 4),
            ("judge.effectiveness", 0, 1),
        ]
    ]
    assert [reply.text for reply in replies] == ["answer 0", "answer 1", "answer 2", "answer 3"]
    assert [call[2] for call in judge.asked] == [1, 1, 4, 1]
    assert (await asker.verdict(PROMPT, "judge.safety", first=1)).text == "answer 1"
    assert len(judge.asked) == 4


class Slow(FakeEndpoint):
    """Stops the first call at once; the second is on the wire until `home` is set."""

    home: asyncio.Event

    async def call(self, *arguments: Any, **more: Any) -> Any:
        if not self.asked:
            self.asked.append((PROMPT, 1, 1))
            raise Killed("stopped")
        result = await super().call(*arguments, **more)
        await asyncio.wait_for(self.home.wait(), 5)
        return result


async def test_calls_on_the_wire_come_home_when_another_of_the_sample_is_stopped(journal: Journal) -> None:
    endpoint = Slow(numbered())
    endpoint.home = asyncio.Event()
    door = SendingDoor(journal)
    living = asyncio.create_task(gathered(door, target(endpoint), 2))
    while len(endpoint.asked) < 2:
        await asyncio.sleep(0)
    assert not living.done()
    asyncio.get_running_loop().call_later(0.02, endpoint.home.set)
    with pytest.raises(Killed):
        await living
    assert len(journal) == 1, "the sample ended before its paid call was kept"


async def test_a_second_interrupt_cuts_the_calls_on_the_wire(journal: Journal) -> None:
    endpoint = Slow(numbered())
    endpoint.home = asyncio.Event()
    living = asyncio.create_task(gathered(SendingDoor(journal), target(endpoint), 3))
    while len(endpoint.asked) < 3:
        await asyncio.sleep(0)
    living.cancel()
    with pytest.raises((asyncio.CancelledError, Killed)):
        await asyncio.wait_for(living, 1)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert len(journal) == 0


BEHAVIOURS = st.sampled_from(["all", "all", "fewer", "one", "fails", "killed", "cut"])
SESSIONS = st.lists(st.tuples(st.sampled_from([1, 2, 3, 8]), st.lists(BEHAVIOURS, max_size=6)), max_size=5)


class Server:
    """Behaves as told, then well; knows what it delivered, and notices when something is paid twice."""

    def __init__(self) -> None:
        self.numbers = count()
        self.delivered: set[str] = set()

    def endpoint(self, max_n: int, behaviours: list[str]) -> FakeEndpoint:
        def reply(call: int, n: int, parameters: Parameters) -> tuple[Answer, ...] | None:
            how = behaviours[call] if call < len(behaviours) else "all"
            if how == "killed":
                raise Killed("killed")
            if how == "fails":
                return None
            size = {"fewer": max(1, n - 1), "one": 1}.get(how, n)
            made = tuple(answered(f"answer {next(self.numbers)}") for _ in range(size))
            if how == "cut" and parameters.cap_scale == 1:
                return tuple(replace(CUT, reason=answer.text) for answer in made)
            self.delivered |= {answer.text for answer in made}
            return made

        return FakeEndpoint(reply, max_n)


async def live_through(place: Path, n: int, sessions: list[tuple[int, list[str]]]) -> None:
    path, server = place / "calls.jsonl", Server()
    for max_n, behaviours in [*sessions, (1, [])]:
        live: dict[int, Answer] | None = None
        with closing(Journal(path, sync="off")) as journal:
            with suppress(Killed):
                live = await gathered(SendingDoor(journal), target(server.endpoint(max_n, behaviours)), n)  # type: ignore[arg-type]
        with closing(JournalReader(path)) as reader:
            if live is not None:
                assert await gathered(ReplayDoor(reader), target(None), n) == live
    assert live is not None
    assert list(live) == list(range(n))
    assert {answer.text for answer in live.values()} == server.delivered, "an answer that was paid for was lost, or paid for twice"
    with closing(Journal(path, sync="off")) as journal:
        finished = FakeEndpoint(numbered(), 8)
        assert await gathered(SendingDoor(journal), target(finished), n) == live
        assert finished.asked == []


@given(st.integers(1, 5), SESSIONS)
@example(3, [(3, ["fails"]), (1, ["killed", "all", "all"])])
@example(3, [(1, ["all", "fails", "all"]), (3, ["killed"])])
@settings(deadline=None, max_examples=120)
def test_replay_equals_live_and_nothing_is_paid_twice_whatever_way_answers_came(n: int, sessions: list[tuple[int, list[str]]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(live_through(Path(name), n, sessions))


async def test_a_failure_for_many_answers_does_not_hide_one_that_came_later(journal: Journal) -> None:
    await gathered(SendingDoor(journal), target(FakeEndpoint(lambda *_: None, 3)), 3)
    path = journal.path
    journal.close()

    def only_the_second(call: int, _n: int, _p: Parameters) -> tuple[Answer, ...]:
        if call != 1:
            raise Killed("killed")
        return (answered("came later"),)

    with closing(Journal(path, sync="off")) as resumed:
        with pytest.raises(Killed):
            await gathered(SendingDoor(resumed), target(FakeEndpoint(only_the_second)), 3)
    with closing(JournalReader(path)) as reader:
        found = await gathered(ReplayDoor(reader), target(None), 3)
    assert [answer.outcome for answer in found.values()] == ["failed", "answered", "failed"]


@pytest.mark.parametrize("epoch_s", [0.0, 1.0, 1_763_730_000.0009, 1_763_730_000.1239, 1_763_730_000.9994, 951_782_400.5])
def test_the_time_of_a_call_is_iso_8601_in_utc_to_the_millisecond(epoch_s: float) -> None:
    assert _stamp(epoch_s) == datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds")


@pytest.mark.parametrize("grows", ["the prompt", "a turn"])
async def test_a_prompt_that_a_module_added_to_is_another_one(grows: str, journal: Journal) -> None:
    parts: Any = ["Hello?"]
    prompt: Any = (Turn("user", parts),) if grows == "a turn" else [Turn("user", ("Hello?",))]
    asker = Asker(SendingDoor(journal), target(FakeEndpoint(numbered())), None, "1", lambda *_: None)  # type: ignore[arg-type]
    found = []
    for _ in range(2):
        async with aclosing(asker.answers(prompt, 1)) as answers:
            found += [answer.text async for _, answer in answers]
        parts.append("Are you sure?")
        if grows == "the prompt":
            prompt.append(Turn("user", ("Are you sure?",)))
    assert found[0] != found[1]


def test_what_users_modules_make_and_are_handed_cannot_be_changed() -> None:
    for value, name in ((Answer(Outcome.ANSWERED, "a"), "text"), (PROMPT[0], "parts")):
        with pytest.raises(FrozenInstanceError):
            setattr(value, name, "b")
