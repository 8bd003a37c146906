"""`siuo label`: answers for people to label, as pages, and the key that stays in the run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from siuo_async.cli.see_commands import Results


def label(
    run: Annotated[str, typer.Argument(help="A run, by path or by name.")],
    n: Annotated[int, typer.Option("--n", min=1, help="How many answers to draw (with --whole: samples).")] = 100,
    annotators: Annotated[int, typer.Option(min=1, max=20, help="How many people; each gets a page of their own.")] = 2,
    overlap: Annotated[
        float, typer.Option(min=0, max=1, help="The share of answers that everybody labels; the rest is dealt out.")
    ] = 1.0,
    whole: Annotated[
        bool, typer.Option("--whole", help="Draw samples with all their answers, so that votes can be corrected too.")
    ] = False,
    seed: Annotated[int, typer.Option(help="The same seed draws the same answers.")] = 0,
    to: Annotated[Optional[Path], typer.Option(help="Folder for the pages (default: labels/ in the run).")] = None,  # noqa: UP045
    results: Results = Path("results"),
) -> None:
    """Draw answers for people to label: one offline page each, without models and verdicts. Sends nothing."""
    from siuo_async.cli.labels import labelled

    labelled(run, results, n=n, annotators=annotators, overlap=overlap, whole=whole, seed=seed, folder=to)
