"""Faults of this machine's network, and one bad provider among good ones."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.cli.program import until
from tests.reliability import network_one_bad as one_bad
from tests.reliability.faults import Fault, Scene, Seen
from tests.reliability.network_lab import OTHER_ADDRESS, Lab, needs_a_namespace
from tests.reliability.network_story import LIMIT_S, Setting, again, begun, ended, only_in_soak, records, said_offline, went_on

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
        time.sleep(4)
        story.net.up()
        done = ended(story)
        seen.words = f"down for 4 s: {went_on(story, done, seen)}"
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
    asleep_s = 7 * scene.times
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
    """From the first answer on: a name whose lookup is lost at the very start cannot be told from a wrong one, and costs a try."""
    seen = Seen(times=scene.times)
    with begun(scene, replace(PICTURES, samples=6, at_once=2)) as story:
        story.until_under_way(1)
        before = story.net.tell(link={"loss": 0.1})["passed"]["passed"]
        done = ended(story)
        passed = story.net.tell()["passed"]
        share = 100 * passed["lost"] / (passed["lost"] + passed["passed"] - before)
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


def _silence(scene: Scene, what: str, spoil: Callable[[Lab], None]) -> Seen:
    """Connections that are open lead nowhere any more, and nothing says so; new ones work."""
    seen = Seen(times=scene.times)
    with begun(scene, Setting()) as story:
        story.until_under_way()
        spoil(story.net)
        from_then = time.monotonic()
        done = ended(story)
        seen.words = f"{what}, over {time.monotonic() - from_then:.0f} s later: {went_on(story, done, seen)}"
    return seen


def _another_address(net: Lab) -> None:
    net.down()
    time.sleep(2)
    net.up(OTHER_ADDRESS)


def _dark(scene: Scene) -> Seen:
    """Long enough that the kernel gives its connections up; nothing is refused, all is silent."""
    seen = Seen(times=scene.times)
    with begun(scene, Setting()) as story:
        story.until_under_way()
        story.net.tell(link={"dark": True})
        time.sleep(150)
        story.net.tell(link={"dark": False})
        from_then = time.monotonic()
        done = ended(story)
        seen.words = f"150 s of silence, over {time.monotonic() - from_then:.0f} s later: {went_on(story, done, seen)}"
        seen.expect(said_offline(done), "the log did not tell of it")
    return seen


def _slow_uplink(scene: Scene) -> Seen:
    """All pictures at once, each of which alone takes 9 s; a timeout that is much shorter than all of it."""
    seen = Seen(times=scene.times)
    setting = Setting(("alpha",), samples=10, picture_bytes=1_600_000, at_once=10, words=("--timeout", "60"))
    with begun(scene, setting) as story:
        story.net.tell(link={"bits_per_s": 2e6})
        from_then = time.monotonic()
        done = ended(story)
        took_s = time.monotonic() - from_then
        seen.words = f"10 pictures at once in {took_s:.0f} s, --timeout 60: {went_on(story, done, seen)}"
    return seen


def _dead_ipv6(scene: Scene) -> Seen:
    seen = Seen(times=scene.times)
    with begun(scene, Setting(("six",)), closes=True) as story:
        done = ended(story)
        seen.words = went_on(story, done, seen)
    return seen


FAULTS: Sequence[Fault] = (
    Fault("network", "interface down and up again", GOES_ON, _interface_down, needs=needs_a_namespace),
    Fault("network", "captive portal, two providers", GOES_ON, lambda s: _portal(s, Setting(), "302", "200"), needs=needs_a_namespace),
    Fault("network", "asleep", GOES_ON, _asleep, many=20, needs=needs_a_namespace),
    *(
        Fault("network", name, promised, only_in_soak(inflict), few=0, needs=needs_a_namespace)
        for name, promised, inflict in (
            ("captive portal, one provider", GOES_ON, lambda scene: _portal(scene, ALONE, "certificate", "511")),
            ("interface down while pictures are uploaded", GOES_ON, _interface_down_in_an_upload),
            ("route lost, then no names", GOES_ON, _no_route_then_no_names),
            ("silence for minutes", GOES_ON, _dark),
            ("a NAT forgets", GOES_ON, lambda scene: _silence(scene, "all connections forgotten", lambda net: net.tell(forget=True))),
            ("another address", GOES_ON, lambda scene: _silence(scene, "another address after 2 s", _another_address)),
            ("an IPv6 address where nobody is", GOES_ON, _dead_ipv6),
            ("one packet in ten lost", GOES_ON, _lossy),
            ("uplink of 2 Mbit/s, pictures of 1.6 MB", GOES_ON, _slow_uplink),
            ("offline for longer than --offline-wait", "exit 3, nothing asked again", _too_long),
        )
    ),
    *one_bad.FAULTS,
)
