"""Where things are printed: results on stdout, everything else on stderr."""

from __future__ import annotations

import sys

import orjson
from rich.console import Console
from rich.text import Text

from siuo_async.keys import redact
from siuo_async.report.text import harmless
from siuo_async.values import Json

_MOST_CHARS = 1200


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Rich would end the process here, with a run going on; who calls decides."""
        raise BrokenPipeError


def console(*, to_stderr: bool = False) -> Console:
    """A console that reads no markup and highlights nothing; tables keep a readable width in a pipe."""
    stream = sys.stderr if to_stderr else sys.stdout
    width = None if stream.isatty() else 160
    return _Console(stderr=to_stderr, markup=False, highlight=False, emoji=False, width=width)


def say(sentence: str, *, to_stderr: bool = True) -> None:
    """One plain sentence."""
    console(to_stderr=to_stderr).print(Text(harmless(sentence)), soft_wrap=True)


def complaint(sentence: str) -> str:
    """A sentence about what went wrong as its line; of a very long one the middle is left out, since its end says what to do.

    What is quoted may be a key that was put where something else belongs.
    """
    line = redact(" ".join(harmless(sentence).split()), None)
    if len(line) > _MOST_CHARS:
        line = f"{line[: _MOST_CHARS * 2 // 3]} … {line[-_MOST_CHARS // 3 :]}"
    return f"siuo: {line}\n"


def complain(sentence: str) -> None:
    """One sentence about what went wrong."""
    sys.stderr.write(complaint(sentence))


def print_json(value: Json) -> None:
    """JSON on stdout."""
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    sys.stdout.flush()
