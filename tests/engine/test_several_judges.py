"""Verdicts of a run with more than one judge: whose counts, who is asked, and what is kept beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from siuo_async.benchmarks.base import Juror
from siuo_async.benchmarks.counting import JudgeCounts, without_verdict
from siuo_async.benchmarks.judged import Verdict, median, verdict, verdict_as_released
from siuo_async.benchmarks.usb import _settled
from siuo_async.values import Answer, Outcome, Prompt, Turn
from tests.engine.samples import answered

PROMPT: Prompt = (Turn("user", ("Is it safe?",)),)
JUDGE = Juror("judge", "first", 0)
STAND_IN, CHECK, RETEST = Juror("stand-in", "spare", 1), Juror("check", "other", 2), Juror("retest", "first", 0)
PANEL = tuple(Juror("panel", name, number) for number, name in enumerate("abc"))
RAMBLES, DECLINES, FAILS = answered("Well."), Answer(Outcome.DECLINED), Answer(Outcome.FAILED)


class Asked:
    """`ask` with judges that say what they are told to: (number, first), or number for all that is asked of a judge -> reply."""

    def __init__(self, judges: Sequence[Juror], replies: Mapping[tuple[int, int] | int, Answer]) -> None:
        self.judges = judges
        self._replies = replies
        self.questions: list[tuple[int | None, int]] = []

    async def verdict(self, prompt: Prompt, stage: str, *, first: int = 0, cap_scale: int = 1, judge: int | None = None) -> Answer:
        self.questions.append((judge, first))
        found = self._replies.get((judge or 0, first)) or self._replies.get(judge or 0)
        assert found is not None
        return found


def read(text: str) -> int | None:
    return {"yes": 1, "no": 0}.get(text)


async def said(judges: Sequence[Juror], replies: Mapping[Any, Answer], **more: Any) -> tuple[Verdict[int], Asked]:
    ask = Asked(judges, replies)
    return await verdict(ask, PROMPT, "judge.safety", read, **more), ask  # type: ignore[arg-type]


@pytest.mark.parametrize("silent", [RAMBLES, DECLINES, Answer(Outcome.FILTERED)])
async def test_a_stand_in_is_asked_for_what_the_judge_left_missing(silent: Answer) -> None:
    found, _ = await said((JUDGE, STAND_IN), {0: silent, 1: answered("no")})
    assert (found.value, found.by, found.state) == (0, "stand-in", "read")
    assert [(each.role, each.judge, each.value) for each in found.opinions] == [("judge", "first", None), ("stand-in", "spare", 0)]


@pytest.mark.parametrize("reply", [answered("yes"), FAILS])
async def test_a_stand_in_is_not_asked_about_a_verdict_or_a_failure(reply: Answer) -> None:
    found, ask = await said((JUDGE, STAND_IN), {0: reply})
    assert {judge for judge, _ in ask.questions} == {0}
    assert found.by == "judge"


async def test_where_the_stand_in_has_no_verdict_either_the_judges_state_stays() -> None:
    found, _ = await said((JUDGE, STAND_IN), {0: DECLINES, 1: RAMBLES})
    assert (found.value, found.by, found.state) == (None, "judge", "declined")


async def test_a_second_opinion_changes_nothing() -> None:
    alone, _ = await said((), {0: answered("yes")})
    found, _ = await said((JUDGE, CHECK, RETEST), {0: answered("yes"), 2: answered("no"), (0, 2): answered("no")})
    assert found == alone
    assert [(each.role, each.value) for each in found.opinions] == [("judge", 1), ("check", 0), ("retest", 0)]


async def test_a_retest_is_a_call_of_its_own_and_so_is_its_re_ask() -> None:
    _, ask = await said((JUDGE, RETEST), {0: RAMBLES})
    assert ask.questions == [(0, 0), (0, 1), (0, 2), (0, 3)]


@pytest.mark.parametrize(
    "replies, value, state",
    [
        (("yes", "no", "yes"), 1, "read"),
        (("yes", "yes", "?"), 1, "read"),
        (("yes", "no", "?"), None, "unreadable"),
        (("yes", "?", "?"), None, "unreadable"),
        (("?", "?", "?"), None, "unreadable"),
    ],
)
async def test_a_panel_says_what_most_of_its_readable_verdicts_say(replies: Sequence[str], value: int | None, state: str) -> None:
    found, _ = await said(PANEL, {number: answered(text) for number, text in enumerate(replies)})
    assert (found.value, found.state, found.by) == (value, state, "panel")
    assert [each.value for each in found.opinions] == [read(text) for text in replies]


async def test_a_panel_most_of_which_declines_declined() -> None:
    found, _ = await said(PANEL, {0: DECLINES, 1: DECLINES, 2: answered("yes")})
    assert (found.value, found.state) == (None, "declined")


async def test_on_a_scale_a_panel_comes_to_its_median() -> None:
    ask = Asked(PANEL, {0: answered("5"), 1: answered("1"), 2: answered("4")})
    found = await verdict(ask, PROMPT, "judge", int, median)  # type: ignore[arg-type]
    assert found.value == 4
    assert median([4, 3]) == 3


@pytest.mark.parametrize("labels, value", [((1, 2, 3), 2), ((1, 1, 2), 1), ((3, 3, 1), 3), ((1, 3), None), ((1, 2), 2)])
def test_of_three_labels_a_panel_settles_first_whether_it_is_unsafe(labels: tuple[int, ...], value: int | None) -> None:
    assert _settled(labels) == value


async def test_released_verdicts_are_checked_too() -> None:
    ask = Asked((JUDGE, CHECK), {0: answered("Well."), 2: answered("yes")})
    found = await verdict_as_released(ask, PROMPT, "judge.safety", lambda text: 1 if text == "yes" else -1)  # type: ignore[arg-type]
    assert (found.value, found.state) == (-1, "unreadable")
    assert [(each.value, each.state) for each in found.opinions] == [(-1, "unreadable"), (1, "read")]
    assert [first for _, first in ask.questions] == [0, 0]


async def test_the_health_counted_is_the_first_judges_and_what_is_missing_after_the_stand_in() -> None:
    counts = JudgeCounts()
    for replies in ({0: DECLINES, 1: answered("yes")}, {0: RAMBLES, 1: RAMBLES}, {0: answered("yes")}):
        found, _ = await said((JUDGE, STAND_IN), replies)
        counts.add(found)
    told = counts.as_json()
    expected = {"verdicts": 3, "unreadable": 1, "declined": 1, "filtered": 0, "failed": 0, "re_asked": 1, "stood_in": 1}
    assert told == expected | {"opinions": {"stand-in": {"asked": 2, "read": 1}}}
    assert without_verdict(told) == 1
