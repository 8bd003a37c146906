"""What the authors' files say, and what looks wrong in them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from siuo_async.benchmarks.siuo_gen import EFFECTIVENESS, SAFETY
from siuo_async.errors import DataError
from siuo_async.exchange.error_texts import looks_like_error, mentions_error
from siuo_async.exchange.suspects import Suspects
from siuo_async.exchange.tables import MOST_CELL_CHARS, Changes, csv_bytes, read_rows, xlsx_bytes
from siuo_async.exchange.upstream_files import (
    ANSWER_CHECK,
    CANONICAL,
    EXPORTED_BY,
    LONG_COLUMNS,
    MODEL_ANSWER,
    Given,
    Row,
    given_csqa,
    given_siuo_gen,
    given_siuo_mcqa,
    json_rows,
    long_rows,
    siuo_rows_of,
    told_outcome,
)
from siuo_async.judging import parse_siuo_effectiveness, parse_siuo_safety
from siuo_async.values import Answer, Outcome

UNSAFE = "[Safety Judgement:] False"


def gen(*items: dict[str, Any], **more: Any) -> tuple[dict[str, Given], Suspects]:
    suspects = Suspects()
    rows = [Row(f"a.json: item {number}", item) for number, item in enumerate(items, 1)]
    return given_siuo_gen(rows, suspects, **more), suspects


def kinds(suspects: Suspects) -> list[str]:
    return list(suspects.as_json())


@pytest.mark.parametrize("name", ["safety_gpt", "safetyness"])
def test_scores_of_safety_are_read_under_each_of_their_names(name: str) -> None:
    found, suspects = gen({"question_id": 1, "responses": ["a", "b"], name: [1, 0]})
    assert [verdict and verdict.text for verdict in found["1"].verdicts[SAFETY]] == [CANONICAL[SAFETY][1], CANONICAL[SAFETY][0]]
    assert EFFECTIVENESS not in found["1"].verdicts
    assert not suspects


@pytest.mark.parametrize("name", ["effectiveness_gpt", "effective_gpt", "helpfulness"])
def test_scores_of_effectiveness_are_read_under_each_of_their_names(name: str) -> None:
    found, _ = gen({"question_id": 1, "responses": ["a"], name: [1]})
    assert found["1"].verdicts[EFFECTIVENESS][0].text == CANONICAL[EFFECTIVENESS][1]  # type: ignore[union-attr]


@pytest.mark.parametrize("protocol", ["corrected", "released"])
@pytest.mark.parametrize("score", [0, 1])
def test_the_text_that_stands_for_a_score_is_read_as_that_score(protocol: Any, score: int) -> None:
    assert parse_siuo_safety(CANONICAL[SAFETY][score], protocol) == score
    assert parse_siuo_effectiveness(CANONICAL[EFFECTIVENESS][score], protocol) == score


def test_a_text_wins_over_the_score_beside_it_and_is_suspect_where_they_differ() -> None:
    found, suspects = gen({"question_id": 1, "responses": ["a", "b"], "safety_evaluation": [UNSAFE] * 2, "safety_gpt": [0, 1]})
    assert [verdict and verdict.text for verdict in found["1"].verdicts[SAFETY]] == [UNSAFE, UNSAFE]
    assert list(suspects.as_json().values()) == [["1[1]"]]


def test_a_score_is_suspect_where_the_protocol_of_the_run_reads_the_text_otherwise() -> None:
    item = {"question_id": 1, "responses": ["a"], "safety_evaluation": ["[Safety Judgment:] True"], "safety_gpt": [1]}
    assert kinds(gen(item, protocol="released")[1]) == [
        "safety scores that are not what 'released' reads in the text beside them (the text counts)"
    ]
    assert not gen(item, protocol="corrected")[1]


def test_a_score_of_minus_one_without_text_is_a_verdict_that_could_not_be_read() -> None:
    found, _ = gen({"question_id": 1, "responses": ["a"], "safetyness": [-1]})
    assert found["1"].verdicts[SAFETY][0].outcome is Outcome.EMPTY  # type: ignore[union-attr]


def test_scores_that_differ_between_two_names_are_suspect() -> None:
    _, suspects = gen({"question_id": 1, "responses": ["a"], "safetyness": [1], "safety_gpt": [0]})
    assert kinds(suspects) == ["samples whose safety scores differ between fields (safety_gpt counts)"]


def test_the_two_files_of_the_judging_script_are_one() -> None:
    same = {"question_id": 1, "question": "Q?", "responses": ["a"]}
    suspects = Suspects()
    rows = [
        Row("safe.json: item 1", same | {"safety_evaluation": ["x"]}),
        Row("effective.json: item 1", same | {"effectiveness_evaluation": ["y"]}),
    ]
    found = given_siuo_gen(rows, suspects)
    assert {stage: verdicts[0].text for stage, verdicts in found["1"].verdicts.items() if verdicts[0]} == {
        SAFETY: "x",
        EFFECTIVENESS: "y",
    }
    assert not suspects


def test_of_two_items_with_one_id_the_last_counts_without_the_verdicts_on_the_first() -> None:
    found, suspects = gen({"question_id": 1, "responses": ["a"], "safetyness": [1]}, {"question_id": 1, "responses": ["b"]})
    assert [answer and answer.text for answer in found["1"].answers] == ["b"]
    assert not found["1"].verdicts
    assert suspects.as_json() == {"samples that stand twice (what comes last counts)": ["1"]}


@pytest.mark.parametrize(
    "text",
    [
        '{"status": "error", "error": "timed out"}',
        "{'status': 'error', 'error': 'x'}",
        "Error: 429 Too Many Requests",
        "Error code: 400 - {'error': {}}",
        "Error calling API",
        "openai.RateLimitError: slow down",
        "Traceback (most recent call last):\n  File",
        "HTTP 503 Service Unavailable",
        "API request failed",
        "Failed to obtain answer via API.",
        "Connection error.",
        "500 Internal Server Error",
        "error: content_filter",
        '{"error": {"message": "no"}}',
        "<html><body>502 Bad Gateway</body></html>",
        "API error 500",
        "Rate limit exceeded",
        "Request timed out.",
        "APIConnectionError",
        "nan",
        "None",
        "请求失败",
    ],
)
def test_what_a_failed_call_left_behind_looks_like_an_error(text: str) -> None:
    assert looks_like_error(text)


@pytest.mark.parametrize(
    "text",
    [
        *("Errors happen; here is how.", "Error handling matters when you climb.", "The API request failed safely.", "", "错误"),
        *("None of these.", "SSL", "超时", "API", "网络攻击"),
    ],
)
def test_prose_about_errors_is_no_error(text: str) -> None:
    assert not looks_like_error(text)
    assert not mentions_error(text)


@pytest.mark.parametrize(
    "text", ["HTTP 404 表示未找到页面", "TypeError (类型错误)", "KeyError", "Exception: 异常处理", "404 Not Found", "请求超时"]
)
def test_what_may_be_an_answer_about_an_error_is_kept_and_told(text: str) -> None:
    found, suspects = gen({"question_id": 1, "responses": [text]})
    assert found["1"].answers == (Answer(Outcome.ANSWERED, text),)
    assert kinds(suspects) == ["answers that speak of an error, as what a failed call left behind would (kept)"]


def test_an_error_text_is_a_failure_unless_it_is_to_be_kept() -> None:
    item = {"question_id": 1, "responses": ["Error: 500", {"status": "error", "error": "x"}, "fine"]}
    found, suspects = gen(item)
    assert [answer and answer.outcome for answer in found["1"].answers] == [Outcome.FAILED, Outcome.FAILED, Outcome.ANSWERED]
    assert suspects.as_json() == {"answers that look like error texts (taken for failed calls)": ["1[0]", "1[1]"]}
    kept, _ = gen(item, keep_errors=True)
    assert [answer and answer.outcome for answer in kept["1"].answers] == [Outcome.ANSWERED] * 3


def test_an_empty_answer_is_empty_and_null_is_a_failure() -> None:
    found, suspects = gen({"question_id": 1, "responses": ["", None]})
    assert [answer and answer.outcome for answer in found["1"].answers] == [Outcome.EMPTY, Outcome.FAILED]
    assert len(kinds(suspects)) == 2


def test_outcomes_that_our_own_export_tells_are_kept() -> None:
    found, suspects = gen({"question_id": 1, "responses": [None, "I will not."], "outcomes": ["filtered", "declined"]})
    assert [(answer.outcome, answer.text) for answer in found["1"].answers if answer] == [
        (Outcome.FILTERED, ""),
        (Outcome.DECLINED, "I will not."),
    ]
    assert not suspects


@pytest.mark.parametrize(
    "told", [Answer(Outcome.FILTERED, where="prompt"), Answer(Outcome.FILTERED, where="answer"), Answer(Outcome.DECLINED, "No.")]
)
def test_an_outcome_is_read_as_it_is_told_with_the_side_that_a_filter_took(told: Answer) -> None:
    found, _ = gen({"question_id": 1, "responses": [told.text], "outcomes": [told_outcome(told)]})
    assert found["1"].answers == (told,)


def test_fewer_verdicts_than_answers_are_suspect() -> None:
    found, suspects = gen({"question_id": 1, "responses": ["a", "b"], "safety_evaluation": ["x"]})
    assert found["1"].verdicts[SAFETY][1] is None
    assert kinds(suspects) == ["samples with another number of safety verdicts than of answers"]


@pytest.mark.parametrize("response", ["(B)", ["(B)"]])
def test_a_multiple_choice_answer_is_read_alone_or_as_a_list(response: Any) -> None:
    suspects = Suspects()
    found = given_siuo_mcqa([Row("a: item 1", {"question_id": 7, "response_mcqa": response})], suspects)
    assert [answer and answer.text for answer in found["7"].answers] == ["(B)"]
    assert not suspects


def test_the_benchmark_is_told_from_the_fields() -> None:
    assert siuo_rows_of([Row("", {"response_mcqa": "A"})]) == "siuo-mcqa"
    assert siuo_rows_of([Row("", {"responses": []})]) == "siuo-gen"
    assert siuo_rows_of([Row("", {"question": "Q?"})]) is None


@pytest.mark.parametrize(
    "item, message",
    [
        ({"responses": ["a"]}, "no field `question_id`"),
        ({"question_id": None, "responses": ["a"]}, "that is null"),
        ({"question_id": True, "responses": ["a"]}, "that is true or false"),
        ({"question_id": 1, "responses": {"a": 1}}, "field `responses` must be a list"),
        ({"question_id": 1, "responses": ["a"], "safety_gpt": [2]}, "must hold 1, 0 or -1"),
        ({"question_id": 1, "responses": ["a"], "helpfulness": ["yes"]}, "must hold 1, 0 or -1"),
    ],
)
def test_an_item_of_another_form_is_told_with_its_place(item: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=r"a\.json: item 1") as raised:
        gen(item)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    "content, message",
    [("[1", "broken JSON"), ("[1]", "item 1 must be an object"), ('"x"', "the file must be an object"), ("[]", "holds no items")],
)
def test_a_file_that_is_no_list_of_items_is_told(content: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        json_rows([file], Suspects())


def test_a_folder_of_single_items_is_read_as_one_file(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"{number}.json").write_text(json.dumps({"question_id": number, "responses": []}), encoding="utf-8")
    assert [row.fields["question_id"] for row in json_rows([tmp_path], Suspects())] == [1, 2]


@pytest.mark.parametrize(
    "item",
    [
        {"question_id": 1, "responses": ["\ud800x"]},
        {"question_id": "\ud800", "responses": ["a"]},
        {"question_id": 1, "responses": ["a"], "question": "\ud800"},
        {"question_id": 1, "responses": ["a"], "safety_evaluation": ["\ud800"]},
        {"question_id": 1, "responses": [{"\ud800": "\ud800"}]},
    ],
)
def test_half_a_character_anywhere_is_replaced_once_at_reading_and_told(item: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps([item, {"question_id": 2, "responses": ["\U0001f600"]}]), encoding="utf-8")
    suspects = Suspects()
    rows = json_rows([file], suspects)
    assert "?" in json.dumps(rows[0].fields, ensure_ascii=False).encode().decode()
    assert rows[1].fields["responses"] == ["\U0001f600"]
    assert list(suspects.as_json().values()) == [[f"{file}: item 1"]]


def long(question: str, kind: str, value: Any, *, model: str = "m", rag: str = "no_rag", mode: str = "QA") -> Row:
    return Row("t.csv: line 2", dict(zip(LONG_COLUMNS, (question, "a-b-c", mode, rag, model, kind, value), strict=True)))


def test_the_long_table_gives_an_answer_and_its_check() -> None:
    suspects = Suspects()
    found = given_csqa([long("q", "answer_check", "A"), long("q", "model_answer", 42)], "QA", "mine", "judge.grade", suspects)
    assert found["q"].answers[0].text == "42"
    assert found["q"].verdicts["judge.grade"][0].text == "A"  # type: ignore[union-attr]
    assert not suspects


def test_of_several_models_the_one_with_the_label_is_taken() -> None:
    rows = [long("q", "model_answer", "x", model="m1"), long("q", "model_answer", "y", model="m2")]
    found = given_csqa(rows, "QA", "m2", "", Suspects())
    assert found["q"].answers[0].text == "y"
    with pytest.raises(DataError, match=r"several models \(m1, m2\)"):
        given_csqa(rows, "QA", "other", "", Suspects())


def test_answers_made_with_a_search_and_checks_without_answers_are_not_imported() -> None:
    suspects = Suspects()
    rows = [long("q", MODEL_ANSWER, "x", rag="passive_rag"), long("r", ANSWER_CHECK, "A"), long("s", MODEL_ANSWER, "y")]
    found = given_csqa(rows, "QA", "m", "judge.grade", suspects)
    assert {question: len(each.answers) for question, each in found.items()} == {"r": 0, "s": 1}
    assert len(kinds(suspects)) == 2


@pytest.mark.parametrize(
    "row, sentence",
    [
        (long("q", MODEL_ANSWER, "x", rag="active_rag"), r"all answers were made with a search \(active_rag\)"),
        (long("q", ANSWER_CHECK, "A"), r"holds only checks \(answer_check\), no model_answer"),
    ],
)
def test_a_table_without_any_answer_that_can_be_imported_says_why(row: Row, sentence: str) -> None:
    with pytest.raises(DataError, match=f"t.csv: {sentence}"):
        given_csqa([row], "QA", "m", "judge.grade", Suspects())


@pytest.mark.parametrize("mode", ["QA", "MCQ"])
def test_an_answer_that_the_released_scripts_keep_in_quotes_is_taken_out_and_told(mode: str) -> None:
    suspects = Suspects()
    rows = [long("q", MODEL_ANSWER, json.dumps('{"答案": "A"}'), mode=mode), long("r", MODEL_ANSWER, '"half', mode=mode)]
    found = given_csqa(rows, mode, "m", "", suspects)
    assert [each.answers[0].text for each in found.values()] == ['{"答案": "A"}', '"half']
    assert suspects.as_json() == {"answers in quotes, as the released scripts keep them (what is inside counts)": ["q"]}


def test_quotes_in_a_table_of_ours_are_the_answers_own() -> None:
    row = long("q", MODEL_ANSWER, '"A"')
    found = given_csqa([Row(row.where, row.fields, ours=True)], "QA", "m", "", Suspects())
    assert found["q"].answers[0].text == '"A"'


def test_a_check_that_nobody_judged_is_kept_for_comparing() -> None:
    found = given_csqa([long("q", MODEL_ANSWER, "A", mode="MCQ"), long("q", ANSWER_CHECK, "B", mode="MCQ")], "MCQ", "m", "", Suspects())
    assert found["q"].check == "B"


@pytest.mark.parametrize("value", [0.05, True, date(2013, 5, 1)])
def test_a_cell_that_is_no_text_may_have_been_written_otherwise(value: Any) -> None:
    suspects = Suspects()
    given_csqa([long("q", MODEL_ANSWER, value)], "QA", "m", "", suspects)
    assert kinds(suspects)[0].startswith("cells that are no text")


def test_the_workbook_of_the_judging_script_is_a_long_table_too() -> None:
    row = Row("w.xlsx: row 2", {"query": "q", "standard_answer": "s", "model_answer": "x", "response": "C"})
    found = given_csqa(long_rows([row]), "QA", "m", "judge.grade", Suspects())
    assert found["q"].answers[0].text == "x"
    assert found["q"].verdicts["judge.grade"][0].text == "C"  # type: ignore[union-attr]


def test_a_table_with_other_columns_names_those_that_are_needed() -> None:
    with pytest.raises(DataError, match="value_type"):
        long_rows([Row("t.csv: line 2", {"a": "1"})])


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_no_text_in_a_table_is_a_formula_and_each_comes_back_as_it_was(ending: str, tmp_path: Path) -> None:
    run = ["=1+1", "+1", "-1", "@x", "'=1", "\n=1", "＝1", "＠x", "\ufeff=1", "\xa0=1", " =1"]
    texts = [*run, "'quoted'", "plain", "两\n行", 'a;b,"c"', "#N/A", "#NAME?", EXPORTED_BY]
    changes = Changes()
    write = csv_bytes if ending == "csv" else xlsx_bytes
    file = tmp_path / f"t.{ending}"
    file.write_bytes(write(("value_type",), [(text,) for text in texts], changes))
    assert changes == Changes(guarded=len(run))
    assert [row.fields["value_type"] for row in read_rows(file)] == texts
    if ending == "xlsx":
        from openpyxl import load_workbook

        assert {cell.data_type for (cell,) in load_workbook(file).active.iter_rows()} == {"s"}  # type: ignore[union-attr]


def test_what_a_workbook_cannot_hold_is_counted(tmp_path: Path) -> None:
    changes = Changes()
    file = tmp_path / "t.xlsx"
    file.write_bytes(xlsx_bytes(("text",), [("a\x00b\x1b",), ("x" * (MOST_CELL_CHARS + 1),), ("a\r\nb\rc",)], changes))
    assert changes == Changes(stripped=1, cut=1, breaks=1)
    assert [row.fields["text"] for row in read_rows(file)] == ["ab", "x" * MOST_CELL_CHARS, "a\nb\nc"]
    assert len(changes.sentences()) == 3


def test_half_a_character_that_a_csv_table_cannot_hold_is_counted(tmp_path: Path) -> None:
    changes = Changes()
    (tmp_path / "t.csv").write_bytes(csv_bytes(("text",), [("a\ud800",), ("b",)], changes))
    assert changes == Changes(stripped=1)
    assert [row.fields["text"] for row in read_rows(tmp_path / "t.csv")] == ["a?", "b"]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_an_apostrophe_in_a_table_of_others_is_theirs(ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"t.{ending}"
    file.write_bytes((csv_bytes if ending == "csv" else xlsx_bytes)(("text",), [("=1",)], Changes()))
    assert [row.fields["text"] for row in read_rows(file)] == ["'=1"]


@pytest.mark.parametrize(
    "content, sentence",
    [
        ("question;mode\nq;QA\n", "separated by semicolons; save it with commas"),
        ("question\tmode\nq\tQA\n", "separated by tabs"),
        ("", "holds no rows"),
        ("question,mode\n", "holds no rows"),
        ("question,value,value\nq,a,b\n", "has the column `value` twice"),
    ],
)
def test_a_csv_table_of_another_form_is_told_with_its_file(content: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=f"t.csv: .*{sentence}"):
        read_rows(file)


@pytest.mark.parametrize("rows, sentence", [([], "its first sheet holds no rows"), ([("a", "a"), (1, 2)], "has the column `a` twice")])
def test_a_workbook_of_another_form_is_told_with_its_file(rows: list[tuple[Any, ...]], sentence: str, tmp_path: Path) -> None:
    book = Workbook()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    book.save(tmp_path / "t.xlsx")
    with pytest.raises(DataError, match=f"t.xlsx: {sentence}"):
        read_rows(tmp_path / "t.xlsx")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=40))
def test_any_text_survives_a_csv_table(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.mktemp("csv") / "t.csv"
    file.write_bytes(csv_bytes(("a", "value_type"), [(text, EXPORTED_BY)], Changes()))
    assert [row.fields for row in read_rows(file)] == [{"a": text, "value_type": EXPORTED_BY}]


def test_a_file_that_is_no_workbook_is_told(tmp_path: Path) -> None:
    file = tmp_path / "t.xlsx"
    file.write_bytes(b"no archive")
    with pytest.raises(DataError, match="no Excel workbook"):
        read_rows(file)


def test_the_list_of_suspects_names_twenty_places_and_counts_the_rest() -> None:
    suspects = Suspects()
    for number in range(23):
        suspects.note("answers that are empty", str(number))
    (sentence,) = suspects.sentences()
    assert sentence.startswith("answers that are empty: 23 (0, 1,")
    assert sentence.endswith("19 and 3 more)")
    assert len(suspects.as_json()["answers that are empty"]) == 23
