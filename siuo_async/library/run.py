"""`Run`: a run as an object, for programs and notebooks. A snapshot of its directory; nothing is ever sent."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import orjson

from siuo_async.analysis.agreement import Agreement
from siuo_async.analysis.comparison import Comparison
from siuo_async.analysis.gathered import Gathered, gather, gathered
from siuo_async.cli.finding import find_run
from siuo_async.engine.plan import Plan
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.errors import ConfigError
from siuo_async.exchange.rows import (
    TABLES,
    AnswerRow,
    FigureRow,
    ModelRow,
    SampleRow,
    ScoreRow,
    TakeRow,
    VerdictRow,
    answer_rows,
    columns,
    figure_rows,
    judge_label,
    model_row,
    sample_row,
    score_rows,
    take_row,
    verdict_rows,
)
from siuo_async.library.loops import without_a_loop
from siuo_async.report.dossier import Dossier, as_json, dossier
from siuo_async.report.leaderboard import BRACKETS, bounds_lead, cell
from siuo_async.report.text import harmless
from siuo_async.values import Json

if TYPE_CHECKING:
    import pandas as pd

ReportFormat = Literal["text", "markdown", "json", "html"]
_RESULTS = Path("results")


class Run:
    """A run, as its directory stands when it is first looked at.

    A run that still goes on can be looked at too; `Run.load(run.path)` looks anew. What `evaluate` gave keeps the models, samples and
    judge that it was asked for, whatever is added to the directory later.

    Args:
        directory: where it is.
        plan: what was asked; None reads it from the directory.
    """

    def __init__(self, directory: RunDirectory, plan: Plan | None = None) -> None:
        self._directory = directory
        self._plan = plan

    @classmethod
    def load(cls, path: str | Path, results: str | Path = _RESULTS) -> Run:
        """The run at `path`, or of that name below `results`.

        Raises:
            RunDirectoryError: there is none, or it cannot be read.
        """
        found = RunDirectory(find_run(str(path), Path(results)))
        found.manifest()
        return cls(found)

    def __repr__(self) -> str:
        """Where it is."""
        return f"Run({str(self.path)!r})"

    @property
    def path(self) -> Path:
        """Its directory."""
        return self._directory.path

    @cached_property
    def _gathered(self) -> Gathered:
        if (plan := self._plan) is None:
            return without_a_loop(lambda: gather(self._directory))
        return without_a_loop(lambda: asyncio.run(gathered(plan, self._directory)))

    @cached_property
    def _dossier(self) -> Dossier:
        return dossier(self._gathered)

    @property
    def summary(self) -> dict[str, Json]:
        """What stands in `summary.json`, of the run as it is now."""
        return dict(self._gathered.summary)

    @property
    def protocol_line(self) -> str:
        """What was measured, in a line; it says SIMULATED, PARTIAL and IMPORTED where that is so."""
        return str(self._gathered.summary["protocol_line"])

    @property
    def complete(self) -> bool:
        """Whether no sample is pending."""
        return bool(self._gathered.summary["complete"])

    @property
    def models(self) -> tuple[str, ...]:
        """The labels of its models."""
        return self._gathered.labels

    @property
    def primary(self) -> str:
        """The metric that its models are compared by."""
        return str(self._gathered.summary["primary"])

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of its numbers must know, one sentence each."""
        return self._dossier.warnings

    def samples(self) -> list[SampleRow]:
        """The samples that are asked, in that order."""
        return [sample_row(item.sample, place) for place, item in enumerate(self._gathered.items)]

    def takes(self) -> list[TakeRow]:
        """Each sample as each model lived it, pending ones included."""
        prices = self._gathered.plan.prices or {}
        return [
            take_row(label, item.sample, item.takes[label].seen, item.takes[label].calls, prices)
            for label in self.models
            for item in self._gathered.items
            if label in item.takes
        ]

    def answers(self) -> list[AnswerRow]:
        """Every answer of a finished sample."""
        return [row for label, sample, seen in self._seen() for row in answer_rows(label, sample, seen)]

    def verdicts(self) -> list[VerdictRow]:
        """Every verdict, with the opinions that it was made from."""
        judge = judge_label(self._gathered.plan)
        return [row for label, sample, seen in self._seen() for row in verdict_rows(label, sample, seen, judge)]

    def scores(self) -> list[ScoreRow]:
        """What each sample of each model adds to each metric."""
        return [row for label, sample, seen in self._seen() for row in score_rows(label, sample, seen)]

    def model_rows(self) -> list[ModelRow]:
        """The models, with their outcomes, tokens and cost."""
        return [model_row(model, simulated=self._gathered.plan.simulated) for model in self._gathered.summary["models"]]

    def figures(self) -> list[FigureRow]:
        """Every figure with its bounds: overall, by category, by whatever else is told apart."""
        return [row for model in self._gathered.summary["models"] for row in figure_rows(model)]

    def _seen(self) -> Iterator[tuple[str, Any, Any]]:
        for label in self.models:
            for item in self._gathered.items:
                take = item.takes.get(label)
                if take is not None and take.seen is not None:
                    yield label, item.sample, take.seen

    def rows(self, table: str) -> list[Any]:
        """The rows of a table by its name, as in `siuo export --format csv`.

        Raises:
            ConfigError: there is no such table.
        """
        made: dict[str, Callable[[], list[Any]]] = {
            "samples": self.samples,
            "takes": self.takes,
            "answers": self.answers,
            "verdicts": self.verdicts,
            "scores": self.scores,
            "models": self.model_rows,
            "figures": self.figures,
        }
        if table not in made:
            raise ConfigError(f"there is no table '{table}'; choose {', '.join(TABLES)}")
        return made[table]()

    def to_frame(self, table: str = "answers") -> pd.DataFrame:
        """A table as a pandas DataFrame; its columns are the fields of its rows.

        Raises:
            ConfigError: there is no such table, or pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ConfigError(
                "to_frame() needs pandas; `pip install pandas`, or use rows(), which gives the same as objects"
            ) from error
        rows = self.rows(table)
        return pd.DataFrame({column: [getattr(row, column) for row in rows] for column in columns(table)})

    def compare(self, reference: str | None = None) -> Comparison | None:
        """The models compared on the samples that they share; None where nothing is scored.

        Args:
            reference: label of the model that the others are compared with; None compares all pairs.

        Raises:
            ConfigError: no model has this label.
        """
        if reference is None:
            return self._dossier.comparison
        if reference not in self.models:
            raise ConfigError(f"no model of this run is called '{reference}'; there are: {', '.join(self.models)}")
        return dossier(self._gathered, reference=reference).comparison

    def agreements(self) -> tuple[Agreement, ...]:
        """How far judges agree, where more than one was asked."""
        return self._dossier.agreements

    def methods(self) -> str:
        """How it was made and counted, in the words of a methods section."""
        return self._dossier.methods

    def report(self, form: ReportFormat = "text") -> str:
        """What `siuo report` prints or, as html, the page that it writes.

        Raises:
            ConfigError: there is no such format.
        """
        if form == "html":
            return self._page()
        if form == "markdown":
            from siuo_async.report.exports import markdown

            return markdown(self._dossier)
        if form == "json":
            return orjson.dumps(as_json(self._dossier), option=orjson.OPT_INDENT_2).decode()
        if form == "text":
            return self._text()
        raise ConfigError(f"there is no format '{form}'; choose text, markdown, json or html")

    def _page(self) -> str:
        from siuo_async.report.page.making import write_page

        with TemporaryDirectory(prefix="siuo-") as folder:
            return write_page(self._dossier, Path(folder) / "report.html").path.read_text(encoding="utf-8")

    def _text(self) -> str:
        from rich.console import Console

        from siuo_async.report.render import to_terminal

        held, found = io.StringIO(), self._dossier
        console = Console(file=held, width=160, markup=False, highlight=False, emoji=False, no_color=True)
        to_terminal(
            console,
            found.run.summary,
            found.run.plan.benchmark.metrics,
            found.warnings,
            comparison=found.comparison,
            agreements=found.agreements,
        )
        return held.getvalue()

    def export(
        self,
        form: str | None = None,
        to: str | Path | None = None,
        *,
        models: Sequence[str] = (),
        force: bool = False,
        reference: str | None = None,
    ) -> tuple[Path, ...]:
        """Writes it as files, as `siuo export` does; the files.

        Args:
            form: csv, jsonl, markdown, latex, or a shape of the benchmark's own scripts (the default, where there is one).
            to: a folder; None is the run's own `export/`.
            models: labels of those to write; all where none is named.
            force: replace files that are there.
            reference: label of the model that the others are compared with.

        Raises:
            ConfigError: no such format or model, or a file is there already.
        """
        from siuo_async.report.exports import export_run

        folder = Path(to) if to is not None else None
        write = partial(export_run, self._directory, form=form, labels=models, folder=folder, force=force, reference=reference)
        return without_a_loop(write).files

    def _repr_html_(self) -> str:
        """A small table for notebooks."""
        summary = self._gathered.summary
        metrics = self._gathered.plan.benchmark.metrics
        head = "".join(f"<th>{_html(heading)}</th>" for heading in ("Model", *metrics.values()))
        rows = []
        for model in summary["models"]:
            rates = [model["metrics"].get(metric) for metric in metrics]
            cells = "".join(f"<td>{_html(cell(model, rate)) if rate else '–'}</td>" for rate in rates)
            rows.append(f"<tr><td>{_html(model['label'])}</td>{cells}</tr>")
        line = f"<p><b>{_html(summary['protocol_line'])}</b><br>{_html(str(self.path))}</p>"
        if any(bounds_lead(model, rate) for model in summary["models"] for rate in map(model["metrics"].get, metrics) if rate):
            line += f"<p>{_html(BRACKETS)}</p>"
        return f"{line}<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _html(text: str) -> str:
    return "<br>".join(escape(harmless(line)) for line in text.split("\n"))
