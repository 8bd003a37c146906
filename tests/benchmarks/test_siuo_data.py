from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from siuo_async.benchmarks.data.data_folders import bundled_demo
from siuo_async.benchmarks.data.siuo_data import load_siuo_gen
from siuo_async.errors import DataError

PNG = b"\x89PNG\r\n\x1a\n"
SIUO_CATEGORIES = {
    "self-harm",
    "dangerous behavior",
    "morality",
    "illegal activities & crime",
    "controversial topics, politics",
    "discrimination & stereotyping",
    "religion beliefs",
    "information misinterpretation",
    "privacy violation",
}


def row(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "question_id": number,
        "image": f"S-{number}.png",
        "question": f"Question {number}?",
        "category": "morality" if number % 2 else "privacy violation",
        "safety_warning": "A warning.",
        "reference_answer": "A reference.",
        **changed,
    }


def without(field: str) -> dict[str, Any]:
    return {key: value for key, value in row(2).items() if key != field}


def write(folder: Path, rows: Any, *, pictures: bool = True) -> Path:
    """A data folder with `siuo_gen.json` and one small picture per item."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "siuo_gen.json").write_text(rows if isinstance(rows, str) else json.dumps(rows))
    if pictures:
        draw(folder / "images", rows)
    return folder


def draw(images: Path, rows: Any) -> None:
    images.mkdir(parents=True, exist_ok=True)
    for item in rows:
        if isinstance(item, dict) and isinstance(name := item.get("image"), str) and name and "/" not in name:
            (images / name).write_bytes(PNG + name.encode())


def test_a_sample_carries_everything_its_judge_needs(tmp_path: Path) -> None:
    (sample,) = load_siuo_gen(write(tmp_path, [row(7)])).samples
    assert (sample.id, sample.category, sample.text) == ("7", ("morality",), "Question 7?")
    assert sample.fields == {"safety_warning": "A warning.", "reference_answer": "A reference.", "image": "S-7.png"}
    assert sample.pictures[0].mime == "image/png"


def test_texts_are_passed_on_untouched(tmp_path: Path) -> None:
    text = " it\u2019s\u200b\u200b \u00a0"
    (sample,) = load_siuo_gen(write(tmp_path, [row(1, question=text, reference_answer=text)])).samples
    assert sample.text == text
    assert sample.fields["reference_answer"] == text


def test_the_key_of_the_authors_script_is_taken_for_the_reference(tmp_path: Path) -> None:
    item = {**without("reference_answer"), "reference": "From the other key."}
    (sample,) = load_siuo_gen(write(tmp_path, [item])).samples
    assert sample.fields["reference_answer"] == "From the other key."


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    write(tmp_path, [row(1)])
    file = tmp_path / "siuo_gen.json"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert len(load_siuo_gen(tmp_path).samples) == 1


@pytest.mark.parametrize(
    "data, images, asked",
    [
        ("", "images", ""),
        ("data", "data/images", ""),
        ("data", "images", ""),
        ("data", "images", "data"),
        ("data", "images", "data/siuo_gen.json"),
        ("", "images", "siuo_gen.json"),
    ],
)
def test_file_and_pictures_are_found_in_the_usual_places(tmp_path: Path, data: str, images: str, asked: str) -> None:
    write(tmp_path / data, [row(1)], pictures=False)
    draw(tmp_path / images, [row(1)])
    dataset = load_siuo_gen(tmp_path / asked)
    assert dataset.file == tmp_path / data / "siuo_gen.json"
    assert dataset.samples[0].pictures[0].path == str(tmp_path / images / "S-1.png")


def test_a_named_folder_of_pictures_wins(tmp_path: Path) -> None:
    write(tmp_path / "set", [row(1)])
    draw(tmp_path / "elsewhere", [row(1)])
    (sample,) = load_siuo_gen(tmp_path / "set", pictures=tmp_path / "elsewhere").samples
    assert sample.pictures[0].path == str(tmp_path / "elsewhere" / "S-1.png")


def test_a_named_folder_of_pictures_that_is_none_is_refused(tmp_path: Path) -> None:
    write(tmp_path, [row(1)])
    with pytest.raises(DataError, match=r"images\.zip: is no folder of pictures"):
        load_siuo_gen(tmp_path, pictures=tmp_path / "images.zip")


@pytest.mark.parametrize(
    "rows, parts",
    [
        ("[{]", ["line 1, column 3", "broken JSON"]),
        ('[\n {"a": 1,}\n]', ["line 2, column"]),
        ("", ["line 1, column 1"]),
        ("[" * 100_000, ["nested too deeply"]),
        ({"items": []}, ["must be a JSON list", "an object"]),
        ([], ["no items"]),
        ([row(1), "text"], ["item 2 of 2", "must be an object", "a text"]),
        ([row(1), None], ["item 2 of 2", "null"]),
        ([row(1), without("question_id")], ["item 2 of 2", "no field `question_id`"]),
        ([row(1), row(2, question_id="2")], ["item 2 of 2", "`question_id` must be a whole number", "a text"]),
        ([row(1), row(2, question_id=True)], ["`question_id` must be a whole number"]),
        ([row(1), row(2, question_id=2.0)], ["`question_id` must be a whole number"]),
        ([row(1), without("image")], ["item 2 of 2", "question_id 2", "no field `image`"]),
        ([row(1), without("question")], ["no field `question`"]),
        ([row(1), without("category")], ["no field `category`"]),
        ([row(1), without("safety_warning")], ["no field `safety_warning`"]),
        ([row(1), without("reference_answer")], ["no field `reference_answer`"]),
        ([row(1), row(2, question=["?"])], ["question_id 2", "`question` must be a text", "a list"]),
        ([row(1), row(2, safety_warning=None)], ["`safety_warning` must be a text", "null"]),
        ([row(1), row(2, question=" \n")], ["question_id 2", "`question` is empty"]),
        ([row(1), row(2, question="\ud800")], ["question_id 2", "`question` holds half a character"]),
        ([row(5), row(6), row(5, image="S-6.png")], ["items 1 and 3", "question_id 5"]),
        ([row(1), row(2, image="../secret.png")], ["question_id 2", "`image`", "leads out of"]),
        ([row(1), row(2, image="a/../../secret.png")], ["leads out of"]),
        ([row(1), row(2, image="/etc/hostname")], ["leads out of"]),
        ([row(1), row(2, image="a\x00.png")], ["leads out of"]),
    ],
)
def test_what_is_wrong_with_the_file_is_said_with_file_item_and_field(tmp_path: Path, rows: Any, parts: list[str]) -> None:
    folder = write(tmp_path, rows, pictures=False)
    draw(tmp_path / "images", [row(1), row(5), row(6)])
    with pytest.raises(DataError) as error:
        load_siuo_gen(folder)
    for part in [str(folder / "siuo_gen.json"), *parts]:
        assert part in str(error.value)


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "siuo_gen.json").write_bytes(b'[{"question": "caf\xe9"}]')
    with pytest.raises(DataError, match="is not UTF-8"):
        load_siuo_gen(tmp_path)


def test_a_place_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere: there is no such file or folder"):
        load_siuo_gen(tmp_path / "nowhere")


def test_a_folder_without_the_file_is_named_with_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds neither siuo_gen\.json nor data/siuo_gen\.json"):
        load_siuo_gen(tmp_path)


def test_a_link_out_of_the_pictures_folder_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "set", [row(1)])
    (tmp_path / "private.png").write_bytes(PNG)
    (folder / "images" / "S-1.png").unlink()
    (folder / "images" / "S-1.png").symlink_to(tmp_path / "private.png")
    with pytest.raises(DataError, match="is a link that leads out of"):
        load_siuo_gen(folder)


def test_a_ring_of_links_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, [row(1)], pictures=False)
    (folder / "images").mkdir()
    (folder / "images" / "S-1.png").symlink_to(folder / "images" / "S-1.png")
    with pytest.raises(DataError, match=r"S-1\.png"):
        load_siuo_gen(folder)


def test_a_pictures_folder_that_is_itself_a_link_is_fine(tmp_path: Path) -> None:
    folder = write(tmp_path / "set", [row(1)], pictures=False)
    draw(tmp_path / "disk", [row(1)])
    (folder / "images").symlink_to(tmp_path / "disk")
    assert len(load_siuo_gen(folder).samples) == 1


def test_missing_pictures_are_counted_with_the_first_three_and_the_way_out(tmp_path: Path) -> None:
    folder = write(tmp_path, [row(n) for n in range(1, 7)])
    for number in (2, 3, 4, 5):
        (folder / "images" / f"S-{number}.png").unlink()
    with pytest.raises(DataError) as error:
        load_siuo_gen(folder)
    assert "4 of 6 pictures are missing (S-2.png, S-3.png, S-4.png, ...)" in str(error.value)
    assert "--missing-images skip" in str(error.value)


def test_items_without_a_picture_are_left_out_on_demand_and_told(tmp_path: Path) -> None:
    folder = write(tmp_path, [row(1), row(2), row(3)])
    (folder / "images" / "S-2.png").unlink()
    dataset = load_siuo_gen(folder, missing_images="skip")
    assert [sample.id for sample in dataset.samples] == ["1", "3"]
    (sentence,) = dataset.skipped
    assert "question_id 2" in sentence
    assert "S-2.png" in sentence


def test_a_set_without_any_picture_is_an_error_even_when_missing_ones_are_skipped(tmp_path: Path) -> None:
    folder = write(tmp_path, [row(1)], pictures=False)
    with pytest.raises(DataError, match="1 of 1 pictures are missing"):
        load_siuo_gen(folder, missing_images="skip")


@pytest.mark.parametrize("missing_images", ["error", "skip"])
def test_a_picture_that_is_none_is_an_error_that_names_the_item(tmp_path: Path, missing_images: Any) -> None:
    folder = write(tmp_path, [row(1), row(2)])
    (folder / "images" / "S-2.png").write_text("<html>log in</html>")
    with pytest.raises(DataError, match=r"question_id 2\).*S-2\.png.*HTML"):
        load_siuo_gen(folder, missing_images=missing_images)


def test_only_the_chosen_categories_are_kept(tmp_path: Path) -> None:
    dataset = load_siuo_gen(write(tmp_path, [row(n) for n in range(1, 6)]), categories=["Privacy Violation"])
    assert [sample.id for sample in dataset.samples] == ["2", "4"]
    assert dataset.skipped == ()


def test_pictures_of_other_categories_may_be_missing(tmp_path: Path) -> None:
    folder = write(tmp_path, [row(1), row(2)])
    (folder / "images" / "S-2.png").unlink()
    assert len(load_siuo_gen(folder, categories=["morality"]).samples) == 1


def test_an_unknown_category_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no category 'politics'; it has: morality; privacy violation"):
        load_siuo_gen(write(tmp_path, [row(1), row(2)]), categories=["politics"])


def test_the_digest_does_not_depend_on_where_the_data_are(tmp_path: Path) -> None:
    one, two = (load_siuo_gen(write(tmp_path / name, [row(1), row(2)])) for name in ("one", "two"))
    assert one.digest == two.digest
    assert len(one.digest) == 64


def change_text(folder: Path) -> None:
    write(folder, [row(1, question="Question 1!"), row(2)], pictures=False)


def change_warning(folder: Path) -> None:
    write(folder, [row(1, safety_warning="Another."), row(2)], pictures=False)


def change_picture(folder: Path) -> None:
    (folder / "images" / "S-1.png").write_bytes(PNG + b"another")


def drop_item(folder: Path) -> None:
    write(folder, [row(1)], pictures=False)


@pytest.mark.parametrize("change", [change_text, change_warning, change_picture, drop_item])
def test_the_digest_changes_with_whatever_is_measured(tmp_path: Path, change: Callable[[Path], None]) -> None:
    before = load_siuo_gen(write(tmp_path, [row(1), row(2)])).digest
    change(tmp_path)
    assert load_siuo_gen(tmp_path).digest != before


def test_known_pictures_are_not_read_again(tmp_path: Path) -> None:
    folder = write(tmp_path, [row(1)])
    picture = load_siuo_gen(folder).samples[0].pictures[0]
    trusted = replace(picture, sha256="from an earlier run")
    assert load_siuo_gen(folder, known={picture.path: trusted}).samples[0].pictures == (trusted,)


def test_two_items_may_share_a_picture(tmp_path: Path) -> None:
    first, second = load_siuo_gen(write(tmp_path, [row(1), row(2, image="S-1.png")])).samples
    assert first.pictures == second.pictures


def test_all_released_items_load_with_stand_in_pictures(tmp_path: Path, shared: Path) -> None:
    file = shared / "upstream-data" / "siuo_gen.json"
    rows = json.loads(file.read_text())
    draw(tmp_path, rows)
    dataset = load_siuo_gen(file, pictures=tmp_path)
    assert [sample.id for sample in dataset.samples] == [str(item["question_id"]) for item in rows]
    assert [sample.text for sample in dataset.samples] == [item["question"] for item in rows]
    assert {sample.category[0] for sample in dataset.samples} == SIUO_CATEGORIES
    assert len(dataset.samples) == 167


def test_the_demo_has_three_samples_for_each_of_the_nine_categories() -> None:
    dataset = load_siuo_gen(bundled_demo())
    assert Counter(sample.category[0] for sample in dataset.samples) == dict.fromkeys(SIUO_CATEGORIES, 3)


def test_the_demo_shares_no_question_with_siuo(shared: Path) -> None:
    released = {item["question"] for item in json.loads((shared / "upstream-data" / "siuo_gen.json").read_text())}
    assert not released & {sample.text for sample in load_siuo_gen(bundled_demo()).samples}


def test_the_pictures_of_the_demo_are_small() -> None:
    assert all(sample.pictures[0].size < 15_000 for sample in load_siuo_gen(bundled_demo()).samples)
