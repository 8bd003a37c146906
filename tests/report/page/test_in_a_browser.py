"""The page in a real browser: what people click and type, and what must never run or be sent."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from siuo_async.report.dossier import Dossier
from siuo_async.report.page import write_page
from tests.report.page.dossiers import many, reworded

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE = (
    "<script>window.pwned=1</script><img src=x onerror='window.pwned=1'></script><script>window.pwned=1</script><!-- <script>"
    '<svg onload=window.pwned=1><a href="javascript:window.pwned=1">x</a>{{ 7*7 }}{% raw %}${7*7}`"\'&lt;\u202egnorw\u202c ]]>'
    "<style>*{display:none}</style><iframe src='https://example.org/'></iframe><link rel=stylesheet href='https://example.org/x.css'>"
)


@dataclass
class Watched:
    """A page, and whatever it did that it should not."""

    page: Page
    wrong: list[str] = field(default_factory=list)


@pytest.fixture
def opened(chromium: Browser) -> Iterator[Any]:
    """Opens a file as somebody would who was sent it; at the end nothing may have been asked for, and nothing complained."""
    contexts, watched = [], []

    def open_(path: Path, anchor: str = "", **how: Any) -> Page:
        how = {"viewport": {"width": 1280, "height": 900}, **how}
        context = chromium.new_context(**how)
        context.set_default_timeout(90_000)  # on a busy machine
        contexts.append(context)
        page = context.new_page()
        seen = Watched(page)
        watched.append(seen)
        page.on("request", lambda request: None if request.url.startswith(("file:", "data:image/")) else seen.wrong.append(request.url))
        page.on("console", lambda said: seen.wrong.append(said.text))
        page.on("pageerror", lambda error: seen.wrong.append(str(error)))
        page.on("dialog", lambda dialog: (seen.wrong.append(dialog.message), dialog.dismiss()))
        page.add_init_script("document.addEventListener('securitypolicyviolation', e => console.error(e.violatedDirective))")
        page.goto(f"file://{path}{anchor}")
        page.wait_for_selector("html[data-ready]")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert [wrong for each in watched for wrong in each.wrong] == []


def _shown(page: Page) -> int:
    return int(re.sub(r"\D.*", "", page.inner_text("#count").replace(",", "")))


def _index(path: Path) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="index">(.*?)</script>', path.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def test_it_opens_on_the_samples_that_models_disagree_on(opened: Any, demo_page: Path) -> None:
    page, index = opened(demo_page), _index(demo_page)
    assert page.input_value("#f-apart") == "any"
    assert _shown(page) == sum(value > 0 for value in index["apart"]) > 0
    first = next(at for at, value in enumerate(index["apart"]) if value)
    assert page.inner_text("#one h3") == index["ids"][first]


def test_filters_show_what_the_index_says(opened: Any, demo_page: Path) -> None:
    page, index = opened(demo_page), _index(demo_page)
    page.select_option("#f-apart", "all")
    assert _shown(page) == len(index["ids"])
    page.select_option("#f-category", label=index["categories"][1])
    assert _shown(page) == index["category"].count(1)
    page.select_option("#f-category", "")
    unsafe = 1 << index["kinds"].index("safety: unsafe")
    page.select_option("#f-verdict", label="safety: unsafe")
    assert _shown(page) == sum(any(bits & unsafe for bits in row) for row in index["verdicts"])
    page.select_option("#f-model", label="openai-careful")
    assert _shown(page) == sum(bool(row[0] & unsafe) for row in index["verdicts"])
    page.check("#f-flipped")
    both = zip(index["verdicts"], index["bits"], strict=True)
    assert _shown(page) == sum(bool(said[0] & unsafe) and bool(bits[0] & 64) for said, bits in both)
    page.check("#f-cut")
    assert _shown(page) == 0
    assert "No sample fits" in page.inner_text("#one")
    page.click("button[type=reset]")
    assert _shown(page) == len(index["ids"])
    page.select_option("#f-outcome", label="filtered")
    assert _shown(page) == 0


def test_the_search_finds_answers_questions_and_ids(opened: Any, demo: Dossier, tmp_path: Path) -> None:
    marked = [item.sample.id for item in demo.run.items][5]
    numbers = iter(range(10**6))
    words = reworded(demo, lambda what: f"{what} Nr{next(numbers)}x “Grüße” a\nb")
    page = opened(write_page(words, tmp_path / "page.html").path)
    page.select_option("#f-apart", "all")
    for wanted, many_found in (
        ("ANSWER NR", 27),
        (marked, None),
        ("grüße", 27),
        ("nothing like it", 0),
        ("field safety_warning nr0x", 1),
    ):
        page.fill("#q", wanted)
        page.wait_for_selector(f"#list[data-searched='{wanted.lower()}']", state="attached")
        assert many_found is None or _shown(page) == many_found, wanted


def test_keys_go_through_the_samples(opened: Any, demo_page: Path) -> None:
    page = opened(demo_page)
    first = page.inner_text("#one h3")
    page.keyboard.press("j")
    second = page.inner_text("#one h3")
    assert second != first
    assert page.url.endswith(f"#s-{second}")
    page.keyboard.press("k")
    assert page.inner_text("#one h3") == first
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("jk?")
    assert page.input_value("#q") == "jk?"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert page.is_visible("#help")
    page.keyboard.press("Escape")
    assert not page.is_visible("#help")


def test_the_list_is_walked_with_arrows_and_tells_where_it_is(opened: Any, demo_page: Path) -> None:
    page = opened(demo_page)
    page.focus("#list")
    page.keyboard.press("ArrowDown")
    active = page.get_attribute("#list", "aria-activedescendant")
    assert page.get_attribute(f"#{active}", "aria-selected") == "true"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "one"


def test_a_link_to_a_sample_opens_it_though_filters_would_hide_it(opened: Any, demo_page: Path) -> None:
    index = _index(demo_page)
    hidden = next(name for name, apart in zip(index["ids"], index["apart"], strict=True) if not apart)
    page = opened(demo_page, f"#s-{hidden}")
    assert page.inner_text("#one h3") == hidden
    assert page.input_value("#f-apart") == "all"
    assert page.evaluate("scrollY") > 0


def test_light_and_dark_follow_the_system_and_the_button(opened: Any, demo_page: Path) -> None:
    def ground(page: Page) -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    light, dark = opened(demo_page, color_scheme="light"), opened(demo_page, color_scheme="dark")
    assert ground(light) != ground(dark)
    before = ground(light)
    light.click("#theme")
    assert ground(light) == ground(dark)
    light.click("#theme")
    assert ground(light) == before
    colour = "getComputedStyle(document.querySelector('svg.wide path[stroke]')).stroke"
    assert light.evaluate(colour) != dark.evaluate(colour)


def test_a_phone_needs_no_sideways_scrolling_and_shows_one_sample_at_a_time(opened: Any, demo_page: Path) -> None:
    page = opened(demo_page, viewport={"width": 360, "height": 740}, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert not page.is_visible("#one")
    page.click(".row >> nth=1")
    assert page.is_visible("#one")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.click("#back")
    assert page.is_visible("#list")


def test_hostile_texts_and_names_stay_text(opened: Any, demo: Dossier, tmp_path: Path) -> None:
    found = reworded(demo, lambda what: f"{what} {HOSTILE}", lambda name: f"{name} {HOSTILE}")
    page = opened(write_page(found, tmp_path / "page.html").path)
    page.select_option("#f-apart", "all")
    for details in page.query_selector_all("#one details summary"):
        details.click()
    shown = page.inner_text("#one")
    assert shown.count("<script>window.pwned=1</script>") > 3
    assert "{{ 7*7 }}" in shown
    assert "\u202e" not in page.content()
    page.keyboard.press("j")
    assert page.evaluate("window.pwned") is None
    assert (
        page.evaluate("document.querySelectorAll('iframe, link, object, embed, [onerror], [onload], a[href^=javascript]').length") == 0
    )
    assert page.evaluate("document.querySelectorAll('style').length") == 1
    assert page.is_visible("h1")


def test_markup_that_got_in_would_not_run(demo_page: Path, tmp_path: Path, chromium: Browser) -> None:
    """The second line of defence: the policy, were there a hole in the first."""
    broken = tmp_path / "broken.html"
    page = demo_page.read_text(encoding="utf-8")
    context = chromium.new_context()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        elsewhere = f"http://127.0.0.1:{server.getsockname()[1]}"
        injected = f"<script>window.pwned=1</script><img src=x onerror='window.pwned=2'><img src='{elsewhere}/a.png'>"
        broken.write_text(page.replace("<main>", f"<main>{injected}<style>main {{ display: none }}</style>"), encoding="utf-8")
        shown = context.new_page()
        shown.goto(f"file://{broken}")
        shown.wait_for_selector("html[data-ready]")
        shown.evaluate(f"fetch('{elsewhere}').catch(() => new Image().src = '{elsewhere}/b.png')")
        assert shown.evaluate("window.pwned") is None
        assert shown.is_visible("h1")
        with pytest.raises(BlockingIOError):
            server.accept()
    context.close()


def test_the_copy_button_copies_the_methods(opened: Any, demo: Dossier, demo_page: Path) -> None:
    page = opened(demo_page, permissions=["clipboard-read", "clipboard-write"])
    page.click("#copy")
    page.wait_for_function("() => document.getElementById('copied').textContent !== ''")
    assert page.inner_text("#copied") == "copied"
    assert page.evaluate("navigator.clipboard.readText()").strip() == demo.methods.strip()


def test_tables_sort_by_number(opened: Any, demo_page: Path) -> None:
    page = opened(demo_page)
    column = "[...document.querySelectorAll('#cost table tbody tr')].map(row => row.lastElementChild.textContent)"
    page.click("#cost thead th:last-child button")
    found = [float(cost.strip("$")) for cost in page.evaluate(column)]
    assert found == sorted(found, reverse=True)
    page.click("#cost thead th:last-child button")
    assert [float(cost.strip("$")) for cost in page.evaluate(column)] == sorted(found)


def test_everything_to_be_used_has_a_name_and_shows_focus(opened: Any, demo_page: Path) -> None:
    page = opened(demo_page)
    nameless = """[...document.querySelectorAll('button, input, select, a, [role]')].filter(each => !(each.textContent.trim()
        || each.getAttribute('aria-label') || each.labels?.length || each.getAttribute('role') === 'presentation'
        || each.getAttribute('role') === 'status')).map(each => each.outerHTML)"""
    assert page.evaluate(nameless) == []
    assert page.evaluate("document.querySelectorAll('svg:not([aria-label]), img:not([alt])').length") == 0
    page.keyboard.press("Tab")
    assert "Skip" in page.evaluate("document.activeElement.textContent")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_two_sheets_of_paper_hold_the_summary(opened: Any, demo_page: Path) -> None:
    printed = opened(demo_page).pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page[^s]", printed)) <= 2


def test_twenty_thousand_samples_are_a_list_of_a_few_rows(opened: Any, demo: Dossier, tmp_path: Path) -> None:
    page = opened(write_page(many(demo, 20_000), tmp_path / "page.html").path)
    page.select_option("#f-apart", "all")
    assert _shown(page) == 20_000
    page.evaluate("document.getElementById('list').scrollTop = 1e9")
    page.wait_for_function("() => document.querySelector('#rows .row:last-child')?.dataset.at === '19999'")
    assert page.evaluate("document.querySelectorAll('.row').length") < 80
    page.click("#rows .row:last-child")
    assert page.inner_text("#one h3") == "n19999"
    page.fill("#q", "n1234")
    page.wait_for_selector("#list[data-searched='n1234']", state="attached")
    assert _shown(page) == 11
