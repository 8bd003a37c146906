"""Searching a folder of documents."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from siuo_async.errors import DataError
from siuo_async.search.base import NOTHING
from siuo_async.search.bm25 import Bm25, tokens
from siuo_async.search.corpus import PASSAGE_CHARS, CorpusSearcher, read_corpus
from tests.conftest import REPOSITORY

TEXTS = {
    "甲市.txt": "甲市位于河边。甲市的邮政编码是二二二。",
    "端口.md": "# 常用端口\n\nSSH 的缺省端口编号是 22。",
    "more.jsonl": json.dumps({"title": "乙市", "text": "乙市在山上。"}, ensure_ascii=False)
    + "\n\n"
    + json.dumps({"content": "Weather report"}),
    "deeper/list.json": json.dumps({"docs": [{"title": "Tides", "content": "The tide table of the harbour."}]}),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in TEXTS.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "query, title",
    [("甲市的邮政编码是什么？", "甲市"), ("ssh 端口", "常用端口"), ("乙市在哪里", "乙市"), ("ＴＩＤＥ tables", "Tides")],
)
async def test_the_document_that_fits_comes_first(folder: Path, query: str, title: str) -> None:
    found = await CorpusSearcher(folder).search(query)
    assert found.text.startswith(f"标题：{title}\n内容：")


@pytest.mark.parametrize("query", ["", "　\n", "zeppelin", "？！", "鲸"])
async def test_a_query_that_shares_no_term_finds_nothing(folder: Path, query: str) -> None:
    assert await CorpusSearcher(folder).search(query) == NOTHING


async def test_no_more_than_the_wanted_passages_are_found(tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"{number}.txt").write_text(f"the same words {number}")
    assert (await CorpusSearcher(tmp_path, top_k=3).search("same words")).hits == 3


async def test_equal_passages_come_in_the_order_of_their_files(tmp_path: Path) -> None:
    for name in ("c", "a", "b", "d"):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({"title": name, "text": "equal words here"}))
        (tmp_path / f"filler-{name}.txt").write_text("nothing of the kind")
    (tmp_path / "0.jsonl").write_text(json.dumps({"title": "best", "text": "equal words equal words"}))
    text = (await CorpusSearcher(tmp_path, top_k=4).search("equal words")).text
    assert [line[3:] for line in text.splitlines() if line.startswith("标题")] == ["best", "a", "b", "c"]


async def test_the_text_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("words and more words. " * 5_000)
    found = await CorpusSearcher(tmp_path, top_k=50, limit_chars=2_500).search("words")
    assert (len(found.text) <= 2_500, found.cut, found.hits) == (True, True, 50)


async def test_searches_at_once_build_one_index_and_agree(folder: Path) -> None:
    searcher = CorpusSearcher(folder)
    found = await asyncio.gather(*(searcher.search("甲市的邮政编码") for _ in range(20)))
    assert len(set(found)) == 1
    await searcher.close()


async def test_a_first_search_that_is_interrupted_leaves_the_index_to_the_others(folder: Path) -> None:
    searcher = CorpusSearcher(folder)
    first = asyncio.create_task(searcher.search("甲市"))
    await asyncio.sleep(0)
    first.cancel()
    assert (await searcher.search("甲市")).hits == 1


async def test_a_searcher_can_be_closed_before_use_and_twice(folder: Path) -> None:
    searcher = CorpusSearcher(folder)
    await searcher.close()
    await searcher.search("甲市")
    await searcher.close()
    await searcher.close()


def test_the_identity_is_the_content_and_not_the_place(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    copy = tmp_path_factory.mktemp("copy")
    for name, text in TEXTS.items():
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_text(text, encoding="utf-8")
    identity = CorpusSearcher(folder).identity
    assert CorpusSearcher(copy).identity == identity
    assert str(folder) not in identity
    (copy / "甲市.txt").write_text("甲市的邮政编码是三。", encoding="utf-8")
    assert CorpusSearcher(copy).identity != identity


def test_the_identity_covers_what_changes_the_results(folder: Path) -> None:
    plain, fewer, shorter = CorpusSearcher(folder), CorpusSearcher(folder, top_k=2), CorpusSearcher(folder, limit_chars=99)
    assert len({plain.identity, fewer.identity, shorter.identity}) == 3


def test_a_long_document_becomes_passages_that_end_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("这是一句不长也不短的话，说了又说。" * 300, encoding="utf-8")
    passages, _ = read_corpus(tmp_path)
    assert all(len(passage.content) <= PASSAGE_CHARS and passage.content.endswith("。") for passage in passages)
    assert "".join(passage.content for passage in passages) == "这是一句不长也不短的话，说了又说。" * 300


def test_a_document_without_any_end_is_parted_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x" * 2_500)
    passages, _ = read_corpus(tmp_path)
    assert [len(passage.content) for passage in passages] == [1_000, 1_000, 500]


def test_hidden_files_and_other_kinds_are_left_out(folder: Path) -> None:
    before = CorpusSearcher(folder).identity
    (folder / ".git").mkdir()
    (folder / ".git" / "x.txt").write_text("hidden")
    (folder / ".note.md").write_text("hidden")
    (folder / "photo.png").write_bytes(b"\x89PNG")
    assert CorpusSearcher(folder).identity == before


def test_a_line_separator_inside_a_text_does_not_end_a_line_of_jsonl(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "one\u2028two\x85three"}, ensure_ascii=False), encoding="utf-8")
    assert read_corpus(tmp_path)[0][0].content == "one\ntwo\nthree"


BAD = {
    "no folder": (None, b"", "is no folder"),
    "an empty folder": ("photo.png", b"x", "holds no text"),
    "blank files": ("a.txt", b" \n ", "holds no text"),
    "nothing but signs": ("a.md", "……！".encode(), "holds no text"),
    "other bytes": ("b.txt", "甲".encode("gbk"), r"b\.txt of the search corpus is no UTF-8 text \(byte 0\)"),
    "a bad line": ("b.jsonl", b'{"text": "x"}\n{"text": ', r"b\.jsonl, line 2 of the search corpus is no JSON"),
    "a line without text": ("b.jsonl", b'{"titel": "x"}', r"b\.jsonl, line 1 of the search corpus has no text"),
    "an item without text": ("b.json", b'[{"text": "x"}, {}]', r"b\.json, item 2 of the search corpus has no text"),
    "bad json": ("b.json", b"[", r"b\.json of the search corpus is no JSON"),
}


@pytest.mark.parametrize("name, body, message", BAD.values(), ids=BAD)
def test_a_corpus_that_cannot_be_used_is_told_in_one_sentence(tmp_path: Path, name: str | None, body: bytes, message: str) -> None:
    if name:
        (tmp_path / name).write_bytes(body)
    with pytest.raises(DataError, match=message) as caught:
        CorpusSearcher(tmp_path if name else tmp_path / "nowhere")
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(folder: Path) -> None:
    (folder / "甲市.txt").chmod(0)
    with pytest.raises(DataError, match=r"甲市\.txt of the search corpus cannot be read"):
        CorpusSearcher(folder)


def test_a_dangling_link_is_named(folder: Path) -> None:
    (folder / "z.txt").symlink_to(folder / "nowhere.txt")
    with pytest.raises(DataError, match=r"z\.txt of the search corpus cannot be read"):
        CorpusSearcher(folder)


def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    before = CorpusSearcher(folder).identity
    os.mkfifo(folder / "pipe.txt")
    assert CorpusSearcher(folder).identity == before


@pytest.mark.parametrize(
    "text, terms",
    [
        ("甲市的", ["甲市", "市的"]),
        ("甲", ["甲"]),
        ("GPT-4o 模型", ["gpt", "4o", "模型"]),
        ("ＴＬＳ１.3", ["tls1", "3"]),
        ("Straße Ünder_score", ["strasse", "ünder", "score"]),
        ("𠀀𠀁𠀂", ["𠀀𠀁", "𠀁𠀂"]),
        ("，。！", []),
    ],
)
def test_chinese_is_read_in_pairs_and_other_scripts_in_words(text: str, terms: list[str]) -> None:
    assert tokens(text) == terms


def test_a_rarer_term_weighs_more() -> None:
    index = Bm25(["common rare", "common thing", "common other", "common else"])
    assert list(index.best("common rare", 2)) == [0, 1]


def test_reading_a_corpus_loads_no_number_library(folder: Path) -> None:
    """Scoring a run again needs the identity alone."""
    code = (
        "import sys; from siuo_async.search.opening import open_searcher; "
        f"open_searcher(corpus={str(folder)!r}, environment=None); "
        "sys.exit(bool({'numpy', 'bm25s', 'aiohttp'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0
