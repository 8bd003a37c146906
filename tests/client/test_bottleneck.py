"""What a limit group is held back by: the words, and what the meter makes of the counters."""

from __future__ import annotations

from dataclasses import replace

import pytest

from siuo_async.client.bottleneck import GroupMeter, GroupView, Stock, Use
from siuo_async.client.controller import Cause, Ceilings, Controller, Source
from siuo_async.client.limits import LimitGroup
from siuo_async.providers.hints import LimitTold

VIEW = GroupView(
    name="openai/gpt", cause=Cause.PACE, calls=Use("calls", 500.0, Source.HEADER, 0.974), tokens=Use("tokens"), slots=32,
    slots_source=Source.LEARNT, most_slots=4096, in_use=3, waiting=9, proven=True, waited_s=dict.fromkeys(Cause, 1.0), per_s=8.1,
    tokens_per_call=None, cooling_s=0.0, asked_to_wait=False, stocks=(), through=80, rejections=0, cooldowns=0, worked_s=10.0,
)  # fmt: skip
TOKENS = Use("tokens", 60_000.0, Source.USER, 0.5)


@pytest.mark.parametrize(
    ("view", "sentence", "few"),
    [
        (VIEW, "held back by 500 calls a minute (told by headers), 97% used", "500 calls/min (headers) 97% used"),
        (
            replace(VIEW, calls=Use("calls", 487.3456, Source.LEARNT)),
            "held back by 487 calls a minute (learnt)", "487 calls/min (learnt)",
        ),
        (replace(VIEW, calls=Use("calls", 0.5, Source.USER)), "held back by 0.5 calls a minute (yours)", "0.5 calls/min (yours)"),
        (
            replace(VIEW, calls=Use("calls", 12_345.0, Source.USER)),
            "held back by 12,345 calls a minute (yours)", "12,345 calls/min (yours)",
        ),
        (replace(VIEW, calls=Use("calls", 1.0, Source.USER)), "held back by 1 call a minute (yours)", "1 calls/min (yours)"),
        (replace(VIEW, cause=Cause.SLOTS, slots=1), "held back by 1 call at once (learnt)", "1 at once (learnt)"),
        (replace(VIEW, calls=Use("calls")), "still finding the limit: 8.1 calls a second so far", "8.1 calls/s so far"),
        (replace(VIEW, calls=Use("calls"), per_s=None), "still finding the limit", "finding the limit"),
        (
            replace(VIEW, cause=Cause.TOKENS, tokens=TOKENS),
            "held back by 60,000 tokens a minute (yours), 50% used", "60,000 tokens/min (yours) 50% used",
        ),
        (replace(VIEW, cause=Cause.SLOTS), "held back by 32 calls at once (learnt)", "32 at once (learnt)"),
        (
            replace(VIEW, cause=Cause.SLOTS, slots_source=Source.UNKNOWN),
            "still finding the limit: 32 calls at once so far", "32 at once (so far)",
        ),
        (
            replace(VIEW, cause=Cause.SLOTS, slots=4096, slots_source=Source.UNKNOWN),
            "held back by 4,096 calls at once (all that this process can hold)", "4,096 at once (so far)",
        ),
        (replace(VIEW, cause=Cause.SLOTS, slots=4, proven=False), "4 calls at once until the first reply", "4 at once (learnt)"),
        (replace(VIEW, cause=Cause.COOLDOWN, cooling_s=12.3, asked_to_wait=True), "waiting 12 s as the provider asked", "cooling 12 s"),
        (replace(VIEW, cause=Cause.COOLDOWN, cooling_s=1.2), "waiting 1 s after a rejection", "cooling 1 s"),
        (replace(VIEW, cause=Cause.COOLDOWN), "held back by waits after rejections (1 s in all)", "waits after rejections"),
        (replace(VIEW, cause=Cause.NOTHING), "nothing is waiting: limited by the answers' own time", "nothing waits"),
        (replace(VIEW, cause=Cause.NOTHING, elsewhere=True), "nothing is waiting here", "nothing waits"),
        (replace(VIEW, cause=None), "nothing is asked of it now", "idle"),
        (replace(VIEW, offline=True), "offline", "offline"),
    ],
)  # fmt: skip
def test_the_bottleneck_is_said_in_words(view: GroupView, sentence: str, few: str) -> None:
    assert (view.sentence, view.few_words) == (sentence, few)


@pytest.mark.parametrize(
    ("left", "window_s", "said"),
    [
        (120.0, 86_400.0, "; this day's limit: 120 of 1,000 calls left"),
        (120.0, 3_600.0, "; this hour's limit: 120 of 1,000 calls left"),
        (120.0, 600.0, "; the limit per 10 min: 120 of 1,000 calls left"),
        (260.0, 86_400.0, ""),
    ],
)
def test_a_days_limit_is_told_when_little_of_it_is_left(left: float, window_s: float, said: str) -> None:
    view = replace(VIEW, cause=Cause.NOTHING, stocks=(Stock("requests", 1_000.0, left, window_s),))
    assert view.sentence == "nothing is waiting: limited by the answers' own time" + said


