"""Hostile texts in every place where text comes in, and a look at every place where it goes out."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.cli.program import LIMIT_S, PNG, Siuo, journal
from tests.reliability import hostile_looks as looks
from tests.reliability.faults import Fault, Scene, Seen
from tests.reliability.hostile_program import quick
from tests.reliability.hostile_server import Reply, completion, number_in, serving
from tests.reliability.hostile_texts import ALL, CELLS, MARKUP, TERMINAL, UNICODE, header, whole

PART = "hostile"
KEY = {"LAB_KEY": "lab-key-0123456789"}
TEXTS = tuple(ALL.values())


def _answering(model: str, prompt: str) -> Reply:
    """A hostile text wherever a reply has room; some samples are errors, some are filtered."""
    number = number_in(prompt)
    text = TEXTS[number % len(TEXTS)]
    headers = {"x-request-id": header(text), "x-ratelimit-limit-requests": header(text), "server": header(text)}
    if model == "judge":
        return 200, completion(f"{text}\nVerdict: yes", model=TERMINAL["clear screen"], finish=text[:300]), headers
    if number % 8 == 1:
        error = {"message": text, "code": text[:200], "type": text[:100], "param": text[:50]}
        return 400, json.dumps({"error": error}).encode(), headers
    served = MARKUP["link"] + UNICODE["one long line"]
    if number % 8 == 2:
        filtered = {whole(text)[:50]: {"filtered": True, "severity": text[:50]}}
        return 200, completion(text, model=served, finish="content_filter", content_filter_results=filtered), headers
    return 200, completion(text, model=served, finish="stop" if number % 2 else text[:300]), headers


def _benchmark(folder: Path) -> Path:
    """A custom benchmark with a hostile text in each id, category, question, field and picture's name, and in its headings."""
    (folder / "images").mkdir(parents=True)
    rows = []
    for number, text in enumerate(map(whole, TEXTS)):
        name = re.sub(r"[/\\\x00]", "_", text)[:40] + f"-{number}.png"
        (folder / "images" / name).write_bytes(PNG + bytes([number]) * 64)
        rows.append(
            {
                "id": f"{text[:100]}{number}",
                "text": f"<<{number}>> {text}",
                "category": [text[:60] if text[:60].strip() else "x", text[:300] if text[:300].strip() else "y"],
                "image": name,
                "note": text,
            }
        )
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    spec = {
        "name": "hostile",
        "kind": "yes-no",
        "data": "rows.jsonl",
        "question": "{text} {note}",
        "judge": {"prompt": "Is it fine? {text} {note} {id} {answer}"},
        "metric": {"name": "fine", "heading": (TERMINAL["window title"] + MARKUP["rich"])[:40]},
        "description": TERMINAL["hyperlink"],
        "licence": MARKUP["html"],
    }
    (folder / "mine.yaml").write_text(json.dumps(spec), encoding="utf-8")
    return folder / "mine.yaml"


LABELS = (
    TERMINAL["clear screen"] + MARKUP["link"] + MARKUP["picture"],
    TERMINAL["new lines"] + UNICODE["overrides"] + MARKUP["autolinks"] + MARKUP["table"] + TERMINAL["tabs"] + CELLS["DDE"],
    UNICODE["zalgo"] + MARKUP["script"] + TERMINAL["C1 CSI and OSC"] + MARKUP["addresses and mentions"],
)


def _configuration(url: str) -> str:
    models = [{"model": "lab/m", "label": label, "revision": TEXTS[10 + place]} for place, label in enumerate(LABELS)]
    providers = {"lab": {"dialect": "openai", "base_url": url, "key_env": "LAB_KEY"}}
    return json.dumps({"benchmark": "b/mine.yaml", "models": models, "judge": {"model": "lab/judge"}, "providers": providers})


