"""`siuo data list|check|fetch|import`: where the benchmarks' data are, and how they come here."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

if TYPE_CHECKING:
    from siuo_async.benchmarks.data.fetch import Plan
    from siuo_async.benchmarks.data.hub import Tell
    from siuo_async.benchmarks.data.sources import Source
    from siuo_async.benchmarks.prompts.released_prompts import ImportReport

app = typer.Typer(help="Find, check, fetch and import the benchmarks' data.", no_args_is_help=True, rich_markup_mode=None)
Data = Annotated[Optional[Path], typer.Option("--data", help="Folder of the data (default: SIUO_DATA, ./data, the user's folder).")]  # noqa: UP045
To = Annotated[Optional[Path], typer.Option("--to", help="Folder to put them into (default: SIUO_DATA, else the user's data folder).")]  # noqa: UP045
NAMES = "siuo, usb or csqa"


@app.command("list")
def list_benchmarks(data: Data = None) -> None:
    """List the benchmarks, whether their data are here, under which licence, and what to do next."""
    from siuo_async.benchmarks.catalogue import BENCHMARKS
    from siuo_async.cli.output import say

    for name, what in BENCHMARKS.items():
        say(f"{name}: {what}", to_stderr=False)
        for line in _where(name, data):
            say(f"    {line}", to_stderr=False)


@app.command()
def check(
    name: Annotated[Optional[str], typer.Argument(metavar="NAME", help=f"{NAMES} (default: all).")] = None,  # noqa: UP045
    data: Data = None,
) -> None:
    """Say what is there, what is missing, and how to get it; exit code 2 where what is there cannot be used."""
    from siuo_async.benchmarks.data.data_folders import find_data
    from siuo_async.benchmarks.data.sources import find_source, sources
    from siuo_async.cli.output import say
    from siuo_async.errors import DataError

    usable = True
    for source in [find_source(name)] if name is not None else sources().values():
        try:
            folder = find_data(data, source.name)
        except DataError as error:
            if name is not None:
                raise
            lines = [str(error)]  # nobody needs all of them
        else:
            lines, fit = _found(source, folder)
            usable = usable and fit
        if name is None:
            say(f"{source.name}: {source.title}", to_stderr=False)
        for line in lines:
            say(line if name is not None else f"    {line}", to_stderr=False)
    if not usable:
        raise typer.Exit(DataError.exit_code)


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help=NAMES)],
    to: To = None,
    revision: Annotated[Optional[str], typer.Option(help="Commit, tag or branch (default: the recorded, else the pinned one).")] = None,  # noqa: UP045
    yes: Annotated[bool, typer.Option("--yes", help="Accept the licence without being asked.")] = False,
    accept_changed: Annotated[bool, typer.Option("--accept-changed", help="Take files that are not the released ones.")] = False,
) -> None:
    """Download a benchmark's data from the Hugging Face Hub, prove them by hash, and record where they came from."""
    from siuo_async.benchmarks.data import hub
    from siuo_async.benchmarks.data.datasets import counted
    from siuo_async.benchmarks.data.fetch import fetch as carry_out
    from siuo_async.benchmarks.data.fetch import finished, plan_fetch
    from siuo_async.benchmarks.data.sources import find_source
    from siuo_async.cli.output import say
    from siuo_async.client.accounts import Environment

    source = find_source(name)
    folder = _destination(to) / source.name
    if (record := finished(source, folder, revision)) is not None:
        say(
            f"{folder}: {counted(len(record.files), 'file')} there as fetched (commit {record.commit[:12]}); nothing to do",
            to_stderr=False,
        )
        return
    _show(source)
    _can_be_asked(source, yes)
    token = Environment(os.environ, Path(".env")).key("HF_TOKEN")
    try:
        plan = plan_fetch(source, folder, revision, token=token)
        if plan.to_fetch:
            _agree(plan, yes)
        with _progress(plan) as tell:
            record = carry_out(plan, tell, accept_changed=accept_changed, token=token)
    finally:
        hub.close()
    say(
        f"fetched into {folder}: {counted(len(plan.to_fetch), 'file')}, {len(plan.there)} there already; {source.repo} at "
        f"{record.commit}, every file proved",
        to_stderr=False,
    )
    for absent in plan.absent:
        if not (folder / absent).exists():
            say(f"{absent} is not in this copy; `siuo data import {source.name} PATH` takes it from a checkout", to_stderr=False)


@app.command("import")
def import_data(
    name: Annotated[str, typer.Argument(metavar="NAME", help=NAMES)],
    path: Annotated[Path, typer.Argument(help="Your checkout of the benchmark's repository.")],
    images: Annotated[Optional[Path], typer.Option(help="Folder of SIUO's pictures, which the repository does not hold.")] = None,  # noqa: UP045
    to: To = None,
) -> None:
    """Copy data and pictures from a checkout, and read the released prompts out of the sources without running them."""
    from siuo_async.benchmarks.data.sources import find_source
    from siuo_async.benchmarks.prompts.released_prompts import import_csqa, import_siuo, import_usb
    from siuo_async.errors import ConfigError

    source = find_source(name)
    if images is not None and source.name != "siuo":
        raise ConfigError(f"--images is for siuo alone; leave it out for {source.name}")
    destination = _destination(to)
    if source.name == "siuo":
        found = import_siuo(path, images, destination)
    else:
        found = (import_usb if source.name == "usb" else import_csqa)(path, destination)
    _tell_imported(source, found)


