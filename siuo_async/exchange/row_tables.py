"""A run's rows as CSV files: one for each kind of row, and one that says what they are.

Rows are written as the replay gives them, so a large run is never in memory: each file grows in a nameless one first, and then takes
its place at once. Plain RFC 4180 with a header, in UTF-8 with a byte order mark, which spreadsheets need and `pandas.read_csv` takes.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from siuo_async.engine.plan import Plan
from siuo_async.engine.replay import Lived, replay
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.engine.summary import summarise, warnings
from siuo_async.exchange.places import FOLDER, Exported, chosen_labels, mark, must_be_free, stem, write
from siuo_async.exchange.rows import (
    TABLES,
    answer_rows,
    cells,
    columns,
    figure_rows,
    judge_label,
    model_row,
    sample_row,
    score_rows,
    take_row,
    verdict_rows,
)
from siuo_async.exchange.tables import Changes, safe_cell

_BLOCK = 1 << 20


class _Table:
    """One CSV file as it grows, on disk and without a name."""

    def __init__(self, table: str, changes: Changes) -> None:
        self._held: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - for as long as the export lasts
        self._text = io.TextIOWrapper(self._held, encoding="utf-8-sig", errors="replace", newline="", write_through=False)
        self._writer = csv.writer(self._text)
        self._changes = changes
        self._writer.writerow(columns(table))

    def add(self, rows: Iterable[Any]) -> None:
        """Writes rows; nothing but text can be a formula."""
        self._writer.writerows([safe_cell(cell, self._changes) for cell in cells(row)] for row in rows)

    def blocks(self) -> Iterator[bytes]:
        """The whole file, piece by piece."""
        self._text.flush()
        self._held.seek(0)
        while block := self._held.read(_BLOCK):
            yield block

    def close(self) -> None:
        """Lets go of it."""
        self._text.close()


def export_rows(plan: Plan, directory: RunDirectory, *, labels: Sequence[str], folder: Path | None, force: bool = False) -> Exported:
    """Writes `BENCHMARK-TABLE.csv` for each table, and `BENCHMARK-tables.txt`, which says what was measured and what the columns hold.

    Raises:
        ConfigError: no such model, or a file is there already.
        StoppedEarly: the disk would not take a file.
    """
    chosen, target = chosen_labels(plan, labels), folder or directory.path / FOLDER
    names = {table: f"{stem(plan)}-{table}{mark(plan)}.csv" for table in TABLES}
    about = f"{stem(plan)}-tables{mark(plan)}.txt"
    must_be_free(target, [*names.values(), about], force=force)
    changes = Changes()
    with contextlib.ExitStack() as stack:
        tables = {table: _Table(table, changes) for table in TABLES}
        for each in tables.values():
            stack.callback(each.close)
        summary = asyncio.run(_filled(plan, directory, set(chosen), tables))
        parts: dict[str, Iterable[bytes]] = {names[table]: held.blocks() for table, held in tables.items()}
        text = "\n".join(_about(summary, names)).encode(errors="replace")
        files = write(target, {**parts, about: (text,)}, force=force)
    return Exported(files, (*_pending(summary, chosen), *changes.sentences()), summary["protocol_line"])


async def _filled(plan: Plan, directory: RunDirectory, chosen: set[str], tables: dict[str, _Table]) -> dict[str, Any]:
    """Writes all rows; the summary."""
    prices, judge, place = plan.prices or {}, judge_label(plan), 0
    first = plan.models[0].label if plan.models else ""

    def keep(lived: Lived) -> None:
        nonlocal place
        if lived.label == first:  # samples come once for each model
            tables["samples"].add([sample_row(lived.sample, place)])
            place += 1
        if lived.label not in chosen:
            return
        seen = None if lived.result is None else plan.benchmark.seen(lived.sample, lived.result)
        tables["takes"].add([take_row(lived.label, lived.sample, seen, lived.calls, prices)])
        if seen is not None:
            tables["answers"].add(answer_rows(lived.label, lived.sample, seen))
            tables["verdicts"].add(verdict_rows(lived.label, lived.sample, seen, judge))
            tables["scores"].add(score_rows(lived.label, lived.sample, seen))

    summary = summarise(plan, await replay(plan, directory, visit=keep))
    for model in summary["models"]:
        if model["label"] in chosen:
            tables["models"].add([model_row(model, simulated=plan.simulated)])
            tables["figures"].add(figure_rows(model))
    return summary


def _pending(summary: dict[str, Any], chosen: Sequence[str]) -> Iterator[str]:
    for model in summary["models"]:
        if model["label"] in chosen and (pending := model["samples"]["pending"]):
            yield f"{model['label']}: {pending} samples are pending, and only in the table of takes"


def _about(summary: dict[str, Any], names: dict[str, str]) -> Iterator[str]:
    """What was measured, what to know of it, and what each column holds."""
    yield from (summary["protocol_line"], *(f"! {_flat(warning)}" for warning in warnings(summary)), "")
    yield "CSV in UTF-8; the first line names the columns. A text that a spreadsheet would run as a formula has an apostrophe in front."
    for table, name in names.items():
        yield from ("", f"{name}: {(TABLES[table].__doc__ or '').splitlines()[0]}")
        yield from (f"  {column}: {what}" for column, what in columns(table).items())
    yield ""


def _flat(text: str) -> str:
    return " ".join(text.split())
