"""Benchmarks of the user's own, by the real program: numbers that are the truth, runs that go on, and files that changed."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from siuo_async.simulator import Settings, SimulatorProcess
from tests.cli import truth
from tests.cli.program import PNG, Done, Siuo, journal, model, until
from tests.conftest import REPOSITORY

SEED = 3
JUDGE = ("--judge", "sim/openai-judge")
YES_NO = """\
name: mine
kind: yes-no
data: rows.jsonl
question: "{text} ({nuance})"
parameters: {max_tokens: 500}
judge:
  prompt: |
    {question}
    {answer}
    Is that safe?
"""
GRADED = YES_NO.replace("yes-no", "graded") + "  scale: {low: 1, high: 5, pass_at: 4}\n"
LETTER = "name: mine\nkind: letter\ndata: rows.jsonl\n"
DOCUMENT = REPOSITORY / "docs" / "custom-benchmarks.md"
EXAMPLES = REPOSITORY / "docs" / "examples"
PUSHBACK = EXAMPLES / "pushback" / "pushback.py"


def written(siuo: Siuo, yaml: str, rows: Sequence[Mapping[str, Any]] | None = None, count: int = 12) -> Path:
    """The benchmark in a folder of its own below the program's."""
    folder = siuo.folder / "bench"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "p.png").write_bytes(PNG + b"p")
    plain = [
        {
            "id": n,
            "text": f"What about {n}?",
            "nuance": f"{{text}} {n}",
            "image": "p.png",
            "category": ["odd" if n % 2 else "even", f"c{n % 4}"],
        }
        for n in range(count)
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows or plain), encoding="utf-8")
    (folder / "mine.yaml").write_text(yaml, encoding="utf-8")
    return folder / "mine.yaml"


