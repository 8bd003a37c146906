"""What stops a model though its endpoint works, and whom it leaves alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from siuo_async.engine.asking import Target
from siuo_async.engine.guards import EMPTIES_STOP, Guards
from siuo_async.engine.records import CallRecord
from siuo_async.errors import StoppedEarly
from siuo_async.values import Answer, Outcome, Parameters
from tests.engine.samples import answered, record

CUT = Answer(Outcome.EMPTY, finish="length")


def target(label: str = "m", model: str = "m", revision: str | None = None) -> Target:
    return Target(label, "openai", model, revision, {"generate": Parameters()})


def told(guards: Guards, of: Target, answers: Sequence[Answer]) -> list[StoppedEarly | None]:
    return [guards.answered(of, answer) for answer in answers]


def test_ten_cut_answers_before_any_text_stop_the_model_with_the_flag_that_helps() -> None:
    *before, last = told(Guards(accept_served=False), target("thinker"), [CUT] * EMPTIES_STOP)
    assert before == [None] * 9
    assert last is not None
    assert "thinker: the first 10 answers were all cut" in str(last)
    assert "--thinking-tokens" in str(last)


@pytest.mark.parametrize(
    "other",
    [
        answered(),
        answered("half a", finish="length"),
        Answer(Outcome.EMPTY, finish="stop"),
        Answer(Outcome.DECLINED),
        Answer(Outcome.FAILED),
    ],
)
@pytest.mark.parametrize("place", [0, 9])
def test_one_other_answer_among_the_first_ten_lets_the_model_go_on(other: Answer, place: int) -> None:
    answers = [CUT] * 30
    answers[place] = other
    assert set(told(Guards(accept_served=False), target(), answers)) == {None}


def test_cut_answers_of_one_label_do_not_count_for_another_label_of_the_same_model() -> None:
    guards = Guards(accept_served=False)
    told(guards, target("without room"), [CUT] * 9)
    assert told(guards, target("with room"), [CUT]) == [None]
    assert told(guards, target("without room"), [CUT]) != [None]


def served(name: str | None, number: object = "a") -> CallRecord:
    return record(number, served_model=name)


def test_another_model_behind_the_same_name_stops_the_endpoint() -> None:
    guards = Guards(accept_served=False)
    assert guards.served(target(), "generate", served("m-1"), fresh=True) is None
    assert guards.served(target(), "generate", served("m-1"), fresh=True) is None
    reason = guards.served(target(), "generate", served("m-2"), fresh=True)
    assert reason is not None
    assert "openai/m (model) was served as 'm-1' and now as 'm-2'" in str(reason)
    assert "--accept-served" in str(reason)


def test_a_judge_is_called_one() -> None:
    guards = Guards(accept_served=False)
    guards.served(target(), "judge.safety", served("m-1"), fresh=True)
    assert "openai/m (judge)" in str(guards.served(target(), "judge.safety", served("m-2"), fresh=True))


def test_what_an_earlier_session_paid_for_stops_nothing_whoever_served_it() -> None:
    guards = Guards(accept_served=False)
    found = [guards.served(target(), "generate", served(name), fresh=False) for name in ("m-1", "m-2", "m-1", "m-3")]
    assert found == [None] * 4


def test_a_fresh_answer_is_held_against_what_the_journal_says() -> None:
    guards = Guards(accept_served=False)
    guards.served(target(), "generate", served("m-1"), fresh=False)
    assert guards.served(target(), "generate", served("m-2"), fresh=True) is not None


def test_a_change_that_was_accepted_goes_on() -> None:
    guards = Guards(accept_served=True)
    assert [guards.served(target(), "generate", served(name), fresh=True) for name in ("m-1", "m-2")] == [None, None]


def test_a_reply_that_names_no_model_tells_nothing() -> None:
    guards = Guards(accept_served=False)
    assert [guards.served(target(), "generate", served(name), fresh=True) for name in ("m-1", None, "m-1")] == [None] * 3


def test_revisions_are_models_of_their_own() -> None:
    guards = Guards(accept_served=False)
    guards.served(target(revision="1"), "generate", served("m-1"), fresh=True)
    assert guards.served(target(revision="2"), "generate", served("m-2"), fresh=True) is None
