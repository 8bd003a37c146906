"""Breaker, halt, retry policy, redaction."""

from __future__ import annotations

import asyncio
import time

import pytest

from siuo_async.client.breaker import OPENS_AT, Breaker
from siuo_async.client.halt import Halt
from siuo_async.client.retry import GARBLED_TRIES, LONGEST_WAIT_S, TRIES, retrying
from siuo_async.errors import RETRYABLE, CallError, ErrorKind, StoppedEarly
from siuo_async.keys import redact


def test_ten_different_calls_that_fail_in_one_way_open_the_breaker() -> None:
    breaker = Breaker()
    opened = [breaker.failure(ErrorKind.SERVER, str(number)) for number in range(OPENS_AT)]
    assert opened == [False] * 9 + [True]


def test_one_call_that_fails_many_times_does_not_open_the_breaker() -> None:
    breaker = Breaker()
    assert not any(breaker.failure(ErrorKind.SERVER, "same") for _ in range(50))


def test_a_success_begins_the_count_anew() -> None:
    breaker = Breaker()
    for number in range(9):
        breaker.failure(ErrorKind.BAD_REQUEST, str(number))
    breaker.success()
    assert not any(breaker.failure(ErrorKind.BAD_REQUEST, str(number)) for number in range(9, 18))
    assert breaker.failure(ErrorKind.BAD_REQUEST, "18")


def test_another_kind_of_error_begins_the_count_anew() -> None:
    breaker = Breaker()
    for number in range(9):
        breaker.failure(ErrorKind.SERVER, str(number))
    assert not breaker.failure(ErrorKind.TIMEOUT, "9")
    assert not breaker.failure(ErrorKind.SERVER, "10")


async def test_the_first_reason_to_halt_stays() -> None:
    halt = Halt()
    assert halt.set(StoppedEarly("first"))
    assert not halt.set(StoppedEarly("second"))
    with pytest.raises(StoppedEarly, match="first"):
        halt.check()


async def test_a_sleep_ends_when_the_halt_is_set() -> None:
    halt = Halt()
    asyncio.get_running_loop().call_later(0.02, halt.set, StoppedEarly("enough"))
    began = time.monotonic()
    with pytest.raises(StoppedEarly, match="enough"):
        await halt.sleep(30)
    assert time.monotonic() - began < 5


async def test_a_sleep_without_a_halt_takes_its_time() -> None:
    began = time.monotonic()
    await Halt().sleep(0.03)
    assert time.monotonic() - began >= 0.03


class Policy:
    """Runs the retry policy over errors that are given; notes the waits."""

    def __init__(self, *errors: CallError | None, most_hint_s: float = 900.0) -> None:
        self.errors = list(errors)
        self.slept: list[float] = []
        self.tries = 0
        self.most_hint_s = most_hint_s

    async def _again(self) -> str:
        self.tries += 1
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        return "answer"

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def run(self) -> str:
        try:
            return await self._again()
        except CallError as error:
            return await retrying(error, self._again, sleep=self._sleep, most_hint_s=self.most_hint_s)


def error(kind: ErrorKind, hint_s: float | None = None) -> CallError:
    return CallError(kind, f"{kind}", retry_after_s=hint_s)


async def test_a_success_after_errors_is_the_answer() -> None:
    policy = Policy(error(ErrorKind.SERVER), error(ErrorKind.TIMEOUT))
    assert await policy.run() == "answer"
    assert policy.tries == 3


@pytest.mark.parametrize("kind", sorted(ErrorKind))
async def test_each_kind_gets_its_number_of_tries(kind: ErrorKind) -> None:
    policy = Policy(*[error(kind) for _ in range(20)])
    with pytest.raises(CallError) as caught:
        await policy.run()
    expected = 1 if kind not in RETRYABLE else GARBLED_TRIES if kind is ErrorKind.GARBLED else TRIES
    assert policy.tries == expected
    assert caught.value.kind is kind
    assert len(policy.slept) == expected - 1


def test_the_numbers_of_tries_are_those_of_the_design() -> None:
    assert (TRIES, GARBLED_TRIES, LONGEST_WAIT_S) == (6, 3, 60.0)


async def all_waits() -> list[list[float]]:
    found = []
    for _ in range(200):
        policy = Policy(*[error(ErrorKind.SERVER) for _ in range(6)])
        with pytest.raises(CallError):
            await policy.run()
        found.append(policy.slept)
    return found


async def test_half_of_a_wait_is_certain_and_the_other_half_chance() -> None:
    for number, column in enumerate(zip(*await all_waits(), strict=True), start=1):
        bound = 2.0**number
        assert bound * 0.5 <= min(column) < bound * 0.6
        assert bound * 0.9 < max(column) <= bound


async def test_no_call_gives_up_on_a_server_that_is_unwell_for_half_a_minute() -> None:
    assert min(map(sum, await all_waits())) > 30


async def test_a_hint_is_obeyed() -> None:
    policy = Policy(error(ErrorKind.SERVER, 17.0), error(ErrorKind.SERVER, 0.0))
    await policy.run()
    assert policy.slept[0] == 17.0
    assert policy.slept[1] <= 4.0


async def test_a_hint_above_the_limit_is_not_waited_for() -> None:
    policy = Policy(error(ErrorKind.SERVER, 901.0), most_hint_s=900.0)
    with pytest.raises(CallError):
        await policy.run()
    assert policy.slept == []


async def test_an_error_that_is_no_call_error_is_not_tried_again() -> None:
    async def again() -> str:
        raise StoppedEarly("enough")

    async def sleep(_: float) -> None:
        return None

    with pytest.raises(StoppedEarly, match="enough"):
        await retrying(error(ErrorKind.SERVER), again, sleep=sleep, most_hint_s=1)


KEY = "abcd-efgh-ijkl-mnop-qrst-uvwx"


@pytest.mark.parametrize(
    "text",
    [
        f"Incorrect API key provided: {KEY}.",
        f"two: {KEY} {KEY}",
        "cut: abcd-efgh-ijkl-m...",
        "its end: ...op-qrst-uvwx",
        "masked: abcd-ef*****vwx",
        "Incorrect API key provided: sk-proj-********************9f3a",
        "another one: sk-ant-api03-0123456789abcdef",
        "Google: AIzaSyA0123456789_-abcdef",
        "Authorization: Bearer eyJhbGciOi.J9-abc_def",
        "http://user:secret-qrst@proxy.example:3128/ said 407",
    ],
)
def test_a_key_in_an_error_text_is_taken_out(text: str) -> None:
    clean = redact(text, KEY)
    assert "[key]" in clean
    for part in ("efgh", "qrst", "vwx", "9f3a", "0123456789", "eyJhb", "secret"):
        assert part not in clean


@pytest.mark.parametrize(
    "text", ["The model `gpt-4o` does not exist", "temperature must be **below** 2", "https://host/v1", "risk-averse"]
)
def test_what_is_no_key_stays(text: str) -> None:
    assert redact(text, KEY) == text


@pytest.mark.parametrize("key", [None, "", "sim"])
def test_a_key_too_short_to_be_one_takes_nothing_out(key: str | None) -> None:
    assert redact("a simulated model", key) == "a simulated model"
