"""What a case of bad input is, how the real program is run on it, and what must hold of every one whatever it was."""

from __future__ import annotations

import os
import queue
import random
import re
import resource
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from siuo_async.simulator import Settings, SimulatorProcess
from tests.cli.forker import Forker
from tests.cli.program import Done, Siuo, make_data
from tests.reliability.faults import Scene, Seen

LIMIT_S = 60.0
"""A command that takes longer hangs; on an idle machine none takes two seconds."""
MEMORY = 2 << 30
"""Bytes of address space; whatever makes a command want more is a bomb."""
KEY = "sk-fuzz-do-not-show-0123456789abcdef"
_AT_ONCE = 2
_SENTENCE = "siuo: "
_NOT_FOR_USERS = re.compile(
    r"Traceback|this is a bug|Input should|valid dictionary|<class|<function|NoneType|PosixPath|object at 0x|[Vv]alidation error"
    r"|pydantic|orjson|Errno|Error\(|Exception|tag:yaml|object is not|'utf-8' codec|mapping values are|(?<!['\"])\b(?:dict|None)\b|\x1b"
)
"""Words of the machinery, and raw terminal escapes."""
_MOST_CHARS = 1500
_BESIDE = ("! ", "siuo-gen · ", "note: ", "left out: ", "continuing ", "SIMULATED", "stopped early: ", "suspect: ", "  ")


@dataclass(frozen=True)
class Case:
    """One command on something that is not what it should be."""

    what: str
    """What was done to what, so that a failure can be understood."""
    words: tuple[str, ...]
    prepare: Callable[[Path], object] = lambda _: None
    """Makes the files in the case's folder."""
    env: Mapping[str, str] = field(default_factory=dict)
    codes: frozenset[int] = frozenset({0, 2, 3, 4})
    shell: str | None = None
    """Run in a shell of its own as this line, where `"$@"` is the program and its words."""
    after: Callable[[Path, Done], Iterable[str]] = lambda *_: ()
    """What else is broken afterwards."""


@dataclass(frozen=True)
class Ground:
    """What all cases of a family start from; never changed by a case."""

    folder: Path
    url: str
    """Of a simulator."""
    run: Callable[[Case, Path], Done]


Draw = Callable[[random.Random, Ground], Case]


@dataclass(frozen=True)
class Family:
    """A kind of bad input."""

    name: str
    promised: str
    draw: Draw
    prepare: Callable[[Ground], None] = lambda _: None
    """Makes what the cases start from, once."""


def dice_of(seed: int, family: Family, number: int) -> random.Random:
    """Equal seeds give equal cases, each of which can be had alone."""
    return random.Random(f"{seed}/{family.name}/{number}")


