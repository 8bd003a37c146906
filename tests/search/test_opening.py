"""Which searcher a run gets, and what of its settings is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from siuo_async.errors import ConfigError
from siuo_async.search.opening import open_searcher
from tests.conftest import REPOSITORY
from tests.search.endpoints import KEY, engine_of, environment

URL = "https://search.example.org/find?format=json&q={query}"


def opened(*args: Any, **settings: Any) -> Any:
    return open_searcher(*args, environment=environment(LAB_KEY=KEY), **settings)


def test_no_source_is_no_searcher() -> None:
    assert opened() is None


async def test_a_key_from_the_environment_is_sent() -> None:
    async with engine_of({"results": []}) as engine:
        searcher = opened(engine.url, key_env="LAB_KEY", key_header="X-Token")
        await searcher.search("q")
        await searcher.close()
    assert engine.requests[0].headers["X-Token"] == KEY


async def test_each_source_searches(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("some words")
    (tmp_path / "f.py").write_text("def find(query): return query")
    async with engine_of({"results": ["found"]}) as engine:
        for searcher in (opened(engine.url), opened(corpus=tmp_path), opened(function=f"{tmp_path}/f.py:find")):
            assert (await searcher.search("words")).hits == 1
            await searcher.close()


@pytest.mark.parametrize("url", [URL, URL + "&key={key}"])
def test_the_identity_of_an_endpoint_holds_its_host_and_no_key(url: str) -> None:
    identity = opened(url, key_env="LAB_KEY").identity
    assert identity.startswith("http:search.example.org#")
    assert KEY not in identity
    assert open_searcher(url, environment=environment(LAB_KEY="another-key-1"), key_env="LAB_KEY").identity == identity  # type: ignore[union-attr]


def test_the_identity_of_an_endpoint_covers_what_changes_its_results() -> None:
    identities = {opened(URL).identity, opened(URL + "&lang=zh").identity, opened(URL, limit_chars=100).identity}
    assert len(identities) == 3
    assert opened(URL, at_once=2, timeout_s=3, rpm=60).identity in identities


def test_an_identity_that_was_given_stands(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("some words")
    assert opened(URL, identity="sim/search").identity == "sim/search"
    assert opened(corpus=tmp_path, identity="mine").identity == "mine"


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "two sources": ({"url": URL, "corpus": "x"}, "url and corpus of the search are given"),
    "no place for the query": ({"url": "https://a.example/"}, r"has no \{query\}"),
    "the query in the fragment": ({"url": "https://a.example/#{query}"}, "must stand in the path or behind"),
    "the query in the host": ({"url": "https://{query}.example/{query}"}, "must stand in the path or behind"),
    "the key in the host": ({"url": "https://{key}.example/{query}"}, r"\{key\} not in its host"),
    "another scheme": ({"url": "ftp://a.example/{query}"}, "must begin with http"),
    "a file": ({"url": "file:///etc/{query}"}, "must begin with http"),
    "no scheme": ({"url": "a.example/{query}"}, "must begin with http"),
    "no url": ({"url": "http://[::1/{query}"}, "is no usable URL"),
    "a bad port": ({"url": "http://a.example:99999/{query}"}, "is no usable URL"),
    "a password": ({"url": "https://me:hunter2@a.example/{query}"}, "no user or password"),
    "a key in the open": ({"url": URL + "&api_key=hunter2"}, r"holds a key \('api_key'\); write api_key=\{key\}"),
    "a token in the open": ({"url": URL + "&access_token=hunter2"}, r"holds a key \('access_token'\)"),
    "an appid in the open": ({"url": URL + "&appid=hunter2"}, r"holds a key \('appid'\); write appid=\{key\}"),
    "a key with no mark in its name": ({"url": URL + "&subscriptionKey=hunter2"}, r"holds a key \('subscriptionKey'\)"),
    "an authorization in the open": ({"url": URL + "&authorization=hunter2"}, r"holds a key \('authorization'\)"),
    "a key without a variable": ({"url": URL + "&key={key}"}, "no variable is named"),
    "a variable that is not set": ({"url": URL, "key_env": "NO_KEY"}, "set NO_KEY"),
    "a variable for a corpus": ({"corpus": "x", "key_env": "LAB_KEY"}, "goes with a search URL only"),
    "a header that is none": ({"url": URL, "key_env": "LAB_KEY", "key_header": "a: b\r\n"}, "is no name of a header"),
    "no room": ({"url": URL, "limit_chars": 0}, "`limit_chars` of the search must be above zero, not 0"),
    "a pace of nothing": ({"url": URL, "rpm": -1.0}, "`rpm` of the search"),
}


@pytest.mark.parametrize("settings, message", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_used_is_told_in_one_sentence_without_a_secret(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        opened(**settings)
    assert "hunter2" not in str(caught.value)


def test_a_key_with_blanks_is_refused() -> None:
    with pytest.raises(ConfigError, match="LAB_KEY holds blanks"):
        open_searcher(URL, environment=environment(LAB_KEY="one two"), key_env="LAB_KEY")


@pytest.mark.parametrize("name", ["monkey", "cx", "keyword", "engine", "author", "tokenizer", "app"])
def test_an_ordinary_parameter_is_no_key(name: str) -> None:
    assert opened(f"{URL}&{name}=value")


def test_importing_the_room_loads_no_library_that_searches() -> None:
    code = "import sys, json, siuo_async.search.opening; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert not {"aiohttp", "tenacity", "bm25s", "numpy"} & set(json.loads(done.stdout))
