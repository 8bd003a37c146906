"""Says where benchmark data live: a place that was named, else `./data`, else the user's data folder.

A named place (`--data`, `SIUO_DATA`) is final: falling back from it in silence would measure other data than was asked for.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from siuo_async.errors import DataError

ENVIRONMENT_VARIABLE = "SIUO_DATA"
_PACKAGE = Path(__file__).resolve().parent.parent


def user_data_folder() -> Path:
    """Where the user's imported data go; need not exist yet."""
    return platformdirs.user_data_path("siuo")


def find_data(explicit: Path | None, benchmark_folder: str = "siuo", *, file: str = "siuo_gen.json") -> Path:
    """The folder (or, where a file was named, the file) of a benchmark's data.

    Looked at, in this order: `explicit` alone if given, else `SIUO_DATA` alone if set, else `./data`, then the user's data folder.
    In each of them `file` may stand in it, in its `data/` (a checkout) or in its `benchmark_folder`.

    Raises:
        DataError: in none of them; every place that was looked at is named, and the next command.
    """
    if explicit is not None and explicit.is_file():
        return explicit
    looked_at = []
    for base in _bases(explicit):
        for folder in (base, base / "data", base / benchmark_folder):
            if (folder / file).is_file():
                return folder
            looked_at.append(folder)
    places = ", ".join(map(str, looked_at))
    raise DataError(
        f"there is no {file} in {places}; import it with `siuo data import {benchmark_folder} PATH` (PATH: your checkout), "
        "or say where it is with --data PATH"
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
