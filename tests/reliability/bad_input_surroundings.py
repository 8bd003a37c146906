"""What surrounds a command: `.env`, variables, closed streams, strange terminals; files to import; texts to search."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.reliability.bad_input_cases import KEY, Case, Family, Ground
from tests.reliability.bad_input_values import hit, in_place, spoilt

RUN = ("run", "siuo-gen", "-m", "sim/openai-careful", "--judge", "sim/openai-judge", "--data", "data")
ASKED = ("run", "siuo-gen", "-m", "openai/careful", "--no-judge", "--data", "data", "--dry-run")
IMPORT = ("--label", "mine", "--data", "data")
_NAMES = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "SIUO_SIM_URL", "SIUO_DATA", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
_MORE = ("SSL_CERT_FILE", "HOME", "XDG_DATA_HOME", "TMPDIR", "TERM", "COLUMNS", "LINES", "LANG", "LC_ALL", "NO_COLOR", "FORCE_COLOR")
_VALUES = (
    *(
        "",
        " ",
        "unset",
        "garbage",
        "0",
        "1",
        "-5",
        "100000",
        "nan",
        "dumb",
        "C",
        "POSIX",
        "xx_YY.nonsense",
        "nowhere",
        "/dev/null",
        "/",
    ),
    *(
        "http://",
        "http://[::1",
        "https://127.0.0.1:99999/v1",
        "http://127.0.0.1:0",
        "file:///etc/passwd",
        "ftp://x",
        "//x",
        "http:///v1",
    ),
    *(
        f"http://me:{KEY}@127.0.0.1:9/v1",
        "http://127.0.0.1:9/v1?a=b",
        "http://127.0.0.1:9/\x1b[31m",
        "http://x y/",
        "socks5://127.0.0.1:9",
    ),
    *(f"{KEY}\n", f"{KEY}\r\nX-Evil: 1", f"{KEY} x", "kéy-ö", "\udcff\udcfe", "x" * 20_000, "\x1b[31m", "中文"),
)
_DOTENV: tuple[bytes, ...] = (
    b"OPENAI_API_KEY=\n",
    b"OPENAI_API_KEY='unfinished\n",
    b"export OPENAI_API_KEY=$(touch PWNED)\n",
    b"OPENAI_API_KEY=${OPENAI_API_KEY}\n",
    b"=x\n",
    b"just words\n",
    b"\x00\x01\x02",
    b"\xff\xfeO\x00",
    b"OPENAI_API_KEY=a\x00b\n",
    b"A" * 1_000_000,
    "OPENAI_API_KEY=kéy\n".encode(),
)
_SHELLS = (
    '"$@" >&-',
    '"$@" 2>&-',
    '"$@" >&- 2>&-',
    '"$@" <&-',
    '"$@" >/dev/full',
    '"$@" 2>/dev/full',
    '"$@" | head -c 0',
    '"$@" 2>&1 | head -c 0',
    'mkdir gone && cd gone && rmdir ../gone && "$@"',
    'COLUMNS=1 TERM=dumb LANG=POSIX "$@"',
    'PYTHONIOENCODING=ascii LC_ALL=C "$@"',
    'ulimit -n 12; "$@"',
    "trap '' INT TERM HUP; \"$@\"",
    'chmod 500 . && "$@"; code=$?; chmod 700 .; exit $code',
)
_READING = (("ls",), ("data", "list"), ("providers",), ("--help",), ("score", "nowhere"), (*RUN, "--dry-run"), (*RUN, "--limit", "1"))
_WRITTEN = (*RUN, "--limit", "1", "--json")


def prepare(ground: Ground) -> None:
    """Files that could be imported."""
    items = json.loads((ground.folder / "data" / "siuo_gen.json").read_text(encoding="utf-8"))
    answered = [
        {**item, "responses": ["One.", "Two.", "Three."], "safety_gpt": [1, 0, 1], "effectiveness_gpt": [1, 1, 0]} for item in items
    ]
    (ground.folder / "siuo_gen-mine.json").write_text(json.dumps(answered), encoding="utf-8")
    header = "question,cate,mode,rag,model,value_type,value\n"
    rows = "".join(f"编号{n}的模拟条目属于哪一类？,x,QA,none,mine,model_answer,Answer {n}\n" for n in range(4))
    (ground.folder / "table.csv").write_text(header + rows, encoding="utf-8")
    from openpyxl import Workbook

    from tests.cli.test_csqa import make_csqa

    make_csqa(ground.folder / "csqa", 4)
    book = Workbook()
    for line in (header + rows).splitlines():
        book.active.append(line.split(","))
    book.save(ground.folder / "table.xlsx")


def _linked(ground: Ground, folder: Path) -> None:
    for name in ("data", "csqa"):
        (folder / name).symlink_to(ground.folder / name)


def _with(ground: Ground, name: str, content: bytes) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        _linked(ground, folder)
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)

    return prepare


def _no_harm(folder: Path, done: object) -> list[str]:
    return ["it ran what stood in a file"] if (folder / "PWNED").exists() else []


def _variables(dice: random.Random, ground: Ground) -> Case:
    chosen = {dice.choice((*_NAMES, *_MORE)): dice.choice(_VALUES) for _ in range(dice.choice((1, 1, 2, 3)))}
    words = dice.choice((ASKED, ASKED, (*RUN, "--dry-run"), (*RUN[:-2], "--dry-run"), ("providers",), ("data", "list"), ("ls",)))
    chosen = {name: value.replace("\x00", "") for name, value in chosen.items()}
    return Case(f"{chosen!r:.200}: {' '.join(words)}", words, lambda folder: _linked(ground, folder), env=chosen)


def _dotenv(dice: random.Random, ground: Ground) -> Case:
    seed, words = dice.randrange(2**32), dice.choice((ASKED, ("providers",)))
    if dice.random() < 0.3:
        put = lambda folder: (_linked(ground, folder), in_place(folder / ".env", random.Random(seed)))  # noqa: E731
        return Case("something else in place of .env", words, put, env={"OPENAI_API_KEY": "unset"})
    content = dice.choice(_DOTENV)
    return Case(f".env: {content!r:.60}", words, _with(ground, ".env", content), env={"OPENAI_API_KEY": "unset"}, after=_no_harm)


def _streams(dice: random.Random, ground: Ground) -> Case:
    line, words = dice.choice(_SHELLS), dice.choice((*_READING, _WRITTEN))
    return Case(f"{line}: {' '.join(words)}", words, lambda folder: _linked(ground, folder), shell=line)


def _imports(dice: random.Random, ground: Ground) -> Case:
    name = dice.choice(("siuo_gen-mine.json", "siuo_gen-mine.json", "table.csv", "table.xlsx"))
    content, seed = (ground.folder / name).read_bytes(), dice.randrange(2**32)
    words = ("import", name, *(IMPORT if name.endswith("json") else ("--label", "mine", "--data", "csqa")))
    kind = dice.random()
    if kind < 0.15:
        put = lambda folder: (_linked(ground, folder), in_place(folder / name, random.Random(seed)))  # noqa: E731
        return Case(f"something else in place of {name}", words, put)
    if name.endswith("json") and kind < 0.7:
        what, tree = spoilt(json.loads(content), dice)
        bad = json.dumps(tree).encode(errors="surrogatepass")
    else:
        what, bad = hit(content, dice)
    return Case(f"{name}: {what}", words, _with(ground, name, bad), after=_no_harm)


def _texts(dice: random.Random, ground: Ground) -> Case:
    good: Any = {"title": "T", "text": "A text about nothing."}
    words = (
        "run",
        "csqa-mcq",
        "-m",
        "sim/openai-careful",
        "--data",
        "csqa",
        "--search",
        "passive",
        "--search-corpus",
        "texts",
        "--dry-run",
    )
    name, seed = dice.choice(("a.txt", "a.md", "a.json", "a.jsonl")), dice.randrange(2**32)
    if dice.random() < 0.25:
        put = lambda folder: (_with(ground, "texts/b.txt", b"x")(folder), in_place(folder / "texts" / name, random.Random(seed)))  # noqa: E731
        return Case(f"something else in place of texts/{name}", words, put)
    what, tree = spoilt([good, good], dice)
    what, bad = (what, json.dumps(tree).encode(errors="surrogatepass")) if dice.random() < 0.5 else hit(json.dumps(good).encode(), dice)
    return Case(f"texts/{name}: {what}", words, _with(ground, f"texts/{name}", bad))


def draw(dice: random.Random, ground: Ground) -> Case:
    """One thing around a command that is not what it should be."""
    kind = dice.choice((_variables, _variables, _dotenv, _streams, _imports, _imports, _texts))
    return kind(dice, ground)


FAMILY = Family("surroundings", "exit code 2 and one sentence, or the command as if nothing were wrong; no key shown", draw, prepare)