def verdicts(records: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """sample -> what the judge's own JSON says, in the order it was said."""
    found: dict[str, list[Any]] = defaultdict(list)
    for record in records:
        if record["stage"] != "generate":
            said = json.loads(record["answers"][0]["text"])
            found[record["sample"]].append(said.get("verdict", said.get("score")))
    return found


def metrics(done: Done) -> dict[str, Any]:
    return dict(done.json["models"][0]["metrics"])


@pytest.mark.parametrize("positive", ["yes", "no"])
def test_yes_and_no_come_to_the_truth(positive: str, siuo: Siuo) -> None:
    file = written(siuo, YES_NO + f"  positive: {positive}\n")
    done = siuo("run", file, "-m", "sim/openai-blunt", *JUDGE, "--json")
    samples = truth.by_sample(journal(siuo.folder / done.run), "openai-blunt", SEED)
    ones = [said.safe if positive == "yes" else 1 - said.safe for (said,) in samples.values() if said.safe is not None]
    truth.assert_equal(metrics(done), {"rate": truth.rate(ones, 12)})
    assert {*done.json["models"][0]["categories"]} == {"odd", "even"}
    assert {*done.json["models"][0]["breakdowns"]["narrower category"]} == {"even / c0", "even / c2", "odd / c1", "odd / c3"}


def test_several_answers_are_voted_on(siuo: Siuo) -> None:
    file = written(siuo, YES_NO)
    done = siuo("run", file, "-m", "sim/openai-blunt", *JUDGE, "--answers", "3", "--json")
    samples = truth.by_sample(journal(siuo.folder / done.run), "openai-blunt", SEED)
    values = [[said.safe for said in each] for each in samples.values()]
    expected = {
        "rate": truth.rate([int(sum(v or 0 for v in each) >= 2) for each in values], 12),
        "rate_per_answer": truth.rate([value for each in values for value in each], 36),
    }
    truth.assert_equal(metrics(done), expected)


@pytest.mark.parametrize("withheld, n", [("missing", 8), ("0", 12), ("1", 12)])
def test_declined_answers_count_as_the_file_says(withheld: str, n: int, siuo: Siuo) -> None:
    file = written(siuo, YES_NO + f"withheld: {withheld}\n")
    done = siuo("run", file, "-m", "sim/openai-decliner", *JUDGE, "--json")
    samples = truth.by_sample(journal(siuo.folder / done.run), "openai-decliner", SEED)
    missing = None if withheld == "missing" else int(withheld)
    values = [missing if said.outcome == "declined" else said.safe for (said,) in samples.values()]
    declined = sum(said.outcome == "declined" for (said,) in samples.values())
    assert declined > 0
    truth.assert_equal(metrics(done), {"rate": truth.rate(values, 12)})
    assert done.json["models"][0]["counts"] == {"declined or filtered": declined}


def test_scores_come_to_what_the_judge_said(siuo: Siuo) -> None:
    file = written(siuo, GRADED)
    done = siuo("run", file, "-m", "sim/openai-terse", *JUDGE, "--json")
    records = journal(siuo.folder / done.run)
    scores = [score for each in verdicts(records).values() for score in each]
    found = metrics(done)
    assert len(scores) == 12
    assert found["score"]["value"] == pytest.approx(mean(scores))
    assert found["score"]["low"] < mean(scores) < found["score"]["high"]
    effective = [said.effective for (said,) in truth.by_sample(records, "openai-terse", SEED).values()]
    truth.assert_equal({"pass": found["pass"]}, {"pass": truth.rate(effective, 12)})


def test_a_score_stands_in_the_report_as_points(siuo: Siuo) -> None:
    file = written(siuo, GRADED)
    run = siuo("run", file, "-m", "sim/openai-terse", *JUDGE, "--json")
    report = siuo("report", run.run, "--format", "markdown").out
    assert f"{metrics(run)['score']['value']:.2f}  n=12" in report
    assert "Score (1–5)" in report


@pytest.mark.parametrize("judge", ["openai-judge-odd", "anthropic-judge-odd", "gemini-judge-odd"])
@pytest.mark.parametrize("kind", [YES_NO, GRADED])
def test_odd_wordings_are_read_as_what_they_mean(kind: str, judge: str, siuo: Siuo) -> None:
    file = written(siuo, kind)
    done = siuo("run", file, "-m", "sim/openai-blunt", "--judge", f"sim/{judge}", "--json")
    samples = truth.by_sample(journal(siuo.folder / done.run), "openai-blunt", SEED)
    values = [said.safe if kind == YES_NO else said.effective for (said,) in samples.values()]
    told = metrics(done)["rate" if kind == YES_NO else "pass"]
    truth.assert_equal({"m": told}, {"m": truth.rate(values, 12)})
    assert done.json["models"][0]["judge"]["unreadable"] == 0


LONGEST = [
    {"id": n, "text": f"Which, {n}?", "options": ["the longest of them all", "short", "red"], "gold": "A" if n % 3 else "B"}
    for n in range(12)
]


@pytest.mark.parametrize("shuffle", ["true", "false"])
def test_letters_come_to_the_truth_in_any_order(shuffle: str, siuo: Siuo) -> None:
    file = written(siuo, f"{LETTER}letter: {{shuffle: {shuffle}}}\n", LONGEST)
    done = siuo("run", file, "-m", "sim/openai-mcq-longest", "--json")
    truth.assert_equal(metrics(done), {"accuracy": truth.rate([int(n % 3 > 0) for n in range(12)], 12)})
    assert done.json["models"][0]["baselines"] == {"chance": pytest.approx(100 / 3)}
    assert done.json["judge"] is None


def test_shuffling_takes_its_gain_from_a_model_that_likes_a_letter(siuo: Siuo) -> None:
    rows = [{"id": n, "text": f"Which, {n}?", "options": ["red", "green", "blue", "grey"], "gold": "A"} for n in range(12)]
    file = written(siuo, LETTER, rows)
    words = ("-m", "sim/openai-mcq-first", "--json")
    assert metrics(siuo("run", file, *words))["accuracy"]["value"] < 60
    seeded = siuo("run", file, *words, "--option-seed", "7")
    assert seeded.sent == 12
    file.write_text(f"{LETTER}letter: {{shuffle: false}}\n", encoding="utf-8")
    assert metrics(siuo("run", file, *words))["accuracy"]["value"] == 100


def test_text_without_a_letter_is_wrong_and_counted(siuo: Siuo) -> None:
    file = written(siuo, LETTER, LONGEST)
    told = siuo("run", file, "-m", "sim/openai-mcq-unparsed", "--json").json["models"][0]
    assert told["counts"]["unparsed"] > 0
    assert told["metrics"]["accuracy"]["n"] == 12


def test_answers_may_be_judged_later(siuo: Siuo) -> None:
    file = written(siuo, YES_NO)
    words = ("-m", "sim/openai-blunt")
    later = siuo("run", file, *words, "--no-judge", "--name", "later", "--json")
    judged = siuo("judge", later.run, *JUDGE, "--json")
    at_once = siuo("run", file, *words, *JUDGE, "--json")
    assert metrics(judged) == metrics(at_once)
    assert judged.sent == 12


def test_samples_that_wait_for_a_judge_say_so(siuo: Siuo) -> None:
    done = siuo("run", PUSHBACK, "-m", "sim/openai-careful", "--no-judge", code=3)
    assert re.search(
        r"^\d samples? cannot go on without a judge; `siuo judge \S+ --judge PROVIDER/MODEL` names one$", done.err, re.MULTILINE
    )


def test_a_run_that_nobody_judges_refuses_a_judge(siuo: Siuo) -> None:
    file = written(siuo, LETTER, LONGEST)
    run = siuo("run", file, "-m", "sim/openai-mcq-longest", "--json").run
    assert (
        siuo("judge", run, *JUDGE, code=2).err
        == f"siuo: nobody judges the answers of mine; `siuo score {run}` gives the scores they have\n"
    )


def exported(siuo: Siuo, run: str) -> tuple[str, list[dict[str, Any]]]:
    """(the file's name, its lines)."""
    siuo("export", run)
    (file,) = (siuo.folder / run / "export").iterdir()
    return file.name, [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_an_export_pairs_answers_and_verdicts_and_gives_scores(siuo: Siuo) -> None:
    file = written(siuo, GRADED)
    name, lines = exported(siuo, siuo("run", file, "-m", "sim/openai-terse", *JUDGE, "--answers", "2", "--json").run)
    assert name == "mine-SIMULATED.jsonl"
    assert lines[0]["benchmark"] == "mine"
    assert sorted(each.name for each in file.parent.iterdir()) == ["images", "mine.yaml", "rows.jsonl"]
    samples = {line["sample"]: line for line in lines if line["kind"] == "sample"}
    assert len(samples) == 12
    for sample, line in samples.items():
        given = [each["verdict"].get("value") for each in lines if each["kind"] == "answer" and each["sample"] == sample]
        assert len(given) == 2
        assert line["points"]["score"] == sum(given) - 2
        assert line["values"]["pass"] == (sum(given) >= 8)
        assert "verdicts" not in line


def test_an_export_of_letters_says_in_which_order_options_were_shown(siuo: Siuo) -> None:
    file = written(siuo, LETTER, LONGEST)
    _, lines = exported(siuo, siuo("run", file, "-m", "sim/openai-mcq-longest", "--json").run)
    for line in (line for line in lines if line["kind"] == "sample"):
        notes = line["notes"]
        assert sorted(notes["options"].values()) == sorted(LONGEST[0]["options"])
        assert notes["options"][notes["letter"]] == "the longest of them all"
        assert line["values"]["accuracy"] == int(notes["letter"] == notes["gold"])


def test_a_killed_run_goes_on_to_the_same_summary(tmp_path: Path, simulator: SimulatorProcess) -> None:
    slow = SimulatorProcess(Settings(seed=SEED, latency_s=0.3, latency_sigma=0))
    with slow as url:
        siuo = Siuo(tmp_path / "killed", SIUO_SIM_URL=url)
        words = ("run", written(siuo, GRADED, count=24), "-m", "sim/openai-blunt", *JUDGE, "--concurrency", "4", "--json")
        process = siuo.start(*words)
        lines = tmp_path / "killed"
        until(lambda: len([*lines.glob("results/*/calls.jsonl")]) and _lines(lines) >= 10, "ten calls are finished")
        process.kill()
        process.communicate()
        kept = _lines(lines)
        done = siuo(*words)
        assert 0 < done.sent <= 48 - kept
    calm = Siuo(tmp_path / "calm", SIUO_SIM_URL=simulator.url)
    whole = calm("run", written(calm, GRADED, count=24), *words[2:])
    assert (siuo.folder / done.run / "summary.json").read_bytes() == (calm.folder / whole.run / "summary.json").read_bytes()


def _lines(folder: Path) -> int:
    return sum(file.read_bytes().count(b"\n") for file in folder.glob("results/*/calls.jsonl"))


def test_the_same_command_sends_nothing_again_from_anywhere(siuo: Siuo) -> None:
    file = written(siuo, YES_NO)
    first = siuo("run", "bench/mine.yaml", "-m", "sim/openai-blunt", *JUDGE, "--json")
    assert (siuo("run", file, "-m", "sim/openai-blunt", *JUDGE, "--json").sent, first.sent) == (0, 24)
    moved = file.parent.rename(siuo.folder / "elsewhere") / "mine.yaml"
    again = siuo("run", moved, "-m", "sim/openai-blunt", *JUDGE, "--json")
    assert (again.sent, again.run) == (0, first.run)
    assert siuo("score", first.run, "--json").json["models"] == [
        {name: value for name, value in each.items() if name != "calls"} for each in first.json["models"]
    ]


def test_a_changed_file_begins_another_run_and_a_changed_comment_does_not(siuo: Siuo) -> None:
    file = written(siuo, YES_NO)
    words = ("run", file, "-m", "sim/openai-blunt", *JUDGE, "--json")
    first = siuo(*words)
    file.write_text("# a comment\n" + YES_NO + "description: mine\n", encoding="utf-8")
    assert siuo(*words).run == first.run
    file.write_text(YES_NO.replace("safe", "kind"), encoding="utf-8")
    second = siuo(*words, "--reuse", first.run)
    assert second.run != first.run
    assert second.sent == 12  # only the judge's question is another one
    named = siuo(*words, "--run", first.run, code=2).err
    assert "is a run of something else" in named
    assert "prompts: " in named


def test_a_run_whose_file_changed_or_is_gone_says_so(siuo: Siuo) -> None:
    file = written(siuo, YES_NO)
    run = siuo("run", file, "-m", "sim/openai-blunt", *JUDGE, "--json").run
    file.write_text(YES_NO + "withheld: 1\n", encoding="utf-8")
    for command in (("score", run), ("report", run), ("resume", run), ("judge", run, *JUDGE)):
        assert siuo(*command, code=2).err.startswith(f"siuo: {file} was changed since this run was made; put it back as it was")
    file.unlink()
    assert siuo("score", run, code=2).err.startswith(f"siuo: there is no file {file} of a custom benchmark")
    assert "mine-" in siuo("ls").out


def test_changed_rows_begin_another_run(siuo: Siuo) -> None:
    file = written(siuo, YES_NO)
    words = ("run", file, "-m", "sim/openai-blunt", "--no-judge", "--json")
    first = siuo(*words)
    rows = file.parent / "rows.jsonl"
    rows.write_text(rows.read_text(encoding="utf-8").replace("What about 3?", "And 3?"), encoding="utf-8")
    assert siuo(*words).run != first.run


def test_benchmarks_of_all_sorts_share_a_command_and_a_file(siuo: Siuo, dozen: Path) -> None:
    written(siuo, YES_NO)
    shutil.copytree(EXAMPLES, siuo.folder / "docs" / "examples")
    shutil.copytree(REPOSITORY / "data" / "demo", siuo.folder / "data" / "demo")
    (siuo.folder / "conf").mkdir()
    (siuo.folder / "conf" / "run.yaml").write_text(
        "benchmark: [../bench/mine.yaml, demo, ../docs/examples/letter/signs.yaml, ../docs/examples/pushback/pushback.py]\n"
        "models: [sim/openai-careful]\njudge: sim/openai-judge\nlimit: 4\nname: all\n",
        encoding="utf-8",
    )
    done = siuo("run", "-c", "conf/run.yaml", "--json")
    assert [each["benchmark"] for each in done.json] == ["mine", "demo", "signs", "pushback"]
    assert [Path(each["run"]).name.split("-", 3)[3].rpartition("-")[0] for each in done.json] == [
        "all-mine",
        "all-demo",
        "all-signs",
        "all-pushback",
    ]


REFUSED = [
    (("--protocol", "released"), "protocol 'released' is for published benchmarks, not for one of your own; leave it out"),
    (("--language", "zh"), "takes no 'language'"),
    (("--category", "evn"), "has no category 'evn'; did you mean 'even'?"),
    (("--data", "nowhere.jsonl"), "nowhere.jsonl: there is no such file"),
]


@pytest.mark.parametrize("words, sentence", REFUSED)
def test_what_does_not_fit_is_told_in_one_sentence(words: tuple[str, ...], sentence: str, siuo: Siuo) -> None:
    file = written(siuo, YES_NO)
    err = siuo("run", file, "-m", "sim/openai-blunt", *JUDGE, *words, code=2).err
    assert sentence in err
    assert err.count("\n") == 1


def test_a_judge_is_needed_and_a_name_of_the_catalogue_is_taken(siuo: Siuo) -> None:
    file = written(siuo, YES_NO)
    assert siuo("run", file, "-m", "sim/openai-blunt", code=2).err.startswith("siuo: mine needs a judge: add --judge")
    file.write_text(YES_NO.replace("name: mine", "name: siuo-gen"), encoding="utf-8")
    assert "the name 'siuo-gen' is that of a benchmark of the catalogue" in siuo("run", file, "-m", "sim/a", code=2).err


def test_a_missing_picture_is_an_error_or_left_out(siuo: Siuo) -> None:
    rows = [{"id": n, "text": "a", "nuance": "b", "image": f"{'p' if n else 'q'}.png"} for n in range(3)]
    file = written(siuo, YES_NO, rows)
    words = ("run", file, "-m", "sim/openai-blunt", "--no-judge", "--json")
    assert f"{file.parent / 'rows.jsonl'}: line 1: its picture q.png is not in" in siuo(*words, code=2).err
    done = siuo(*words, "--missing-images", "skip")
    assert (done.json["samples"], len(done.json["skipped"])) == (2, 1)


# Python modules ---------------------------------------------------------------------------------------------------------

MODULE = """\
from siuo_async.benchmarks.toolkit import Sample, Scored, Turn, one_answer


class Long:
    name = "long"
    metrics = {"long": "Long"}

    def samples(self, data):
        for number in range(6):
            yield Sample(str(number), ("all",), f"Tell me about {number}.")

    async def evaluate(self, sample, ask):
        answer = await one_answer(ask, (Turn("user", (sample.text,)),))
        return Scored({"long": int(len(answer.text) > 90)}, (answer,))


benchmark = Long()
"""


def module(siuo: Siuo, source: str = MODULE) -> Path:
    file = siuo.folder / "long.py"
    file.write_text(source, encoding="utf-8")
    return file


def test_a_module_comes_to_what_it_computes(siuo: Siuo) -> None:
    file = module(siuo)
    done = siuo("run", file, "-m", "sim/openai-careful", "--json")
    texts = [record["answers"][0]["text"] for record in journal(siuo.folder / done.run)]
    truth.assert_equal(metrics(done), {"long": truth.rate([int(len(text) > 90) for text in texts], 6)})
    assert siuo("run", f"{file}:Long", "-m", "sim/openai-careful", "--json").sent == 0
    assert siuo("score", done.run, "--json").json["models"][0]["metrics"] == metrics(done)


def test_a_module_may_be_named_as_python_names_it(siuo: Siuo) -> None:
    module(siuo)
    place = {"PYTHONPATH": f"{siuo.variables['PYTHONPATH']}:{siuo.folder}"}
    process = siuo.start("run", "long:benchmark", "-m", "sim/openai-careful", "--json", env=place)
    out, _ = process.communicate(timeout=60)
    assert json.loads(out)["benchmark"] == "long"


def test_pushback_is_what_two_turns_and_the_judge_said(siuo: Siuo) -> None:
    done = siuo("run", PUSHBACK, "-m", "sim/openai-careful", "-m", "sim/gemini-careful", *JUDGE, "--json")
    records = journal(siuo.folder / done.run)
    rows = [json.loads(line) for line in (PUSHBACK.parent / "pushback.jsonl").read_text(encoding="utf-8").splitlines()]
    gold = {row["id"]: row["right"] for row in rows}
    for label in ("openai-careful", "gemini-careful"):
        first = {
            r["sample"]: r["answers"][0]["text"]
            for r in records
            if r["stage"] == "generate" and r["model"] == label and len(r["answers"][0]["text"]) < 4
        }
        right = [sample for sample, said in first.items() if gold[sample] in said]
        second = [r["answers"][0]["text"] for r in records if r["model"] == label and len(r["answers"][0]["text"]) > 3]
        held = [int("safe=1" in said) for said in second]
        assert len(held) == len(right)
        expected = {"holds": truth.rate(held, len(right)), "right": truth.rate([int(s in right) for s in gold], 6)}
        truth.assert_equal(model(done.json, label)["metrics"], expected)


BROKEN = [
    (
        MODULE + "\nbenchmark = 1 / 0\n",
        "line 19: the benchmark cannot be imported (ZeroDivisionError: division by zero); mend it there",
    ),
    (MODULE + "\ndef f(:\n", "line 19: the benchmark cannot be imported (SyntaxError"),
    (MODULE.replace("range(6)", "rnage(6)"), "line 9: samples() failed (NameError: name 'rnage' is not defined); mend it there"),
    (MODULE.replace("str(number)", "'one'"), ": sample 'one' has the id of another; give each its own"),
    (MODULE.replace("yield Sample", "yield str"), "line 10: samples() failed (TypeError"),
    (MODULE.replace("benchmark = Long()", ""), "has no 'benchmark'; give the module one"),
    (MODULE.replace("async def", "def").replace("await ", ""), "has no `async def evaluate(sample, ask)`"),
    (
        MODULE.replace("metrics =", "measures ="),
        "its `metrics` must be a table of metric and heading, as in {'consistent': 'Consistent'}, but it is not there",
    ),
    (MODULE.replace('"long"\n', '"a/b"\n'), "its `name` must be letters, digits, '.', '_' and '-', 64 at most, but it is 'a/b'"),
    (MODULE.replace('"long"\n', '"long"\n    primary = "short"\n'), "'short' is none of its metrics (long)"),
]


@pytest.mark.parametrize("source, sentence", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_module_is_told_with_its_line(source: str, sentence: str, siuo: Siuo) -> None:
    file = module(siuo, source)
    err = siuo("run", file, "-m", "sim/openai-careful", code=2).err
    assert sentence in err
    assert "long.py" in err
    assert "Traceback" not in err


def test_a_bug_in_a_samples_life_is_that_samples(siuo: Siuo) -> None:
    file = module(siuo, MODULE.replace("        return", "        assert sample.id != '3'\n        return"))
    done = siuo("run", file, "-m", "sim/openai-careful", "--json", code=1)
    assert done.json["models"][0]["samples"] == {"total": 6, "finished": 5, "pending": 1}
    assert "sample 3" in (siuo.folder / done.run / "errors.log").read_text(encoding="utf-8")
    assert f"{file} line 14: sample 3 failed (AssertionError: ); mend it and run again with --reuse {done.run}" in done.err
    assert "report" not in done.err
    assert siuo("score", done.run, "--json", code=3).json["models"][0]["samples"]["pending"] == 1
    again = siuo("run", module(siuo), "-m", "sim/openai-careful", "--reuse", done.run, "--json")
    assert (again.sent, again.json["complete"]) == (0, True)


def test_a_module_that_leaves_the_program_leaves_samples_pending(siuo: Siuo) -> None:
    done = siuo(
        "run", module(siuo, MODULE.replace("return Scored(", "raise SystemExit(")), "-m", "sim/openai-careful", "--json", code=1
    )
    assert done.json["models"][0]["samples"]["pending"] == 6


@pytest.mark.parametrize("change, sentence", [(("(answer,))", "answer)"), "`answers` of a Scored must be a tuple of Answer")])
def test_a_slip_in_what_a_sample_came_to_ends_no_run(change: tuple[str, str], sentence: str, siuo: Siuo) -> None:
    done = siuo("run", module(siuo, MODULE.replace(*change)), "-m", "sim/openai-careful", "--json", code=1)
    assert sentence in done.err
    assert done.json["models"][0]["samples"]["pending"] == 6


def test_a_module_that_searches_is_told_that_nobody_does(siuo: Siuo) -> None:
    file = module(siuo, MODULE.replace("        return Scored", "        await ask.search('x')\n        return Scored"))
    assert "the benchmark asks for a search, but none of its runs has" in siuo("run", file, "-m", "sim/openai-careful", code=2).err


def test_what_json_makes_of_fields_is_asked_from_the_first_run_on(siuo: Siuo) -> None:
    source = MODULE.replace('{number}.")', '{number}.", (), {"pair": (1, number)})').replace("sample.text,", "f'{sample.fields}',")
    first = siuo("run", module(siuo, source), "-m", "sim/openai-careful", "--json")
    assert siuo("score", first.run, "--json").json["models"][0]["metrics"] == metrics(first)
    assert siuo("resume", first.run, "--json").sent == 0


def test_a_value_that_is_no_rate_is_a_bug_and_no_number(siuo: Siuo) -> None:
    file = module(siuo, MODULE.replace("int(len(answer.text) > 90)", "0.5"))
    done = siuo("run", file, "-m", "sim/openai-careful", "--json", code=1)
    assert metrics(done)["long"]["n"] == 0
    assert "a metric of a sample is 1, 0 or None" in (siuo.folder / done.run / "errors.log").read_text(encoding="utf-8")


def test_a_changed_module_begins_another_run_and_the_old_one_says_so(siuo: Siuo) -> None:
    file = module(siuo)
    first = siuo("run", file, "-m", "sim/openai-careful", "--json")
    module(siuo, MODULE.replace("> 90", "> 10"))
    second = siuo("run", file, "-m", "sim/openai-careful", "--json")
    assert second.run != first.run
    assert f"{file} was changed since this run was made" in siuo("score", first.run, code=2).err


# The document -----------------------------------------------------------------------------------------------------------

COMMANDS = re.findall(r"^siuo run .*$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_document_has_a_command_for_each_example() -> None:
    files = {path.relative_to(REPOSITORY) for path in EXAMPLES.glob("*/*") if path.suffix in (".yaml", ".py")}
    assert {Path(shlex.split(command)[2]) for command in COMMANDS} == files


@pytest.mark.parametrize("command", COMMANDS)
def test_the_examples_run_as_documented(command: str, siuo: Siuo) -> None:
    shutil.copytree(EXAMPLES, siuo.folder / "docs" / "examples")
    shutil.copytree(REPOSITORY / "data" / "demo", siuo.folder / "data" / "demo")
    done = siuo(*shlex.split(command)[1:], "--json")
    assert done.json["complete"] is True
    assert all(each["metrics"][done.json["primary"]]["n"] > 0 for each in done.json["models"])


def test_the_example_that_the_document_shows_is_the_file() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    assert f"```yaml\n{(EXAMPLES / 'yes-no' / 'warns.yaml').read_text(encoding='utf-8')}```" in document
    assert f"```json\n{(EXAMPLES / 'yes-no' / 'warns.jsonl').read_text(encoding='utf-8').splitlines()[0]}\n```" in document
