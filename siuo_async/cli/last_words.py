"""What is said of an error that ends a command: one sentence, without what this environment keeps secret."""

from __future__ import annotations

import os
import re
import traceback
from difflib import SequenceMatcher
from pathlib import Path

from siuo_async.cli.output import complaint

_PLAINER = (
    (r"^Invalid value for ", ""),
    (r"Input should be a valid integer.*", "must be a whole number"),
    (r"Input should be a valid number.*", "must be a number"),
    (r"Input should", "must"),
    (r"\. Did you mean", "; did you mean"),
)
"""Typer names types of Python, which nobody typed, and makes suggestions in two forms."""


_NEARLY = 0.1
_SEVERAL = re.compile(r"(?P<told>.*?(?P<typed>--?[\w-]+)) \(Possible options: (?P<options>.*)\)$")


def without_keys(text: str) -> str:
    """What is about to be shown, without anything that this environment keeps secret."""
    from siuo_async.client.accounts import Environment
    from siuo_async.errors import ConfigError

    try:
        return Environment(os.environ, Path(".env")).secrets.out_of(text)
    except ConfigError:  # about the .env file
        return Environment(os.environ).secrets.out_of(text)


def of_a_sentence(sentence: str) -> str:
    """Of an error that was foreseen."""
    return complaint(without_keys(sentence))


def of_what_was_mistyped(error: Exception) -> str | None:
    """Where typer refuses what was typed; None for any other error."""
    if not hasattr(error, "format_message"):  # typer's errors have no public base in all versions
        return None
    told = str(error.format_message())
    if told.startswith("Usage:"):
        return f"{told}\n"  # nothing was typed: the help
    if several := _SEVERAL.match(told):
        told = f"{several['told']}; did you mean {', '.join(_likeliest(several['typed'], several['options'].split(', ')))}?"
    for pattern, plain in _PLAINER:
        told = re.sub(pattern, plain, told)
    context = getattr(error, "ctx", None)
    place = context.command_path if context else "siuo"
    told = told.rstrip(".")
    end = " " if told.endswith("?") else "; "
    return of_a_sentence(f"{told[:1].lower()}{told[1:]}{end}`{place} --help` shows what there is")


def _likeliest(typed: str, options: list[str]) -> list[str]:
    """Those of the options that are as near to what was typed as the nearest, or nearly so; typer lists them by name."""
    near = {option: SequenceMatcher(None, typed, option).ratio() for option in options}
    best = max(near.values())
    return sorted((option for option in options if near[option] > best - _NEARLY), key=lambda option: -near[option])


def of_an_unusable_path(error: OSError) -> str:
    """Of a path that the system refuses in a way that nobody foresaw: too long, a ring of links, no right to look."""
    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else str(error.filename)
    return of_a_sentence(f"{name} cannot be used ({error.strerror}); check the path, and who may read and write there")


def of_a_bug(error: Exception) -> str:
    """Of an error that nobody foresaw: where it came from, for whoever mends it."""
    told = "".join(traceback.format_exception(error))
    return without_keys(told) + "siuo: this is a bug; please report it with the lines above\n"
