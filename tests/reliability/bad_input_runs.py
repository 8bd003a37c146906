"""Run directories: each file of a finished and of an unfinished run spoilt, then every command that reads a run."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from siuo_async.engine.records import sealed
from tests.cli.program import Done
from tests.reliability.bad_input_cases import Case, Family, Ground
from tests.reliability.bad_input_values import hit, in_place, spoilt

JUDGE = ("--judge", "sim/openai-judge")
TYPED = ("run", "siuo-gen", "-m", "sim/openai-careful", *JUDGE, "--data", "data", "--run", "results/mine")
FINISHED, UNFINISHED = "finished", "unfinished"
SEALED = ("run.json", "samples.jsonl", "calls.jsonl")
"""What numbers are made from: damage must be seen there, whatever it is."""
DERIVED = ("summary.json", "run_stats.json", "limits.jsonl", "writer.json", "errors.log")
_NUMBERED = ("score", "resume", "run")
_COMMANDS: tuple[tuple[str, ...], ...] = (
    ("score", "results/mine", "--json"),
    ("score", "results/mine", "--json"),
    ("score", "results/mine"),
    ("resume", "results/mine", "--json"),
    ("resume", "--json"),
    ("judge", "results/mine", *JUDGE, "--json"),
    ("judge", "results/mine", "--judge", "sim/openai-judge-odd"),
    ("report", "results/mine"),
    ("report", "results/mine", "--format", "markdown", "--published"),
    ("report", "results/mine", "--format", "json"),
    ("check", "results/mine"),
    ("check", "results/mine", "--repair"),
    ("export", "results/mine"),
    ("export", "results/mine", "--format", "jsonl", "--to", "exported"),
    ("ls",),
    (*TYPED, "--json"),
    (*TYPED, "--dry-run"),
    (*TYPED[:-2], "--name", "siuo-gen", "--dry-run"),
    (*TYPED[:-2], "--name", "other", "--reuse", "results/mine", "--json"),
)


def prepare(ground: Ground) -> None:
    """A finished run, and one whose journal ends in the middle and whose summary is not there yet."""
    for name in (FINISHED, UNFINISHED):
        folder = ground.folder / name
        folder.mkdir()
        (folder / "data").symlink_to(ground.folder / "data")
        done = ground.run(Case("a run", (*TYPED, "--json")), folder)
        assert done.code == 0, done
        (folder / "numbers.json").write_text(json.dumps(_numbers(done.out)), encoding="utf-8")
    run = ground.folder / UNFINISHED / "results" / "mine"
    lines = (run / "calls.jsonl").read_bytes().split(b"\n")
    (run / "calls.jsonl").write_bytes(b"\n".join(lines[: len(lines) // 2]) + b"\n")
    for name in ("summary.json", "run_stats.json"):
        (run / name).unlink()


def _numbers(out: str) -> list[Any]:
    return [[model["label"], model["metrics"], model["categories"], model["outcomes"]] for model in json.loads(out)["models"]]


def _spoil_json(content: bytes, dice: random.Random) -> tuple[str, bytes]:
    what, tree = spoilt(json.loads(content), dice)
    return what, json.dumps(tree).encode(errors="surrogatepass")


def _spoil_lines(content: bytes, dice: random.Random) -> tuple[str, bytes]:
    lines = content.split(b"\n")[:-1]
    if not lines:
        return "random bytes", dice.randbytes(20)
    at, other = dice.randrange(len(lines)), dice.randrange(len(lines))
    match dice.randrange(6):
        case 0:
            what = f"line {at + 1} taken out"
            del lines[at]
        case 1:
            what = f"line {at + 1} twice"
            lines.insert(other, lines[at])
        case 2:
            what = f"lines {at + 1} and {other + 1} swapped"
            lines[at], lines[other] = lines[other], lines[at]
        case _:
            told, tree = spoilt(json.loads(lines[at]), dice)
            what, lines[at] = f"line {at + 1}: {told}", json.dumps(tree, separators=(",", ":")).encode(errors="surrogatepass")
    return what, b"\n".join([*lines, b""])


def _sealed_again(content: bytes, dice: random.Random) -> tuple[str, bytes]:
    """A record that says something else, and whose checksum fits: only somebody who means to can make one."""
    lines = content.split(b"\n")[:-1]
    at = dice.randrange(len(lines))
    record = json.loads(lines[at])
    record.pop("crc")
    what, tree = spoilt(record, dice)
    lines[at] = sealed(json.dumps(tree, separators=(",", ":")).encode(errors="surrogatepass")).removesuffix(b"\n")
    return f"line {at + 1}, sealed again: {what}", b"\n".join([*lines, b""])


def _copied(ground: Ground, state: str, folder: Path) -> Path:
    (folder / "data").symlink_to(ground.folder / "data")
    shutil.copytree(ground.folder / state / "results", folder / "results")
    return folder / "results" / "mine"


def _drawn(names: tuple[str, ...]) -> Callable[[random.Random, Ground], Case]:
    def draw(dice: random.Random, ground: Ground) -> Case:
        state, name, words = dice.choice((FINISHED, UNFINISHED)), dice.choice(names), dice.choice(_COMMANDS)
        numbers = json.loads((ground.folder / state / "numbers.json").read_text(encoding="utf-8"))
        original = ground.folder / state / "results" / "mine" / name
        content, seed = original.read_bytes() if original.exists() else b"{}\n", dice.randrange(2**32)
        here = f"{name} of a run that is {state}: "
        kind = dice.random()
        if kind < 0.12:
            put = lambda folder: in_place(_copied(ground, state, folder) / name, random.Random(seed))  # noqa: E731
            return Case(f"{here}something else in its place; {' '.join(words)}", words, put, after=_Kept(numbers, frozenset()))
        if name == "calls.jsonl" and kind < 0.4:
            what, bad = _sealed_again(content, dice)
            numbers = None
        elif kind < 0.7:
            what, bad = (_spoil_lines if name.endswith("jsonl") else _spoil_json)(content, dice)
        else:
            what, bad = hit(content, dice)
        before = frozenset(bad.split(b"\n")[:-1]) if name == "calls.jsonl" else _journal(ground, state)
        write = lambda folder: (_copied(ground, state, folder) / name).write_bytes(bad)  # noqa: E731
        return Case(f"{here}{what}; {' '.join(words)}", words, write, after=_Kept(numbers, before))

    return draw


def _journal(ground: Ground, state: str) -> frozenset[bytes]:
    return frozenset((ground.folder / state / "results" / "mine" / "calls.jsonl").read_bytes().split(b"\n")[:-1])


class _Kept:
    """What must hold of a run afterwards: no line of its journal is lost, and no number is another without a word."""

    def __init__(self, numbers: list[Any] | None, lines: frozenset[bytes]) -> None:
        self._numbers = numbers
        self._lines = lines

    def __call__(self, folder: Path, done: Done) -> Iterable[str]:
        run = folder / "results" / "mine"
        there = {line for file in run.glob("calls*.jsonl") if file.is_file() for line in file.read_bytes().split(b"\n")}
        if self._lines and (lost := self._lines.difference(there)):
            yield f"{len(lost)} lines of the journal are lost"
        whole = done.code in (0, 4) and '"complete": true' in done.out and "judge-odd" not in done.out
        if whole and self._numbers is not None and _numbers(done.out) != self._numbers:
            yield "its numbers are others, without a word"


FAMILIES = (
    Family(
        "sealed-files",
        "run.json, samples.jsonl, calls.jsonl: exit code 2 and one sentence, or the same numbers; no line of the journal lost",
        _drawn(SEALED),
        prepare,
    ),
    Family("derived-files", "summaries, statistics and logs are no data: the same numbers", _drawn(DERIVED), prepare),
)
