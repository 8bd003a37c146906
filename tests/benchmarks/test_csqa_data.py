from __future__ import annotations

import csv
import json
import string
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.benchmarks.data.csqa_data import describe_csqa, load_csqa, read_options
from siuo_async.errors import DataError

OPTIONS = {"A": "一", "B": "二", "C": "三", "D": "四"}


def row(**changed: Any) -> dict[str, Any]:
    return {
        "cate": "甲-乙-丙",
        "question": "某端口是多少？",
        "standard_answer": "二",
        "standard_source_url": "https://example.org/x",
        "options": str(OPTIONS),
        "correct_answer": "B",
        **changed,
    }


def without(field: str) -> dict[str, Any]:
    return {key: value for key, value in row().items() if key != field}


def write(folder: Path, *rows: Any) -> Path:
    lines = [found if isinstance(found, str) else json.dumps(found, ensure_ascii=False) for found in rows]
    (folder / "chinese_safetyqa.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_a_sample_carries_everything_that_is_asked_and_judged(tmp_path: Path) -> None:
    (sample,) = load_csqa(write(tmp_path, row()), need_options=True).samples
    assert (sample.id, sample.category, sample.text, sample.pictures) == ("0", ("甲", "乙", "丙"), "某端口是多少？", ())
    assert sample.fields == {
        "standard_answer": "二",
        "options": OPTIONS,
        "options_text": str(OPTIONS),
        "gold": "B",
        "source": "https://example.org/x",
    }


def test_ids_are_the_numbers_of_rows_from_zero_whatever_is_chosen(tmp_path: Path) -> None:
    folder = write(tmp_path, row(), row(cate="丁-戊-己"), row(), row(cate="丁-庚-辛"))
    assert [sample.id for sample in load_csqa(folder, need_options=True, categories=["丁"]).samples] == ["1", "3"]


@pytest.mark.parametrize("category, ids", [("甲", ["0", "1"]), ("乙", ["0"]), ("丙", ["0"]), ("乙二", ["1"])])
def test_a_category_of_any_level_chooses(tmp_path: Path, category: str, ids: list[str]) -> None:
    folder = write(tmp_path, row(), row(cate="甲-乙二-丙二"))
    assert [sample.id for sample in load_csqa(folder, need_options=True, categories=[category]).samples] == ids


def test_an_unknown_category_is_answered_with_the_widest_ones(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no category '子'; it has: 甲 \(and 2 narrower ones\)"):
        load_csqa(write(tmp_path, row()), need_options=True, categories=["子"])


def test_a_hyphen_in_the_narrowest_name_stays_in_it(tmp_path: Path) -> None:
    (sample,) = load_csqa(write(tmp_path, row(cate="甲-乙-HTTP-2")), need_options=True).samples
    assert sample.category == ("甲", "乙", "HTTP-2")


def test_a_category_with_fewer_levels_is_kept_and_told(tmp_path: Path) -> None:
    dataset = load_csqa(write(tmp_path, row(cate="甲")), need_options=True)
    assert dataset.samples[0].category == ("甲",)
    assert "line 1 (id 0)" in dataset.notes[0]


def test_a_line_separator_inside_a_text_splits_nothing(tmp_path: Path) -> None:
    dataset = load_csqa(write(tmp_path, row(question="前\u2028后\x85"), row()), need_options=True)
    assert [sample.text for sample in dataset.samples] == ["前\u2028后\x85", row()["question"]]


def test_a_byte_order_mark_and_windows_line_ends_are_no_error(tmp_path: Path) -> None:
    file = write(tmp_path, row(), row()) / "chinese_safetyqa.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert len(load_csqa(tmp_path, need_options=True).samples) == 2


def test_the_table_gives_the_same_samples_as_the_lines(tmp_path: Path) -> None:
    rows = [row(), row(question="两行\n的，“问题”？"), row(cate="丁-戊-己")]
    by_lines = load_csqa(write(tmp_path, *rows), need_options=True)
    with open(tmp_path / "chinese_safetyqa.csv", "w", encoding="utf-8-sig", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)
    by_table = load_csqa(tmp_path / "chinese_safetyqa.csv", need_options=True)
    assert list(by_table.samples) == list(by_lines.samples)
    assert by_table.digest == by_lines.digest


@pytest.mark.parametrize(
    "content, said",
    [
        ('cate,question\n"甲,乙\n', "no proper CSV table from line 2 on"),
        ("cate,question\n丙\n", "line 2 has 1 cells, but the table has 2 columns"),
        ("cate,question\n", "holds no questions"),
        ("cate,question,cate\n甲,乙,丙\n", "has the column `cate` twice"),
        ("cate,question\n甲,乙\n", "line 2 (id 0) has no field `options`"),
    ],
)
def test_a_broken_table_is_refused_with_the_line(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "chinese_safetyqa.csv").write_text(content)
    with pytest.raises(DataError) as error:
        load_csqa(tmp_path, need_options=True)
    assert said in str(error.value)


@pytest.mark.parametrize(
    "bad, said",
    [
        ("", "line 2 is blank"),
        ("{", "broken JSON at line 2"),
        (f'{{"question": {"9" * 5_000}}}', "holds a number that cannot be read in line 2 (it has too many digits); mend it there"),
        ("[1]", "line 2 must be an object, but it is a list"),
        (without("question"), "line 2 (id 1) has no field `question`"),
        (without("cate"), "no field `cate`"),
        (without("standard_answer"), "no field `standard_answer`"),
        (without("options"), "no field `options`"),
        (without("correct_answer"), "no field `correct_answer`"),
        (row(question=" "), "`question` is empty"),
        (row(cate=""), "`cate` is empty"),
        (row(standard_answer=3), "`standard_answer` must be a text, but it is a number"),
        (row(options=OPTIONS), "`options` must be a text, but it is an object"),
    ],
)
def test_what_is_wrong_is_said_with_file_line_and_field(tmp_path: Path, bad: Any, said: str) -> None:
    with pytest.raises(DataError) as error:
        load_csqa(write(tmp_path, row(), bad, row()), need_options=True)
    assert str(tmp_path / "chinese_safetyqa.jsonl") in str(error.value)
    assert said in str(error.value)


def test_a_question_needs_an_answer_where_no_letter_is_chosen(tmp_path: Path) -> None:
    folder = write(tmp_path, row(standard_answer=" "))
    assert len(load_csqa(folder, need_options=True).samples) == 1
    with pytest.raises(DataError, match="`standard_answer` is empty"):
        load_csqa(folder, need_options=False)


def test_questions_without_options_can_still_be_asked_openly(tmp_path: Path) -> None:
    bare = {key: value for key, value in row().items() if key not in ("options", "correct_answer", "standard_source_url")}
    dataset = load_csqa(write(tmp_path, bare), need_options=False)
    assert dataset.samples[0].fields["options"] == {}
    assert dataset.notes == ()


@pytest.mark.parametrize(
    "changed, reason",
    [
        ({"correct_answer": "E"}, "its right letter 'E' is none of its options (A, B, C, D)"),
        ({"options": "whatever"}, "its options cannot be read"),
        ({"options": '{"A": "x", "B": null}', "correct_answer": "A"}, "its options cannot be read"),
        ({"options": "{'A': '一'}", "correct_answer": "A"}, "it has one option only"),
    ],
)
def test_a_row_in_which_no_letter_can_be_right_is_left_out_or_kept_but_always_told(
    tmp_path: Path, changed: dict[str, Any], reason: str
) -> None:
    folder = write(tmp_path, row(), row(**changed))
    by_letter = load_csqa(folder, need_options=True)
    assert [sample.id for sample in by_letter.samples] == ["0"]
    assert [f"line 2 (id 1) is left out: {reason}" in sentence for sentence in by_letter.skipped] == [True]
    openly = load_csqa(folder, need_options=False)
    assert [sample.id for sample in openly.samples] == ["0", "1"]
    assert openly.skipped == ()
    assert [f"line 2 (id 1): {reason}" in sentence for sentence in openly.notes] == [True]


@pytest.mark.parametrize("letters", ["AB", "ABC", "ABCDE"])
def test_fewer_or_more_options_than_four_are_kept_and_told(tmp_path: Path, letters: str) -> None:
    dataset = load_csqa(write(tmp_path, row(options=str({letter: OPTIONS.get(letter, "五") for letter in letters}))), need_options=True)
    assert "".join(dataset.samples[0].fields["options"]) == letters
    assert f"its options are {', '.join(letters)} instead of A to D" in dataset.notes[0]


def test_answers_unlike_the_right_letters_text_are_told_in_one_sentence_with_the_likely_errors(tmp_path: Path) -> None:
    years = str({"A": "2011年", "B": "2012年"})
    dataset = load_csqa(
        write(
            tmp_path,
            row(),
            row(standard_answer="Two"),  # another language
            row(standard_answer="三"),  # another option
            row(standard_answer="2013年", options=years, correct_answer="A"),  # another number
            row(standard_answer="B"),  # the letter
        ),
        need_options=True,
    )
    told = [note for note in dataset.notes if "standard answer" in note]
    assert len(told) == 1
    assert "in 4 rows" in told[0]
    assert "(ids 1, 2, 3, 4)" in told[0]
    assert told[0].endswith("another number: 2, 3")


@pytest.mark.parametrize(
    "text, options",
    [
        ("{'A': '一', 'B': '二'}", {"A": "一", "B": "二"}),
        ('{"A": "it\'s", "B": "二"}', {"A": "it's", "B": "二"}),
        ('{"A": "\\u4e00", "B": "二"}', {"A": "一", "B": "二"}),
        ("{'a ': '一', 'B': 2}", {"A": "一", "B": "2"}),
        (r"{'A': 'C:\dir', 'B': 'x'}", {"A": r"C:\dir", "B": "x"}),
    ],
)
def test_options_are_read_as_the_literal_that_they_are(text: str, options: dict[str, str]) -> None:
    assert read_options(text) == (options, False)


@pytest.mark.parametrize(
    "text",
    [
        "{'A': '一', 'B': 二', 'C': '三'}",
        "{'A': '一', 'B': '二, 'C': '三'}",
        "{'A: '一', 'B': '二', 'C': '三'}",
        "{A: 一, B: 二, C: 三",
    ],
)
def test_options_with_a_quote_missing_are_cut_at_their_letters(text: str) -> None:
    assert read_options(text) == ({"A": "一", "B": "二", "C": "三"}, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "3",
        "{'A', 'B'}",
        "{'A': ['x']}",
        "{'AB': 'x', 'C': 'y'}",
        "{1: 'x'}",
        "{'A': 'x', 'a': 'y'}",
        '{"A": "x", "B": null}',
        '{"A": "x", "B": true, "C": "y"}',
        "{'A': 'x', 'B': None}",
        "__import__('os')",
        "(" * 9_000,
        "{'A': '%s'}" % ("x" * 20_000),
    ],
)
def test_what_holds_no_options_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="options"):
        read_options(text)


