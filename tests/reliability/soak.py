"""The long run: many thousand samples while everything goes wrong, and what journal, server and numbers say of it.

The same samples are run twice, each time against a server that decides by call id: once undisturbed, once by a plan of kills, signals,
pauses, server troubles and full disks. Whatever ends a session, the same command continues it, until all is finished.
"""

from __future__ import annotations

import contextlib
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from siuo_async.simulator import Settings, SimulatorProcess, Trouble
from tests.cli.program import Siuo, until
from tests.reliability import soak_truth
from tests.reliability.soak_ledger import Ledger
from tests.reliability.soak_plan import CUTTING, ENDING, JUDGE, MODELS, Event, Kind, Size, limits_at, planned, told
from tests.reliability.soak_watch import Flatness, Gauge, flatness, look

GROUPS = len(MODELS) + 1
"""Of calls that are limited together: each model, and the judge."""
FEW_FILES = 240
"""Of which the program keeps 128 for other things."""
SPARE_FDS = 96
"""Beside a connection for every slot: the journal, the event loop, pictures, connections of calls that were given up just now."""
LEAST_CALLS = 20_000
"""In fewer, what is needed for the first time is most of what memory grows by."""
GROWS_BYTES = 20_000
"""By which the journal may still grow when the disk is about to be full."""
TICK_S = 0.1
LOOK_S = 1.0
END_S = 180.0
"""For a session that was told to stop."""
STUCK_S = 600.0
"""Without a call being finished, a session counts as stuck."""
BESIDE_CODES = (0, 3, 4)
SETTINGS = {"latency_s": 0.03, "latency_sigma": 0.5}
_TROUBLES = {
    Kind.GONE: Trouble.GONE,
    Kind.HANGS: Trouble.HANGS,
    Kind.ERRORS: Trouble.ERRORS,
    Kind.TURNED_AWAY: Trouble.TURNED_AWAY,
    Kind.GARBLED: Trouble.GARBLED,
    Kind.RESETS: Trouble.RESETS,
    Kind.DOWN: Trouble.ERRORS,
}
_SIGNALS = {Kind.KILL: signal.SIGKILL, Kind.TERM: signal.SIGTERM, Kind.HANG_UP: signal.SIGHUP, Kind.TWICE: signal.SIGINT}
_BESIDE = {Kind.SCORE: "score", Kind.REPORT: "report", Kind.LIST: "ls"}

Tell = Callable[[str], None]


