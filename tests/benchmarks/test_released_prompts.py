from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from siuo_async.benchmarks.data.siuo_data import describe_siuo_gen, describe_siuo_pictures
from siuo_async.benchmarks.prompts.released_prompts import (
    PROMPT_NAMES,
    ImportReport,
    PromptName,
    Proof,
    describe_prompts,
    fill,
    import_siuo,
    load_released_csqa,
    load_released_prompts,
    option_lines,
    packaged_proofs,
)
from siuo_async.errors import DataError

PNG = b"\x89PNG\r\n\x1a\n"
TEMPLATES: dict[PromptName, str] = {
    "safety": "Is it safe?\nQ {question}\nW {explanation}\nA {response}\nR {reference}\nSay {yes} or {no}.",
    "effectiveness": "Does it help?\nQ {question}\nA {response} {reference}",
    "mcqa": "Choose.\n{question}\n{option}\n",
}
"""Invented: the released ones have no licence and are not in this repository."""
INPUTS = {"question": "q?", "explanation": "w!", "response": "{reference} and {question}", "reference": "r.", "option": "(A) a"}


def proof(prompt: PromptName, template: str, **inputs: str) -> Proof:
    filled = {**INPUTS, **inputs}
    return Proof(prompt, filled, hashlib.sha256(fill(prompt, template, filled).encode()).hexdigest())


PROOFS = tuple(proof(prompt, TEMPLATES[prompt]) for prompt in PROMPT_NAMES)

JUDGE_SCRIPT = """
import a_package_that_is_not_there
raise SystemExit("an importer must never run this")

prompt_template = "not this one"

def process_data(args, data):
    for item in data:
        if args.mode == 'safe':
            prompt_template = {safety!r}
            prompt = prompt_template.replace('{{question}}', item['question'])
        {branch} args.mode == 'effective':
            prompt_template = {effectiveness!r}
"""
MCQA_SCRIPT = """
def process_data(args, data):
    for item in data:
        prompt_template = {mcqa!r}
        send(prompt_template)
"""


def rows(count: int = 3) -> list[dict[str, Any]]:
    return [
        {
            "question_id": number,
            "image": f"S-{number}.png",
            "question": "?",
            "category": "morality",
            "safety_warning": "w",
            "reference_answer": "r",
        }
        for number in range(1, count + 1)
    ]


def mcqa_rows(count: int = 3) -> list[dict[str, Any]]:
    options = {letter: f"option {letter}" for letter in "ABCD"}
    keys = ("question_id", "image", "question", "category")
    return [{key: row[key] for key in keys} | {"options": options, "correct_option": "A"} for row in rows(count)]


def make_checkout(folder: Path, *, branch: str = "elif", images: str | None = "images", **changed: str) -> Path:
    templates: dict[str, str] = {str(name): text for name, text in TEMPLATES.items()} | changed
    for name in ("data", "eval"):
        (folder / name).mkdir(parents=True)
    (folder / "data" / "siuo_gen.json").write_text(json.dumps(rows()))
    (folder / "data" / "siuo_mcqa.json").write_text(json.dumps(mcqa_rows()))
    (folder / "eval" / "gpt-eval.py").write_text(JUDGE_SCRIPT.format(branch=branch, **templates))
    (folder / "eval" / "generation-gpt4o-mcqa.py").write_text(MCQA_SCRIPT.format(**templates))
    if images:
        draw(folder / images)
    return folder


def draw(folder: Path) -> None:
    folder.mkdir(parents=True)
    for item in rows():
        (folder / item["image"]).write_bytes(PNG + item["image"].encode())


def run_import(checkout: Path, destination: Path, images: Path | None = None) -> ImportReport:
    return import_siuo(checkout, images, destination, proofs=PROOFS)


@pytest.mark.parametrize("branch", ["elif", "if"])
def test_the_three_prompts_are_read_out_of_the_sources_without_running_them(tmp_path: Path, branch: str) -> None:
    run_import(make_checkout(tmp_path / "c", branch=branch), tmp_path / "d")
    prompts = load_released_prompts(tmp_path / "d" / "siuo", proofs=PROOFS)
    assert prompts is not None
    assert prompts.templates == TEMPLATES


def test_windows_line_ends_in_the_sources_change_nothing(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path / "c")
    source = checkout / "eval" / "gpt-eval.py"
    text = source.read_text().replace(repr(TEMPLATES["safety"]), f'"""{TEMPLATES["safety"]}"""')
    source.write_bytes(text.replace("\n", "\r\n").encode())
    run_import(checkout, tmp_path / "d")
    assert (tmp_path / "d" / "siuo" / "prompts.json").exists()


