"""What a clone gets is the project, and nothing of the machine that it was written on."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.skipif(
    not shutil.which("git") or not (REPOSITORY / ".git").exists(), reason="an unpacked release has no git to ask"
)


def listed(*options: str) -> list[str]:
    command = ["git", "-c", "safe.directory=*", "ls-files", *options]
    return subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout.splitlines()


def test_nothing_in_the_repository_is_a_link() -> None:
    """A link to somewhere else, such as a `.venv`, is dead in every clone, or changes what it points to."""
    assert listed("--stage")
    assert [line for line in listed("--stage") if line.startswith("120000")] == []


def test_nothing_that_is_ignored_is_in_the_repository() -> None:
    assert listed("--cached", "--ignored", "--exclude-standard") == []


def test_environments_are_ignored_whether_folder_or_link() -> None:
    rules = (REPOSITORY / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert ".venv" in rules


def test_pictures_in_pages_are_there_and_named_by_relative_path() -> None:
    """Then a code host shows them, in a fork and on a branch too."""
    pages = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
    named = [(page, place) for page in pages for place in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.read_text(encoding="utf-8"))]
    assert named
    for page, place in named:
        assert (page.parent / place).is_file(), f"{page.name}: {place}"
