"""What others published for a benchmark, beside a run, and every reason why the two may not be compared.

A board is data (`_published/*.json`): its figures as they were printed, where they stand, how they were judged. Nothing of it is code,
so that a corrected figure changes one line. The reasons come in two kinds: those that hold for any run stand in the board, and those
that follow from the run (its judge, protocol, prompts, samples) are found here. A table of other people's figures without them would
invite exactly the comparison that its authors rule out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from siuo_async.report.grid import Grid
from siuo_async.report.text import interval
from siuo_async.values import EMPTY, Json

BOARDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "siuo-gen": ("siuo_gen",),
        "siuo-mcqa": ("siuo_mcqa",),
        "usb-base": ("usb_base", "usb_base_2025"),
        "usb-hard": ("usb_hard", "usb_hard_2025"),
        "csqa-qa": ("csqa_qa", "csqa_qa_search"),
        "csqa-mcq": ("csqa_mcq", "csqa_mcq_confidence"),
    }
)
"""Benchmark -> its boards by file, the current one first."""
MARK = "▸ "
"""Before the name of a model of the run."""
_NOTHING = "–"
_GPT_4O = re.compile(r"gpt-4o(-\d{4}-\d{2}-\d{2})?")
"""GPT-4o and its snapshots; gpt-4o-mini is another model."""


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of a board, in percent."""

    name: str
    heading: str
    direction: Literal["higher", "lower", "neither"]
    """Which way is better."""
    run: str | None
    """The metric of a run that measures the same; None: none does."""
    confidence: str | None = None
    """The measure of confidence, and of `run` its part (`all` or one of the splits), whose mean is meant."""
    of: tuple[str, ...] = ()
    """The category or cell that it is restricted to, by any of its names; empty: over everything."""
    group: str = ""
    """The table beside the board's main one that it stands in."""
    items: int | None = None
    """What it is counted over, where that is less than the whole."""
    complement: bool = False
    """Whether it is 100 minus the run's metric."""
    estimate: bool = False
    """Whether the figure is our estimate and was never printed."""
    whole: bool = True
    """Whether every sample counts in it, so that a smaller number means undecided ones."""


@dataclass(frozen=True, slots=True)
class Row:
    """One model, or a baseline that is no model."""

    model: str
    values: tuple[float | None, ...]
    """By column, as printed."""
    setting: str = ""
    """What else tells the row from others of the same model."""
    flags: tuple[str, ...] = ()
    """Keys of `Board.flags`: what is odd about it."""
    size: str = ""
    date: str = ""
    """When the model was taken or asked, as the board has it."""
    closed: bool | None = None
    baseline: bool = False
    ours: bool = False
    """Computed for this project and not on the board."""

    @property
    def name(self) -> str:
        """The first cell of the row."""
        words = (["our baseline" if self.ours else "baseline"] if self.baseline else []) + list(self.flags)
        return ", ".join(filter(None, (self.model, self.setting))) + (f" ({', '.join(words)})" if words else "")


@dataclass(frozen=True, slots=True)
class Judge:
    """Who judged a board."""

    kind: Literal["people", "model", "none"]
    name: str
    """Of a model."""
    how: str
    """Goes on after "judged"."""


@dataclass(frozen=True, slots=True)
class Board:
    """One published table."""

    benchmark: str
    title: str
    source: str
    date: str
    unit: str
    items: int | None
    """What its main figures are counted over; None: not told."""
    judge: Judge
    primary: str
    """The column that it is sorted by."""
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    not_comparable: tuple[str, ...]
    """What holds for any run, one sentence each."""
    differs: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: EMPTY)
    """What holds for a run of this `protocol`, or with these `prompts`."""
    flags: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    notes: tuple[str, ...] = ()

    def groups(self) -> list[str]:
        """The tables that it is shown as; the main one, "", first."""
        return list(dict.fromkeys(column.group for column in self.columns))


def published_for(benchmark: str) -> list[Board]:
    """The boards of a benchmark, the current one first; none for `demo` and for benchmarks of one's own."""
    return [_board(name) for name in BOARDS.get(benchmark, ())]


def no_board(benchmark: str) -> str:
    """What to say of a benchmark without a board."""
    return f"nobody has published figures for {benchmark}, so there is nothing to show beside this run"


def reasons(board: Board, summary: Mapping[str, Any]) -> list[str]:
    """Why the figures of `board` and of a run may not be compared digit by digit, one sentence each."""
    return [*_state(summary), *_judging(board, summary), *_counting(board, summary), *board.not_comparable]


def published_grids(summary: Mapping[str, Any]) -> list[Grid]:
    """The boards of a run's benchmark as tables, the run's models among the others, each board with its reasons."""
    return [grid for board in published_for(summary["benchmark"]) for grid in _grids(board, summary)]


