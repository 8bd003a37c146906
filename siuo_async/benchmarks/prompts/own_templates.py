"""What our own prompt templates share: reading them, filling them, naming their wording, and saying that a prompt is not there.

The templates are text files in `prompts/`, in our own words, so that they can be read and compared without reading code.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from hashlib import blake2b
from importlib.resources import files

from siuo_async.errors import ConfigError
from siuo_async.judging import fence, fill


@cache
def template(name: str) -> str:
    """The template `prompts/NAME.txt`, unfilled."""
    return (files("siuo_async.benchmarks.prompts") / f"{name}.txt").read_text(encoding="utf-8")


def filled(name: str, **values: str) -> str:
    """The template `name`, filled in one pass, so that nothing in a value is taken for a placeholder."""
    return fill(template(name), values)


def fenced(field: str, text: str, prefix: str = "") -> dict[str, str]:
    """Values for `{prefix_open}`, `{field}` and `{prefix_close}`: untrusted `text` between lines that it cannot forge."""
    start = f"{prefix}_" if prefix else ""
    return dict(zip((f"{start}open", field, f"{start}close"), fence(text), strict=True))


def lettered(options: Mapping[str, str]) -> str:
    """Letter -> text as lines `(A) text`; further lines of a text are indented, so that none can pass for an option of its own."""
    return "\n".join(f"({letter}) " + "\n    ".join(text.splitlines()) for letter, text in options.items())


def wording(*names: str) -> str:
    """BLAKE2b-64, hex, over the templates `names`: another wording gets another one."""
    return blake2b("\0".join(template(name) for name in names).encode(), digest_size=8).hexdigest()


def require(available: Collection[str], prompt: str, benchmark: str) -> None:
    """Raises ConfigError where the released prompts of `benchmark` (as told to the user) hold no `prompt`."""
    if prompt not in available:
        words = prompt.replace("_", " ")
        raise ConfigError(f"the released prompts of {benchmark}, as imported, have none for '{words}'; use --prompts own")
