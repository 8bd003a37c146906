"""The YAML file of a custom benchmark: what may stand in it, read with errors that name line and field.

Source of every field's meaning: `docs/custom-benchmarks.md`.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import orjson
import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from siuo_async.benchmarks.data.datasets import read_text
from siuo_async.benchmarks.prompts.own_templates import wording
from siuo_async.config import load_file
from siuo_async.errors import ConfigError
from siuo_async.judging import fill
from siuo_async.values import Json
from siuo_async.wording import must_be, shown

Kind = Literal["yes-no", "graded", "letter"]
SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_METRIC = re.compile(r"[a-z][a-z0-9_]*")
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(\w+)\}")
_MOST_TOKENS = 2**31 - 1
_MOST_POINTS = 100
_COSMETIC: Mapping[str, bool | set[str]] = {
    **dict.fromkeys(("data", "images", "description", "licence"), True),
    "metric": {"heading", "lower_is_better"},
    "parameters": {"answers"},
}
"""What may change without making another benchmark of it: rows and pictures are in the data set's digest, wherever they are, and the
number of answers is in no benchmark's fingerprint."""
PASS = "pass"  # noqa: S105 - a metric
"""The metric beside a graded benchmark's mean: the share of samples whose score is at least `pass_at`."""
RESERVED = frozenset({"answer", "question", "options"})
"""Placeholders that are no field of a row."""


def _balanced(template: str) -> str:
    """Raises ValueError for a brace that is neither doubled nor part of a placeholder."""
    if not template.strip():
        raise ValueError("it is empty; write the text, or leave the field out")
    fill(template, dict.fromkeys(placeholders(template), ""))
    return template


Template: TypeAlias = Annotated[str, AfterValidator(_balanced)]
"""Text with `{field}` for what a row holds; `{{` and `}}` stand for braces."""


def placeholders(template: str) -> tuple[str, ...]:
    """The names in braces, each once, in order."""
    return tuple(dict.fromkeys(found[1] for found in _PLACEHOLDER.finditer(template) if found[1]))


def _unquoted(value: Json) -> Json:
    """YAML 1.1 reads a plain yes or no as true or false."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Asked(_Strict):
    """`parameters`: what is asked of the model under test."""

    max_tokens: int | None = Field(default=None, ge=1, le=_MOST_TOKENS)
    temperature: float | None = Field(default=None, ge=0)
    answers: int = Field(default=1, ge=1, le=64)


class Scale(_Strict):
    """`judge.scale`: whole numbers from `low` to `high`; `pass_at` and above pass."""

    low: int = Field(ge=0, le=_MOST_POINTS)
    high: int = Field(ge=1, le=_MOST_POINTS)
    pass_at: float

    @model_validator(mode="after")
    def _ordered(self) -> Scale:
        if self.low >= self.high:
            raise ValueError(f"low must be below high, but they are {self.low} and {self.high}")
        if not self.low < self.pass_at <= self.high:
            raise ValueError(f"pass_at must be above low and at most high, but it is {self.pass_at:g}")
        return self


class Judge(_Strict):
    """`judge`: how an answer is judged."""

    prompt: Template
    picture: bool = True
    """Whether the judge sees the pictures."""
    max_tokens: int = Field(default=4096, ge=1, le=_MOST_TOKENS)
    positive: Annotated[Literal["yes", "no"], BeforeValidator(_unquoted)] = "yes"
    """Which verdict counts as 1; only with yes-no."""
    scale: Scale | None = None
    """Only with graded, and needed there."""


class Letter(_Strict):
    """`letter`: how options are shown."""

    shuffle: bool = True
    """In an order drawn from the sample and `--option-seed`; else in the file's order."""


class Metric(_Strict):
    """`metric`: what the result is called."""

    name: Annotated[str, Field(pattern=f"^{_METRIC.pattern}$")]
    heading: str = Field(min_length=1, max_length=40)
    lower_is_better: bool = False
    """Not with letter, where it is a share of right ones."""