def _where(benchmark: str, data: Path | None) -> Iterator[str]:
    """Where a benchmark's data are, and the next command."""
    from siuo_async.benchmarks.data.data_folders import OTHER_WAY, bundled_demo, find_data
    from siuo_async.benchmarks.data.datasets import find_file
    from siuo_async.benchmarks.data.fetch import licence_of
    from siuo_async.benchmarks.data.sources import source_of
    from siuo_async.errors import DataError

    source = source_of(benchmark)
    if source is None:
        yield f"{bundled_demo()}; next: `siuo {benchmark}`"
        return
    try:
        names = source.benchmarks[benchmark]
        folder = find_data(data, source.name, names)
    except DataError:
        gated = " (after its terms are accepted there)" if source.gated else ""
        yield f"not here; get it with `siuo data fetch {source.name}`{gated}, or {OTHER_WAY[source.name]}"
        yield f"licence: {source.licence}"
        return
    yield f"{folder}; next: `siuo run {benchmark} -m PROVIDER/MODEL`, or `siuo data check {source.name}`"
    yield f"licence: {licence_of(source, find_file(folder, names))}"


def _found(source: Source, folder: Path) -> tuple[list[str], bool]:
    """What there is of a data set in `folder`, and whether all of it can be used."""
    from siuo_async.errors import DataError

    lines, usable = [f"folder: {folder}"], True
    for part in _parts(source, folder):
        try:
            lines += part()
        except DataError as error:
            lines.append(str(error))
            usable = False
    return lines, usable


def _parts(source: Source, folder: Path) -> list[Callable[[], list[str]]]:
    """What describes each part of a data set; one that cannot be used raises DataError."""
    from siuo_async.benchmarks.data.csqa_data import describe_csqa
    from siuo_async.benchmarks.data.fetch import describe_source
    from siuo_async.benchmarks.data.siuo_data import describe_siuo_gen, describe_siuo_mcqa, describe_siuo_pictures
    from siuo_async.benchmarks.data.usb_data import BASE_FILE, HARD_FILE, describe_usb
    from siuo_async.benchmarks.prompts.released_prompts import describe_prompts

    parts: Mapping[str, list[Callable[[], list[str]]]] = {
        "siuo": [
            lambda: describe_siuo_gen(folder),
            lambda: describe_siuo_mcqa(folder),
            lambda: describe_siuo_pictures(folder),
            lambda: [describe_prompts("siuo", folder)],
        ],
        "usb": [
            lambda: describe_usb(folder, BASE_FILE),
            lambda: describe_usb(folder, HARD_FILE),
            lambda: [describe_prompts("usb", folder)],
        ],
        "csqa": [lambda: describe_csqa(folder), lambda: [describe_prompts("csqa", folder)]],
    }
    return [*parts[source.name], lambda: describe_source(source, folder)]


def _destination(to: Path | None) -> Path:
    from siuo_async.benchmarks.data.data_folders import destination

    return to or destination()


def _show(source: Source) -> None:
    """What is about to be taken, before it is."""
    from siuo_async.cli.output import say

    say(f"{source.title} ({source.paper}), {source.size}")
    say(f"source: {source.page}" + (" (gated: its terms have to be accepted there first)" if source.gated else ""))
    say(f"licence: {source.licence}. {source.notice}")


def _can_be_asked(source: Source, yes: bool) -> None:
    from siuo_async.errors import ConfigError

    if not yes and not sys.stdin.isatty():
        raise ConfigError(f"nobody can be asked here whether the licence is accepted; add --yes to `siuo data fetch {source.name}`")


def _agree(plan: Plan, yes: bool) -> None:
    """Asks, unless it was said before."""
    from rich.filesize import decimal

    from siuo_async.benchmarks.data.datasets import counted
    from siuo_async.cli.output import say
    from siuo_async.errors import ConfigError

    say(f"{counted(len(plan.to_fetch), 'file')}, {decimal(plan.size)}, of commit {plan.listing.commit[:12]} to {plan.folder}")
    if yes:
        return
    try:
        agreed = typer.confirm("Accept the licence and fetch?", err=True)
    except typer.Abort:
        agreed = False
    if not agreed:
        raise ConfigError("the licence was not accepted, so nothing was fetched")


@contextlib.contextmanager
def _progress(plan: Plan) -> Iterator[Tell]:
    """A bar on a terminal, silence elsewhere."""
    from siuo_async.cli.output import console

    if not sys.stderr.isatty() or not plan.to_fetch:
        yield lambda bytes_: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console(to_stderr=True)) as progress:
        task = progress.add_task("", total=plan.size)
        yield lambda bytes_: progress.advance(task, bytes_)


def _tell_imported(source: Source, found: ImportReport) -> None:
    from siuo_async.benchmarks.data.datasets import counted
    from siuo_async.cli.output import say

    what = {
        "siuo": f"data, prompts (proved by hash), {counted(found.copied, 'picture')} copied, {found.kept} there already",
        "usb": f"prompts (proved by hash); its data are not in the repository: `siuo data fetch {source.name}` gets them",
        "csqa": "data, prompts (proved by hash)",
    }[source.name]
    say(f"imported into {found.folder}: {what}", to_stderr=False)
    for sentence in found.unproved:
        say(sentence, to_stderr=False)
    if found.missing:
        say(
            f"missing: {counted(len(found.missing), 'picture')}, the first is {found.missing[0]}; give their folder with --images, "
            f"or `siuo data fetch {source.name}` gets them",
            to_stderr=False,
        )
