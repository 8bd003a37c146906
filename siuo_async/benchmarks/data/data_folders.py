"""Says where benchmark data live: a place that was named, else `./data`, else the user's data folder.

A named place (`--data`, `SIUO_DATA`) is final: falling back from it in silence would measure other data than was asked for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import platformdirs

from siuo_async.errors import DataError

ENVIRONMENT_VARIABLE = "SIUO_DATA"
DATA_FILES: Mapping[str, tuple[str, ...]] = {
    "siuo": ("siuo_gen.json", "siuo_mcqa.json"),
    "usb": ("USB_base_final.csv", "USB_hard_final.csv"),
    "csqa": ("chinese_safetyqa.jsonl", "chinese_safetyqa.csv"),
}
"""By data set; one of them is enough to know its folder by."""
OTHER_WAY: Mapping[str, str] = {
    "siuo": "import it with `siuo data import siuo PATH` (PATH: your checkout)",
    "usb": "download it by hand (its repository holds no data)",
    "csqa": "import it with `siuo data import csqa PATH` (PATH: your checkout)",
}
"""How a data set comes here without a fetch."""
_PACKAGE = Path(__file__).resolve().parents[2]


def user_data_folder() -> Path:
    """Where the user's imported data go; need not exist yet."""
    return platformdirs.user_data_path("siuo")


def destination() -> Path:
    """The data folder that a fetch or import writes to where none is named."""
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    return Path(named).expanduser() if named else user_data_folder()


def prompts_folders(data: Path, benchmark_folder: str) -> tuple[Path, ...]:
    """Where released prompts are looked for: beside the data, then where an import puts them if it is not told."""
    return (data.parent if data.is_file() else data, destination() / benchmark_folder)


def find_data(explicit: Path | None, benchmark_folder: str, files: Sequence[str] = ()) -> Path:
    """The folder (or, where a file was named, the file) of a benchmark's data.

    Looked at, in this order: `explicit` alone if given, else `SIUO_DATA` alone if set, else `./data`, then the user's data folder.
    In each of them the file may stand in it, in its `data/` (a checkout) or in its `benchmark_folder`.

    Args:
        benchmark_folder: the data set's name, as in `siuo data`: `siuo`, `usb` or `csqa`.
        files: names of the data file, any of which will do; empty takes all that the data set has.

    Raises:
        DataError: in none of them; every place that was looked at is named, and the next command.
    """
    if explicit is not None and explicit.is_file():
        return explicit
    looked_at = []
    names = tuple(files) or DATA_FILES[benchmark_folder]
    for base in _bases(explicit):
        for folder in (base, base / "data", base / benchmark_folder):
            if any((folder / name).is_file() for name in names):
                return folder
            looked_at.append(folder)
    places = ", ".join(map(str, looked_at))
    raise DataError(
        f"there is no {' or '.join(names)} in {places}; get it with `siuo data fetch {benchmark_folder}`, or "
        f"{OTHER_WAY[benchmark_folder]}, or say where it is with --data PATH"
    )


def bundled_demo() -> Path:
    """The folder of the bundled samples: inside the installed package, or in the repository beside it.

    Raises:
        DataError: neither is there (a damaged installation).
    """
    places = (_PACKAGE / "_data" / "demo", _PACKAGE.parent / "data" / "demo")
    for folder in places:
        if folder.is_dir():
            return folder
    raise DataError(f"the bundled samples are missing (looked at {places[0]} and {places[1]}); install the package again")


def _bases(explicit: Path | None) -> tuple[Path, ...]:
    if explicit is not None:
        return (explicit,)
    if named := os.environ.get(ENVIRONMENT_VARIABLE):
        return (Path(named).expanduser(),)
    return (Path("data"), user_data_folder())
