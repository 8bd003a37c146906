"""The page on which people label answers, in a real browser: keys, progress, the file it saves, and that it tells and sends nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from siuo_async.analysis.drawing import draw
from siuo_async.analysis.label_key import Key, new_key
from siuo_async.analysis.questions import siuo_sheet
from siuo_async.analysis.units import by_name
from siuo_async.benchmarks.data.pictures import read_picture
from siuo_async.benchmarks.siuo_gen import EFFECTIVENESS, SAFETY
from siuo_async.exchange.label_files import read_labels
from siuo_async.report.label_page import in_order, label_page
from siuo_async.report.label_page.pictures import AS_IT_IS, embedded
from tests.analysis.answers import unit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE = (
    "</script><script>window.ran = 1</script><img src=x onerror='window.ran = 2'><svg onload='window.ran = 3'>"
    "<a href='javascript:window.ran = 4'>{{ 7 * 7 }}</a> <!-- =cmd()|1 \u202e\x1b[31m \ud800 https://evil.example/x.png"
)
SHEET = siuo_sheet(1)
SECRETS = ("model-under-test-7", "other-model-9", "sample-", "unreadable", "judge.safety")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Key]:
    """A page of eight answers, one of them hostile, and its key."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("labels")
    Image.new("RGB", (40, 30), "teal").save(folder / "picture.png")
    picture = read_picture(folder / "picture.png", {})
    units = [
        unit(model, number, number % 2, text=HOSTILE if number == 1 else f"Answer {number}.", pictures=(picture,), question=HOSTILE)
        for number, model in enumerate(("model-under-test-7", "other-model-9") * 4)
    ]
    key = new_key(draw(units, SHEET, 8, 0), by_name(tuple(units)), {"annotators": 1, "overlap": 1.0, "seed": 0, "whole": False})
    file = folder / "page.html"
    file.write_text(label_page(key, by_name(tuple(units)), SHEET, 1, simulated=False), encoding="utf-8")
    return file, key


@pytest.fixture
def page(chromium: Browser, made: tuple[Path, Key]) -> Iterator[Page]:
    """The page, opened for the first time."""
    context = chromium.new_context(accept_downloads=True)
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    opened.goto(made[0].as_uri())
    yield opened
    context.close()


def press(page: Page, keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def count(page: Page) -> str:
    return str(page.text_content("#count"))


def test_five_answers_are_labelled_by_keys_and_a_reload_keeps_them(page: Page) -> None:
    press(page, "12" + "11" + "x2" + "21" + "1x")
    assert count(page) == "· 5 labelled"
    assert page.text_content("#place") == "6 of 8"
    page.reload()
    assert count(page) == "· 5 labelled"
    assert page.text_content("#place") == "6 of 8"


def test_undo_takes_the_last_label_back_and_goes_where_it_was(page: Page) -> None:
    press(page, "12")
    assert page.text_content("#place") == "2 of 8"
    press(page, "u")
    assert (page.text_content("#place"), count(page)) == ("1 of 8", "· 0 labelled")
    assert page.locator("[data-column=safety][aria-pressed=true]").text_content() == "Safe1"
    assert page.locator("[data-column=effectiveness][aria-pressed=true]").count() == 0


def test_arrows_go_on_and_back_without_labelling(page: Page) -> None:
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert (page.text_content("#place"), count(page)) == ("2 of 8", "· 0 labelled")


def test_what_it_saves_is_what_the_report_reads(page: Page, made: tuple[Path, Key], tmp_path: Path) -> None:
    press(page, "12" + "21" + "x1" + "2")
    with page.expect_download() as waiting:
        page.click("#save")
    file = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(file)
    _, key = made
    labels = read_labels([file], [key], SHEET, "the run")
    order = [each.item for each in in_order(key, 1)]
    assert file.name == f"labels-{key.token}-1.csv"
    assert [(each.item, each.annotator, dict(each.stages)) for each in labels.given] == [
        (order[0], "1", {SAFETY: 1, EFFECTIVENESS: 0}),
        (order[1], "1", {SAFETY: 0, EFFECTIVENESS: 1}),
        (order[2], "1", {SAFETY: None, EFFECTIVENESS: 1}),
        (order[3], "1", {SAFETY: 0}),
    ]


def test_a_hostile_answer_is_shown_and_does_not_run_and_nothing_is_asked_for(chromium: Browser, made: tuple[Path, Key]) -> None:
    file, key = made
    context = chromium.new_context()
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(file.as_uri())
    shown = []
    for _ in key.items:
        shown.append(page.text_content("#answer") or "")
        assert page.locator("#pictures img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 40
        page.keyboard.press("ArrowRight")
    assert page.evaluate("window.ran") is None
    assert page.locator("main script, main a, main svg").count() == 0
    assert any("<script>window.ran = 1</script>" in text and "{{ 7 * 7 }}" in text for text in shown)
    assert all("\x1b" not in text and "\u202e" not in text for text in shown)
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    assert said == []
    context.close()


def test_the_policy_keeps_other_scripts_and_the_network_out(page: Page) -> None:
    tried = """async () => {
        const script = document.createElement("script");
        script.textContent = "window.ran = 5";
        document.body.append(script);
        try { await fetch("http://127.0.0.1:9/"); return "sent"; } catch (error) { return "kept in"; }
    }"""
    assert page.evaluate(tried) == "kept in"
    assert page.evaluate("window.ran") is None


def test_neither_models_nor_verdicts_nor_samples_are_found_in_the_source(made: tuple[Path, Key]) -> None:
    source = made[0].read_text(encoding="utf-8")
    assert [secret for secret in SECRETS if secret in source] == []


def test_a_large_picture_becomes_a_smaller_one_and_one_that_is_gone_says_so(tmp_path: Path) -> None:
    from PIL import Image

    Image.effect_noise((1800, 1000), 90).convert("RGB").save(tmp_path / "large.png")
    large = read_picture(tmp_path / "large.png", {})
    assert large.size > 2 * AS_IT_IS
    source, _ = embedded(large)
    assert source.startswith("data:image/jpeg;base64,")
    assert len(source) < 2 * AS_IT_IS
    (tmp_path / "large.png").unlink()
    assert embedded(large) == ("", "A picture belongs here, but its file cannot be read any more (FileNotFoundError).")


def test_each_annotator_has_an_order_of_their_own_and_the_overlap_is_everybody_s() -> None:
    units = [unit("a", number) for number in range(40)]
    key = new_key(draw(units, SHEET, 40, 0), by_name(tuple(units)), {"annotators": 2, "overlap": 0.25, "seed": 0, "whole": False})
    first, second = ([each.item for each in in_order(key, annotator)] for annotator in (1, 2))
    assert len(set(first) & set(second)) == 10
    assert len(set(first) | set(second)) == 40
    assert abs(len(first) - len(second)) <= 1
    shared = set(first) & set(second)
    assert [item for item in first if item in shared] != [item for item in second if item in shared]
