"""What search engines and functions give, as text for a model."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.errors import ErrorKind
from siuo_async.search.base import LONGEST_QUERY, Entry, SearchError, clean, clean_query, too_short
from siuo_async.search.reading import entries_found, found_in

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["results", "data", "title", "text", "x"]), inner, max_size=4)
    ),
    max_leaves=20,
)
SHAPES: dict[str, Any] = {
    "a list": [{"title": "T", "content": "C"}],
    "results": {"results": [{"title": "T", "content": "C", "url": "u"}]},
    "items with snippets": {"kind": "x", "items": [{"title": "T", "snippet": "C"}]},
    "data": {"code": 0, "data": [{"name": "T", "text": "C"}]},
    "data in data": {"data": {"results": [{"title": "T", "description": "C"}]}},
    "organic": {"organic": [{"title": "T", "snippet": "C", "position": 1}], "credits": 1},
    "pages of the web": {"webPages": {"value": [{"name": "T", "snippet": "C"}]}},
    "results of the web": {"query": {"original": "q"}, "web": {"results": [{"title": "T", "description": "C"}]}},
    "an encyclopedia": {"batchcomplete": "", "query": {"search": [{"title": "T", "snippet": "C"}]}},
    "an index": {"took": 1, "hits": {"total": 1, "hits": [{"_id": "1", "_source": {"title": "T", "body": "C"}}]}},
    "an empty list beside": {"items": [], "web": {"results": [{"title": "T", "description": "C"}]}},
    "highlights as a list": {"results": [{"title": "T", "content": ["C"]}]},
    "an error beside results": {"error": "one shard is down", "results": [{"title": "T", "content": "C"}]},
}


@pytest.mark.parametrize("reply", SHAPES.values(), ids=SHAPES)
def test_the_usual_shapes_are_read(reply: Any) -> None:
    found = found_in(reply, 1000)
    assert (found.text, found.hits, found.cut) == ("标题：T\n内容：C", 1, False)


def test_results_without_a_title_and_bare_texts_are_read() -> None:
    assert found_in({"results": [{"content": "one"}, "two"]}, 1000).text == "内容：one\n\n内容：two"


def test_what_is_no_result_among_results_is_left_out() -> None:
    assert found_in([7, None, {"title": "T"}, {"url": "u"}], 1000).hits == 1


@pytest.mark.parametrize("reply", [[{"url": "u"}], [1, 2], {"results": [{"id": 1}]}])
def test_results_without_any_text_are_an_error_and_not_nothing_found(reply: Any) -> None:
    with pytest.raises(SearchError, match="has a title or a content") as caught:
        found_in(reply, 1000)
    assert not caught.value.retryable


@pytest.mark.parametrize(
    "reply", [{"error": "boom"}, {"results": [], "error": {"message": "boom"}}, {"status": "error", "error": "boom"}]
)
def test_an_error_in_a_reply_is_an_error(reply: Any) -> None:
    with pytest.raises(SearchError, match="the search failed: boom") as caught:
        found_in(reply, 1000)
    assert caught.value.kind is ErrorKind.SERVER


def test_an_error_without_a_reason_is_told_as_such() -> None:
    with pytest.raises(SearchError, match="it does not say why"):
        found_in({"status": "error"}, 1000)


@pytest.mark.parametrize("value, kind", [(None, "nothing"), (3, "type int"), ({"final_text": None}, "nothing")])
def test_what_is_neither_text_nor_results_is_an_error(value: Any, kind: str) -> None:
    with pytest.raises(SearchError, match=kind):
        found_in(value, 1000)


def test_a_long_result_is_cut_between_entries() -> None:
    found = entries_found([Entry("", "a" * 60), Entry("", "b" * 60)], 100)
    assert (found.text, found.hits, found.cut) == ("内容：" + "a" * 60, 2, True)


def test_an_entry_is_cut_where_less_than_half_of_the_room_would_be_used() -> None:
    found = entries_found([Entry("", "a" * 10), Entry("", "b" * 200)], 100)
    assert found.text.startswith("内容：aaaaaaaaaa\n\n内容：bbb")
    assert len(found.text) == 100


def test_text_that_comes_whole_is_cut_at_the_end_of_a_line() -> None:
    assert found_in("x" * 70 + "\n" + "y" * 70, 100).text == "x" * 70


def test_text_that_fits_exactly_is_not_cut() -> None:
    found = found_in("x" * 100, 100)
    assert (len(found.text), found.cut) == (100, False)


def test_control_characters_and_lone_surrogates_are_taken_out() -> None:
    assert clean("a\x00\x1b[31mb\ud800\r\nc\u2028d\te\x85f\ufffe") == "a[31mb\nc\nd\te\nf"


def test_a_title_stays_on_one_line() -> None:
    assert found_in([{"title": " a\n内容：b ", "content": "c"}], 100).text == "标题：a 内容：b\n内容：c"


@given(JSON, st.integers(1, 50))
def test_any_reply_is_text_within_the_bound_or_an_error(reply: Any, limit: int) -> None:
    try:
        found = found_in(reply, limit)
    except SearchError:
        return
    assert len(found.text) <= limit
    assert bool(found.text) <= bool(found.hits)


@given(st.text(st.characters(codec=None)))
def test_cleaned_text_can_be_stored_and_is_clean(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert clean(cleaned) == cleaned


@given(st.text(st.characters(codec=None), max_size=2 * LONGEST_QUERY))
def test_a_query_is_one_bounded_line_and_cleaning_it_again_changes_nothing(text: str) -> None:
    query = clean_query(text)
    assert len(query) <= LONGEST_QUERY
    assert len(query.splitlines()) <= 1
    assert clean_query(query) == query


@pytest.mark.parametrize("text, short", [("", True), ("九个字九个字九个字", True), ("十个字十个字十个字十", False)])
def test_what_the_released_script_would_refuse_is_told(text: str, short: bool) -> None:
    assert too_short(text) is short
