"""Reads SIUO's two files (`siuo_gen.json`, `siuo_mcqa.json`) and their pictures into samples.

Both have the same items in the same form: an id, a picture, a question, a category. They differ in what a score is made from: a
warning and a reference answer there, four options and the right letter here. The format is that of the files released with
arXiv 2406.15279; our own demo has the first.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal, TypeAlias

from siuo_async.benchmarks.data.datasets import (
    Dataset,
    checked_text,
    counted,
    digest_of,
    find_file,
    first_few,
    in_category,
    kind_of,
    read_json,
    text_field,
    wanted_categories,
)
from siuo_async.benchmarks.data.pictures import read_each, read_picture
from siuo_async.errors import DataError
from siuo_async.values import EMPTY, Json, Picture, Sample

GEN_FILE = "siuo_gen.json"
MCQA_FILE = "siuo_mcqa.json"
LETTERS = "ABCD"
"""Of the options; the gold letter is one of them."""
_REFERENCE_KEYS = ("reference_answer", "reference")
"""The released file has the first, the authors' judging script reads the second."""

_FieldsOf: TypeAlias = Callable[[str, Mapping[str, Json]], dict[str, Json]]
"""Makes of an item (how messages name it, its row) what its benchmark's score needs."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a file, checked, its picture not yet looked for."""

    where: str
    """How messages name it: file, number, id."""
    question_id: int
    image: str
    question: str
    category: str
    fields: Mapping[str, Json]
    """What else a score of it needs."""


def load_siuo_gen(
    folder: Path,
    *,
    pictures: Path | None = None,
    missing_images: Literal["error", "skip"] = "error",
    categories: Collection[str] = (),
    known: Mapping[str, Picture] = EMPTY,
    licence: str = "",
) -> Dataset:
    """Load SIUO's generation samples; fields: `safety_warning`, `reference_answer`, `image`.

    Args:
        folder: the folder that holds `siuo_gen.json` or `data/siuo_gen.json`, or the JSON file itself.
        pictures: the folder of the pictures; else `images/` beside the file, beside its folder, or in `folder`.
        missing_images: whether an item without its picture is an error or left out (and told in `skipped`).
        categories: keep only these (compared without regard to case); empty keeps all.
        known: pictures by place from an earlier run, trusted while size and time of change fit.
        licence: of other data than SIUO's in its form.

    Raises:
        DataError: anything about the file, an item or a picture that keeps it from being used.
    """
    file = find_gen_file(folder)
    images = find_images(file, folder, pictures)
    return _load(file, read_items(file), images, missing_images, categories, known, licence)


def load_siuo_mcqa(
    folder: Path,
    *,
    pictures: Path | None = None,
    missing_images: Literal["error", "skip"] = "error",
    categories: Collection[str] = (),
    known: Mapping[str, Picture] = EMPTY,
) -> Dataset:
    """Load SIUO's multiple-choice samples; fields: `options` (letter -> text, A to D), `gold` (the right letter), `image`.

    Arguments and errors are those of `load_siuo_gen`, with `siuo_mcqa.json` for its file.
    """
    file = find_file(folder, (MCQA_FILE,))
    items = read_mcqa_items(file)
    images = find_images(file, folder, pictures)
    return _load(file, items, images, missing_images, categories, known, "", _doubled_options)


def describe_siuo_gen(folder: Path) -> list[str]:
    """What there is of SIUO's generation file in `folder`, a sentence, with how to get it if it is missing.

    Raises:
        DataError: the file cannot be used.
    """
    file = _file_in(folder, GEN_FILE)
    return [_missing(GEN_FILE)] if file is None else [f"{GEN_FILE}: {counted(len(read_items(file)), 'item')}"]


def describe_siuo_mcqa(folder: Path) -> list[str]:
    """What there is of SIUO's multiple choice in `folder`, one sentence each, with how to get what is missing.

    Raises:
        DataError: the file cannot be used.
    """
    if (file := _file_in(folder, MCQA_FILE)) is None:
        return [_missing(MCQA_FILE)]
    items = read_mcqa_items(file)
    gold = ", ".join(f"{letter} {sum(item.fields['gold'] == letter for item in items)}" for letter in LETTERS)
    return [f"{MCQA_FILE}: {counted(len(items), 'item')}; right letters: {gold}", *_doubled_options(items)]


