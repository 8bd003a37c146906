"""USB-SafeBench's and Chinese SafetyQA's released prompts, with invented sources of the shape that the released ones have."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from siuo_async.benchmarks import catalogue
from siuo_async.benchmarks.csqa_asking import Questions
from siuo_async.benchmarks.csqa_qa import CsqaQa
from siuo_async.benchmarks.prompts import released_prompts
from siuo_async.benchmarks.prompts.csqa_prompts import Turns
from siuo_async.benchmarks.prompts.prompt_proofs import TurnsProof, packaged_turn_proofs, sha256
from siuo_async.benchmarks.prompts.released_prompts import (
    CSQA_SOURCES,
    USB_SOURCES,
    ImportReport,
    describe_prompts,
    import_csqa,
    import_usb,
    load_released_csqa,
    load_released_usb,
)
from siuo_async.config import RunConfig
from siuo_async.errors import ConfigError, DataError

Q, OPTIONS, F, R, G, A = "问？", "{'A': '一', 'B': '二'}", "找到 {question}", "需要搜索:词", "二", '{"答案": "二"}'

USB_SCRIPTS = {
    "scripts/vlsbench.py": '''
import a_package_that_is_not_there
raise SystemExit("an importer must never run this")

def get_judge_prompt(query, response):
    return f"""Grade this. <image> {{as it is}}
    Q: {query}
    A: {response}
    """
''',
    "scripts/oversensitive.py": """
def get_judge_prompt(query, response):
    return f"Refused?\\nQ: {query}\\nA: {response}" + "\\nImage: [attached]"
""",
}


def vulnerability(question: str, response: str) -> str:
    return f"Grade this. <image> {{as it is}}\n    Q: {question}\n    A: {response}\n    "


def refusal(question: str, response: str) -> str:
    return f"Refused?\nQ: {question}\nA: {response}\nImage: [attached]"


CSQA_SCRIPTS = {
    "batch_script/query_general_model_get_response/batch_call_model.py": '''
def get_qa_message(data):
    system_prompt = "助手"
    user_prompt = """
    作答 {{"答案": "…"}}
    {question}
    """.strip().format(question=data["question"])
    messages = [{"role": "system", "content": system_prompt}, {"role": "user", "content": user_prompt}]
    return messages

def get_mcq_message(data):
    question, options = data["question"], data["options"]
    instructions = "选择" "字母"
    return [{"role": "system", "content": instructions}, {"role": "user", "content": f"题：{question}\\n项：{options}"}]

def get_passive_rag_qa_message(data, rag_content):
    context = "参考后作答"
    messages = [
        {"role": "system", "content": context},
        {"role": "user", "content": "题：{}\\n项：{}".format(data["question"], rag_content)},
    ]
    return messages
''',
    "batch_script/evaluation/simple_qa_evaluate.py": '''
qa_evaluete_template = """
评分 {{A}}
问：{question} 标：{standard_answer} 答：{model_answer}
""".strip()

def gen_message(query, standard_answer, model_answer):
    content = qa_evaluete_template.format(question=query, standard_answer=standard_answer, model_answer=model_answer)
    return [{"role": "system", "content": "乐于助人"}, {"role": "user", "content": content}]
''',
    "batch_script/query_openai_model_get_logprob/batch_no_rag.py": """
async def norag_call(data):
    job_context = "任务说明。"
    job_text = f"题：{data['question']} 项：{data['options']}"
    messages = [{"role": "system", "content": "系统"}, {"role": "user", "content": job_context + job_text}]
""",
    "batch_script/query_openai_model_get_logprob/batch_passive_rag.py": """
def passive_search(question, options, true_answer):
    search_text = search(question)["final_text"][:100000]
    job_context = f"found: {search_text}\\n"
    job_text = f"Q {question} OPTIONS {options}"
    return call([{"role": "system", "content": "English system"}, {"role": "user", "content": job_context + job_text}])
""",
    "batch_script/query_openai_model_get_logprob/batch_active_rag.py": '''
def handle_search_path(client, round_1_message, reply, question, job):
    search_result = online_search_detail(reply)
    search_text = f"结果:\\n{search_result['final_text']}\\n完"
    round_2_context = """
