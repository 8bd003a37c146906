"""Reads USB-SafeBench's two tables (`USB_base_final.csv`, `USB_hard_final.csv`) and their pictures into samples.

Its rows come from a dozen sources and some lack a usable picture, so what is wrong with a single row leaves that row out and is told
with its line; what makes the whole file doubtful (a broken table, ids given twice) is an error. The pictures stay in `img.zip`: a
run of 13,000 of them needs no 13,000 files. Format: the data set's card and loaders (arXiv 2505.23793); it is gated, so none of it
is here but the names of its categories.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from siuo_async.benchmarks.data.datasets import (
    Dataset,
    counted,
    digest_of,
    find_file,
    first_few,
    in_category,
    read_table,
    wanted_categories,
)
from siuo_async.benchmarks.data.pictures import PictureReader
from siuo_async.benchmarks.data.sample_store import Ids, Rows, StoredSamples
from siuo_async.errors import DataError
from siuo_async.values import EMPTY, Json, Picture, Sample

BASE_FILE = "USB_base_final.csv"
HARD_FILE = "USB_hard_final.csv"
VULNERABILITY = "vulnerability"
OVERREFUSAL = "overrefusal"
OVERREFUSAL_CATEGORY = "Over-refusal"
"""The first level of the category of harmless probes, so that they are never counted among the harmful ones."""
COMBINATIONS = ("RIRT", "SIRT", "RIST", "SIST")
"""Risky or safe image, risky or safe text."""
_LEVELS = ("level1_category", "level2_category", "level3_category")
COLUMNS = ("id", "text", "open_url", *_LEVELS, "img_risk", "text_risk", "img_style", "usage")
_CHINESE = "text_zh"
_FLAGS: Mapping[str, str] = {"0": "S", "0.0": "S", "1": "R", "1.0": "R"}
"""Tables written with gaps in a column of whole numbers have them as 1.0."""
_CATEGORIES = Path(__file__).with_name("usb_categories.json")
_GET = "get it with `siuo data fetch usb` (its terms have to be accepted on its page first)"


@dataclass(frozen=True, slots=True)
class _Row:
    """One row, checked, its picture not yet looked for."""

    line: int
    """Of the file, where the row begins."""
    id: str
    text: str
    image: str
    category: tuple[str, ...]
    fields: Mapping[str, Json]


class _Oddities:
    """What is told of a file when it has been read."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.skipped: list[str] = []
        self._notes: dict[str, list[int]] = {}

    def leave_out(self, line: int, sample_id: str, reason: str) -> None:
        """Tells why a row is left out."""
        self.skipped.append(f"{self._file}: line {line} (id {sample_id}) is left out: {reason}")

    def note(self, line: int, what: str) -> None:
        """Tells of a row that is kept; rows of which the same is said share a sentence."""
        self._notes.setdefault(what, []).append(line)

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence per kind of oddity."""
        return tuple(f"{self._file}: {what}: {_lines(lines)}" for what, lines in self._notes.items())


def load_usb(
    folder: Path,
    *,
    hard: bool,
    pictures: Path | None = None,
    language: Literal["en", "zh"] = "en",
    combinations: Collection[str] = (),
    usages: Collection[str] = (),
    categories: Collection[str] = (),
    missing_images: Literal["error", "skip"] = "skip",
    known: Mapping[str, Picture] = EMPTY,
) -> Dataset:
    """Load USB-SafeBench's samples.

    The category of a harmful row is its path of three levels, that of a harmless probe begins with `OVERREFUSAL_CATEGORY`. Fields:
    `combination` (None for harmless probes), `usage`, `img_style`, `language`.

    Args:
        folder: the folder that holds the table, or the table itself.
        hard: USB-Hard instead of USB-Base.
        pictures: the folder or ZIP archive of the pictures; else `img/` beside the table, and `img.zip` for what is not in it.
        language: `zh` asks the texts of the column `text_zh`, which only older tables have.
        combinations: keep only harmful rows of these (`RIRT`, ...); empty keeps all. Harmless probes have none.
        usages: keep only these (`vulnerability`, `overrefusal`); empty keeps both.
        categories: keep only these, of any level, in any case; empty keeps all.
        missing_images: whether rows without a usable picture are left out (and told in `skipped`) or an error.
        known: pictures by place from an earlier run, trusted while size and time of change fit.

    Raises:
        DataError: the table cannot be used, a filter fits nothing, or no row has a usable picture.
    """
    name, other = (HARD_FILE, BASE_FILE) if hard else (BASE_FILE, HARD_FILE)
    file = find_file(folder, (name,))
    if file.name.casefold() == other.casefold():
        raise DataError(f"{file}: is the table of usb-{'base' if hard else 'hard'}; run that, or name the table {name}")
    odd = _Oddities(file)
    rows = Rows(_read_rows(file, language, odd), _packed, _unpacked)
    if not len(rows):
        raise DataError(f"{file}: holds no row that can be used; " + (f"the first: {odd.skipped[0]}" if odd.skipped else _GET))
    chosen = Rows(_filtered(rows, file, combinations, usages, categories), _packed, _unpacked)
    if not len(chosen):
        raise DataError(f"{file}: no row fits the chosen combinations, usages and categories all at once; widen one of them")
    places = find_usb_pictures(file, pictures)
    without: list[str] = []
    with PictureReader(places, known) as reader:
        samples = StoredSamples.of(_with_pictures(chosen, reader, odd, without))
    if without and (missing_images == "error" or not len(samples)):
        raise DataError(
            f"{file}: {len(without)} of {len(chosen)} rows have no usable picture in {' or '.join(map(str, places))} ({without[0]}); "
            + (
                "name the folder or archive with --images"
                if not len(samples)
                else "get them, or leave these rows out (--missing-images skip)"
            )
        )
    return Dataset(samples, digest_of(samples), tuple(odd.skipped), file, odd.notes)


def _with_pictures(rows: Iterable[_Row], reader: PictureReader, odd: _Oddities, without: list[str]) -> Iterator[Sample]:
    """The samples; rows without a usable picture are told to `odd`, and why to `without`."""
    for row, (picture,) in reader.beside(rows, lambda row: (row.image,)):
        if isinstance(picture, Picture):
            yield Sample(row.id, row.category, row.text, (picture,), row.fields)
        else:
            odd.leave_out(row.line, row.id, str(picture))
            without.append(str(picture))


def _packed(row: _Row) -> list[Json]:
    return [row.line, row.id, row.text, row.image, row.category, row.fields]


def _unpacked(found: list[Json]) -> _Row:
    line, identity, text, image, category, fields = found
    return _Row(line, identity, text, image, tuple(category), fields)


def describe_usb(folder: Path, name: str) -> list[str]:
    """What there is of the table `name` in `folder`, one sentence each, with how to get what is missing; every picture is read.

    Raises:
        DataError: the table or its pictures cannot be used.
    """
    try:
        file = find_file(folder.parent if folder.is_file() else folder, (name,))
    except DataError:
        return [f"{name}: missing; {_GET}"]
    dataset = load_usb(file, hard=name == HARD_FILE)
    kinds = Counter(sample.fields["combination"] or OVERREFUSAL for sample in dataset.samples)
    counts = ", ".join(f"{kind} {kinds[kind]}" for kind in (*COMBINATIONS, OVERREFUSAL))
    left_out = [f"{name}: left out: {counted(len(dataset.skipped), 'row')}; the first: {dataset.skipped[0]}"] if dataset.skipped else []
    return [f"{name}: {counted(len(dataset.samples), 'row')} with a picture ({counts})", *left_out, *dataset.notes]


def find_usb_pictures(file: Path, pictures: Path | None) -> tuple[Path, ...]:
    """The folder or archive of the pictures that belong to the table `file`; both where an archive was unpacked beside it.

    Raises:
        DataError: there is none.
    """
    if pictures is not None:
        if not pictures.exists():
            raise DataError(f"{pictures}: there is no such folder or archive of pictures")
        return (pictures,)
    for base in (file.parent, file.parent.parent):
        folder = (base,) if (base / "img").is_dir() else ()  # the names in the table begin with `img/`
        archive = (base / "img.zip",) if (base / "img.zip").is_file() else ()
        if places := (*folder, *archive):
            return places
    raise DataError(
        f"{file.parent}: holds the table but neither img.zip nor the folder img; {_GET}, or name the pictures with --images"
    )


def _read_rows(file: Path, language: Literal["en", "zh"], odd: _Oddities) -> Iterator[_Row]:
    """The rows that can be used; the others are told to `odd`."""
    ids = Ids()
    needed = dict.fromkeys(COLUMNS, "") | ({_CHINESE: "ask in English (--language en)"} if language == "zh" else {})
    for line, cells in read_table(file, needed):
        if sample_id := cells["id"].strip():
            ids.add(sample_id)
        if (reason := _unusable(cells, language)) is not None:
            odd.leave_out(line, sample_id, reason)
            continue
        usage = _usage(cells["usage"])
        combination = _combination(cells) if usage == VULNERABILITY else None
        category = _category(cells, usage, line, odd)
        fields = {"combination": combination, "usage": usage, "img_style": cells["img_style"].strip(), "language": language}
        yield _Row(line, sample_id, cells[_CHINESE if language == "zh" else "text"], cells["open_url"], category, fields)
    if not ids.differ():
        _must_differ(file)


def _must_differ(file: Path) -> None:
    first: dict[str, int] = {}
    for line, cells in read_table(file):
        sample_id = cells["id"].strip()
        if sample_id and (earlier := first.setdefault(sample_id, line)) != line:
            raise DataError(f"{file}: lines {earlier} and {line} both have the id {sample_id!r}; ids must be unique")


def _unusable(cells: Mapping[str, str], language: Literal["en", "zh"]) -> str | None:
    """Why a row cannot be asked or scored, if so."""
    if not cells["id"].strip():
        return "its id is empty"
    usage = _usage(cells["usage"])
    if usage not in (VULNERABILITY, OVERREFUSAL):
        return f"its usage {cells['usage']!r} is neither {VULNERABILITY!r} nor {OVERREFUSAL!r}"
    text = _CHINESE if language == "zh" else "text"
    if not cells[text].strip():
        return f"its {text} is empty"
    if not cells["open_url"].strip():
        return "its open_url is empty, so it has no picture"
    if usage == OVERREFUSAL:
        return None
    for flag in ("img_risk", "text_risk"):
        if cells[flag].strip() not in _FLAGS:
            return f"its {flag} {cells[flag]!r} is neither 0 nor 1"
    return None if cells[_LEVELS[0]].strip() else f"its {_LEVELS[0]} is empty"


def _usage(cell: str) -> str:
    return cell.strip().casefold().replace("-", "").replace("_", "").replace(" ", "")


def _combination(cells: Mapping[str, str]) -> str:
    """Both risk flags as one label, as on the published board."""
    return f"{_FLAGS[cells['img_risk'].strip()]}I{_FLAGS[cells['text_risk'].strip()]}T"


def _category(cells: Mapping[str, str], usage: str, line: int, odd: _Oddities) -> tuple[str, ...]:
    """The path of a row, in the spelling of the published board; the released tables differ from it in case, which is not told."""
    found = tuple(" ".join(cells[level].split()) for level in _LEVELS)
    path = found[: found.index("")] if "" in found else found
    if usage == OVERREFUSAL:
        return (OVERREFUSAL_CATEGORY, *path)
    key = tuple(name.casefold() for name in path)
    if (canonical := _canonical_paths().get(key)) is None:
        odd.note(line, f"category {' / '.join(path)!r} is none of the 61 published ones, and kept")
        return tuple(_canonical_names().get(name.casefold(), name) for name in path)
    if len(path) < len(_LEVELS):
        odd.note(line, f"category {' / '.join(path)!r} has no narrower level, and is kept")
    return canonical


@cache
def _canonical_paths() -> Mapping[tuple[str, ...], tuple[str, ...]]:
    """Every path from the root, whole or not, by its names without regard to case."""
    tree = json.loads(_CATEGORIES.read_text(encoding="utf-8"))
    whole = [(one, two, three) for one, below in tree.items() for two, narrow in below.items() for three in narrow]
    paths = {path[:depth] for path in whole for depth in (1, 2, 3)}
    return {tuple(name.casefold() for name in path): path for path in paths}


@cache
def _canonical_names() -> Mapping[str, str]:
    return {name.casefold(): name for path in _canonical_paths().values() for name in path}


def _filtered(
    rows: Rows[_Row], file: Path, combinations: Collection[str], usages: Collection[str], categories: Collection[str]
) -> Iterator[_Row]:
    _must_be_there(file, "combination", combinations, {row.fields["combination"] for row in rows} - {None})
    _must_be_there(file, "usage", usages, {row.fields["usage"] for row in rows})
    wanted = wanted_categories(categories, (row.category for row in rows), file)
    for row in rows:
        if (
            (not combinations or row.fields["combination"] in combinations)
            and (not usages or row.fields["usage"] in usages)
            and in_category(row.category, wanted)
        ):
            yield row


def _must_be_there(file: Path, what: str, wanted: Collection[str], there: Collection[str]) -> None:
    for name in wanted:
        if name not in there:
            raise DataError(f"{file}: has no {what} {name!r}; it has: {', '.join(sorted(there))}")


def _lines(lines: Sequence[int]) -> str:
    return f"line {lines[0]}" if len(lines) == 1 else f"{len(lines)} rows (lines {first_few(lines)})"
