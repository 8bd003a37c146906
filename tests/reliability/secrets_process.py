"""A key in a process: its screen, its children, its crashes; and who else may read the files it makes."""

from __future__ import annotations

import os
import pty
import queue
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.cli.forker import Forker
from tests.cli.program import FORKERS, Done, Siuo, finish, make_data, until
from tests.reliability.faults import Fault, Scene, Seen
from tests.reliability.secrets_search import bytes_of, leaks
from tests.reliability.secrets_servers import answer, serving

KEY = "sk-lab-4f1C9a77e0Qz7Wm31Bv5"
DEADLY = (signal.SIGABRT, signal.SIGSEGV, signal.SIGQUIT)


@contextmanager
def quick_starts(umask: int | None = None) -> Iterator[None]:
    """Lets `siuo(...)` fork a process that has imported the program, for faults of many commands."""
    before = os.umask(0)
    os.umask(before if umask is None else umask)
    forker = Forker()
    os.umask(before)
    FORKERS.put(forker)
    try:
        yield
    finally:
        try:
            FORKERS.get_nowait().close()
        except queue.Empty:
            forker.close()


def shown(*done: Done) -> tuple[str, ...]:
    """All that was printed."""
    return tuple(stream for each in done for stream in (each.out, each.err))


class _OnTerminal:
    """`siuo demo` on a terminal of its own, with everything that it drew."""

    def __init__(self, siuo: Siuo, *words: str, **env: str) -> None:
        master, slave = pty.openpty()
        self.drawn = bytearray()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "siuo_async", *words],
            cwd=siuo.folder,
            env={**siuo.variables, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40", **env},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, args=(master,), daemon=True)
        self._reader.start()

    def _read(self, master: int) -> None:
        try:
            while block := os.read(master, 65536):
                self.drawn += block
        except OSError:  # nobody writes to it any more
            pass
        os.close(master)

    def end(self) -> int:
        """Waits for the process; its exit code."""
        code = self.process.wait(120)
        self._reader.join(30)
        return code


def _of(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(word) for word in _of(pid, f"task/{task.name}/children").split()]
    return found + [grandchild for child in found for grandchild in _children(child)]


def no_proc() -> str | None:
    """Looking into processes is Linux's."""
    return None if Path(f"/proc/self/task/{os.getpid()}/children").exists() else "there is no /proc that lists children"


def died(scene: Scene) -> Seen:
    """A run on a terminal is looked at from outside, then dies of a signal that leaves an image of its memory."""
    seen, folder = Seen(), scene.folder / "run"
    siuo = Siuo(folder)
    children = 0
    for number in DEADLY[: scene.times]:
        told = _OnTerminal(siuo, "demo", OPENAI_API_KEY=KEY, LAB_TOKEN=KEY, PYTHONFAULTHANDLER="1")
        pid = told.process.pid
        until(lambda told=told: b"SIMULATED" in told.drawn and b"samples" in told.drawn, "the screen is drawn")
        until(lambda: list(folder.glob("results/*/calls.jsonl")), "there is a journal")
        family = [pid, *_children(pid)]
        children += len(family) - 1
        seen.broken += leaks(folder, KEY, shown=tuple(_of(each, "cmdline") for each in family))
        seen.expect(len(family) > 1, "the simulator is no child of the run")
        seen.expect(all(KEY.encode() not in _of(each, "environ") for each in family[1:]), "a child was given a key")
        limits = _of(pid, "limits").decode().splitlines()
        core = next(line.split()[4] for line in limits if line.startswith("Max core file size"))
        seen.expect(core == "0", f"an image of the memory may be left: soft limit {core}")
        os.kill(pid, number)
        code = told.end()
        seen.expect(code == -number, f"{number.name}: exit code {code}")
        seen.broken += leaks(folder, KEY, shown=(bytes(told.drawn),))
        seen.times += 1
    left = [path.name for path in folder.rglob("*core*") if path.is_file()]
    seen.expect(not left, f"left behind: {left}")
    seen.words = f"{children} children's command lines and environments, screens, {bytes_of(folder):,} bytes; no core file"
    return seen


_MODULE = """
import asyncio, logging, os
from siuo_async.benchmarks.toolkit import *

class Odd:
    name = "odd"
    metrics = {"ok": "Ok"}

    def samples(self, data):
        return [Sample("a", ("x",), "What?"), Sample("b", ("x",), "And?")]

    async def evaluate(self, sample, ask):
        key = os.environ["OPENAI_API_KEY"]
        logging.getLogger("odd").error("lost %s", key)
        asyncio.get_running_loop().call_soon(asyncio.get_running_loop().create_task, lost(key))
        raise RuntimeError(f"cannot go on with {key}, of {dict(os.environ)}")

async def lost(key):
    raise ValueError(f"nobody waits for {key}")

benchmark = Odd()
"""
_BROKEN_MODULE = "import os\nraise RuntimeError(f'set up wrongly: {dict(os.environ)}')\n"
_BUG = """
import os, sys
if "siuo_async" in " ".join(sys.orig_argv):
    import siuo_async.engine.run_directory as rooms
    def all_runs(results):
        key = os.environ["OPENAI_API_KEY"]
        raise KeyError(f"a bug of ours with {key}")
    rooms.all_runs = all_runs
"""


def crashed(scene: Scene) -> Seen:
    """Code of the user's, and of ours, fails with a key in its hands, in messages, logs, lost tasks and tracebacks."""
    seen, folder = Seen(), scene.folder / "run"
    folder.mkdir()
    siuo = Siuo(folder)
    (folder / "odd.py").write_text(_MODULE, encoding="utf-8")
    (folder / "broken.py").write_text(_BROKEN_MODULE, encoding="utf-8")
    (folder / "bug").mkdir()
    (folder / "bug" / "sitecustomize.py").write_text(_BUG, encoding="utf-8")
    path = f"{folder / 'bug'}{os.pathsep}{siuo.variables['PYTHONPATH']}"
    with serving(lambda _: (200, {}, answer("fine"))) as server:
        env = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{server.url}/v1"}
        words = ("-m", "openai/m", "--no-judge")
        done = [
            finish(siuo.start("run", "odd.py", *words, env={**env, "PYTHONWARNINGS": "default"}), code=None),
            finish(siuo.start("run", "broken.py", *words, env=env), code=None),
            finish(siuo.start("ls", env={**env, "PYTHONPATH": path}), code=None),
        ]
    seen.times = len(done)
    seen.expect([each.code for each in done] == [1, 2, 1], f"exit codes {[each.code for each in done]}\n{done[0].err[-1500:]}")
    seen.expect("a bug of ours" in done[2].err, f"the traceback is not told: {done[2].err[-500:]}")
    seen.expect("lost [key]" in done[0].err, f"what libraries complain of is not told: {done[0].err[-800:]}")
    logs = list(folder.glob("results/*/errors.log"))
    seen.expect(logs and "cannot go on" in logs[0].read_text(encoding="utf-8"), "errors.log does not tell the error")
    seen.broken += leaks(folder, KEY, shown=shown(*done))
    seen.words = (
        f"messages, logs, lost tasks and tracebacks of {seen.times} failures: the key is nowhere" if not seen.broken else "LEAKS"
    )
    return seen


MASKS = (0o000, 0o022, 0o027, 0o077)


def readable(scene: Scene) -> Seen:
    """A run, its exports and its repairs under every umask: who else can read what came of it."""
    seen, files = Seen(), 0
    with serving(lambda _: (200, {}, answer("fine"))) as server:
        for umask in MASKS[: scene.times]:
            folder = scene.folder / f"{umask:03o}"
            folder.mkdir()
            make_data(folder / "data", 2)
            (folder / "odd.py").write_text(_MODULE, encoding="utf-8")
            with quick_starts(umask):
                made = _everything_made(Siuo(folder), {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{server.url}/v1"})
            names = {path.name for path in made}
            lacking = {"errors.log", "calls.jsonl", "summary.json", "run_stats.json", "samples.jsonl", "run.json"} - names
            seen.expect(not lacking and any("damaged" in name for name in names), f"umask {umask:03o}: never made: {sorted(lacking)}")
            for path in made:
                mode = stat.S_IMODE(path.lstat().st_mode)
                seen.expect(not mode & 0o077, f"umask {umask:03o}: others may use {path.relative_to(folder)} ({mode:o})")
            files += len(made)
            seen.times += 1
    tried = ", ".join(f"{umask:03o}" for umask in MASKS[: seen.times])
    seen.words = f"{files} files and folders under umask {tried}: 0600 and 0700, all of them"
    return seen


def _everything_made(siuo: Siuo, env: dict[str, str]) -> list[Path]:
    """What commands made that may hold a model's output."""
    siuo("run", "siuo-gen", "--data", "data", "-m", "openai/m", "--no-judge", code=None, env=env)
    siuo("run", "odd.py", "-m", "openai/m", "--no-judge", code=None, env=env)
    run = next(siuo.folder.glob("results/*siuo-gen*"))
    (run / "calls.jsonl").write_bytes(b"no record\n" + (run / "calls.jsonl").read_bytes())
    siuo("check", run, "--repair", code=None, env=env)
    siuo("export", run, "--to", "out", code=None, env=env)
    inside = [path for place in (*siuo.folder.glob("results/*"), siuo.folder / "out") for path in place.rglob("*")]
    return [*siuo.folder.glob("results/*"), siuo.folder / "out", *inside]


NAMES = ("calls.jsonl", "limits.jsonl", "errors.log", "writer.json", "summary.json", "run_stats.json", "run.json", "samples.jsonl")


def planted(scene: Scene) -> Seen:
    """Somebody who can write to the folder of results puts links to the user's own files where a run will write."""
    seen = Seen()
    with serving(lambda _: (200, {}, answer("fine"))) as server, quick_starts():
        for name in NAMES[: scene.times]:
            folder = scene.folder / name
            folder.mkdir()
            make_data(folder / "data", 2)
            (folder / "odd.py").write_text(_MODULE, encoding="utf-8")
            siuo, env = Siuo(folder), {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{server.url}/v1"}
            words = ("run", "odd.py" if name == "errors.log" else "siuo-gen", "-m", "openai/m", "--no-judge", "--data", "data")
            siuo(*words, "--limit", "1", code=None, env=env)
            file, mine = next(folder.glob("results/*")) / name, folder / "home" / "mine"
            mine.write_bytes(file.read_bytes() if file.exists() else b"export PATH=/usr/bin\n")
            precious = mine.read_bytes()
            file.unlink(missing_ok=True)
            file.symlink_to(mine)
            done = siuo(*words, code=None, env=env)
            seen.times += 1
            seen.expect(mine.read_bytes() == precious, f"{name}: a link led out of the run, and the file behind it was changed")
            own = name == "errors.log"  # that run fails by itself
            seen.expect(done.code == 1 if own else done.code in (0, 2), f"{name}: exit code {done.code}: {done.err[-400:]}")
            if name == "calls.jsonl":
                seen.expect(done.code == 2 and "it is a link" in done.err, f"{name}: {done.code} {done.err[-300:]}")
    seen.words = f"{seen.times} links in place of files of a run: none was followed"
    return seen


FAULTS: Sequence[Fault] = (
    Fault("secrets", "a run dies with a key in memory", "no core file; not on the screen, nor in process lists", died, 1, 3, no_proc),
    Fault("secrets", "code fails with a key in its hands", "tracebacks, logs and messages come without it", crashed),
    Fault("secrets", "an umask that lets all read", "nobody else can read what a model said", readable, 1, len(MASKS)),
    Fault("secrets", "links planted among a run's files", "are refused or replaced, never followed", planted, 4, len(NAMES)),
)
