"""What others do to a run's files, between runs and while one goes on: power cuts, editors, moves, second processes, clocks."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from siuo_async.engine.journal import Index
from siuo_async.simulator import Settings
from tests.cli.program import Done, Siuo, every, finish, until
from tests.reliability.crash_kills import half
from tests.reliability.crash_stage import Stage, kept, stage, summary, survives, the_run, told_well
from tests.reliability.faults import Fault, Scene, Seen
from tests.reliability.syscalls import impossible, in_fork

SLOW = Settings(seed=5, latency_s=0.1, latency_sigma=0)
Change = Callable[[Path, random.Random], object]
"""Does something to a run's folder."""


def _journal(change: Callable[[bytes, random.Random], bytes]) -> Change:
    def made(run: Path, dice: random.Random) -> None:
        file = run / "calls.jsonl"
        file.write_bytes(change(file.read_bytes(), dice))

    return made


def _torn(content: bytes) -> bytes:
    return content[: content.rfind(b"\n") + 1]


TAILS: Sequence[tuple[str, Change]] = (
    ("zeros behind the last line", _journal(lambda content, dice: _torn(content) + bytes(dice.randint(1, 10_000)))),
    (
        "zeros from the middle of a line on",
        _journal(lambda content, dice: content[: -dice.randint(2, 300)] + bytes(5_000)),
    ),
    ("2 MB of zeros", _journal(lambda content, _: _torn(content) + bytes(2 << 20))),
    ("a torn line longer than any block", _journal(lambda content, _: _torn(content) + b'{"id":"' + b"x" * (1 << 20))),
    ("the last newline missing", _journal(lambda content, _: _torn(content)[:-1])),
    ("a line torn at any byte", _journal(lambda content, dice: _torn(content)[: -dice.randint(1, 500)])),
    ("an empty journal", _journal(lambda _, __: b"")),
)


def torn_tails(scene: Scene) -> Seen:
    """What a power cut leaves behind the last good line; the next session goes on by itself."""
    seen, dice = Seen(), scene.dice
    with stage(scene) as place:
        begun = half(place)
        for number in range(scene.times):
            what, change = TAILS[number % len(TAILS)]
            siuo = place.siuo(begun)
            run = the_run(siuo)
            assert run is not None
            change(run, dice)
            shown = in_fork(siuo, ("report", run))
            seen.expect(shown.code == 0 and not shown.err.startswith("siuo:"), f"{what}: report ended with {shown.code}: {shown.err}")
            checked = in_fork(siuo, ("check", run))
            seen.expect(checked.code == 0, f"{what}: check ended with {checked.code}: {checked.err}")
            survives(place, siuo, seen, what)
            seen.times += 1
    seen.words = f"{seen.times} tails of {len(TAILS)} kinds cut off or mended; all continued by the same command"
    return seen


def damage(scene: Scene) -> Seen:
    """Bits flip, blocks become zeros, lines are doubled, joined and mixed in the middle of a journal."""
    seen, dice, asked = Seen(), scene.dice, 0
    with stage(scene) as place:
        ids = {bytes.fromhex(call) for call in place.needed}
        while seen.times < scene.times:
            siuo = place.siuo(place.calm)
            file = siuo.folder / place.calm_run.relative_to(place.calm.folder) / "calls.jsonl"
            what, content = _damaged(file.read_bytes(), dice)
            file.write_bytes(content)
            seen.times += 1
            stopped = place.run(siuo)
            told_well(stopped, seen, what, (2,))
            seen.expect("calls.jsonl line " in stopped.err and "--repair" in stopped.err, f"{what}: not located: {stopped.err[-300:]}")
            seen.expect(not place.requests(), f"{what}: calls were sent")
            mended = in_fork(siuo, ("check", file.parent, "--repair"))
            seen.expect(mended.code == 0, f"{what}: repair ended with {mended.code}: {mended.err}")
            seen.expect(set(Index.of(file).offsets) <= ids, f"{what}: unknown calls after the repair")
            for aside in file.parent.glob("calls.damaged-*.jsonl"):
                aside.unlink()
            survives(place, siuo, seen, what)
            asked += sum(place.requests().values())
    seen.words = f"{seen.times} damages: each named by its line, nothing sent before the repair, {asked} calls made again after it"
    return seen


