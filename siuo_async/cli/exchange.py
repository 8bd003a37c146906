"""What `siuo import` and `siuo export` say of what they did."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from siuo_async.cli.finding import find_run
from siuo_async.cli.output import console, say
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.engine.summary import COMPLETE, INCOMPLETE_VERDICTS, exit_code, warnings
from siuo_async.exchange.importing import FILE, Order, make_run
from siuo_async.report.exports import export_run
from siuo_async.report.render import to_terminal


def imported(order: Order) -> int:
    """Imports, reports; the exit code: 4 where something is suspect, pending or could not be read."""
    done = make_run(order)
    for sentence in done.suspects.sentences():
        say(f"suspect: {sentence}")
    if done.suspects:
        say(f"the whole list is in {done.directory.path / FILE}")
    to_terminal(console(), done.summary, done.metrics, warnings(done.summary))
    path = done.directory.path
    say("", to_stderr=False)
    say(f"{done.answers} answers and {done.verdicts} verdicts imported, nothing sent · {path}", to_stderr=False)
    if not done.summary["scored"]:
        say(f"`siuo judge {path} --judge PROVIDER/MODEL` has them judged", to_stderr=False)
    lacking = exit_code(done.summary["models"], scored=done.summary["scored"])
    return INCOMPLETE_VERDICTS if done.suspects or lacking else COMPLETE


def exported(
    run: str,
    results: Path,
    *,
    form: str | None,
    labels: Sequence[str],
    folder: Path | None,
    force: bool,
    reference: str | None = None,
) -> None:
    """Exports, reports."""
    directory = RunDirectory(find_run(run, results))
    done = export_run(directory, form=form, labels=labels, folder=folder, force=force, reference=reference)
    say(done.protocol_line, to_stderr=False)
    for file in done.files:
        say(str(file), to_stderr=False)
    for note in done.notes:
        say(f"note: {note}")