def test_data_and_pictures_are_copied_and_counted(tmp_path: Path) -> None:
    report = run_import(make_checkout(tmp_path / "c"), tmp_path / "d")
    assert (report.folder, report.copied, report.kept, report.missing) == (tmp_path / "d" / "siuo", 3, 0, ())
    assert sorted(path.name for path in report.folder.rglob("*") if path.is_file()) == [
        "S-1.png",
        "S-2.png",
        "S-3.png",
        "prompts.json",
        "siuo_gen.json",
        "siuo_mcqa.json",
    ]


def test_a_second_import_keeps_what_is_equal_and_copies_what_is_not_there(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path / "c")
    folder = run_import(checkout, tmp_path / "d").folder
    (folder / "images" / "S-2.png").unlink()
    report = run_import(checkout, tmp_path / "d")
    assert (report.copied, report.kept) == (1, 2)
    assert (folder / "images" / "S-2.png").read_bytes() == PNG + b"S-2.png"


@pytest.mark.parametrize("name", ["siuo_gen.json", "siuo_mcqa.json", "images/S-2.png"])
def test_a_file_that_differs_is_never_replaced_and_nothing_else_is_written(tmp_path: Path, name: str) -> None:
    checkout = make_checkout(tmp_path / "c")
    file = tmp_path / "d" / "siuo" / name
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    with pytest.raises(DataError, match=f"{name}: is there and differs from .*; move one of them away"):
        run_import(checkout, tmp_path / "d")
    assert [path.name for path in (tmp_path / "d").rglob("*") if path.is_file()] == [file.name]
    assert file.read_text() == "mine"


@pytest.mark.parametrize("name", ["siuo_gen.json", "siuo_mcqa.json"])
def test_broken_data_are_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    checkout = make_checkout(tmp_path / "c")
    (checkout / "data" / name).write_text("[{")
    with pytest.raises(DataError, match=f"{name}: broken JSON"):
        run_import(checkout, tmp_path / "d")
    assert not (tmp_path / "d").exists()


def test_pictures_of_either_file_are_copied(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path / "c")
    (checkout / "data" / "siuo_gen.json").write_text(json.dumps(rows(1)))
    assert run_import(checkout, tmp_path / "d").copied == 3


def test_pictures_may_stand_beside_the_data_file(tmp_path: Path) -> None:
    assert run_import(make_checkout(tmp_path / "c", images="data/images"), tmp_path / "d").copied == 3


def test_pictures_may_come_from_elsewhere(tmp_path: Path) -> None:
    draw(tmp_path / "unpacked")
    report = run_import(make_checkout(tmp_path / "c", images=None), tmp_path / "d", tmp_path / "unpacked")
    assert report.copied == 3


def test_missing_pictures_do_not_keep_the_rest_from_being_imported(tmp_path: Path) -> None:
    report = run_import(make_checkout(tmp_path / "c", images=None), tmp_path / "d")
    assert report.missing == ("S-1.png", "S-2.png", "S-3.png")
    assert (report.folder / "prompts.json").exists()


def test_a_picture_name_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path / "c")
    item = {**rows(1)[0], "image": "../data/siuo_mcqa.json"}
    (checkout / "data" / "siuo_gen.json").write_text(json.dumps([item]))
    with pytest.raises(DataError, match="leads out of"):
        run_import(checkout, tmp_path / "d")
    assert not (tmp_path / "d").exists()


def test_a_link_out_of_the_pictures_is_not_followed(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path / "c")
    (tmp_path / "private.png").write_bytes(PNG + b"private")
    (checkout / "images" / "S-2.png").unlink()
    (checkout / "images" / "S-2.png").symlink_to(tmp_path / "private.png")
    with pytest.raises(DataError, match="is a link that leads out of"):
        run_import(checkout, tmp_path / "d")
    assert not (tmp_path / "d").exists()


def test_a_page_in_a_pictures_place_is_refused(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path / "c")
    (checkout / "images" / "S-2.png").write_text("<html>")
    with pytest.raises(DataError, match=r"S-2\.png: is no PNG.*HTML"):
        run_import(checkout, tmp_path / "d")