def _damaged(content: bytes, dice: random.Random) -> tuple[str, bytes]:
    lines = content.split(b"\n")[:-1]
    at = dice.randrange(len(content) - 1)
    block = dice.randrange(len(content) // 512) * 512  # whole ones: zeros at the end are a torn tail, which is cut off without a word
    which = dice.randrange(len(lines) - 1)
    other = lines[which + 1]
    cut = dice.randrange(1, len(other))
    changed: dict[str, bytes] = {
        "a bit flipped": content[:at] + bytes([content[at] ^ 1 << dice.randrange(8)]) + content[at + 1 :],
        "a block of zeros": content[:block] + bytes(512) + content[block + 512 :],
        "a newline lost": b"\n".join(lines[: which + 1]) + b"\n".join([other, *lines[which + 2 :], b""]),
        "two lines mixed": b"\n".join([*lines[:which], other[:cut] + lines[which] + other[cut:], *lines[which + 2 :], b""]),
    }
    what = dice.choice(list(changed))
    return f"{what} at {at}, {block} or line {which + 1}", changed[what]


def _unlink(run: Path, _: random.Random) -> None:
    (run / "calls.jsonl").unlink()


def _replace(run: Path, _: random.Random) -> None:
    shutil.copy(run / "calls.jsonl", run / "copy")
    os.replace(run / "copy", run / "calls.jsonl")


def _truncate(run: Path, _: random.Random) -> None:
    os.truncate(run / "calls.jsonl", 0)


def _append(run: Path, _: random.Random) -> None:
    content = (run / "calls.jsonl").read_bytes()
    with (run / "calls.jsonl").open("ab") as file:
        file.write(content[: content.find(b"\n") + 1])


def _unlock(run: Path, _: random.Random) -> None:
    (run / "writer.json").unlink()


STRAYED: Sequence[tuple[str, Change, str]] = (
    ("the run's folder moved", lambda run, _: run.rename(run.with_name("moved")), "was moved"),
    ("the journal deleted", _unlink, "was deleted"),
    ("the run's folder deleted", lambda run, _: shutil.rmtree(run), "was deleted"),
    ("the journal replaced by a copy", _replace, "was deleted"),
    ("the journal emptied", _truncate, "changed"),
    ("another program appends to the journal", _append, "another program changed"),
)


def strayed(scene: Scene) -> Seen:
    """Others move, delete, replace or write the journal while a run goes on."""
    seen, late = Seen(), 0
    with stage(scene, 6, SLOW) as place:
        for number in range(scene.times):
            what, change, told = STRAYED[number % len(STRAYED)]
            siuo = place.siuo()
            process = siuo.start(*place.words)
            run = _with_calls(siuo, 4)
            requests = place.simulator.stats()["requests"]
            change(run, scene.dice)
            done = finish(process, code=None)
            seen.times += 1
            told_well(done, seen, what, (2, 3))
            seen.expect(told in done.err, f"{what}: it was not told: {done.err[-300:]}")
            late = max(late, place.simulator.stats()["requests"] - requests)
            if (moved := run.with_name("moved")).exists():
                shutil.rmtree(run, ignore_errors=True)
                moved.rename(run)
                seen.expect(set(place.requests()) == kept(siuo, seen, what), f"{what}: calls on the wire were lost")
            if run.exists():
                _next_goes_on(place, siuo, run, seen, what)
    seen.words = f"{seen.times} times, each told and stopped after at most {late} more requests; what was left was continued"
    return seen


def _with_calls(siuo: Siuo, least: int) -> Path:
    """The run, once so many of its calls are finished."""

    def found() -> Path | None:
        run = the_run(siuo)
        return run if run and (run / "calls.jsonl").read_bytes().count(b"\n") >= least else None

    return Path(until(found, "calls are finished", 60))


def _next_goes_on(place: Stage, siuo: Siuo, run: Path, seen: Seen, what: str) -> None:
    done = place.run(siuo)
    if done.code == 2 and "--repair" in done.err:
        in_fork(siuo, ("check", run, "--repair"))
        done = place.run(siuo)
    seen.expect(done.code == place.code, f"{what}: the same command again ended with {done.code}: {done.err[-300:]}")
    seen.expect(summary(run) == summary(place.calm_run), f"{what}: the summary differs from the undisturbed run's")


def no_note(scene: Scene) -> Seen:
    """Several processes begin the same run at once, and two more while one holds it whose `writer.json` was deleted."""
    seen, turned_away = Seen(), 0
    with stage(scene, 6, SLOW) as place:
        while seen.times < scene.times:
            siuo = place.siuo()
            together = every([partial(finish, siuo.start(*place.words), code=None) for _ in range(3)], at_once=3)
            found = [done for done in together if not isinstance(done, BaseException)]
            codes = sorted(done.code for done in found)
            seen.expect(len(found) == 3 and codes.count(place.code) >= 1, f"three at once ended with {codes}")
            away = [done for done in found if done.code == 2]
            seen.expect(survives(place, siuo, seen, "three at once") == 0, "three at once: calls were made twice")
            away += _held_by_one_that_sleeps(place, seen)
            seen.expect(all("is being written by" in done.err for done in away), f"not told why: {[done.err[-200:] for done in away]}")
            turned_away += len(away)
            seen.times += 1
    seen.words = f"{6 * seen.times} processes on {2 * seen.times} runs, {turned_away} turned away with one sentence; no call made twice"
    return seen


def _held_by_one_that_sleeps(place: Stage, seen: Seen) -> list[Done]:
    """What becomes of two commands while the process that holds the run stands still."""
    siuo = place.siuo()
    first = siuo.start(*place.words)
    (_with_calls(siuo, 1) / "writer.json").unlink()
    first.send_signal(signal.SIGSTOP)
    others = [finish(siuo.start(*place.words), code=None) for _ in range(2)]
    first.send_signal(signal.SIGCONT)
    finish(first, code=place.code)
    seen.expect([done.code for done in others] == [2, 2], f"beside one that holds the run: {[done.code for done in others]}")
    seen.expect(survives(place, siuo, seen, "one at a time") == 0, "one at a time: calls were made twice")
    return others


def _empty(name: str) -> Change:
    return lambda run, _: (run / name).write_bytes(b"")


def _tear(name: str) -> Change:
    return lambda run, dice: os.truncate(run / name, dice.randrange((run / name).stat().st_size))


def _cut_line(run: Path, _: random.Random) -> None:
    content = (run / "samples.jsonl").read_bytes()
    (run / "samples.jsonl").write_bytes(content[: content.find(b"\n") + 1])


def _flip(run: Path, _: random.Random) -> None:
    content = (run / "samples.jsonl").read_bytes()
    (run / "samples.jsonl").write_bytes(content.replace(b"What about", b"Which about", 1))


def _foreign_lock(run: Path, _: random.Random) -> None:
    (run / "writer.json").write_bytes(b'{"pid":1,"host":"another-machine","since":"2020-01-01T00:00:00+00:00"}')


BESIDE: Sequence[tuple[str, Change, bool]] = (
    ("samples.jsonl empty", _empty("samples.jsonl"), False),
    ("samples.jsonl torn", _tear("samples.jsonl"), False),
    ("samples.jsonl cut between lines", _cut_line, False),
    ("samples.jsonl changed", _flip, False),
    ("summary.json torn", _tear("summary.json"), True),
    ("run_stats.json torn", _tear("run_stats.json"), True),
    ("limits.jsonl torn", _tear("limits.jsonl"), True),
    ("writer.json of another machine", _foreign_lock, True),
    ("run.json gone", lambda run, _: (run / "run.json").unlink(), False),
)


def beside(scene: Scene) -> Seen:
    """Files beside the journal are torn, empty, changed, gone, or come from another machine."""
    seen = Seen()
    with stage(scene) as place:
        for number in range(scene.times):
            what, change, usable = BESIDE[number % len(BESIDE)]
            siuo = place.siuo(place.calm)
            run = siuo.folder / place.calm_run.relative_to(place.calm.folder)
            change(run, scene.dice)
            for words in (("score", run), ("report", run), ("resume", run.name), ("ls",)):
                done = in_fork(siuo, words)
                codes = (0, 4) if usable or words == ("ls",) else (2,)
                seen.expect(done.code in codes, f"{what}: {words[0]} ended with {done.code}: {done.err[-300:]}")
                seen.expect("Traceback" not in done.err, f"{what}: {words[0]} gave a traceback")
            seen.times += 1
            survives(place, siuo, seen, what)
            seen.expect(not place.requests(), f"{what}: calls were sent for what was there")
    seen.words = f"{seen.times} of {len(BESIDE)} cases: told by score, report and resume; mended by the same command, nothing sent"
    return seen


CLOCK = """
import datetime, os, time
jump = float(os.environ["JUMP_S"])
begun, real, now = time.monotonic(), time.time, datetime.datetime.now
def shift():
    return jump if time.monotonic() - begun > float(os.environ["JUMP_AFTER_S"]) else 0.0
time.time = lambda: real() + shift()
class Shifted(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return now(tz) + datetime.timedelta(seconds=shift())
datetime.datetime = Shifted
"""


def clock(scene: Scene) -> Seen:
    """The clock jumps back by a day, a year or forwards, before and within sessions; runs are told apart by their numbers."""
    seen, dice = Seen(), scene.dice
    with stage(scene) as place:
        while seen.times < scene.times:
            siuo = place.siuo()
            (siuo.folder / "sitecustomize.py").write_text(CLOCK, encoding="utf-8")
            path = f"{siuo.folder}:{siuo.variables['PYTHONPATH']}"
            runs: list[str] = []
            for round_ in range(2):
                jump = dice.choice((-3_600.0, -86_400.0, -400 * 86_400.0)) if round_ else 0.0
                env = {"PYTHONPATH": path, "JUMP_S": str(jump), "JUMP_AFTER_S": str(dice.choice((0.0, 0.5, 0.8)))}
                what = f"the clock jumps by {jump:.0f} s"
                done = finish(siuo.start(*place.words, "--fresh", env=env), code=None)
                told_well(done, seen, what, (place.code,))
                runs.append(done.json["run"])
                run = siuo.folder / runs[-1]
                numbers = json.loads((run / "run_stats.json").read_bytes())["sessions"][-1]
                seen.expect(0 <= numbers["wall_s"] < 100, f"{what}: the session took {numbers['wall_s']} s")
            again = finish(siuo.start(*place.words, env=env), code=None)
            seen.expect(again.json["run"] == runs[-1], f"the newest run is {runs[-1]}, but {again.json['run']} was continued")
            seen.expect(again.sent == 0, f"{again.sent} calls were made twice")
            seen.expect("finished -" not in again.err, f"a negative age: {again.err}")
            seen.times += 1
    seen.words = f"{seen.times} jumps: the newest run stays the newest, nothing is sent twice, no time is negative"
    return seen


def _fault(name: str, promised: str, inflict: Callable[[Scene], Seen], few: int, many: int) -> Fault:
    return Fault("crash", name, promised, inflict, few, many)


AGAIN = "the same command again: same summary"
TAIL = "tails of a power cut: zeros, torn lines, a lost newline"
FAULTS = (
    Fault("crash", TAIL, f"nothing to repair; {AGAIN}", torn_tails, 1, 70, impossible),
    _fault("bits flipped, blocks of zeros, lines joined and mixed", "never used, named by line, repaired", damage, 1, 100),
    _fault(
        "the journal moved, deleted, replaced, emptied or written by others", "told and stopped; what is left goes on", strayed, 1, 30
    ),
    _fault("three processes on one run, `writer.json` deleted", "one goes on, others are told; no call twice", no_note, 1, 20),
    _fault("files beside the journal torn, empty, changed or gone", f"one sentence; {AGAIN}, nothing sent", beside, 1, 27),
    _fault("the clock jumps back", "the newest run is continued, nothing sent twice", clock, 1, 20),
)