class _Runner:
    """Forkers with bounded memory, and the simulator's address."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._free: queue.Queue[Forker] = queue.Queue()
        self._lock = threading.Lock()
        self._number = 0
        self.all = [Forker() for _ in range(_AT_ONCE)]
        for forker in self.all:
            resource.prlimit(forker._process.pid, resource.RLIMIT_AS, (MEMORY, MEMORY))
            self._free.put(forker)

    def __call__(self, case: Case, folder: Path) -> Done:
        siuo = Siuo(folder, SIUO_SIM_URL=self._url, HF_ENDPOINT="http://127.0.0.1:9", OPENAI_API_KEY=KEY, OPENAI_BASE_URL=self._url)
        env = {name: value for name, value in {**siuo.variables, **case.env}.items() if value != "unset"}
        if case.shell is not None:
            return _in_shell(case, folder, env)
        with self._lock:
            self._number += 1
            out = folder.parent / f"output-{self._number}"
        forker = self._free.get()
        try:
            code = forker.run(case.words, folder, env, out, LIMIT_S)
        finally:
            self._free.put(forker)
        said = [Path(f"{out}.{stream}") for stream in (1, 2)]
        done = Done(code, *(file.read_bytes().decode(errors="replace") for file in said))
        for file in said:
            file.unlink()
        return done


def _in_shell(case: Case, folder: Path, env: Mapping[str, str]) -> Done:
    assert case.shell is not None
    command = ["timeout", "-k", "5", f"{LIMIT_S:.0f}", "sh", "-c", case.shell, "sh", sys.executable, "-m", "siuo_async", *case.words]
    found = subprocess.run(command, cwd=folder, env=dict(env), stdin=subprocess.DEVNULL, capture_output=True, check=False)
    said = (each.decode(errors="replace") for each in (found.stdout, found.stderr))
    return Done(-9 if found.returncode == 124 else found.returncode, *said)


@contextmanager
def ground(folder: Path) -> Iterator[Ground]:
    """A simulator, forkers, and data that a case may copy."""
    process = SimulatorProcess(Settings(seed=3))
    with process as url:
        runner = _Runner(url)
        try:
            (folder / "ground").mkdir(parents=True)
            make_data(folder / "ground" / "data", 4)
            yield Ground(folder / "ground", url, runner)
        finally:
            for forker in runner.all:
                forker.close()


def broken(case: Case, folder: Path, done: Done) -> list[str]:
    """Each way in which the program did not keep its promise on this case."""
    found = []
    said = done.out + done.err
    if done.code == -9:
        return [f"it hung for {LIMIT_S:.0f} s"]
    if done.code not in case.codes:
        found.append(f"exit code {done.code}")
    if (jargon := _NOT_FOR_USERS.search(done.err)) and jargon[0] not in case.what:
        found.append(f"it says {jargon[0]!r}")
    if KEY in said or any(KEY.encode() in file.read_bytes() for file in _files(folder)):
        found.append("it shows or keeps a key")
    if done.code == 2:
        if not (_one_sentence(case, done) or _told_on_stdout(case, done)):
            found.append("it does not say what is wrong in one sentence")
        if len(done.err) > _MOST_CHARS + sum(len(word) for word in case.words):
            found.append(f"{len(done.err)} characters of complaint")
    strangers = set(os.listdir(folder.parent)) - {folder.name}
    if strangers := {name for name in strangers if not name.startswith("output-")}:
        found.append(f"it wrote outside its folder: {sorted(strangers)}")
    return [*found, *case.after(folder, done)]


def _one_sentence(case: Case, done: Done) -> bool:
    """One line of ours; beside it notes, the help where nothing was typed, and what a download would bring."""
    lines = [line for line in done.err.splitlines() if line]
    ours = [line for line in lines if line.startswith(_SENTENCE)]
    rest = [line for line in lines if not line.startswith((_SENTENCE, *_BESIDE))]
    if case.shell is not None and "2>" in case.shell:
        return True  # nobody can be told
    return done.err.startswith("Usage: siuo") or (len(ours) == 1 and (not rest or case.words[:2] == ("data", "fetch")))


def _told_on_stdout(case: Case, done: Done) -> bool:
    """`data check` describes each part of the data on stdout, damage too."""
    return not done.err and bool(done.out) and (case.words[:2] == ("data", "check") or len(case.words) < 2)


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.name not in (".env",) and path.stat().st_size < 10_000_000:
            yield path


def one(family: Family, ground: Ground, seed: int, number: int, room: Path) -> tuple[Case, Done, list[str]]:
    """Inflicts one case."""
    case = family.draw(dice_of(seed, family, number), ground)
    folder = room / f"{family.name}-{number}" / "here"
    folder.mkdir(parents=True)
    try:
        case.prepare(folder)
        done = ground.run(case, folder)
        return case, done, broken(case, folder, done)
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)


Look = Callable[[int, Case, Done, Sequence[str]], None]


def inflict(family: Family, scene: Scene, look: Look = lambda *_: None) -> Seen:
    """Inflicts `scene.times` cases of a family, two at a time; what broke names the command that shows it again."""
    seen, codes = Seen(), Counter[int]()
    numbers: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(scene.times):
        numbers.put(number)

    def work() -> None:
        while True:
            try:
                number = numbers.get_nowait()
            except queue.Empty:
                return
            try:
                case, done, wrong = one(family, there, scene.seed, number, scene.folder / "cases")
            except Exception as error:
                seen.broken.append(f"case {number} of {family.name} could not be inflicted: {type(error).__name__}: {error}")
                continue
            seen.times += 1
            codes[done.code] += 1
            look(number, case, done, wrong)
            again = f"python -m tests.reliability.bad_input --only {family.name} --seed {scene.seed} --case {number}"
            seen.broken += [f"{case.what}: {sentence} ({again})" for sentence in wrong]

    with ground(scene.folder) as there:
        family.prepare(there)
        threads = [threading.Thread(target=work) for _ in range(_AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    told = ", ".join(f"{count} x {code}" for code, count in sorted(codes.items()))
    seen.words = f"exit codes: {told}"
    return seen
