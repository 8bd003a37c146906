"""Flags: every option of every command, walked from the program's own tree, with what does not belong behind it."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.reliability.bad_input_cases import Case, Family, Ground

VALUES = (
    *("", " ", "abc", "-1", "0", "1", "2", "0.5", "1e999", "nan", "inf", "-inf", "9" * 400, "٣", "1_0", "0x10", "1.5", "true", "null"),
    *("[]", "{}", "\x1b[31mred", "a\nb", "é" * 50, "x" * 10_000, "x" * 300, "/", ".", "..", "~", "~nobody-of-that-name/x", "/dev/zero"),
    *(
        "/dev/full",
        "/dev/null",
        "pipe",
        "data",
        "data/siuo_gen.json",
        "nowhere",
        "nowhere/below",
        "loop",
        "run.yaml",
        "\udcff",
        "=",
        "=1",
    ),
    *(
        "sim=",
        "sim=-1",
        "sim=5",
        "siim=5",
        "a=b=c",
        "a.b=1",
        "@",
        "%s",
        "$(touch PWNED)",
        "--",
        "-",
        "a/",
        "/b",
        "a/b@",
        "a/b@@",
        "a/b",
    ),
    *(
        "sim/",
        "sim/openai-careful",
        "sim/openai-careful@r1",
        "sim/x y",
        "openai/gpt-4o",
        "imported/x",
        "siuo-gen",
        "usb-base",
        "own.py",
    ),
    *("corrected", "released", "zh", "RIRT", "passive", "logprobs", "group", "skip", "markdown", "json", "jsonl", "\u202e", "a\x00b"),
)
_SERVES = {"simulator"}
"""Would go on for ever where nothing is wrong."""


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    """(words, click command) of every command there is."""
    import typer.main

    from siuo_async.cli.app import app

    def walk(words: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
        yield words, command
        for name, below in getattr(command, "commands", {}).items():
            yield from walk((*words, name), below)

    return walk((), typer.main.get_command(app))


_COMMANDS = tuple(commands())
_USUAL = {
    ("run",): ("siuo-gen", "-m", "sim/openai-careful", "--judge", "sim/openai-judge", "--data", "data", "--dry-run"),
    ("demo",): ("--limit", "nonsense"),
    ("resume",): ("nowhere",),
    ("judge",): ("nowhere", "--judge", "sim/openai-judge"),
    ("score",): ("nowhere",),
    ("report",): ("nowhere",),
    ("check",): ("nowhere",),
    ("export",): ("nowhere",),
    ("import",): ("data/siuo_gen.json", "--label", "x", "--data", "data"),
    ("init",): ("new.yaml",),
    ("data", "fetch"): ("siuo",),
    ("data", "import"): ("siuo", "data"),
    ("data", "check"): ("siuo",),
}


def _spoilt(words: Sequence[str], dice: random.Random, command: Any) -> list[str]:
    found = list(words)
    options = [name for each in command.params if each.param_type_name == "option" for name in each.opts if name != "--yes"]
    flags = {name for each in command.params if getattr(each, "is_flag", False) for name in each.opts}
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        kind = dice.random()
        if kind < 0.6 and options:
            name = dice.choice(options)
            found += [name] if name in flags or dice.random() < 0.06 else [name, dice.choice(VALUES)]
        elif kind < 0.75 and found:
            found[dice.randrange(len(found))] = dice.choice(VALUES)
        elif kind < 0.85:
            found.insert(dice.randrange(len(found) + 1), dice.choice(VALUES))
        elif kind < 0.92 and found:
            del found[dice.randrange(len(found))]
        else:
            found.append(dice.choice(("--nonsense", "-x", "--lim", "--judgee=3", "-m", "--", "---", "-mm", "--limit=", "--=", "-")))
    return found


def _files(ground: Ground, folder: Path) -> None:
    (folder / "data").symlink_to(ground.folder / "data")
    (folder / "loop").symlink_to("loop")
    (folder / "run.yaml").write_text("benchmark: siuo-gen\n", encoding="utf-8")
    (folder / "own.py").write_text("benchmark = 3\n", encoding="utf-8")
    os.mkfifo(folder / "pipe")


def draw(dice: random.Random, ground: Ground) -> Case:
    """One command with something wrong about its words."""
    words, command = dice.choice((*_COMMANDS, *[each for each in _COMMANDS if each[0] == ("run",)] * 12))
    typed = _spoilt(_USUAL.get(words, ()), dice, command)
    if (words and words[0] in _SERVES) or (words == ("demo",) and "nonsense" not in typed):
        typed += ["--nonsense"]
    if words == ("data", "fetch"):
        typed = [word for word in typed if word != "--yes"]
    if words == ("run",) and "--dry-run" not in typed:
        typed += ["--dry-run"]
    every = (*words, *typed)
    return Case(" ".join(map(ascii, every))[:300], every, lambda folder: _files(ground, folder), after=_no_harm)


def _no_harm(folder: Path, done: object) -> list[str]:
    return ["it ran what stood in a flag"] if (folder / "PWNED").exists() else []


FAMILY = Family("flags", "exit code 2 and one sentence that names the flag, or the command as if nothing were wrong", draw)
