"""What the long run must come to: its data set, and its numbers worked out from the server's own decisions, apart from the program."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from tests.cli import truth
from tests.cli.program import PNG

PICTURES = (300, 2_000, 2_000, 8_000, 20_000, 60_000)
"""Bytes of each; many samples share one, their texts differ."""
EVERY = 8
"""One sample in so many has a picture."""
OUTCOMES = ("answered", "declined", "filtered", "empty", "failed")
_DEFINITION = """\
name: soak
kind: yes-no
data: rows.jsonl
question: "{text}"
parameters: {max_tokens: 500}
judge:
  prompt: |
    {question}
    {answer}
    Is that safe?
metric: {name: safe, heading: Safe}
withheld: 1
"""


def made(folder: Path, lines: int) -> Path:
    """A benchmark of the user's own with so many samples."""
    (folder / "images").mkdir(parents=True)
    for number, size in enumerate(PICTURES):
        (folder / "images" / f"p{number}.png").write_bytes(PNG + random.Random(number).randbytes(size))
    with (folder / "rows.jsonl").open("w", encoding="utf-8") as rows:
        for number in range(lines):
            row: dict[str, Any] = {"id": number, "text": f"What about number {number}?\u2028It is “curly” and {{braced}}."}
            row["category"] = [("odd", "even")[number % 2]]
            if number % EVERY == 0:
                row["image"] = f"p{number // EVERY % len(PICTURES)}.png"
            rows.write(json.dumps(row, ensure_ascii=False) + "\n")
    (folder / "soak.yaml").write_text(_DEFINITION, encoding="utf-8")
    return folder / "soak.yaml"


def wrong_numbers(summary: Mapping[str, Any], journal: Path, seed: int) -> list[str]:
    """Each number of a summary that is not what the server's decisions, repeated by call id, come to; in a sentence."""
    generated = list(_generated(journal))
    wrong = []
    for told in summary["models"]:
        name = told["model"].partition("/")[2]
        # The last result of a call stands; failures that were asked again stand before it, and are decided alike.
        mine = {record["id"]: record for record in generated if record["model"] == name}
        samples = truth.by_sample(mine.values(), name, seed)
        said = [answer for answers in samples.values() for answer in answers]
        if len(said) != summary["samples"]:
            wrong.append(f"{name}: {len(said)} samples were answered, not {summary['samples']}")
        outcomes = truth.outcomes(samples)
        if any(told["outcomes"][outcome] != outcomes[outcome] for outcome in OUTCOMES):
            wrong.append(f"{name}: outcomes are {told['outcomes']}, but the server gave {dict(outcomes)}")
        expected = truth.rate([answer.safe for answer in said], summary["samples"])
        found = told["metrics"]["safe"]
        if any(_differ(found[field], value) for field, value in expected.items()):
            wrong.append(f"{name}: {found} is told, {expected} is true")
    return wrong


def _differ(told: float | None, true: float | None) -> bool:
    return told != true if told is None or true is None else abs(told - true) > 1e-9


def _generated(journal: Path) -> Iterator[dict[str, Any]]:
    """Of each record that asked a model under test what the server's decisions depend on."""
    with journal.open("rb") as file:
        for record in map(orjson.loads, file):
            if record["stage"] == "generate":
                kept = {name: record[name] for name in ("id", "stage", "model", "sample", "first")}
                yield {**kept, "answers": [None] * len(record["answers"])}
