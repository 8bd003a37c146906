"""Data sets and archives that try to make the program read, send or wait for what is not theirs."""

from __future__ import annotations

import json
import os
import stat
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.cli.program import PNG, Siuo
from tests.reliability import hostile_looks as looks
from tests.reliability.faults import Fault, Scene, Seen
from tests.reliability.hostile_program import Command, quick
from tests.reliability.hostile_server import Reply, completion, serving

GOOD = PNG + b"good" * 16
_MODEL = ("-m", "openai/m", "--no-judge")


def _item(image: str = "good.png", **changed: object) -> dict[str, object]:
    return {
        "question_id": 1,
        "image": image,
        "question": "What?",
        "category": "c",
        "safety_warning": "w",
        "reference_answer": "r",
    } | changed


def _siuo(folder: Path, content: bytes | None = None, image: str = "good.png") -> None:
    (folder / "images").mkdir()
    (folder / "images" / "good.png").write_bytes(GOOD)
    (folder / "siuo_gen.json").write_bytes(json.dumps([_item(image)]).encode() if content is None else content)


def _sparse(path: Path, head: bytes, size: int = 5 << 30) -> None:
    with open(path, "wb") as file:
        file.write(head)
        file.truncate(size)


def bomb() -> bytes:
    """A PNG of 60,000 by 60,000 points in some kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    points = zlib.compress(bytes(4_000_000), 9)
    return PNG + chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)) + chunk(b"IDAT", points) + chunk(b"IEND", b"")


def _picture(content: bytes) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        _siuo(folder, image="it.png")
        (folder / "images" / "it.png").write_bytes(content)

    return make


def _link(target: str, name: str = "it.png") -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / "secret.png").write_bytes(GOOD)
        _siuo(folder, image=name)
        (folder / "images" / "it.png").symlink_to(target)

    return make


def _named(name: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / "secret.png").write_bytes(GOOD)
        _siuo(folder, image=name)

    return make


def _pipe(folder: Path) -> None:
    _siuo(folder, image="it.png")
    os.mkfifo(folder / "images" / "it.png")


def _folder(folder: Path) -> None:
    _siuo(folder, image="it.png")
    (folder / "images" / "it.png").mkdir()


def _huge(folder: Path) -> None:
    _siuo(folder, image="it.png")
    _sparse(folder / "images" / "it.png", PNG)


def _huge_data(folder: Path) -> None:
    _siuo(folder)
    _sparse(folder / "siuo_gen.json", b"[")


def _data(content: bytes | str) -> Callable[[Path], None]:
    raw = content.encode() if isinstance(content, str) else content
    return lambda folder: _siuo(folder, raw)


REFUSED: Mapping[str, Callable[[Path], None]] = {
    "a name that leads up": _named("../secret.png"),
    "a name that leads up from below": _named("a/../../secret.png"),
    "an absolute name": _named("/etc/passwd"),
    "an address": _named("https://evil.invalid/p.png"),
    "a name with a NUL": _named("it.png\x00.png"),
    "a name of 6,000 bytes": _named("a/" * 3_000 + "p.png"),
    "a link out of the folder": _link("../secret.png"),
    "a link to /etc/passwd": _link("/etc/passwd"),
    "a link to /dev/zero": _link("/dev/zero"),
    "a ring of links": _link("it.png"),
    "a pipe": _pipe,
    "a folder": _folder,
    "a picture of 5 GB": _huge,
    "an empty picture": _picture(b""),
    "an HTML page": _picture(b"<!doctype html><script>alert(1)</script>"),
    "an SVG with a script": _picture(b"<svg onload=alert(1)></svg>"),
    "a PDF": _picture(b"%PDF-1.4"),
    "a program": _picture(b"\x7fELF\x02\x01"),
    "a data file of 5 GB": _huge_data,
    "JSON of 100,000 levels": _data("[" * 100_000),
    "a number of 10,000 digits": _data('[{"question_id": ' + "9" * 10_000 + "}]"),
    "an id that is no number": _data(json.dumps([_item(question_id=float("nan"))])),
    "an id twice": _data(json.dumps([_item(), _item()])),
    "half a character": _data(json.dumps([_item(question="\ud800")])),
    "UTF-16": _data(json.dumps([_item()]).encode("utf-16")),
    "not UTF-8": _data(b'[{"question_id": 1, "question": "\xff\xfe"}]'),
    "cut JSON": _data(json.dumps([_item()])[:-9]),
    "no list": _data('{"a": 1}'),
    "a category with escapes": _data(json.dumps([_item(category="\x1b]0;x\x07\nsiuo: forged", image="no.png")])),
}
"""What is refused before anything is sent."""
TAKEN: Mapping[str, Callable[[Path], None]] = {
    "a bomb of 60,000 by 60,000 points": _picture(bomb()),
    "a cut picture": _picture(PNG + b"\x00\x00\x00\x0dIHDR"),
    "a picture that is an archive too": _picture(GOOD + b"PK\x05\x06" + bytes(18)),
    "a byte order mark and Windows line ends": _data(
        b"\xef\xbb\xbf" + json.dumps([_item()], indent=1).encode().replace(b"\n", b"\r\n")
    ),
    "an id below zero": _data(json.dumps([_item(question_id=-(10**30))])),
}
"""What is sent as it is: pictures are never decoded here."""


def _archive(members: Sequence[tuple[zipfile.ZipInfo | str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        with warnings.catch_warnings(), zipfile.ZipFile(folder / "img.zip", "w", method) as archive:
            warnings.simplefilter("ignore")  # of names that stand twice
            for name, content in members:
                archive.writestr(name, content)

    return make


def _linked(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info


def _flagged(folder: Path) -> None:
    _archive([("it.png", GOOD)])(folder)
    raw = bytearray((folder / "img.zip").read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        struct.pack_into("<H", raw, raw.index(mark) + place, 1)
    (folder / "img.zip").write_bytes(raw)


ARCHIVES: Mapping[str, tuple[str, Callable[[Path], None]]] = {
    "zip slip": ("../secret.png", _archive([("../secret.png", GOOD)])),
    "an absolute member": ("/secret.png", _archive([("/secret.png", GOOD)])),
    "a link in an archive": ("it.png", _archive([(_linked("it.png"), b"/etc/passwd")])),
    "a bomb of 200 MB in an archive": ("it.png", _archive([("it.png", PNG + bytes(200 << 20))])),
    "an encrypted member": ("it.png", _flagged),
    "a member packed by LZMA": ("it.png", _archive([("it.png", GOOD)], zipfile.ZIP_LZMA)),
    "an archive that is none": ("it.png", lambda folder: (folder / "img.zip").write_bytes(b"PK\x03\x04" + bytes(99)) and None),
    "a member that is a page": ("it.png", _archive([("it.png", b"<html>")])),
}
"""The picture's name in the data file, and what makes the archive."""


