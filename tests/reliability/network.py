"""Faults of this machine's network, and one bad provider among good ones."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence

from tests.cli.program import until
from tests.reliability.faults import Fault, Scene, Seen
from tests.reliability.network_lab import needs_a_namespace
from tests.reliability.network_story import (
    LIMIT_S,
    Setting,
    again,
    begun,
    ended,
    records,
    said_offline,
    went_on,
)

GOES_ON = "goes on by itself, no try used, no sample failed, same summary"
ALONE = Setting(providers=("alpha",))
PICTURES = Setting(providers=("alpha",), samples=4, picture_bytes=1_600_000, at_once=8)


def _interface_down(scene: Scene) -> Seen:
    """One provider's connections stay open and silent, the other's calls fail at once."""
    seen = Seen(times=scene.times)
    with begun(scene, Setting()) as story:
        story.net.tell(of="bravo", closes=True)
        story.until_under_way()
        story.net.down()
        time.sleep(5)
        story.net.up()
        done = ended(story)
        seen.words = f"down for 5 s: {went_on(story, done, seen)}"
    return seen


def _interface_down_in_an_upload(scene: Scene) -> Seen:
    seen = Seen(times=scene.times)
    with begun(scene, PICTURES) as story:
        story.net.tell(link={"bits_per_s": 4e7})
        until(lambda: story.net.provider("alpha")["arriving"], "a picture is being uploaded", LIMIT_S)
        story.net.down()
        time.sleep(4)
        story.net.up()
        done = ended(story)
        seen.words = f"down for 4 s in an upload: {went_on(story, done, seen)}"
    return seen


def _no_route_then_no_names(scene: Scene) -> Seen:
    """Replies still come in, so that it is noticed at once; the names that were known are forgotten then."""
    seen = Seen(times=scene.times)
    with begun(scene, ALONE, closes=True) as story:
        story.until_under_way()
        story.net.ip("route", "del", "default")
        story.net.tell(names=False)
        time.sleep(3)
        story.net.up()
        time.sleep(3)
        story.net.tell(names=True)
        done = ended(story)
        seen.words = f"3 s without a route, 3 s without names: {went_on(story, done, seen)}"
        seen.expect(said_offline(done), "the log did not tell of it")
    return seen


def _portal(scene: Scene, setting: Setting, *kinds: str) -> Seen:
    """The provider closes its connections, since one that is open already leads past a portal."""
    seen = Seen(times=scene.times)
    with begun(scene, setting, closes=True) as story:
        for kind in kinds:
            story.until_under_way()
            wrong = kind == "certificate"
            story.net.tell(of="*", mode="ok" if wrong else f"portal{kind}", wrong_certificate=wrong)
            time.sleep(3.5)
            story.net.tell(of="*", mode="ok", wrong_certificate=False)
        done = ended(story)
        seen.words = f"{', '.join(kinds)}, each for 3.5 s: {went_on(story, done, seen)}"
        seen.expect(said_offline(done), "the log did not tell of it")
    return seen


def _asleep(scene: Scene) -> Seen:
    """What was on the wire is cut by the provider meanwhile; what was idle is forgotten by the NAT, in silence."""
    seen = Seen(times=scene.times)
    asleep_s = 8 * scene.times
    with begun(scene, Setting()) as story:
        story.until_under_way()
        os.kill(story.process.pid, signal.SIGSTOP)
        time.sleep(asleep_s / 2)
        story.net.tell(drop=True)
        time.sleep(asleep_s / 2)
        story.net.tell(forget=True)
        os.kill(story.process.pid, signal.SIGCONT)
        done = ended(story)
        seen.words = f"asleep for {asleep_s} s: {went_on(story, done, seen)}"
    return seen


def _lossy(scene: Scene) -> Seen:
    seen = Seen(times=scene.times)
    with begun(scene, PICTURES) as story:
        story.net.tell(link={"loss": 0.1})
        done = ended(story)
        passed = story.net.tell()["passed"]
        share = 100 * passed["lost"] / (passed["lost"] + passed["passed"])
        seen.words = f"{passed['lost']} packets lost ({share:.0f}%): {went_on(story, done, seen)}"
    return seen


def _too_long(scene: Scene) -> Seen:
    """Longer than `--offline-wait`."""
    seen = Seen(times=scene.times)
    with begun(scene, Setting(words=("--offline-wait", "3")), closes=True) as story:
        story.until_under_way()
        story.net.ip("route", "del", "default")
        done = ended(story)
        seen.expect(done.code == 3, f"exit code {done.code}, not 3")
        stops = done.json["stops"]
        seen.expect(len(stops) == 1 and stops[0].endswith("when the network is back"), f"it said {stops}")
        kept = {record["id"]: record for record in records(story)}
        seen.expect(not any(record.get("error") for record in kept.values()), "a call failed for good")
        asked = {name: told["asked"] for name, told in story.providers().items()}
        story.net.up()
        done = again(story)
        words = went_on(story, done, seen)
        sent = sum(sum(told["asked"].values()) - sum(asked[name].values()) for name, told in story.providers().items())
        missing = len(records(story)) - len(kept)
        seen.expect(sent == missing, f"{sent} calls were sent after it, {missing} were missing")
        seen.words = f"exit 3 with {len(kept)} calls kept, then {sent} more asked: {words}"
    return seen


FAULTS: Sequence[Fault] = tuple(
    Fault("network", name, promised, inflict, few=few, many=many, needs=needs_a_namespace)
    for name, promised, inflict, few, many in (
        ("interface down and up again", GOES_ON, _interface_down, 1, 1),
        ("interface down while pictures are uploaded", GOES_ON, _interface_down_in_an_upload, 1, 1),
        ("route lost, then no names", GOES_ON, _no_route_then_no_names, 1, 1),
        ("captive portal, two providers", GOES_ON, lambda s: _portal(s, Setting(), "302", "200", "511"), 1, 1),
        ("captive portal, one provider", GOES_ON, lambda s: _portal(s, ALONE, "certificate", "511"), 1, 1),
        ("asleep", GOES_ON, _asleep, 1, 20),
        ("one packet in ten lost", GOES_ON, _lossy, 1, 1),
        ("offline for longer than --offline-wait", "exit 3, nothing asked again afterwards", _too_long, 1, 1),
    )
)
