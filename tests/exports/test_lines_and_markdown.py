"""A run as lines of JSON and as Markdown, read back; nothing in it gets out of its place."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from siuo_async.engine.run_directory import RunDirectory
from siuo_async.errors import ConfigError
from siuo_async.report.dossier import Dossier
from siuo_async.report.exports import FORMATS, export_run, markdown
from tests.exports.conftest import LABEL, SAMPLES, Hostile

ESCAPED = "\\|"
HELD = "\0held\0"


def tables(page: str) -> dict[str, list[list[str]]]:
    """The tables of a page by title: rows of cells, the head first."""
    found: dict[str, list[list[str]]] = {}
    title = ""
    for line in page.splitlines():
        if line.startswith("### "):
            title = line.removeprefix("### ")
        elif line.startswith("|"):
            cells = line.replace("\\\\", "\1").replace(ESCAPED, HELD).strip().strip("|").split("|")
            found.setdefault(title, []).append([cell.strip().replace(HELD, "|").replace("\1", "\\") for cell in cells])
    return found


def test_each_line_is_json_and_every_answer_is_as_it_was(hostile: Hostile, tmp_path: Path) -> None:
    (file,) = export_run(hostile.directory, form="jsonl", folder=tmp_path).files
    first, *lines = [orjson.loads(line) for line in file.read_bytes().split(b"\n")[:-1]]
    assert first["kind"] == "run"
    assert "IMPORTED" in first["protocol_line"]
    assert len(lines) == 3 * len(hostile.answers)
    for line in lines:
        assert line.get("text", "") == hostile.answers[line["sample"]][line["number"]]


def test_every_table_of_the_page_has_as_many_cells_in_each_row(hostile: Hostile, tmp_path: Path) -> None:
    (file,) = export_run(hostile.directory, form="markdown", folder=tmp_path).files
    found = tables(file.read_text(encoding="utf-8"))
    assert found
    for title, (head, rule, *rows) in found.items():
        assert set("".join(rule)) <= set("-: "), title
        assert {len(row) for row in rows} == {len(head)}, title


def test_a_hostile_label_is_one_cell_without_a_life_of_its_own(hostile: Hostile, tmp_path: Path) -> None:
    (file,) = export_run(hostile.directory, form="markdown", folder=tmp_path).files
    page = file.read_text(encoding="utf-8")
    assert "<b>" not in page
    assert any(LABEL[:4] in row[0] for rows in tables(page).values() for row in rows)


def test_the_page_says_what_was_measured_and_how(reported: Dossier) -> None:
    page = markdown(reported)
    assert page.startswith("**demo ")
    assert "SIMULATED" in page.splitlines()[0]
    assert "### Methods" in page
    assert f"{SAMPLES} samples, 3 answers per sample" in page
    for label in reported.run.labels:
        assert any(label in row[0] for rows in tables(page).values() for row in rows)


def test_a_format_that_is_not_there_is_a_sentence_with_those_that_are(demo: RunDirectory, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as told:
        export_run(demo, form="cvs", folder=tmp_path)
    assert str(told.value) == "there is no format 'cvs'; choose --format csv, markdown, latex, siuo or jsonl"
    assert set(FORMATS) > {"csv", "markdown", "latex", "siuo", "jsonl"}


def test_a_reference_that_is_not_there_is_a_sentence(demo: RunDirectory, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nobody"):
        export_run(demo, form="latex", folder=tmp_path, reference="nobody")
