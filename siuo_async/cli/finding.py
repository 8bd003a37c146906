"""Which run is meant, by its path, its name, or as the newest one; needs nothing that sends."""

from __future__ import annotations

import os
from pathlib import Path

from siuo_async.client.accounts import IMPORTED
from siuo_async.engine.run_directory import all_runs, finished_at
from siuo_async.errors import RunDirectoryError


def newest_unfinished(results: Path) -> Path:
    """The newest run below `results` that is not complete.

    Raises:
        RunDirectoryError: there is none, or it is somebody else's.
    """
    for run, manifest in all_runs(results):
        asked = (*manifest["models"], *([manifest["judge"]] if manifest.get("judge") else []), *manifest.get("other_judges", ()))
        if finished_at(run) is None and any(participant["provider"] != IMPORTED for participant in asked):
            if run.path.stat().st_uid != os.geteuid():  # its files say where keys go, and which code runs
                raise RunDirectoryError(
                    f"the newest unfinished run, {run.path}, belongs to another user, and to continue it is to do what its files say; "
                    f"`siuo resume {run.path}` does so all the same"
                )
            return run.path
    raise RunDirectoryError(f"no unfinished run below {results}; `siuo ls` lists the runs")


def find_run(text: str, results: Path) -> Path:
    """The run that `text` names: a path, or the name of a directory below `results`.

    Raises:
        RunDirectoryError: there is no such run.
    """
    for path in (Path(text), results / text):
        if (path / "run.json").exists():
            return path
    raise RunDirectoryError(
        f"there is no run {text} (looked for {text}/run.json and {results / text}/run.json); `siuo ls` lists the runs"
    )
