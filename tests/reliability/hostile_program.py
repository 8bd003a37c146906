"""The program for faults of many short commands: each is a process of its own, forked from one that has imported it once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tests.cli.forker import Forker
from tests.cli.program import LIMIT_S, Done, Siuo


class Command(Protocol):
    """Runs a command and gives what it came to, whatever its exit code."""

    def __call__(self, *words: str | Path, env: Mapping[str, str] | None = None) -> Done: ...


@contextmanager
def quick(siuo: Siuo) -> Iterator[Command]:
    """Commands in the folder and the environment of `siuo`."""
    forker, numbers = Forker(), itertools.count()

    def command(*words: str | Path, env: Mapping[str, str] | None = None) -> Done:
        place = siuo.folder.parent / f"{siuo.folder.name}-output-{next(numbers)}"
        code = forker.run([str(word) for word in words], siuo.folder, {**siuo.variables, **(env or {})}, place, LIMIT_S)
        out, err = (Path(f"{place}.{stream}").read_bytes().decode("utf-8", "replace") for stream in (1, 2))
        return Done(code, out, err)

    try:
        yield command
    finally:
        forker.close()
