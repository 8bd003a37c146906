"""What all families spoil things with: values that do not belong, names that are slips, bytes that were hit."""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

WRONG: tuple[Any, ...] = (
    None,
    "",
    " ",
    "abc",
    "null",
    "0",
    "-1",
    "1e999",
    "nan",
    0,
    -1,
    1,
    7,
    2**31,
    -(2**63),
    2**63,
    10**400,
    0.5,
    -0.0,
    1e308,
    float("nan"),
    float("inf"),
    float("-inf"),
    True,
    False,
    [],
    {},
    [[]],
    [None],
    [{}],
    ["abc", 3],
    {"a": 1},
    {"": {}},
    {"model": None},
    "x" * 3000,
    "é\u2028\u0085\u202e\ufeff\U0001f600",
    "\x1b[31mred\x1b]0;title\x07",
    "a\nb\tc\rd",
    "\x00",
    "\x7f",
    "${HOME}",
    "$OPENAI_API_KEY",
    "{env:OPENAI_API_KEY}",
    "%s%n{0}{x!r}",
    "../../../../etc/passwd",
    "/",
    ".",
    "~",
    "~nobody-of-that-name/x",
    "/dev/zero",
    "/dev/null",
    "http://127.0.0.1:9/v1",
    "ftp://x",
    "http://[::1",
    "sim/openai-careful",
)


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in a tree of mappings and lists, but for the root."""
    steps = tree.items() if isinstance(tree, Mapping) else enumerate(tree) if isinstance(tree, list) else ()
    for step, below in steps:
        yield (*path, step)
        yield from places(below, (*path, step))


def replaced(tree: Any, path: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    """A copy of the tree with another value at a place."""
    found = copy.deepcopy(tree)
    inner = found
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = change(inner[path[-1]])
    return found


def without(tree: Any, path: tuple[Any, ...]) -> Any:
    """A copy of the tree that lacks a place."""
    found = copy.deepcopy(tree)
    inner = found
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return found


def slip(name: str, dice: random.Random) -> str:
    """A name as somebody mistypes it."""
    at = dice.randrange(len(name))
    return dice.choice((name[:at] + name[at + 1 :], name[:at] + name[at] * 2 + name[at + 1 :], name.upper(), name + " ", f"x{name}"))


def spoilt(tree: Any, dice: random.Random) -> tuple[str, Any]:
    """(what was done, the tree with one thing wrong)."""
    if not (every := list(places(tree))):
        value = dice.choice(WRONG)
        return f"{value!r:.60} and nothing else", value
    path = dice.choice(every)
    named = ".".join(map(str, path))
    kind = dice.random()
    if kind < 0.75:
        value = dice.choice(WRONG)
        return f"{named} = {value!r:.60}", replaced(tree, path, lambda _: value)
    if kind < 0.83:
        return f"{named} taken out", without(tree, path)
    if kind < 0.9:
        return f"{named} in a list", replaced(tree, path, lambda old: [old, old])
    if kind < 0.95:
        return f"{named} in a mapping", replaced(tree, path, lambda old: {"value": old})
    owner = replaced({"root": tree}, ("root",), lambda old: old)["root"]
    inner = owner
    for step in path[:-1]:
        inner = inner[step]
    if isinstance(inner, dict) and isinstance(path[-1], str) and path[-1]:
        wrong = slip(path[-1], dice)
        inner[wrong] = inner.pop(path[-1])
        return f"{named} mistyped as {wrong!r}", owner
    return f"{named} = None", replaced(tree, path, lambda _: None)


def hit(content: bytes, dice: random.Random) -> tuple[str, bytes]:
    """(what was done, the bytes after an accident)."""
    at = dice.randrange(len(content) + 1) if content else 0
    match dice.randrange(9):
        case 0:
            return f"cut at byte {at}", content[:at]
        case 1 if content:
            at, bit = dice.randrange(len(content)), dice.randrange(8)
            return f"bit {bit} of byte {at} flipped", content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]
        case 2:
            many = bytes(dice.randrange(256) for _ in range(16))
            return f"16 random bytes at {at}", content[:at] + many + content[at:]
        case 3:
            return f"noughts from byte {at} on", content[:at] + bytes(len(content) - at)
        case 4:
            return "empty", b""
        case 5:
            return "UTF-16", content.decode(errors="replace").encode("utf-16")
        case 6:
            return "byte order mark", b"\xef\xbb\xbf" + content
        case 7:
            lines = content.split(b"\n")
            where = dice.randrange(len(lines))
            return f"line {where + 1} twice", b"\n".join([*lines[: where + 1], *lines[where:]])
        case _:
            return "random bytes", dice.randbytes(300)


def in_place(file: Path, dice: random.Random) -> str:
    """Puts something else where a file should be; what."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.is_symlink() or file.exists():
        file.unlink()
    match dice.randrange(7):
        case 0:
            file.mkdir()
            return "a folder"
        case 1:
            os.mkfifo(file)
            return "a pipe that nobody writes to"
        case 2:
            file.symlink_to("nowhere")
            return "a link to nothing"
        case 3:
            file.symlink_to(file.name)
            return "a link to itself"
        case 4:
            file.symlink_to("/dev/zero")
            return "/dev/zero"
        case 5:
            file.touch(mode=0)
            return "a file that may not be read"
        case _:
            return "nothing"