def describe_siuo_pictures(folder: Path) -> list[str]:
    """How many of the pictures that the files in `folder` name are there, and which are damaged; nothing where no file can be read."""
    where: dict[Path, list[Item]] = {}
    for name, read in ((GEN_FILE, read_items), (MCQA_FILE, read_mcqa_items)):
        if (file := _file_in(folder, name)) is not None:
            with contextlib.suppress(DataError):  # told of where the file is described
                items = read(file)
                where.setdefault(find_images(file, folder, None), []).extend(items)
    return [line for images, items in where.items() for line in _pictures(items, images)]


def _file_in(folder: Path, name: str) -> Path | None:
    try:
        return find_file(folder.parent if folder.is_file() else folder, (name,))
    except DataError:
        return None


def _missing(name: str) -> str:
    return f"{name}: missing; get it with `siuo data fetch siuo`, or `siuo data import siuo PATH` (PATH: a checkout of SIUO)"


def _pictures(items: Sequence[Item], images: Path) -> Iterator[str]:
    named = {item.image: item for item in items}
    missing, damaged = [], []
    for name in sorted(named):
        try:
            path = picture_path(images, named[name])
            if os.path.exists(path):
                read_picture(path)
            else:
                missing.append(name)
        except DataError as error:
            damaged.append(f"damaged: {error}")
    line = f"pictures: {len(named) - len(missing)} of {len(named)} in {images}"
    if missing:
        line += (
            f"; missing: {first_few(missing, 3)}. Get them as SIUO's README says (SIUO-images.zip, or the folder `images` of the "
            "sinwang/SIUO data set), unpack them there, or run `siuo data import siuo PATH --images FOLDER`"
        )
    yield line
    yield from damaged


def find_gen_file(folder: Path) -> Path:
    """The generation file in `folder`, in its `data/`, or `folder` itself where that is a file.

    Raises:
        DataError: there is none.
    """
    return find_file(folder, (GEN_FILE,))


def find_images(file: Path, folder: Path, pictures: Path | None) -> Path:
    """The folder of the pictures that belong to `file`; where there is none, the place where it is expected.

    Raises:
        DataError: `pictures` was given and is no folder.
    """
    if pictures is not None:
        if not pictures.is_dir():
            raise DataError(f"{pictures}: is no folder of pictures (an archive has to be unpacked first)")
        return pictures
    beside = file.parent / "images"
    for candidate in (beside, file.parent.parent / "images", folder / "images"):
        if candidate.is_dir():
            return candidate
    return beside


def read_items(file: Path) -> list[Item]:
    """The items of a generation file, checked one by one.

    Raises:
        DataError: the file is no JSON list of SIUO items; the message names item and field.
    """
    return _read_items(file, _gen_fields)


def read_mcqa_items(file: Path) -> list[Item]:
    """The items of a multiple-choice file, checked one by one.

    Raises:
        DataError: the file is no JSON list of SIUO's multiple-choice items; the message names item and field.
    """
    return _read_items(file, _mcqa_fields)


def _read_items(file: Path, fields_of: _FieldsOf) -> list[Item]:
    rows = read_json(file)
    if not isinstance(rows, list):
        raise DataError(f"{file}: must be a JSON list of items, but it is {kind_of(rows)}")
    if not rows:
        raise DataError(f"{file}: holds no items")
    items = [_item(f"{file}: item {number} of {len(rows)}", row, fields_of) for number, row in enumerate(rows, start=1)]
    first: dict[int, int] = {}
    for number, item in enumerate(items, start=1):
        earlier = first.setdefault(item.question_id, number)
        if earlier != number:
            raise DataError(f"{file}: items {earlier} and {number} both have question_id {item.question_id}; ids must be unique")
    return items


def _item(where: str, row: Json, fields_of: _FieldsOf) -> Item:
    if not isinstance(row, dict):
        raise DataError(f"{where} must be an object, but it is {kind_of(row)}")
    question_id = row.get("question_id")
    if "question_id" not in row:
        raise DataError(f"{where} has no field `question_id`; add it (a whole number)")
    if type(question_id) is not int:
        raise DataError(f"{where}: field `question_id` must be a whole number, but it is {kind_of(question_id)}")
    where = f"{where} (question_id {question_id})"
    return Item(
        where=where,
        question_id=question_id,
        image=text_field(where, row, "image", may_be_empty=False),
        question=text_field(where, row, "question", may_be_empty=False),
        category=text_field(where, row, "category", may_be_empty=False),
        fields=fields_of(where, row),
    )


def _gen_fields(where: str, row: Mapping[str, Json]) -> dict[str, Json]:
    reference_key = next((key for key in _REFERENCE_KEYS if key in row), _REFERENCE_KEYS[0])
    return {
        "safety_warning": text_field(where, row, "safety_warning"),
        "reference_answer": text_field(where, row, reference_key),
    }