@dataclass(slots=True)
class Session:
    """One process of the run."""

    name: str
    process: subprocess.Popen[bytes]
    begun: float
    written: int
    """Bytes of the journal at its start."""
    err: Path
    ended_by: Kind | None = None
    server_left: bool = False
    """Connections were reset while it went on, with answers on them perhaps."""
    looks: list[Gauge] = field(default_factory=list)

    @property
    def going(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None


@dataclass(slots=True)
class Soaked:
    """What the long run came to."""

    seed: int
    samples: int
    seconds: float = 0.0
    undisturbed_s: float = 0.0
    sessions: int = 0
    inflicted: Counter[str] = field(default_factory=Counter)
    came_to_nothing: int = 0
    """Events of the plan for which it was over too soon."""
    ledger: Ledger = field(default_factory=Ledger)
    nothing_lost: bool = False
    numbers_right: bool = False
    flat: Flatness | None = None
    most_fds: int = 0
    highest: int = 0
    journal_bytes: int = 0
    broken: list[str] = field(default_factory=list)

    def expect(self, kept: object, otherwise: str) -> None:
        """Notes `otherwise` as broken unless `kept`."""
        if not kept:
            self.broken.append(otherwise)


class Soak:
    """One long run, begun and followed to its end.

    Args:
        folder: empty.
        size: of run and plan.
        seed: of plan, server and choices.
        tell: is told what happens, in lines.
        events: what happens; None: what the seed gives.
    """

    def __init__(self, folder: Path, size: Size, seed: int, tell: Tell, events: Sequence[Event] | None = None) -> None:
        self.folder, self.size, self.seed, self.tell = folder, size, seed, tell
        self.dice = random.Random(seed + 1)
        can_fill = hasattr(resource, "prlimit")
        self.events = [event for event in (events or planned(size, seed)) if can_fill or event.kind is not Kind.FULL]
        self.simulator = SimulatorProcess(Settings(seed=seed, rpm=90_000, window_s=2.0, limits_at=limits_at(seed), **SETTINGS))
        self.soaked = Soaked(seed, size.lines * len(MODELS))
        self.on_wire = size.slots * GROUPS
        self.siuo = Siuo(folder / "soak")
        self.beside: list[tuple[str, subprocess.Popen[bytes], Path]] = []
        self.sessions: list[Session] = []
        self.expected_bytes = 0

    def run(self) -> Soaked:
        """Undisturbed, then disturbed, then compared."""
        self.tell(f"seed {self.seed}, {self.soaked.samples:,} samples over {len(MODELS)} models; {told(self.events)}")
        definition = soak_truth.made(self.folder / "data", self.size.lines)
        words = ["run", str(definition), "--judge", JUDGE, "--concurrency", str(self.size.slots), "--timeout", "20", "--json"]
        self.words = words + [word for name in MODELS for word in ("-m", name)]
        calm = self._undisturbed()
        begun = time.monotonic()
        with self.simulator as url, open(self.folder / "looks.tsv", "w", encoding="utf-8") as self.looks:
            self.siuo.variables["SIUO_SIM_URL"] = url
            try:
                self._live()
            finally:
                self._end_all()
            self.soaked.seconds = time.monotonic() - begun
            falls = sum(at_s <= self.soaked.seconds and part < 1 for at_s, part in self.simulator.settings.limits_at)
            self.soaked.inflicted["limits fallen for seconds"] = falls
            self._compare(calm)
        self.soaked.broken += self.soaked.ledger.broken
        return self.soaked

    def _undisturbed(self) -> dict[str, Any]:
        """The summary of a run that nobody disturbs."""
        begun = time.monotonic()
        with SimulatorProcess(Settings(seed=self.seed, **SETTINGS)) as url:
            siuo = Siuo(self.folder / "calm", SIUO_SIM_URL=url)
            session = self._started(siuo, self.words, "undisturbed")
            code = session.process.wait()
        run = next(siuo.folder.glob("results/*"))
        self.soaked.expect(code == 4, f"the undisturbed run ended with {code}, not 4\n{_end_of(session.err)}")
        summary: dict[str, Any] = _summary(run)
        self.expected_bytes = (run / "calls.jsonl").stat().st_size
        (run / "calls.jsonl").unlink()
        self.soaked.undisturbed_s = time.monotonic() - begun
        self.tell(f"undisturbed: {self.soaked.undisturbed_s:.0f} s, {self.expected_bytes / 1e6:.0f} MB")
        return summary

    def _live(self) -> None:
        """Session after session, until one ends by itself and nothing is left to be asked."""
        most = 3 * len([event for event in self.events if event.kind in ENDING]) + 12
        while len(self.sessions) < most:
            session = self._begin()
            self._follow(session)
            finished = self._settle(session)
            if finished or (self.soaked.broken and self.soaked.broken[-1].startswith("stuck")):
                return
        self.soaked.broken.append(f"not finished after {most} sessions")

    def _begin(self) -> Session:
        run = self.run_folder
        words, choice = self.words, self.dice.random()
        if run is not None:
            if self.dice.random() < 0.5:
                self._tear(run / "calls.jsonl")
            if choice < 0.3 and not _finished(run):
                words = ["resume", "--json"]
        few = FEW_FILES if self.sessions and self.dice.random() < 0.25 and self.events and self.progress < 0.3 else None
        self.soaked.inflicted["few open files allowed"] += few is not None
        session = self._started(self.siuo, words, f"session {len(self.sessions) + 1}", open_files=few)
        self.sessions.append(session)
        return session

    def _started(self, siuo: Siuo, words: Sequence[str], name: str, *, open_files: int | None = None) -> Session:
        out = siuo.folder / f"{name.replace(' ', '-')}"
        limited = ["sh", "-c", f'ulimit -n {open_files}; exec "$@"', "sh"] if open_files else []
        with open(f"{out}.out", "wb") as stdout, open(f"{out}.err", "wb") as stderr:
            process = subprocess.Popen(
                [*limited, sys.executable, "-m", "siuo_async", *words],
                cwd=siuo.folder,
                env=siuo.variables,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        return Session(name, process, time.monotonic(), self.written, Path(f"{out}.err"))

    def _tear(self, journal: Path) -> None:
        """A machine that lost its power in the middle of a write."""
        line = b'{"id":"' + self.dice.randbytes(16).hex().encode() + b'","v":1,"kind":"call","stage":"gen'
        with journal.open("ab") as file:
            file.write(line[: self.dice.randint(1, len(line))])
        self.soaked.inflicted["journal torn between sessions"] += 1

    @property
    def run_folder(self) -> Path | None:
        """Once there is one with a journal."""
        found = next(iter(self.siuo.folder.glob("results/*/calls.jsonl")), None)
        return found.parent if found else None

    @property
    def written(self) -> int:
        """Bytes of the journal."""
        folder = self.run_folder
        return (folder / "calls.jsonl").stat().st_size if folder else 0

    @property
    def progress(self) -> float:
        """Share of the work that is done, about."""
        return self.written / self.expected_bytes

    def _follow(self, session: Session) -> None:
        """Looks at it and inflicts what is due, until it has ended."""
        looked, moved, written = 0.0, time.monotonic(), self.written
        while session.going:
            now = time.monotonic()
            if now - looked >= LOOK_S:
                looked = now
                if (gauge := look(session.process.pid, now - session.begun, self.written)) is not None:
                    session.looks.append(gauge)
                    print(session.name, *astuple(gauge), sep="\t", file=self.looks, flush=True)
            if self.written != written:
                moved, written = now, self.written
            if now - moved > STUCK_S:
                self.soaked.broken.append(f"stuck: {session.name} finished no call in {STUCK_S:.0f} s\n{_end_of(session.err)}")
                session.process.kill()
            self._inflict_due(session)
            time.sleep(TICK_S)
        session.process.wait()

    def _inflict_due(self, session: Session) -> None:
        while self.events and self.events[0].at <= self.progress and session.ended_by is None and session.going:
            event = self.events[0]
            calling = self.written > session.written
            if event.kind in ENDING and not calling and not (event.early and event.kind is Kind.KILL):
                return
            self.events.pop(0)
            self._inflict(event, session)

    def _inflict(self, event: Event, session: Session) -> None:
        self.tell(f"{session.name}: {event}")
        self.soaked.inflicted[event.kind.value] += 1
        if event.kind in ENDING:
            session.ended_by = event.kind
            self._end(event, session)
        elif event.kind in _TROUBLES:
            session.server_left |= event.kind is Kind.GONE
            with contextlib.suppress(OSError):  # gone from the trouble before
                self.simulator.trouble(_TROUBLES[event.kind], event.seconds, event.share)
        elif event.kind is Kind.PAUSE:
            session.process.send_signal(signal.SIGSTOP)
            time.sleep(event.seconds)
            session.process.send_signal(signal.SIGCONT)
        else:
            self._look_beside(_BESIDE[event.kind])

    def _end(self, event: Event, session: Session) -> None:
        """Ends a session, and sees that it ends."""
        if event.kind is Kind.FULL:
            pid, what = session.process.pid, resource.RLIMIT_FSIZE
            resource.prlimit(pid, what, (self.written + GROWS_BYTES, resource.prlimit(pid, what)[1]))
        elif event.early and event.kind is Kind.KILL:
            time.sleep(self.dice.uniform(0, 2))
        if event.kind in _SIGNALS:
            session.process.send_signal(_SIGNALS[event.kind])
        if event.kind is Kind.TWICE:
            time.sleep(0.1)  # two at once are one
            session.process.send_signal(signal.SIGINT)
        try:
            session.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.soaked.broken.append(f"stuck: {session.name} still went on {END_S:.0f} s after {event.kind}\n{_end_of(session.err)}")
            session.process.kill()

    def _look_beside(self, command: str) -> None:
        run = self.run_folder
        if run is None:
            return
        words = [command] if command == "ls" else [command, str(run)]
        out = self.siuo.folder / f"beside-{len(self.beside)}.txt"
        with out.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "siuo_async", *words],
                cwd=self.siuo.folder,
                env=self.siuo.variables,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.beside.append((f"siuo {command}", process, out))

    def _settle(self, session: Session) -> bool:
        """Holds journal and server against each other; whether all is finished."""
        code, by = session.process.returncode, session.ended_by
        stats = self._quiet_stats()
        run, ledger = self.run_folder, self.soaked.ledger
        ledger.path = run / "calls.jsonl" if run else None
        to_the_end = by is None and code in (0, 4)
        cut = by in CUTTING or session.server_left
        ledger.after(session.name, stats, cut=cut, most_on_wire=self.on_wire, to_the_end=to_the_end)
        self._check_end(session, code)
        self.soaked.sessions += 1
        self.soaked.inflicted["stopped by itself"] += by is None and code == 3
        self.tell(
            f"{session.name}: {by or 'by itself'}, exit {code}, {time.monotonic() - session.begun:.0f} s, {self.progress:.1%} done, "
            f"{ledger.lines:,} lines, {len(ledger.failing)} to be asked again"
        )
        return to_the_end and not ledger.failing

    def _check_end(self, session: Session, code: int) -> None:
        match session.ended_by:
            case None:
                expected = (0, 3, 4)
            case Kind.KILL:
                expected = (-signal.SIGKILL, 0, 4)
            case _:
                expected = (3, 0, 4)
        said = session.err.read_text(encoding="utf-8", errors="replace")
        self.soaked.expect(code in expected, f"{session.name} ended with {code} after {session.ended_by}\n{said[-1500:]}")
        self.soaked.expect("Traceback" not in said, f"{session.name} showed a traceback\n{said[-3000:]}")

    def _quiet_stats(self) -> dict[str, Any]:
        """The server's counters, once it is back and done with the requests of whoever is gone."""
        seen: list[tuple[int, int]] = []

        def still() -> dict[str, Any] | None:
            time.sleep(0.05)
            with contextlib.suppress(OSError):
                stats = self.simulator.stats()
                seen.append((stats["requests"], stats["in_flight"]))
                if stats["in_flight"] == 0 and len(seen) > 1 and seen[-2] == seen[-1]:
                    return self.simulator.stats(calls=True)
            return None

        found: dict[str, Any] = until(still, "the server is quiet", limit_s=120.0)
        return found

    def _compare(self, calm: dict[str, Any]) -> None:
        """All that must hold once everything is finished."""
        soaked, run = self.soaked, self.run_folder
        if run is None:
            soaked.broken.append("there is no journal")
            return
        soaked.came_to_nothing = len(self.events)
        soaked.nothing_lost = soaked.ledger.nothing_changed()
        soaked.expect(soaked.nothing_lost, "a line that was in the journal after a session has changed since, or is gone")
        ledger = soaked.ledger
        unexplained = ledger.paid_twice - ledger.lost_at_cuts - ledger.excused
        soaked.expect(unexplained == 0, f"{unexplained} answers were paid twice and nothing explains it")
        soaked.journal_bytes, before = self.written, len(soaked.broken)
        summary = (run / "summary.json").read_bytes()
        soaked.expect(_but_for_cost(_summary(run), calm) == calm, "the summary is not that of the undisturbed run")
        soaked.broken += soak_truth.wrong_numbers(orjson.loads(summary), run / "calls.jsonl", self.seed)
        self._also("score", run, (4,))
        soaked.expect((run / "summary.json").read_bytes() == summary, "`siuo score` comes to other numbers than the run")
        self._also("check", run, (0,))
        for name, process, out in self.beside:
            soaked.expect(
                process.returncode in BESIDE_CODES, f"`{name}` beside the run ended with {process.returncode}\n{_end_of(out)}"
            )
        soaked.numbers_right = len(soaked.broken) == before
        self._measure()

    def _also(self, command: str, run: Path, codes: Sequence[int]) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "siuo_async", command, str(run)], cwd=self.siuo.folder, env=self.siuo.variables, capture_output=True
        )
        said = (done.stdout + done.stderr).decode(errors="replace")[-1500:]
        self.soaked.expect(done.returncode in codes, f"`siuo {command}` ended with {done.returncode} after all of it\n{said}")

    def _measure(self) -> None:
        soaked = self.soaked
        looks = [gauge for session in self.sessions for gauge in session.looks]
        soaked.most_fds = max((gauge.fds for gauge in looks), default=0)
        soaked.highest = max((gauge.highest for gauge in looks), default=0)
        per_call = soaked.journal_bytes / max(1, soaked.ledger.lines)
        found = [flat for session in self.sessions if (flat := flatness(session.looks, per_call)) is not None]
        soaked.flat = max(found, key=lambda flat: flat.calls, default=None)
        explained = self.on_wire + SPARE_FDS
        soaked.expect(soaked.most_fds <= explained, f"{soaked.most_fds} files were open at once, {explained} are explained")
        if (flat := soaked.flat) is not None and flat.calls >= LEAST_CALLS:
            grown = flat.last - flat.first
            soaked.expect(grown <= flat.allowed, f"memory grew by {grown / 1e6:.1f} MB, {flat.allowed / 1e6:.1f} MB are explained")

    def _end_all(self) -> None:
        for session in self.sessions:
            if session.going:
                session.process.send_signal(signal.SIGCONT)
                session.process.kill()
                session.process.wait()
        for _, process, _ in self.beside:
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _summary(run: Path) -> dict[str, Any]:
    """The summary, but for the day on which the run began."""
    begun = orjson.loads((run / "run.json").read_bytes())["created_at"][:10]
    told: dict[str, Any] = orjson.loads((run / "summary.json").read_bytes().replace(begun.encode(), b"TODAY"))
    return told


