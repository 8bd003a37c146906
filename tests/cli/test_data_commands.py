"""`siuo data`: the real program against a Hub on loopback."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.hub_mirror import Mirror
from tests.cli.program import PNG, Done, Siuo, until

OLD, NEW = "a" * 40, "b" * 40
SIUO_PIN = "024e80a01795376b9fed12f8073a12f2275f22ee"
CSQA_PIN = "5edb1435b39eb1e310f3a3729b74d3623026c502"
TOKEN = "hf_secret1234567890"
HEADER = "id,text,open_url,level1_category,level2_category,level3_category,img_risk,text_risk,img_style,usage\n"
ROW = "1,Question?,img/vulnerability_eval/1(x).png,Public Safety,Business,Fraud,1,0,realistic,vulnerability\n"


def archive() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        zipped.writestr("img/vulnerability_eval/1(x).png", PNG + bytes(range(256)) * 400)
    return out.getvalue()


USB = {
    "README.md": b"card",
    "USB_base_final.csv": b"\xef\xbb\xbf" + (HEADER + ROW).encode(),
    "USB_hard_final.csv": (HEADER + ROW).encode(),
    "img.zip": archive(),
}


@pytest.fixture
def hub() -> Iterator[Mirror]:
    """USB at one commit; its archive is a large file."""
    with Mirror({OLD: USB}, OLD, frozenset({"img.zip"})) as mirror:
        yield mirror


@pytest.fixture
def siuo(tmp_path: Path, hub: Mirror) -> Siuo:
    return Siuo(tmp_path / "here", HF_ENDPOINT=hub.url)


def fetch(siuo: Siuo, *words: str, code: int = 0, name: str = "usb", **env: str) -> Done:
    return siuo("data", "fetch", name, "--yes", "--to", "data", *words, code=code, env=env)


def record(siuo: Siuo, name: str = "usb") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((siuo.folder / "data" / name / "source.json").read_text())
    return found


def there(siuo: Siuo, name: str = "usb") -> set[str]:
    folder = siuo.folder / "data" / name
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def one_sentence(done: Done) -> str:
    """What was complained of: one line, and no traceback."""
    lines = [line for line in done.err.splitlines() if line.startswith("siuo: ")]
    assert len(lines) == 1, done.err
    assert "Traceback" not in done.err
    return lines[0]


def test_a_data_set_is_fetched_whole_with_a_record(siuo: Siuo) -> None:
    done = fetch(siuo)
    assert "fetched into" in done.out
    assert there(siuo) == {"USB_base_final.csv", "USB_hard_final.csv", "img.zip", "source.json"}
    for name in ("USB_base_final.csv", "USB_hard_final.csv", "img.zip"):
        assert (siuo.folder / "data" / "usb" / name).read_bytes() == USB[name]
        assert record(siuo)["files"][name] == {"sha256": hashlib.sha256(USB[name]).hexdigest(), "bytes": len(USB[name])}
    assert record(siuo)["repo"] == "cgjacklin/USB"
    assert record(siuo)["commit"] == OLD
    assert "Apache-2.0" in record(siuo)["licence"]
    assert record(siuo)["fetched_at"].endswith("+00:00")


def test_licence_source_and_size_are_shown_first(siuo: Siuo) -> None:
    err = fetch(siuo).err
    assert "Apache-2.0" in err
    assert "https://huggingface.co/datasets/cgjacklin/USB" in err
    assert "3 files" in err
    assert "kB" in err
    assert err.index("licence") < err.index("3 files")


def test_without_a_terminal_nothing_is_fetched_unless_yes_is_said(siuo: Siuo, hub: Mirror) -> None:
    done = siuo("data", "fetch", "usb", "--to", "data", code=2)
    assert "--yes" in one_sentence(done)
    assert "Apache-2.0" in done.err
    assert hub.seen == []


def on_a_terminal(siuo: Siuo, answer: str) -> tuple[int, str]:
    """The program with a terminal of its own, at which somebody answers."""
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "siuo_async", "data", "fetch", "usb", "--to", "data"]
    environment = {**siuo.variables, "TERM": "xterm"}
    process = subprocess.Popen(command, cwd=siuo.folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, f"{answer}\n".encode())
    shown = b""
    while True:
        try:
            block = os.read(ours, 65536)
        except OSError:  # how Linux says that the other side has closed
            block = b""
        if not block:
            break
        shown += block
    os.close(ours)
    return process.wait(60), shown.decode()


def test_on_a_terminal_a_no_fetches_nothing(siuo: Siuo, hub: Mirror) -> None:
    code, shown = on_a_terminal(siuo, "n")
    assert code == 2
    assert "nothing was fetched" in shown
    assert not (siuo.folder / "data").exists()
    assert all("/api/" in seen.path for seen in hub.seen)


def test_on_a_terminal_a_yes_fetches(siuo: Siuo) -> None:
    code, shown = on_a_terminal(siuo, "y")
    assert code == 0, shown
    assert (siuo.folder / "data" / "usb" / "img.zip").read_bytes() == USB["img.zip"]


def test_a_second_fetch_does_nothing_and_asks_nobody(siuo: Siuo, hub: Mirror) -> None:
    fetch(siuo)
    hub.seen.clear()
    assert "nothing to do" in siuo("data", "fetch", "usb", "--to", "data").out
    assert hub.seen == []


def test_a_later_fetch_takes_the_recorded_commit_whatever_main_has_become(siuo: Siuo, hub: Mirror) -> None:
    fetch(siuo)
    hub.commits[NEW] = {**USB, "img.zip": b"another"}
    hub.main = NEW
    (siuo.folder / "data" / "usb" / "img.zip").unlink()
    assert "1 file, 2 there already" in fetch(siuo).out
    assert (siuo.folder / "data" / "usb" / "img.zip").read_bytes() == USB["img.zip"]
    assert record(siuo)["commit"] == OLD


def test_a_named_revision_replaces_what_was_fetched_before(siuo: Siuo, hub: Mirror) -> None:
    fetch(siuo)
    hub.commits[NEW] = {**USB, "img.zip": b"another"}
    fetch(siuo, "--revision", NEW)
    assert (siuo.folder / "data" / "usb" / "img.zip").read_bytes() == b"another"
    assert record(siuo)["commit"] == NEW


def test_a_file_that_no_fetch_brought_is_never_overwritten(siuo: Siuo) -> None:
    mine = siuo.folder / "data" / "usb" / "USB_base_final.csv"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    assert "move it away" in one_sentence(fetch(siuo, code=2))
    assert mine.read_text() == "mine"


def test_an_edited_file_is_told_by_check_and_not_overwritten_by_fetch(siuo: Siuo) -> None:
    fetch(siuo)
    table = siuo.folder / "data" / "usb" / "USB_hard_final.csv"
    table.write_text(HEADER + ROW + ROW.replace("1,", "2,", 1))
    assert "1 of 3 fetched files are missing or changed" in siuo("data", "check", "usb", "--data", "data").out
    assert "move it away" in one_sentence(fetch(siuo, code=2))


@pytest.mark.parametrize("name", ["img.zip", "USB_base_final.csv"])
def test_bytes_that_are_not_the_listed_ones_are_thrown_away(siuo: Siuo, hub: Mirror, name: str) -> None:
    hub.lies[name] = b"x" * len(USB[name])
    assert "is not what is listed" in one_sentence(fetch(siuo, code=2))
    assert not [path for path in there(siuo) if path.endswith((name, ".part"))]
    hub.lies.clear()
    fetch(siuo)


def test_a_gated_data_set_without_a_token_says_where_to_accept_its_terms(siuo: Siuo, hub: Mirror) -> None:
    hub.refuse = 401
    said = one_sentence(fetch(siuo, code=2))
    assert "https://huggingface.co/datasets/cgjacklin/USB" in said
    assert "HF_TOKEN" in said
    assert "hf auth login" in said


def test_a_token_without_access_is_told_and_never_shown(siuo: Siuo, hub: Mirror) -> None:
    hub.refuse = 403
    done = fetch(siuo, code=2, HF_TOKEN=TOKEN)
    assert "has no access" in one_sentence(done)
    assert TOKEN not in done.err + done.out


def test_the_token_goes_to_the_hub_and_not_to_its_storage(siuo: Siuo, hub: Mirror) -> None:
    done = fetch(siuo, HF_TOKEN=TOKEN)
    assert {seen.authorization for seen in hub.seen if not seen.at_storage} == {f"Bearer {TOKEN}"}
    assert {seen.authorization for seen in hub.seen if seen.at_storage} == {None}
    assert TOKEN not in done.err + done.out + (siuo.folder / "data" / "usb" / "source.json").read_text()


def test_the_token_may_stand_in_the_env_file(siuo: Siuo, hub: Mirror) -> None:
    (siuo.folder / ".env").write_text(f"HF_TOKEN={TOKEN}\n")
    fetch(siuo)
    assert hub.seen[0].authorization == f"Bearer {TOKEN}"


def test_nothing_but_the_listing_and_the_files_is_asked_for(siuo: Siuo, hub: Mirror) -> None:
    fetch(siuo)
    assert len(hub.seen) == 1 + 3 + 1
    assert all(part not in seen.path for seen in hub.seen for part in ("telemetry", "harness", "whoami"))


def test_a_copy_that_lacks_a_file_is_told(siuo: Siuo, hub: Mirror) -> None:
    hub.commits[OLD] = {name: content for name, content in USB.items() if name != "img.zip"}
    assert "holds no img.zip" in one_sentence(fetch(siuo, code=2))
    assert not (siuo.folder / "data").exists()


def test_a_file_that_is_listed_and_not_there_is_told(siuo: Siuo, hub: Mirror) -> None:
    hub.answers["USB_hard_final.csv"] = 404
    assert "holds no USB_hard_final.csv" in one_sentence(fetch(siuo, code=2))


def test_a_revision_that_is_not_there_is_told(siuo: Siuo) -> None:
    said = one_sentence(fetch(siuo, "--revision", "nowhere", code=2))
    assert "no revision nowhere; name one of https://huggingface.co/datasets/cgjacklin/USB/commits with --revision" in said


@pytest.mark.parametrize("accept", [[], ["--accept-changed"]])
def test_a_file_that_nothing_could_prove_is_not_fetched(siuo: Siuo, hub: Mirror, accept: list[str]) -> None:
    hub.unhashed = frozenset({"USB_base_final.csv"})
    hub.lies["USB_base_final.csv"] = b"<html>Log in to this network</html>"
    assert "lists no hash of USB_base_final.csv" in one_sentence(fetch(siuo, *accept, code=2))
    assert not (siuo.folder / "data").exists()


def test_a_file_without_a_listed_hash_is_proved_by_that_of_the_released_one(siuo: Siuo, hub: Mirror, shared: Path) -> None:
    name = "chinese_safetyqa.jsonl"
    released = (shared / "upstream-data" / name).read_bytes()
    hub.commits = {CSQA_PIN: {name: released}}
    hub.unhashed = frozenset({name})
    hub.lies[name] = b"<html>".ljust(len(released))
    for accept in ([], ["--accept-changed"]):
        assert "is not what is listed" in one_sentence(fetch(siuo, *accept, name="csqa", code=2))
    hub.lies.clear()
    fetch(siuo, name="csqa")
    assert (siuo.folder / "data" / "csqa" / name).read_bytes() == released


def test_a_connection_cut_in_mid_file_is_taken_up_where_it_broke(siuo: Siuo, hub: Mirror) -> None:
    hub.cuts["img.zip"] = [1000, 2000]
    fetch(siuo)
    assert [seen.range for seen in hub.seen if seen.at_storage] == [None, "bytes=1000-", "bytes=3000-"]


def test_when_nothing_more_comes_the_next_fetch_goes_on(siuo: Siuo, hub: Mirror) -> None:
    hub.cuts["img.zip"] = [1000, 0]
    said = one_sentence(fetch(siuo, code=3))
    assert "broke while img.zip came" in said
    assert "run the same command again" in said
    assert not (siuo.folder / "data" / "usb" / "img.zip").exists()
    hub.seen.clear()
    fetch(siuo)
    assert [seen.range for seen in hub.seen if seen.at_storage] == ["bytes=1000-"]
    assert not [seen for seen in hub.seen if seen.path.endswith(".csv")], "what was there already is not fetched again"
    assert (siuo.folder / "data" / "usb" / "img.zip").read_bytes() == USB["img.zip"]


def test_a_server_that_knows_no_ranges_is_asked_from_the_start(siuo: Siuo, hub: Mirror) -> None:
    hub.cuts["img.zip"] = [1000]
    hub.ignores_ranges = True
    fetch(siuo)
    assert (siuo.folder / "data" / "usb" / "img.zip").read_bytes() == USB["img.zip"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_fetch_stopped_in_mid_file_goes_on(siuo: Siuo, hub: Mirror, how: signal.Signals) -> None:
    hub.stalls["img.zip"] = 5000
    process = siuo.start("data", "fetch", "usb", "--yes", "--to", "data")
    part = siuo.folder / "data" / "usb" / ".fetching" / OLD / "img.zip.part"
    until(lambda: part.exists() and part.stat().st_size, "the first bytes stand in the file")
    process.send_signal(how)
    _, err = process.communicate(timeout=60)
    if how == signal.SIGINT:
        assert process.returncode == 3, err
    held = part.stat().st_size
    assert 0 < held < len(USB["img.zip"])
    assert there(siuo).isdisjoint(USB)
    hub.stalls.clear()
    hub.go_on.set()
    hub.seen.clear()
    fetch(siuo)
    assert [seen.range for seen in hub.seen if seen.at_storage] == [f"bytes={held}-"]
    assert (siuo.folder / "data" / "usb" / "img.zip").read_bytes() == USB["img.zip"]


def test_two_fetches_into_one_folder_are_one_too_many(siuo: Siuo, hub: Mirror) -> None:
    hub.stalls["img.zip"] = 5000
    process = siuo.start("data", "fetch", "usb", "--yes", "--to", "data")
    part = siuo.folder / "data" / "usb" / ".fetching" / OLD / "img.zip.part"
    until(lambda: part.exists() and part.stat().st_size, "the first fetch is at work")
    assert "another fetch" in one_sentence(fetch(siuo, code=2))
    process.kill()
    process.communicate()


def test_a_full_disk_stops_it_with_one_sentence_and_the_next_fetch_goes_on(siuo: Siuo) -> None:
    done = siuo("data", "fetch", "usb", "--yes", "--to", "data", code=3, blocks=64)
    assert "free some space" in one_sentence(done)
    assert "img.zip" not in there(siuo)
    fetch(siuo)


def test_a_hub_that_cannot_be_reached_is_one_sentence(siuo: Siuo) -> None:
    said = one_sentence(fetch(siuo, code=3, HF_ENDPOINT="http://127.0.0.1:9"))
    assert "http://127.0.0.1:9 cannot be reached" in said


def test_offline_mode_is_one_sentence(siuo: Siuo, hub: Mirror) -> None:
    assert "HF_HUB_OFFLINE" in one_sentence(fetch(siuo, code=3, HF_HUB_OFFLINE="1"))
    assert hub.seen == []


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_hub_out_of_order_is_one_sentence(siuo: Siuo, hub: Mirror, status: int) -> None:
    hub.answers["info"] = status
    assert f"answers {status}" in one_sentence(fetch(siuo, code=3))


@pytest.mark.parametrize("text", ["<html>Log in to this network</html>", "[]", '"x"', '{"id": "x"}', '{"id": "x", "sha": "../.."}'])
def test_an_answer_that_is_no_hubs_is_one_sentence(siuo: Siuo, hub: Mirror, text: str) -> None:
    hub.info_is = text
    assert "HF_ENDPOINT" in one_sentence(fetch(siuo, code=2))


def test_a_folder_that_cannot_be_written_is_one_sentence(siuo: Siuo) -> None:
    (siuo.folder / "data").write_text("in the way")
    assert "cannot be written" in one_sentence(fetch(siuo, code=2))


PICTURES = {f"images/S-{number:02}.png": PNG + bytes([number]) for number in range(3)}
ITEM = {"question_id": 1, "image": "S-00.png", "question": "q?", "category": "c", "safety_warning": "w", "reference_answer": "r"}
SIUO = {"siuo_gen.json": json.dumps([ITEM]).encode(), **PICTURES}


@pytest.fixture
def siuo_hub(hub: Mirror) -> Mirror:
    hub.commits = {SIUO_PIN: dict(SIUO)}
    hub.large = frozenset(PICTURES)
    return hub


def test_siuo_comes_with_its_pictures_at_the_pinned_commit(siuo: Siuo, siuo_hub: Mirror) -> None:
    done = fetch(siuo, "--accept-changed", name="siuo")
    assert there(siuo, "siuo") == {*SIUO, "source.json"}
    assert record(siuo, "siuo")["commit"] == SIUO_PIN
    assert "CC BY-NC 4.0" in done.err
    assert "siuo_mcqa.json is not in this copy" in done.out
    checked = siuo("data", "check", "siuo", "--data", "data").out
    assert "1 of 1" in checked
    assert "all 4 fetched files are as they came" in checked
    assert "siuo_gen.json is not the released file" in checked


def test_a_file_that_is_not_the_released_one_is_refused_with_both_hashes(siuo: Siuo, siuo_hub: Mirror) -> None:
    said = one_sentence(fetch(siuo, code=2, name="siuo"))
    assert hashlib.sha256(SIUO["siuo_gen.json"]).hexdigest() in said
    assert "0a65c3443e75d0d6106550d73100753f19fe9fcb415e6ea138d5c7f04d31f228" in said
    assert "--accept-changed" in said
    assert "siuo_gen.json" not in there(siuo, "siuo")
    siuo_hub.seen.clear()
    fetch(siuo, "--accept-changed", name="siuo")
    assert len(siuo_hub.seen) == 1, "what had come and was proved is not fetched again"
    assert record(siuo, "siuo")["not_the_released"] == ["siuo_gen.json"]


def test_names_that_lead_out_of_the_folder_are_not_taken(siuo: Siuo, siuo_hub: Mirror) -> None:
    for name in ("images/../up.png", "images/..", "images/deeper/x.png", "../out.png", "images/a\\b.png"):
        siuo_hub.commits[SIUO_PIN][name] = b"x"
    fetch(siuo, "--accept-changed", name="siuo")
    assert there(siuo, "siuo") == {*SIUO, "source.json"}
    assert not (siuo.folder / "data" / "up.png").exists()


def test_a_commit_other_than_the_pinned_one_is_refused(siuo: Siuo, siuo_hub: Mirror) -> None:
    siuo_hub.info_is = json.dumps({**(siuo_hub.listing(SIUO_PIN) or {}), "sha": NEW})
    assert NEW in one_sentence(fetch(siuo, "--accept-changed", name="siuo", code=2))


def test_the_released_chinese_file_is_proved(siuo: Siuo, hub: Mirror, shared: Path) -> None:
    released = (shared / "upstream-data" / "chinese_safetyqa.jsonl").read_bytes()
    hub.commits = {CSQA_PIN: {"chinese_safetyqa.jsonl": released, "chinese_safetyqa.csv": b"not taken"}}
    err = fetch(siuo, name="csqa").err
    assert "MIT" in err
    assert "CC BY-NC-SA 4.0" in err
    assert there(siuo, "csqa") == {"chinese_safetyqa.jsonl", "source.json"}
    assert record(siuo, "csqa")["not_the_released"] == []
    assert "2,000" in siuo("data", "check", "csqa", "--data", "data").out.replace("2000", "2,000")


def test_released_files_from_a_checkout_stay_and_only_the_rest_is_fetched(siuo: Siuo, siuo_hub: Mirror, shared: Path) -> None:
    folder = siuo.folder / "data" / "siuo"
    folder.mkdir(parents=True)
    released = (shared / "upstream-data" / "siuo_gen.json").read_bytes()
    (folder / "siuo_gen.json").write_bytes(released)
    assert "3 files, 1 there already" in fetch(siuo, name="siuo").out
    assert (folder / "siuo_gen.json").read_bytes() == released


def test_list_and_check_say_where_the_data_are_and_ask_nobody(siuo: Siuo, hub: Mirror) -> None:
    fetch(siuo)
    hub.seen.clear()
    listed = siuo("data", "list", "--data", "data").out
    assert "siuo data fetch siuo" in listed
    checked = siuo("data", "check", "--data", "data").out
    assert str(Path("data/usb")) in checked
    assert "siuo data fetch csqa" in checked
    assert "siuo data fetch siuo" in checked
    assert f"fetched from cgjacklin/USB at {OLD[:12]}" in checked
    assert hub.seen == []


def test_list_offers_an_import_only_of_what_an_import_brings(siuo: Siuo) -> None:
    listed = siuo("data", "list").out
    assert "not here; get it with `siuo data fetch usb` (after its terms are accepted there), or download it by hand" in listed
    assert "siuo data import csqa PATH" in listed
    assert "siuo data import usb" not in listed


def test_each_data_set_of_a_flat_folder_is_listed_with_its_own_licence(siuo: Siuo, shared: Path) -> None:
    (siuo.folder / "data").mkdir()
    for name in ("siuo_gen.json", "siuo_mcqa.json", "chinese_safetyqa.jsonl"):
        (siuo.folder / "data" / name).write_bytes((shared / "upstream-data" / name).read_bytes())
    (siuo.folder / "data" / "USB_base_final.csv").write_bytes(USB["USB_base_final.csv"])
    listed = siuo("data", "list").out.splitlines()
    licences = {line.partition(":")[0]: licence for line, licence in zip(listed, listed[2:], strict=False)}
    said = {"siuo-gen": "CC BY-NC 4.0", "siuo-mcqa": "CC BY-NC 4.0", "usb-base": "Apache-2.0", "csqa-qa": "MIT"}
    assert [name for name, licence in said.items() if licence not in licences[name]] == []


def test_a_check_looks_for_released_prompts_where_a_run_does(siuo: Siuo) -> None:
    (siuo.folder / "elsewhere").mkdir()
    (siuo.folder / "elsewhere" / "chinese_safetyqa.csv").write_text("cate,question\n")
    place = siuo.folder / "mine" / "csqa" / "prompts.json"
    place.parent.mkdir(parents=True)
    place.write_text("{")
    out = siuo("data", "check", "csqa", "--data", "elsewhere", env={"SIUO_DATA": "mine"}, code=2).out
    assert "released prompts: mine/csqa/prompts.json: is damaged" in out


@pytest.mark.parametrize("name, file", [("siuo", "siuo_gen.json"), ("siuo", "siuo_mcqa.json"), ("csqa", "chinese_safetyqa.jsonl")])
def test_data_that_cannot_be_used_are_told_and_are_exit_2(siuo: Siuo, name: str, file: str) -> None:
    folder = siuo.folder / "data" / name
    folder.mkdir(parents=True)
    (folder / file).write_text("[{")
    for words in ((name,), ()):
        done = siuo("data", "check", *words, "--data", "data", code=2)
        assert f"{file}: " in done.out
        assert "broken JSON" in done.out
        assert "released prompts: not imported" in done.out


def test_a_table_without_its_pictures_is_exit_2(siuo: Siuo) -> None:
    fetch(siuo)
    (siuo.folder / "data" / "usb" / "img.zip").unlink()
    assert "holds the table but neither img.zip" in siuo("data", "check", "usb", "--data", "data", code=2).out


def test_an_unknown_name_is_told_with_the_known_ones(siuo: Siuo) -> None:
    for command in ("fetch", "check"):
        assert "siuo, usb, csqa" in one_sentence(siuo("data", command, "nope", code=2))
    assert "siuo, usb, csqa" in one_sentence(siuo("data", "import", "nope", ".", code=2))


@pytest.mark.parametrize("name", ["siuo", "usb", "csqa"])
def test_a_folder_that_is_no_checkout_is_told(siuo: Siuo, name: str) -> None:
    (siuo.folder / "empty").mkdir()
    assert "checkout" in one_sentence(siuo("data", "import", name, "empty", "--to", "data", code=2))
    assert not (siuo.folder / "data").exists()


def test_pictures_are_for_siuo_alone(siuo: Siuo) -> None:
    assert "--images" in one_sentence(siuo("data", "import", "usb", ".", "--images", ".", code=2))


def test_data_commands_load_no_network_library() -> None:
    code = (
        "import sys, siuo_async.cli.data_commands, siuo_async.benchmarks.data.fetch;"
        "sys.exit(bool({'huggingface_hub', 'httpx', 'httpx2', 'aiohttp'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_fetched_files_can_be_read_by_others_as_the_umask_says(siuo: Siuo) -> None:
    fetch(siuo)
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE((siuo.folder / "data" / "usb" / "img.zip").stat().st_mode) == 0o666 & ~mask
