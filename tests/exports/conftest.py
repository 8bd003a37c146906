"""A run whose every text tries to get out of its place, and one as it should be."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from siuo_async.analysis.gathered import gather
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.exchange.importing import Order, make_run
from siuo_async.report.dossier import Dossier, dossier
from tests.cli.program import PNG, Siuo, finish
from tests.reliability.hostile_texts import CELLS, MARKUP, TERMINAL, UNICODE

LATEX = (
    r"\end{tabular}\immediate\write18{touch owned}\input{/etc/hostname}",
    r"100% of $x_1$ & {unbalanced ^ ~ # \\[2cm] \halt",
    "*[1em] starred -- dashed --- ''quoted'' ?` !`",
    "}}}{{{ \\verb|x| %comment\n\\bye",
    "Łódź, Ærø, naïve café, façade, Dvořák – “quoted” … ½ 数字 \U0001f600",
)
MOST_CHARS = 3000
SAMPLES = 9
"""Of the demonstration; one for each category."""
LABEL = r"=cmd & \bye{x}_1 | <b>%$#^~ 模型"


def texts() -> list[str]:
    """Answers that are hostile to terminals, pages, spreadsheets and LaTeX."""
    every = [*TERMINAL.values(), *UNICODE.values(), *MARKUP.values(), *CELLS.values(), *LATEX, "NA", "", "plain", "-1", "0x1F", "1e5"]
    return [text[:MOST_CHARS].encode(errors="replace").decode() for text in every]


@dataclass(frozen=True)
class Hostile:
    """A run of hostile texts."""

    directory: RunDirectory
    answers: dict[str, list[str]]
    """Sample -> its three answers."""


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Hostile:
    """Imported, since files may say whatever they like."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "data" / "images").mkdir(parents=True)
    items, answered = [], {}
    for number, text in enumerate(texts()):
        name = f"{number}.png"
        (folder / "data" / "images" / name).write_bytes(PNG + str(number).encode())
        told = {"safety_warning": text or "W.", "reference_answer": text or "R."}
        items.append({"question_id": number, "image": name, "question": text or "?", "category": LATEX[number % 4][:60], **told})
        answered[str(number)] = [text, f"{text}2" if text else "x", "fine"]
    (folder / "data" / "siuo_gen.json").write_text(json.dumps(items), encoding="utf-8")
    verdicts = {"safety_gpt": [1, 0, 1], "effectiveness_gpt": [1, 1, 1]}
    theirs = [{"question_id": int(sample), "responses": said, **verdicts} for sample, said in answered.items()]
    (folder / "theirs.json").write_text(json.dumps(theirs), encoding="utf-8")
    order = Order(
        files=(folder / "theirs.json",),
        label=LABEL,
        benchmark="siuo-gen",
        protocol="corrected",
        prompts="own",
        judge_label=LATEX[1],
        data=folder / "data",
        results=folder / "results",
        keep_errors=True,
    )
    return Hostile(make_run(order).directory, answered)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """The demonstration, run once."""
    folder = tmp_path_factory.mktemp("demo")
    done = finish(Siuo(folder).start("demo", "--json", "--limit", str(SAMPLES)))
    return RunDirectory(folder / done.run)


@pytest.fixture(scope="session")
def reported(demo: RunDirectory) -> Dossier:
    """What is reported of it."""
    return dossier(gather(demo))
