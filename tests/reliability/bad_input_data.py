"""Data sets: every field of every benchmark's data spoilt, and their files damaged."""

from __future__ import annotations

import csv
import io
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cli import usb_set
from tests.cli.test_csqa import make_csqa
from tests.reliability.bad_input_cases import Case, Family, Ground
from tests.reliability.bad_input_config import EXAMPLES, ROOT
from tests.reliability.bad_input_values import WRONG, hit, in_place, slip, spoilt

Change = Callable[[bytes, random.Random], tuple[str, bytes]]
_JUDGE = ("--judge", "sim/openai-judge")
_SETS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "siuo-gen": ("data/siuo_gen.json", _JUDGE, "siuo"),
    "siuo-mcqa": ("mcqa/siuo_mcqa.json", (), "siuo"),
    "usb-base": ("usb/USB_base_final.csv", _JUDGE, "usb"),
    "csqa-qa": ("csqa/chinese_safetyqa.jsonl", _JUDGE, "csqa"),
    "csqa-mcq": ("csqa-table/chinese_safetyqa.csv", (), "csqa"),
    "own/warns.yaml": ("own/warns.jsonl", _JUDGE, ""),
    "own/signs.yaml": ("own/signs.jsonl", (), ""),
}
"""Benchmark -> its file, whether it is judged, how `siuo data check` calls it."""
_DEEP = "[" * 3000 + "]" * 3000


