"""The rooms of the package: an arrow only ever points down. The contracts stand in `.importlinter`."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

CONTRACTS = REPOSITORY / ".importlinter"
LINT = """
import sys
from importlinter.cli import lint_imports
sys.exit(lint_imports(config_filename=sys.argv[1], no_cache=True, no_logo=True))
"""


def linted(repository: Path) -> subprocess.CompletedProcess[str]:
    """Checks the contracts against the package in `repository`, in a process of its own: the linter imports what it looks at."""
    command = [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(repository)!r}){LINT}", str(CONTRACTS)]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)


def test_no_arrow_points_up() -> None:
    found = linted(REPOSITORY)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "4 kept, 0 broken" in found.stdout


FORBIDDEN = [
    ("values.py", "siuo_async.errors"),
    ("stats/votes.py", "siuo_async.providers.presets"),
    ("benchmarks/siuo_gen.py", "siuo_async.client.endpoint"),
    ("engine/order.py", "siuo_async.cli.app"),
    ("report/text.py", "siuo_async.ui.frame"),
    ("simulator/truth.py", "siuo_async.values"),
    ("client/retry.py", "siuo_async.simulator.truth"),
    ("search/reading.py", "siuo_async.client.endpoint"),
]


def test_an_arrow_that_points_up_is_found(tmp_path: Path) -> None:
    """The contracts are checked themselves: a linter that looks elsewhere, or at nothing, would pass for ever."""
    shutil.copytree(REPOSITORY / "siuo_async", tmp_path / "siuo_async", ignore=shutil.ignore_patterns("__pycache__", "_data"))
    for file, module in FORBIDDEN:
        with (tmp_path / "siuo_async" / file).open("a", encoding="utf-8") as source:
            source.write(f"\nimport {module}  # noqa\n")
    found = linted(tmp_path)
    assert found.returncode == 1, found.stdout + found.stderr
    for file, module in FORBIDDEN:
        importer = "siuo_async." + file.removesuffix(".py").replace("/", ".")
        assert f"{importer} -> {module}" in found.stdout


@pytest.mark.parametrize("module", ["siuo_async.benchmarks.siuo_gen", "siuo_async.cli", "siuo_async.config"])
def test_importing_this_loads_no_network_library(module: str) -> None:
    code = f"import sys, {module}; sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0


def test_the_threat_model_names_tests_that_are_there() -> None:
    text = (REPOSITORY / "docs" / "threat-model.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:tests/)?[\w/]+(?:\.py|/))`", text.partition("## Not trusted")[2].partition("## Decisions")[0])
    places = (REPOSITORY, REPOSITORY / "tests" / "reliability")
    assert len(named) > 20
    assert [name for name in named if not any((place / name).exists() for place in places)] == []