def published_json(summary: Mapping[str, Any]) -> list[Json]:
    """The boards of a run's benchmark as they stand in `--format json`; `not_comparable` holds all the reasons for this run."""
    return [{**_raw(name), "not_comparable": reasons(_board(name), summary)} for name in BOARDS.get(summary["benchmark"], ())]


def _raw(name: str) -> dict[str, Any]:
    found = json.loads((files("siuo_async.report") / "_published" / f"{name}.json").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


@cache
def _board(name: str) -> Board:
    raw = _raw(name)
    columns = tuple(Column(**{**column, "of": tuple(column.get("of", ()))}) for column in raw.pop("columns"))
    rows = tuple(Row(**{**row, "values": tuple(row["values"]), "flags": tuple(row.get("flags", ()))}) for row in raw.pop("rows"))
    sentences = {key: tuple(raw.pop(key, ())) for key in ("not_comparable", "notes")}
    return Board(**{**raw, **sentences, "judge": Judge(**raw["judge"]), "columns": columns, "rows": rows})


# -- the reasons that follow from the run


def _state(summary: Mapping[str, Any]) -> Iterator[str]:
    if summary["simulated"]:
        yield "the models of this run are SIMULATED: their numbers measure nothing"
    if "IMPORTED" in summary["protocol_line"].split(" · "):
        yield "the answers of this run were made elsewhere and IMPORTED: how they were asked for is not known here"
    if not summary["complete"]:
        pending = ", ".join(
            f"{model['label']} {model['samples']['pending']:,} of {model['samples']['total']:,}"
            for model in summary["models"]
            if model["samples"]["pending"]
        )
        yield f"this run is PARTIAL; samples without a result yet: {pending}"


def _judging(board: Board, summary: Mapping[str, Any]) -> Iterator[str]:
    judge, served = summary["judge"], summary["judge_served"]
    if board.judge.kind != "none":
        whose = "people" if board.judge.kind == "people" else board.judge.name
        if not judge:
            yield f"{whose} judged the board; nobody has judged this run"
        elif board.judge.kind == "people" or not _is_gpt_4o(judge, served):
            yield f"{whose} judged the board; {_named(judge, served)} judged this run"
        else:
            yield f"which snapshot of {whose} judged the board is not told; this run's judge was {_named(judge, served)}"
    for what, value in (("protocol", summary["protocol"]), ("prompts", summary["prompts"].partition("-")[0])):
        if sentence := board.differs.get(what, EMPTY).get(value):
            yield sentence
    if settings := summary.get("settings"):
        told = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in settings.items())
        yield f"this run has settings of its own ({told}), of which the board tells little or nothing"


def _is_gpt_4o(judge: str, served: Sequence[str]) -> bool:
    return all(_GPT_4O.fullmatch(name.rpartition("/")[2]) for name in (judge, *served))


def _named(judge: str, served: Sequence[str]) -> str:
    other = [name for name in served if name != judge.partition("/")[2]]
    return f"{judge} (served as {', '.join(other)})" if other else judge


def _counting(board: Board, summary: Mapping[str, Any]) -> Iterator[str]:
    asked = {model["label"]: model["samples"]["total"] for model in summary["models"]}
    if board.items is not None and set(asked.values()) - {board.items}:
        counts = sorted(set(asked.values()))
        told = f"{counts[0]:,}" if len(counts) == 1 else ", ".join(f"{label} {count:,}" for label, count in asked.items())
        yield f"the board is counted over {board.items:,} items; this run asked {told}"
    if undecided := [told for model in summary["models"] if (told := _undecided(board, model))]:
        yield f"in this run not everything is decided: {'; '.join(undecided)}"
    if not any(_stands(board, model) for model in summary["models"]):
        yield "no figure of a run measures what this table does, so this run does not stand in it"


def _undecided(board: Board, model: Mapping[str, Any]) -> str:
    """`gpt-x Safe, Effective 160 of 167`; empty where all is decided."""
    columns: dict[tuple[int, int], list[str]] = {}
    for column in board.columns:
        rate = _measured(model, column) if column.whole and not column.of else None
        n, total = (rate.get("n"), rate.get("total")) if rate else (None, None)
        if n is not None and total is not None and n != total:
            columns.setdefault((n, total), []).append(" ".join(column.heading.split()))
    told = (f"{', '.join(headings)} {n:,} of {total:,}" for (n, total), headings in columns.items())
    return f"{model['label']} {', '.join(told)}" if columns else ""


# -- the tables


def _grids(board: Board, summary: Mapping[str, Any]) -> list[Grid]:
    ranked = _ranked(board, summary["models"])
    found = []
    for group in board.groups():
        numbers = [number for number, column in enumerate(board.columns) if column.group == group]
        rows = [
            (name, *(cells[number] for number in numbers))
            for name, cells, of_run in _named_rows(board, ranked, summary)
            if not of_run or any(cells[number] != _NOTHING for number in numbers) or not group
        ]
        headings = ("Model", *(board.columns[number].heading for number in numbers))
        title = f"Published · {group or board.title}"
        found.append(Grid(title, headings, tuple(rows), _note(board, summary) if group == "" else ""))
    return found


