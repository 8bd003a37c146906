"""Faults that a review of the engine found; each must stay mended."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from siuo_async.benchmarks.judged import Verdict
from siuo_async.benchmarks.siuo_gen import SAFETY, SiuoGen
from siuo_async.benchmarks.siuo_scores import JudgedAnswer, SiuoResult, SiuoTally
from siuo_async.client.redact import redact_completion
from siuo_async.config import Price
from siuo_async.engine.asking import Asker, Target
from siuo_async.engine.door import ReplayDoor, SendingDoor
from siuo_async.engine.journal import Journal, JournalReader
from siuo_async.engine.records import CallRecord
from siuo_async.engine.spending import Spend
from siuo_async.errors import StoppedEarly
from siuo_async.keys import Secrets
from siuo_async.values import Answer, Completion, Outcome, Parameters, Prompt, Turn, Usage
from tests.engine.samples import FakeEndpoint, Killed, answered, failure, record, sample

PROMPT: Prompt = (Turn("user", ("Is it safe?",)),)
PRICE = Price(input=2.0, output=8.0)


def target(endpoint: FakeEndpoint | None, name: str = "m", **more: Any) -> Target:
    return Target(
        name,
        "sim",
        name,
        None,
        dict.fromkeys(("generate", "judge.safety", "judge.effectiveness"), Parameters(max_tokens=500)),
        endpoint,
        **more,
    )  # type: ignore[arg-type]


def unseen(*_: object) -> None:
    """An observer that looks away."""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path / "calls.jsonl", sync="off")) as opened:
        yield opened


class OnTheWire(FakeEndpoint):
    """The first answer comes at once, the others are on the wire until `home` is set."""

    home: asyncio.Event

    async def call(self, *arguments: Any, **more: Any) -> Any:
        result = await super().call(*arguments, **more)
        if result.tries.order or len(self.asked) > 1:
            await asyncio.wait_for(self.home.wait(), 5)
        return result


def wire() -> OnTheWire:
    endpoint = OnTheWire(lambda call, _n, _p: (answered(f"answer {call}"),))
    endpoint.home = asyncio.Event()
    return endpoint


def stopped_judge(*_: object) -> tuple[Answer, ...]:
    raise Killed("the judge was stopped")


async def test_answers_on_the_wire_are_in_the_journal_before_a_sample_whose_judge_stopped_ends(journal: Journal) -> None:
    model, judge = wire(), FakeEndpoint(stopped_judge)
    asker = Asker(SendingDoor(journal), target(model), target(judge, "j"), "1", unseen)
    living = asyncio.create_task(SiuoGen().evaluate(sample(), asker))
    while not judge.asked:
        await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)
    assert not living.done(), "the sample ended while answers that are paid for were on the wire"
    assert (len(model.asked), len(journal)) == (3, 1)
    model.home.set()
    with pytest.raises(Killed, match="the judge was stopped"):
        await living
    assert len(journal) == 3
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_sample_that_is_cut_while_its_judge_is_stopped_waits_for_nothing(journal: Journal) -> None:
    model, judge = wire(), FakeEndpoint(stopped_judge)
    asker = Asker(SendingDoor(journal), target(model), target(judge, "j"), "1", unseen)
    living = asyncio.create_task(SiuoGen().evaluate(sample(), asker))
    while not judge.asked:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    living.cancel()
    with pytest.raises((asyncio.CancelledError, Killed)):
        await asyncio.wait_for(living, 1)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert len(journal) == 1


async def test_the_judges_own_system_prompt_is_sent_and_makes_other_calls(journal: Journal) -> None:
    judge = FakeEndpoint(lambda call, _n, _p: (answered(f"verdict {call}"),))
    said = []
    for system in (None, "Be strict.", "Be lenient.", "Be strict."):
        asker = Asker(SendingDoor(journal), target(None), target(judge, "j", system=system), "1", unseen)
        said.append((await asker.verdict(PROMPT, SAFETY)).text)
    assert said == ["verdict 0", "verdict 1", "verdict 2", "verdict 1"]
    systems = [[turn.parts for turn in prompt if turn.role == "system"] for prompt, _, _ in judge.asked]
    assert systems == [[], [("Be strict.",)], [("Be lenient.",)]]
    assert all(prompt[-1] == PROMPT[0] for prompt, _, _ in judge.asked)


@pytest.mark.parametrize("max_n", [1, 3])
async def test_a_replay_counts_every_generation_call_though_no_verdict_is_there(journal: Journal, max_n: int) -> None:
    def told(found: Counter[str]) -> Any:
        def observe(_target: Target, stage: str, seen: CallRecord, _fresh: bool) -> None:
            found[stage] += seen.usage.input or 0

        return observe

    live: Counter[str] = Counter()
    model = FakeEndpoint(lambda call, n, _p: tuple(answered(f"answer {call}.{k}") for k in range(n)), max_n)
    judged = target(FakeEndpoint(stopped_judge), "j")
    with pytest.raises(StoppedEarly):
        await SiuoGen().evaluate(sample(), Asker(SendingDoor(journal), target(model), judged, "1", told(live)))
    replayed: Counter[str] = Counter()
    with closing(JournalReader(journal.path)) as reader, pytest.raises(StoppedEarly):
        await SiuoGen().evaluate(sample(), Asker(ReplayDoor(reader), target(None), target(None, "j"), "1", told(replayed)))
    assert replayed == live == {"generate": 10 * len(journal)}


async def test_a_replay_counts_the_answers_that_came_after_one_that_never_did(journal: Journal) -> None:
    def not_the_first(call: int, _n: int, _p: Parameters) -> tuple[Answer, ...]:
        if call == 0:
            raise Killed("killed")
        return (answered(f"answer {call}"),)

    with pytest.raises(Killed):
        await SiuoGen(judged=False).evaluate(
            sample(), Asker(SendingDoor(journal), target(FakeEndpoint(not_the_first)), None, "1", unseen)
        )
    seen: list[str] = []
    with closing(JournalReader(journal.path)) as reader, pytest.raises(StoppedEarly):
        await SiuoGen(judged=False).evaluate(
            sample(), Asker(ReplayDoor(reader), target(None), None, "1", lambda _t, _s, found, _f: seen.append(found.id))
        )
    assert len(set(seen)) == len(journal) == 2


def tallied(*results: SiuoResult) -> dict[str, Any]:
    tally = SiuoTally("released", 1, judged=True, cap=500)
    for result in results:
        tally.add(("a",), result)
    return tally.summary({"a": len(results)})


def result(*pairs: tuple[int | None, int | None]) -> SiuoResult:
    return SiuoResult(tuple(JudgedAnswer(answered(), Verdict(safe, "read"), Verdict(effective, "read")) for safe, effective in pairs))


CONJUNCTIONS = [((1, 1), 1), ((1, 0), 0), ((0, 1), 0), ((-1, 1), 0), ((1, -1), 0), ((-1, -1), 0), ((0, -1), 0)]


@pytest.mark.parametrize("pair, expected", CONJUNCTIONS)
def test_released_never_counts_what_nobody_could_read_as_safe_and_effective(pair: tuple[int, int], expected: int) -> None:
    found = tallied(result(pair))["metrics"]["safe_and_effective_per_answer"]
    assert (found["k"], found["n"], found["value"]) == (expected, 1, 100.0 * expected)


def test_a_released_mean_with_minus_one_in_it_has_no_interval() -> None:
    metrics = tallied(result((-1, 1)), result((1, 1)), result((1, 1)))["metrics"]
    assert (metrics["safe"]["value"], metrics["safe"]["low"], metrics["safe"]["high"]) == (33.33, None, None)
    assert (metrics["safe"]["k"], metrics["safe"]["n"]) == (2, 3)
    effective = metrics["effective"]
    assert effective["low"] < effective["value"] <= effective["high"]


COSTS: list[tuple[str, CallRecord, float | None]] = [
    ("a blocked prompt without usage", record("a", Answer(Outcome.FILTERED, where="prompt")), 0.0),
    ("a blocked prompt with its input", record("a", Answer(Outcome.FILTERED, where="prompt"), usage=Usage(1_000_000)), 2.0),
    ("a blocked answer whose tokens are told", record("a", Answer(Outcome.FILTERED, where="answer"), usage=Usage(0, 1_000_000)), 8.0),
    ("a blocked answer that left text, untold", record("a", Answer(Outcome.FILTERED, "Half a", where="answer")), None),
    ("one of two answers blocked, untold", record("a", answered(), Answer(Outcome.FILTERED)), None),
    ("an answer, untold", record("a"), None),
    ("a failed call that was not billed", failure("a"), 0.0),
    ("a failed call that may have been billed", failure("a", maybe_billed=1), None),
]


@pytest.mark.parametrize("call, usd", [row[1:] for row in COSTS], ids=[row[0] for row in COSTS])
def test_a_cost_is_unknown_only_where_something_may_have_been_billed_untold(call: CallRecord, usd: float | None) -> None:
    spend = Spend()
    spend.add(call, PRICE)
    assert spend.usd == usd


WORDS = ["secret", "ollama", "EMPTY-token", "not-needed-here", "1234567890123", "sk-1"]


@pytest.mark.parametrize("key", WORDS)
def test_a_key_that_a_model_may_say_of_itself_changes_no_answer(key: str) -> None:
    said = Completion((answered(f"It is no {key}: {key}s are everywhere."),), served_model=f"{key}/vlm-2")
    assert redact_completion(said, Secrets.of(key)) == said


@pytest.mark.parametrize("key", ["sk-proj-4f1c9a77e0", "lab-secret-4f1c9a77e0", "0123456789abcdef0123"])
def test_a_key_that_is_one_is_taken_out_of_everything(key: str) -> None:
    answer = answered(f"My key is {key}.", reason=f"because of {key}")
    found = redact_completion(Completion((answer,), served_model=f"{key}-model", request_id=f"req-{key}"), Secrets.of(key))
    assert key not in repr(found)
    assert found.answers[0].text == "My key is [key]."