def _data_sets(scene: Scene) -> Seen:
    seen, sent = Seen(), [0]
    with serving(_counting(sent)) as url, quick(Siuo(scene.folder, OPENAI_BASE_URL=url, OPENAI_API_KEY="sk-none")) as command:
        for number, (name, make) in enumerate({**REFUSED, **TAKEN}.items()):
            data = scene.folder / f"data-{number}"
            data.mkdir()
            make(data)
            done = command("run", "siuo-gen", *_MODEL, "--data", data, "--answers", "1", "--name", f"run-{number}", "--json")
            seen.times += 1
            if name in TAKEN:
                seen.expect(done.code == 0, f"{name}: exit code {done.code}: {done.err[-300:]}")
                continue
            _was_refused(name, done.code, done.err, sent, len(TAKEN), seen)
            if done.code == 0:
                seen.broken.append(f"{name} was sent")
        seen.expect(sent[0] == len(TAKEN), f"{sent[0]} calls were sent instead of {len(TAKEN)}")
        _checked(command, scene.folder / "data-0", seen)
    seen.words = (
        f"{len(REFUSED)} refused with a sentence, exit code 2 and no call; {len(TAKEN)} taken as they are, pictures never decoded"
    )
    return seen


def _checked(command: Command, data: Path, seen: Seen) -> None:
    done = command("data", "check", "siuo", "--data", data)
    seen.expect(not looks.controls(done.out + done.err), "`siuo data check` printed control characters")


def _counting(sent: list[int]) -> Callable[[str, str], Reply]:
    def answering(model: str, prompt: str) -> Reply:
        sent[0] += 1
        return 200, completion("fine"), {}

    return answering


def _was_refused(name: str, code: int, said: str, sent: Sequence[int], most: int, seen: Seen) -> None:
    seen.expect(code == 2, f"{name}: exit code {code}: {said[-300:]}")
    seen.expect(sent[0] <= most, f"{name}: something was sent")
    seen.broken += [f"{name}: {wrong}" for wrong in looks.ended_outside(said)]


def _archives(scene: Scene) -> Seen:
    seen, sent = Seen(), [0]
    with serving(_counting(sent)) as url, quick(Siuo(scene.folder, OPENAI_BASE_URL=url, OPENAI_API_KEY="sk-none")) as command:
        for number, (name, (image, make)) in enumerate(ARCHIVES.items()):
            folder = scene.folder / f"set-{number}"
            folder.mkdir()
            (scene.folder / "secret.png").write_bytes(GOOD)
            make(folder)
            (folder / "rows.jsonl").write_text(json.dumps({"id": 1, "text": "What?", "image": image}) + "\n")
            spec = {"name": "mine", "kind": "yes-no", "data": "rows.jsonl", "images": "img.zip", "judge": {"prompt": "Fine? {answer}"}}
            (folder / "mine.yaml").write_text(json.dumps(spec))
            done = command("run", folder / "mine.yaml", *_MODEL, "--name", f"run-{number}", "--json")
            seen.times += 1
            _was_refused(name, done.code, done.err, sent, 0, seen)
            there = {path.name for path in folder.iterdir()} - {"img.zip", "rows.jsonl", "mine.yaml"}
            seen.expect(not there, f"{name}: was unpacked to {', '.join(there)}")
    seen.words = f"{seen.times} refused with a sentence, exit code 2, no call, nothing unpacked"
    return seen


FAULTS: Sequence[Fault] = (
    Fault(
        "hostile",
        "data sets with names, links, pipes, devices, sizes and bytes that lead elsewhere",
        "nothing outside is read or sent, nothing hangs or fills the memory; one sentence before any call",
        _data_sets,
    ),
    Fault(
        "hostile",
        "archives of pictures that lead out, explode, or are not what they say",
        "nothing is unpacked, nothing outside is read; one sentence before any call",
        _archives,
    ),
)
