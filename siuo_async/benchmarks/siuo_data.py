"""Reads SIUO's generation file (`siuo_gen.json`) and its pictures into samples.

Everything that can be wrong with a data set on disk is found and said here, before anything is sent: file, item and field are
named, and what to do about it. Texts are passed on untouched (curly quotes, zero-width spaces and outer white space are part of
what was measured). The format is that of the file released with arXiv 2406.15279; our own demo has the same.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from siuo_async.benchmarks.pictures import read_picture
from siuo_async.errors import DataError
from siuo_async.values import EMPTY, Json, Picture, Sample

GEN_FILE = "siuo_gen.json"
_HASHING_THREADS = 8
"""SIUO's pictures are 1.2 MB each; hashing lets go of the interpreter lock, so a few threads use disk and cores."""
_REFERENCE_KEYS = ("reference_answer", "reference")
"""The released file has the first, the authors' judging script reads the second."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """What was found on disk, ready to be asked."""

    samples: tuple[Sample, ...]
    """In the file's order."""
    digest: str
    """SHA-256, hex, over the canonical items and the hashes of their pictures; the folder's place is not in it."""
    skipped: tuple[str, ...]
    """One sentence per item that was left out."""
    file: Path


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the file, checked, its picture not yet looked for."""

    where: str
    """How messages name it: file, number, id."""
    question_id: int
    image: str
    question: str
    category: str
    safety_warning: str
    reference_answer: str


def load_siuo_gen(
    folder: Path,
    *,
    pictures: Path | None = None,
    missing_images: Literal["error", "skip"] = "error",
    categories: Collection[str] = (),
    known: Mapping[str, Picture] = EMPTY,
) -> Dataset:
    """Load SIUO's generation samples.

    Args:
        folder: the folder that holds `siuo_gen.json` or `data/siuo_gen.json`, or the JSON file itself.
        pictures: the folder of the pictures; else `images/` beside the file, beside its folder, or in `folder`.
        missing_images: whether an item without its picture is an error or left out (and told in `skipped`).
        categories: keep only these (compared without regard to case); empty keeps all.
        known: pictures by path from an earlier run, trusted while size and time of change fit.

    Raises:
        DataError: anything about the file, an item or a picture that keeps it from being used.
    """
    file = find_gen_file(folder)
    chosen = _in_categories(read_items(file), categories, file)
    images = find_images(file, folder, pictures)
    paths = {item.image: _inside(images, item) for item in chosen}
    missing = [item for item in chosen if not os.path.exists(paths[item.image])]
    if missing and (missing_images == "error" or len(missing) == len(chosen)):
        raise DataError(_missing_sentence(missing, len(chosen), images))
    absent = {item.question_id for item in missing}
    kept = [item for item in chosen if item.question_id not in absent]
    samples = tuple(_samples(kept, paths, known))
    skipped = tuple(f"{item.where} is left out: its picture {images / item.image} is missing" for item in missing)
    return Dataset(samples=samples, digest=_digest(samples), skipped=skipped, file=file)


def find_gen_file(folder: Path) -> Path:
    """The generation file in `folder`, in its `data/`, or `folder` itself where that is a file.

    Raises:
        DataError: there is none.
    """
    if folder.is_file():
        return folder
    if not folder.exists():
        raise DataError(f"{folder}: there is no such file or folder")
    for file in (folder / GEN_FILE, folder / "data" / GEN_FILE):
        if file.is_file():
            return file
    raise DataError(f"{folder}: holds neither {GEN_FILE} nor data/{GEN_FILE}; name the folder (or the file) that does")


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
    rows = _read_json(file)
    if not isinstance(rows, list):
        raise DataError(f"{file}: must be a JSON list of items, but it is {_kind(rows)}")
    if not rows:
        raise DataError(f"{file}: holds no items")
    items = [_item(file, number, len(rows), row) for number, row in enumerate(rows, start=1)]
    first: dict[int, int] = {}
    for number, item in enumerate(items, start=1):
        earlier = first.setdefault(item.question_id, number)
        if earlier != number:
            raise DataError(f"{file}: items {earlier} and {number} both have question_id {item.question_id}; ids must be unique")
    return items


def _read_json(file: Path) -> Json:
    try:
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise DataError(
            f"{file}: broken JSON at line {error.lineno}, column {error.colno} ({error.msg}); was it copied whole?"
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except ValueError as error:
        raise DataError(f"{file}: holds a number that cannot be read ({error}); mend it there") from error
    except RecursionError as error:
        raise DataError(f"{file}: is nested too deeply to be a list of items") from error
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror})") from error


def _item(file: Path, number: int, total: int, row: Json) -> Item:
    where = f"{file}: item {number} of {total}"
    if not isinstance(row, dict):
        raise DataError(f"{where} must be an object, but it is {_kind(row)}")
    question_id = row.get("question_id")
    if "question_id" not in row:
        raise DataError(f"{where} has no field `question_id`; add it (a whole number)")
    if type(question_id) is not int:
        raise DataError(f"{where}: field `question_id` must be a whole number, but it is {_kind(question_id)}")
    where = f"{where} (question_id {question_id})"
    reference_key = next((key for key in _REFERENCE_KEYS if key in row), _REFERENCE_KEYS[0])
    return Item(
        where=where,
        question_id=question_id,
        image=_text(where, row, "image", may_be_empty=False),
        question=_text(where, row, "question", may_be_empty=False),
        category=_text(where, row, "category", may_be_empty=False),
        safety_warning=_text(where, row, "safety_warning"),
        reference_answer=_text(where, row, reference_key),
    )


def _text(where: str, row: Mapping[str, Json], field: str, *, may_be_empty: bool = True) -> str:
    if field not in row:
        raise DataError(f"{where} has no field `{field}`; add it (a text)")
    value = row[field]
    if not isinstance(value, str):
        raise DataError(f"{where}: field `{field}` must be a text, but it is {_kind(value)}")
    if not may_be_empty and not value.strip():
        raise DataError(f"{where}: field `{field}` is empty; fill it in or remove the item")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise DataError(f"{where}: field `{field}` holds half a character (a lone surrogate); mend the text") from None
    return value


def _kind(value: Json) -> str:
    if value is None:
        return "null"
    names = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)


def _in_categories(items: Sequence[Item], categories: Collection[str], file: Path) -> Sequence[Item]:
    present = {item.category.casefold(): item.category for item in items}
    unknown = [category for category in categories if category.casefold() not in present]
    if unknown:
        names = "; ".join(present.values())  # one of SIUO's names holds a comma
        raise DataError(f"{file}: has no category {unknown[0]!r}; it has: {names}")
    wanted = {category.casefold() for category in categories} or present.keys()
    return [item for item in items if item.category.casefold() in wanted]


def _inside(images: Path, item: Item) -> Path:
    """The picture's path, held inside `images`: a data file from elsewhere must not make us send other files."""
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
    names = ", ".join(item.image for item in missing[:3]) + (", ..." if len(missing) > 3 else "")
    start = f"{images}: {len(missing)} of {total} pictures are missing ({names}); put them there"
    if len(missing) == total:
        return f"{start} (`siuo data check` says how to get them)"
    return f"{start}, or run without these items (--missing-images skip)"


def _samples(items: Sequence[Item], paths: Mapping[str, Path], known: Mapping[str, Picture]) -> list[Sample]:
    def read(item: Item) -> Picture:
        try:
            return read_picture(paths[item.image], known)
        except DataError as error:
            raise DataError(f"{item.where}: field `image`: {error}") from error

    once = {item.image: item for item in items}
    with ThreadPoolExecutor(max_workers=_HASHING_THREADS) as pool:
        pictures = dict(zip(once, pool.map(read, once.values()), strict=True))
    return [_sample(item, pictures[item.image]) for item in items]


def _sample(item: Item, picture: Picture) -> Sample:
    return Sample(
        id=str(item.question_id),
        category=(item.category,),
        text=item.question,
        pictures=(picture,),
        fields={
            "safety_warning": item.safety_warning,
            "reference_answer": item.reference_answer,
            "image": item.image,
        },
    )


def _digest(samples: Sequence[Sample]) -> str:
    whole = hashlib.sha256()
    for sample in samples:
        canonical = [sample.id, *sample.category, sample.text, sample.fields, [p.sha256 for p in sample.pictures]]
        whole.update(json.dumps(canonical, sort_keys=True, separators=(",", ":")).encode() + b"\n")
    return whole.hexdigest()
