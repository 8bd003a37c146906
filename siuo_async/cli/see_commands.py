"""`siuo score`, `report`, `check`, `ls`: whatever only looks at runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

Results = Annotated[Path, typer.Option(help="The folder of runs.")]
Runs = Annotated[list[str], typer.Argument(help="Runs, by path or by name.")]


def score(
    run: Annotated[str, typer.Argument(help="A run, by path or by name.")],
    results: Results = Path("results"),
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON on stdout.")] = False,
) -> None:
    """Compute a run's numbers again from its journal; never sends anything."""
    from siuo_async.cli.looking import scored

    raise typer.Exit(scored(run, results, as_json=as_json))


def report(
    runs: Runs,
    results: Results = Path("results"),
    form: Annotated[str, typer.Option("--format", help="terminal, markdown or json.")] = "terminal",
    published: Annotated[
        bool, typer.Option("--published", help="Beside each run the published figures, and why they may not be compared.")
    ] = False,
    reference: Annotated[Optional[str], typer.Option(help="Compare all models with the one of this label.")] = None,  # noqa: UP045
    html: Annotated[bool, typer.Option("--html", help="Write a page that needs nothing else, into the run's directory.")] = False,
    to: Annotated[Optional[Path], typer.Option(help="With --html: the file to write.", metavar="FILE")] = None,  # noqa: UP045
    no_content: Annotated[
        bool, typer.Option("--no-content", help="With --html: no questions, answers, judges' texts or pictures inside.")
    ] = False,
) -> None:
    """Show runs as tables, Markdown, JSON or a page; works on a run that is still going."""
    if html:
        from siuo_async.cli.paging import paged

        raise typer.Exit(paged(runs, results, to, content=not no_content, reference=reference))
    if to or no_content:
        from siuo_async.errors import ConfigError

        raise ConfigError(f"{'--to' if to else '--no-content'} is for pages; add --html")
    from siuo_async.cli.reporting import reported

    raise typer.Exit(reported(runs, results, form, published=published, reference=reference))


def check(
    run: Annotated[str, typer.Argument(help="A run, by path or by name.")],
    repair: Annotated[bool, typer.Option("--repair", help="Move damaged lines aside; their calls are made again.")] = False,
    results: Results = Path("results"),
) -> None:
    """Look for damage in a run's files."""
    from siuo_async.cli.looking import checked

    raise typer.Exit(checked(run, results, repair=repair))


def list_runs(results: Results = Path("results")) -> None:
    """List the runs here, newest first."""
    from siuo_async.cli.looking import listed

    raise typer.Exit(listed(results))
