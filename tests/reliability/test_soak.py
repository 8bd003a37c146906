"""The long run in small, so that it never rots, and that its own eyes are open: what it must not overlook, it sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from siuo_async.engine.records import sealed
from tests.reliability.__main__ import times
from tests.reliability.faults import Fault, Scene, Seen
from tests.reliability.soak import Soak, rows
from tests.reliability.soak_ledger import Ledger
from tests.reliability.soak_plan import ENDING, FULL_SAMPLES, Event, Kind, Size, limits_at, planned
from tests.reliability.soak_watch import Gauge, flatness

TINY = Size(samples=180, ending=0, server=0, pauses=0, beside=0, slots=8)
EVENTS = (Event(0.1, Kind.KILL), Event(0.2, Kind.ERRORS, 0.3, 0.5), Event(0.3, Kind.LIST), Event(0.5, Kind.FULL))
A, B = "0" * 31 + "a", "0" * 31 + "b"


@pytest.mark.timeout(300)
def test_a_small_long_run_loses_nothing_and_comes_to_the_undisturbed_numbers(tmp_path: Path) -> None:
    said: list[str] = []
    soaked = Soak(tmp_path, TINY, 4, said.append, EVENTS).run()
    assert soaked.broken == [], said
    assert soaked.inflicted[Kind.KILL.value] == 1
    assert soaked.sessions >= 2
    assert soaked.ledger.paid_twice == soaked.ledger.lost_at_cuts + soaked.ledger.excused
    assert dict(rows(soaked))["promise"] == "kept"
    assert "seed 4" in said[0]


def test_equal_seeds_give_equal_plans_and_others_do_not() -> None:
    size = Size.of(60)
    assert planned(size, 1) == planned(size, 1) != planned(size, 2)
    assert limits_at(1) == limits_at(1) != limits_at(2)


def test_an_hour_is_200_000_samples_and_every_kind_of_event() -> None:
    size = Size.of(60)
    assert size.samples == FULL_SAMPLES
    assert {event.kind for event in planned(size, 1)} == set(Kind)


@pytest.mark.parametrize("seed", range(20))
def test_no_session_is_ended_in_the_middle_third(seed: int) -> None:
    assert not [event for event in planned(Size.of(60), seed) if event.kind in ENDING and 1 / 3 < event.at < 2 / 3]


@pytest.mark.parametrize(
    "minutes, few, expected", [(0, False, 60), (0, True, 2), (5, False, 2), (30, False, 30), (60, False, 60), (600, False, 60)]
)
def test_faults_are_inflicted_as_often_as_there_is_time(minutes: float, few: bool, expected: int) -> None:
    fault = Fault("crash", "x", "y", lambda scene: Seen(scene.times), few=2, many=60)
    assert times(fault, minutes, few=few) == expected
    assert fault.inflict(Scene(Path(), 1, expected)).times == expected


class Books:
    """A journal, and a server's counters."""

    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger(folder / "calls.jsonl")
        self.calls: dict[str, int] = {}
        self.answered: dict[str, int] = {}
        self.ledger.path.touch()  # type: ignore[union-attr]

    def write(self, call: str, **fields: Any) -> None:
        with self.ledger.path.open("ab") as file:  # type: ignore[union-attr]
            file.write(sealed(orjson.dumps({"id": call, "attempts": 1, **fields})))

    def serve(self, call: str, requests: int = 1, answers: int = 1) -> None:
        self.calls[call] = self.calls.get(call, 0) + requests
        self.answered[call] = self.answered.get(call, 0) + answers

    def after(self, *, cut: bool = False, to_the_end: bool = False) -> list[str]:
        told = {"calls": dict(self.calls), "answered": dict(self.answered)}
        self.ledger.after("session", told, cut=cut, most_on_wire=1, to_the_end=to_the_end)
        return self.ledger.broken


@pytest.fixture
def books(tmp_path: Path) -> Books:
    return Books(tmp_path)


def test_calls_that_were_asked_and_written_once_are_in_order(books: Books) -> None:
    books.serve(A)
    books.write(A)
    assert books.after(to_the_end=True) == []
    assert books.ledger.nothing_changed()


def test_a_call_that_is_in_the_journal_and_asked_again_is_seen(books: Books) -> None:
    books.serve(A)
    books.write(A)
    books.after()
    books.serve(A, answers=0)
    assert "1 calls that were in the journal were asked again" in books.after()[0]


def test_an_answer_that_was_given_and_never_written_is_seen_unless_the_session_was_cut(books: Books) -> None:
    books.serve(A)
    assert books.after(cut=True) == []
    books.serve(B)
    assert "1 answers were given and not written, where at most 0 may be" in books.after()[0]


def test_an_answer_that_was_paid_twice_in_one_session_is_seen(books: Books) -> None:
    books.serve(A, 2, 2)
    books.write(A)
    assert "was answered 2 times" in books.after()[0]


def test_an_answer_that_was_lost_on_the_way_is_excused_where_the_record_says_so(books: Books) -> None:
    books.serve(A, 2, 2)
    books.write(A, maybe_billed=1, attempts=2)
    assert books.after(to_the_end=True) == []
    assert (books.ledger.paid_twice, books.ledger.excused) == (1, 1)


def test_an_answer_that_a_failed_call_never_got_is_explained_once_it_is_asked_again(books: Books) -> None:
    books.serve(A)
    books.write(A, maybe_billed=1, error={"status": 500})
    books.after()
    books.serve(A)
    books.write(A)
    assert books.after(to_the_end=True) == []
    assert (books.ledger.paid_twice, books.ledger.excused) == (1, 1)


def test_requests_that_no_try_accounts_for_are_seen(books: Books) -> None:
    books.serve(A, 2)
    books.write(A)
    assert "2 requests, but 1 tries" in books.after(to_the_end=True)[0]


def test_a_second_result_of_a_call_is_seen(books: Books) -> None:
    books.serve(A)
    books.write(A)
    books.write(A)
    assert "has two results" in books.after()[0]


def test_a_failure_is_asked_again_until_there_is_a_result(books: Books) -> None:
    books.serve(A, answers=0)
    books.write(A, error={"status": 500})
    books.after()
    assert books.ledger.failing == {A}
    books.serve(A)
    books.write(A)
    assert books.after() == []
    assert books.ledger.failing == set()


@pytest.mark.parametrize(
    "harm", [lambda text: text.replace(b"attempts", b"attemptz"), lambda text: text[:-1], lambda text: text + b"{"]
)
def test_a_journal_that_changed_is_seen(harm: Any, books: Books) -> None:
    books.write(A)
    books.after()
    path = books.ledger.path
    assert path is not None
    path.write_bytes(harm(path.read_bytes()))
    assert not books.ledger.nothing_changed()


def gauges(per_call: int, looks: int = 100) -> list[Gauge]:
    return [Gauge(float(n), 1000 * 100 * n, 80_000_000 + per_call * 100 * n, 90_000_000, 40, 5) for n in range(looks)]


def test_a_process_that_grows_by_what_the_index_takes_is_flat_and_one_that_leaks_is_not() -> None:
    well, leaking = flatness(gauges(180), 1000.0), flatness(gauges(10_000), 1000.0)
    assert well is not None
    assert leaking is not None
    assert (round(well.per_call), round(leaking.per_call)) == (180, 10_000)
    assert well.last - well.first <= well.allowed
    assert leaking.last - leaking.first > leaking.allowed


def test_a_session_that_made_hardly_a_call_says_nothing_of_memory() -> None:
    assert flatness(gauges(180, looks=4), 1000.0) is None