def _mcqa_fields(where: str, row: Mapping[str, Json]) -> dict[str, Json]:
    for field in ("options", "correct_option"):
        if field not in row:
            raise DataError(f"{where} has no field `{field}`; is this {MCQA_FILE}?")
    found = row["options"]
    if not isinstance(found, dict):
        raise DataError(f"{where}: field `options` must be an object of letters and texts, but it is {kind_of(found)}")
    for name in (*LETTERS, *found):
        if name not in found or name not in tuple(LETTERS):
            wrong = f"there is an option {name!r}" if name in found else f"option {name} is missing"
            raise DataError(f"{where}: field `options` must hold the letters A to D, but {wrong}")
    options = {letter: checked_text(where, f"`options` ({letter})", found[letter], may_be_empty=False) for letter in LETTERS}
    gold = text_field(where, row, "correct_option")
    if gold not in options:
        raise DataError(f"{where}: field `correct_option` must be one of the letters A to D, but it is {gold!r}")
    return {"options": options, "gold": gold}


def _doubled_options(items: Sequence[Item]) -> tuple[str, ...]:
    """Two equal options cannot be told apart: worth knowing, yet part of the released data."""
    doubled = [item for item in items if len(set(item.fields["options"].values())) < len(item.fields["options"])]
    if not doubled:
        return ()
    file = doubled[0].where.rpartition(": item ")[0]
    ids = first_few([item.question_id for item in doubled])
    return (f"{file}: two equal options stand in {counted(len(doubled), 'item')}, kept all the same: {ids}",)


def _load(
    file: Path,
    items: Sequence[Item],
    images: Path,
    missing_images: Literal["error", "skip"],
    categories: Collection[str],
    known: Mapping[str, Picture],
    licence: str,
    notes_on: Callable[[Sequence[Item]], tuple[str, ...]] = lambda _: (),
) -> Dataset:
    wanted = wanted_categories(categories, ((item.category,) for item in items), file)
    chosen = [item for item in items if in_category((item.category,), wanted)]
    paths = {item.image: picture_path(images, item) for item in chosen}
    missing = [item for item in chosen if not os.path.exists(paths[item.image])]
    if missing and (missing_images == "error" or len(missing) == len(chosen)):
        raise DataError(_missing_sentence(missing, len(chosen), images))
    absent = {item.question_id for item in missing}
    kept = [item for item in chosen if item.question_id not in absent]
    samples = tuple(_samples(kept, paths, known))
    skipped = tuple(f"{item.where} is left out: its picture {images / item.image} is missing" for item in missing)
    return Dataset(samples, digest_of(samples), skipped, file, notes_on(kept), licence)


def picture_path(images: Path, item: Item) -> Path:
    """The picture's path, held inside `images`: a data file from elsewhere must not make us send or copy other files.

    Raises:
        DataError: its name, or a link, leads out of the folder.
    """
    advice = "give the name of a file in that folder"
    named = PurePath(item.image)
    if "\x00" in item.image or ".." in named.parts or named.is_absolute():
        raise DataError(f"{item.where}: field `image` ({item.image!r}) leads out of {images}; {advice}")
    path = images / item.image
    try:
        inside = path.resolve().is_relative_to(images.resolve())
    except (OSError, RuntimeError) as error:  # a ring of links
        raise DataError(f"{item.where}: field `image` ({item.image!r}) cannot be followed ({error}); {advice}") from error
    if not inside:
        raise DataError(f"{item.where}: field `image` ({item.image!r}) is a link that leads out of {images}; put the file itself there")
    return path


def _missing_sentence(missing: Sequence[Item], total: int, images: Path) -> str:
    names = first_few([item.image for item in missing], 3)
    start = f"{images}: {len(missing)} of {total} pictures are missing ({names}); put them there"
    if len(missing) == total:
        return f"{start} (`siuo data check` says how to get them)"
    return f"{start}, or run without these items (--missing-images skip)"


def _samples(items: Sequence[Item], paths: Mapping[str, Path], known: Mapping[str, Picture]) -> list[Sample]:
    pictures = read_each(lambda image: read_picture(paths[image], known), (item.image for item in items))
    return [_sample(item, pictures[item.image]) for item in items]


def _sample(item: Item, picture: Picture | DataError) -> Sample:
    if isinstance(picture, DataError):
        raise DataError(f"{item.where}: field `image`: {picture}") from picture
    return Sample(
        id=str(item.question_id),
        category=(item.category,),
        text=item.question,
        pictures=(picture,),
        fields={**item.fields, "image": item.image},
    )
