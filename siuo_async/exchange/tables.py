"""Tables as CSV and as Excel workbooks, read and written so that a text is never a formula.

Answers are untrusted: in a spreadsheet a cell that begins with `=`, `+`, `-` or `@` is run, in some also behind white space, behind
what nobody sees, or as a full-width form. Such cells get an apostrophe in front, which reading takes off again where the table says
that it is ours; so does one that already has apostrophes before such a sign, which keeps the two apart.
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
from siuo_async.exchange.upstream_files import EXPORTED_BY, Row
from siuo_async.values import Json

_UNSEEN = r"[\s\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
_RUN = rf"(?:{_UNSEEN}*[=+\-@＝＋－＠]|[\t\r\n])"
_FORMULA = re.compile(f"'*{_RUN}")
_GUARDED = re.compile(f"'+{_RUN}")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
MOST_CELL_CHARS = 32_767
"""Of an Excel cell."""
_MOST_HEADER_CHARS = 1 << 16


@dataclass(slots=True)
class Changes:
    """What a table could not hold as it was."""

    guarded: int = 0
    """Cells with an apostrophe in front."""
    stripped: int = 0
    """Cells that lost characters no such table can hold."""
    breaks: int = 0
    """Cells whose carriage returns became line breaks."""
    cut: int = 0
    """Cells cut at what Excel takes."""

    def sentences(self) -> list[str]:
        """One each of what happened."""
        told = (
            (self.guarded, "cells begin with a sign that spreadsheets run as a formula and have an apostrophe in front"),
            (self.stripped, "cells lost characters that such a table cannot hold"),
            (self.breaks, "cells had carriage returns, which are line breaks now"),
            (self.cut, f"cells were cut at the {MOST_CELL_CHARS} characters that Excel takes"),
        )
        return [f"{count} {what}" for count, what in told if count]


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[Json]], changes: Changes) -> bytes:
    """A CSV table with a byte order mark, so that spreadsheets read it as UTF-8."""
    held = io.StringIO(newline="")
    writer = csv.writer(held)
    writer.writerow(columns)
    for row in rows:
        writer.writerow(["" if cell is None else _guarded(_whole(str(cell), changes), changes) for cell in row])
    return held.getvalue().encode("utf-8-sig")


def safe_cell(value: Json, changes: Changes) -> Json:
    """A cell of a CSV table: numbers as they are, text without what no reader takes and never as a formula."""
    if not isinstance(value, str):
        return "" if value is None else value
    if "\0" in value:  # where readers in C end the cell
        value = value.replace("\0", "\ufffd")
        changes.stripped += 1
    return _guarded(_whole(value, changes), changes)


def xlsx_bytes(columns: Sequence[str], rows: Iterable[Sequence[Json]], changes: Changes) -> bytes:
    """An Excel workbook with one sheet."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("answers")
    sheet.append(list(columns))
    for row in rows:
        cells = [None if cell is None else WriteOnlyCell(sheet, _cell(str(cell), changes)) for cell in row]
        for cell in cells:
            if cell is not None:
                cell.data_type = "s"  # a text such as #N/A is no error
        sheet.append(cells)
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def _guarded(text: str, changes: Changes) -> str:
    if not _FORMULA.match(text):
        return text
    changes.guarded += 1
    return "'" + text


def _whole(text: str, changes: Changes) -> str:
    kept = text.encode(errors="replace").decode()
    changes.stripped += kept != text
    return kept


def _cell(text: str, changes: Changes) -> str:
    plain = _NOT_IN_XML.sub("", text)
    changes.stripped += plain != text
    joined = re.sub("\r\n?", "\n", plain)  # as whoever reads the XML will have it anyway
    changes.breaks += joined != plain
    kept = _guarded(joined, changes)
    changes.cut += len(kept) > MOST_CELL_CHARS
    return kept[:MOST_CELL_CHARS]


def read_rows(file: Path) -> list[Row]:
    """The rows of a CSV file or of a workbook's first sheet.

    Raises:
        DataError: it cannot be read, or is no table with rows.
    """
    if not file.is_file():
        raise DataError(f"{file}: there is no such file; name a table of results")
    found: list[tuple[str, Mapping[str, Json]]]
    if workbook := file.suffix.lower() == ".xlsx":
        found = [(f"{file}: row {number}", fields) for number, fields in _workbook(file)]
    else:
        _check_commas(file)
        found = [(f"{file}: line {line}", fields) for line, fields in read_table(file)]
    if not found:
        what = "its first sheet holds no rows below a header" if workbook else "holds no rows below a header"
        raise DataError(f"{file}: {what}; name a table of results")
    ours = any(fields.get("value_type") == EXPORTED_BY for _, fields in found)
    return [Row(where, _unguarded(fields) if ours else fields, ours) for where, fields in found]


def _unguarded(fields: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value[1:] if isinstance(value, str) and _GUARDED.match(value) else value for name, value in fields.items()}


def _check_commas(file: Path) -> None:
    """Raises DataError where the columns are not separated by commas; whatever else is wrong is left to reading."""
    with open(file, encoding="utf-8-sig", errors="replace", newline="") as text:
        line = text.readline(_MOST_HEADER_CHARS)
    for sign, name in ((";", "semicolons"), ("\t", "tabs")):
        if sign in line and "," not in line:
            raise DataError(f"{file}: its columns are separated by {name}; save it with commas, or as .xlsx")


def _workbook(file: Path) -> list[tuple[int, dict[str, Json]]]:
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
    header = [str(cell).strip() if cell is not None else "" for cell in lines[0][1]] if lines else []
    if (twice := next((name for name in header if name and header.count(name) > 1), None)) is not None:
        raise DataError(f"{file}: has the column `{twice}` twice, so which one counts cannot be told; take one of them out")
    none = dict.fromkeys(header)  # rows may end before their last columns
    return [(number, none | dict(zip(header, cells, strict=False))) for number, cells in lines[1:]]
