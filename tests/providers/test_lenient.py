"""Reading JSON that strict parsers refuse, within bounds."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.providers import lenient


@pytest.mark.parametrize(
    "body, value, repaired",
    [
        (b'{"a": 1}', {"a": 1}, False),
        (b' \n\n{"a": 1}\n', {"a": 1}, False),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}, False),
        (b'"\\ud83d\\ude00"', "\U0001f600", False),
        (b'"a\\ud800b"', "a\ufffdb", True),
        (b'{"\\udc00": ["\\ud800"]}', {"\ufffd": ["\ufffd"]}, True),
        (b'["\\ud83d\\ude00", "\\ud800"]', ["\U0001f600", "\ufffd"], True),
        (b"[NaN, Infinity, -Infinity, 1.5]", [None, None, None, 1.5], True),
        (b'"a\xffb"', "a\ufffdb", True),
    ],
)
def test_a_body_is_read_and_repairs_are_told(body: bytes, value: Any, repaired: bool) -> None:
    assert lenient.loads(body) == (value, repaired)


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"{", b'{"a": 1', b"<html>", b"{'a': 1}", b"[1] [2]", b"[" * 100_000, b'{"a":' * 100_000, b"9" * 10_000 + b"x"],
)
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any message will do
        lenient.loads(body)


def test_too_large_a_body_is_not_read_a_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lenient, "MAX_LENIENT_BYTES", 10)
    with pytest.raises(ValueError, match="too large"):
        lenient.loads(b'["\\ud800", "\\ud800"]')
    assert lenient.loads(b'["long enough to pass the bound"]')[1] is False


@given(st.binary(max_size=100) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_whatever_comes_it_is_a_value_that_strict_json_can_hold_or_a_value_error(body: bytes) -> None:
    try:
        value, _ = lenient.loads(body)
    except ValueError:
        return
    orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)


@given(
    st.recursive(
        st.text(st.characters(codec=None)) | st.floats(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec=None)), inner),
    )
)
def test_a_scrubbed_value_can_be_dumped(value: Any) -> None:
    orjson.dumps(lenient.scrub(value))


@pytest.mark.parametrize("one", [b"{},", b"[],", b'"ab",', b"1.5,"])
def test_so_many_small_values_that_they_would_fill_the_memory_are_not_read(one: bytes) -> None:
    body = b"[" + one * 3_000_001 + b"0]"
    with pytest.raises(ValueError, match="values"):
        lenient.loads(body)


def test_as_many_values_as_a_real_reply_may_hold_are_read() -> None:
    value, repaired = lenient.loads(b"[" + b"1.5," * 1_000_000 + b"0]")
    assert (len(value), repaired) == (1_000_001, False)