def _named_rows(
    board: Board, ranked: Sequence[Row | Mapping[str, Any]], summary: Mapping[str, Any]
) -> Iterator[tuple[str, tuple[str, ...], bool]]:
    """First cell, the other cells by column, whether it is of the run."""
    state = "".join((" (SIMULATED)" if summary["simulated"] else "", "" if summary["complete"] else " (PARTIAL)"))
    for each in ranked:
        if isinstance(each, Row):
            yield each.name, tuple(_printed(value, column) for value, column in zip(each.values, board.columns, strict=True)), False
        else:
            cells = tuple(_cell(_measured(each, column), spread=column.name == board.primary) for column in board.columns)
            yield MARK + each["label"] + state, cells, True


def _ranked(board: Board, models: Sequence[Mapping[str, Any]]) -> list[Row | Mapping[str, Any]]:
    """Rows and models of the run, the best first; those without the figure last."""
    place, column = _primary(board)
    sign = 1 if column.direction == "lower" else -1
    measured = [(model, _measured(model, column)) for model in models if _stands(board, model)]
    valued: list[tuple[float | None, Row | Mapping[str, Any]]] = [(row.values[place], row) for row in board.rows]
    valued += [(rate["value"] if rate else None, model) for model, rate in measured]
    return [each for _, each in sorted(valued, key=lambda pair: (pair[0] is None, sign * (pair[0] or 0)))]


def _primary(board: Board) -> tuple[int, Column]:
    return next((number, column) for number, column in enumerate(board.columns) if column.name == board.primary)


def _stands(board: Board, model: Mapping[str, Any]) -> bool:
    """Whether the run measures what the board does; confidence only where it was asked for."""
    _, column = _primary(board)
    return _mean_confidence(model, column) is not None if column.confidence else any(each.run for each in board.columns)


def _mean_confidence(model: Mapping[str, Any], column: Column) -> Mapping[str, Any] | None:
    """A mean in percent, in the form of a rate."""
    measure = (model.get("calibration") or {}).get(column.confidence)
    part = measure and (measure if column.run == "all" else measure[column.run])
    return {"value": part["mean_confidence"], "n": part["n"]} if part and part["n"] else None


def _measured(model: Mapping[str, Any], column: Column) -> Mapping[str, Any] | None:
    """What a model of the run has in a column: a rate as in summaries; None where it has nothing."""
    if column.confidence:
        mean = _mean_confidence(model, column)
        return mean and {**mean, "low": None, "high": None}
    metrics = _metrics(model, column.of)
    rate = metrics.get(column.run) if metrics and column.run else None
    if not rate or rate["value"] is None:
        return None
    low, high = rate.get("low"), rate.get("high")
    if column.complement:
        low, high = (None, None) if low is None or high is None else (100 - high, 100 - low)
        return {**rate, "value": 100 - rate["value"], "low": low, "high": high}
    return {**rate, "low": low, "high": high}


def _metrics(model: Mapping[str, Any], names: Sequence[str]) -> Mapping[str, Any] | None:
    """The metrics of a model, or of the category or cell with one of `names`, whatever stands between their words."""
    wanted = {_words(name) for name in names}
    dimensions = (model["categories"], *model.get("breakdowns", {}).values())
    groups = ((name, group) for dimension in dimensions for name, group in dimension.items())
    found = next((group for name, group in groups if _words(name) in wanted), None) if names else model
    return found and found["metrics"]


def _words(name: str) -> tuple[str, ...]:
    return tuple(sorted(re.findall(r"\w+", name.casefold())))


def _printed(value: float | None, column: Column) -> str:
    if value is None:
        return _NOTHING
    return f"≈{value:.1f}" if column.estimate else f"{value:.2f}"


def _cell(rate: Mapping[str, Any] | None, *, spread: bool) -> str:
    if rate is None:
        return _NOTHING
    return f"{rate['value']:.1f}" + (f"\n{interval(rate)}" if spread and rate["low"] is not None else "")


def _note(board: Board, summary: Mapping[str, Any]) -> str:
    """How it was judged, where it stands, why it may not be compared, what the marks mean."""
    lines = [
        f"judged {board.judge.how}",
        f"source: {board.source}, {board.date}",
        f"not to be compared digit by digit with this run ({MARK.strip()}), because:",
        *(f"  · {reason}" for reason in reasons(board, summary)),
        *(f"({mark}) {sentence}" for mark, sentence in board.flags.items()),
        *(["≈ our estimate, printed nowhere"] if any(column.estimate for column in board.columns) else []),
        *board.notes,
    ]
    return "\n".join(lines)
