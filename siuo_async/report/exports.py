"""Every format that a run is exported in, behind one function for the command line and the library.

What machines read (rows, the authors' files) is written as the replay gives it, within bounded memory. What papers print needs the
run whole, since models are compared in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from siuo_async.analysis.gathered import gather
from siuo_async.engine import plan as plans
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.errors import ConfigError
from siuo_async.exchange.exporting import FORMATS as FILES
from siuo_async.exchange.exporting import export
from siuo_async.exchange.places import FOLDER, Exported, mark, must_be_free, stem, write
from siuo_async.exchange.row_tables import export_rows
from siuo_async.report.bibtex import references
from siuo_async.report.dossier import Dossier, dossier
from siuo_async.report.latex import categories, leaderboard, pairs
from siuo_async.report.latex_text import PREAMBLE, escaped, in_comment
from siuo_async.report.render import escaped as in_markdown
from siuo_async.report.render import to_markdown

CSV, MARKDOWN, LATEX = "csv", "markdown", "latex"
FORMATS = (CSV, MARKDOWN, LATEX, *FILES)
"""What `siuo export --format` takes."""


def export_run(
    directory: RunDirectory,
    *,
    form: str | None = None,
    labels: Sequence[str] = (),
    folder: Path | None = None,
    force: bool = False,
    reference: str | None = None,
) -> Exported:
    """Writes a run in one of `FORMATS`; it may still be going on, and nothing is sent.

    Args:
        form: None takes the shape of the benchmark's own scripts where there is one, else lines of JSON.
        labels: of the models to write; empty writes all.
        folder: where to; None is the run's own `export/`.
        force: replace files that are there.
        reference: label of the model that the others are compared with, in tables for papers.

    Raises:
        ConfigError: no such format or model, or a file is there already.
        RunDirectoryError: the run cannot be read.
        StoppedEarly: the disk would not take a file.
    """
    if form == CSV:
        return export_rows(plans.from_directory(directory), directory, labels=labels, folder=folder, force=force)
    if form not in (MARKDOWN, LATEX):
        return export(plans.from_directory(directory), directory, form=form, labels=labels, folder=folder, force=force)
    if labels:
        raise ConfigError(f"--format {form} compares all models of a run; leave out --model, or choose another format")
    plan, target = plans.from_directory(directory, samples=False), folder or directory.path / FOLDER
    names = _names(stem(plan), mark(plan), form)
    must_be_free(target, names.values(), force=force)  # before a large run is worked out
    found = dossier(gather(directory), reference=reference)
    contents = {"report": markdown(found)} if form == MARKDOWN else paper(found, names)
    files = write(target, {names[part]: (text.encode(errors="replace"),) for part, text in contents.items()}, force=force)
    pending = [
        f"{model['label']}: {left} samples are pending"
        for model in found.run.summary["models"]
        if (left := model["samples"]["pending"])
    ]
    return Exported(files, tuple(pending), found.run.summary["protocol_line"])


def _names(begin: str, marked: str, form: str) -> dict[str, str]:
    if form == MARKDOWN:
        return {"report": f"{begin}-report{marked}.md"}
    tables = {part: f"{begin}-{part}{marked}.tex" for part in ("leaderboard", "categories", "pairs", "methods", "paper")}
    return {**tables, "words": f"{begin}-methods{marked}.txt", "references": f"{begin}-references{marked}.bib"}


def markdown(found: Dossier) -> str:
    """The report as GitHub Markdown, with how it was made at its end."""
    told = to_markdown(
        found.run.summary,
        found.run.plan.benchmark.metrics,
        found.warnings,
        comparison=found.comparison,
        agreements=found.agreements,
    )
    return f"{told}\n{methods_in_markdown(found)}"


def methods_in_markdown(found: Dossier) -> str:
    """The methods as a section of a Markdown page."""
    return "### Methods\n\n" + "\n\n".join(in_markdown(part) for part in found.methods.strip().split("\n\n")) + "\n"


def paper(found: Dossier, names: Mapping[str, str]) -> dict[str, str]:
    """What a paper takes from a run: tables, how it was made, whom to cite, and a document that holds it all.

    Args:
        names: of the files, by part; the document reads the others.
    """
    summary, metrics = found.run.summary, found.run.plan.benchmark.metrics
    scored = bool(summary["scored"])
    line = in_comment(summary["protocol_line"])
    parts = [escaped(part) for part in found.methods.strip().split("\n\n")]
    return {
        "leaderboard": leaderboard(summary, metrics, found.comparison) if scored else f"{line}\n% Nothing is scored yet.\n",
        "categories": categories(summary, metrics, found.comparison) if scored else f"{line}\n% Nothing is scored yet.\n",
        "pairs": pairs(summary, found.comparison),
        "methods": "\n".join([line, PREAMBLE, "\n\n".join(parts)]) + "\n",
        "paper": _document(names, line),
        "words": found.methods,
        "references": references(found),
    }


def _document(names: Mapping[str, str], line: str) -> str:
    """A document of its own, to look at the tables in, and to take the lines from that a paper needs."""
    read = [f"\\input{{{names[part].removesuffix('.tex')}}}" for part in ("leaderboard", "categories", "pairs", "methods")]
    return "\n".join(
        [
            line,
            "\\documentclass{article}",
            "\\usepackage[margin=2cm]{geometry}",
            "\\usepackage{booktabs}",
            "\\begin{document}",
            *read,
            "\\clearpage",
            "\\nocite{*}",
            "\\bibliographystyle{plain}",
            f"\\bibliography{{{names['references'].removesuffix('.bib')}}}",
            "\\end{document}",
            "",
        ]
    )
