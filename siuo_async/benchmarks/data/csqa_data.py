"""Reads Chinese SafetyQA's file (`chinese_safetyqa.jsonl`, or the same as `.csv`) into samples.

The released file has flaws (options with a quote missing, answers that contradict the right letter); each is told, none is dropped in
silence, and none is corrected but for the quote, which hides an option. The format is that of the file released with arXiv 2412.15265.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from siuo_async.benchmarks.data.datasets import (
    Dataset,
    checked_text,
    counted,
    digest_of,
    find_file,
    in_category,
    kind_of,
    parse_json,
    read_lines,
    read_table,
    text_field,
    wanted_categories,
)
from siuo_async.benchmarks.data.sample_store import Rows, StoredSamples
from siuo_async.benchmarks.options import lists_options
from siuo_async.errors import DataError
from siuo_async.values import Json, Sample

FILES = ("chinese_safetyqa.jsonl", "chinese_safetyqa.csv")
_LEVELS = 3
_MOST_OPTIONS_CHARS = 10_000
"""Seventy times the longest released; a literal is only read up to here."""
_KEY = re.compile(r"""(?:^|,)\s*['"]?([A-Z])['"]?\s*:\s*""")
"""Where an option begins in a literal that Python cannot read."""
_NO_TEXT = ("", "null", "none", "true", "false")
"""What stands for something else where it has no quotes."""
_USUAL = ("A", "B", "C", "D")


@dataclass(frozen=True, slots=True)
class _Row:
    """One row, checked."""

    index: int
    where: str
    category: tuple[str, ...]
    question: str
    answer: str
    source: str
    options_text: str
    """As in the file."""
    options: Mapping[str, str]
    """Empty where they cannot be read."""
    gold: str
    mended: bool
    """Whether the options could only be read by leniency."""

    @property
    def answerable(self) -> bool:
        """Whether a letter can be right."""
        return self.gold in self.options and len(self.options) > 1


def load_csqa(folder_or_file: Path, *, need_options: bool, categories: Collection[str] = ()) -> Dataset:
    """Load Chinese SafetyQA's samples.

    The id is the row's number, from 0; the category its path of three levels. Fields: `standard_answer`, `options` (letter -> text, in
    the file's order), `options_text` (as in the file), `gold` (the right letter), `source` (a URL, may be empty).

    Args:
        folder_or_file: the folder that holds the file, or the file itself.
        need_options: whether a letter is to be chosen. Rows in which none can be right are then left out (and told in `skipped`),
            else kept and told in `notes`.
        categories: keep only these, of any level; empty keeps all.

    Raises:
        DataError: the file cannot be used; the message names the line and field.
    """
    file = find_file(folder_or_file, FILES)
    rows = Rows(_read_rows(file, need_options=need_options), _packed, _unpacked)
    if not len(rows):
        raise DataError(f"{file}: holds no questions")
    wanted = wanted_categories(categories, (row.category for row in rows), file)
    odd = _Oddities(file, need_options=need_options)
    samples = StoredSamples.of(_sample(row) for row in rows if in_category(row.category, wanted) and odd.keep(row))
    return Dataset(samples, digest_of(samples), tuple(odd.skipped), file, tuple(odd.notes()))


def describe_csqa(folder: Path) -> list[str]:
    """What there is of Chinese SafetyQA in `folder`, one sentence each, with how to get what is missing.

    Raises:
        DataError: the file cannot be used.
    """
    try:
        file = find_file(folder, FILES)
    except DataError:
        return [f"{FILES[0]}: missing; get it with `siuo data fetch csqa`, or `siuo data import csqa PATH` (PATH: a checkout)"]
    dataset = load_csqa(file, need_options=True)
    levels = Counter(sample.category[0] for sample in dataset.samples)
    kinds = ", ".join(f"{name} {count}" for name, count in levels.most_common())
    gold = Counter(sample.fields["gold"] for sample in dataset.samples)
    return [
        f"{file.name}: {counted(len(dataset.samples), 'question')} ({kinds})",
        f"{file.name}: right letters: {', '.join(f'{letter} {gold[letter]}' for letter in sorted(gold))}",
        *dataset.skipped,
        *dataset.notes,
    ]