def prepare(ground: Ground) -> None:
    """A small whole data set of each benchmark."""
    folder = ground.folder
    items = json.loads((folder / "data" / "siuo_gen.json").read_text(encoding="utf-8"))
    shutil.copytree(folder / "data", folder / "mcqa")
    (folder / "mcqa" / "siuo_gen.json").unlink()
    options = {letter: f"Option {letter}" for letter in "ABCD"}
    letters = [{**item, "options": options, "correct_option": "B"} for item in items]
    (folder / "mcqa" / "siuo_mcqa.json").write_text(json.dumps(letters), encoding="utf-8")
    usb_set.write(folder / "usb", list(usb_set.rows(8, 2)))
    make_csqa(folder / "csqa", 5)
    rows = [json.loads(line) for line in (folder / "csqa" / "chinese_safetyqa.jsonl").read_text(encoding="utf-8").splitlines()]
    (folder / "csqa-table").mkdir()
    (folder / "csqa-table" / "chinese_safetyqa.csv").write_bytes(_csv(list(rows[0]), [list(row.values()) for row in rows]))
    (folder / "own").mkdir()
    for name in ("yes-no/warns", "letter/signs"):
        text = (
            (EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8").replace("../../../data/demo/images", str(ROOT / "data/demo/images"))
        )
        (folder / "own" / Path(name).name).with_suffix(".yaml").write_text(text, encoding="utf-8")
        shutil.copy(EXAMPLES / f"{name}.jsonl", folder / "own")


def _csv(header: list[str], rows: list[list[Any]]) -> bytes:
    held = io.StringIO(newline="")
    writer = csv.writer(held)
    writer.writerow(header)
    writer.writerows(rows)
    return held.getvalue().encode(errors="surrogatepass")


def _items(content: bytes, dice: random.Random) -> tuple[str, bytes]:
    """One thing wrong in a JSON list of items."""
    what, rows = spoilt(json.loads(content), dice)
    return what, json.dumps(rows).encode()


def _lines(content: bytes, dice: random.Random) -> tuple[str, bytes]:
    """One thing wrong in one of the lines of JSON."""
    lines = content.removesuffix(b"\n").split(b"\n")
    at = dice.randrange(len(lines))
    match dice.randrange(8):
        case 0:
            what, lines[at] = "nested deeply", b'{"id": 1, "text": "x", "question": ' + _DEEP.encode() + b"}"
        case 1:
            what, lines[at] = "no object", dice.choice((b"3", b"null", b"[]", b'"x"', b"{}", b"nonsense", b"\x00", b"NaN"))
        case 2:
            what, lines[at] = "a huge line", lines[at].replace(b'"text": "', b'"text": "' + b"x" * 3_000_000, 1)
        case _:
            what, row = spoilt(json.loads(lines[at]), dice)
            lines[at] = json.dumps(row, ensure_ascii=dice.random() < 0.5).encode(errors="surrogatepass")
    return f"line {at + 1}: {what}", b"\n".join(lines) + b"\n"


def _table(content: bytes, dice: random.Random) -> tuple[str, bytes]:
    """One thing wrong in a CSV table."""
    header, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    at, column = dice.randrange(len(rows)), dice.randrange(len(header))
    match dice.randrange(8):
        case 0:
            return "semicolons", content.replace(b",", b";")
        case 1:
            return "tabs", content.replace(b",", b"\t")
        case 2:
            name, header[column] = header[column], dice.choice(("", slip(header[column], dice), header[0]))
            return f"column {name} is {header[column]!r}", _csv(header, rows)
        case 3:
            rows[at].append("more")
            return f"row {at + 1} is too long", _csv(header, rows)
        case 4:
            rows[at] = rows[at][:column]
            return f"row {at + 1} is too short", _csv(header, rows)
        case 5:
            return "a quote is never closed", _csv(header, rows).replace(b"\r\n", b'\r\n"', 1)
        case _:
            value = str(
                dice.choice((*WRONG, _DEEP, "{'A': 'x'", "{" * 900, "'" * 50, "lambda: 1", "__import__('os').system('touch PWNED')"))
            )
            rows[at][column] = value
            return f"{header[column]} of row {at + 1} = {value!r:.60}", _csv(header, rows)


def _change_of(file: str) -> Change:
    return {".json": _items, ".jsonl": _lines, ".csv": _table}[Path(file).suffix]


def _copied(ground: Ground, folder: Path, file: str, content: bytes | None) -> Path:
    top = Path(file).parts[0]
    shutil.copytree(ground.folder / top, folder / top, symlinks=True)
    if content is not None:
        (folder / file).write_bytes(content)
    return folder / file


def draw(dice: random.Random, ground: Ground) -> Case:
    """One benchmark's data with one thing wrong."""
    name = dice.choice(list(_SETS))
    file, judge, source = _SETS[name]
    content, seed = (ground.folder / file).read_bytes(), dice.randrange(2**32)
    top = Path(file).parts[0]
    words: tuple[str, ...] = ("run", name, "-m", "sim/openai-careful", *judge, "--dry-run")
    words += () if top == "own" else ("--data", top)
    if source and dice.random() < 0.25:
        words = ("data", "check", source, "--data", top)
    kind = dice.random()
    if kind < 0.6:
        what, bad = _change_of(file)(content, dice)
        return Case(f"{file}: {what}", words, lambda folder: _copied(ground, folder, file, bad), after=_no_harm)
    if kind < 0.85:
        what, bad = hit(content, dice)
        return Case(f"{file}: {what}", words, lambda folder: _copied(ground, folder, file, bad), after=_no_harm)
    if kind < 0.93:
        return Case(
            f"{file}: something else in its place", words, lambda f: in_place(_copied(ground, f, file, None), random.Random(seed))
        )
    return Case(
        f"{file}: a picture is spoilt", words, lambda folder: _picture(_copied(ground, folder, file, None), random.Random(seed))
    )


def _picture(file: Path, dice: random.Random) -> None:
    """Spoils a picture, or the archive of them."""
    every = [path for path in sorted(file.parent.rglob("*")) if path.suffix in (".png", ".zip")]
    if not every:
        return
    picture = dice.choice(every)
    if dice.random() < 0.5:
        in_place(picture, dice)
    else:
        picture.write_bytes(hit(picture.read_bytes(), dice)[1])


def _no_harm(folder: Path, done: object) -> list[str]:
    return ["it ran what the data said"] if (folder / "PWNED").exists() else []


FAMILY = Family("data", "exit code 2 and one sentence with file, item and field, or the data as they are", draw, prepare)
