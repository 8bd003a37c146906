"""`siuo data list|check|import`: where the benchmarks' data are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

app = typer.Typer(help="Find, check and import the benchmarks' data.", no_args_is_help=True, rich_markup_mode=None)
Data = Annotated[Optional[Path], typer.Option("--data", help="Folder of the data (default: SIUO_DATA, ./data, the user's folder).")]  # noqa: UP045


@app.command("list")
def list_benchmarks(data: Data = None) -> None:
    """List the benchmarks and whether their data are here."""
    from siuo_async.benchmarks.catalogue import BENCHMARKS, DEMO
    from siuo_async.benchmarks.data_folders import bundled_demo, find_data
    from siuo_async.cli.output import say
    from siuo_async.errors import DataError

    for name, what in BENCHMARKS.items():
        try:
            where = str(bundled_demo() if name == DEMO else find_data(data))
        except DataError:
            where = "not here; `siuo data import siuo PATH` imports them from a checkout"
        say(f"{name}: {what}\n    {where}", to_stderr=False)


@app.command()
def check(
    benchmark: Annotated[str, typer.Argument(help="siuo")] = "siuo",
    data: Data = None,
) -> None:
    """Say what is there, what is missing, and how to get it."""
    from siuo_async.benchmarks.data_folders import find_data
    from siuo_async.benchmarks.released_prompts import check_data
    from siuo_async.cli.output import say

    _known(benchmark)
    for line in check_data(find_data(data, benchmark)):
        say(line, to_stderr=False)


@app.command("import")
def import_data(
    benchmark: Annotated[str, typer.Argument(help="siuo")],
    path: Annotated[Path, typer.Argument(help="Your checkout of the benchmark's repository.")],
    images: Annotated[Optional[Path], typer.Option(help="Folder of the pictures, which the repository does not hold.")] = None,  # noqa: UP045
    to: Annotated[Optional[Path], typer.Option(help="Folder to import into (default: SIUO_DATA, else the user's data folder).")] = None,  # noqa: UP045
) -> None:
    """Copy data and pictures, and read the released prompts out of the sources without running them."""
    import os

    from siuo_async.benchmarks.data_folders import ENVIRONMENT_VARIABLE, user_data_folder
    from siuo_async.benchmarks.released_prompts import import_siuo
    from siuo_async.cli.output import say

    _known(benchmark)
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    found = import_siuo(path, images, to or (Path(named) if named else user_data_folder()))
    say(
        f"imported into {found.folder}: data, prompts (proved by hash), {found.copied} pictures copied, {found.kept} were there",
        to_stderr=False,
    )
    if found.missing:
        say(
            f"{len(found.missing)} pictures are missing, the first is {found.missing[0]}; give their folder with --images",
            to_stderr=False,
        )


def _known(benchmark: str) -> None:
    from siuo_async.errors import ConfigError

    if benchmark != "siuo":
        raise ConfigError(f"there are no data called '{benchmark}'; there is: siuo")
