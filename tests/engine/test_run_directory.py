"""Which directory a command continues, and what it does not overwrite."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from siuo_async.engine.run_directory import RunDirectory, all_runs, fingerprint, known_pictures, locate, write_bytes, write_json
from siuo_async.errors import DataError, RunDirectoryError, StoppedEarly
from siuo_async.values import Sample
from tests.engine.samples import PICTURE, sample

IDENTITY: dict[str, Any] = {
    "benchmark": "siuo-gen",
    "protocol": "corrected",
    "dataset": "0123456789abcdef",
    "prompts": "own-01234567",
    "parameters": {"temperature": 0.0, "params": {"b": 1, "a": [None, "ä"]}},
}
OTHER = IDENTITY | {"protocol": "released", "parameters": {}}


def run(
    results: Path, folder: str, *, name: str = "siuo-gen", identity: dict[str, Any] = IDENTITY, created: str = "2026-01-01"
) -> RunDirectory:
    made = RunDirectory(results / folder)
    made.make()
    told = {"name": name, "fingerprint": fingerprint(identity), "identity": identity, "created_at": created}
    made.write_manifest({**told, "benchmark": "demo", "models": [], "judge": None, "dataset": {}, "config": {}})
    return made


def found(results: Path, name: str = "siuo-gen", identity: dict[str, Any] = IDENTITY, **more: Any) -> Path:
    return locate(results, name, identity, **({"explicit": False, "path": None, "fresh": False} | more)).path


def test_a_fingerprint_is_the_same_for_ever() -> None:
    assert fingerprint(IDENTITY) == "48d24c74"
    assert fingerprint(dict(reversed(IDENTITY.items()))) == fingerprint(IDENTITY)


@pytest.mark.parametrize("key", IDENTITY)
def test_everything_in_the_identity_is_in_the_fingerprint(key: str) -> None:
    assert fingerprint(IDENTITY | {key: "other"}) != fingerprint(IDENTITY)


def test_a_new_run_is_named_by_date_name_and_fingerprint_and_not_made_yet(tmp_path: Path) -> None:
    path = found(tmp_path)
    assert path.name[10:] == f"-siuo-gen-{fingerprint(IDENTITY)}"
    assert not path.exists()


def test_the_newest_run_of_the_same_is_continued(tmp_path: Path) -> None:
    run(tmp_path, "old", created="2026-01-01")
    run(tmp_path, "new", created="2026-02-01")
    run(tmp_path, "newest-of-another", identity=OTHER, created="2026-03-01")
    run(tmp_path, "newest-of-another-name", name="other", created="2026-03-01")
    assert found(tmp_path).name == "new"
    assert [entry[0].path.name for entry in all_runs(tmp_path)][-1] == "old"


def test_another_identity_under_the_benchmarks_own_name_is_a_new_run(tmp_path: Path) -> None:
    run(tmp_path, "old")
    assert not found(tmp_path, identity=OTHER).exists()


def test_another_identity_under_a_chosen_name_is_an_error_that_lists_the_differences(tmp_path: Path) -> None:
    run(tmp_path, "old", name="mine")
    with pytest.raises(RunDirectoryError) as caught:
        found(tmp_path, "mine", OTHER, explicit=True)
    message = str(caught.value)
    assert 'protocol: "corrected" there, "released" now' in message
    assert 'parameters: {"temperature":0.0' in message
    assert "nothing now" in message
    assert "dataset" not in message
    assert "--fresh" in message


def test_another_identity_in_a_named_directory_is_an_error(tmp_path: Path) -> None:
    made = run(tmp_path, "mine")
    assert found(tmp_path, path=made.path) == made.path
    with pytest.raises(RunDirectoryError, match='protocol: "corrected" there, "released" now'):
        found(tmp_path, identity=OTHER, path=made.path)


def test_fresh_is_a_new_directory_whatever_is_there(tmp_path: Path) -> None:
    first = found(tmp_path)
    run(tmp_path, first.name)
    assert found(tmp_path) == first
    second = found(tmp_path, fresh=True)
    assert second.name == f"{first.name}-2"
    run(tmp_path, second.name)
    assert found(tmp_path, fresh=True).name == f"{first.name}-3"


def test_nothing_is_overwritten_by_fresh_in_a_named_directory(tmp_path: Path) -> None:
    made = run(tmp_path, "mine")
    with pytest.raises(RunDirectoryError, match="is not empty"):
        found(tmp_path, path=made.path, fresh=True)


def test_a_named_directory_that_is_empty_or_not_there_is_taken(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("empty", "new"):
        assert found(tmp_path, path=tmp_path / name) == tmp_path / name


@pytest.mark.parametrize("named", [True, False])
def test_what_a_command_killed_before_run_json_left_is_taken_by_the_same_command(tmp_path: Path, named: bool) -> None:
    left = tmp_path / "mine" if named else found(tmp_path)
    left.mkdir()
    for name in ("calls.jsonl", "writer.json", "samples.jsonl", ".run.json.4711"):
        (left / name).touch()
    for fresh in (False, True):
        assert found(tmp_path, path=left if named else None, fresh=fresh) == left


def test_a_run_that_lost_its_run_json_is_continued_and_not_paid_again(tmp_path: Path) -> None:
    left = found(tmp_path)
    left.mkdir()
    for name in ("calls.jsonl", "samples.jsonl", "summary.json", "run_stats.json", "limits.jsonl", "errors.log"):
        (left / name).write_bytes(b"{}\n")
    assert found(tmp_path) == left
    assert found(tmp_path, fresh=True).name == f"{left.name}-2"
    (left / "run.json").symlink_to("nowhere")
    assert found(tmp_path).name == f"{left.name}-2"


def test_measuring_again_takes_no_calls_that_were_made_before(tmp_path: Path) -> None:
    left = found(tmp_path)
    left.mkdir()
    (left / "calls.jsonl").write_bytes(b"{}\n")
    assert found(tmp_path) == left, "whose run.json was lost: its calls are paid"
    assert found(tmp_path, fresh=True).name == f"{left.name}-2"


def test_the_newest_run_is_the_one_made_last_whatever_the_clock_says(tmp_path: Path) -> None:
    run(tmp_path, "first", created="2030-01-01")
    run(tmp_path, "second", created="2026-01-01")
    for number in range(3, 12):
        run(tmp_path, f"run-{number}", created="2026-01-01")
    assert found(tmp_path).name == "run-11"
    again = RunDirectory(tmp_path / "second")
    again.write_manifest(again.manifest())
    assert found(tmp_path).name == "run-11", "a run that is continued keeps its number"


def without_number(made: RunDirectory, number: Any = None) -> RunDirectory:
    """As a run of a time without numbers and seals; or with a number that somebody wrote there."""
    manifest = {name: value for name, value in made.manifest().items() if name not in ("number", "seal")}
    write_json(made.path / "run.json", manifest | ({} if number is None else {"number": number}))
    return made


def test_runs_of_a_time_without_numbers_are_told_apart_by_their_dates(tmp_path: Path) -> None:
    for name in ("older", "newer"):
        without_number(run(tmp_path, name, created=f"2026-01-0{1 + (name == 'newer')}"))
    again = RunDirectory(tmp_path / "older")
    again.write_manifest(again.manifest())
    assert found(tmp_path).name == "newer", "a run that is continued becomes no newer"
    run(tmp_path, "newest", created="2025-01-01")
    assert found(tmp_path).name == "newest"


def test_the_newest_of_runs_from_several_machines_is_the_one_made_last(tmp_path: Path) -> None:
    for number in range(3):
        run(tmp_path / "here", f"here-{number}", created="2026-01-01")
    run(tmp_path / "there", "there", created="2026-02-01").path.rename(tmp_path / "here" / "there")
    assert found(tmp_path / "here").name == "there"


@pytest.mark.parametrize("number", [(1 << 64) - 1, True, "7", -1, 1.5])
def test_a_number_that_siuo_would_not_give_counts_for_nothing(tmp_path: Path, number: Any) -> None:
    without_number(run(tmp_path, "odd", created="2026-01-01"), number)
    run(tmp_path, "new", created="2026-01-02")
    assert found(tmp_path).name == "new"


def test_a_run_json_that_was_changed_is_refused_until_the_line_of_its_seal_is_taken_out(tmp_path: Path) -> None:
    made = run(tmp_path, "mine")
    made.write_manifest(made.manifest())
    file = made.path / "run.json"
    file.write_text(file.read_text().replace("2026-01-01", "2026-01-02"))
    with pytest.raises(RunDirectoryError, match="take out the line 'seal'"):
        made.manifest()
    file.write_text("".join(line for line in file.read_text().splitlines(keepends=True) if '"seal"' not in line))
    assert made.manifest()["created_at"] == "2026-01-02"


def test_what_killed_processes_had_half_written_is_swept_up(tmp_path: Path) -> None:
    made = run(tmp_path, "mine")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for process in (gone.pid, os.getpid()):
        (made.path / f".summary.json.{process}").touch()
    (made.path / ".notes.txt").touch()
    made.begin([sample()], made.manifest())
    left = {file.name for file in made.path.iterdir() if file.name.startswith(".")}
    assert left == {f".summary.json.{os.getpid()}", ".notes.txt"}, "who lives may be writing it now"


def test_a_directory_of_something_else_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").touch()
    with pytest.raises(RunDirectoryError, match="is not empty"):
        found(tmp_path, path=tmp_path / "thesis")


def test_a_file_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunDirectoryError, match="is a file"):
        found(tmp_path, path=tmp_path / "file")


def test_what_is_no_run_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    (tmp_path / "empty").mkdir()
    for name, content in (("broken", b"{"), ("list", b"[]"), ("later", b'{"format":2}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_bytes(content)
        with pytest.raises(RunDirectoryError):
            RunDirectory(tmp_path / name).manifest()
    assert all_runs(tmp_path) == []
    assert all_runs(tmp_path / "nowhere") == []
    with pytest.raises(RunDirectoryError, match="siuo ls"):
        RunDirectory(tmp_path / "empty").manifest()


def test_a_run_is_for_nobody_elses_eyes(tmp_path: Path) -> None:
    made = run(tmp_path, "mine")
    made.write_samples([sample()])
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in made.path.iterdir()} == {0o600}


def test_samples_come_back_as_they_were(tmp_path: Path) -> None:
    made = run(tmp_path, "mine")
    nasty = Sample("1", ("a", "b"), "x\u0085y\u2028z\x00\n🙂", (PICTURE,), {"safety_warning": "\u2029"})
    made.write_samples([nasty, sample(2)])
    assert list(made.read_samples()) == [nasty, sample(2)]
    assert known_pictures([nasty]) == {PICTURE.path: PICTURE}


def test_a_sample_that_is_no_unicode_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="sample 7"):
        run(tmp_path, "mine").write_samples([Sample("7", ("a",), "\ud800")])


@pytest.mark.parametrize("content", [b"{\n", b"[]\n", b"{}\n", b'"x"\n'])
def test_damaged_samples_are_told(tmp_path: Path, content: bytes) -> None:
    made = run(tmp_path, "mine")
    (made.path / "samples.jsonl").write_bytes(content)
    with pytest.raises(RunDirectoryError, match=r"samples\.jsonl cannot be read"):
        made.read_samples()


@pytest.mark.parametrize("content", [b"", b"\0" * 4_096], ids=["cut", "overwritten"])
def test_samples_that_are_damaged_while_they_are_read_are_told_with_a_way_out(tmp_path: Path, content: bytes) -> None:
    made = run(tmp_path, "mine")
    made.write_samples([sample(1), sample(2)])
    stored = made.read_samples()
    (made.path / "samples.jsonl").write_bytes(content)
    for look in (lambda: stored[1], lambda: list(stored)):
        with pytest.raises(RunDirectoryError, match=r"samples\.jsonl .*type its `siuo run` command again"):
            look()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    write_bytes(path, b"old")
    with path.open("rb") as reader:
        write_bytes(path, b"new and longer")
        assert reader.read() == b"old", "who reads it meanwhile has the old file to the end"
    assert path.read_bytes() == b"new and longer"
    assert os.listdir(tmp_path) == ["summary.json"]


def test_a_file_that_cannot_be_written_stops_the_run_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "summary.json").mkdir()
    with pytest.raises(StoppedEarly, match="cannot be written"):
        write_bytes(tmp_path / "summary.json", b"x")
    assert os.listdir(tmp_path) == ["summary.json"]


def test_unreadable_statistics_are_no_reason_to_stop(tmp_path: Path) -> None:
    made = run(tmp_path, "mine")
    assert made.read_stats() == {}
    for content in (b"{", b"[]"):
        made.stats.write_bytes(content)
        assert made.read_stats() == {}
