"""The journal under everything that happens to files: torn tails, flipped bits, doubled lines."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siuo_async.engine.journal import Index, Journal, JournalReader, lines
from siuo_async.engine.records import CallRecord
from siuo_async.engine.repair import repair_journal
from siuo_async.errors import RunDirectoryError
from siuo_async.seals import checked, sealed
from tests.engine.samples import answered, failure, identity, record

NASTY = record("nasty", answered('a\u0085b\u2028c\x00d\ne\r\n🙂 "outcome":"failed" ,"crc":1}'))


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def written(path: Path, *records: CallRecord, tail: bytes = b"") -> bytes:
    content = b"".join(each.line() for each in records) + tail
    path.write_bytes(content)
    return content


def opened(path: Path) -> closing[Journal]:
    return closing(Journal(path, sync="off"))


def reading(path: Path) -> closing[JournalReader]:
    return closing(JournalReader(path))


def standing(path: Path) -> dict[str, CallRecord | None]:
    """Every record that stands, by id."""
    with reading(path) as reader:
        return {key.hex(): reader.get(key.hex()) for key in reader.index.offsets}


def test_what_was_written_is_read_by_the_next_session(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    with opened(path) as journal:
        for each in (record("a"), NASTY, failure("c")):
            journal.append(each)
    assert standing(path) == {each.id: each for each in (record("a"), NASTY, failure("c"))}


def test_the_writer_reads_what_it_has_just_written(tmp_path: Path) -> None:
    with opened(tmp_path / "calls.jsonl") as journal:
        journal.append(NASTY)
        assert journal.get(NASTY.id) == NASTY
        assert len(journal) == 1


def test_a_record_longer_than_a_block_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    long = record("long", answered("x" * (3 << 20)))
    with opened(path) as journal:
        for each in (record("a"), long, record("b")):
            journal.append(each)
        assert journal.get(long.id) == long
    assert standing(path)[long.id] == long
    assert standing(path)[identity("b")] == record("b")


def test_a_file_cut_at_any_byte_keeps_every_complete_record() -> None:
    records = [record("a"), NASTY, failure("c"), record("d", answered("ä"))]
    ends = [sum(len(r.line()) for r in records[: count + 1]) for count in range(len(records))]
    with folder() as place:
        path = place / "calls.jsonl"
        content = written(path, *records)
        for length in range(len(content) + 1):
            path.write_bytes(content[:length])
            complete = sum(end <= length for end in ends)
            assert list(standing(path).values()) == records[:complete]
            assert path.stat().st_size == length, "a reader changes nothing"
            with opened(path) as journal:
                journal.append(record("new"))
            kept = sum(end - 1 <= length for end in ends)  # one that lacks only its newline is whole
            assert path.read_bytes() == content[: ends[kept - 1] if kept else 0] + record("new").line()


@given(st.integers(0, 2000), st.binary(max_size=40).filter(lambda tail: b"\n" not in tail))
@settings(deadline=None, max_examples=60)
def test_whatever_stands_behind_the_last_newline_is_cut(length: int, tail: bytes) -> None:
    records = [record(number, answered("y" * 50)) for number in range(8)]
    with folder() as place:
        path = place / "calls.jsonl"
        content = written(path, *records, tail=tail)
        path.write_bytes(content[: max(length, 1)])
        before = standing(path)
        with opened(path) as journal:
            journal.append(record("new"))
        assert standing(path) == {**before, identity("new"): record("new")}


CALLS = st.tuples(st.sampled_from("abc"), st.booleans(), st.integers(0, 99))


@given(st.lists(CALLS, max_size=12), st.integers(0, 12))
@settings(deadline=None, max_examples=80)
def test_the_last_result_wins_and_never_loses_to_a_failure(calls: list[tuple[str, bool, int]], reopened_after: int) -> None:
    made = [failure(name, sample=str(mark)) if failed else record(name, answered(str(mark))) for name, failed, mark in calls]
    expected: dict[str, CallRecord] = {}
    for each in made:
        if not each.failed or each.id not in expected or expected[each.id].failed:
            expected[each.id] = each
    with folder() as place:
        path = place / "calls.jsonl"
        for part in (made[:reopened_after], made[reopened_after:]):
            with opened(path) as journal:
                for each in part:
                    journal.append(each)
                live = {key: journal.get(key) for key in expected if bytes.fromhex(key) in journal.index.offsets}
        assert live == expected
        assert standing(path) == expected


def test_a_flipped_bit_is_found_and_located_or_changes_nothing() -> None:
    records = [record("a"), NASTY, failure("c")]
    with folder() as place:
        path = place / "calls.jsonl"
        content = written(path, *records, record("last"))
        starts = [offset for offset, _ in lines(path)]
        for at in range(starts[-1]):
            for bit in range(8):
                path.write_bytes(content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :])
                number = sum(start <= at for start in starts)
                with pytest.raises(RunDirectoryError, match=rf"calls\.jsonl line {number} is damaged") as caught:
                    Index.of(path)
                assert "--repair" in str(caught.value)


def test_a_flipped_bit_in_the_last_line_is_never_other_data() -> None:
    """Its newline may go, and then it is a torn tail: that call is asked again."""
    with folder() as place:
        path = place / "calls.jsonl"
        first = len(record("a").line())
        content = written(path, record("a"), NASTY)
        for at in range(first, len(content)):
            path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            if at == len(content) - 1:
                assert standing(path) == {identity("a"): record("a")}
            else:
                with pytest.raises(RunDirectoryError, match="line 2 is damaged"):
                    standing(path)


def test_a_writer_does_not_open_a_damaged_journal(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    content = written(path, record("a"), tail=b"rubbish\n" + record("b").line() + b"torn")
    with pytest.raises(RunDirectoryError, match="line 2 is damaged"):
        Journal(path)
    assert path.read_bytes() == content + b""


def _of_kind(kind: str, version: int = 1) -> bytes:
    return sealed(orjson.dumps({"id": identity("s"), "v": version, "kind": kind, "results": [1]}))


def test_unknown_kinds_are_passed_over_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    content = written(path, record("a"), tail=_of_kind("comment") + record("b").line() + _of_kind("callback"))
    with opened(path) as journal:
        assert len(journal) == 2
        assert journal.get(identity("s")) is None
        journal.append(record("c"))
    assert path.read_bytes() == content + record("c").line()


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["answered", "failed", "search"])), max_size=30))
def test_lines_looked_at_together_are_indexed_as_each_alone(calls: list[tuple[int, str]]) -> None:
    made = {"answered": record, "failed": failure, "search": lambda name: record(name, stage="search")}
    records = [made[what](name) for name, what in calls]
    with folder() as place:
        written(place / "together.jsonl", *records)
        written(place / "alone.jsonl", *records, tail=_of_kind("batch"))  # one of another kind, so they are
        assert Index.of(place / "together.jsonl").offsets == Index.of(place / "alone.jsonl").offsets


def test_one_damaged_line_among_thousands_is_named_by_its_number(tmp_path: Path) -> None:
    lines = [record(number, answered("x" * 700)).line() for number in range(2000)]
    lines[1777] = lines[1777].replace(b"xxx", b"xyx", 1)
    (tmp_path / "calls.jsonl").write_bytes(b"".join(lines))
    with pytest.raises(RunDirectoryError, match="line 1778 is damaged"):
        Index.of(tmp_path / "calls.jsonl")
    bad: list[tuple[int, int]] = []
    index = Index.of(tmp_path / "calls.jsonl", lambda number, offset, line, why: bad.append((number, offset)))
    assert bad == [(1778, sum(map(len, lines[:1777])))]
    assert len(index.offsets) == 1999
    assert index.end == (tmp_path / "calls.jsonl").stat().st_size


def test_a_newer_format_is_named_and_not_called_damage(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    content = written(path, record("a"), tail=_of_kind("call", 2))
    for look in (JournalReader, Journal, repair_journal):
        with pytest.raises(RunDirectoryError, match="format 2, this siuo reads format 1; install the newer siuo") as caught:
            look(path)
        assert "repair" not in str(caught.value)
    assert path.read_bytes() == content


def test_a_record_that_cannot_be_understood_names_its_file(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    written(path, tail=_of_kind("call"))
    with reading(path) as reader, pytest.raises(RunDirectoryError, match=r"calls\.jsonl at byte 0 cannot be read"):
        reader.get(identity("s"))


def test_repair_moves_bad_lines_aside_and_keeps_the_rest_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    good = [record("a").line(), _of_kind("comment"), NASTY.line()]
    bad = [b"rubbish", record("x").line()[:-3], b"", _of_kind("call")[:-1]]
    path.write_bytes(good[0] + bad[0] + b"\n" + good[1] + bad[1] + b"\n" + bad[2] + b"\n" + bad[3] + b"\n" + good[2])
    found = repair_journal(path)
    assert [number for number, _ in found] == [2, 4, 5, 6]
    assert path.read_bytes() == b"".join(good)
    (aside,) = tmp_path.glob("calls.damaged-*.jsonl")
    assert aside.read_bytes() == b"".join(line + b"\n" for line in bad)
    assert {file.stat().st_mode & 0o777 for file in (path, aside)} == {0o600}
    with opened(path) as journal:
        assert journal.get(NASTY.id) == NASTY


def test_repair_keeps_records_whose_newline_was_lost(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_bytes(
        record("a").line()[:-1] + NASTY.line() + b'{"id":"half a rec' + record("c").line() + bytes(700) + failure("d").line()
    )
    assert [number for number, _ in repair_journal(path)] == [1, 2, 3]
    assert path.read_bytes() == record("a").line() + NASTY.line() + record("c").line() + failure("d").line()


def test_repair_looks_at_each_record_of_a_line_of_thousands_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, looked = tmp_path / "calls.jsonl", 0

    def counted(line: bytes) -> bytes:
        nonlocal looked
        looked += len(line)
        return checked(line)

    joined = b" ".join(record(number).line()[:-1] for number in range(300))
    path.write_bytes(joined[:100] + b"!" + joined[101:] + b"\n")
    monkeypatch.setattr("siuo_async.engine.journal.checked", counted)
    repair_journal(path)
    assert len(Index.of(path).offsets) == 299
    assert looked < 5 * len(joined)


def test_repair_leaves_a_torn_tail_to_the_next_session(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_bytes(b"rubbish\n" + record("a").line() + NASTY.line()[:-1])
    repair_journal(path)
    with opened(path):
        pass
    assert path.read_bytes() == record("a").line() + NASTY.line(), "it lacked only its newline"


@pytest.mark.parametrize("changed", [b"rubbish", bytes(5000), NASTY.line()[:-2] + b"]", b""])
def test_a_tail_that_is_no_record_is_cut(tmp_path: Path, changed: bytes) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_bytes(record("a").line() + changed)
    with opened(path) as journal:
        journal.append(record("b"))
    assert path.read_bytes() == record("a").line() + record("b").line()


def test_a_record_that_stands_where_another_should_is_never_given(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    written(path, record("a"), record("b"))
    with reading(path) as reader:
        path.write_bytes(record("b").line() + record("a").line())
        with pytest.raises(RunDirectoryError, match=r"at byte 0 cannot be read \(another record stands there"):
            reader.get(identity("a"))


PIECES = st.one_of(st.sampled_from(["a", "b", "long", "failed"]), st.binary(max_size=60))
HARM = st.tuples(st.sampled_from(["flip", "zero", "cut", "double", "mix"]), st.integers(0, 10_000), st.integers(1, 600))


def _harmed(content: bytes, how: str, at: int, size: int) -> bytes:
    at %= len(content) or 1
    if how == "flip":
        return content[:at] + bytes([content[at] ^ 1 << size % 8]) + content[at + 1 :] if content else content
    if how == "zero":
        return content[:at] + bytes(len(content[at : at + size])) + content[at + size :]
    if how == "cut":
        return content[:at] + content[at + size :]
    if how == "double":
        return content[: at + size] + content[at:]
    return content[at : at + size] + content[:at] + content[at + size :]


@given(st.lists(PIECES, max_size=12), st.lists(HARM, max_size=4))
def test_whatever_is_done_to_a_journal_only_what_was_written_is_ever_read(
    pieces: list[str | bytes], harms: list[tuple[str, int, int]]
) -> None:
    made = {"a": record("a"), "b": NASTY, "long": record("long", answered("ü" * 300)), "failed": failure("failed")}
    content = b"".join(made[piece].line() if isinstance(piece, str) else piece + b"\n" for piece in pieces)
    for harm in harms:
        content = _harmed(content, *harm)
    with folder() as place:
        path = place / "calls.jsonl"
        path.write_bytes(content)
        whole = {line for _, line in lines(path)} & {each.line()[:-1] for each in made.values()}
        repair_journal(path)
        assert repair_journal(path) == [], "once is enough"
        stands = standing(path)
        assert all(each in made.values() for each in stands.values())
        assert {each.id for each in made.values() if each.line()[:-1] in whole} <= set(stands), "no whole line is lost"
        with opened(path) as journal:
            journal.append(record("new"))
        assert standing(path).items() >= {**stands, identity("new"): record("new")}.items()


def test_repair_of_a_whole_journal_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    content = written(path, record("a"), NASTY, tail=b"torn")
    assert repair_journal(path) == []
    assert path.read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == ["calls.jsonl"]


def test_repair_does_not_touch_a_journal_that_is_being_written(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    with opened(path) as journal:
        journal.append(record("a"))
        with pytest.raises(RunDirectoryError, match="is being written by process"):
            repair_journal(path)


def test_readers_look_while_a_writer_writes(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    with opened(path) as journal:
        journal.append(record("a"))
        with reading(path) as before:
            journal.append(record("b"))
            assert before.get(identity("a")) == record("a")
            assert before.get(identity("b")) is None
        assert set(standing(path)) == {identity("a"), identity("b")}


def test_a_journal_that_is_not_there_is_empty(tmp_path: Path) -> None:
    with reading(tmp_path / "none.jsonl") as reader:
        assert len(reader) == 0
        assert reader.get(identity("a")) is None
        assert reader.raw(identity("a")) is None


def test_a_journal_is_for_nobody_elses_eyes(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    with opened(path):
        assert {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {"calls.jsonl": 0o600, "writer.json": 0o600}


def test_the_holder_leaves_no_trace_when_it_is_done(tmp_path: Path) -> None:
    with opened(tmp_path / "calls.jsonl"):
        pass
    assert [file.name for file in tmp_path.iterdir()] == ["calls.jsonl"]


def test_only_failures_of_earlier_sessions_are_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    with opened(path) as journal:
        journal.append(failure("a"))
        journal.append(record("b"))
        assert not journal.failed_earlier(identity("a"))
    with opened(path) as journal:
        assert [journal.failed_earlier(identity(name)) for name in "abc"] == [True, False, False]


def test_a_call_costs_an_id_and_an_offset_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    with opened(path) as journal:
        journal.append(record("a", answered("x" * 10_000)))
        assert [(type(key), len(key), type(at)) for key, at in journal.index.offsets.items()] == [(bytes, 16, int)]