只回字母。
"""
    round_1_message.append({"role": "assistant", "content": reply})
    round_1_message.append({"role": "user", "content": search_text + round_2_context + job})

def active_search(client, question, options):
    round_1_context = "可以搜索。"
    round_1_job_text = f"题：{question} 项：{options}"
    message = [{"role": "system", "content": "系统"}, {"role": "user", "content": round_1_context + round_1_job_text}]
    reply = call(message)
    if "需要搜索:" in reply:
        return handle_search_path(client, message, reply, question, round_1_job_text)
''',
}
ROUND_1: Turns = (("system", "系统"), ("user", f"可以搜索。题：{Q} 项：{OPTIONS}"))
CSQA_TURNS: dict[str, tuple[dict[str, str], Turns]] = {
    "qa": ({"question": Q}, (("system", "助手"), ("user", f'作答 {{"答案": "…"}}\n    {Q}'))),
    "mcq": ({"question": Q, "options": OPTIONS}, (("system", "选择字母"), ("user", f"题：{Q}\n项：{OPTIONS}"))),
    "passive_qa": ({"question": Q, "found": F}, (("system", "参考后作答"), ("user", f"题：{Q}\n项：{F}"))),
    "judge": ({"question": Q, "gold": G, "answer": A}, (("system", "乐于助人"), ("user", f"评分 {{A}}\n问：{Q} 标：{G} 答：{A}"))),
    "mcq_logprob": ({"question": Q, "options": OPTIONS}, (("system", "系统"), ("user", f"任务说明。题：{Q} 项：{OPTIONS}"))),
    "passive_mcq": (
        {"question": Q, "options": OPTIONS, "found": F},
        (("system", "English system"), ("user", f"found: {F}\nQ {Q} OPTIONS {OPTIONS}")),
    ),
    "active_first": ({"question": Q, "options": OPTIONS}, ROUND_1),
    "active_second": (
        {"question": Q, "options": OPTIONS, "found": F, "first_reply": R},
        (*ROUND_1, ("assistant", R), ("user", f"结果:\n{F}\n完\n只回字母。\n题：{Q} 项：{OPTIONS}")),
    ),
}


def proof(prompt: str, inputs: dict[str, str], turns: Turns) -> TurnsProof:
    return TurnsProof(prompt, inputs, tuple((role, sha256(text)) for role, text in turns))


USB_INPUTS = {"question": "q{response}?", "response": "a {query}"}
USB_PROOFS = (
    proof("vulnerability", USB_INPUTS, (("user", vulnerability(**USB_INPUTS)),)),
    proof("refusal", USB_INPUTS, (("user", refusal(**USB_INPUTS)),)),
)
CSQA_PROOFS = tuple(proof(prompt, inputs, turns) for prompt, (inputs, turns) in CSQA_TURNS.items())
DATA = """{"cate": "甲-乙-丙", "question": "问", "standard_answer": "二", "standard_source_url": "https://example.org",
"options": "{'A': '一', 'B': '二'}", "correct_answer": "B"}""".replace("\n", " ")


def checkout(folder: Path, scripts: dict[str, str], changed: str = "", old: str = "", new: str = "") -> Path:
    for name, source in scripts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(source.replace(old, new) if name == changed and old else source, encoding="utf-8")
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "chinese_safetyqa.jsonl").write_text(DATA, encoding="utf-8")
    return folder


def usb(tmp_path: Path) -> ImportReport:
    return import_usb(checkout(tmp_path / "c", USB_SCRIPTS), tmp_path / "d", proofs=USB_PROOFS)


def csqa(tmp_path: Path) -> ImportReport:
    return import_csqa(checkout(tmp_path / "c", CSQA_SCRIPTS), tmp_path / "d", proofs=CSQA_PROOFS)


def test_usb_prompts_are_read_and_filled_with_other_texts(tmp_path: Path) -> None:
    prompts = load_released_usb(usb(tmp_path).folder, proofs=USB_PROOFS)
    assert prompts is not None
    assert prompts.vulnerability("{response} 1", "2") == vulnerability("{response} 1", "2")
    assert prompts.refusal("1", "{query} 2") == refusal("1", "{query} 2")
    assert (prompts.name, prompts.available) == ("released", {"vulnerability", "refusal"})


def test_every_prompt_of_chinese_safetyqa_is_read_over_all_its_scripts(tmp_path: Path) -> None:
    report = csqa(tmp_path)
    assert report.unproved == ()
    prompts = load_released_csqa(report.folder, proofs=CSQA_PROOFS)
    assert prompts is not None
    assert prompts.qa(Q) == CSQA_TURNS["qa"][1]
    assert prompts.mcq(Q, OPTIONS) == CSQA_TURNS["mcq"][1]
    assert prompts.mcq_logprob(Q, OPTIONS) == CSQA_TURNS["mcq_logprob"][1]
    assert prompts.passive_qa(Q, F) == CSQA_TURNS["passive_qa"][1]
    assert prompts.passive_mcq(Q, OPTIONS, F) == CSQA_TURNS["passive_mcq"][1]
    assert prompts.active_first(Q, OPTIONS) == CSQA_TURNS["active_first"][1]
    assert prompts.active_second(Q, OPTIONS, R, F) == CSQA_TURNS["active_second"][1]
    assert prompts.judge(Q, G, A) == CSQA_TURNS["judge"][1]


def test_a_prompt_of_another_sample_differs_by_that_sample_alone(tmp_path: Path) -> None:
    prompts = load_released_csqa(csqa(tmp_path).folder, proofs=CSQA_PROOFS)
    assert prompts is not None
    assert prompts.active_second("甲 {options}", "乙", "丙", "丁 {question}")[3] == (
        "user",
        "结果:\n丁 {question}\n完\n只回字母。\n题：甲 {options} 项：乙",
    )


def test_the_data_file_is_copied_beside_the_prompts(tmp_path: Path) -> None:
    report = csqa(tmp_path)
    assert report.folder == tmp_path / "d" / "csqa"
    assert (report.folder / "chinese_safetyqa.jsonl").read_text(encoding="utf-8") == DATA
    assert stat.S_IMODE((report.folder / "prompts.json").stat().st_mode) == 0o600


def test_data_that_are_broken_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    source = checkout(tmp_path / "c", CSQA_SCRIPTS)
    (source / "data" / "chinese_safetyqa.jsonl").write_text("{")
    with pytest.raises(DataError, match="chinese_safetyqa"):
        import_csqa(source, tmp_path / "d", proofs=CSQA_PROOFS)
    assert not (tmp_path / "d").exists()


def test_options_are_shown_as_the_data_file_has_them_and_moved_ones_in_the_same_form(tmp_path: Path) -> None:
    prompts = load_released_csqa(csqa(tmp_path).folder, proofs=CSQA_PROOFS)
    assert prompts is not None
    assert prompts.options_text({"A": "x"}, "{'A': raw}") == "{'A': raw}"
    assert prompts.options_text({"A": "一", "B": "二"}) == OPTIONS


def test_what_the_released_prompts_lack_is_refused_with_the_way_out(tmp_path: Path) -> None:
    prompts = load_released_csqa(csqa(tmp_path).folder, proofs=CSQA_PROOFS)
    assert prompts is not None
    assert prompts.available == {"qa", "mcq", "mcq_logprob", "passive_qa", "passive_mcq", "active_mcq", "judge"}
    for ask, what in (
        (lambda: prompts.stated(Q), "stated qa"),
        (lambda: prompts.stated(Q, OPTIONS), "stated mcq"),
        (lambda: prompts.active_first(Q), "active qa"),
        (lambda: prompts.active_second(Q, None, R, F), "active qa"),
    ):
        with pytest.raises(ConfigError, match=f"Chinese SafetyQA, as imported, have none for '{what}'; use --prompts own"):
            ask()


@pytest.mark.parametrize(
    "prompt, old, lost",
    [
        ("mcq", "字母", {"mcq"}),
        ("passive_qa", "参考后", {"passive_qa"}),
        ("judge", "评分", {"judge"}),
        ("mcq_logprob", "任务", {"mcq_logprob"}),
        ("passive_mcq", "found:", {"passive_mcq"}),
        ("active_second", "完", {"active_second"}),
        ("active_first", "可以搜索", {"active_first", "active_second"}),
    ],
)
def test_a_changed_prompt_is_left_out_and_named_and_the_others_are_imported(
    tmp_path: Path, prompt: str, old: str, lost: set[str]
) -> None:
    source = checkout(tmp_path / "c", CSQA_SCRIPTS, CSQA_SOURCES[prompt].script, old, old + "!")
    report = import_csqa(source, tmp_path / "d", proofs=CSQA_PROOFS)
    assert len(report.unproved) == len(lost)
    assert all(any(f"the released {name} prompt is not in it" in line for line in report.unproved) for name in lost)
    prompts = load_released_csqa(report.folder, proofs=CSQA_PROOFS)
    assert prompts is not None
    assert prompts.templates.keys() == CSQA_TURNS.keys() - lost
    assert ("active_mcq" in prompts.available) == (not lost & {"active_first", "active_second"})


def test_a_later_import_of_half_a_set_keeps_the_other_half(tmp_path: Path) -> None:
    whole = csqa(tmp_path)
    source = checkout(tmp_path / "half", CSQA_SCRIPTS, CSQA_SOURCES["judge"].script, "评分", "评分!")
    report = import_csqa(source, tmp_path / "d", proofs=CSQA_PROOFS)
    assert ["the one imported before is kept" in line for line in report.unproved] == [True]
    assert report.digest == whole.digest
    prompts = load_released_csqa(report.folder, proofs=CSQA_PROOFS)
    assert prompts is not None
    assert prompts.templates.keys() == CSQA_TURNS.keys()


def test_an_import_mends_prompts_that_are_damaged(tmp_path: Path) -> None:
    file = usb(tmp_path).folder / "prompts.json"
    file.write_text("{")
    usb(tmp_path)
    assert load_released_usb(file.parent, proofs=USB_PROOFS) is not None


def test_a_data_file_that_differs_is_never_replaced(tmp_path: Path) -> None:
    file = csqa(tmp_path).folder / "chinese_safetyqa.jsonl"
    file.write_text("mine")
    with pytest.raises(DataError, match=r"chinese_safetyqa\.jsonl: is there and differs from"):
        csqa(tmp_path)
    assert file.read_text() == "mine"


def test_a_check_names_what_half_a_set_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(released_prompts._LOADS, "csqa", (lambda place: load_released_csqa(place, proofs=CSQA_PROOFS), CSQA_SOURCES))
    folder = csqa(tmp_path).folder
    assert "without" not in describe_prompts("csqa", folder)
    file = folder / "prompts.json"
    file.write_text(json.dumps({"templates": {"qa": json.loads(file.read_text())["templates"]["qa"]}}))
    line = describe_prompts("csqa", folder)
    assert "but without mcq, passive_qa, judge, mcq_logprob, passive_mcq, active_first, active_second;" in line


def test_prompts_imported_without_to_are_found_wherever_the_data_are_and_those_beside_them_win(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = replace(catalogue.CATALOGUE["usb-base"], prompts_from=lambda place: load_released_usb(place, proofs=USB_PROOFS))
    monkeypatch.setattr(catalogue, "CATALOGUE", {"usb-base": entry})
    monkeypatch.setenv("SIUO_DATA", str(tmp_path / "mine"))
    settings = {"benchmark": "usb-base", "models": ["sim/m"], "no_judge": True}
    config = RunConfig.model_validate(settings)
    (data := tmp_path / "elsewhere").mkdir()
    assert catalogue.prompts_folder_for(config, data) is None
    with pytest.raises(DataError, match=f"looked in {data} and {tmp_path / 'mine' / 'usb'}"):
        catalogue.prompts_folder_for(RunConfig.model_validate({**settings, "prompts": "released"}), data)
    import_usb(checkout(tmp_path / "c", USB_SCRIPTS), tmp_path / "mine", proofs=USB_PROOFS)
    assert catalogue.prompts_folder_for(config, data) == tmp_path / "mine" / "usb"
    (data / "prompts.json").write_bytes((tmp_path / "mine" / "usb" / "prompts.json").read_bytes())
    assert catalogue.prompts_folder_for(config, data) == data


def test_answers_are_not_asked_for_where_no_prompt_could_judge_them(tmp_path: Path) -> None:
    source = checkout(tmp_path / "c", CSQA_SCRIPTS, CSQA_SOURCES["judge"].script, "评分", "评分!")
    prompts = load_released_csqa(import_csqa(source, tmp_path / "d", proofs=CSQA_PROOFS).folder, proofs=CSQA_PROOFS)
    assert prompts is not None
    questions = Questions("qa", prompts=prompts)
    with pytest.raises(ConfigError, match="as imported, have none for 'judge'; use --prompts own"):
        CsqaQa(questions)
    assert CsqaQa(questions, judged=False).judging() == {}


@pytest.mark.parametrize(
    "settings, needed",
    [
        ({}, {"vulnerability", "refusal"}),
        ({"usages": ("vulnerability",)}, {"vulnerability"}),
        ({"usages": ("overrefusal",)}, {"refusal"}),
        ({"combinations": ("RIRT",)}, {"vulnerability"}),
        ({"judge": None, "no_judge": True}, set()),
    ],
)
@pytest.mark.parametrize("there", ["vulnerability", "refusal"])
def test_usb_needs_the_judge_prompts_of_what_it_asks_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], needed: set[str], there: str
) -> None:
    prompts = load_released_usb(usb(tmp_path).folder, proofs=USB_PROOFS)
    assert prompts is not None
    half = replace(prompts, templates={there: prompts.templates[there]})
    monkeypatch.setattr(catalogue, "load_released_usb", lambda folder: half)
    config = RunConfig.model_validate({"benchmark": "usb-base", "models": ["sim/m"], "judge": "sim/j", **settings})
    setup = catalogue.Setup(config, tmp_path)
    if needed <= {there}:
        assert catalogue.build(setup).name == "usb-base"
    else:
        (lacking,) = needed - {there}
        with pytest.raises(ConfigError, match=f"have none for '{lacking}'"):
            catalogue.build(setup)


def test_a_script_that_is_missing_or_no_python_is_named(tmp_path: Path) -> None:
    source = checkout(tmp_path / "c", USB_SCRIPTS)
    (source / "scripts/oversensitive.py").write_text("def (")
    (line,) = import_usb(source, tmp_path / "d", proofs=USB_PROOFS).unproved
    assert "oversensitive.py: cannot be read as Python, so the refusal prompt is not found" in line
    (source / "scripts/oversensitive.py").unlink()
    (line,) = import_usb(source, tmp_path / "d", proofs=USB_PROOFS).unproved
    assert "oversensitive.py: cannot be read (No such file or directory)" in line


def test_where_nothing_is_as_released_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="take an unchanged checkout of the USB-SafeBench repository"):
        import_usb(checkout(tmp_path / "c", USB_SCRIPTS), tmp_path / "d")
    with pytest.raises(DataError, match="take an unchanged checkout of the Chinese SafetyQA repository"):
        import_csqa(checkout(tmp_path / "e", CSQA_SCRIPTS), tmp_path / "d")
    assert not (tmp_path / "d").exists()


def test_a_folder_that_is_no_checkout_is_refused_with_the_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no checkout of the USB-SafeBench repository: scripts/vlsbench\.py is missing"):
        import_usb(tmp_path, tmp_path / "d")
    with pytest.raises(DataError, match=r"no checkout of the Chinese SafetyQA repository: data/chinese_safetyqa\.jsonl is missing"):
        import_csqa(tmp_path, tmp_path / "d")


def test_a_place_that_cannot_be_written_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "d").touch()
    with pytest.raises(DataError, match="could not be written"):
        usb(tmp_path)


def test_a_prompt_without_a_hash_is_not_imported(tmp_path: Path) -> None:
    report = import_usb(checkout(tmp_path / "c", USB_SCRIPTS), tmp_path / "d", proofs=USB_PROOFS[:1])
    assert "refusal" in report.unproved[0]


def test_two_proofs_of_one_prompt_must_both_hold(tmp_path: Path) -> None:
    false = proof("refusal", {"question": "1", "response": "2"}, (("user", "something else"),))
    assert len(import_usb(checkout(tmp_path / "c", USB_SCRIPTS), tmp_path / "d", proofs=(*USB_PROOFS, false)).unproved) == 1


@pytest.mark.parametrize("data", ["siuo", "usb"])
def test_prompts_of_another_data_set_are_told_as_such(tmp_path: Path, data: str) -> None:
    (tmp_path / "prompts.json").write_text(json.dumps({"v": 1, "data": data, "templates": {"safety": "x"}}))
    with pytest.raises(DataError, match=f"holds the released prompts of {data}, not of csqa; .*--prompts own"):
        load_released_csqa(tmp_path)
    with pytest.raises(DataError, match="holds the released prompts of usb, not of csqa"):
        load_released_csqa(usb(tmp_path).folder)


def test_without_an_import_there_are_none(tmp_path: Path) -> None:
    assert load_released_usb(tmp_path) is None
    assert load_released_csqa(tmp_path) is None


def test_the_prompts_are_found_beside_a_data_file(tmp_path: Path) -> None:
    assert load_released_csqa(csqa(tmp_path).folder / "chinese_safetyqa.jsonl", proofs=CSQA_PROOFS) is not None


def test_the_digest_of_a_load_is_that_of_the_import(tmp_path: Path) -> None:
    report = csqa(tmp_path)
    prompts = load_released_csqa(report.folder, proofs=CSQA_PROOFS)
    assert prompts is not None
    assert prompts.digest == report.digest


@pytest.mark.parametrize("old, new", [("Refused?", "Refuted?"), ('"user"', '"system"'), ('"slot": "response"', '"slot": "other"')])
def test_prompts_that_were_edited_after_the_import_are_refused(tmp_path: Path, old: str, new: str) -> None:
    file = usb(tmp_path).folder / "prompts.json"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(DataError, match="prompt in it is not the released one; import them again with `siuo data import usb PATH`"):
        load_released_usb(file.parent, proofs=USB_PROOFS)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"templates": 1}',
        '{"templates": {}}',
        '{"templates": {"refusal": [1]}}',
        '{"templates": {"refusal": [{}]}}',
        "\udcff",
    ],
)
def test_a_damaged_prompt_file_is_refused_with_the_way_out(tmp_path: Path, content: str) -> None:
    (tmp_path / "prompts.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(DataError, match="is damaged; import them again"):
        load_released_csqa(tmp_path)


NAMES = {
    "csqa qa": "qa",
    "csqa mcq": "mcq",
    "csqa passive_rag qa": "passive_qa",
    "csqa judge": "judge",
    "csqa judge, answer with braces": "judge",
    "csqa logprob no_rag": "mcq_logprob",
    "csqa logprob passive": "passive_mcq",
    "csqa logprob active, round 1": "active_first",
    "csqa logprob active, round 2": "active_second",
}
SLOTS = {"rag_content": "found", "search_result": "found", "query": "question", "standard_answer": "gold", "model_answer": "answer"}


def vectors(shared: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((shared / "vectors" / "upstream_requests_and_prompt_hashes.json").read_text())["prompts"]
    return rows


def test_the_packaged_hashes_of_chinese_safetyqa_are_those_of_the_vectors(shared: Path) -> None:
    expected = [
        TurnsProof(
            NAMES[row["prompt"]],
            {SLOTS.get(name, name): text for name, text in row["inputs"].items() if text is not None},
            tuple((turn["role"], turn["sha256"]) for turn in row["messages"]),
        )
        for row in vectors(shared)
        if row["prompt"].startswith("csqa")
    ]
    assert list(packaged_turn_proofs("csqa")) == expected


def test_the_packaged_hashes_of_usb_are_those_of_the_vectors(shared: Path) -> None:
    names = {"usb vulnerability judge": "vulnerability", "usb over-refusal judge": "refusal"}
    expected = [
        TurnsProof(names[row["prompt"]], {"question": row["query"], "response": row["response"]}, (("user", row["sha256"]),))
        for row in vectors(shared)
        if row["prompt"] in names
    ]
    assert list(packaged_turn_proofs("usb")) == expected


def test_the_model_s_own_turn_is_proved_to_be_its_reply_word_for_word() -> None:
    (second,) = [one for one in packaged_turn_proofs("csqa") if one.prompt == "active_second"]
    assert second.turns[2] == ("assistant", sha256(second.inputs["first_reply"]))


def test_the_packaged_hashes_cover_every_prompt_that_is_looked_for() -> None:
    assert {one.prompt for one in packaged_turn_proofs("usb")} == set(USB_SOURCES)
    assert {one.prompt for one in packaged_turn_proofs("csqa")} == set(CSQA_SOURCES)


def test_both_rounds_of_active_search_begin_alike() -> None:
    rounds = {one.prompt: one.turns for one in packaged_turn_proofs("csqa") if one.prompt.startswith("active")}
    assert rounds["active_second"][:2] == rounds["active_first"]
