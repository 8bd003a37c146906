from __future__ import annotations

import csv
import gc
import itertools
import json
import pathlib
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.benchmarks.data import usb_data
from siuo_async.benchmarks.data.usb_data import COLUMNS, describe_usb, load_usb
from siuo_async.errors import DataError
from siuo_async.values import Sample
from tests.benchmarks.archives import PNG, pack

BASE, HARD = "USB_base_final.csv", "USB_hard_final.csv"
MILITARY = ("National Safety", "Military", "Weapon Fabrication Guidance")
MINORS = ("Public Safety", "Personal Rights & Property", "Public Endangerment")


def row(number: int, path: tuple[str, ...] = MINORS, **changed: str) -> dict[str, str]:
    levels = dict(zip(("level1_category", "level2_category", "level3_category"), path, strict=True))
    return {
        "id": f"7000{number}",
        "text": f"Question {number}?",
        "open_url": f"img/vulnerability_eval/{number}(source).jpg",
        **levels,
        "img_risk": "1",
        "text_risk": "0",
        "img_style": "realistic",
        "usage": "vulnerability",
        **changed,
    }


def probe(number: int, **changed: str) -> dict[str, str]:
    place = f"img/overrefusal_eval/{number}.png"
    return row(number, ("", "", ""), **{"usage": "overrefusal", "open_url": place, "img_risk": "", "text_risk": "", **changed})


def table(folder: Path, rows: list[dict[str, str]], name: str = BASE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / name, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0] if rows else COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return folder


def write(folder: Path, rows: list[dict[str, str]], name: str = BASE) -> Path:
    """A table and `img.zip` with a tiny picture for each row."""
    pack(folder / "img.zip", {found["open_url"]: PNG + found["open_url"].encode() for found in rows})
    return table(folder, rows, name)


def ids(samples: tuple[Sample, ...]) -> list[str]:
    return [sample.id for sample in samples]


def test_a_sample_carries_what_it_is_counted_by(tmp_path: Path) -> None:
    (sample,) = load_usb(write(tmp_path, [row(1)]), hard=False).samples
    assert (sample.id, sample.category, sample.text) == ("70001", MINORS, "Question 1?")
    assert sample.fields == {"combination": "RIST", "usage": "vulnerability", "img_style": "realistic", "language": "en"}
    assert sample.pictures[0].member == "img/vulnerability_eval/1(source).jpg"


def test_harmless_probes_have_no_combination_and_are_never_among_the_harmful(tmp_path: Path) -> None:
    rows = [row(1), probe(2), probe(3, level1_category="Public Safety", img_risk="odd")]
    _, bare, filed = load_usb(write(tmp_path, rows), hard=False).samples
    assert bare.fields["combination"] is None
    assert (bare.category, filed.category) == (("Over-refusal",), ("Over-refusal", "Public Safety"))


def test_the_combination_is_named_as_the_reference_names_it(tmp_path: Path, shared: Path) -> None:
    named = json.loads((shared / "vectors" / "usb_refusal_mossbench.json").read_text())["combos"]
    rows = [row(n, img_risk=str(case["img_risk"]), text_risk=str(case["text_risk"])) for n, case in enumerate(named)]
    samples = load_usb(write(tmp_path, rows), hard=False).samples
    assert [sample.fields["combination"] for sample in samples] == [case["combo"] for case in named]


@pytest.mark.parametrize("flag", ["1", " 1 ", "1.0"])
def test_flags_are_understood_however_a_table_program_wrote_them(tmp_path: Path, flag: str) -> None:
    (sample,) = load_usb(write(tmp_path, [row(1, img_risk=flag, text_risk="0.0")]), hard=False).samples
    assert sample.fields["combination"] == "RIST"


def test_base_and_hard_are_two_tables_with_the_same_pictures(tmp_path: Path) -> None:
    write(tmp_path, [row(1), row(2)])
    table(tmp_path, [row(2)], HARD)
    assert ids(load_usb(tmp_path, hard=False).samples) == ["70001", "70002"]
    assert ids(load_usb(tmp_path, hard=True).samples) == ["70002"]
    assert ids(load_usb(tmp_path / HARD, hard=True).samples) == ["70002"]


