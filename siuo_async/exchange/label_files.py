"""Files of labels as people's pages save them, or as somebody filled them in: read, checked, and told apart by item and annotator.

They come back through mail and spreadsheets, so nothing in them is believed: an item that was not drawn, a label that is none, and a
row that stands there twice are errors that name file, line and column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from siuo_async.analysis.label_book import Labelled
from siuo_async.analysis.label_key import Key
from siuo_async.analysis.questions import UNSURE, Question, Sheet, Value
from siuo_async.errors import DataError
from siuo_async.exchange.tables import read_rows
from siuo_async.exchange.upstream_files import Row
from siuo_async.values import Json

ITEM, ANNOTATOR = "item", "annotator"
_MOST_NAME_CHARS = 80


@dataclass(frozen=True, slots=True)
class Labels:
    """What people said, and of which draw."""

    key: Key
    given: tuple[Labelled, ...]


def read_labels(paths: Sequence[Path], keys: Sequence[Key], sheet: Sheet, run: str) -> Labels:
    """The labels in some files, CSV or .xlsx.

    Args:
        keys: of the run's draws.
        run: how messages name the run.

    Raises:
        DataError: a file, line or column is wrong; or the labels are of another run, or of two draws.
    """
    if not keys:
        raise DataError(f"{run}: no answers were drawn for labelling, so these labels are of another run; draw with `siuo label {run}`")
    twice = next((path for place, path in enumerate(paths) if path.resolve() in {each.resolve() for each in paths[:place]}), None)
    if twice is not None:
        raise DataError(f"{twice}: this file of labels is named twice; name each once")
    items = {item: key for key in keys for item in key.by_item()}
    first: dict[tuple[str, str], Row] = {}
    used: dict[str, Row] = {}
    found = []
    for row in (row for path in paths for row in _rows(path, sheet)):
        item, annotator = _text(row, ITEM), _text(row, ANNOTATOR)
        if not item or not annotator or len(annotator) > _MOST_NAME_CHARS:
            empty = ITEM if not item else ANNOTATOR
            raise DataError(f"{row.where}: the column `{empty}` is empty or too long; copy it from the page's file")
        if (key := items.get(item)) is None:
            raise DataError(f"{row.where}: the item {item!r:.60} was never drawn from {run}; are these the labels of another run?")
        if (earlier := first.setdefault((item, annotator), row)) is not row:
            raise DataError(
                f"{row.where}: annotator {annotator!r:.40} labels the item {item} a second time, after {earlier.where}; take one row "
                f"out, or give two people different names in the column `{ANNOTATOR}`"
            )
        used.setdefault(key.token, row)
        if len(used) > 1:
            other = next(iter(used.values()))
            raise DataError(f"{row.where}: this item is of another draw than the one in {other.where}; give the files of one draw")
        stages = _stages(row, sheet)
        if stages:
            found.append(Labelled(item, annotator, stages))
    if not found:
        raise DataError(f"{paths[0]}: holds no label; was it saved before anything was labelled?")
    return Labels(items[found[0].item], tuple(found))


def _rows(path: Path, sheet: Sheet) -> Iterator[Row]:
    rows = read_rows(path)
    columns = [question.column for question in sheet.questions]
    for name in (ITEM, ANNOTATOR):
        if name not in rows[0].fields:
            raise DataError(f"{path}: has no column `{name}`; give the file that a labelling page saved")
    if not any(column in rows[0].fields for column in columns):
        raise DataError(f"{path}: has none of the columns {', '.join(columns)}; give the file that a labelling page of this run saved")
    yield from (row for row in rows if any(_text(row, column) for column in row.fields))  # spreadsheets leave empty ones behind


def _text(row: Row, column: str) -> str:
    """A cell as text; spreadsheets make numbers of some."""
    value: Json = row.fields.get(column)
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    return f"{value:g}" if isinstance(value, int | float) else str(value).strip()


def _stages(row: Row, sheet: Sheet) -> Mapping[str, Value | None]:
    """Stage -> label, None where somebody cannot tell; what is not labelled yet is not there."""
    found: dict[str, Value | None] = {}
    for question in sheet.questions:
        word = _text(row, question.column)
        if word:
            found[question.stage] = _value(row, question, word)
    return found


def _value(row: Row, question: Question, word: str) -> Value | None:
    if word.casefold() == UNSURE:
        return None
    for choice in question.choices:
        if choice.word.casefold() == word.casefold():
            return choice.value
    words = ", ".join(choice.word for choice in question.choices)
    raise DataError(f"{row.where}: the column `{question.column}` says {word!r:.60}, which is none of: {words}, {UNSURE}")