def on_a_terminal(siuo: Siuo, *words: str | Path, env: Mapping[str, str], columns: int = 100) -> tuple[int, bytes]:
    """Runs a command whose streams are a terminal; its exit code, and every byte that the terminal was sent."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "siuo_async", *map(str, words)],
        cwd=siuo.folder,
        env={**siuo.variables, "TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": "40", **env},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    taken: list[bytes] = []

    def take() -> None:
        while True:
            try:
                block = os.read(ours, 1 << 16)
            except OSError:  # how Linux says that the other end is closed
                return
            if not block:
                return
            taken.append(block)

    reader = threading.Thread(target=take)
    reader.start()
    try:
        code = process.wait(LIMIT_S)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        reader.join()
        os.close(ours)
    return code, b"".join(taken)


def _kept(run: Path, seen: Seen) -> int:
    """How many texts the journal holds as they came; each must be there."""
    kept = 0
    rows = [json.loads(line) for line in (run / "samples.jsonl").read_bytes().split(b"\n") if line.startswith(b'{"id"')]
    numbers = {row["id"]: number_in(row["text"]) for row in rows}
    for record in journal(run):
        text = whole(TEXTS[numbers[record["sample"]]])
        wanted = f"{text}\nVerdict: yes" if record["stage"] != "generate" else text
        found = record["error"]["message"] if record.get("error") else record["answers"][0].get("text")
        same = found == wanted if not record.get("error") else found == wanted[:1_000] or found.startswith("HTTP 400")
        seen.expect(same, f"the journal holds {found!r:.80} instead of {wanted!r:.80}")
        kept += same
    return kept


def _everywhere(scene: Scene) -> Seen:
    seen = Seen(times=scene.times)
    siuo = Siuo(scene.folder)
    _benchmark(scene.folder / "b")
    with serving(_answering) as url, quick(siuo) as command:
        (scene.folder / "run.yaml").write_text(_configuration(url), encoding="utf-8")
        code, screen = on_a_terminal(siuo, "run", "-c", "run.yaml", env=KEY)
        seen.expect(code == 4, f"exit code {code} instead of 4 (some answers are errors)\n{screen[-600:]!r}")
        seen.expect(not (found := looks.of_the_screen(screen)), f"the terminal was sent {', '.join(found)}")
        (run,) = (scene.folder / "results").iterdir()
        kept = _kept(run, seen)
        plain = command("run", "-c", "run.yaml", env=KEY)
        seen.expect("0 calls sent" in plain.out, "the second run sent something again")
        outputs = {"run": plain.out, "log": plain.err, "ls": command("ls").out}
        for words in (("report",), ("report", "--published"), ("check",), ("score",), ("export",)):
            done = command(words[0], run, *words[1:])
            outputs[" ".join(words)] = done.out + done.err
        page = command("report", run, "--format", "markdown").out
        as_json = command("report", run, "--format", "json").out
    _look(outputs, page, as_json, seen)
    told = [line for line in _lines(run) if line["kind"] == "answer"]
    seen.expect(len(told) == len(TEXTS) * len(LABELS), "the export lacks answers")
    places = len(outputs) + 3
    seen.words = f"{len(TEXTS)} texts, {kept} records, {places} outputs: no control byte, no cell out of place, nothing live"
    return seen


def _lines(run: Path) -> list[dict[str, Any]]:
    (file,) = (run / "export").iterdir()
    return [json.loads(line) for line in file.read_bytes().split(b"\n")[:-1]]


def _look(outputs: Mapping[str, str], page: str, as_json: str, seen: Seen) -> None:
    for name, text in outputs.items():
        seen.expect(not (found := looks.controls(text)), f"`siuo {name}` printed {', '.join(found)}")
        forged = [line for line in text.split("\n") if line.startswith(("siuo: 999", "! forged", "siuo: forged"))]
        seen.expect(not forged, f"`siuo {name}` printed a forged line: {forged[:1]}")
        seen.expect(not (wide := looks.wider_than(text, 160)), f"`siuo {name}` has a table wider than the terminal: {wide[:1]}")
        seen.expect("Traceback" not in text, f"`siuo {name}` failed: {text[-300:]}")
    seen.expect(not (found := looks.controls(page)), f"the Markdown holds {', '.join(found)}")
    seen.expect(not (shapes := looks.tables_out_of_shape(page)), f"the Markdown has rows of another shape: {shapes[:2]}")
    seen.expect(not (live := looks.live_in_markdown(page)), f"the Markdown holds {len(live)} live things: {live[:3]}")
    seen.expect(not (found := looks.controls(as_json)), f"the JSON printed {', '.join(found)}")
    labels = {model["label"] for model in json.loads(as_json)["models"]}
    seen.expect(labels == set(LABELS), "the JSON does not hold the labels as they were given")


def _cells_answering(model: str, prompt: str) -> Reply:
    texts = tuple(CELLS.values())
    asked = re.findall(r"编号(\d+)", prompt)  # the last is the question's, those before it were found
    return 200, completion("A" if model == "judge" else texts[int(asked[-1]) % len(texts)]), {}


def _formulas(scene: Scene) -> Seen:
    """Chinese SafetyQA with searches in hostile pages, then its table as CSV, as a workbook, and read back."""
    seen = Seen(times=scene.times)
    siuo = Siuo(scene.folder)
    texts = tuple(CELLS.values())
    (scene.folder / "data").mkdir()
    options = {letter: f"选项{letter}" for letter in "ABCD"}
    rows = [
        {
            "cate": f"{text if text.strip() else 'x'}-乙{number}-{text}",
            "question": f"{text}编号{number}的模拟条目属于哪一类？",
            "standard_answer": text,
            "standard_source_url": "",
            "options": str(options),
            "correct_answer": "A",
        }
        for number, text in enumerate(texts)
    ]
    (scene.folder / "data" / "chinese_safetyqa.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    (scene.folder / "texts").mkdir()
    pages = (*TERMINAL.values(), *MARKUP.values())
    lines = [json.dumps({"title": text, "text": f"编号{place}的模拟条目 {text}"}) for place, text in enumerate(map(whole, pages))]
    (scene.folder / "texts" / "pages.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with serving(_cells_answering) as url, quick(siuo) as command:
        (scene.folder / "run.yaml").write_text(
            json.dumps(
                {
                    "benchmark": "csqa-qa",
                    "data": "data",
                    "models": [{"model": "lab/m", "label": "=HYPERLINK(1)"}],
                    "judge": {"model": "lab/judge"},
                    "search": "passive",
                    "search_corpus": "texts",
                    "providers": {"lab": {"dialect": "openai", "base_url": url, "key_env": "LAB_KEY"}},
                }
            ),
            encoding="utf-8",
        )
        done = command("run", "-c", "run.yaml", env=KEY)
        seen.expect(done.code == 0, f"exit code {done.code}: {done.err[-400:]}")
        seen.expect(not (found := looks.controls(done.out + done.err)), f"the run printed {', '.join(found)}")
        (run,) = (scene.folder / "results").iterdir()
        for form in ("csqa-csv", "csqa-xlsx"):
            command("export", run, "--format", form)
    answers = [whole(text) for text in texts]
    live, rows_of_csv = looks.formulas_in_csv((run / "export" / "csqa_qa.csv").read_bytes())
    seen.expect(not live, f"cells of the CSV would run: {live[:3]}")
    seen.expect(len({len(row) for row in rows_of_csv}) == 1, "the CSV has rows of different lengths")
    cells = {cell for row in rows_of_csv for cell in row}
    seen.expect(all({text, "'" + text} & cells for text in answers), "an answer is not in the CSV as it was given")
    live, rows_of_book = looks.formulas_in_workbook(run / "export" / "csqa_qa.xlsx")
    seen.expect(not live, f"cells of the workbook would run: {live[:3]}")
    seen.expect(len(rows_of_book) == len(rows_of_csv), "CSV and workbook have different rows")
    guarded = sum(cell.startswith("'") for row in rows_of_csv for cell in row)
    seen.words = (
        f"{len(texts)} formulas: {guarded} cells of a CSV guarded, 0 of {sum(map(len, rows_of_csv))} would run, 0 in the workbook"
    )
    return seen


def _refused(scene: Scene) -> Seen:
    """Hostile texts in arguments and names of files: each command is refused with one harmless sentence."""
    seen = Seen()
    siuo = Siuo(scene.folder)
    with quick(siuo) as command:
        for words in _commands():
            done = command(*words)
            seen.times += 1
            seen.expect(done.code == 2, f"exit code {done.code} for {words}: {done.err[-300:]}")
            seen.expect(not done.out, f"{words} printed to stdout")
            seen.broken += [f"{words}: {wrong}" for wrong in looks.ended_outside(done.err)]
    seen.words = f"{seen.times} commands with hostile names: each refused with one sentence, exit code 2"
    return seen


def _commands() -> Iterator[Sequence[str]]:
    model = ("-m", "sim/openai-careful", "--no-judge")
    for text in (TERMINAL["window title"], TERMINAL["new lines"], MARKUP["rich"], os.fsdecode(b"x\xff\xfe")):
        yield "report", text
        yield "run", "-c", f"{text}.yaml"
    yield "run", "siuo-gen", *model, "--data", TERMINAL["clear screen"]
    yield "run", f"{UNICODE['overrides']}.yaml", *model
    yield "run", "demo", *model, "--name", TERMINAL["hyperlink"]
    yield "data", "check", TERMINAL["C1 CSI and OSC"]


FAULTS: Sequence[Fault] = (
    Fault(
        PART,
        "hostile text in every answer, verdict, error, header, id, category, picture name, label and heading",
        "no output holds a control byte of it, no table loses its shape, nothing in Markdown is live, the journal keeps it",
        _everywhere,
    ),
    Fault(
        PART,
        "formulas in answers, questions, categories and labels; hostile pages found by a search",
        "no cell of an exported table would run in a spreadsheet",
        _formulas,
    ),
    Fault(PART, "hostile names of runs, files and folders on the command line", "one harmless sentence each, exit code 2", _refused),
)
