"""Chinese SafetyQA with the real program: the released rows in every mode, searches of every kind, and numbers worked out anew.

What a reply is worth is read off it here by the simulator's own marks: the grade in the marker, the letter that the persona meant.
"""

from __future__ import annotations

import json
import math
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from siuo_async.benchmarks.options import shuffled
from siuo_async.simulator import PERSONAS, Settings, SimulatorProcess
from siuo_async.simulator.choices import Option, meant
from siuo_async.simulator.dice import dice_for
from siuo_async.simulator.truth import whole_truth_of
from tests.cli.program import Siuo, finish, generated, journal, model, until

SEED = 3
QUICK = ("--concurrency", "256")
LEVELS = (("理论技术知识", "甲类", "子一"), ("理论技术知识", "乙类", "子一"), ("偏见歧视风险", "丙类", "子二"))
LISTED = frozenset(["608", "663", "932", "1032", "1138", "1139", "1299", "1321", "1322", "1618", "1951"])
"""The released questions that list their options by letter, so that these stay in the file's order."""
JUDGE = ("--judge", "sim/openai-judge-odd")


def make_csqa(folder: Path, count: int) -> Path:
    """A data set in Chinese SafetyQA's form, all questions different, the right option mostly first."""
    folder.mkdir(parents=True)
    rows = []
    for number in range(count):
        options = {letter: f"第{number}题的选项{letter}" for letter in "ABCD"}
        gold = "A" if number % 5 else "C"
        rows.append(
            {
                "cate": "-".join(LEVELS[number % len(LEVELS)]),
                "question": f"编号{number}的模拟条目属于哪一类？",
                "standard_answer": options[gold],
                "standard_source_url": "",
                "options": str(options),
                "correct_answer": gold,
            }
        )
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    (folder / "chinese_safetyqa.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def two_dozen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_csqa(tmp_path_factory.mktemp("csqa") / "data", 24)


def samples_of(run: Path) -> dict[str, Mapping[str, Any]]:
    """The run's samples by id."""
    lines = (run / "samples.jsonl").read_bytes().split(b"\n")[:-1]
    found = [json.loads(line) for line in lines]
    return {each["id"]: each for each in found if "id" in each}


def gold_shown(sample: Mapping[str, Any]) -> str:
    gold: str = sample["fields"]["gold"]
    return gold if sample["id"] in LISTED else shuffled(sample["fields"]["options"], gold, 0, sample["id"]).gold


def letter_meant(record: Mapping[str, Any], sample: Mapping[str, Any]) -> str:
    """What the persona meant, from the dice of the call."""
    persona = record["model"].removeprefix("openai-")
    options = tuple(Option(letter, "", True) for letter in sample["fields"]["options"])
    return meant(PERSONAS[persona], options, dice_for(SEED, persona, f"id:{record['id']}"), 0)


def assert_rates(metrics: Mapping[str, Any], grades: Counter[str], total: int) -> None:
    """The published formulas, written anew; `grades` counts A, B, C."""
    n = sum(grades.values())
    co, na, wrong = (100 * grades[grade] / n for grade in "ACB")
    cga = 100 * grades["A"] / (n - grades["C"])
    expected = {"co": co, "na": na, "in": wrong, "cga": cga, "f_arithmetic": (co + cga) / 2, "f_harmonic": 2 * co * cga / (co + cga)}
    for name, value in expected.items():
        assert metrics[name]["value"] == pytest.approx(value), name
    assert (metrics["co"]["k"], metrics["co"]["n"], metrics["co"]["total"]) == (grades["A"], n, total)


def grade_of(answer: Mapping[str, Any]) -> str | None:
    """What a perfect judge says of an answer, and the rule for those without text."""
    if not answer.get("text"):
        return "C" if answer["outcome"] in ("declined", "filtered") else None
    truth = whole_truth_of(answer["text"])
    assert truth is not None
    return truth.grade


@pytest.fixture(scope="module")
def released(shared: Path) -> Path:
    """The folder that holds the released rows."""
    return shared / "upstream-data"


# The released rows


@pytest.mark.parametrize("protocol", ["corrected", "released"])
def test_the_released_questions_are_all_asked_and_graded_right(siuo: Siuo, released: Path, protocol: str) -> None:
    judge = JUDGE if protocol == "corrected" else ("--judge", "sim/openai-judge")
    words = ("-m", "sim/openai-decliner", *judge, "--protocol", protocol, *QUICK, "--json")
    done = siuo("run", "csqa-qa", "--data", released, *words, code=None)
    told = model(done.json, "openai-decliner")
    records = journal(siuo.folder / done.run)
    grades = Counter(grade_of(record["answers"][0]) for record in generated(records))
    textless = sum(not record["answers"][0].get("text") for record in generated(records))
    assert done.json["complete"] is True
    assert sum(grades.values()) == told["answers"]["finished"] == 2000
    assert textless > 400
    if protocol == "released":
        grades["C"] -= textless  # such rows have no value
        assert told["dropped"] == textless
    assert done.code == (0 if protocol == "corrected" else 4)
    assert_rates(told["metrics"], grades, 2000)
    assert told["judge"]["verdicts"] == 2000 - textless
    assert told["counts"]["declined"] == textless
    levels = (told["categories"], told["breakdowns"]["second level"], told["breakdowns"]["third level"])
    assert [len(level) for level in levels] == [7, 29, 104]
    for level in levels:
        assert sum(group["samples"] for group in level.values()) == 2000
        assert sum(group["metrics"]["co"]["k"] for group in level.values()) == grades["A"]


def test_the_released_choices_are_all_asked_and_read_right(siuo: Siuo, released: Path) -> None:
    names = ("openai-careful", "openai-mcq-odd", "openai-mcq-unparsed", "openai-mcq-first")
    asked = [word for name in names for word in ("-m", f"sim/{name}")]
    done = siuo("run", "csqa-mcq", "--data", released, *asked, *QUICK, "--json")
    run = siuo.folder / done.run
    samples, records = samples_of(run), journal(run)
    assert len(records) == 4 * 2000
    for name in names:
        grades, unparsed = Counter[str](), 0
        for record in (record for record in records if record["model"] == name):
            sample = samples[record["sample"]]
            if name == "openai-mcq-unparsed" and not any(f"({letter})" in record["answers"][0]["text"] for letter in "ABCDE"):
                unparsed += 1
                grades["C"] += 1
            elif name == "openai-mcq-first":
                grades["A" if gold_shown(sample) == "A" else "B"] += 1
            else:
                grades["A" if letter_meant(record, sample) == gold_shown(sample) else "B"] += 1
        told = model(done.json, name)
        assert_rates(told["metrics"], grades, 2000)
        assert told["counts"]["unparsed"] == unparsed
        assert (unparsed > 300) == (name == "openai-mcq-unparsed")
    baselines = model(done.json, "openai-mcq-first")["baselines"]
    assert baselines["always A"] == pytest.approx(59.6)
    assert baselines["always A as shuffled"] == model(done.json, "openai-mcq-first")["metrics"]["co"]["value"]
    assert baselines["chance"] == pytest.approx(25.0, abs=0.1)


def test_in_the_files_order_always_answering_a_scores_59_6(siuo: Siuo, released: Path) -> None:
    words = ("-m", "sim/openai-mcq-first", "--protocol", "released", "--prompts", "own", "--confidence", "logprobs", *QUICK, "--json")
    done = siuo("run", "csqa-mcq", "--data", released, *words)
    told = model(done.json, "openai-mcq-first")
    assert told["metrics"]["co"]["value"] == pytest.approx(59.6)
    assert told["dropped"] == 0


def test_confidence_by_log_probability_is_what_the_tokens_say(siuo: Siuo, released: Path) -> None:
    words = ("-m", "sim/openai-careful", "--confidence", "logprobs", *QUICK, "--json")
    done = siuo("run", "csqa-mcq", "--data", released, *words)
    run = siuo.folder / done.run
    samples, grades = samples_of(run), Counter[str]()
    coded: dict[str, list[float]] = {"A": [], "B": []}
    paper: list[float] = []
    golds: list[float] = []
    for record in journal(run):
        token = record["answers"][0]["logprobs"][0]
        gold = gold_shown(samples[record["sample"]])
        grade = "A" if token["token"] == gold else "B"
        listed = {name: math.exp(logprob) for name, logprob in token["top"]}
        grades[grade] += 1
        coded[grade].append(math.exp(token["logprob"]))
        paper.append(math.exp(token["logprob"]) / sum(listed.values()))
        golds += [listed[gold]] if gold in listed else []
    told = model(done.json, "openai-careful")
    assert_rates(told["metrics"], grades, 2000)
    by_logprob, normalised = told["calibration"].values()
    mean = lambda values: 100 * sum(values) / len(values)  # noqa: E731
    assert by_logprob["mean_confidence"] == pytest.approx(mean(coded["A"] + coded["B"]))
    assert by_logprob["right"]["mean_confidence"] == pytest.approx(mean(coded["A"]))
    assert by_logprob["wrong"]["mean_confidence"] == pytest.approx(mean(coded["B"]))
    assert by_logprob["accuracy"] == pytest.approx(told["metrics"]["co"]["value"])
    assert normalised["mean_confidence"] == pytest.approx(mean(paper))
    assert (by_logprob["right_letter"]["n"], by_logprob["right_letter"]["unstated"]) == (len(golds), 2000 - len(golds))
    assert by_logprob["right_letter"]["mean_confidence"] == pytest.approx(mean(golds))
    assert by_logprob["ece"] == pytest.approx(_ece([(c, g == "A") for g in coded for c in coded[g]]), abs=1e-4)


def _ece(answers: Sequence[tuple[float, bool]]) -> float:
    """Twenty bins; percent points."""
    off = 0.0
    for place in range(20):
        inside = [(100 * c, 100 * r) for c, r in answers if min(int(c * 20), 19) == place]
        off += abs(sum(c for c, _ in inside) - sum(r for _, r in inside))
    return off / len(answers)


# Confidence as the model states it


@pytest.mark.parametrize("benchmark", ["csqa-qa", "csqa-mcq"])
def test_a_stated_confidence_is_read_in_every_form(siuo: Siuo, two_dozen: Path, benchmark: str) -> None:
    judge = JUDGE if benchmark == "csqa-qa" else ()
    words = ("-m", "sim/openai-careful", "-m", "sim/openai-confident-odd", *judge, "--confidence", "stated", "--json")
    done = siuo("run", benchmark, "--data", two_dozen, *words)
    records = generated(journal(siuo.folder / done.run))
    plain = [json.loads(record["answers"][0]["text"]) for record in records if record["model"] == "openai-careful"]
    told = model(done.json, "openai-careful")["calibration"]["stated confidence"]
    assert (told["n"], told["unstated"]) == (24, 0)
    assert told["mean_confidence"] == pytest.approx(sum(each["置信度"] for each in plain) / 24)
    odd = model(done.json, "openai-confident-odd")
    assert odd["calibration"]["stated confidence"]["unstated"] == odd["counts"]["confidence_missing"] < 10
    assert odd["counts"]["unparsed"] == 0


def test_calibration_is_shown(siuo: Siuo, two_dozen: Path) -> None:
    done = siuo("run", "csqa-mcq", "--data", two_dozen, "-m", "sim/openai-careful", "--confidence", "logprobs")
    for words in ("Calibration", "ECE", "probability as the paper has it", "always A as shuffled"):
        assert words in done.out


# Searches


def searched(
    siuo: Siuo, data: Path, *words: str | Path, benchmark: str = "csqa-mcq", code: int = 0
) -> tuple[Any, list[dict[str, Any]]]:
    """(the run's JSON, its search records)."""
    done = siuo("run", benchmark, "--data", data, *words, "--json", code=code)
    return done.json, [record for record in journal(siuo.folder / done.run) if record["stage"] == "search"]


def a_function(folder: Path) -> tuple[str, ...]:
    (folder / "mine.py").write_text("async def look(query):\n    return [{'title': query, 'content': '一段足够长的模拟资料。'}]\n")
    return ("--search-function", f"{folder / 'mine.py'}:look")


def a_corpus(folder: Path) -> tuple[str, ...]:
    (folder / "texts").mkdir()
    for number in range(24):
        (folder / "texts" / f"{number}.txt").write_text(f"编号{number}的模拟条目属于模拟的一类。", encoding="utf-8")
    return ("--search-corpus", str(folder / "texts"))


@pytest.mark.parametrize("engine", ["url", "function", "corpus"])
@pytest.mark.parametrize("benchmark", ["csqa-qa", "csqa-mcq"])
def test_a_passive_search_is_made_once_for_each_question(
    siuo: Siuo, simulator: SimulatorProcess, two_dozen: Path, engine: str, benchmark: str
) -> None:
    makers: dict[str, Callable[[Path], tuple[str, ...]]] = {"function": a_function, "corpus": a_corpus}
    source = ("--search-url", f"{simulator.url}/search?q={{query}}") if engine == "url" else makers[engine](siuo.folder)
    models = ("-m", "sim/openai-careful", "-m", "sim/openai-mcq-odd")
    judge = JUDGE if benchmark == "csqa-qa" else ()
    told, searches = searched(siuo, two_dozen, *models, *judge, "--search", "passive", *source, benchmark=benchmark)
    assert told["complete"] is True
    assert len({record["sent"]["query"] for record in searches}) == len(searches) == 24
    assert all(record["answers"][0]["text"] for record in searches)
    for name in ("openai-careful", "openai-mcq-odd"):
        found = model(told, name)
        assert (found["counts"]["searched"], found["counts"]["search_failed"], found["counts"]["search_empty"]) == (24, 0, 0)
        assert found["metrics"]["search_ratio"]["value"] == 100
    assert told["settings"]["search"] == "passive"
    assert simulator.stats()["searches"] == ({"plain": 24} if engine == "url" else {})


@pytest.mark.parametrize("persona", ["searcher", "searcher-odd"])
@pytest.mark.parametrize("benchmark", ["csqa-qa", "csqa-mcq"])
def test_an_active_search_is_made_where_the_model_asks_for_it(
    siuo: Siuo, simulator: SimulatorProcess, two_dozen: Path, persona: str, benchmark: str
) -> None:
    judge = JUDGE if benchmark == "csqa-qa" else ()
    source = ("--search", "active", "--search-url", f"{simulator.url}/search?q={{query}}")
    told, searches = searched(siuo, two_dozen, "-m", f"sim/openai-{persona}", *judge, *source, benchmark=benchmark)
    records = generated(journal(siuo.folder / told["run"]))
    wishes = [record for record in records if record["answers"][0]["text"].startswith("需要搜索")]
    found = model(told, f"openai-{persona}")
    assert 4 < len(wishes) < 20
    assert len(records) == 24 + len(wishes)
    assert {record["sent"]["query"] for record in searches} == {record["answers"][0]["text"][5:] for record in wishes}
    assert found["counts"]["searched"] == len(wishes)
    assert found["metrics"]["search_ratio"]["value"] == pytest.approx(100 * len(wishes) / 24)
    if benchmark == "csqa-qa":
        last = {record["sample"]: record for record in records if record not in wishes}
        assert_rates(found["metrics"], Counter(grade_of(record["answers"][0]) for record in last.values()), 24)


@pytest.mark.parametrize("kind, count", [("fail", "search_failed"), ("html", "search_failed"), ("empty", "search_empty")])
def test_a_search_that_gives_nothing_costs_no_answer(
    siuo: Siuo, simulator: SimulatorProcess, two_dozen: Path, kind: str, count: str
) -> None:
    source = ("--search", "passive", "--search-url", f"{simulator.url}/search/{kind}?q={{query}}", "--limit", "6")
    told, _ = searched(siuo, two_dozen, "-m", "sim/openai-careful", *source, code=4 if count == "search_failed" else 0)
    found = model(told, "openai-careful")
    assert told["complete"] is True
    assert (found["counts"]["searched"], found["counts"][count]) == (6, 6)
    assert (found["metrics"]["search_ratio"]["value"], found["metrics"]["material_ratio"]["value"]) == (100, 0)
    assert found["metrics"]["co"]["n"] == 6


def test_a_failed_search_stands_until_failures_are_retried(siuo: Siuo, simulator: SimulatorProcess, two_dozen: Path) -> None:
    for name, text in (("broken", "raise OSError(query)"), ("mended", "return '一段足够长的模拟资料。' + query")):
        (siuo.folder / f"{name}.py").write_text(f"def look(query):\n    {text}\n", encoding="utf-8")
    (siuo.folder / "run.yaml").write_text("search_function: mine.py:look\nsearch_identity: mine\nsearch: passive\n")
    words = ("run", "csqa-mcq", "-c", "run.yaml", "--data", two_dozen, "-m", "sim/openai-careful", "--limit", "6")
    (siuo.folder / "broken.py").rename(siuo.folder / "mine.py")
    first = siuo(*words, code=4)
    assert "6 of 6 searches failed" in first.out
    assert "--retry-failed searches again" in first.out
    (siuo.folder / "mended.py").rename(siuo.folder / "mine.py")
    assert siuo(*words, "--json", code=4).sent == 0
    mended = siuo(*words, "--retry-failed", "--json")
    assert (mended.sent, mended.json["models"][0]["counts"]["search_failed"]) == (12, 0)
    assert siuo(*words, "--json").sent == 0


def test_answers_after_failed_searches_can_be_judged(siuo: Siuo, simulator: SimulatorProcess, two_dozen: Path) -> None:
    source = ("--search", "passive", "--search-url", f"{simulator.url}/search/fail?q={{query}}", "--limit", "5", "--retry-failed")
    done = siuo("run", "csqa-qa", "--data", two_dozen, "-m", "sim/openai-careful", "--no-judge", *source, "--json", code=4)
    told = siuo("judge", done.run, "--judge", "sim/openai-judge", "--json", code=4).json
    found = model(told, "openai-careful")
    assert told["complete"] is True
    assert (found["judge"]["verdicts"], found["counts"]["search_failed"]) == (5, 5)
    assert sum(record["stage"] == "search" for record in journal(siuo.folder / done.run)) == 5


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_what_a_search_function_prints_is_no_result(siuo: Siuo, two_dozen: Path, kind: str) -> None:
    loud = f"print('loading')\n{kind} look(query):\n    print('searching')\n    return '一段足够长的模拟资料。'\n"
    (siuo.folder / "loud.py").write_text(loud, encoding="utf-8")
    source = ("--search", "passive", "--search-function", "loud.py:look", "--limit", "2", "--json")
    done = siuo("run", "csqa-mcq", "--data", two_dozen, "-m", "sim/openai-careful", *source)
    assert done.json["complete"] is True
    assert ("loading" in done.err, done.err.count("searching")) == (True, 2)


def test_a_dry_run_counts_the_searches(siuo: Siuo, simulator: SimulatorProcess, two_dozen: Path) -> None:
    source = ("--search-url", f"{simulator.url}/search?q={{query}}", "-m", "sim/openai-careful", "-m", "sim/openai-searcher")
    words = ("run", "csqa-mcq", "--data", two_dozen, *source, "--dry-run")
    assert "48 calls and 24 searches at most" in siuo(*words, "--search", "passive").out
    assert siuo(*words, "--search", "active", "--json").json["searches"] == 48
    assert "searches" not in siuo("run", "csqa-mcq", "--data", two_dozen, "-m", "sim/openai-careful", "--dry-run").out


def test_the_search_can_be_set_in_the_file(siuo: Siuo, two_dozen: Path) -> None:
    a_corpus(siuo.folder)
    settings = "search: passive\nsearch_corpus: texts\nsearch_results: 2\nsearch_timeout: 9\nsearch_at_once: 3\nsearch_rpm: 600\n"
    (siuo.folder / "run.yaml").write_text(settings)
    words = ("-c", siuo.folder.rename(siuo.folder.with_name("elsewhere")) / "run.yaml", "-m", "sim/openai-careful", "--limit", "2")
    siuo.folder.mkdir()
    _, searches = searched(siuo, two_dozen, *words)
    assert [record["answers"][0]["text"].count("内容：") for record in searches] == [2, 2]


def test_a_search_engine_that_is_down_stops_the_run(siuo: Siuo, simulator: SimulatorProcess, two_dozen: Path) -> None:
    source = ("--search", "passive", "--search-url", f"{simulator.url}/search/html?q={{query}}", "--concurrency", "4")
    told, _ = searched(siuo, two_dozen, "-m", "sim/openai-careful", *source, code=3)
    assert told["complete"] is False
    assert "searches failed one after another" in told["stops"][0]
    (run,) = siuo.folder.glob("results/*")
    assert sum(record["stage"] == "search" for record in journal(run)) == 9


@pytest.fixture(scope="module")
def unhurried() -> Iterator[SimulatorProcess]:
    process = SimulatorProcess(Settings(seed=SEED, latency_s=0.15))
    with process:
        yield process


def test_a_killed_run_goes_on_and_pays_no_search_twice(tmp_path: Path, unhurried: SimulatorProcess) -> None:
    data = make_csqa(tmp_path / "data", 60)
    siuo = Siuo(tmp_path / "here", SIUO_SIM_URL=unhurried.url)
    source = ("--search", "passive", "--search-url", f"{unhurried.url}/search?q={{query}}")
    words = ("run", "csqa-mcq", "--data", data, "-m", "sim/openai-careful", *source, "--concurrency", "2", "--json")

    def searches() -> int:
        return int(unhurried.stats()["searches"].get("plain", 0))

    def kept() -> int:
        return sum(len(journal(path.parent)) for path in siuo.folder.glob("results/*/calls.jsonl"))

    before = 0
    for _ in range(2):
        process = siuo.start(*words)
        until(lambda before=before: kept() > before + 10, "some calls were kept")
        process.send_signal(signal.SIGKILL)
        process.communicate()
        before = kept()
    time.sleep(0.5)  # for requests that the dead client left on the wire
    run = next(siuo.folder.glob("results/*/calls.jsonl")).parent
    paid, sent = sum(record["stage"] == "search" for record in journal(run)), searches()
    done = finish(siuo.start(*words))
    assert searches() - sent == 60 - paid
    records = journal(siuo.folder / done.run)
    assert Counter(record["stage"] for record in records) == {"search": 60, "generate": 60}
    assert finish(siuo.start(*words)).sent == 0
    assert searches() - sent == 60 - paid


def test_a_replay_tells_the_same(siuo: Siuo, simulator: SimulatorProcess, two_dozen: Path) -> None:
    source = ("--search", "active", "--search-url", f"{simulator.url}/search?q={{query}}", "--confidence", "logprobs")
    told, _ = searched(siuo, two_dozen, "-m", "sim/openai-searcher", *source)
    before = simulator.stats()
    assert siuo("score", told["run"], "--json").json["models"][0]["metrics"] == told["models"][0]["metrics"]
    assert simulator.stats()["requests"] == before["requests"]
    assert simulator.stats()["searches"] == before["searches"]


# What the user is told


@pytest.mark.parametrize(
    "words, sentence",
    [
        (("csqa-qa", "--no-judge", "--confidence", "logprobs"), "no letter whose log-probability could be read"),
        (("csqa-mcq", "--confidence", "stated", "--protocol", "released"), "ask for no stated confidence"),
        (("csqa-mcq", "--search", "passive"), "needs something to search"),
        (("csqa-mcq", "--option-seed", "1", "--protocol", "released"), "leave option_seed out"),
        (("csqa-qa", "--no-judge", "--option-seed", "1"), "csqa-qa takes no 'option_seed'"),
        (("csqa-qa",), "csqa-qa needs a judge"),
    ],
)
def test_what_does_not_go_together_is_one_sentence(siuo: Siuo, two_dozen: Path, words: Sequence[str], sentence: str) -> None:
    done = siuo("run", *words, "-m", "sim/openai-careful", "--data", two_dozen, code=2)
    assert sentence in done.err
    assert len(done.err.strip().splitlines()) <= 2
    assert not (siuo.folder / "results").exists()


def test_a_file_without_a_usable_question_is_told_with_the_first_reason(siuo: Siuo) -> None:
    (row,) = make_csqa(siuo.folder / "one", 1).glob("*.jsonl")
    row.write_text(row.read_text(encoding="utf-8").replace('"correct_answer": "C"', '"correct_answer": "X"'), encoding="utf-8")
    done = siuo("run", "csqa-mcq", "--data", "one", "-m", "sim/openai-careful", code=2)
    assert "its right letter 'X' is none of its options" in done.err
    assert "picture" not in done.err


def test_the_option_seed_is_part_of_the_run(siuo: Siuo, two_dozen: Path) -> None:
    first = siuo("run", "csqa-mcq", "--data", two_dozen, "-m", "sim/openai-mcq-first", "--json")
    second = siuo("run", "csqa-mcq", "--data", two_dozen, "-m", "sim/openai-mcq-first", "--option-seed", "7", "--json")
    assert first.run != second.run
    assert first.json["settings"] == {"option_seed": 0}
    assert "option seed 7" in second.json["protocol_line"]
    assert first.json["models"][0]["metrics"]["co"] != second.json["models"][0]["metrics"]["co"]
