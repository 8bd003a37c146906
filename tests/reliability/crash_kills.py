"""SIGKILL: at random moments, and at every system call that changes a file, so that no moment is missed because it is short."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from siuo_async.engine.journal import lines
from siuo_async.simulator import Settings
from tests.cli.program import Siuo, finish
from tests.reliability.crash_stage import Stage, kept, stage, summary, survives, the_run
from tests.reliability.faults import Fault, Scene, Seen
from tests.reliability.syscalls import KILL, TEAR, Act, FileCall, impossible, in_fork, run_held

STARTING_S = 0.5
"""How long a process of its own takes more than a fork, about."""
PROMISED = "same summary byte for byte, no finished call paid twice, every complete line readable"


def _killed_at(process: subprocess.Popen[str], moment_s: float) -> bool:
    """Whether it was still going on."""
    try:
        process.wait(moment_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    return finish(process, code=None).code == -signal.SIGKILL


def random_moments(scene: Scene, *, resumed: bool = False) -> Seen:
    """Kills sessions of one run until it is complete, and begins another."""
    seen, dice, twice, runs = Seen(), scene.dice, 0, 0
    with stage(scene, 12, Settings(seed=5, latency_s=0.03)) as place:
        whole_s = place.calm_s + STARTING_S
        while seen.times < scene.times:
            siuo, killed, runs = half(place) if resumed else place.siuo(), int(resumed), runs + 1
            while seen.times < scene.times and killed < 8:
                process = siuo.start(*(("resume", "--json") if resumed else place.words))
                if not _killed_at(process, dice.uniform(0.0, whole_s)):
                    break
                killed += 1
                seen.times += 1
                kept(siuo, seen, f"after kill {seen.times}")
            twice += survives(place, siuo, seen, f"run {runs}", sessions=killed)
    seen.words = f"{runs} runs killed {seen.times} times; {twice} requests were on the wire then and made again"
    return seen


def chosen(total: int, scene: Scene, seen: Seen) -> Iterator[int]:
    """Numbers of calls, none twice, until the fault was inflicted as often as wanted."""
    for number in scene.dice.sample(range(1, total + 1), total):
        if seen.times >= scene.times:
            return
        yield number


def calls_of(place: Stage, siuo: Siuo, words: Sequence[str | Path]) -> list[FileCall]:
    """What a command does to files."""
    found: list[FileCall] = []
    run_held(siuo, words, found.append, within=siuo.folder / "results")
    return found


def at(number: int, act: Act, names: Iterable[str] | None = None) -> Callable[[FileCall], Act]:
    """Acts at the call with this number, among all or among those with such names."""
    left = [number]

    def decide(call: FileCall) -> Act:
        if names is not None and call.name not in names:
            return None
        left[0] -= 1
        return act if left[0] == 0 else None

    return decide


def every_call(scene: Scene, act: Act = KILL, *, half_done: bool = False) -> Seen:
    """Kills a session before each call that changes a file, or in the middle of each write; then runs the same command again."""
    seen, twice = Seen(), 0
    names = {"write"} if act == TEAR else None
    with stage(scene) as place:
        begun = half(place) if half_done else None
        every = calls_of(place, place.siuo(begun), place.words) if begun else place.calls
        calls = [call for call in every if names is None or call.name in names]
        for number in chosen(len(calls), scene, seen):
            siuo = place.siuo(begun)
            done = run_held(siuo, place.words, at(number, act, names), within=siuo.folder / "results")
            if done.code != -signal.SIGKILL:
                continue  # this time there were fewer
            seen.times += 1
            twice += survives(place, siuo, seen, f"killed at {number} ({calls[number - 1]})")
    seen.words = (
        f"killed at {seen.times} of {len(calls)} calls that change a file; {twice} requests made again, all of them on the wire"
    )
    return seen


def half(place: Stage) -> Siuo:
    """A run that was killed in the middle."""
    siuo = place.siuo()
    middle = len(place.needed) // 2
    seen: list[int] = []

    def decide(call: FileCall) -> Act:
        seen.extend([1] if call.path.name == "calls.jsonl" and call.name == "write" else [])
        return TEAR if len(seen) == middle else None

    assert run_held(siuo, place.words, decide, within=siuo.folder / "results").code == -signal.SIGKILL
    return siuo


def scoring(scene: Scene) -> Seen:
    """Kills `siuo score`, which writes the summary of a run, at each call that changes a file."""
    seen = Seen()
    with stage(scene) as place:
        run = place.calm_run.relative_to(place.calm.folder)
        calls = calls_of(place, place.siuo(place.calm), ("score", run))
        for number in chosen(len(calls), scene, seen):
            siuo, what = place.siuo(place.calm), f"killed at {number} ({calls[number - 1]})"
            (siuo.folder / run / "summary.json").write_bytes(b"{}")  # what the kill may leave, and nothing else
            if run_held(siuo, ("score", run), at(number, TEAR), within=siuo.folder / "results").code != -signal.SIGKILL:
                continue
            seen.times += 1
            found = (siuo.folder / run / "summary.json").read_bytes()
            seen.expect(found in (b"{}", (place.calm_run / "summary.json").read_bytes()), f"{what}: half a summary was left")
            in_fork(siuo, ("score", run))
            seen.expect(summary(siuo.folder / run) == summary(place.calm_run), f"{what}: scoring again gave something else")
            seen.expect(not place.requests(), f"{what}: scoring sent calls")
    seen.words = f"killed {seen.times} times over the {len(calls)} calls that change a file; the summary was the old one or the new one"
    return seen


def repairing(scene: Scene) -> Seen:
    """Kills `siuo check --repair` at each call that changes a file, repairs again, and continues the run."""
    seen = Seen()
    with stage(scene) as place:
        run = place.calm_run.relative_to(place.calm.folder)
        damaged = place.siuo(place.calm)
        good = _damage(damaged.folder / run / "calls.jsonl")
        words = ("check", run, "--repair")
        calls = calls_of(place, place.siuo(damaged), words)
        for number in chosen(len(calls), scene, seen):
            siuo, what = place.siuo(damaged), f"killed at {number} ({calls[number - 1]})"
            if run_held(siuo, words, at(number, TEAR), within=siuo.folder / "results").code != -signal.SIGKILL:
                continue
            seen.times += 1
            for _ in range(2):  # the second has nothing to do
                mended = in_fork(siuo, words)
                seen.expect(mended.code == 0, f"{what}: repairing again ended with {mended.code}: {mended.err[-300:]}")
            found = {line for _, line in lines(siuo.folder / run / "calls.jsonl")}
            seen.expect(found == good, f"{what}: {len(good - found)} good lines were lost")
            aside = list((siuo.folder / run).glob("calls.damaged-*.jsonl"))
            seen.expect(len(aside) == 1 and aside[0].read_bytes().count(b"\n") == 2, f"{what}: the damaged lines are not aside, once")
            for file in aside:
                file.unlink()
            survives(place, siuo, seen, what)
    seen.words = f"killed at {seen.times} of {len(calls)} calls that change a file; repaired again: no good line lost"
    return seen


def _damage(path: Path) -> set[bytes]:
    """Flips a bit of the third line and takes away the newline behind the fifth; the lines that are to stay."""
    every = [line for _, line in lines(path)]
    every[2] = every[2].replace(b'"stage"', b'"stbge"')
    path.write_bytes(b"".join(line + (b"" if number == 4 else b"\n") for number, line in enumerate(every)))
    return {line for number, line in enumerate(every) if number != 2}


def power_cuts(scene: Scene) -> Seen:
    """Kills a session before each call that changes a file and takes away all that no sync had made durable, as a power cut may.

    With `--fsync always` only the record that is being synced may go; with groups, what the last tenth of a second finished.
    """
    seen, most, dice = Seen(), {"always": 0, "group": 0}, scene.dice
    with stage(scene) as place:
        for sync in most:
            words = (*place.words, "--fsync", sync)
            calls = calls_of(place, _with_results(place), words)
            for number in chosen(len(calls), replace(scene, times=scene.times + seen.times), seen):
                siuo, what = _with_results(place), f"cut at {number} ({calls[number - 1]}), --fsync {sync}"
                disk = Disk(siuo.folder / "results", at(number, KILL))
                if run_held(siuo, words, disk.note, within=siuo.folder / "results").code != -signal.SIGKILL:
                    continue
                seen.times += 1
                before = len(kept(siuo, seen, what))
                disk.cut(dice.choice((b"", b"\0")))
                lost = before - len(kept(siuo, seen, what))
                most[sync] = max(most[sync], lost)
                seen.expect(sync == "group" or lost <= 1, f"{what}: {lost} finished calls were lost")
                done = place.run(siuo)
                seen.expect(done.code == place.code, f"{what}: the same command again ended with {done.code}: {done.err[-300:]}")
                run = the_run(siuo)
                seen.expect(run and summary(run) == summary(place.calm_run), f"{what}: the summary differs from the undisturbed run's")
    told = " and ".join(f"{lost} with --fsync {sync}" for sync, lost in most.items())
    seen.words = f"power cut {seen.times} times; finished calls that were lost and made again, at most: {told}"
    return seen


def _with_results(place: Stage) -> Siuo:
    """A folder where `results` is known to be durable: only what is below it is watched."""
    siuo = place.siuo()
    (siuo.folder / "results").mkdir()
    return siuo


class Disk:
    """What a disk is sure to hold: contents that were synced, under names whose folder was synced since."""

    def __init__(self, folder: Path, decide: Callable[[FileCall], Act]) -> None:
        self.folder = folder.resolve()
        self.decide = decide
        self.sizes: dict[Path, int] = {}
        """Bytes of each file that were synced."""
        self.unsure: dict[Path, bytes | None] = {}
        """By name, what stood there before; nothing: no such file."""

    def note(self, call: FileCall) -> Act:
        """Told of each call before it is made; what becomes of it."""
        if (act := self.decide(call)) is not None:
            return act
        if call.name in ("fsync", "fdatasync") and call.path.is_dir():
            for path in [path for path in self.unsure if path.parent == call.path]:
                del self.unsure[path]
        elif call.name in ("fsync", "fdatasync"):
            self.sizes[call.path] = call.path.stat().st_size
        elif call.name in ("openat", "mkdir", "mkdirat") and not call.path.exists():
            self.unsure.setdefault(call.path, None)
        elif call.name.startswith("rename"):
            target = call.path.with_name(call.path.name.split(".", 1)[1].rpartition(".")[0])
            self.unsure.setdefault(target, target.read_bytes() if target.exists() else None)
            self.sizes[target] = self.sizes.get(call.path, 0)
        return None

    def cut(self, filler: bytes) -> None:
        """Takes away what no sync had reached.

        Args:
            filler: what stands where data did not reach the disk; empty: the file ends there.
        """
        for path in [each for each in self.folder.rglob("*") if each.is_file()]:
            content, sure = path.read_bytes(), self.sizes.get(path, 0)
            if sure < len(content):
                path.write_bytes(content[:sure] + filler * (len(content) - sure))
        for path, before in self.unsure.items():
            if before is not None:
                path.write_bytes(before)
            elif path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def _fault(name: str, inflict: Callable[[Scene], Seen], few: int, many: int, promised: str = PROMISED) -> Fault:
    return Fault("crash", name, promised, inflict, few, many, impossible)


FAULTS = (
    Fault("crash", "SIGKILL at random moments", PROMISED, random_moments, few=1, many=300),
    _fault("SIGKILL at random moments of `siuo resume`", partial(random_moments, resumed=True), 1, 100),
    _fault("SIGKILL before each system call that changes a file", every_call, 2, 200),
    _fault("SIGKILL in the middle of each write", partial(every_call, act=TEAR), 1, 200),
    _fault("SIGKILL before each such call of a session that continues", partial(every_call, half_done=True), 1, 200),
    _fault("SIGKILL at each such call of `siuo score`", scoring, 1, 50, "the old summary or the new one"),
    _fault("SIGKILL at each such call of `siuo check --repair`", repairing, 1, 50, "no good line lost; what was damaged is kept aside"),
    _fault("power cut before each such call: what was not synced is gone, or zeros", power_cuts, 1, 200, "same summary byte for byte"),
)