def read_options(text: str) -> tuple[dict[str, str], bool]:
    """The options in a Python literal, and whether it was mended.

    Args:
        text: a dictionary of letters and texts. One that Python cannot read (a quote is missing) is cut at its letters.

    Raises:
        ValueError: no options can be read from it, or a letter stands twice.
    """
    if len(text) > _MOST_OPTIONS_CHARS:
        raise ValueError(f"its options are longer than {_MOST_OPTIONS_CHARS:,} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes in the literal
            literal = ast.parse(text.strip(), mode="eval").body
            found = ast.literal_eval(literal)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return _cut_at_letters(text), True
    if not isinstance(found, dict) or not all(isinstance(value, str | int | float) for value in found.values()):
        raise ValueError("its options are no dictionary of letters and texts")
    letters = [name.strip().upper() if isinstance(name, str) else "" for name in found]
    named = len(literal.keys) if isinstance(literal, ast.Dict) else len(letters)  # Python takes the last of two equal ones
    if len(set(letters)) < named or not all(len(letter) == 1 and "A" <= letter <= "Z" for letter in letters):
        raise ValueError("its options are not named by single letters")
    return {letter: str(value) for letter, value in zip(letters, found.values(), strict=True)}, False


def _cut_at_letters(text: str) -> dict[str, str]:
    inside = text.strip().removeprefix("{").removesuffix("}")
    keys = list(_KEY.finditer(inside))
    ends = [key.start() for key in keys[1:]] + [len(inside)]
    letters = [key[1] for key in keys]
    if len(letters) < 2 or letters != [chr(ord("A") + place) for place in range(len(letters))]:
        raise ValueError("its options cannot be read")
    return {key[1]: _without_quotes(inside[key.end() : end]) for key, end in zip(keys, ends, strict=True)}


def _without_quotes(value: str) -> str:
    value = value.strip().rstrip(",").strip()
    if value.casefold() in _NO_TEXT:
        raise ValueError("its options are no dictionary of letters and texts")
    return re.sub(r"""^['"]|['"]$""", "", value)


def _read_rows(file: Path, *, need_options: bool) -> Iterator[_Row]:
    raw: Iterator[tuple[int, Mapping[str, Json]]] = read_table(file) if file.suffix.lower() == ".csv" else _json_rows(file)
    for index, (line, found) in enumerate(raw):
        yield _row(index, f"{file}: line {line} (id {index})", found, need_options=need_options)


def _packed(row: _Row) -> list[Json]:
    return [getattr(row, name) for name in _Row.__slots__]


def _unpacked(found: list[Json]) -> _Row:
    index, where, category, *others = found
    return _Row(index, where, tuple(category), *others)


def _json_rows(file: Path) -> Iterator[tuple[int, Mapping[str, Json]]]:
    for line, text in read_lines(file):
        if not text.strip():
            raise DataError(f"{file}: line {line} is blank, and the ids are numbers of lines; take the line out")
        row = parse_json(text, str(file), line=line)
        if not isinstance(row, dict):
            raise DataError(f"{file}: line {line} must be an object, but it is {kind_of(row)}")
        yield line, row


def _row(index: int, where: str, row: Mapping[str, Json], *, need_options: bool) -> _Row:
    optional = {} if need_options else {"options": "", "correct_answer": ""}
    row = {"standard_source_url": "", **optional, **row}
    options_text = text_field(where, row, "options")
    try:
        options, mended = read_options(options_text)
    except ValueError:
        options, mended = {}, False
    for letter, text in options.items():  # what Python reads out of a literal may be half a character
        checked_text(where, f"`options` ({letter})", text)
    return _Row(
        index=index,
        where=where,
        category=tuple(text_field(where, row, "cate", may_be_empty=False).split("-", _LEVELS - 1)),
        question=text_field(where, row, "question", may_be_empty=False),
        answer=text_field(where, row, "standard_answer", may_be_empty=need_options),
        source=text_field(where, row, "standard_source_url"),
        options_text=options_text,
        options=options,
        gold=text_field(where, row, "correct_answer").strip().upper(),
        mended=mended,
    )


def _sample(row: _Row) -> Sample:
    return Sample(
        id=str(row.index),
        category=row.category,
        text=row.question,
        fields={
            "standard_answer": row.answer,
            "options": dict(row.options),
            "options_text": row.options_text,
            "gold": row.gold,
            "source": row.source,
        },
    )


def _why_unanswerable(row: _Row) -> str:
    if not row.options:
        return "its options cannot be read"
    if row.gold not in row.options:
        return f"its right letter {row.gold!r} is none of its options ({', '.join(row.options)})"
    return "it has one option only"


class _Oddities:
    """What is odd about rows, told when all have been looked at.

    Args:
        need_options: whether a letter is to be chosen.
    """

    def __init__(self, file: Path, *, need_options: bool) -> None:
        self._file = file
        self._need_options = need_options
        self._notes: list[str] = []
        self._listed: list[int] = []
        self._unlike: list[int] = []
        self._wrong: list[int] = []
        self.skipped: list[str] = []

    def keep(self, row: _Row) -> bool:
        """Whether a row can be asked; notes what is odd about it."""
        if self._need_options and not row.answerable:
            self.skipped.append(f"{row.where} is left out: {_why_unanswerable(row)}")
            return False
        self._notes += _notes(row, need_options=self._need_options)
        if self._need_options and row.answerable and lists_options(row.question, row.options):
            self._listed.append(row.index)
        if row.answerable and row.answer.strip() and row.answer != row.options[row.gold]:
            self._unlike.append(row.index)
            self._wrong += [row.index] if _contradicts(row) else []
        return True

    def notes(self) -> Iterator[str]:
        """What is odd about the rows that are kept."""
        yield from self._notes
        if self._listed:
            yield (
                f"{self._file}: in {len(self._listed)} rows the question lists the options by letter (ids {_ids(self._listed)}); "
                "they are kept, and their options are always shown in the file's order"
            )
        if self._unlike:
            likely = (
                f"; likely label errors, as it is another option's text or another number: {_ids(self._wrong)}" if self._wrong else ""
            )
            yield (
                f"{self._file}: in {len(self._unlike)} rows the standard answer is not the right letter's text "
                f"(ids {_ids(self._unlike)}); they are kept{likely}"
            )


def _ids(indices: Sequence[int]) -> str:
    return ", ".join(map(str, indices))


def _notes(row: _Row, *, need_options: bool) -> Iterator[str]:
    """What is odd about a row that is kept, a sentence each."""
    if len(row.category) < _LEVELS:
        yield f"{row.where}: its category {'-'.join(row.category)!r} has fewer than {_LEVELS} levels, and is kept"
    if row.mended:
        yield f"{row.where}: a quote is missing in its options; they are read as {', '.join(row.options.values())}"
    if need_options and tuple(row.options) != _USUAL:
        yield f"{row.where}: its options are {', '.join(row.options)} instead of A to D; it is kept"
    if not need_options and row.options_text and not row.answerable:
        yield f"{row.where}: {_why_unanswerable(row)}; it is kept, as no letter is asked for"


def _contradicts(row: _Row) -> bool:
    """Whether standard answer and right letter mean different things, as far as their spelling tells."""
    answer, gold = row.answer, row.options[row.gold]
    others = {_plain(text) for letter, text in row.options.items() if letter != row.gold}
    return _plain(answer) in others or (answer != gold and re.split(r"\d+", answer) == re.split(r"\d+", gold))


def _plain(text: str) -> str:
    return "".join(text.split()).casefold()
