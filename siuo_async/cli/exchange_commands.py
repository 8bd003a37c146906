"""`siuo import`, `siuo export`: runs from files of others, files for others from runs. Neither ever sends anything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

_FORMATS = "csv, jsonl, markdown, latex; of the benchmark's own scripts siuo, csqa-xlsx or csqa-csv (default, where there is one)."
Results = Annotated[Path, typer.Option(help="The folder of runs.")]


def import_(
    file: Annotated[list[Path], typer.Argument(help="SIUO result files (or folders of them), or tables of Chinese SafetyQA.")],
    label: Annotated[str, typer.Option(help="What the model is called in tables.")],
    benchmark: Annotated[Optional[str], typer.Option(help="Default: told from the files.")] = None,  # noqa: UP045
    data: Annotated[Optional[Path], typer.Option(help="Folder of the benchmark's data.")] = None,  # noqa: UP045
    images: Annotated[Optional[Path], typer.Option(help="Folder of the pictures, where it is not beside the data.")] = None,  # noqa: UP045
    missing_images: Annotated[Optional[str], typer.Option(help="error (default) or skip.")] = None,  # noqa: UP045
    answers: Annotated[Optional[int], typer.Option(min=1, max=64, help="Answers per sample that are scored.")] = None,  # noqa: UP045
    protocol: Annotated[Optional[str], typer.Option(help="corrected (default) or released (multiple choice: always).")] = None,  # noqa: UP045
    prompts: Annotated[Optional[str], typer.Option(help="own or released (default once imported).")] = None,  # noqa: UP045
    judge_label: Annotated[str, typer.Option(help="What the judge of the file's verdicts is called.")] = "judge",
    keep_errors: Annotated[bool, typer.Option("--keep-errors", help="Take error texts for answers.")] = False,
    name: Annotated[Optional[str], typer.Option(help="Name of the run (default: import-LABEL).")] = None,  # noqa: UP045
    fresh: Annotated[bool, typer.Option("--fresh", help="Into a new folder, though there is such a run.")] = False,
    results: Results = Path("results"),
) -> None:
    """Make a run of answers that were made elsewhere, and list what looks wrong with them. Sends nothing."""
    from siuo_async.cli.exchange import imported
    from siuo_async.exchange.importing import Order

    order = Order(
        files=tuple(file),
        label=label,
        benchmark=benchmark,
        protocol=protocol,
        prompts=prompts,
        judge_label=judge_label,
        answers=answers,
        data=data,
        images=images,
        missing_images=missing_images,
        name=name,
        results=results,
        fresh=fresh,
        keep_errors=keep_errors,
    )
    raise typer.Exit(imported(order))


def export(
    run: Annotated[str, typer.Argument(help="A run, by path or by name.")],
    form: Annotated[Optional[str], typer.Option("--format", help=_FORMATS)] = None,  # noqa: UP045
    model: Annotated[list[str], typer.Option("--model", help="Only the model with this label; may be repeated.")] = [],  # noqa: B006
    to: Annotated[Optional[Path], typer.Option(help="Folder to write to (default: export/ in the run).")] = None,  # noqa: UP045
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    reference: Annotated[Optional[str], typer.Option(help="Compare all models with the one of this label (markdown, latex).")] = None,  # noqa: UP045
    results: Results = Path("results"),
) -> None:
    """Write a run as tables, for a paper, or as the authors' scripts read it. Sends nothing."""
    from siuo_async.cli.exchange import exported

    exported(run, results, form=form, labels=model, folder=to, force=force, reference=reference)
