"""What the authors' files say, and what looks wrong in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.benchmarks.siuo_gen import EFFECTIVENESS, SAFETY
from siuo_async.errors import DataError
from siuo_async.exchange.suspects import Suspects
from siuo_async.exchange.tables import MOST_CELL_CHARS, Changes, csv_bytes, read_rows, xlsx_bytes
from siuo_async.exchange.upstream_files import (
    CANONICAL,
    Given,
    Row,
    given_csqa,
    given_siuo_gen,
    given_siuo_mcqa,
    json_rows,
    long_rows,
    looks_like_error,
    siuo_rows_of,
)
from siuo_async.judging import parse_siuo_effectiveness, parse_siuo_safety
from siuo_async.values import Outcome

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
    ],
)
def test_what_a_failed_call_left_behind_looks_like_an_error(text: str) -> None:
    assert looks_like_error(text)


@pytest.mark.parametrize(
    "text", ["Errors happen; here is how.", "Error handling matters when you climb.", "The API request failed safely.", "", "错误"]
)
def test_prose_about_errors_is_no_error(text: str) -> None:
    assert not looks_like_error(text)


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
        json_rows([file])


def test_a_folder_of_single_items_is_read_as_one_file(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"{number}.json").write_text(json.dumps({"question_id": number, "responses": []}), encoding="utf-8")
    assert [row.fields["question_id"] for row in json_rows([tmp_path])] == [1, 2]


def long(question: str, kind: str, value: Any, *, model: str = "m", rag: str = "no_rag", mode: str = "QA") -> Row:
    names = ("question", "cate", "mode", "rag", "model", "value_type", "value")
    return Row("t.csv: line 2", dict(zip(names, (question, "a-b-c", mode, rag, model, kind, value), strict=True)))


def test_the_long_table_gives_an_answer_and_its_check() -> None:
    suspects = Suspects()
    found = given_csqa([long("q", "answer_check", "A"), long("q", "model_answer", 42)], "QA", "mine", "judge.grade", suspects)
    assert found["q"].answers[0].text == "42"  # type: ignore[union-attr]
    assert found["q"].verdicts["judge.grade"][0].text == "A"  # type: ignore[union-attr]
    assert not suspects


def test_of_several_models_the_one_with_the_label_is_taken() -> None:
    rows = [long("q", "model_answer", "x", model="m1"), long("q", "model_answer", "y", model="m2")]
    found = given_csqa(rows, "QA", "m2", "", Suspects())
    assert found["q"].answers[0].text == "y"  # type: ignore[union-attr]
    with pytest.raises(DataError, match=r"several models \(m1, m2\)"):
        given_csqa(rows, "QA", "other", "", Suspects())


def test_answers_made_with_a_search_and_checks_without_answers_are_not_imported() -> None:
    suspects = Suspects()
    rows = [long("q", "model_answer", "x", rag="passive_rag"), long("r", "answer_check", "A")]
    found = given_csqa(rows, "QA", "m", "judge.grade", suspects)
    assert [each.answers for each in found.values()] == [()]
    assert len(kinds(suspects)) == 2


def test_the_workbook_of_the_judging_script_is_a_long_table_too() -> None:
    row = Row("w.xlsx: row 2", {"query": "q", "standard_answer": "s", "model_answer": "x", "response": "C"})
    found = given_csqa(long_rows([row]), "QA", "m", "judge.grade", Suspects())
    assert found["q"].answers[0].text == "x"  # type: ignore[union-attr]
    assert found["q"].verdicts["judge.grade"][0].text == "C"  # type: ignore[union-attr]


def test_a_table_with_other_columns_names_those_that_are_needed() -> None:
    with pytest.raises(DataError, match="value_type"):
        long_rows([Row("t.csv: line 2", {"a": "1"})])


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_no_text_in_a_table_is_a_formula_and_each_comes_back_as_it_was(ending: str, tmp_path: Path) -> None:
    texts = ["=1+1", "+1", "-1", "@x", "'=1", "'quoted'", "plain", "两\n行", 'a;b,"c"']
    changes = Changes()
    write = csv_bytes if ending == "csv" else xlsx_bytes
    file = tmp_path / f"t.{ending}"
    file.write_bytes(write(("text",), [(text,) for text in texts], changes))
    assert changes.guarded == 5
    assert [row.fields["text"] for row in read_rows(file)] == texts
    if ending == "xlsx":
        from openpyxl import load_workbook

        assert {cell.data_type for (cell,) in load_workbook(file).active.iter_rows()} == {"s"}  # type: ignore[union-attr]


def test_what_a_workbook_cannot_hold_is_counted(tmp_path: Path) -> None:
    changes = Changes()
    file = tmp_path / "t.xlsx"
    file.write_bytes(xlsx_bytes(("text",), [("a\x00b\x1b",), ("x" * (MOST_CELL_CHARS + 1),)], changes))
    assert (changes.stripped, changes.cut) == (1, 1)
    assert [len(row.fields["text"]) for row in read_rows(file)] == [2, MOST_CELL_CHARS]
    assert len(changes.sentences()) == 2


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=40))
def test_any_text_survives_a_csv_table(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.mktemp("csv") / "t.csv"
    file.write_bytes(csv_bytes(("a", "b"), [(text, "end")], Changes()))
    assert [row.fields for row in read_rows(file)] == [{"a": text, "b": "end"}]


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