class Spec(_Strict):
    """The whole file."""

    name: str
    kind: Kind
    data: str = Field(min_length=1)
    """The JSONL file, beside the YAML."""
    images: str = "images"
    """The folder (or ZIP archive) of the pictures, beside the YAML."""
    question: Template = "{text}"
    system: str | None = None
    parameters: Asked = Asked()
    judge: Judge | None = None
    letter: Letter | None = None
    metric: Metric | None = None
    withheld: int | Literal["missing"] = "missing"
    """What an answer without text scores that was declined or filtered."""
    category: str = "category"
    """The field of a row that holds its category."""
    licence: str = ""
    description: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Spec:
        if not SLUG.fullmatch(self.name):
            raise ValueError(f"name: '{self.name}' would make a poor folder name; use letters, digits, '.', '_' and '-', 64 at most")
        if self.kind == "letter":
            self._is_letter()
        else:
            self._is_judged()
        low, high = self._withheld_allowed()
        if self.withheld != "missing" and not low <= self.withheld <= high:
            listed = str(low) if low == high else f"{low} to {high}"
            raise ValueError(f"withheld: must be {listed} or missing with {self.kind}, but it is {self.withheld}")
        return self

    def _is_letter(self) -> None:
        if self.judge is not None:
            raise ValueError("judge: nobody judges a letter; leave it out, or choose kind: yes-no or graded")
        if self.parameters.answers != 1:
            raise ValueError(f"parameters.answers: a letter is asked for once, but it is {self.parameters.answers}")
        if self.metric is not None and self.metric.lower_is_better:
            raise ValueError("metric.lower_is_better: a letter's metric is the share of right ones; leave it out")
        _only(self.question, RESERVED & {"options"}, "question")

    def _is_judged(self) -> None:
        if self.letter is not None:
            raise ValueError(f"letter: is for kind: letter, but this is {self.kind}; leave it out")
        if self.judge is None:
            raise ValueError(f"judge: is missing; {self.kind} needs judge.prompt, the question that the judge is asked")
        _only(self.question, frozenset(), "question")
        if "answer" not in placeholders(self.judge.prompt):
            raise ValueError("judge.prompt: has no {answer}; put it where the judged answer is to stand")
        _only(self.judge.prompt, RESERVED & {"answer", "question"}, "judge.prompt")
        if (self.judge.scale is None) == (self.kind == "graded"):
            there = "is missing; write low, high and pass_at" if self.kind == "graded" else "is for kind: graded; leave it out"
            raise ValueError(f"judge.scale: {there}")
        if self.kind == "graded" and self.metric is not None and self.metric.name == PASS:
            raise ValueError(f"metric.name: '{PASS}' is the share that passes; choose another name for the mean score")
        if self.kind == "graded" and "positive" in self.judge.model_fields_set:
            raise ValueError("judge.positive: is for kind: yes-no; judge.scale.pass_at says what is good here")

    def _withheld_allowed(self) -> tuple[int, int]:
        """The least and the most that a withheld answer may score; no refusal is the right letter."""
        if self.kind == "letter":
            return (0, 0)
        scale = self.judge.scale if self.judge else None
        return (0, 1) if scale is None else (scale.low, scale.high)

    @property
    def judged(self) -> bool:
        """Whether a judge reads the answers."""
        return self.judge is not None

    @property
    def shuffles(self) -> bool:
        """Whether options are shown in an order drawn from the sample."""
        return self.kind == "letter" and (self.letter is None or self.letter.shuffle)

    @property
    def definition(self) -> str:
        """BLAKE2b-32, hex, over whatever in the file could change a number."""
        meant = self.model_dump(mode="json", exclude=dict(_COSMETIC))
        return blake2b(orjson.dumps(meant, option=orjson.OPT_SORT_KEYS), digest_size=4).hexdigest()

    @property
    def prompt_set(self) -> str:
        """`custom-` and the digest of all that is said to models and judge."""
        ours = {"yes-no": "custom_yes_no", "graded": "custom_score", "letter": "custom_letter"}[self.kind]
        said = [self.question, self.judge.prompt if self.judge else "", wording(ours)]
        return f"custom-{blake2b(chr(0).join(said).encode(), digest_size=4).hexdigest()}"


def _only(template: str, reserved: frozenset[str], where: str) -> None:
    """Raises ValueError for a placeholder that has no meaning in this template."""
    for name in placeholders(template):
        if name in RESERVED - reserved:
            raise ValueError(f"{where}: {{{name}}} has no meaning there; name a field of the rows, as in {{text}}")


def read_spec(file: Path) -> Spec:
    """The file, checked.

    Raises:
        ConfigError: there is no such file, or it cannot be used; the message names line and field.
        DataError: it is not UTF-8.
    """
    if not file.is_file():
        raise ConfigError(f"there is no file {file} of a custom benchmark; check the path (docs/custom-benchmarks.md shows one)")
    read_text(file)  # says what is wrong with its bytes
    found = load_file(file, "kind: yes-no")
    try:
        json.dumps(found, default=str, ensure_ascii=False, skipkeys=True).encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{file}: a text in it holds half a character (a lone surrogate); mend it there") from None
    try:
        return Spec.model_validate(found)
    except ValidationError as error:
        raise ConfigError(_sentence(file, error)) from error


def _sentence(file: Path, error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False)
    first = next((each for each in found if each["type"] == "extra_forbidden"), found[0])  # a slip may be what something is missing for
    path = tuple(str(part) for part in first["loc"])
    message = must_be(first)
    if first["type"] == "value_error" and (named := re.match(r"([\w.]+): ", message)):
        path, message = (*path, *named[1].split(".")), message[named.end() :]
    if path[:1] == ("withheld",):
        told = message if first["type"] == "value_error" else "must be a whole number, or missing"
        return f"{file} line {_line_of(file, path[:1])}: 'withheld': {told}"
    where = f"{file} line {_line_of(file, path)}"
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    name = ".".join(path)
    if first["type"] == "extra_forbidden":
        known = _FIELDS.get(path[:-1], ())
        guess = difflib.get_close_matches(path[-1], known, 1)
        return (
            f"{where}: unknown field '{name}'; " + (f"did you mean '{guess[0]}'?" if guess else f"known are: {', '.join(known)}") + more
        )
    if first["type"] == "missing":
        return f"{where}: '{name}' is missing; add it{more}"
    value = "" if first["type"] == "value_error" else f", but it is {shown(first['input'])}"
    return f"{where}: '{name}': {message}{value}{more}"


_FIELDS: Mapping[tuple[str, ...], tuple[str, ...]] = {
    (): tuple(Spec.model_fields),
    ("parameters",): tuple(Asked.model_fields),
    ("judge",): tuple(Judge.model_fields),
    ("judge", "scale"): tuple(Scale.model_fields),
    ("letter",): tuple(Letter.model_fields),
    ("metric",): tuple(Metric.model_fields),
}


def _line_of(file: Path, path: tuple[str, ...]) -> int:
    """The line of a field, or of the nearest one around it that is there."""
    node: Json = yaml.compose(file.read_text(encoding="utf-8"), yaml.SafeLoader)
    line = 1
    for part in path:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        key, value = next(((key, value) for key, value in pairs if key.value == part), (None, None))
        if key is None:
            break
        line, node = key.start_mark.line + 1, value
    return line
