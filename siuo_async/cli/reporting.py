"""`siuo report`: runs as tables, Markdown or JSON, each with what comparing its models gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

from siuo_async.analysis.gathered import gather
from siuo_async.cli.finding import find_run
from siuo_async.cli.output import console, print_json, say
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.errors import ConfigError
from siuo_async.report.dossier import Dossier, as_json, dossier
from siuo_async.report.published import no_board, published_for, published_grids, published_json
from siuo_async.report.render import to_markdown, to_terminal
from siuo_async.report.text import tame
from siuo_async.values import Json

FORMATS = ("terminal", "markdown", "json")


def dossiers(runs: Sequence[str], results: Path, *, reference: str | None = None) -> list[Dossier]:
    """What is reported of each run; any of them may still be going on.

    Args:
        reference: the label that all other models are compared with.

    Raises:
        ConfigError: a run has no model of this label.
        RunDirectoryError: there is no such run, or it cannot be read.
    """
    places = [RunDirectory(find_run(run, results)) for run in runs]  # a mistyped one is told before anything is worked out
    return [dossier(gather(place), reference=reference) for place in places]


def reported(runs: Sequence[str], results: Path, form: str, *, published: bool = False, reference: str | None = None) -> int:
    """Prints runs, one after another; `published`: each with the figures that others published."""
    must_be_a_format(form)
    found = dossiers(runs, results, reference=reference)
    if published:
        for benchmark in dict.fromkeys(each.run.plan.benchmark.name for each in found):
            if not published_for(benchmark):
                say(no_board(benchmark))
    if form == "json":
        every = [_as_json(each, published=published) for each in found]
        print_json(every[0] if len(every) == 1 else every)
        return 0
    for number, each in enumerate(found):
        if number:
            console().file.write("\n")
        show(each, form, published=published)
    for hint in _comparable(found):
        say(hint)
    return 0


def must_be_a_format(form: str) -> None:
    """Raises ConfigError for what no report is written as."""
    if form not in FORMATS:
        raise ConfigError(f"there is no format '{form}'; choose {', '.join(FORMATS)}")


def show(found: Dossier, form: str = "terminal", *, published: bool = False) -> None:
    """Prints one run."""
    summary, metrics = found.run.summary, found.run.plan.benchmark.metrics
    beside = published_grids(tame(summary)) if published else ()
    if form == "markdown":
        page = to_markdown(summary, metrics, found.warnings, beside, comparison=found.comparison, agreements=found.agreements)
        console().file.write(page)
    else:
        to_terminal(console(), summary, metrics, found.warnings, beside, comparison=found.comparison, agreements=found.agreements)


def _as_json(found: Dossier, *, published: bool) -> dict[str, Json]:
    boards = {"published": published_json(found.run.summary)} if published else {}
    return {**as_json(found), **boards}


def _comparable(found: Sequence[Dossier]) -> Iterator[str]:
    """Tables that stand below each other invite to compare without a test."""
    for a, b in combinations(found, 2):
        if a.run.plan.benchmark.name == b.run.plan.benchmark.name:
            paths = f"{a.run.directory.path} {b.run.directory.path}"
            yield f"of one benchmark: `siuo compare {paths}` says what differs between the two, and whether by more than chance"
            return
