"""What the loaders of benchmark data share: the data set they make, its digest, and checks that name file, item and field.

Everything that can be wrong with data on disk is found and said before anything is sent. Texts are passed on untouched (curly quotes,
zero-width spaces and outer white space are part of what was measured).
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO, Any, AnyStr

import orjson

from siuo_async.errors import DataError
from siuo_async.values import EMPTY, Json, Sample

MOST_FILE_BYTES = 1 << 29
"""Of a file that is read whole; released ones have less than 1 MB."""
MOST_LINE_BYTES = 1 << 26
"""Of a file that is read line by line."""
_MOST_NAMES = 16
"""Of categories in a sentence; Chinese SafetyQA has 104 narrow ones."""
_MOST_CELL_CHARS = 1 << 24
"""Python's own bound is 131,072; none at all would let an unclosed quote read any file into memory."""
_MOST_PLACES = 5
"""Of the places that a summarising sentence lists."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """What was found on disk, ready to be asked."""

    samples: Sequence[Sample]
    """In the file's order."""
    digest: str
    """SHA-256, hex, over the canonical items and the hashes of their pictures; the folder's place is not in it."""
    skipped: tuple[str, ...]
    """One sentence per item that was left out though it was asked for."""
    file: Path
    notes: tuple[str, ...] = ()
    """What is odd and was kept or mended, one sentence each, with file and place."""
    licence: str = ""
    """Of the data, as their publishers state it."""


def digest_of(samples: Iterable[Sample]) -> str:
    """The `digest` of a data set with these samples."""
    whole = hashlib.sha256()
    for sample in samples:
        canonical = [sample.id, *sample.category, sample.text, sample.fields, [p.sha256 for p in sample.pictures]]
        whole.update(json.dumps(canonical, sort_keys=True, separators=(",", ":")).encode() + b"\n")
    return whole.hexdigest()


def find_file(folder: Path, names: Sequence[str]) -> Path:
    """The first of `names` in `folder`, then in its `data/`; `folder` itself where that is a file.

    Raises:
        DataError: there is none.
    """
    if folder.is_file():
        return folder
    if not folder.exists():
        raise DataError(f"{folder}: there is no such file or folder")
    for base in (folder, folder / "data"):
        for name in names:
            if (base / name).is_file():
                return base / name
    raise DataError(f"{folder}: holds neither {names[0]} nor data/{names[0]}; name the folder (or the file) that does")


def read_text(file: Path) -> str:
    """The file's text, without a byte order mark; line ends are left as they are.

    Raises:
        DataError: it cannot be read, or is not UTF-8.
    """
    try:
        if (size := file.stat().st_size) > MOST_FILE_BYTES:
            raise DataError(
                f"{file}: is {size >> 20} MB, more than the {MOST_FILE_BYTES >> 20} MB that are read at once; is it the right file?"
            )
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror})") from error


def read_lines(file: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file with their numbers, one at a time; only a line feed ends a line, since texts may hold all else.

    A byte order mark at the beginning is left out, and white space at the end of the file.

    Raises:
        DataError: it cannot be read, or is not UTF-8.
    """
    try:
        with open(file, "rb") as found:
            offset, blank = 0, []
            for number, line in enumerate(_bounded(found, file), 1):
                try:
                    text = line.decode("utf-8-sig" if number == 1 else "utf-8").removesuffix("\n")
                except UnicodeDecodeError as error:
                    raise DataError(f"{file}: is not UTF-8 (byte {offset + error.start}); save it as UTF-8") from error
                offset += len(line)
                if not text.strip():
                    blank.append((number, text))
                    continue
                yield from blank
                blank.clear()
                yield number, text
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror})") from error


def _bounded(found: IO[AnyStr], file: Path) -> Iterator[AnyStr]:
    """The lines of an open file; one without an end would be read into memory whole."""
    for number in count(1):
        line = found.readline(MOST_LINE_BYTES + 1)
        if len(line) > MOST_LINE_BYTES:
            raise DataError(
                f"{file}: line {number} is longer than the {MOST_LINE_BYTES >> 20} MB that are read at once; is it the right file?"
            )
        if not line:
            return
        yield line


def read_json(file: Path) -> Json:
    """What a JSON file holds.

    Raises:
        DataError: it cannot be read or is no JSON; the message names line and column.
    """
    return parse_json(read_text(file), str(file))


def parse_json(
    text: str, where: str, *, line: int | None = None, pairs: Callable[[list[tuple[str, Any]]], dict[str, Any]] | None = None
) -> Json:
    """What a JSON text holds.

    Args:
        where: how messages name the file.
        line: the number of the line that `text` is; None: it is a whole file.
        pairs: makes an object of its names and values.

    Raises:
        DataError: it is no JSON.
    """
    try:
        return json.loads(text, object_pairs_hook=pairs)
    except json.JSONDecodeError as error:
        place = f"line {line or error.lineno}, column {error.colno}"
        raise DataError(f"{where}: broken JSON at {place} ({error.msg}); was it copied whole?") from error
    except ValueError as error:  # Python's own words name a setting of the interpreter
        place = f" in line {line}" if line else ""
        raise DataError(f"{where}: holds a number that cannot be read{place} (it has too many digits); mend it there") from error
    except RecursionError as error:
        raise DataError(f"{where}: is nested too deeply to be data of a benchmark") from error


def read_table(file: Path, needed: Mapping[str, str] = EMPTY) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV table: the number of the line where each begins, and its cells by column, all of them texts.

    Args:
        needed: columns that must be there, each with what to do where it is not (may be empty).

    Raises:
        DataError: the file cannot be read, is no proper table, or lacks a column.
    """
    line = 1
    try:
        with open(file, encoding="utf-8-sig", newline="") as text, _wide_cells():
            reader = csv.reader(_bounded(text, file), strict=True)
            header = [name.strip() for name in next(reader, [])]
            _must_have(file, header, needed)
            if (twice := next((name for name in header if name and header.count(name) > 1), None)) is not None:
                raise DataError(f"{file}: has the column `{twice}` twice, so which one counts cannot be told; take one of them out")
            line = reader.line_num + 1
            for cells in reader:
                if cells and len(cells) != len(header):
                    raise DataError(
                        f"{file}: line {line} has {len(cells)} cells, but the table has {len(header)} columns; mend it there"
                    )
                if cells:  # else a blank line
                    yield line, dict(zip(header, cells, strict=True))
                line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{file}: is no proper CSV table from line {line} on ({error}); was it copied whole?") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: is not UTF-8 from line {_line_not_utf8(file)} on ({error.reason}); save it as UTF-8") from error
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror})") from error


