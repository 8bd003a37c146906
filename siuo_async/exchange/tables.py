"""Tables as CSV and as Excel workbooks, read and written so that a text is never a formula.

Answers are untrusted: in a spreadsheet a cell that begins with `=`, `+`, `-` or `@` is run. Such cells get an apostrophe in front,
which reading takes off again; so does one that already has apostrophes before such a sign, which keeps the two apart.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siuo_async.benchmarks.data.datasets import read_table
from siuo_async.errors import DataError
from siuo_async.exchange.upstream_files import Row
from siuo_async.values import Json

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
MOST_CELL_CHARS = 32_767
"""Of an Excel cell."""


@dataclass(slots=True)
class Changes:
    """What a table could not hold as it was."""

    guarded: int = 0
    """Cells with an apostrophe in front."""
    stripped: int = 0
    """Cells that lost characters no workbook can hold."""
    cut: int = 0
    """Cells cut at what Excel takes."""

    def sentences(self) -> list[str]:
        """One each of what happened."""
        told = (
            (self.guarded, "cells begin with a sign that spreadsheets run as a formula and have an apostrophe in front"),
            (self.stripped, "cells lost characters that no workbook can hold"),
            (self.cut, f"cells were cut at the {MOST_CELL_CHARS} characters that Excel takes"),
        )
        return [f"{count} {what}" for count, what in told if count]


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[Json]], changes: Changes) -> bytes:
    """A CSV table with a byte order mark, so that spreadsheets read it as UTF-8."""
    held = io.StringIO(newline="")
    writer = csv.writer(held)
    writer.writerow(columns)
    for row in rows:
        writer.writerow(["" if cell is None else _guarded(str(cell), changes) for cell in row])
    return held.getvalue().encode("utf-8-sig", errors="replace")


def xlsx_bytes(columns: Sequence[str], rows: Iterable[Sequence[Json]], changes: Changes) -> bytes:
    """An Excel workbook with one sheet."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("answers")
    sheet.append(list(columns))
    for row in rows:
        sheet.append([cell if cell is None else _cell(str(cell), changes) for cell in row])
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def _guarded(text: str, changes: Changes) -> str:
    if not _FORMULA.match(text):
        return text
    changes.guarded += 1
    return "'" + text


def _cell(text: str, changes: Changes) -> str:
    kept = _guarded(_NOT_IN_XML.sub("", text), changes)
    changes.stripped += len(kept.lstrip("'")) < len(text.lstrip("'"))
    changes.cut += len(kept) > MOST_CELL_CHARS
    return kept[:MOST_CELL_CHARS]


def read_rows(file: Path) -> list[Row]:
    """The rows of a CSV file or of a workbook's first sheet.

    Raises:
        DataError: it cannot be read, or is no table.
    """
    if not file.is_file():
        raise DataError(f"{file}: there is no such file; name a table of results")
    if file.suffix.lower() == ".xlsx":
        return [Row(f"{file}: row {number}", _unguarded(fields)) for number, fields in _workbook(file)]
    return [Row(f"{file}: line {line}", _unguarded(fields)) for line, fields in read_table(file)]


def _unguarded(fields: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value[1:] if isinstance(value, str) and _GUARDED.match(value) else value for name, value in fields.items()}


def _workbook(file: Path) -> Iterable[tuple[int, dict[str, Json]]]:
    from openpyxl import load_workbook

    try:
        book = load_workbook(file, read_only=True, data_only=True)
        try:
            rows: Iterable[tuple[Any, ...]] = book.worksheets[0].iter_rows(values_only=True)
            lines = [(number, cells) for number, cells in enumerate(rows, start=1) if any(cell is not None for cell in cells)]
        finally:
            book.close()
    except Exception as error:  # zipfile and XML errors have no common base
        raise DataError(f"{file}: is no Excel workbook that can be read ({error}); save it as .xlsx or as .csv") from error
    if not lines:
        raise DataError(f"{file}: its first sheet is empty")
    header = [str(cell).strip() if cell is not None else "" for cell in lines[0][1]]
    return [(number, dict(zip(header, cells, strict=False))) for number, cells in lines[1:]]
