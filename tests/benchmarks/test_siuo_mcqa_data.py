from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from siuo_async.benchmarks.data.siuo_data import describe_siuo_mcqa, load_siuo_mcqa
from siuo_async.errors import DataError

PNG = b"\x89PNG\r\n\x1a\n"


def row(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "question_id": number,
        "image": f"S-{number}.png",
        "question": f"Question {number}?",
        "category": "morality" if number % 2 else "privacy violation",
        "options": {letter: f"Text {letter} of {number}." for letter in "ABCD"},
        "correct_option": "C",
        **changed,
    }


def without(field: str) -> dict[str, Any]:
    return {key: value for key, value in row(2).items() if key != field}


def write(folder: Path, rows: Any, *, pictures: bool = True) -> Path:
    """A data folder with `siuo_mcqa.json` and one small picture per item."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "siuo_mcqa.json").write_text(json.dumps(rows))
    for item in rows if pictures else ():
        (folder / "images" / item["image"]).write_bytes(PNG + item["image"].encode())
    return folder


def test_a_sample_carries_its_options_and_the_right_letter(tmp_path: Path) -> None:
    (sample,) = load_siuo_mcqa(write(tmp_path, [row(7)])).samples
    assert (sample.id, sample.category, sample.text) == ("7", ("morality",), "Question 7?")
    assert sample.fields == {"options": row(7)["options"], "gold": "C", "image": "S-7.png"}
    assert sample.pictures[0].mime == "image/png"


def test_options_stand_in_the_order_of_their_letters(tmp_path: Path) -> None:
    (sample,) = load_siuo_mcqa(write(tmp_path, [row(1, options={"C": "3", "A": "1", "D": "4", "B": "2"})])).samples
    assert list(sample.fields["options"].items()) == [("A", "1"), ("B", "2"), ("C", "3"), ("D", "4")]


@pytest.mark.parametrize(
    "item, parts",
    [
        (without("options"), ["item 2 of 2", "question_id 2", "no field `options`", "siuo_mcqa.json"]),
        (without("correct_option"), ["no field `correct_option`"]),
        (row(2, options=["a", "b"]), ["`options` must be an object", "a list"]),
        (row(2, options={"A": "a", "B": "b", "D": "d"}), ["`options` must hold the letters A to D", "option C is missing"]),
        (row(2, options=row(2)["options"] | {"E": "e"}), ["`options` must hold the letters A to D", "an option 'E'"]),
        (row(2, options=row(2)["options"] | {"AB": "e"}), ["an option 'AB'"]),
        (row(2, options=row(2)["options"] | {"B": 3}), ["`options` (B) must be a text", "a number"]),
        (row(2, options=row(2)["options"] | {"B": " "}), ["`options` (B) is empty"]),
        (row(2, options=row(2)["options"] | {"B": "\ud800"}), ["`options` (B) holds half a character"]),
        (row(2, correct_option="E"), ["`correct_option` must be one of the letters A to D", "'E'"]),
        (row(2, correct_option="c"), ["`correct_option`", "'c'"]),
        (row(2, correct_option=None), ["`correct_option` must be a text", "null"]),
        (row(1), ["items 1 and 2", "question_id 1", "ids must be unique"]),
        (row(2, image="../x.png"), ["question_id 2", "leads out of"]),
    ],
)
def test_what_is_wrong_is_said_with_file_item_and_field(tmp_path: Path, item: Any, parts: list[str]) -> None:
    folder = write(tmp_path, [row(1), item], pictures=False)
    with pytest.raises(DataError) as error:
        load_siuo_mcqa(folder)
    for part in [str(folder / "siuo_mcqa.json"), *parts]:
        assert part in str(error.value)


def test_a_missing_picture_is_an_error_or_left_out_on_demand(tmp_path: Path) -> None:
    folder = write(tmp_path, [row(1), row(2)])
    (folder / "images" / "S-2.png").unlink()
    with pytest.raises(DataError, match="1 of 2 pictures are missing"):
        load_siuo_mcqa(folder)
    dataset = load_siuo_mcqa(folder, missing_images="skip")
    assert [sample.id for sample in dataset.samples] == ["1"]
    assert "question_id 2" in dataset.skipped[0]


def test_equal_options_are_kept_and_told_in_one_sentence(tmp_path: Path) -> None:
    doubled = dict.fromkeys("ABCD", "The same.")
    dataset = load_siuo_mcqa(write(tmp_path, [row(1), row(2, options=doubled), row(3, options=doubled)]))
    assert len(dataset.samples) == 3
    (note,) = dataset.notes
    assert str(tmp_path / "siuo_mcqa.json") in note
    assert "two equal options stand in 2 items" in note
    assert "2, 3" in note


@pytest.mark.parametrize("change", [{"correct_option": "D"}, {"options": {**row(1)["options"], "A": "Other."}}])
def test_the_digest_changes_with_options_and_gold(tmp_path: Path, change: dict[str, Any]) -> None:
    before = load_siuo_mcqa(write(tmp_path, [row(1)])).digest
    assert load_siuo_mcqa(write(tmp_path, [row(1, **change)])).digest != before


def test_what_is_there_is_described(tmp_path: Path) -> None:
    (line,) = describe_siuo_mcqa(write(tmp_path, [row(1), row(2, correct_option="A")]))
    assert line == "siuo_mcqa.json: 2 items; right letters: A 1, B 0, C 1, D 0"


def test_what_is_missing_or_broken_is_described_with_the_way_to_get_it(tmp_path: Path) -> None:
    (line,) = describe_siuo_mcqa(tmp_path)
    assert "siuo data fetch siuo" in line
    (tmp_path / "siuo_mcqa.json").write_text("[")
    with pytest.raises(DataError, match="broken JSON"):
        describe_siuo_mcqa(tmp_path)


def test_all_released_items_load_with_stand_in_pictures(tmp_path: Path, shared: Path) -> None:
    file = shared / "upstream-data" / "siuo_mcqa.json"
    rows = json.loads(file.read_text())
    for item in rows:
        (tmp_path / item["image"]).write_bytes(PNG + item["image"].encode())
    dataset = load_siuo_mcqa(file, pictures=tmp_path)
    assert len(dataset.samples) == 167
    assert [sample.fields["options"] for sample in dataset.samples] == [item["options"] for item in rows]
    assert Counter(sample.fields["gold"] for sample in dataset.samples) == {"A": 51, "B": 35, "C": 34, "D": 47}
