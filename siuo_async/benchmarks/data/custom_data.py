"""Reads the JSONL file of a custom benchmark and its pictures into samples, with errors that name file, line and field."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Literal

from siuo_async.benchmarks.custom_scores import ALL
from siuo_async.benchmarks.custom_spec import RESERVED, Spec, placeholders
from siuo_async.benchmarks.data.datasets import (
    Dataset,
    as_stored,
    checked_text,
    digest_of,
    in_category,
    kind_of,
    parse_json,
    read_lines,
    text_field,
    wanted_categories,
)
from siuo_async.benchmarks.data.pictures import PictureReader
from siuo_async.benchmarks.data.sample_store import Ids, Rows, StoredSamples, first_twice
from siuo_async.errors import ConfigError, DataError
from siuo_async.values import EMPTY, Json, Picture, Sample
from siuo_async.wording import shown

MOST_OPTIONS = 26
_OWN = ("id", "text", "image", "images", "category")


@dataclass(frozen=True, slots=True)
class Row:
    """One row, checked, its pictures not yet looked for."""

    where: str
    id: str
    category: tuple[str, ...]
    text: str
    images: tuple[str, ...]
    fields: Mapping[str, Json]


def read_rows(file: Path) -> Iterator[tuple[str, dict[str, Json]]]:
    """The objects of a JSONL file, each with how messages name it (`FILE: line 3`); blank lines are skipped.

    Raises:
        DataError: the file cannot be read, or a line is no JSON object, or names a field twice.
    """
    for number, line in read_lines(file):
        if line.strip():
            row = parse_json(line, str(file), line=number, pairs=partial(_once, f"{file}: line {number}"))
            if not isinstance(row, dict):
                raise DataError(f"{file}: line {number} is {kind_of(row)}; each line must be an object, as in {{'id': 1, 'text': ...}}")
            yield f"{file}: line {number}", row


def _once(where: str, pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{where}: field `{twice}` stands twice; keep the one that counts")
    return found


def load_custom(
    spec: Spec,
    home: Path,
    *,
    data: Path | None = None,
    pictures: Path | None = None,
    missing_images: Literal["error", "skip"] = "error",
    categories: Collection[str] = (),
    known: Mapping[str, Picture] = EMPTY,
) -> Dataset:
    """The samples of a custom benchmark; fields: whatever else a row holds, and for a letter `options` (letter -> text) and `gold`.

    Args:
        spec: the YAML file.
        home: the folder of the YAML file.
        data: another JSONL file, or the folder that it is in.
        pictures: another folder or archive of the pictures.
        missing_images: whether a row without its picture is an error or left out (and told in `skipped`).
        categories: keep only these; empty keeps all.
        known: pictures by place from an earlier run.

    Raises:
        DataError: anything about the file, a row or a picture that keeps it from being used.
        ConfigError: a template names a field that no row has.
    """
    file = home / spec.data if data is None else data / spec.data if data.is_dir() else data
    if not file.is_file():
        raise DataError(f"{file}: there is no such file; `data` of the benchmark names a JSONL file beside it")
    ids = Ids()
    rows = Rows(_rows(file, spec, ids), _packed, _unpacked)
    if not len(rows):
        raise DataError(f"{file}: holds no row; write one JSON object per line, as in {{'id': 1, 'text': ...}}")
    if not ids.differ():
        _must_differ(rows)
    _must_fill(rows, spec, file)
    wanted = wanted_categories(categories, (row.category for row in rows), file)
    chosen = (row for row in rows if in_category(row.category, wanted))
    skipped: list[str] = []
    with PictureReader((pictures or home / spec.images,), known) as reader:
        samples = StoredSamples.of(_with_pictures(chosen, reader, missing_images, skipped))
    return Dataset(samples, digest_of(samples), tuple(skipped), file, licence=spec.licence)


def _rows(file: Path, spec: Spec, ids: Ids) -> Iterator[Row]:
    """The rows one by one; their ids are noted."""
    for where, found in read_rows(file):
        row = _row(where, found, spec)
        ids.add(row.id)
        yield row


def _packed(row: Row) -> list[Json]:
    return [row.where, row.id, row.category, row.text, row.images, row.fields]


def _unpacked(found: list[Json]) -> Row:
    where, identity, category, text, images, fields = found
    return Row(where, identity, tuple(category), text, tuple(images), fields)


def _row(where: str, row: Mapping[str, Json], spec: Spec) -> Row:
    if "id" not in row:
        raise DataError(f"{where} has no field `id`; add one (a text or a number, different in each row)")
    given = row["id"]
    if isinstance(given, bool) or not isinstance(given, int | str):
        raise DataError(f"{where}: field `id` must be a text or a whole number, but it is {kind_of(given)}")
    fields = {name: value for name, value in row.items() if name not in _OWN}
    if spec.kind == "letter":
        fields |= _letters(where, row)
    elif taken := next((name for name in ("answer", "question") if name in fields), None):
        raise DataError(f"{where}: field `{taken}` has a meaning of its own in the judge's prompt; call it something else")
    for name, value in fields.items():
        if isinstance(value, str):
            checked_text(where, f"`{name}`", value)
    return Row(
        where,
        checked_text(where, "`id`", str(given), may_be_empty=False),
        _category(where, spec.category, row.get(spec.category)),
        text_field(where, row, "text", may_be_empty=False),
        _images(where, row),
        as_stored(where, fields),
    )


def _category(where: str, field: str, value: Json) -> tuple[str, ...]:
    levels = (ALL,) if value in (None, "", []) else tuple(value) if isinstance(value, list) else (value,)
    return tuple(checked_text(where, f"`{field}`", level, may_be_empty=False) for level in levels)


def _images(where: str, row: Mapping[str, Json]) -> tuple[str, ...]:
    if "image" in row and "images" in row:
        raise DataError(f"{where} has both `image` and `images`; keep one")
    field = "images" if "images" in row else "image"
    value = row.get(field)
    names = [] if value is None else value if isinstance(value, list) else [value]
    return tuple(checked_text(where, f"`{field}`", name, may_be_empty=False) for name in names)


def _letters(where: str, row: Mapping[str, Json]) -> dict[str, Json]:
    options = row.get("options")
    if isinstance(options, list):
        options = {chr(ord("A") + place): text for place, text in enumerate(options[: MOST_OPTIONS + 1])}
    if not isinstance(options, dict) or not 2 <= len(options) <= MOST_OPTIONS:
        raise DataError(f"{where}: field `options` must hold 2 to {MOST_OPTIONS} texts, as a list or as an object with their letters")
    for letter, text in options.items():
        checked_text(where, f"`options` {letter}", text, may_be_empty=False)
    if not isinstance(row.get("gold"), str) or row["gold"] not in options:
        raise DataError(
            f"{where}: field `gold` must be the letter of the right option ({', '.join(options)}), but it is {shown(row.get('gold'))}"
        )
    return {"options": options, "gold": row["gold"]}


def _must_differ(rows: Iterable[Row]) -> None:
    if found := first_twice(row.id for row in rows):
        earlier, later = (next(islice(rows, place, None)) for place in found)
        raise DataError(f"{later.where}: has the id {later.id!r} of {earlier.where.rpartition(': ')[2]}; give each row its own")


def _must_fill(rows: Rows[Row], spec: Spec, file: Path) -> None:
    """Every placeholder is a field of every row, so that no prompt can fail in the middle of a run."""
    templates = {"question": spec.question} | ({"judge.prompt": spec.judge.prompt} if spec.judge else {})
    named = [(where, name) for where, template in templates.items() for name in placeholders(template) if name not in RESERVED]
    lacking: dict[str, int] = dict.fromkeys((name for _, name in named), 0)
    first: dict[str, str] = {}
    for row in rows:
        held = values_of(row.id, row.text, row.category, row.fields)
        for name in lacking:
            if name not in held:
                lacking[name] += 1
                first.setdefault(name, row.where)
    for where, name in named:
        if lacking[name] == len(rows):
            there = values_of("", "", (), next(iter(rows)).fields)
            raise ConfigError(
                f"the template '{where}' names {{{name}}}, which no row of {file} has; its fields are: {', '.join(there)}"
            )
        if lacking[name]:
            raise DataError(f"{first[name]} has no field `{name}`, which the template '{where}' names; add it")


def values_of(identity: str, text: str, category: Sequence[str], fields: Mapping[str, Json]) -> dict[str, Json]:
    """What a template can name of a row."""
    return {"id": identity, "text": text, "category": " / ".join(category), **fields}


def _with_pictures(rows: Iterable[Row], reader: PictureReader, missing_images: str, skipped: list[str]) -> Iterator[Sample]:
    """The samples; what is left out is told to `skipped`."""
    for row, pictures in reader.beside(rows, lambda row: row.images):
        if wrong := next((each for each in pictures if isinstance(each, DataError)), None):
            if missing_images == "error":
                raise DataError(f"{row.where}: {wrong}; add it, or leave such rows out with --missing-images skip")
            skipped.append(f"{row.where}: {wrong}")
            continue
        seen = tuple(each for each in pictures if isinstance(each, Picture))
        yield Sample(row.id, row.category, row.text, seen, row.fields)
