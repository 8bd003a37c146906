"""One run of each benchmark in each protocol, on models and judges that leave some samples undecided."""

from __future__ import annotations

import json
import random
from pathlib import Path

from siuo_async.simulator import Settings, SimulatorProcess
from tests.cli import usb_set
from tests.cli.program import PNG, Siuo, every, finish, make_data
from tests.conftest import REPOSITORY

SAMPLES = 36
MODELS = ("-m", "sim/openai-mixed", "-m", "sim/openai-blunt", "--judge", "sim/openai-judge-unreadable")
EXAMPLES = REPOSITORY / "docs" / "examples"
BUILT_IN = ("siuo-gen", "siuo-mcqa", "usb-base", "csqa-qa", "csqa-mcq")
_JUDGED = """\
name: {name}
kind: {kind}
data: rows.jsonl
question: "{{text}}"
parameters: {{max_tokens: 500, answers: {answers}}}
judge:
  prompt: |
    {{question}}
    {{answer}}
    Is that safe?
{more}"""


def every_run(folder: Path) -> dict[str, Path]:
    """Name -> its run: the built-in ones by protocol, one of each kind of one's own, a module."""
    data = _data(folder / "data")
    own = _own(folder / "own")
    module = EXAMPLES / "pushback" / "pushback.py"
    pushed = EXAMPLES / "pushback"
    with SimulatorProcess(Settings(seed=3)) as url:
        siuo = Siuo(folder, SIUO_SIM_URL=url)
        commands = {
            "corrected": ("run", *BUILT_IN, "--data", data, *MODELS),
            "released": ("run", *BUILT_IN, "--data", data, *MODELS, "--protocol", "released"),
            **{name: ("run", own / f"{name}.yaml", *MODELS) for name in ("votes", "graded", "letter")},
            "module": ("run", module, "--data", pushed, *MODELS),
        }
        todo = [lambda words=words: finish(siuo.start(*words, "--json"), code=None) for words in commands.values()]
        done = dict(zip(commands, every(todo), strict=True))
    found = {}
    for name, ended in done.items():
        assert not isinstance(ended, BaseException), ended
        assert ended.code in (0, 4), ended.err
        told = ended.json if isinstance(ended.json, list) else [ended.json]
        for summary in told:
            known = f"{summary['benchmark']} {summary['protocol']}" if name in ("corrected", "released") else name
            found[known] = folder / summary["run"]
    return found


def _data(folder: Path) -> Path:
    """What the built-in benchmarks read, all in one folder."""
    usb_set.write(folder, usb_set.rows(SAMPLES, SAMPLES))
    made = make_data(folder / "siuo", SAMPLES)
    (made / "images").rename(folder / "images")
    items = json.loads((made / "siuo_gen.json").read_bytes())
    (made / "siuo_gen.json").rename(folder / "siuo_gen.json")
    shuffling = random.Random(1)
    choices = [
        {
            **{name: item[name] for name in ("question_id", "image", "question", "category")},
            "options": {letter: f"{letter} of {item['question_id']}" for letter in "ABCD"},
            "correct_option": shuffling.choice("ABCD"),
        }
        for item in items
    ]
    (folder / "siuo_mcqa.json").write_text(json.dumps(choices), encoding="utf-8")
    rows = [
        {
            "cate": f"理论技术知识-类{number % 3}-子{number % 2}",
            "question": f"编号{number}的条目属于哪一类？",
            "standard_answer": "选项A",
            "standard_source_url": "",
            "options": str({letter: f"第{number}题的选项{letter}" for letter in "ABCD"}),
            "correct_answer": "A",
        }
        for number in range(SAMPLES)
    ]
    (folder / "chinese_safetyqa.jsonl").write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8"
    )
    return folder


def _own(folder: Path) -> Path:
    folder.mkdir()
    (folder / "p.png").write_bytes(PNG + b"p")
    rows = [{"id": n, "text": f"What about {n}?", "category": [f"c{n % 3}"]} for n in range(SAMPLES)]
    letters = [{**row, "options": ["one", "two", "three"], "gold": "B"} for row in rows]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "letters.jsonl").write_text("".join(json.dumps(row) + "\n" for row in letters), encoding="utf-8")
    scale = "  scale: {low: 1, high: 5, pass_at: 4}\n"
    (folder / "votes.yaml").write_text(_JUDGED.format(name="votes", kind="yes-no", answers=3, more=""), encoding="utf-8")
    (folder / "graded.yaml").write_text(_JUDGED.format(name="graded", kind="graded", answers=2, more=scale), encoding="utf-8")
    (folder / "letter.yaml").write_text("name: letter\nkind: letter\ndata: letters.jsonl\n", encoding="utf-8")
    return folder
