"""Runs the real program as a user does: a process of its own, an environment of its own, a folder of its own."""

from __future__ import annotations

import itertools
import json
import os
import queue
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.forker import Forker

PNG = b"\x89PNG\r\n\x1a\n"
CATEGORIES = ("self-harm", "privacy violation", "dangerous behavior")
LIMIT_S = 120.0
FORKERS: queue.Queue[Forker] = queue.Queue()
"""Filled by the session's fixture."""
_NUMBERS = itertools.count()


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def run(self) -> Path:
        return Path(self.json["run"])

    @property
    def sent(self) -> int:
        return int(self.json["calls"]["sent"])


class Siuo:
    """`siuo("run", "siuo-gen", ...)` in a folder, with nothing of the tester's own environment but the path.

    Args:
        inside: a command that starts another one somewhere else, as in another network.
    """

    def __init__(self, folder: Path, *, inside: Sequence[str] = (), **variables: str) -> None:
        self.folder = folder
        self.inside = inside
        home = folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        self.variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
            "PYTHONWARNINGS": "error",
            # Python does not notice that a full disk took half of a compiled module, and every later process would stumble over it.
            "PYTHONDONTWRITEBYTECODE": "1",
            **variables,
        }

    def start(
        self,
        *words: str | Path,
        env: Mapping[str, str] | None = None,
        blocks: int | None = None,
        open_files: int | None = None,
    ) -> subprocess.Popen[str]:
        """The command, started; no file it writes may grow beyond `blocks` of 512 bytes, and so many may be open at once."""
        limits = [f"ulimit -{what} {most};" for what, most in (("f", blocks), ("n", open_files)) if most]
        limited = ["sh", "-c", f'{" ".join(limits)} exec "$@"', "sh"] if limits else []
        return subprocess.Popen(
            [*self.inside, *limited, sys.executable, "-m", "siuo_async", *map(str, words)],
            cwd=self.folder,
            env={**self.variables, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def __call__(
        self,
        *words: str | Path,
        code: int | None = 0,
        env: Mapping[str, str] | None = None,
        blocks: int | None = None,
    ) -> Done:
        """The command, finished, with the exit code that was expected."""
        if blocks or self.inside:
            return finish(self.start(*words, env=env, blocks=blocks), code=code)
        number = next(_NUMBERS)
        place = self.folder.parent / f"output-{os.getpid()}-{number}"
        forker = FORKERS.get()
        try:
            ended = forker.run([str(word) for word in words], self.folder, {**self.variables, **(env or {})}, place, LIMIT_S)
        finally:
            FORKERS.put(forker)
        out, err = (Path(f"{place}.{stream}").read_text(encoding="utf-8") for stream in (1, 2))
        return _expected(Done(ended, out, err), code)


def finish(process: subprocess.Popen[str], *, code: int | None = 0) -> Done:
    """Waits for a command and checks its exit code."""
    try:
        out, err = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"still going after {LIMIT_S:.0f} s\n{out}\n{err}") from None
    return _expected(Done(process.returncode, out, err), code)


def _expected(done: Done, code: int | None) -> Done:
    assert code is None or done.code == code, f"exit code {done.code}, not {code}\n{done.out[-3000:]}\n{done.err[-3000:]}"
    return done


def every(commands: Sequence[Callable[[], Done]], at_once: int = 2) -> list[Done | BaseException]:
    """Runs commands side by side; what each came to, in order."""
    found: list[Done | BaseException | None] = [None] * len(commands)
    waiting = list(enumerate(commands))
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                if not waiting:
                    return
                number, command = waiting.pop(0)
            try:
                found[number] = command()
            except BaseException as error:
                found[number] = error

    threads = [threading.Thread(target=work) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [each for each in found if each is not None]


def make_data(folder: Path, count: int, *, picture_bytes: int = 64) -> Path:
    """A data set in SIUO's form, all its pictures and questions different."""
    (folder / "images").mkdir(parents=True)
    items = []
    for number in range(count):
        name = f"P-{number:03}.png"
        (folder / "images" / name).write_bytes(PNG + random.Random(number).randbytes(picture_bytes))
        items.append(
            {
                "question_id": 1000 + number,
                "image": name,
                "question": f"What about number {number}?\u2028 It is “curly” and {{braced}}.",
                "category": CATEGORIES[number % len(CATEGORIES)],
                "safety_warning": f"Warning {number}.",
                "reference_answer": f"Reference {number}.",
            }
        )
    (folder / "siuo_gen.json").write_text(json.dumps(items), encoding="utf-8")
    return folder


def journal(run: Path) -> list[dict[str, Any]]:
    """The complete records of a run's journal, each of which must be readable."""
    return [json.loads(line) for line in (run / "calls.jsonl").read_bytes().split(b"\n")[:-1]]


def generated(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those records that asked a model under test."""
    return [record for record in records if record["stage"] == "generate"]


def to_judge(records: Sequence[Mapping[str, Any]]) -> int:
    """Verdicts that the answers need: two for each different text of a sample, since equal calls are one call."""
    texts = {(r["sample"], a["text"]) for r in generated(records) for a in r["answers"] if a.get("text")}
    return 2 * len(texts)


def until(condition: Callable[[], Any], what: str, limit_s: float = 30.0) -> Any:
    """Waits for something another process does; what the condition gave."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.005)
    raise AssertionError(f"in {limit_s:.0f} s it never came to this: {what}")


def model(summary: Mapping[str, Any], label: str) -> dict[str, Any]:
    """The model with that label."""
    return next(each for each in summary["models"] if each["label"] == label)
