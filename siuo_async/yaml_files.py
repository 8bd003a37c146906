"""Reads a YAML file of settings within bounds: of bytes, of depth, and of what its anchors stand for.

A file that somebody names may be anything: a device that never ends, a pipe that nobody writes to, a few lines that unfold to more than
memory holds. None of it may hang the program or run code.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from siuo_async.errors import ConfigError
from siuo_async.values import Json

MOST_BYTES = 1_000_000
"""A hundred times the longest that anybody writes; more takes YAML minutes."""
_MOST_NODES = 100_000
"""After anchors are unfolded."""
_MOST_DEPTH = 100
_PLAIN = {
    "mapping values are not allowed here": "a colon stands where none can; put texts with colons in quotes",
    "could not find expected ':'": "a colon is missing",
    "found character '\\t' that cannot start any token": "a tab stands where only spaces can",
}


class _OneOfEach(yaml.SafeLoader):
    """Refuses a setting that stands twice: which one counts would be a guess."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"'{key.value}' stands twice", key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Json:
    """What a YAML (or JSON) file holds.

    Raises:
        ConfigError: it cannot be read, or is not YAML (with the line), or is more than settings ever are.
    """
    text = _text(path)
    try:
        loader = _OneOfEach(text)
        try:
            node = loader.get_single_node()
            if node is not None:
                _bounded(node)
            return None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    except RecursionError as error:
        raise ConfigError(f"{path} is nested too deeply for settings; mend it there") from error
    except ValueError as error:
        raise ConfigError(f"{path} holds a value that YAML cannot read ({_first_clause(error)}); put it in quotes") from error
    except yaml.YAMLError as error:
        raise ConfigError(_not_yaml(path, error)) from error


def _text(path: Path) -> str:
    try:
        content = _content(path)
    except FileNotFoundError:
        raise ConfigError(f"there is no configuration file {path}; `siuo init` writes one to start from") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no file has such a name"
        raise ConfigError(f"{path} cannot be read ({why}); check the path of the file") from error
    if len(content) > MOST_BYTES:
        raise ConfigError(f"{path} is larger than settings ever are ({MOST_BYTES // 1000} kB); check the path of the file")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} cannot be read, since it is not UTF-8 (byte {error.start}); save it as UTF-8") from error


def _content(path: Path) -> bytes:
    """At most one byte more than allowed. A pipe is read, as in `-c <(...)`, but not waited for while nobody holds its other end."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        os.set_blocking(handle, True)
        return file.read(MOST_BYTES + 1)


def _bounded(root: yaml.Node) -> None:
    """Raises YAMLError where anchors unfold to too much, or a value holds itself; each node is looked at once."""
    sizes: dict[int, int] = {}
    within: set[int] = set()

    def size(node: yaml.Node, depth: int) -> int:
        if not isinstance(node, yaml.CollectionNode):
            return 1
        if (known := sizes.get(id(node))) is not None:
            return known
        if id(node) in within:
            raise yaml.MarkedYAMLError(problem="a value holds itself", problem_mark=node.start_mark)
        if depth > _MOST_DEPTH:
            raise RecursionError
        within.add(id(node))
        below = [each for pair in node.value for each in pair] if isinstance(node, yaml.MappingNode) else node.value
        total = 1 + sum(size(each, depth + 1) for each in below)
        within.discard(id(node))
        if total > _MOST_NODES:
            raise yaml.MarkedYAMLError(problem="it unfolds to more than settings ever hold", problem_mark=node.start_mark)
        sizes[id(node)] = total
        return total

    size(root, 0)


def _not_yaml(path: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    problem = str(getattr(error, "problem", None) or "")
    if "constructor for the tag" in problem:
        return f"{path}{where} has a tag (`!...`), which no setting takes; leave it out"
    if isinstance(error, yaml.reader.ReaderError):
        return f"{path} is not YAML (it holds a control character at place {error.position}); mend it there"
    return f"{path}{where} is not YAML ({_PLAIN.get(problem, problem) or 'it cannot be made out'}); mend it there"


def _first_clause(error: ValueError) -> str:
    """Python's sentences go on with advice for programmers."""
    return str(error).partition(";")[0].partition(": '")[0]