def test_the_prompts_are_private_to_the_user(tmp_path: Path) -> None:
    folder = run_import(make_checkout(tmp_path / "c"), tmp_path / "d").folder
    assert stat.S_IMODE((folder / "prompts.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["data/siuo_gen.json", "data/siuo_mcqa.json", "eval/gpt-eval.py", "eval/generation-gpt4o-mcqa.py"])
def test_a_folder_that_is_no_checkout_is_refused_with_the_missing_file(tmp_path: Path, name: str) -> None:
    checkout = make_checkout(tmp_path / "c")
    (checkout / name).unlink()
    with pytest.raises(DataError, match=f"no checkout of the SIUO repository: {name} is missing"):
        run_import(checkout, tmp_path / "d")


@pytest.mark.parametrize("prompt", PROMPT_NAMES)
def test_a_changed_prompt_is_refused_by_name_and_nothing_is_written(tmp_path: Path, prompt: PromptName) -> None:
    checkout = make_checkout(tmp_path / "c", **{prompt: TEMPLATES[prompt] + " "})
    with pytest.raises(DataError, match=f"the {prompt} prompt in it is not the released one"):
        run_import(checkout, tmp_path / "d")
    assert not (tmp_path / "d").exists()


def test_the_packaged_hashes_refuse_invented_prompts(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not the released one"):
        import_siuo(make_checkout(tmp_path / "c"), None, tmp_path / "d")


def test_a_prompt_without_a_hash_is_not_proved(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="mcqa prompt"):
        import_siuo(make_checkout(tmp_path / "c"), None, tmp_path / "d", proofs=PROOFS[:2])


@pytest.mark.parametrize(
    "source, said",
    [
        ("def process_data(args):\n    pass\n", "the safety prompt is not found"),
        ("def other(args):\n    if args.mode == 'safe':\n        prompt_template = 'x'\n", "the safety prompt is not found"),
        ("def process_data(args):\n    if args.mode == 'safe':\n        prompt_template = read()\n", "is not found"),
        ("def process_data(:\n", "cannot be read as Python"),
        ("\0", "cannot be read as Python"),
    ],
)
def test_sources_of_another_shape_are_refused(tmp_path: Path, source: str, said: str) -> None:
    checkout = make_checkout(tmp_path / "c")
    (checkout / "eval" / "gpt-eval.py").write_text(source)
    with pytest.raises(DataError, match=said):
        run_import(checkout, tmp_path / "d")


def test_a_place_that_cannot_be_written_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"file.*could not be written"):
        run_import(make_checkout(tmp_path / "c"), tmp_path / "file")


def test_without_an_import_there_are_no_released_prompts(tmp_path: Path) -> None:
    assert load_released_prompts(tmp_path) is None


def test_the_prompts_are_found_beside_a_data_file(tmp_path: Path) -> None:
    folder = run_import(make_checkout(tmp_path / "c"), tmp_path / "d").folder
    assert load_released_prompts(folder / "siuo_gen.json", proofs=PROOFS) is not None


def test_prompts_that_were_edited_after_the_import_are_refused(tmp_path: Path) -> None:
    folder = run_import(make_checkout(tmp_path / "c"), tmp_path / "d").folder
    file = folder / "prompts.json"
    file.write_text(file.read_text().replace("Does it help?", "Does it harm?"))
    with pytest.raises(DataError, match="the effectiveness prompt in it is not the released one"):
        load_released_prompts(folder, proofs=PROOFS)


@pytest.mark.parametrize("content", ["", "{", "[]", '"x"', "{}", '{"templates": 1}', '{"templates": {}}', "\udcff"])
def test_a_damaged_prompt_file_is_refused_with_the_way_out(tmp_path: Path, content: str) -> None:
    (tmp_path / "prompts.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(DataError, match="is damaged; import them again"):
        load_released_prompts(tmp_path)


def test_prompts_of_another_data_set_are_told_as_such(tmp_path: Path) -> None:
    folder = run_import(make_checkout(tmp_path / "c"), tmp_path / "d").folder
    assert json.loads((folder / "prompts.json").read_text())["data"] == "siuo"
    with pytest.raises(DataError, match="holds the released prompts of siuo, not of csqa"):
        load_released_csqa(folder)


def test_the_digest_of_a_load_is_that_of_the_import(tmp_path: Path) -> None:
    report = run_import(make_checkout(tmp_path / "c"), tmp_path / "d")
    prompts = load_released_prompts(report.folder, proofs=PROOFS)
    assert prompts is not None
    assert prompts.digest == report.digest


def test_a_response_that_holds_the_placeholder_gets_the_reference_pasted_in(tmp_path: Path) -> None:
    prompts = load_released_prompts(run_import(make_checkout(tmp_path / "c"), tmp_path / "d").folder, proofs=PROOFS)
    assert prompts is not None
    text = prompts.safety("q?", "w!", "r.", "{reference} and {question}")
    assert text == "Is it safe?\nQ q?\nW w!\nA r. and {question}\nR r.\nSay {yes} or {no}."


def test_the_effectiveness_prompt_knows_neither_warning_nor_reference(tmp_path: Path) -> None:
    prompts = load_released_prompts(run_import(make_checkout(tmp_path / "c"), tmp_path / "d").folder, proofs=PROOFS)
    assert prompts is not None
    assert prompts.effectiveness("q?", "a") == "Does it help?\nQ q?\nA a {reference}"


def test_the_options_stand_on_lines_of_their_own(tmp_path: Path) -> None:
    prompts = load_released_prompts(run_import(make_checkout(tmp_path / "c"), tmp_path / "d").folder, proofs=PROOFS)
    assert prompts is not None
    assert prompts.mcqa("q?", {"A": "one", "B": "two"}) == "Choose.\nq?\n(A) one\n(B) two\n"


def test_the_packaged_hashes_are_those_of_the_vectors(shared: Path) -> None:
    vectors = json.loads((shared / "vectors" / "upstream_requests_and_prompt_hashes.json").read_text())["prompts"]
    names = {"siuo judge safe": "safety", "siuo judge effective": "effectiveness", "siuo mcqa": "mcqa"}
    expected = []
    for vector in vectors:
        if name := names.get(vector["prompt"]):
            made_up = {
                "question": vector["question"],
                "explanation": vector.get("safety_warning"),
                "response": vector.get("response"),
                "reference": vector.get("reference"),
                "option": option_lines(vector.get("options", {})),
            }
            expected.append((name, made_up, vector["sha256"]))
    packaged = packaged_proofs()
    assert [(proof.prompt, proof.sha256) for proof in packaged] == [(name, sha256) for name, _, sha256 in expected]
    for proof_, (_, made_up, _) in zip(packaged, expected, strict=True):
        assert made_up.items() >= proof_.inputs.items()


def test_the_packaged_hashes_cover_every_prompt_and_placeholder() -> None:
    assert {proof.prompt for proof in packaged_proofs()} == set(PROMPT_NAMES)
    for one in packaged_proofs():
        fill(one.prompt, "", one.inputs)


def test_a_check_of_an_empty_folder_says_what_is_missing_and_how_to_get_it(tmp_path: Path) -> None:
    for line in (*describe_siuo_gen(tmp_path), describe_prompts("siuo", tmp_path)):
        assert "siuo data import siuo PATH" in line
    assert describe_siuo_pictures(tmp_path) == []


def test_a_check_counts_the_pictures_and_names_the_missing_ones(tmp_path: Path) -> None:
    folder = run_import(make_checkout(tmp_path / "c"), tmp_path / "d").folder
    (folder / "images" / "S-2.png").unlink()
    assert describe_siuo_gen(folder) == ["siuo_gen.json: 3 items"]
    (line,) = describe_siuo_pictures(folder)
    assert line.startswith(f"pictures: 2 of 3 in {folder / 'images'}; missing: S-2.png.")
    assert "--images FOLDER" in line


@pytest.mark.parametrize("lost", [("siuo_gen.json",), ("siuo_mcqa.json",)])
def test_a_check_tells_of_the_pictures_whichever_file_is_there(tmp_path: Path, lost: tuple[str, ...]) -> None:
    folder = run_import(make_checkout(tmp_path / "c"), tmp_path / "d").folder
    for name in lost:
        (folder / name).unlink()
    assert describe_siuo_pictures(folder) == [f"pictures: 3 of 3 in {folder / 'images'}"]


def test_a_check_counts_the_pictures_of_what_can_be_read(tmp_path: Path) -> None:
    folder = run_import(make_checkout(tmp_path / "c"), tmp_path / "d").folder
    (folder / "siuo_gen.json").write_text("[")
    assert describe_siuo_pictures(folder) == [f"pictures: 3 of 3 in {folder / 'images'}"]


def test_a_check_follows_no_link_out_of_the_pictures(tmp_path: Path) -> None:
    folder = run_import(make_checkout(tmp_path / "c"), tmp_path / "d").folder
    (folder / "images" / "S-2.png").unlink()
    (folder / "images" / "S-2.png").symlink_to(tmp_path / "c" / "images" / "S-2.png")
    assert "damaged: " in describe_siuo_pictures(folder)[1]
    assert "leads out of" in describe_siuo_pictures(folder)[1]


def test_a_check_finds_a_picture_that_is_none(tmp_path: Path) -> None:
    folder = run_import(make_checkout(tmp_path / "c"), tmp_path / "d").folder
    (folder / "images" / "S-2.png").write_text("<html>")
    assert any("S-2.png" in line and "HTML" in line for line in describe_siuo_pictures(folder))


def test_a_check_tells_imported_prompts_from_false_ones(tmp_path: Path) -> None:
    folder = run_import(make_checkout(tmp_path / "c"), tmp_path / "d").folder
    with pytest.raises(DataError, match=r"^released prompts: .* is not the released one"):
        describe_prompts("siuo", folder)
    (folder / "prompts.json").unlink()
    assert "not imported" in describe_prompts("siuo", folder)
