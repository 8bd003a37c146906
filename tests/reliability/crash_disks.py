"""Disks that are full, fail, may not be written or know no locks: at every system call that changes a file."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial

from tests.cli.program import Done, Siuo, finish
from tests.reliability.crash_kills import at, chosen
from tests.reliability.crash_stage import Stage, stage, summary, survives, told_well
from tests.reliability.faults import Fault, Scene, Seen
from tests.reliability.syscalls import Act, FileCall, impossible, in_fork, run_held

TAKES_ROOM = frozenset({"write", "openat", "mkdir", "mkdirat"})
PROMISED = "complete, or one clear sentence and exit code 3; the same command again: same summary"


def failing(scene: Scene, number: int, *, full: bool) -> Seen:
    """Each call that changes a file fails with an error number: once, or (`full`) it and all that take room from then on."""
    seen, stops = Seen(), 0
    with stage(scene) as place:
        calls = [call for call in place.calls if not full or call.name in TAKES_ROOM]
        for which in chosen(len(calls), scene, seen):
            siuo, what = place.siuo(), f"{errno.errorcode[number]} at {which} ({calls[which - 1]})"
            decide = _from_on(which, number) if full else at(which, number)
            done = run_held(siuo, place.words, decide, within=siuo.folder / "results")
            seen.times += 1
            stops += _stopped(place, done, seen, what, siuo)
            survives(place, siuo, seen, what)
    seen.words = f"{seen.times} of {len(calls)} calls failed in turn; {stops} clear stops, else complete all the same"
    return seen


def _from_on(which: int, number: int) -> Callable[[FileCall], Act]:
    once = at(which, number, TAKES_ROOM)
    failed: list[int] = []

    def decide(call: FileCall) -> Act:
        if failed and call.name in TAKES_ROOM:
            return number
        act = once(call)
        failed.extend([1] if act is not None else [])
        return act

    return decide


def _stopped(place: Stage, done: Done, seen: Seen, what: str, siuo: Siuo) -> bool:
    """Whether it stopped, which it must say; where it did not, all files are there."""
    told_well(done, seen, what, (place.code, 2, 3))
    if done.code == place.code:
        (run,) = siuo.folder.glob("results/*")
        seen.expect(summary(run) == summary(place.calm_run), f"{what}: complete, with another summary")
    return done.code != place.code


def file_limits(scene: Scene) -> Seen:
    """No file may grow beyond a size (RLIMIT_FSIZE), whatever that size is."""
    seen, stops = Seen(), 0
    with stage(scene) as place:
        sizes = (place.calm_run / "calls.jsonl").stat().st_size, *(file.stat().st_size for file in place.calm_run.iterdir())
        blocks = max(sizes) // 512 + 1
        for which in chosen(blocks, scene, seen):
            siuo, what = place.siuo(), f"files of {which * 512} bytes at most"
            done = finish(siuo.start(*place.words, blocks=which), code=None)
            seen.times += 1
            stops += _stopped(place, done, seen, what, siuo)
            survives(place, siuo, seen, what)
    seen.words = f"{seen.times} sizes of {blocks}; {stops} clear stops, all continued"
    return seen


def small_disks(scene: Scene) -> Seen:
    """A real disk (tmpfs) of so many pages, made larger after the stop."""
    seen, stops = Seen(), 0
    with stage(scene) as place:
        pages = sum(-(-file.stat().st_size // 4096) for file in place.calm_run.iterdir()) + 4
        for which in chosen(pages, scene, seen):
            siuo, what = place.siuo(), f"a disk of {which} pages"
            results = siuo.folder / "results"
            results.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={which * 4096}", "tmpfs", results], check=True)
            try:
                done = in_fork(siuo, place.words)
                seen.times += 1
                stops += _stopped(place, done, seen, what, siuo)
                subprocess.run(["mount", "-o", "remount,size=4m", results], check=True)
                survives(place, siuo, seen, what)
            finally:
                subprocess.run(["umount", "--lazy", results], check=True)
    seen.words = f"{seen.times} sizes of {pages}; {stops} clear stops, all continued after there was room"
    return seen


def no_mounts() -> str | None:
    """Why this user cannot mount a small disk."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("mount") is None:
        return "only root can mount a small disk"
    return _refused()


def _refused() -> str | None:
    tried = ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    refused = shutil.which("unshare") is None or subprocess.run(tried, capture_output=True).returncode
    return "this machine lets nobody mount a small disk" if refused else None


def no_locks(scene: Scene) -> Seen:
    """A file system that knows no locks: ENOLCK (NFS), ENOSYS (Lustre), EOPNOTSUPP."""
    seen = Seen()
    with stage(scene) as place:
        for number in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)[: scene.times]:
            siuo, what = place.siuo(), errno.errorcode[number]
            done = run_held(siuo, place.words, at(1, number, {"flock"}), within=siuo.folder / "results")
            seen.times += 1
            told_well(done, seen, what, (2,))
            seen.expect("cannot be locked" in done.err and "--results" in done.err, f"{what}: the way out is not named: {done.err}")
            seen.expect(not place.requests(), f"{what}: calls were sent without a lock")
            survives(place, siuo, seen, what)
    seen.words = f"{seen.times} error numbers: nothing sent, the sentence names --results"
    return seen


def read_only(scene: Scene) -> Seen:
    """A results folder that became read-only: before a run, and with half a run in it."""
    seen = Seen()
    with stage(scene) as place:
        for what in ("an empty folder", "a finished run")[: scene.times]:
            siuo = place.siuo(place.calm if what == "a finished run" else None)
            results = siuo.folder / "results"
            results.mkdir(exist_ok=True)
            subprocess.run(["mount", "--bind", results, results], check=True)
            try:
                subprocess.run(["mount", "-o", "remount,bind,ro", results], check=True)
                done = in_fork(siuo, place.words)
                told_well(done, seen, what, (2, 3))
                seen.expect(not place.requests(), f"{what}: calls were sent whose answers could not be kept")
                for words in (("score",), ("report",), ("check",), ("check", "--repair")) if what == "a finished run" else ():
                    looked = in_fork(siuo, (words[0], place.calm_run.name, *words[1:]))
                    told_well(looked, seen, f"{what}, {' '.join(words)}", (0, 2, 3, 4))
                    seen.expect(words[0] == "check" or "openai-blunt" in looked.out, f"{what}: {words[0]} showed nothing")
                seen.times += 1
            finally:
                subprocess.run(["umount", "--lazy", results], check=True)
            survives(place, siuo, seen, what)
    seen.words = "nothing sent, one sentence; score, report and check still show what is there"
    return seen


def fault(name: str, inflict: Callable[[Scene], Seen], few: int, many: int, needs: Callable[[], str | None] = impossible) -> Fault:
    """A row of this part."""
    return Fault("crash", name, PROMISED, inflict, few, many, needs)


FAULTS = (
    fault("disk full from any write on (ENOSPC)", partial(failing, number=errno.ENOSPC, full=True), 1, 200),
    fault("quota used up from any write on (EDQUOT)", partial(failing, number=errno.EDQUOT, full=True), 1, 200),
    fault("any single call that changes a file fails (EIO)", partial(failing, number=errno.EIO, full=False), 2, 200),
    Fault("crash", "files may not grow beyond a size (RLIMIT_FSIZE)", PROMISED, file_limits, few=1, many=60),
    fault("a real disk of any few pages", small_disks, 1, 30, no_mounts),
    fault("a file system without locks (ENOLCK, ENOSYS, EOPNOTSUPP)", no_locks, 1, 3),
    fault("a results folder that is read-only", read_only, 2, 2, no_mounts),
)
