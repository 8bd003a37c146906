"""The page as a file: what is in it, what is not, and that every run gets one."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from siuo_async.analysis.gathered import gather
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.report.dossier import Dossier, dossier
from siuo_async.report.page import write_page
from siuo_async.report.page.marks import mark, shortened
from siuo_async.report.page.thumbnails import thumbnails
from siuo_async.values import Picture
from tests.analysis.every_benchmark import every_run
from tests.cli.program import Siuo, finish
from tests.report.page.dossiers import page_of, reworded, without_scripts

SECRET = "Zanzibar"
CASES = (
    "siuo-gen corrected",
    "siuo-mcqa corrected",
    "usb-base corrected",
    "csqa-qa corrected",
    "csqa-mcq released",
    "graded",
    "letter",
)


def test_the_summary_stands_in_the_page_without_any_script(demo: Dossier, tmp_path: Path) -> None:
    page = without_scripts(page_of(demo, tmp_path / "page.html"))
    assert demo.run.summary["protocol_line"] in page
    for label in demo.run.labels:
        assert label in page
    for heading in ("Leaderboard", "Safe against effective", "Cost against score", "Latency of the answers", "Parameters really sent"):
        assert heading in page
    assert "may be harmful" in page
    assert "max_tokens" in page


def test_a_page_without_content_holds_no_question_answer_verdict_text_or_picture(demo: Dossier, tmp_path: Path) -> None:
    found = reworded(demo, lambda what: f"{SECRET} {what}")
    assert SECRET in page_of(found, tmp_path / "whole.html")
    page = page_of(found, tmp_path / "page.html", content=False)
    assert SECRET not in page
    assert "data:image" not in page
    assert "Numbers only" in page
    assert "may be harmful" not in page


def test_texts_of_the_demonstration_are_not_in_its_page_without_content(demo: Dossier, tmp_path: Path) -> None:
    page = page_of(demo, tmp_path / "page.html", content=False)
    for item in demo.run.items:
        texts = [item.sample.text, *map(str, item.sample.fields.values())]
        texts += [each.answer.text for take in item.takes.values() if take.seen for each in take.seen.answers]
        assert not [text for text in texts if len(text) > 24 and text[2:24] in page]


def test_only_its_owner_can_read_it(demo: Dossier, tmp_path: Path) -> None:
    made = write_page(demo, tmp_path / "page.html")
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600


def test_the_same_run_gives_the_same_page(demo: Dossier, tmp_path: Path) -> None:
    assert page_of(demo, tmp_path / "a.html") == page_of(demo, tmp_path / "b.html")


def test_a_run_without_a_comparison_has_a_page(demo: Dossier, tmp_path: Path) -> None:
    page = page_of(replace(demo, comparison=None, agreements=()), tmp_path / "page.html")
    assert "Leaderboard" in page
    assert 'id="pairs"' not in page


def test_twelve_models_with_long_names_are_told_apart() -> None:
    assert len({mark(number) for number in range(12)}) == 12
    names = [f"a-provider/with-a-very-long-model-name-{number:02}-step-{number}000" for number in range(12)]
    assert len({shortened(name, 218) for name in names}) == 12
    assert shortened("模型" * 40, 100).count("模") < 10


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return every_run(tmp_path_factory.mktemp("every"))


@pytest.mark.parametrize("case", CASES)
def test_every_benchmark_has_a_page(case: str, every: dict[str, Path], tmp_path: Path) -> None:
    found = dossier(gather(RunDirectory(every[case])))
    page = without_scripts(page_of(found, tmp_path / "page.html"))
    assert "Leaderboard" in page
    assert ("against" in page.split('id="outcomes"')[0]) == (case.startswith(("siuo-gen", "usb")))


def test_one_model_without_a_judge_that_stopped_early_has_a_page(every: dict[str, Path], demo: Dossier, tmp_path: Path) -> None:
    run = demo.run
    first = run.labels[0]
    items = tuple(replace(item, takes={first: replace(item.takes[first], seen=None)}) for item in run.items)
    config = replace(run.plan, models=run.plan.models[:1], judge=None)
    model = {**run.summary["models"][0], "judge": None, "samples": {"total": 27, "finished": 0, "pending": 27}}
    summary = {**run.summary, "models": [model], "scored": False, "judge": None, "complete": False}
    stopped = replace(run, items=items, plan=config, summary=summary)
    page = page_of(replace(demo, run=stopped, comparison=None, agreements=()), tmp_path / "page.html")
    assert "no judge was asked" in page


def _picture(path: Path, size: int) -> Picture:
    import hashlib

    Image.effect_noise((size, size), 90).convert("RGB").save(path)
    raw = path.read_bytes()
    return Picture(str(path), hashlib.sha256(raw).hexdigest(), "image/png", len(raw), path.stat().st_mtime_ns)


def test_pictures_are_made_small_and_bounded_together(tmp_path: Path) -> None:
    pictures = [_picture(tmp_path / f"{number}.png", 700) for number in range(4)]
    whole = thumbnails(pictures)
    assert len(whole.made) == 4
    assert max(map(len, whole.made.values())) < 80_000
    bounded = thumbnails(pictures, most_bytes=2 * max(map(len, whole.made.values())))
    assert list(bounded.made) == [picture.sha256 for picture in pictures[: len(bounded.made)]]
    assert len(bounded.made) + bounded.beyond == 4
    assert "left out" in bounded.words


def test_a_picture_that_changed_is_damaged_or_is_a_pipe_is_left_out(tmp_path: Path) -> None:
    import os

    changed, damaged, pipe = (_picture(tmp_path / f"{name}.png", 20) for name in ("changed", "damaged", "pipe"))
    Image.new("RGB", (20, 20), "red").save(changed.path)
    Path(damaged.path).write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 40)
    damaged = replace(damaged, sha256="0" * 64, size=48, mtime_ns=Path(damaged.path).stat().st_mtime_ns)
    Path(pipe.path).unlink()
    os.mkfifo(pipe.path)
    found = thumbnails([changed, damaged, pipe, _picture(tmp_path / "good.png", 20)])
    assert (len(found.made), found.unreadable) == (1, 3)


def test_the_command_writes_into_the_run_and_says_where(tmp_path: Path, demo: Dossier) -> None:
    siuo = Siuo(tmp_path)
    run = demo.run.directory.path
    said = finish(siuo.start("report", run, "--html")).out
    assert str(run / "report.html") in said
    assert "may be harmful" in said
    assert (run / "report.html").stat().st_size > 100_000
    said = finish(siuo.start("report", run, "--html", "--no-content", "--to", "small.html")).out
    assert "small.html" in said
    assert "data:image" not in (tmp_path / "small.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words, told",
    [
        (("--html", "--to", "calls.jsonl"), "ends in .html"),
        (("--html", "--to", "nowhere/page.html"), "there is no folder nowhere"),
        (("--no-content",), "add --html"),
        (("--to", "page.html"), "add --html"),
        (("again", "--html", "--to", "page.html"), "one file cannot hold 2 runs"),
    ],
)
def test_mistaken_words_are_told_in_one_sentence(words: tuple[str, ...], told: str, tmp_path: Path, demo: Dossier) -> None:
    done = finish(Siuo(tmp_path).start("report", demo.run.directory.path, *words), code=2)
    assert told in done.err
    assert done.err.count("\n") == 1
