"""What may not be in an output, whatever went in: looked for in bytes as they were printed."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt
from rich.cells import cell_len

CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal may obey, but for the line feed; direction overrides, and line ends of Unicode."""
_OURS = re.compile(r"\x1b\[[0-9;]*m|\x1b\[1?A|\x1b\[2K|\x1b\[\?25[lh]|\r")
"""What the live screen is drawn with: colours, one line up, clear the line, the cursor on and off."""
_LIVE = re.compile(r"https?://|ftp://|\bwww\.|\w@\w|(?<![\w`])@\w|\bmailto:", re.IGNORECASE)
_FORMULA = re.compile("[\\s\x00-\x1f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]*[=+\\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
_BARE_PIPE = re.compile(r"(?<!\\)(?:\\\\)*\|")


def controls(text: str) -> list[str]:
    """The code points in `text` that no output may hold."""
    return sorted({f"U+{ord(each):04X}" for each in CONTROLS.findall(text)})


def of_the_screen(raw: bytes) -> list[str]:
    """The same for what a terminal was sent, where the screen's own sequences are taken out."""
    return controls(_OURS.sub("", raw.decode("utf-8", "replace")))


def tables_out_of_shape(page: str) -> list[str]:
    """Rows of Markdown tables that have other cells than their head."""
    wrong, width = [], 0
    for line in page.split("\n"):
        cells = len(_BARE_PIPE.findall(line)) if line.startswith("|") else 0
        if cells and width and cells != width:
            wrong.append(line[:80])
        width = cells if not width or not cells else width
    return wrong


def live_in_markdown(page: str) -> list[str]:
    """What a reader of the page could follow, load, run or be told by: links, pictures, HTML, bare addresses, mentions."""
    parser = MarkdownIt("commonmark").enable("table")
    found = []
    for token in parser.parse(page):
        for part in (token, *(token.children or ())):
            if part.type in ("link_open", "image", "html_block", "fence", "code_block") or (
                part.type == "html_inline" and part.content != "<br>"
            ):
                found.append(f"{part.type} {part.content[:60]}")
            elif part.type == "text" and (bare := _LIVE.search(part.content)):
                found.append(f"bare {part.content[max(0, bare.start() - 10) : bare.end() + 20]}")
    return found


def wider_than(text: str, columns: int) -> list[str]:
    """Lines of a table in a terminal that are wider than it; sentences may be."""
    return [line[:80] for line in text.split("\n") if line.startswith(" ") and cell_len(line) > columns]


def formulas_in_csv(content: bytes) -> tuple[list[str], list[list[str]]]:
    """(cells that a spreadsheet would run, all rows)."""
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    return [cell[:60] for row in rows for cell in row if _FORMULA.match(cell)], rows


def formulas_in_workbook(file: Path) -> tuple[list[str], list[list[str | None]]]:
    """The same for a workbook, where a formula also has an element of its own."""
    from openpyxl import load_workbook

    with zipfile.ZipFile(file) as parts:
        elements = [name for name in parts.namelist() if name.startswith("xl/worksheets") and b"<f" in parts.read(name)]
    book = load_workbook(file)
    rows = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]
    kinds = [cell.coordinate for row in book.worksheets[0].iter_rows() for cell in row if cell.data_type in "fe" or cell.hyperlink]
    cells = [value[:60] for row in rows for value in row if isinstance(value, str) and _FORMULA.match(value)]
    book.close()
    return [*elements, *kinds, *cells], [[None if value is None else str(value) for value in row] for row in rows]


def ended_outside(sentence: str) -> Iterator[str]:
    """What is wrong with what a refused command said: it must be one line that begins with the program's name."""
    if sentence.count("\n") != 1 or not sentence.startswith("siuo: "):
        yield f"not one sentence: {sentence[:200]!r}"
    if found := controls(sentence):
        yield f"control characters {', '.join(found)} in {sentence[:200]!r}"
