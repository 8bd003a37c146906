"""Searching by a function of the user's."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from siuo_async.errors import ConfigError, ErrorKind
from siuo_async.search.base import NOTHING, SearchError
from siuo_async.search.function import FunctionSearcher
from tests.conftest import REPOSITORY

SOURCE = """
import asyncio, dataclasses, threading, time

@dataclasses.dataclass
class Needs:
    module: str = "found"

def text(query): return f"about {query}"
async def later(query):
    await asyncio.sleep(0)
    return [{"title": query, "content": "C"}]
def released(query): return {"final_text": "<标题>：a<内容> b"}
def refused(query): return {"status": "error", "error": "no index"}
def where(query): return threading.current_thread().name
def forgot(query): pass
def broken(query): raise RuntimeError(f"no {query}\\nBearer abcdefgh12345678")
def ended(query): raise SystemExit(3)
async def ended_later(query): raise SystemExit(3)
def stopped(query): next(iter(()))
async def cancelled(query): raise asyncio.CancelledError
async def forever(query): await asyncio.sleep(60)
def stuck(query): threading.Event().wait(60)
def many(query): return ["x" * 100] * 100
class Engine:
    def __init__(self): self.now = self.most = 0
    async def __call__(self, query):
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.005)
        self.now -= 1
        return str(self.most)
    def find(self, query): return "by a method"
engine = Engine()
number = 7
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "name, text",
    [
        ("text", "about 甲市"),
        ("later", "标题：甲市\n内容：C"),
        ("released", "<标题>：a<内容> b"),
        ("where", "siuo-search"),
        ("engine", "1"),
        ("engine.find", "by a method"),
    ],
)
async def test_a_function_may_be_written_in_several_ways(file: Path, name: str, text: str) -> None:
    assert (await FunctionSearcher(f"{file}:{name}").search(" 甲市 ")).text == text


async def test_a_function_of_an_installed_module_is_found() -> None:
    searcher = FunctionSearcher("textwrap:dedent")
    assert (await searcher.search("x")).text == "x"
    assert searcher.identity.startswith("function:textwrap:dedent#")


async def test_the_text_is_bounded(file: Path) -> None:
    found = await FunctionSearcher(f"{file}:many", limit_chars=1_000).search("q")
    assert (len(found.text) <= 1_000, found.hits, found.cut) == (True, 100, True)


async def test_an_empty_query_does_not_call_it(file: Path) -> None:
    assert await FunctionSearcher(f"{file}:broken").search(" ") == NOTHING


@pytest.mark.parametrize(
    "name, message",
    [
        ("broken", r"mine\.py:broken raised RuntimeError: no q \[key\]"),
        ("ended", "raised SystemExit: 3"),
        ("ended_later", "raised SystemExit: 3"),
        ("stopped", "raised StopIteration"),
        ("cancelled", "raised CancelledError"),
        ("refused", r"the search failed: no index \(mine\.py:refused\)"),
        ("forgot", "gave nothing instead of text"),
    ],
)
async def test_what_goes_wrong_inside_is_a_failed_search(file: Path, name: str, message: str) -> None:
    with pytest.raises(SearchError, match=message) as caught:
        await FunctionSearcher(f"{file}:{name}").search("q")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["forever", "stuck"])
async def test_a_function_that_never_comes_back_is_a_timeout(file: Path, name: str) -> None:
    with pytest.raises(SearchError, match=r"gave nothing within 0\.05 s") as caught:
        await FunctionSearcher(f"{file}:{name}", timeout_s=0.05).search("q")
    assert (caught.value.kind, caught.value.retryable) == (ErrorKind.TIMEOUT, True)


def test_a_function_that_never_comes_back_does_not_keep_the_program_from_ending(file: Path) -> None:
    code = f"""
import asyncio
from siuo_async.search.function import FunctionSearcher
async def main():
    try:
        await FunctionSearcher({str(file)!r} + ":stuck", timeout_s=0.05).search("q")
    except Exception as error:
        print(type(error).__name__)
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "SearchError\n", "")


@pytest.mark.parametrize("name", ["forever", "stuck"])
async def test_an_interrupted_search_stays_interrupted(file: Path, name: str) -> None:
    search = asyncio.create_task(FunctionSearcher(f"{file}:{name}").search("q"))
    await asyncio.sleep(0.02)
    search.cancel()
    with pytest.raises(asyncio.CancelledError):
        await search


async def test_never_more_than_allowed_run_at_once(file: Path) -> None:
    searcher = FunctionSearcher(f"{file}:engine", at_once=3)
    found = await asyncio.gather(*(searcher.search(f"q{number}") for number in range(20)))
    assert max(int(each.text) for each in found) == 3


def test_the_identity_names_the_function_and_its_source_but_no_place(file: Path) -> None:
    before = FunctionSearcher(f"{file}:text").identity
    assert before.startswith("function:mine.py:text#")
    assert str(file.parent) not in before
    assert FunctionSearcher(f"{file}:later").identity != before
    file.write_text(SOURCE + "# changed\n", encoding="utf-8")
    assert FunctionSearcher(f"{file}:text").identity != before


@pytest.mark.parametrize(
    "name, message",
    [
        ("mine", "names no search function"),
        (":f", "names no search function"),
        ("no.such.module:find", r"cannot be imported \(ModuleNotFoundError.*a file here is named with its \.py"),
        ("nowhere.py:find", r"there is no file nowhere\.py"),
        ("{file}:nothing", "has no function 'nothing'"),
        ("{file}:number", "has no function 'number'"),
    ],
)
def test_a_function_that_is_not_there_is_told_in_one_sentence(file: Path, name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        FunctionSearcher(name.replace("{file}", str(file)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("source", ["def f(:", "import no_such_thing", "raise SystemExit(1)", "1/0"])
def test_a_module_that_fails_when_imported_is_told_and_leaves_nothing_behind(tmp_path: Path, source: str) -> None:
    (tmp_path / "bad.py").write_text(source)
    modules = set(sys.modules)
    with pytest.raises(ConfigError, match="cannot be imported"):
        FunctionSearcher(f"{tmp_path / 'bad.py'}:f")
    assert not {name for name in set(sys.modules) - modules if name.startswith("siuo_search")}


def test_what_a_module_prints_when_imported_is_no_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "loud.py").write_text("print('loading')\ndef f(query): return query")
    FunctionSearcher(f"{tmp_path / 'loud.py'}:f")
    assert capsys.readouterr() == ("", "loading\n")


async def test_a_function_runs_beside_the_event_loop(file: Path) -> None:
    assert threading.current_thread().name != (await FunctionSearcher(f"{file}:where").search("q")).text