class Scene:
    """A limit group without callers, whose counters are set, and its meter, on one clock."""

    def __init__(self, ceilings: Ceilings | None = None) -> None:
        self.now = 1_000.0
        self.controller = Controller(ceilings, start_per_s=1.0, clock=lambda: self.now)
        self.group = LimitGroup("g", self.controller, clock=lambda: self.now)
        self.meter = GroupMeter(self.group)
        self.meter.look(self.now)
        self.group.in_use = 1

    def go_on(self, seconds: float, cause: Cause | None, calls_per_s: float = 0.0, tokens: tuple[float, float] = (0.0, 0.0)) -> None:
        """Lets time pass in which `cause` held back, with so many calls let in."""
        begun = self.controller.calls
        for step in range(round(seconds * 4)):
            self.now += 0.25
            while self.controller.calls - begun < calls_per_s * (step + 1) / 4:
                self.controller.started(tokens)
            if cause is not None:
                self.group.waited_s[cause] += 0.25
            self.meter.look(self.now)

    def tell(self, **told: float) -> None:
        """Headers that tell limits per minute."""
        said = [LimitTold(unit, limit, limit, None, 60.0) for unit, limit in told.items()]
        self.controller.tell(said, self.now, self.controller.mark(1))


def test_the_largest_cause_of_the_last_ten_seconds_is_told() -> None:
    scene = Scene()
    scene.go_on(30, Cause.SLOTS)
    scene.go_on(4, Cause.PACE)
    assert scene.meter.recently().cause is Cause.SLOTS
    scene.go_on(4, Cause.PACE)
    assert scene.meter.recently().cause is Cause.PACE


def test_two_causes_that_take_turns_do_not_flicker() -> None:
    scene = Scene()
    scene.go_on(10, Cause.SLOTS)
    told = set()
    for _ in range(40):
        scene.go_on(0.5, Cause.PACE)
        told.add(scene.meter.recently().cause)
        scene.go_on(0.5, Cause.SLOTS)
        told.add(scene.meter.recently().cause)
    assert told == {Cause.SLOTS}


def test_a_group_without_work_is_idle_and_not_limited_by_answers() -> None:
    scene = Scene()
    scene.go_on(20, Cause.PACE)
    scene.group.in_use = 0
    scene.go_on(20, None)
    assert scene.meter.recently().cause is None


def test_the_share_used_is_of_what_the_limit_allowed_in_the_last_minute() -> None:
    scene = Scene(Ceilings(calls_per_s=10.0))
    scene.go_on(60, Cause.PACE, calls_per_s=2.0)
    scene.go_on(60, Cause.PACE, calls_per_s=8.0)
    view = scene.meter.recently()
    assert view.calls == Use("calls", 600.0, Source.USER, pytest.approx(0.8, abs=0.01))
    assert view.per_s == pytest.approx(8.0, abs=0.1)
    assert scene.meter.in_all().calls.used == pytest.approx(0.5, abs=0.01)


def test_time_without_work_is_not_held_against_the_share_used() -> None:
    scene = Scene(Ceilings(calls_per_s=10.0))
    scene.go_on(10, Cause.PACE, calls_per_s=10.0)
    scene.group.in_use = 0
    scene.go_on(300, None)
    assert scene.meter.in_all().calls.used == pytest.approx(1.0, abs=0.05)
    assert scene.meter.in_all().worked_s == pytest.approx(10.0, abs=0.3)


def test_a_share_is_never_above_one() -> None:
    scene = Scene(Ceilings(calls_per_s=10.0))
    scene.go_on(10, Cause.PACE, calls_per_s=20.0)
    assert scene.meter.recently().calls.used == 1.0


def test_no_share_is_told_where_no_limit_is_believed_in() -> None:
    scene = Scene()
    scene.go_on(10, Cause.PACE, calls_per_s=5.0)
    assert scene.meter.recently().calls == Use("calls")
    assert "still finding" in scene.meter.recently().sentence


def test_of_several_kinds_of_token_the_one_used_up_most_is_told() -> None:
    scene = Scene()
    scene.tell(input_tokens=60_000.0, output_tokens=6_000.0)
    scene.go_on(20, Cause.TOKENS, calls_per_s=1.0, tokens=(100.0, 90.0))
    tokens = scene.meter.recently().tokens
    assert (tokens.unit, tokens.per_min, tokens.source) == ("output tokens", 6_000.0, Source.HEADER)
    assert tokens.used == pytest.approx(0.9, abs=0.02)


def test_a_ceiling_of_the_users_below_what_headers_tell_is_the_limit() -> None:
    scene = Scene(Ceilings(tokens_per_s=500.0))
    scene.tell(tokens=90_000.0)
    scene.go_on(10, Cause.TOKENS, calls_per_s=1.0, tokens=(100.0, 100.0))
    view = scene.meter.recently()
    assert (view.tokens.per_min, view.tokens.source) == (30_000.0, Source.USER)
    assert view.tokens_per_call == pytest.approx(200.0)


def test_what_went_before_the_meter_began_is_not_counted() -> None:
    scene = Scene()
    scene.go_on(10, Cause.SLOTS, calls_per_s=5.0)
    scene.meter = GroupMeter(scene.group)
    scene.meter.look(scene.now)
    scene.go_on(4, Cause.PACE, calls_per_s=1.0)
    view = scene.meter.in_all()
    assert (view.through, view.cause, view.waited_s[Cause.SLOTS]) == (4, Cause.PACE, 0.0)


def test_a_wait_that_headers_cause_is_one_that_the_provider_asked_for() -> None:
    assert Scene().controller.asked_to_wait


@pytest.mark.parametrize("hint_s", [None, 20.0])
def test_a_wait_after_a_rejection_is_asked_for_where_it_came_with_a_hint(hint_s: float | None) -> None:
    scene = Scene()
    scene.go_on(1, None, calls_per_s=20.0)
    scene.controller.rejected(scene.now, 5, hint_s)
    assert scene.controller.asked_to_wait is (hint_s is not None)
