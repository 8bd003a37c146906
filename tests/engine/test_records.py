"""A record is one line, and comes back as it was."""

from __future__ import annotations

import re
from dataclasses import replace

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from siuo_async.engine.records import CallRecord, line_failed, parse
from siuo_async.seals import BadLineError, checked, sealed
from siuo_async.values import Answer, Json, Outcome, Usage
from tests.engine.samples import answered, failure, identity, record

TEXTS = st.text() | st.sampled_from(["\u0085", "a\u2028b", "\x00", "two\nlines\r\n", "🙂𝔘", '"outcome":"failed"', '\\","crc":1}'])
OPTIONAL_TEXTS = st.none() | TEXTS.filter(bool)
COUNTS = st.none() | st.integers(0, 2**40)
ANSWERS = st.builds(
    Answer,
    outcome=st.sampled_from(list(Outcome)),
    text=TEXTS,
    finish=OPTIONAL_TEXTS,
    where=st.sampled_from([None, "prompt", "answer"]),
    reason=OPTIONAL_TEXTS,
    logprobs=st.none() | st.lists(st.floats(-20, 0), min_size=1, max_size=3),
)
RECORDS = st.builds(
    CallRecord,
    id=st.binary(min_size=16, max_size=16).map(bytes.hex),
    stage=TEXTS,
    provider=TEXTS,
    model=TEXTS,
    sample=TEXTS,
    first=st.integers(0, 63),
    asked=st.integers(1, 64),
    answers=st.lists(ANSWERS, min_size=1, max_size=4).map(tuple),
    usage=st.builds(Usage, COUNTS, COUNTS, COUNTS, COUNTS),
    provider_cost_usd=st.none() | st.floats(0, 100),
    latency_s=st.integers(0, 10**7).map(lambda units: round(units / 10**4, 4)),
    waited_s=st.integers(0, 10**7).map(lambda units: round(units / 10**4, 4)),
    attempts=st.integers(1, 9),
    maybe_billed=st.integers(0, 9),
    started_at=TEXTS,
    sent=st.dictionaries(TEXTS, TEXTS | st.integers(0, 9), max_size=3),
    served_model=OPTIONAL_TEXTS,
    request_id=OPTIONAL_TEXTS,
    repaired=st.booleans(),
    error=st.none() | st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=3),
)


@given(RECORDS)
@example(record("a", answered("\u0085 \u2028 \x00 \n \U0001f642")))
def test_a_record_comes_back_as_it_was(before: CallRecord) -> None:
    line = before.line()
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert parse(checked(line[:-1])) == before


def test_the_id_is_first_and_the_checksum_last() -> None:
    line = record("a").line()
    assert line.startswith(b'{"id":"%b","v":1,"kind":"call",' % identity("a").encode())
    assert re.search(rb',"crc":\d+}\n\Z', line)


def test_null_and_empty_fields_are_left_out() -> None:
    plain = record("a", Answer(Outcome.EMPTY))
    assert set(orjson.loads(plain.line())) == {
        *("id", "v", "kind", "stage", "provider", "model", "sample", "first", "asked", "answers", "latency_s", "attempts", "crc")
    }
    assert orjson.loads(plain.line())["answers"] == [{"outcome": "empty"}]


def test_a_zero_the_provider_counted_is_kept() -> None:
    assert orjson.loads(record("a", usage=Usage(0, 0)).line())["usage"] == {"input": 0, "output": 0}


@pytest.mark.parametrize(
    "line, words",
    [
        (b"", "no checksum"),
        (b"{}", "no checksum"),
        (b'{"id":"a"}', "no checksum"),
        (b'{"id":"a","crc":}', "no checksum"),
        (b'{"id":"a","crc":-1}', "no checksum"),
        (b'{"id":"a","crc":12', "no checksum"),
        (b'{"id":"a","crc":12}', "does not fit"),
        (b"\x00" * 40, "no checksum"),
    ],
)
def test_what_was_not_written_is_told(line: bytes, words: str) -> None:
    with pytest.raises(BadLineError, match=words):
        checked(line)


@pytest.mark.parametrize(
    "body",
    [b"[]", b"{}", b"1", b'{"id":"a"}', b'{"answers":[1]}', b'{"answers":[{"outcome":"new"}]}', b'{"answers":[],"usage":[1]}', b"{"],
)
def test_what_is_no_record_is_told(body: bytes) -> None:
    with pytest.raises(BadLineError, match="no call record"):
        parse(body)


FAILED = '"answers":[{"outcome":"failed"'
NOT_FAILURES = {
    "a text that says so": record("a", answered('{"answers":[{"outcome":"failed"}]} and "outcome":"failed"')),
    "a model that is named so": record("a", model='"outcome":"failed"'),
    "a sample that is named so": record("a", sample=FAILED),
    "a parameter that says so": record("a", sent={"outcome": "failed"}),
    "log-probabilities that say so": record("a", replace(answered(), logprobs=[{"outcome": "failed"}])),
}


@pytest.mark.parametrize("made", NOT_FAILURES.values(), ids=NOT_FAILURES.keys())
def test_a_result_is_no_failure_whatever_it_says(made: CallRecord) -> None:
    assert not line_failed(made.line())
    assert not made.failed


@pytest.mark.parametrize("asked", [1, 3])
def test_a_failure_is_known_by_its_line(asked: int) -> None:
    made = failure("a", asked=asked)
    assert line_failed(made.line())
    assert made.failed
    assert parse(checked(made.line()[:-1])).failed


def test_unknown_fields_are_passed_over() -> None:
    body = orjson.dumps({**orjson.loads(record("a").line()), "new": {"x": 1}})
    assert parse(checked(sealed(body)[:-1])) == record("a")


def test_the_documented_fields_are_those_that_are_written() -> None:
    full = replace(
        failure("a"),
        usage=Usage(1, 2, 3, 4),
        provider_cost_usd=0.5,
        waited_s=1.0,
        maybe_billed=1,
        started_at="2026-01-01T00:00:00.000+00:00",
        sent={"temperature": 0.0},
        served_model="m-1",
        request_id="r",
        repaired=True,
    )
    assert list(orjson.loads(full.line())) == [
        *("id", "v", "kind", "stage", "provider", "model", "sample", "first", "asked", "answers", "usage", "provider_cost_usd"),
        *("latency_s", "waited_s", "attempts", "maybe_billed", "started_at", "sent", "served_model", "request_id", "repaired"),
        *("error", "crc"),
    ]


ODD: list[tuple[str, Json]] = [
    *[("first", "0"), ("asked", None), ("latency_s", "x"), ("attempts", 1.5), ("sent", ["x"]), ("usage", 3)],
    *[("usage", {"input": "many"}), ("stage", 3), ("answers", "text"), ("answers", [{"outcome": {}}]), ("answers", [])],
    *[("answers", [{"outcome": "answered", "text": 3}]), ("error", "x")],
]


@pytest.mark.parametrize("name, value", ODD)
def test_a_whole_line_with_a_field_of_another_kind_is_no_record(name: str, value: Json) -> None:
    fields = orjson.loads(record().line())
    fields.pop("crc")
    line = sealed(orjson.dumps({**fields, name: value})).removesuffix(b"\n")
    assert checked(line) == line
    with pytest.raises(BadLineError, match="no call record"):
        parse(line)