def _line_not_utf8(file: Path) -> int:
    """The first such line; a reader is thousands of characters ahead of the row at hand."""
    with open(file, "rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 1  # mended in between


def _must_have(file: Path, header: Sequence[str], needed: Mapping[str, str]) -> None:
    for column, advice in needed.items():
        if column not in header:
            there = f"its columns are: {', '.join(header)}" if any(header) else "it has no header"
            raise DataError(f"{file}: has no column `{column}`; {there}" + (f"; {advice}" if advice else ""))


@contextmanager
def _wide_cells() -> Iterator[None]:
    """Lets long texts in; the bound is the interpreter's, so it is put back."""
    before = csv.field_size_limit(_MOST_CELL_CHARS)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def text_field(where: str, row: Mapping[str, Json], field: str, *, may_be_empty: bool = True) -> str:
    """The text in a field.

    Args:
        where: how messages name the item.

    Raises:
        DataError: it is not there, no text, empty where it must not be, or not valid Unicode.
    """
    if field not in row:
        raise DataError(f"{where} has no field `{field}`; add it (a text)")
    return checked_text(where, f"`{field}`", row[field], may_be_empty=may_be_empty)


def checked_text(where: str, field: str, value: Json, *, may_be_empty: bool = True) -> str:
    """`value`, which must be a text that can be sent; arguments and errors as in `text_field`."""
    if not isinstance(value, str):
        raise DataError(f"{where}: field {field} must be a text, but it is {kind_of(value)}")
    if not may_be_empty and not value.strip():
        raise DataError(f"{where}: field {field} is empty; fill it in or remove the item")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise DataError(f"{where}: field {field} holds half a character (a lone surrogate); mend the text") from None
    return value


def as_stored(where: str, fields: Mapping[str, Json]) -> dict[str, Json]:
    """Fields as a run's directory gives them back, so that a run and its replay make the same prompts of them.

    Raises:
        DataError: JSON cannot hold them, or would hold something else.
    """
    try:
        json.dumps(dict(fields), allow_nan=False)  # what orjson would silently change: not a number, a date
        found: dict[str, Json] = orjson.loads(orjson.dumps(dict(fields)))
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(
            f"{where}: a field holds what JSON cannot ({error}); texts, numbers of at most 64 bits, lists and objects can be kept"
        ) from None
    return found


def kind_of(value: Json) -> str:
    """What a JSON value is, in words."""
    if value is None:
        return "null"
    names = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)


def wanted_categories(categories: Collection[str], paths: Iterable[tuple[str, ...]], file: Path) -> frozenset[str]:
    """The names to keep, for `in_category`; none keeps all.

    Args:
        categories: as the user wrote them: names of any level, in any case.
        paths: category paths of the items that there are.

    Raises:
        DataError: a name is of no level of any path; the message lists what there is, or guesses.
    """
    if not categories:
        return frozenset()
    by_level: dict[str, tuple[int, str]] = {}
    for path in dict.fromkeys(paths):
        for depth, name in enumerate(path):
            by_level.setdefault(name.casefold(), (depth, name))
    for category in categories:
        if category.casefold() not in by_level:
            raise DataError(f"{file}: has no category {category!r}; {_what_there_is(category, by_level)}")
    return frozenset(category.casefold() for category in categories)


def _what_there_is(category: str, by_level: Mapping[str, tuple[int, str]]) -> str:
    guess = difflib.get_close_matches(category.casefold(), by_level, 1, cutoff=0.75)
    widest = [name for depth, name in by_level.values() if depth == 0]
    narrower = len(by_level) - len(widest)
    listed = "; ".join(widest[:_MOST_NAMES]) + ("; ..." if len(widest) > _MOST_NAMES else "")  # one of SIUO's names holds a comma
    below = f" (and {narrower} narrower ones)" if narrower else ""
    return (f"did you mean {by_level[guess[0]][1]!r}? " if guess else "") + f"it has: {listed}{below}"


def in_category(path: tuple[str, ...], wanted: frozenset[str]) -> bool:
    """Whether any level of `path` is wanted."""
    return not wanted or any(level.casefold() in wanted for level in path)


def counted(number: int, noun: str) -> str:
    """A number and its noun, which takes an s where there is not one of it."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def first_few(names: Sequence[object], most: int = _MOST_PLACES) -> str:
    """The first names, with an ellipsis where there are more."""
    return ", ".join(map(str, names[:most])) + (", ..." if len(names) > most else "")
