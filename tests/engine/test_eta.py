"""How long a run will still take, from what is left and what the limit groups can do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from siuo_async.client.bottleneck import GroupView, Use
from siuo_async.client.controller import Cause, Source
from siuo_async.engine.eta import Part, calls_left, calls_per_s, time_left_s

VIEW = GroupView(
    name="a", cause=Cause.NOTHING, calls=Use("calls"), tokens=Use("tokens"), slots=32, slots_source=Source.LEARNT, most_slots=4096,
    in_use=3, waiting=9, proven=True, waited_s=dict.fromkeys(Cause, 1.0), per_s=2.0, tokens_per_call=None, cooling_s=0.0,
    asked_to_wait=False, stocks=(), through=80, rejections=0, cooldowns=0, worked_s=10.0,
)  # fmt: skip
PACED = replace(VIEW, cause=Cause.PACE, calls=Use("calls", 600.0, Source.HEADER, 0.4))
PART = Part(group="a", left=100, finished=0, begun=0, calls=0, expected=3)


@pytest.mark.parametrize(
    ("part", "calls"),
    [
        (PART, 300),
        (replace(PART, left=0), 0),
        (replace(PART, expected=0), 0),
        # 64 under way have 150 calls behind them; the benchmark's own count holds
        (replace(PART, begun=64, calls=150), 150),
        # finished ones show that a sample needs more, or less, than the benchmark says
        (replace(PART, left=50, finished=50, begun=50, calls=200), 200),
        (replace(PART, left=50, finished=50, begun=50, calls=100), 100),
        # one finished, the others half way: neither 65 calls nor one make a sample
        (replace(PART, left=99, finished=1, begun=65, calls=65), 300 - 65),
        # a run that was continued: 90 samples came from the journal
        (replace(PART, left=10, finished=90, begun=90, calls=270), 30),
        # those under way had more than they need; those not begun need all of theirs
        (replace(PART, left=100, begun=60, calls=290), 120),
        (replace(PART, left=4, finished=96, begun=100, calls=400), 1),
    ],
)
def test_the_calls_left_follow_from_what_samples_needed_so_far(part: Part, calls: float) -> None:
    assert calls_left(part) == pytest.approx(calls)


@pytest.mark.parametrize(
    ("view", "per_s"),
    [
        (VIEW, 2.0),
        (PACED, 10.0),
        (replace(PACED, cause=Cause.SLOTS), 2.0),
        (replace(PACED, cause=None, per_s=None), 10.0),
        (replace(PACED, calls=Use("calls")), 2.0),
        (replace(VIEW, per_s=None), None),
        (replace(VIEW, per_s=0.0), None),
        (replace(VIEW, cause=Cause.TOKENS, tokens=Use("tokens", 60_000.0, Source.USER, 1.0), tokens_per_call=250.0), 4.0),
        (replace(VIEW, cause=Cause.TOKENS, tokens=Use("tokens", 60_000.0, Source.USER, 1.0)), 2.0),
    ],
)
def test_a_limit_that_is_reached_is_what_a_group_can_do_else_what_it_did(view: GroupView, per_s: float | None) -> None:
    assert calls_per_s(view) == per_s


JUDGED = replace(PART, group="j", expected=6)
JUDGE = replace(PACED, name="j")


@pytest.mark.parametrize(
    ("parts", "views", "seconds"),
    [
        ([PART], [VIEW], 150.0),
        ([PART, PART], [VIEW], 300.0),  # two models of one limit group
        ([PART, JUDGED], [VIEW, JUDGE], 150.0),  # 300 calls at 2/s, 600 at 10/s
        ([PART, JUDGED], [VIEW, replace(JUDGE, calls=Use("calls", 60.0, Source.HEADER, 1.0))], 600.0),
        ([PART], [replace(VIEW, cooling_s=12.0)], 162.0),
        ([PART, JUDGED], [VIEW], 150.0),  # nothing was judged yet
        ([PART], [], None),
        ([PART], [replace(VIEW, per_s=None)], None),
        ([PART], [replace(VIEW, offline=True)], None),
        ([replace(PART, left=0)], [VIEW], 0.0),
        ([], [], 0.0),
    ],
)
def test_the_slowest_limit_group_decides(parts: list[Part], views: list[GroupView], seconds: float | None) -> None:
    assert time_left_s(parts, views) == seconds
