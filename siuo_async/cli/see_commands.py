"""`siuo score`, `report`, `check`, `ls`: whatever only looks at runs."""

from __future__ import annotations

from collections.abc import Sequence
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
    labels: Annotated[
        list[Path], typer.Option("--labels", help="People's labels of one run, as their pages save them: what they correct.")
    ] = [],  # noqa: B006
    html: Annotated[bool, typer.Option("--html", help="Write a page that needs nothing else, into the run's directory.")] = False,
    to: Annotated[Optional[Path], typer.Option(help="With --html: the file to write.", metavar="FILE")] = None,  # noqa: UP045
    no_content: Annotated[
        bool, typer.Option("--no-content", help="With --html: no questions, answers, judges' texts or pictures inside.")
    ] = False,
) -> None:
    """Show runs as tables, Markdown, JSON or a page; works on a run that is still going."""
    given = {"--html": html, "--to": to, "--no-content": no_content, "--reference": reference, "--published": published}
    _must_fit([name for name, value in given.items() if value], form, labels=bool(labels))
    if labels:
        from siuo_async.cli.labels import labels_reported

        raise typer.Exit(labels_reported(runs, results, form, labels))
    if html:
        from siuo_async.cli.paging import paged

        raise typer.Exit(paged(runs, results, to, content=not no_content, reference=reference))
    from siuo_async.cli.reporting import reported

    raise typer.Exit(reported(runs, results, form, published=published, reference=reference))


def _must_fit(given: Sequence[str], form: str, *, labels: bool) -> None:
    """Raises ConfigError where an option would be left unheard: whoever asked for a page must not be shown a table."""
    from siuo_async.errors import ConfigError

    if labels and given:
        raise ConfigError(f"{given[0]} does not go with --labels, whose tables stand alone; leave one of them out")
    if "--html" in given and ("--published" in given or form != "terminal"):
        other = "--published" if "--published" in given else f"--format {form}"
        raise ConfigError(f"{other} does not go with --html, which writes a page; ask for them one after the other")
    if "--html" not in given and (of_pages := [name for name in ("--to", "--no-content") if name in given]):
        raise ConfigError(f"{of_pages[0]} is for pages; add --html")


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="The earlier run, by path or by name.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The later run.")],
    model: Annotated[list[str], typer.Option("-m", "--model", help="A label of both runs, or LABEL_OF_A=LABEL_OF_B.")] = [],  # noqa: B006
    margin: Annotated[Optional[float], typer.Option(min=0, help="Points that B may be worse by; 4 where that is not kept.")] = None,  # noqa: UP045
    metric: Annotated[Optional[str], typer.Option(help="What margin and flips are about (default: the primary one).")] = None,  # noqa: UP045
    drift_check: Annotated[Optional[int], typer.Option(min=1, help="Have N old answers judged again; sends calls.")] = None,  # noqa: UP045
    anyway: Annotated[bool, typer.Option("--anyway", help="Compare in spite of different instruments, and say so.")] = False,
    results: Results = Path("results"),
    form: Annotated[str, typer.Option("--format", help="terminal, markdown or json.")] = "terminal",
) -> None:
    """Compare two runs: what they were measured with, how far each model moved, which samples flipped."""
    from siuo_async.cli.comparing import Wanted, compared

    raise typer.Exit(compared(first, second, results, Wanted(model, metric, margin, anyway, drift_check, form)))


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