def _finished(run: Path) -> bool:
    """Whether the run says so of itself, though some calls may have failed: `siuo resume` has nothing to continue then."""
    with contextlib.suppress(OSError, ValueError):
        return orjson.loads((run / "run_stats.json").read_bytes()).get("finished_at") is not None
    return False


def _but_for_cost(told: dict[str, Any], calm: dict[str, Any]) -> dict[str, Any]:
    """With the undisturbed cost where none is told, since nobody knows what a server in trouble billed for a call that failed."""
    for mine, other in zip(told["models"], calm["models"], strict=True):
        if mine["cost_usd"] is None:
            mine["cost_usd"] = other["cost_usd"]
    return told


def _end_of(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")[-1500:]


def rows(soaked: Soaked) -> list[tuple[str, str]]:
    """(figure, what it came to) for the table."""
    ledger, flat = soaked.ledger, soaked.flat
    inflicted = ", ".join(f"{kind} {count}" for kind, count in sorted(soaked.inflicted.items()) if count)
    return [
        ("seed", str(soaked.seed)),
        ("samples", f"{soaked.samples:,} over {len(MODELS)} models ({', '.join(MODELS)}), judge {JUDGE}"),
        ("time", f"{_hours(soaked.seconds)} disturbed, {_hours(soaked.undisturbed_s)} undisturbed"),
        ("sessions", str(soaked.sessions)),
        ("inflicted", inflicted + (f"; {soaked.came_to_nothing} more found nothing to disturb" if soaked.came_to_nothing else "")),
        (
            "calls",
            f"{len(ledger.asked):,} finished, {ledger.requests:,} requests let in, {ledger.tries:,} tries in the journal, "
            f"{ledger.requests / max(1.0, soaked.seconds):.0f} a second",
        ),
        ("journal", f"{ledger.lines:,} lines, {soaked.journal_bytes / 1e6:.0f} MB, each whole and as it was written"),
        ("finished calls lost", "0" if soaked.nothing_lost else "see below"),
        (
            "paid twice",
            f"{ledger.paid_twice} answers: {ledger.lost_at_cuts} were on the wire when a session or its connections were cut, "
            f"{ledger.excused} lost on the way and marked `maybe_billed`",
        ),
        ("memory of one session", flat.words if flat else "too short to tell"),
        ("open files of it", flat.fd_words if flat else "too short to tell"),
        ("most of any session", f"{soaked.highest / 1e6:.0f} MB, {soaked.most_fds} open files"),
        (
            "numbers",
            "those of the undisturbed run, of the server's own decisions, and of `siuo score`" if not soaked.broken else "see below",
        ),
        ("promise", "; ".join(f"BROKEN: {sentence}" for sentence in soaked.broken) or "kept"),
    ]


def _hours(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
