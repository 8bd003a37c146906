"""Configuration files: every setting spoilt in every way, and files that are no settings at all."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.cli.program import Done
from tests.reliability.bad_input_cases import Case, Family, Ground
from tests.reliability.bad_input_values import hit, in_place, spoilt

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"


def _model(name: str) -> dict[str, Any]:
    return {
        "model": f"sim/{name}",
        "label": name,
        "revision": "r1",
        "system": "Be brief.",
        "max_tokens": 300,
        "thinking_tokens": 100,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 1,
        "params": {"top_k": 3},
        "profile": {"sampling": "fixed", "max_n": 4},
        "price": {"input": 1.0, "output": 2.0, "cached": 0.5},
    }


SIUO: dict[str, Any] = {
    "benchmark": "siuo-gen",
    "models": [_model("openai-careful"), {"model": "lab/careful", "label": "two"}, "sim/gemini-terse"],
    "judge": _model("openai-judge"),
    "data": "data",
    "images": "data/images",
    "missing_images": "error",
    "categories": ["self-harm"],
    "limit": 2,
    "in_file_order": True,
    "order_seed": 3,
    "answers": 2,
    "protocol": "corrected",
    "prompts": "own",
    "system": "Be brief.",
    "max_tokens": 200,
    "thinking_tokens": 50,
    "temperature": 0.3,
    "top_p": 0.8,
    "seed": 4,
    "params": {"a": {"b": [1]}},
    "safety_filters": "off",
    "name": "mine",
    "results": "results",
    "rpm": {"sim": 6000.0},
    "tpm": 1_000_000.0,
    "concurrency": {"sim": 8, "lab": 3},
    "timeout": 30.0,
    "max_wait": 1.0,
    "grace": 1.0,
    "offline_wait": 1.0,
    "retry_failed": True,
    "accept_served": True,
    "reuse": [],
    "fsync": "off",
    "providers": {
        "lab": {
            "dialect": "openai",
            "base_url": "http://127.0.0.1:9/v1",
            "key_env": "OPENAI_API_KEY",
            "identity": "lab-1",
            "rpm": 60.0,
            "tpm": 6000.0,
            "concurrency": 2,
            "limit_group": "model",
            "profile": {"max_n": 1},
        }
    },
    "prices": {"lab/careful": {"input": 1.0, "output": 1.0, "cached": 0.1}},
}
CSQA: dict[str, Any] = {
    "benchmark": ["csqa-mcq"],
    "models": ["sim/openai-careful"],
    "no_judge": False,
    "data": "csqa",
    "option_seed": 5,
    "confidence": "logprobs",
    "search": "passive",
    "search_corpus": "texts",
    "search_results": 3,
    "search_timeout": 5.0,
    "search_at_once": 2,
    "search_identity": "mine",
    "search_chars": 1000,
}
ENDPOINT: dict[str, Any] = {
    "benchmark": "csqa-qa",
    "models": "sim/openai-careful",
    "judge": "sim/openai-judge",
    "data": "csqa",
    "search": "active",
    "search_url": "http://127.0.0.1:9/?q={query}",
    "search_key_env": "OPENAI_API_KEY",
    "search_key_header": "X-Key",
    "search_rpm": 60.0,
    "search_timeout": 5.0,
}
FUNCTION = {**CSQA, "search_corpus": None, "search_function": "look.py:look"}
USB: dict[str, Any] = {
    "benchmark": "usb-base",
    "models": ["sim/openai-careful"],
    "no_judge": True,
    "data": "usb",
    "language": "en",
    "combinations": ["RIRT"],
    "usages": ["vulnerability"],
}
OWN: dict[str, Any] = {"benchmark": "own/warns.yaml", "models": ["sim/openai-careful"], "judge": "sim/openai-judge"}
WHOLE = tuple(({k: v for k, v in each.items() if v is not None}) for each in (SIUO, SIUO, SIUO, CSQA, ENDPOINT, FUNCTION, USB, OWN))
"""Together they hold every setting there is, which a test makes sure of."""
_SPECS = ("yes-no/warns.yaml", "graded/helps.yaml", "letter/signs.yaml")


def _bomb(levels: int, merged: bool = False) -> str:
    first = "a0: &a0 {x: 1}\n" if merged else 'a0: &a0 ["x"]\n'
    return first + "".join(
        (f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" if merged else f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n")
        for n in range(1, levels)
    )


RAW: tuple[tuple[str, str | bytes], ...] = (
    ("a list", "- a\n- b\n"),
    ("a text", "siuo-gen\n"),
    ("a number", "3\n"),
    ("only comments", "# nothing\n# here\n"),
    ("empty", ""),
    ("blank", " \n\n"),
    ("two documents", "benchmark: siuo-gen\n---\nbenchmark: siuo-gen\n"),
    ("tabs", "benchmark:\tsiuo-gen\nproviders:\n\tlab:\n\t\tdialect: openai\n"),
    ("a doubled setting", "benchmark: siuo-gen\nlimit: 1\nlimit: 2\n"),
    ("a doubled setting of a model", "benchmark: siuo-gen\nmodels: [{model: sim/a, model: sim/b}]\n"),
    ("a bomb of lists", "benchmark: siuo-gen\nmodels: [sim/openai-careful]\n" + _bomb(12)),
    ("a bomb in params", "benchmark: siuo-gen\nmodels: [sim/openai-careful]\nparams: *a11\n"),
    ("a bomb of merges", "benchmark: siuo-gen\nmodels: [sim/openai-careful]\n" + _bomb(12, merged=True)),
    ("a bomb where models stand", _bomb(12) + "benchmark: siuo-gen\nmodels: *a11\n"),
    ("a bomb in place of a name", _bomb(12) + "? *a11\n: 1\n"),
    ("a ring", "benchmark: &a [*a]\n"),
    ("a ring of settings", "benchmark: siuo-gen\nparams: &a {b: *a}\n"),
    ("an anchor that is not there", "benchmark: *nowhere\n"),
    ("a Python object", "benchmark: !!python/object/apply:os.system ['touch ../PWNED']\n"),
    ("a Python name", "benchmark: !!python/name:os.system\n"),
    ("a tag of one's own", "benchmark: !mine siuo-gen\n"),
    ("a set", "benchmark: !!set {a, b}\n"),
    ("bytes", "benchmark: !!binary aGVsbG8=\n"),
    ("a broken tag", "benchmark: !!int siuo\n"),
    ("a date", "benchmark: 2026-01-01\nlimit: 2026-13-45\n"),
    ("a date as a name", "2026-01-01: a\nbenchmark: siuo-gen\n"),
    ("a list as a name", "? [a, b]\n: 1\nbenchmark: siuo-gen\n"),
    ("numbers as names", "1: a\n2.5: b\nnull: c\ntrue: d\n"),
    ("a number with too many digits", f"benchmark: siuo-gen\nlimit: {'9' * 5000}\n"),
    ("sexagesimals", "benchmark: siuo-gen\nlimit: 1:30\n"),
    ("nested deeply", "benchmark: " + "[" * 5000 + "\n"),
    ("nested deeply and closed", "benchmark: " + "[" * 900 + "]" * 900 + "\n"),
    ("nested deeply in params", "benchmark: siuo-gen\nmodels: [sim/openai-careful]\nparams: {a: " + "[" * 300 + "]" * 300 + "}\n"),
    ("control characters", "benchmark: siuo-gen\x07\n"),
    ("escapes in a name", 'benchmark: "siuo\\u001b[31m-gen"\n'),
    ("half a character", 'benchmark: "siuo\\ud800-gen"\n'),
    ("half a character as a name", '"a\\ud800": 1\nbenchmark: siuo-gen\n'),
    ("an escape as a name", '"a\\u001b[31m": 1\nbenchmark: siuo-gen\n'),
    ("a byte order mark", b"\xef\xbb\xbfbenchmark: siuo-gen\nmodels: [sim/openai-careful]\n"),
    ("UTF-16", "benchmark: siuo-gen\n".encode("utf-16")),
    ("Latin-1", "benchmark: caf\xe9\n".encode("latin-1")),
    ("noughts", b"\x00" * 1000),
    ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(range(256))),
    ("carriage returns", b"benchmark: siuo-gen\rmodels: [sim/openai-careful]\r"),
    ("a huge file", b"# a comment that is long enough\n" * 1_600_000),
    ("a huge value", b"benchmark: siuo-gen\nsystem: '" + b"x" * 3_000_000 + b"'\n"),
    ("a huge list", b"benchmark: siuo-gen\nmodels:\n" + b"- sim/openai-careful\n" * 40_000),
    ("many models", "benchmark: siuo-gen\nno_judge: true\ndata: data\nmodels:\n" + "".join(f"- sim/m{n}\n" for n in range(3000))),
    ("no end of quotes", "benchmark: 'siuo-gen\nmodels: [sim/a]\n"),
    ("JSON", '{"benchmark": "siuo-gen", "models": ["sim/openai-careful"], "limit": 1e999}'),
    ("TOML", 'benchmark = "siuo-gen"\n[providers.lab]\ndialect = "openai"\n'),
)


def prepare(ground: Ground) -> None:
    """Beside SIUO's data: Chinese SafetyQA's, USB's, a benchmark of one's own, texts, a function."""
    from tests.cli import usb_set
    from tests.cli.test_csqa import make_csqa

    folder = ground.folder
    make_csqa(folder / "csqa", 6)
    usb_set.write(folder / "usb", list(usb_set.rows(8, 2)))
    (folder / "texts").mkdir()
    (folder / "texts" / "a.txt").write_text("A text about nothing in particular.\n", encoding="utf-8")
    (folder / "look.py").write_text("def look(query: str) -> str:\n    return query\n", encoding="utf-8")
    shutil.copytree(EXAMPLES, folder / "own-examples")
    (folder / "own").mkdir()
    for name in _SPECS:
        kind, _, file = name.partition("/")
        text = (EXAMPLES / name).read_text(encoding="utf-8").replace("../../../data/demo/images", str(ROOT / "data/demo/images"))
        (folder / "own" / file).write_text(text, encoding="utf-8")
        rows = file.replace(".yaml", ".jsonl")
        shutil.copy(EXAMPLES / kind / rows, folder / "own" / rows)


def _linked(ground: Ground, folder: Path) -> None:
    """What is not spoilt is there, unchanged."""
    for name in ("data", "csqa", "usb", "texts", "look.py"):
        (folder / name).symlink_to(ground.folder / name)
    shutil.copytree(ground.folder / "own", folder / "own")


def _written(ground: Ground, name: str, content: bytes) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        _linked(ground, folder)
        (folder / name).write_bytes(content)

    return prepare


def _no_harm(folder: Path, done: Done) -> list[str]:
    return ["it ran what the file said"] if (folder.parent / "PWNED").exists() or (folder / "PWNED").exists() else []


def _command(spoilt_spec: str | None = None) -> tuple[str, ...]:
    if spoilt_spec:
        return ("run", spoilt_spec, "-m", "sim/openai-careful", *_judge(spoilt_spec), "--dry-run")
    return ("run", "-c", "run.yaml", "--dry-run")


def _judge(spec: str) -> tuple[str, ...]:
    return () if "signs" in spec else ("--judge", "sim/openai-judge")


def _as_yaml(tree: Any) -> bytes:
    return yaml.safe_dump(tree, allow_unicode=True, sort_keys=False).encode(errors="surrogatepass")


def draw(dice: random.Random, ground: Ground) -> Case:
    """One configuration file, or the file of a benchmark of one's own, with something wrong."""
    kind = dice.random()
    if kind < 0.1:
        seed = dice.randrange(2**32)

        def instead(folder: Path) -> None:
            _linked(ground, folder)
            in_place(folder / "run.yaml", random.Random(seed))

        return Case("in place of the configuration: something else", _command(), instead)
    if kind < 0.3:
        what, content = dice.choice(RAW)
        raw = content if isinstance(content, bytes) else content.encode(errors="surrogatepass")
        if dice.random() < 0.2:
            return Case(f"{what}, as a benchmark", _command("own/x.yaml"), _written(ground, "own/x.yaml", raw), after=_no_harm)
        return Case(f"configuration: {what}", _command(), _written(ground, "run.yaml", raw), after=_no_harm)
    if kind < 0.45:
        name = dice.choice(_SPECS).partition("/")[2]
        whole = yaml.safe_load((ground.folder / "own" / name).read_text(encoding="utf-8"))
        what, tree = spoilt(whole, dice)
        return Case(f"{name}: {what}", _command(f"own/{name}"), _written(ground, f"own/{name}", _as_yaml(tree)))
    whole = dice.choice(WHOLE)
    if kind < 0.55:
        what, content = hit(_as_yaml(whole), dice)
        return Case(f"configuration: {what}", _command(), _written(ground, "run.yaml", content))
    what, tree = spoilt(whole, dice)
    return Case(f"configuration: {what}", _command(), _written(ground, "run.yaml", _as_yaml(tree)))


FAMILY = Family("config", "exit code 2 and one sentence that names the setting, or the run as if nothing were wrong", draw, prepare)
