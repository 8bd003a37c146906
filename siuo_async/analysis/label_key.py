"""The key of a draw: which item on people's pages is which answer of which model, and what it stands for. It never leaves the run.

Pages and files of labels name items by numbers drawn by lot, so that nobody who labels, by looking at a page's source either, can tell
whose answer it is or what the judge said of it. The key is a file of the run, for nobody else's eyes.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from siuo_async.analysis.drawing import Draw, Stratum
from siuo_async.analysis.units import WHOLE, Name, Unit, text_digest
from siuo_async.engine.durable import make_folder
from siuo_async.engine.run_directory import RunDirectory, write_json
from siuo_async.errors import RunDirectoryError
from siuo_async.plain_files import plain_bytes

FOLDER = "labels"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Keyed:
    """One item of the pages: one answer."""

    item: str
    unit: Name
    number: int
    """Of the answer in its sample."""
    digest: str
    """Of its text."""


@dataclass(frozen=True, slots=True)
class Key:
    """One draw and its items."""

    token: str
    """Names the draw; every item begins with it."""
    asked: Mapping[str, Any]
    """Of the command: n, seed, annotators, overlap, whole."""
    strata: tuple[Stratum, ...]
    places: Mapping[Name, int]
    items: tuple[Keyed, ...]
    """In a random order; the answers of one unit together."""

    @property
    def whole(self) -> bool:
        """Whether units are samples."""
        return bool(self.asked["whole"])

    def by_item(self) -> Mapping[str, Keyed]:
        """To look items up."""
        return {each.item: each for each in self.items}


def new_key(drawn: Draw, units: Mapping[Name, Unit], asked: Mapping[str, Any]) -> Key:
    """A key with fresh names for its items."""
    token = secrets.token_hex(3)
    items = []
    for name in drawn.drawn:
        unit = units[name]
        for place in unit.readable:
            seen = unit.answers[place]
            items.append(Keyed(f"{token}-{secrets.token_hex(5)}", name, unit.numbers[place], text_digest(seen)))
    return Key(token, dict(asked), drawn.strata, dict(drawn.places), tuple(items))


def same_draw(keys: Iterable[Key], drawn: Draw, units: Mapping[Name, Unit], asked: Mapping[str, Any]) -> Key | None:
    """The key that the same command made of the same answers before, so that its pages and labels stay good."""
    wanted = [
        (name, units[name].numbers[place], text_digest(units[name].answers[place]))
        for name in drawn.drawn
        for place in units[name].readable
    ]
    for key in keys:
        same = dict(key.asked) == dict(asked) and key.strata == drawn.strata and dict(key.places) == dict(drawn.places)
        if same and [(each.unit, each.number, each.digest) for each in key.items] == wanted:
            return key
    return None


def write_key(directory: RunDirectory, key: Key) -> Path:
    """Writes a key, 0600; its path.

    Raises:
        StoppedEarly: the disk would not take it.
    """
    folder = directory.path / FOLDER
    make_folder(folder)
    path = folder / f"label_key-{key.token}.json"
    write_json(
        path,
        {
            "format": FORMAT,
            "draw": key.token,
            "asked": dict(key.asked),
            "strata": [{"words": each.words, "size": each.size, "drawn": each.drawn, "weight": each.weight} for each in key.strata],
            "units": [[*name, place] for name, place in key.places.items()],
            "items": [
                {
                    "item": each.item,
                    "model": each.unit[0],
                    "sample": each.unit[1],
                    "unit": "sample" if each.unit[2] == WHOLE else "answer",
                    "answer": each.number,
                    "text": each.digest,
                    "weight": key.strata[key.places[each.unit]].weight,
                }
                for each in key.items
            ],
        },
    )
    return path


def read_keys(directory: RunDirectory) -> tuple[Key, ...]:
    """All keys of a run, in the order of their names.

    Raises:
        RunDirectoryError: one of them cannot be read.
    """
    return tuple(_read(path) for path in sorted((directory.path / FOLDER).glob("label_key-*.json")))


def _read(path: Path) -> Key:
    try:
        found = orjson.loads(plain_bytes(path))
        if found["format"] != FORMAT:
            raise RunDirectoryError(f"{path} was written by another version of siuo; use that one, or draw again with `siuo label`")
        strata = tuple(Stratum(each["words"], each["size"], each["drawn"]) for each in found["strata"])
        places = {(model, sample, number): place for model, sample, number, place in found["units"]}
        items = tuple(_item(each) for each in found["items"])
        if any(place not in range(len(strata)) for place in places.values()) or any(each.unit not in places for each in items):
            raise ValueError("its parts contradict each other")
        return Key(found["draw"], found["asked"], strata, places, items)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunDirectoryError(
            f"{path} cannot be read ({error}); restore it from a copy, since no label can be told without it"
        ) from error


def _item(found: Mapping[str, Any]) -> Keyed:
    unit = (found["model"], found["sample"], WHOLE if found["unit"] == "sample" else found["answer"])
    return Keyed(found["item"], unit, found["answer"], found["text"])
