"""Where things are printed: results on stdout, everything else on stderr."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar

import orjson
from rich.console import Console
from rich.text import Text

from siuo_async.report.text import escaped_in_json, in_line, sentence
from siuo_async.values import Json

_MOST_CHARS = 1200


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Rich would end the process here, with a run going on; who calls decides."""
        raise BrokenPipeError


def console(*, to_stderr: bool = False) -> Console:
    """A console that reads no markup and highlights nothing; tables keep a readable width in a pipe, or what COLUMNS says."""
    stream = sys.stderr if to_stderr else sys.stdout
    told = os.environ.get("COLUMNS", "")
    width = None if stream.isatty() or (told.isdigit() and int(told)) else 160
    return _Console(stderr=to_stderr, markup=False, highlight=False, emoji=False, width=width)


_LISTENER: ContextVar[Callable[[str], None] | None] = ContextVar("listener", default=None)
"""Who hears what is said in this context (a task, a thread) instead of the terminal."""


@contextlib.contextmanager
def heard_by(listener: Callable[[str], None]) -> Iterator[None]:
    """What is said within the block goes to `listener`, for callers that print nothing themselves."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def say(words: str, *, to_stderr: bool = True) -> None:
    """One plain sentence on a line of its own, whatever is in it; an empty one is a blank line."""
    if (listener := _LISTENER.get()) is not None:
        listener(sentence(words))
        return
    console(to_stderr=to_stderr).print(Text(sentence(words)), soft_wrap=True)


def complaint(words: str) -> str:
    """A sentence about what went wrong as its line; of a very long one the middle is left out, since its end says what to do."""
    line = " ".join(in_line(words).split())
    if len(line) > _MOST_CHARS:
        line = f"{line[: _MOST_CHARS * 2 // 3]} … {line[-_MOST_CHARS // 3 :]}"
    return f"siuo: {line}\n"


def print_json(value: Json) -> None:
    """JSON on stdout, texts as they are; what a terminal might obey stands as an escape."""
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
    sys.stdout.buffer.write(escaped_in_json(text).encode())
    sys.stdout.flush()