@given(st.text(alphabet=string.printable + "一：{}'\"\\", max_size=80))
def test_no_text_makes_the_reader_of_options_fail_in_another_way(text: str) -> None:
    try:
        options, _ = read_options(text)
    except ValueError:
        return
    assert all(len(letter) == 1 and isinstance(value, str) for letter, value in options.items())


@given(st.lists(st.text(max_size=30), min_size=1, max_size=6))
def test_any_options_come_back_from_their_literal(texts: list[str]) -> None:
    options = dict(zip("ABCDEF", texts, strict=False))
    assert read_options(repr(options)) == (options, False)


def test_what_is_there_is_described(tmp_path: Path) -> None:
    lines = describe_csqa(write(tmp_path, row(), row(correct_answer="E")))
    assert lines[0] == "chinese_safetyqa.jsonl: 1 question (甲 1)"
    assert lines[1] == "chinese_safetyqa.jsonl: right letters: B 1"
    assert "line 2 (id 1) is left out" in lines[2]


def test_what_is_missing_or_broken_is_described_with_the_way_to_get_it(tmp_path: Path) -> None:
    (line,) = describe_csqa(tmp_path)
    assert "siuo data fetch csqa" in line
    with pytest.raises(DataError, match="broken JSON"):
        describe_csqa(write(tmp_path, "{"))


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff"])
def test_an_empty_file_is_said_to_hold_no_questions(tmp_path: Path, text: str) -> None:
    (tmp_path / "chinese_safetyqa.jsonl").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="holds no questions"):
        load_csqa(tmp_path, need_options=True)


