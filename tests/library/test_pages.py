"""The pages for users are true: their code runs, their commands work, their links lead somewhere, their columns are there."""

from __future__ import annotations

import ast
import inspect
import io
import re
import shlex
from contextlib import redirect_stdout
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
import yaml

from siuo_async import config
from siuo_async.exchange.rows import TABLES, columns
from siuo_async.simulator import Settings, SimulatorProcess
from tests.cli.conftest import _forkers as _forkers
from tests.cli.program import Siuo
from tests.conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SIMULATED = {
    "openai/gpt-4o-mini": "sim/openai-careful",
    "anthropic/claude-sonnet-4-6": "sim/anthropic-blunt",
    "openai/gpt-4.1-mini": "sim/openai-judge",
    "--model gpt-4o-mini": "--model openai-careful",
    "siuo-gen": "demo",
}
"""What stands in the pages, and what takes its place here: the same thing, but made up."""


def blocks(page: str, kind: str) -> list[str]:
    """The blocks of a page in one language, with simulated models in place of providers'."""
    text = (DOCS / page).read_text(encoding="utf-8")
    for real, made_up in SIMULATED.items():
        text = text.replace(real, made_up)
    return [content for language, content in BLOCK.findall(text) if language == kind]


@pytest.fixture(scope="module", autouse=True)
def simulator() -> Any:
    with SimulatorProcess(Settings(seed=3)) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIUO_SIM_URL", url)
        yield url


def compiled(block: str, page: str) -> CodeType:
    """A block as a cell of a notebook, where it may await."""
    return compile(block, page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


async def test_the_code_of_the_library_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    out = io.StringIO()
    with redirect_stdout(out):
        for block in blocks("library.md", "python"):
            running = eval(compiled(block, "library.md"), names)
            if inspect.iscoroutine(running):
                await running
    assert "openai-careful" in out.getvalue()
    assert "did you mean 'limit'?" in out.getvalue()
    assert list(Path("out").glob("*.tex"))


@pytest.mark.parametrize("page", ["exports.md", "resuming.md", "providers.md"])
def test_the_commands_of_a_page_work(page: str, tmp_path: Path, simulator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    siuo = Siuo(tmp_path, SIUO_SIM_URL=simulator)
    for block in blocks(page, "sh"):
        for line in block.splitlines():
            program, *words = shlex.split(line, comments=True)
            assert program == "siuo"
            siuo(*words)
    monkeypatch.chdir(tmp_path)
    for block in blocks(page, "python"):
        with redirect_stdout(io.StringIO()):
            exec(compiled(block, page), {})


@pytest.mark.parametrize("page", ["providers.md"])
def test_the_files_of_a_page_are_configurations(page: str) -> None:
    for block in blocks(page, "yaml"):
        assert config.make(yaml.safe_load(block)).models


def test_every_column_of_every_table_is_named() -> None:
    text = (DOCS / "exports.md").read_text(encoding="utf-8")
    for table in TABLES:
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{table}` |")]
        for column in columns(table):
            assert column in row or "..." in row


@pytest.mark.parametrize("page", ["exports.md", "index.md", "library.md", "offline.md", "providers.md", "resuming.md"])
def test_links_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)", (DOCS / page).read_text(encoding="utf-8"))
    assert [link for link in links if not (DOCS / link).exists()] == []


def test_every_page_is_in_the_index() -> None:
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    assert [page.name for page in sorted(DOCS.glob("*.md")) if page.name != "index.md" and f"({page.name})" not in text] == []


def test_how_to_cite_names_this_version() -> None:
    from siuo_async import __version__

    assert yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))["version"] == __version__
