from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from siuo_async.benchmarks.data import data_folders
from siuo_async.benchmarks.data.data_folders import bundled_demo, destination, find_data, prompts_folders, user_data_folder
from siuo_async.errors import DataError


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, an empty user data folder and no `SIUO_DATA`."""
    monkeypatch.delenv("SIUO_DATA", raising=False)
    monkeypatch.setattr(platformdirs, "user_data_path", lambda name: tmp_path / "home" / name)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def put(folder: Path, file: str = "siuo_gen.json") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text("[]")
    return folder


@pytest.mark.parametrize("inside", ["", "siuo", "data"])
def test_data_are_found_in_the_named_folder_or_below_it(places: Path, inside: str) -> None:
    folder = put(places / "named" / inside)
    assert find_data(places / "named", "siuo") == folder


def test_a_named_file_is_taken_as_it_is(places: Path) -> None:
    file = put(places / "named") / "siuo_gen.json"
    assert find_data(file, "siuo") == file


def test_the_named_place_wins_over_the_environment(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIUO_DATA", str(put(places / "environment")))
    assert find_data(put(places / "named"), "siuo") == places / "named"


def test_the_environment_wins_over_the_working_folder(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(places / "work" / "data" / "siuo")
    monkeypatch.setenv("SIUO_DATA", str(put(places / "environment")))
    assert find_data(None, "siuo") == places / "environment"


def test_the_working_folder_wins_over_the_users_folder(places: Path) -> None:
    put(user_data_folder() / "siuo")
    put(places / "work" / "data" / "siuo")
    assert find_data(None, "siuo") == Path("data/siuo")


def test_the_users_folder_comes_last() -> None:
    folder = put(user_data_folder() / "siuo")
    assert find_data(None, "siuo") == folder


def test_a_named_place_without_data_is_never_replaced_in_silence(places: Path) -> None:
    put(places / "work" / "data" / "siuo")
    with pytest.raises(DataError, match="named"):
        find_data(places / "named", "siuo")


def test_an_environment_without_data_is_never_replaced_in_silence(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(places / "work" / "data" / "siuo")
    monkeypatch.setenv("SIUO_DATA", str(places / "environment"))
    with pytest.raises(DataError, match="environment"):
        find_data(None, "siuo")


def test_the_demo_in_the_working_folder_is_never_taken_for_siuo(places: Path) -> None:
    put(places / "work" / "data" / "demo")
    with pytest.raises(DataError):
        find_data(None, "siuo")


def test_every_place_that_was_looked_at_is_named_with_the_next_command() -> None:
    with pytest.raises(DataError) as error:
        find_data(None, "siuo")
    commands = ("siuo data fetch siuo", "siuo data import siuo PATH", "--data")
    for part in ("data/siuo", "siuo_gen.json or siuo_mcqa.json", str(user_data_folder() / "siuo"), *commands):
        assert part in str(error.value)


@pytest.mark.parametrize(
    "name, file",
    [("csqa", "chinese_safetyqa.jsonl"), ("csqa", "chinese_safetyqa.csv"), ("usb", "USB_hard_final.csv"), ("siuo", "siuo_mcqa.json")],
)
def test_each_data_set_has_its_own_folder_and_is_known_by_any_of_its_files(places: Path, name: str, file: str) -> None:
    folder = put(places / "named" / name, file)
    assert find_data(places / "named", name) == folder


def test_a_file_that_is_needed_is_not_replaced_by_another_of_the_data_set(places: Path) -> None:
    put(places / "work" / "data" / "usb", "USB_base_final.csv")
    folder = put(user_data_folder() / "usb", "USB_hard_final.csv")
    assert find_data(None, "usb", ["USB_hard_final.csv"]) == folder


@pytest.mark.parametrize("name, command", [("usb", "siuo data fetch usb"), ("csqa", "siuo data import csqa PATH")])
def test_data_that_are_not_there_are_answered_with_the_command_that_gets_them(name: str, command: str) -> None:
    with pytest.raises(DataError, match=command):
        find_data(None, name)


def test_the_repository_of_usb_has_no_data_to_import() -> None:
    with pytest.raises(DataError) as error:
        find_data(None, "usb")
    assert "siuo data import usb" not in str(error.value)


def test_released_prompts_are_looked_for_beside_the_data_and_then_where_an_import_puts_them(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = put(places / "named") / "siuo_gen.json"
    assert prompts_folders(places / "named", "siuo") == (places / "named", user_data_folder() / "siuo")
    monkeypatch.setenv("SIUO_DATA", str(places / "environment"))
    assert prompts_folders(file, "siuo") == (places / "named", places / "environment" / "siuo")
    assert destination() == places / "environment"


def test_the_packaged_demo_wins_over_that_of_the_repository(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_folders, "_PACKAGE", places / "siuo_async")
    put(places / "data" / "demo")
    assert bundled_demo() == places / "data" / "demo"
    put(places / "siuo_async" / "_data" / "demo")
    assert bundled_demo() == places / "siuo_async" / "_data" / "demo"


def test_an_installation_without_the_demo_says_so(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_folders, "_PACKAGE", places / "siuo_async")
    with pytest.raises(DataError, match="install the package again"):
        bundled_demo()