def test_a_letter_that_stands_twice_loses_no_option_in_silence(tmp_path: Path) -> None:
    folder = write(tmp_path, row(), row(options="{'A': 'x', 'B': 'y', 'A': 'z'}"))
    dataset = load_csqa(folder, need_options=True)
    assert [sample.id for sample in dataset.samples] == ["0"]
    assert "line 2 (id 1) is left out: its options cannot be read" in dataset.skipped[0]


def test_all_released_rows_load_and_their_flaws_are_told(shared: Path) -> None:
    dataset = load_csqa(shared / "upstream-data", need_options=True)
    assert [sample.id for sample in dataset.samples] == [str(number) for number in range(2000)]
    assert dataset.skipped == ()
    assert Counter(sample.fields["gold"] for sample in dataset.samples) == {"A": 1192, "B": 483, "C": 286, "D": 38, "E": 1}
    assert Counter(sample.category[0] for sample in dataset.samples) == {
        "理论技术知识": 594,
        "违法违规风险": 546,
        "偏见歧视风险": 452,
        "身心健康风险": 136,
        "伦理道德风险": 130,
        "谣言错误风险": 110,
        "辱骂仇恨风险": 32,
    }
    assert {len(sample.category) for sample in dataset.samples} == {3}
    assert len({sample.category[1] for sample in dataset.samples}) == 29
    assert len(dataset.samples[1951].fields["options"]) == 5
    assert dataset.samples[1338].fields["options"]["B"] == "情绪能力"
    flaws = {int(note.split("(id ")[1].split(")")[0]) for note in dataset.notes if "(id " in note}
    assert flaws == {608, 663, 932, 1032, 1338, 1951}


def test_the_likely_label_errors_of_the_released_file_are_named(shared: Path) -> None:
    (note,) = [note for note in load_csqa(shared / "upstream-data", need_options=True).notes if "standard answer" in note]
    assert "in 28 rows" in note  # 27, and the one whose options had to be mended
    likely = note.rpartition(": ")[2].split(", ")
    assert {"483", "810"} <= set(likely)
    assert len(likely) == 4


def test_the_released_questions_that_list_their_options_are_named(shared: Path) -> None:
    (note,) = [note for note in load_csqa(shared / "upstream-data", need_options=True).notes if "lists the options" in note]
    assert "in 11 rows" in note
    assert "(ids 608, 663, 932, 1032, 1138, 1139, 1299, 1321, 1322, 1618, 1951)" in note
    assert not [note for note in load_csqa(shared / "upstream-data", need_options=False).notes if "lists the options" in note]


def test_openly_asked_all_released_rows_are_there_too(shared: Path) -> None:
    assert len(load_csqa(shared / "upstream-data", need_options=False).samples) == 2000
