"""Signals, a terminal that is closed, and memory that runs out: a session ends in order, and the next one continues it."""

from __future__ import annotations

import os
import pty
import resource
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from functools import partial

from siuo_async.simulator import Settings
from tests.cli.program import Siuo, finish, until
from tests.reliability.crash_stage import SLOTS, Stage, kept, stage, survives, told_well
from tests.reliability.faults import Fault, Scene, Seen, possible
from tests.reliability.syscalls import Act, FileCall, impossible, run_held

SLOW = Settings(seed=5, latency_s=0.1, latency_sigma=0)
IN_TERMINAL = f"""
import fcntl, os, sys
fcntl.ioctl(0, {termios.TIOCSCTTY}, 0)
os.execv(sys.executable, [sys.executable, "-m", "siuo_async", *sys.argv[1:]])
"""
DIED = (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS)
PROMISED = "calls on the wire come home, one sentence, exit code 3; the same command again: same summary"


def _begun(place: Stage, siuo: Siuo, process: subprocess.Popen[str] | subprocess.Popen[bytes], requests: int) -> bool:
    """Waits until some calls were made; whether the process still goes on."""
    until(lambda: place.simulator.stats()["requests"] >= requests or process.poll() is not None, "calls are made", 60)
    return process.poll() is None


def once(scene: Scene, number: signal.Signals) -> Seen:
    """A signal at random moments of a session with calls on the wire."""
    seen, home, dice = Seen(), 0, scene.dice
    with stage(scene, 6, SLOW) as place:
        while seen.times < scene.times:
            siuo = place.siuo()
            process = siuo.start(*place.words)
            begun = _begun(place, siuo, process, dice.randint(1, len(place.needed) // 2))
            process.send_signal(number)
            done = finish(process, code=None)
            seen.times += 1
            if not begun:
                seen.expect(done.code == place.code, f"it ended by itself with {done.code}: {done.err[-300:]}")
                continue
            told_well(done, seen, number.name)
            asked = place.requests()
            stands = kept(siuo, seen, number.name)
            seen.expect(set(asked) == stands, f"{number.name}: {len(set(asked) - stands)} calls on the wire were lost")
            home += len(stands)
            seen.expect(survives(place, siuo, seen, number.name) == 0, f"{number.name}: calls were made twice")
    seen.words = f"{seen.times} stops, {home} calls home, none lost or made twice"
    return seen


def twice(scene: Scene) -> Seen:
    """A second SIGINT cuts the calls on the wire."""
    seen, slowest = Seen(), 0.0
    with stage(scene, 1, Settings(seed=5, latency_s=0.5, latency_sigma=0)) as place:
        while seen.times < scene.times:
            siuo = place.siuo()
            process = siuo.start(*place.words)
            _begun(place, siuo, process, 2)
            process.send_signal(signal.SIGINT)
            time.sleep(0.1)  # two at once are one
            begun = time.monotonic()
            process.send_signal(signal.SIGINT)
            done = finish(process, code=None)
            slowest = max(slowest, time.monotonic() - begun)
            seen.times += 1
            told_well(done, seen, "SIGINT twice")
            survives(place, siuo, seen, "SIGINT twice")
    seen.words = f"{seen.times} cuts, the slowest took {slowest:.1f} s; what was on the wire was made again"
    return seen


def while_files_are_written(scene: Scene) -> Seen:
    """SIGTERM, SIGINT or SIGHUP as each of the files after the last call is written."""
    seen, codes, dice = Seen(), set(), scene.dice
    with stage(scene) as place:
        names = [str(call) for call in place.calls if "summary" in call.path.name or "run_stats" in call.path.name]
        for which in range(scene.times):
            name, number = dice.choice(names), (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)[which % 3]
            kind, _, file = name.partition(" ")

            def decide(call: FileCall, kind: str = kind, file: str = file, number: int = number) -> Act:
                if call.name == kind and call.path.name.rpartition(".")[0] == file.rpartition(".")[0]:
                    os.kill(call.thread, number)
                return None

            siuo, what = place.siuo(), f"{number.name} at {name}"
            done = run_held(siuo, place.words, decide, within=siuo.folder / "results")
            seen.times += 1
            codes.add(done.code)
            told_well(done, seen, what, (place.code, 3))
            survives(place, siuo, seen, what)
    seen.words = f"{seen.times} signals; exit codes {', '.join(map(str, sorted(codes)))}, no half file"
    return seen


def closed_terminal(scene: Scene) -> Seen:
    """The terminal window is closed: SIGHUP, and from then on stdout and stderr give EIO."""
    seen = Seen()
    with stage(scene, 6, SLOW) as place:
        while seen.times < scene.times:
            siuo = place.siuo()
            ours, theirs = pty.openpty()
            process = subprocess.Popen(
                [sys.executable, "-c", IN_TERMINAL, *map(str, place.words[:-3]), *map(str, place.words[-2:])],
                cwd=siuo.folder,
                env={**siuo.variables, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"},
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                start_new_session=True,
            )
            os.close(theirs)
            os.set_blocking(ours, False)
            until(lambda ours=ours, process=process: _read(ours) + (process.poll() is not None), "the screen is shown", 60)
            going = _begun(place, siuo, process, 4)
            os.close(ours)
            code = process.wait(60)
            if not going:
                continue
            seen.times += 1
            seen.expect(code == 3, f"the terminal was closed: exit code {code}")
            asked = place.requests()
            lost = set(asked) - kept(siuo, seen, "the terminal was closed")
            seen.expect(not lost, f"the terminal was closed: {len(lost)} calls on the wire were lost")
            survives(place, siuo, seen, "the terminal was closed")
    seen.words = f"{seen.times} terminals closed with {SLOTS} calls on the wire; all came home"
    return seen


def _read(terminal: int) -> int:
    try:
        return len(os.read(terminal, 65_536))
    except OSError:
        return 0


def memory(scene: Scene) -> Seen:
    """From a moment with calls on the wire on, the process may take hardly any more memory (RLIMIT_AS)."""
    seen, codes, dice = Seen(), {}, scene.dice
    with stage(scene, 6, SLOW) as place:
        while seen.times < scene.times:
            siuo = place.siuo()
            process = siuo.start(*place.words)
            if not _begun(place, siuo, process, dice.randint(1, len(place.needed) // 3)):
                continue
            now = _address_space(process.pid)
            room = dice.choice((1 << 12, 1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 23))
            resource.prlimit(process.pid, resource.RLIMIT_AS, (now + room, now + room))
            done = finish(process, code=None)
            seen.times += 1
            codes[done.code] = codes.get(done.code, 0) + 1
            if done.code not in DIED:  # the interpreter or a library in C, which is as good as a kill
                told_well(done, seen, f"{room} bytes left", (place.code, 3))
            survives(place, siuo, seen, f"{room} bytes left")
    words = {place.code: "complete all the same", 3: "a clear stop"}
    told = ", ".join(f"{count} x {words.get(code, 'died as by a kill')}" for code, count in sorted(codes.items(), reverse=True))
    seen.words = f"{seen.times} sessions with 4 KB to 8 MB left: {told}"
    return seen


def _address_space(process: int) -> int:
    with open(f"/proc/{process}/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def _linux() -> str | None:
    return None if sys.platform == "linux" else "a limit can be set on a running process on Linux alone"


def _fault(name: str, inflict: Callable[[Scene], Seen], few: int, many: int, needs: Callable[[], str | None] = possible) -> Fault:
    return Fault("crash", name, PROMISED, inflict, few, many, needs)


FAULTS = (
    _fault("SIGTERM", partial(once, number=signal.SIGTERM), 1, 20),
    _fault("SIGINT (Ctrl-C)", partial(once, number=signal.SIGINT), 1, 20),
    _fault("SIGINT twice", twice, 1, 10),
    _fault("SIGTERM, SIGINT, SIGHUP while the last files are written", while_files_are_written, 2, 60, impossible),
    _fault("the terminal is closed (SIGHUP, then EIO on stdout and stderr)", closed_terminal, 1, 20),
    _fault("memory runs out (RLIMIT_AS)", memory, 1, 60, _linux),
)