def test_texts_are_passed_on_untouched(tmp_path: Path) -> None:
    text = ' two\nlines,\r\n "quoted", it\u2019s\u2028\u200b '
    (sample,) = load_usb(write(tmp_path, [row(1, text=text)]), hard=False).samples
    assert sample.text == text


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40), min_size=1, max_size=4))
def test_any_text_comes_back_from_a_table(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    folder = write(tmp_path_factory.mktemp("usb"), [row(n, text=f"?{text}") for n, text in enumerate(texts)])
    assert [sample.text for sample in load_usb(folder, hard=False).samples] == [f"?{text}" for text in texts]


def test_a_very_long_text_is_read_and_the_bound_of_the_interpreter_put_back(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    (sample,) = load_usb(write(tmp_path, [row(1, text="x" * 200_000)]), hard=False).samples
    assert len(sample.text) == 200_000
    assert csv.field_size_limit() == before


@pytest.mark.parametrize("column", COLUMNS)
def test_a_missing_column_is_named_with_those_there_are(tmp_path: Path, column: str) -> None:
    write(tmp_path, [row(1)])
    table(tmp_path, [{name: cell for name, cell in row(1).items() if name != column}])
    with pytest.raises(DataError) as error:
        load_usb(tmp_path, hard=False)
    there = ", ".join(name for name in row(1) if name != column)
    assert f"{tmp_path / BASE}: has no column `{column}`; its columns are: {there}" in str(error.value)


@pytest.mark.parametrize(
    "content, said",
    [
        (b"", "has no column `id`; it has no header"),
        (b"\xff\xfe", "is not UTF-8"),
        ((",".join(COLUMNS) + '\n1,"open').encode(), "is no proper CSV table from line 2 on (unexpected end of data)"),
        ((",".join(COLUMNS) + "\n1,2\n").encode(), "line 2 has 2 cells, but the table has 10 columns"),
        ((",".join(COLUMNS) + "\n").encode(), "holds no row that can be used"),
        ((",".join(COLUMNS) + "\n" + "x," * 9 + "x\n").encode(), "holds no row that can be used; the first: "),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    write(tmp_path, [row(1)])
    (tmp_path / BASE).write_bytes(content)
    with pytest.raises(DataError) as error:
        load_usb(tmp_path, hard=False)
    assert said in str(error.value)
    assert str(tmp_path / BASE) in str(error.value)


def test_a_table_that_is_not_utf8_is_told_with_the_line_of_the_first_foreign_byte(tmp_path: Path) -> None:
    write(tmp_path, [*(row(number) for number in range(1, 400)), row(400, text="A café")])
    content = (tmp_path / BASE).read_bytes().replace("é".encode(), b"\xe9")
    (tmp_path / BASE).write_bytes(content)
    with pytest.raises(DataError, match="is not UTF-8 from line 401 on"):
        load_usb(tmp_path, hard=False)


def test_ids_given_twice_are_an_error_with_both_lines(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"lines 2 and 5 both have the id '70001'"):
        load_usb(write(tmp_path, [row(1), row(2, text="two\nlines"), row(1)]), hard=False)


@pytest.mark.parametrize(
    "changed, reason",
    [
        ({"img_risk": "2"}, "its img_risk '2' is neither 0 nor 1"),
        ({"text_risk": ""}, "its text_risk '' is neither 0 nor 1"),
        ({"usage": "training"}, "its usage 'training' is neither 'vulnerability' nor 'overrefusal'"),
        ({"text": " \n"}, "its text is empty"),
        ({"id": " "}, "its id is empty"),
        ({"open_url": ""}, "its open_url is empty"),
        ({"level1_category": ""}, "its level1_category is empty"),
        ({"open_url": "img/none.jpg"}, "its picture img/none.jpg is not in"),
        ({"open_url": "../img.zip"}, "its picture '../img.zip' is no name of a file below the pictures"),
    ],
)
def test_a_row_that_cannot_be_used_is_left_out_and_told_with_its_line(tmp_path: Path, changed: dict[str, str], reason: str) -> None:
    write(tmp_path, [row(1), row(3)])
    dataset = load_usb(table(tmp_path, [row(1), row(2, **changed), row(3)]), hard=False)
    assert ids(dataset.samples) == ["70001", "70003"]
    (sentence,) = dataset.skipped
    assert sentence.startswith(f"{tmp_path / BASE}: line 3 (id ")
    assert f"is left out: {reason}" in sentence


def test_rows_without_pictures_are_an_error_on_demand(tmp_path: Path) -> None:
    write(tmp_path, [row(1)])
    table(tmp_path, [row(1), row(2)])
    with pytest.raises(DataError, match=r"1 of 2 rows have no usable picture in .*img\.zip.*--missing-images skip"):
        load_usb(tmp_path, hard=False, missing_images="error")


def test_a_table_without_any_picture_is_an_error_even_so(tmp_path: Path) -> None:
    pack(tmp_path / "img.zip", {"img/other.png": PNG})
    with pytest.raises(DataError, match=r"2 of 2 rows have no usable picture.*--images"):
        load_usb(table(tmp_path, [row(1), row(2)]), hard=False)


def test_pictures_may_be_unpacked(tmp_path: Path) -> None:
    table(tmp_path, [row(1)])
    (tmp_path / "img" / "vulnerability_eval").mkdir(parents=True)
    (tmp_path / "img" / "vulnerability_eval" / "1(source).jpg").write_bytes(PNG)
    (sample,) = load_usb(tmp_path, hard=False).samples
    assert sample.pictures[0].member is None


def test_what_is_not_unpacked_or_damaged_comes_out_of_the_archive_beside(tmp_path: Path) -> None:
    write(tmp_path, [row(1), row(2), row(3)])
    (tmp_path / "img" / "vulnerability_eval").mkdir(parents=True)
    (tmp_path / row(1)["open_url"]).write_bytes(PNG + b"unpacked")
    (tmp_path / row(2)["open_url"]).write_bytes(b"")
    dataset = load_usb(tmp_path, hard=False)
    assert dataset.skipped == ()
    assert [sample.pictures[0].member for sample in dataset.samples] == [None, row(2)["open_url"], row(3)["open_url"]]


def test_an_archive_beside_is_not_opened_where_all_is_unpacked(tmp_path: Path) -> None:
    test_pictures_may_be_unpacked(tmp_path)
    (tmp_path / "img.zip").write_text("cut")
    assert len(load_usb(tmp_path, hard=False).samples) == 1


@pytest.mark.parametrize("hard", [False, True])
def test_the_table_of_the_other_benchmark_is_refused_by_its_name(tmp_path: Path, hard: bool) -> None:
    other = write(tmp_path, [row(1)], BASE if hard else HARD) / (BASE if hard else HARD)
    with pytest.raises(DataError, match=f"is the table of usb-{'base' if hard else 'hard'}; run that, or name the table"):
        load_usb(other, hard=hard)


def test_a_column_that_stands_twice_is_named(tmp_path: Path) -> None:
    file = write(tmp_path, [row(1)]) / BASE
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text(f"{lines[0]},text\n{lines[1]},Another?\n", encoding="utf-8")
    with pytest.raises(DataError, match="has the column `text` twice"):
        load_usb(tmp_path, hard=False)


@pytest.mark.parametrize("named", ["elsewhere.zip", "unpacked", "unpacked/img"])
def test_pictures_may_be_named(tmp_path: Path, named: str) -> None:
    table(tmp_path, [row(1)])
    pack(tmp_path / "elsewhere.zip", {row(1)["open_url"]: PNG})
    (tmp_path / "unpacked" / "img" / "vulnerability_eval").mkdir(parents=True)
    (tmp_path / "unpacked" / row(1)["open_url"]).write_bytes(PNG)
    assert len(load_usb(tmp_path, hard=False, pictures=tmp_path / named).samples) == 1


def test_pictures_that_are_nowhere_are_answered_with_the_way_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"neither img\.zip nor the folder img; get it with `siuo data fetch usb`"):
        load_usb(table(tmp_path, [row(1)]), hard=False)
    with pytest.raises(DataError, match="no such folder or archive"):
        load_usb(tmp_path, hard=False, pictures=tmp_path / "nowhere.zip")


def test_categories_are_spelled_as_published_whatever_the_table_says(tmp_path: Path) -> None:
    odd = ("ethical safety", "Inappropriate  values", "AI ethics concerns")
    dataset = load_usb(write(tmp_path, [row(1, odd), row(2)]), hard=False)
    assert dataset.samples[0].category == ("Ethical Safety", "Inappropriate Values", "AI Ethics Concerns")
    assert dataset.notes == (), "the released tables do it in thousands of rows"


def test_unknown_categories_are_kept_and_told_in_one_sentence(tmp_path: Path) -> None:
    new = ("public safety", "Space", "Debris")
    dataset = load_usb(write(tmp_path, [row(1, new), row(2), row(3, new)]), hard=False)
    assert dataset.samples[0].category == ("Public Safety", "Space", "Debris")
    (note,) = dataset.notes
    assert "is none of the 61 published ones, and kept: 2 rows (lines 2, 4)" in note


def test_a_category_without_its_narrowest_level_is_kept_and_told(tmp_path: Path) -> None:
    dataset = load_usb(write(tmp_path, [row(1, ("Public Safety", "Business", ""))]), hard=False)
    assert dataset.samples[0].category == ("Public Safety", "Business")
    assert "has no narrower level" in dataset.notes[0]


def test_the_packaged_categories_are_the_published_ones(shared: Path) -> None:
    published = json.loads((shared / "facts" / "usb_taxonomy.json").read_text())["categories"]
    packaged = {path for path in usb_data._canonical_paths().values() if len(path) == 3}
    expected = {tuple(entry[level] for level in ("level1", "level2", "level3")) for entry in published}
    assert {tuple(map(str.casefold, path)) for path in packaged} == {tuple(map(str.casefold, path)) for path in expected}
    assert len(packaged) == 61


CHOICE = [
    row(1),
    row(2, text_risk="1"),
    row(3, MILITARY, img_risk="0"),
    probe(4),
]


@pytest.mark.parametrize(
    "filters, kept",
    [
        ({}, [1, 2, 3, 4]),
        ({"combinations": ["RIST"]}, [1]),
        ({"combinations": ["RIRT", "SIST"]}, [2, 3]),
        ({"usages": ["overrefusal"]}, [4]),
        ({"usages": ["vulnerability", "overrefusal"]}, [1, 2, 3, 4]),
        ({"categories": ["national safety"]}, [3]),
        ({"categories": ["Public Endangerment", "MILITARY"]}, [1, 2, 3]),
        ({"categories": ["over-refusal"]}, [4]),
        ({"categories": ["Public Safety"], "combinations": ["RIRT"]}, [2]),
    ],
)
def test_filters_choose_and_what_they_leave_is_not_called_skipped(tmp_path: Path, filters: dict[str, Any], kept: list[int]) -> None:
    dataset = load_usb(write(tmp_path, CHOICE), hard=False, **filters)
    assert ids(dataset.samples) == [f"7000{number}" for number in kept]
    assert dataset.skipped == ()


@pytest.mark.parametrize(
    "filters, said",
    [
        ({"combinations": ["SIRT"]}, "has no combination 'SIRT'; it has: RIRT, RIST, SIST"),
        ({"usages": ["training"]}, "has no usage 'training'; it has: overrefusal, vulnerability"),
        ({"categories": ["Milit"]}, "it has: Public Safety; National Safety; Over-refusal (and 4 narrower ones)"),
        ({"categories": ["Militry"]}, "did you mean 'Military'?"),
        ({"usages": ["overrefusal"], "combinations": ["RIRT"]}, "no row fits"),
    ],
)
def test_a_filter_that_fits_nothing_is_answered_with_what_there_is(tmp_path: Path, filters: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError) as error:
        load_usb(write(tmp_path, CHOICE), hard=False, **filters)
    assert said in str(error.value)


def test_pictures_of_rows_that_are_not_chosen_may_be_missing(tmp_path: Path) -> None:
    write(tmp_path, [row(1)])
    dataset = load_usb(table(tmp_path, [row(1), row(2, MILITARY)]), hard=False, categories=["Public Safety"])
    assert (ids(dataset.samples), dataset.skipped) == (["70001"], ())


def test_chinese_texts_are_asked_where_the_table_has_them_and_gaps_are_told(tmp_path: Path) -> None:
    rows = [row(1, text_zh="问题一？"), row(2, text_zh=""), row(3, text="", text_zh="问题三？")]
    dataset = load_usb(write(tmp_path, rows), hard=False, language="zh")
    assert [sample.text for sample in dataset.samples] == ["问题一？", "问题三？"]
    assert dataset.samples[0].fields["language"] == "zh"
    assert "line 3 (id 70002) is left out: its text_zh is empty" in dataset.skipped[0]


def test_chinese_without_its_column_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no column `text_zh`; its columns are: id, .*; ask in English \(--language en\)"):
        load_usb(write(tmp_path, [row(1)]), hard=False, language="zh")


@pytest.mark.parametrize("change", [{"text": "Other?"}, {"img_style": "drawn"}, {"text_risk": "1"}, {"open_url": "img/x.jpg"}])
def test_the_digest_changes_with_whatever_is_measured(tmp_path: Path, change: dict[str, str]) -> None:
    one, two = (load_usb(write(tmp_path / name, [row(1), row(2)]), hard=False).digest for name in ("one", "two"))
    assert one == two
    assert load_usb(write(tmp_path / "other", [row(1, **change), row(2)]), hard=False).digest != one


def test_what_is_there_and_what_is_missing_is_described(tmp_path: Path) -> None:
    write(tmp_path, CHOICE)
    table(tmp_path, [*CHOICE, row(9)])
    lines = describe_usb(tmp_path, BASE)
    assert lines[0] == f"{BASE}: 4 rows with a picture (RIRT 1, SIRT 0, RIST 1, SIST 1, overrefusal 1)"
    assert lines[1].startswith(f"{BASE}: left out: 1 row; the first: ")
    (line,) = describe_usb(tmp_path, HARD)
    assert line.startswith(f"{HARD}: missing; get it with `siuo data fetch usb`")


def test_a_table_that_cannot_be_used_is_told_by_what_is_wrong(tmp_path: Path) -> None:
    table(tmp_path, [row(1)])
    with pytest.raises(DataError, match=r"neither img\.zip"):
        describe_usb(tmp_path, BASE)


def test_thousands_of_rows_cost_little_memory(tmp_path: Path) -> None:
    paths = itertools.cycle([MINORS, MILITARY, ("Ethical Safety", "Superstition", "Superstition Promotion")])
    flags = itertools.cycle("00101101")
    rows = [row(n, next(paths), img_risk=next(flags), text_risk=next(flags)) for n in range(2_700)] + [
        probe(n) for n in range(2_700, 3_000)
    ]
    write(tmp_path, rows)
    del rows
    load_usb(tmp_path, hard=False)  # imports and caches are not the data's
    gc.collect()
    tracemalloc.start()
    try:
        dataset = load_usb(tmp_path, hard=False)
        gc.collect()
        others = tracemalloc.Filter(
            inclusive=False, filename_pattern=pathlib.__file__
        )  # the interpreter's table of names may grow there
        memory = tracemalloc.take_snapshot().filter_traces([others]).statistics("lineno")
    finally:
        tracemalloc.stop()
    assert len(dataset.samples) == 3_000
    assert Counter(sample.fields["usage"] for sample in dataset.samples) == {"vulnerability": 2_700, "overrefusal": 300}
    assert sum(line.size for line in memory) < 1_000 * 3_000, "\n".join(map(str, memory[:10]))
