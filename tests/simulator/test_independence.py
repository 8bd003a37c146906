"""The simulator is an independent witness."""

from __future__ import annotations

import ast
from pathlib import Path

import siuo_async.simulator


def imported(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
            assert node.level == 0
    return names


def test_it_imports_nothing_of_the_package_but_itself() -> None:
    folder = Path(siuo_async.simulator.__file__).parent
    names = {name for file in folder.glob("*.py") for name in imported(file.read_text())}
    own = {name for name in names if name.split(".")[0] == "siuo_async"}
    assert own
    assert {name for name in own if not name.startswith("siuo_async.simulator.")} == set()
