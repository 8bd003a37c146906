"""One bad provider among five, or a bad judge: the others go on as if it were not there."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Sequence
from typing import Any

from tests.cli.program import model, until
from tests.reliability.faults import Fault, Scene, Seen
from tests.reliability.network_lab import needs_a_namespace
from tests.reliability.network_story import (
    LIMIT_S,
    Setting,
    Story,
    again,
    begun,
    ended,
    only_in_soak,
    records,
    summary,
    undisturbed,
    went_on,
)

GOOD, BAD = ("alpha", "bravo", "charlie", "echo"), "delta"
FIVE = Setting(("alpha", "bravo", "charlie", "delta", "echo"), samples=12)
JUDGED = Setting(GOOD, samples=6, judged=True)
OTHERS_FINISH = "the other four finish as if it were fine"


def _others_done(story: Story) -> bool:
    told = story.providers()
    return all(sum(status == 200 for _, status in told[name]["answered"]) >= story.setting.samples for name in GOOD)


def _took_s(told: dict[str, Any]) -> float:
    """From the first to the last answer of the good ones."""
    times = [at for name in GOOD for at, _ in told[name]["answered"]]
    return max(times) - min(times)


def _bad_among_good(story: Story, mode: str, *, from_the_start: bool = False) -> str:
    """Lets it go bad and stay so until the others are done; how long these took."""
    if not from_the_start:
        story.until_under_way(2)
    story.net.tell(of=BAD, mode=mode)
    until(lambda: _others_done(story), "the other four are done", LIMIT_S)
    ratio = _took_s(story.providers()) / _took_s(undisturbed(FIVE)[2])
    return f"the other four took {ratio:.2f} of the time they take when it is fine"


def _hangs_fails_recovers(scene: Scene) -> Seen:
    seen = Seen(times=scene.times)
    with begun(scene, FIVE) as story:
        words = _bad_among_good(story, "hang")
        story.net.tell(of=BAD, mode="500", drop=True)
        until(lambda: [500 for _, status in story.providers()[BAD]["answered"] if status == 500], "it fails", LIMIT_S)
        story.net.tell(of=BAD, mode="ok")
        done = ended(story)
        seen.words = f"{words}; it catches up: {went_on(story, done, seen, one_try=False)}"
        others = [record["attempts"] for record in records(story) if not record["provider"].startswith(BAD)]
        seen.expect(max(others) == 1, "a call of another provider used a second try")
    return seen


def _honest(story: Story, seen: Seen) -> str:
    """Looks whether the summary says of each model how much it is about."""
    found = json.loads(summary(story))
    seen.expect(found["complete"] is False, "the summary calls itself complete")
    for name in GOOD:
        told = model(found, f"{name}/m")["samples"]
        seen.expect(told["finished"] == told["total"] and not told["pending"], f"{name} is not finished: {told}")
    told, outcomes = model(found, f"{BAD}/m")["samples"], model(found, f"{BAD}/m")["outcomes"]
    seen.expect(told["finished"] + told["pending"] == told["total"] and told["pending"], f"it hides what is missing: {told}")
    seen.expect(outcomes["answered"] + outcomes["failed"] == told["finished"], f"it counts what was not answered: {outcomes}")
    return f"its summary says {outcomes['answered']} answered, {outcomes['failed']} failed, {told['pending']} pending"


def _resumed(story: Story, seen: Seen) -> str:
    """Everything works again: the run is continued, and the good ones are asked nothing."""
    before = {name: len(told["answered"]) for name, told in story.providers().items()}
    story.net.tell(of="*", mode="ok", drop=True)
    words = went_on(story, again(story), seen, one_try=False)
    asked = [name for name in GOOD if len(story.providers()[name]["answered"]) != before[name]]
    seen.expect(not asked, f"asked again: {asked}")
    return words


def _stopped_by_its_breaker(scene: Scene) -> Seen:
    seen = Seen(times=scene.times)
    with begun(scene, FIVE) as story:
        words = _bad_among_good(story, "500", from_the_start=True)
        done = ended(story)
        seen.expect(done.code == 3, f"exit code {done.code}, not 3")
        seen.expect([stop for stop in done.json["stops"] if "delta" in stop and "failed in a row" in stop], f"{done.json['stops']}")
        seen.words = f"{words}; stopped after 10, {_honest(story, seen)}; continued: {_resumed(story, seen)}"
    return seen


def _until_the_user_stops(scene: Scene, mode: str) -> Seen:
    seen = Seen(times=scene.times)
    with begun(scene, FIVE) as story:
        words = _bad_among_good(story, mode)
        time.sleep(1)
        story.process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        story.process.send_signal(signal.SIGINT)
        done = ended(story)
        seen.expect(done.code == 3, f"exit code {done.code}, not 3")
        seen.words = f"{words}; after Ctrl-C {_honest(story, seen)}; continued: {_resumed(story, seen)}"
    return seen


def _bad_judge(scene: Scene) -> Seen:
    seen = Seen(times=scene.times)
    with begun(scene, JUDGED) as story:
        story.net.tell(of="judge", mode="500")
        done = ended(story)
        seen.expect(done.code == 3, f"exit code {done.code}, not 3")
        seen.expect(len(done.json["stops"]) == 1 and "judge" in done.json["stops"][0], f"{done.json['stops']}")
        kept = {record["id"] for record in records(story) if not record.get("error")}
        asked = {name: sum(told["asked"].values()) for name, told in story.providers().items()}
        story.net.tell(of="judge", mode="ok")
        words = went_on(story, again(story), seen, one_try=False)
        more = sum(sum(told["asked"].values()) - asked[name] for name, told in story.providers().items())
        missing = len({record["id"] for record in records(story)} - kept)
        seen.expect(more == missing, f"{more} calls were sent after it, {missing} were missing")
        seen.words = f"exit 3 with {len(kept)} answers kept, then {more} more asked: {words}"
    return seen


FAULTS: Sequence[Fault] = (
    Fault("network", "one of five hangs, fails, recovers", OTHERS_FINISH, _hangs_fails_recovers, needs=needs_a_namespace),
    *(
        Fault("network", name, promised, only_in_soak(inflict), few=0, needs=needs_a_namespace)
        for name, promised, inflict in (
            ("one of five fails for ever", f"{OTHERS_FINISH}; exit 3, honest n", _stopped_by_its_breaker),
            ("one of five says 429 for ever", f"{OTHERS_FINISH}; honest n", lambda scene: _until_the_user_stops(scene, "429")),
            ("one of five answers a byte at a time", f"{OTHERS_FINISH}; honest n", lambda scene: _until_the_user_stops(scene, "loris")),
            ("the judge of all fails for ever", "exit 3, nothing asked again", _bad_judge),
        )
    ),
)
