"""One frame of the live screen as text, from counters alone; built four times a second, so it is cheap."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from types import MappingProxyType
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from siuo_async.client.endpoint import Endpoint
from siuo_async.engine.eta import parts_of, time_left_s
from siuo_async.engine.scoreboard import ModelBoard
from siuo_async.engine.session import SessionState
from siuo_async.report.text import count, duration, in_line, one_line, percent
from siuo_async.ui.limit_lines import limit_lines
from siuo_async.ui.money_line import budget_line, in_words
from siuo_async.ui.trouble import trouble
from siuo_async.values import EMPTY

ENOUGH = 30
"""Below this many finished samples a score is shown dim."""
_WIDE, _ROOMY = 120, 80
_SCORE, _TIGHT_SCORE = 14, 11
"""Columns of one score, the blank before it included; the tighter one below `_TIGHT`."""
_TIGHT = 60
_LEAST_LABEL = 8
_COUNTERS, _FEW_COUNTERS = 64, 10
"""Columns of what stands behind the scores: everything, or only what is on the wire and 429s."""
_UNKNOWN: Mapping[str, Any] = MappingProxyType({"value": None})
_NOTHING: Mapping[str, Any] = MappingProxyType({"metrics": EMPTY, "outcomes": EMPTY})


@dataclass(frozen=True, slots=True)
class _Layout:
    """What there is room for, in columns."""

    label: int
    done: int
    score: int
    metrics: tuple[str, ...]
    counters: int
    """`_COUNTERS`, `_FEW_COUNTERS` or none."""


class Scores:
    """What the tallies say, kept from frame to frame: the summary of a large benchmark takes milliseconds, in which no call goes on.

    Args:
        budget_s: once so much time is used, the other models wait for the next frame; at least one is looked at.
        clock: in seconds.
    """

    def __init__(self, budget_s: float = inf, clock: Callable[[], float] = time.perf_counter) -> None:
        self._budget_s = budget_s
        self._clock = clock
        self._said: dict[int, tuple[tuple[int, int], Mapping[str, Any]]] = {}
        self._turn = 0

    def look(self, boards: Sequence[ModelBoard]) -> None:
        """Brings up to date what changed, beginning with the model whose turn it is."""
        begun = self._clock()
        for _ in boards:
            self._turn = (self._turn + 1) % len(boards)
            board = boards[self._turn]
            stand = (board.finished, board.prefix)
            if (before := self._said.get(self._turn)) is None or before[0] != stand:
                self._said[self._turn] = stand, board.tally.summary(board.totals)
                if self._clock() - begun > self._budget_s:
                    return

    def of(self, number: int) -> Mapping[str, Any]:
        """The summary of a model, by its place among the boards; with nothing in it before it was looked at."""
        return self._said[number][1] if number in self._said else _NOTHING


def _layout(state: SessionState, width: int) -> _Layout:
    """The metrics that are never shown without each other come before all else; then counters, labels, other metrics."""
    benchmark, wide = state.plan.benchmark, width >= _WIDE
    score = _SCORE if width >= _TIGHT else _TIGHT_SCORE
    done = max([4, *(len(f"{board.total}/{board.total}") for board in state.boards)]) + 1
    label = min(max([5, *(cell_len(in_line(board.target.label)) for board in state.boards)]), 40 if wide else 18)
    room = width - done - score * len(benchmark.headline)
    counters = _COUNTERS if wide else _FEW_COUNTERS
    if room < counters + min(label, _LEAST_LABEL):
        counters = _FEW_COUNTERS if room >= _FEW_COUNTERS + min(label, _LEAST_LABEL) else 0
    label = max(3, min(label, room - counters))
    others = [name for name in benchmark.metrics if name not in benchmark.headline]
    fit = {*benchmark.headline, *others[: max(0, room - counters - label) // score]}
    return _Layout(label, done, score, tuple(name for name in benchmark.metrics if name in fit), counters)


def frame(state: SessionState, width: int, *, heading: str, scores: Scores | None = None) -> Text:
    """The screen: heading, one line per model, what the endpoints do, notices.

    Args:
        scores: those of earlier frames; None: all are made now.
    """
    scores = scores or Scores()
    scores.look(state.boards)
    lines = [Text(one_line(heading, width), style="bold"), _progress_line(state, width)]
    if (budget := budget_line(state, width)) is not None:
        lines.append(budget)
    layout = _layout(state, width)
    lines.append(_head(state, layout))
    lines += [_model_line(board, scores.of(number), layout, state.begun) for number, board in enumerate(state.boards)]
    if state.judge is not None:
        lines.append(_judge_line(state.judge, width))
    lines += limit_lines(state.limits, width)
    if offline_s := state.offline_s():
        waited = f"offline for {duration(offline_s)}: the network is gone; trying again every 15 s, nothing is lost"
        lines.append(Text(waited, style="bold yellow"))
    elif words := trouble(state.endpoints):
        lines.append(Text(one_line(words, width), style="yellow"))
    if state.grace_ends is not None:
        left = max(0.0, state.grace_ends - time.monotonic())
        lines.append(Text(f"stopping: calls on the wire have {left:.0f} s; Ctrl-C again cuts them", style="bold yellow"))
    lines += [Text("! " + one_line(notice, width - 2), style="yellow") for notice in state.notices[-3:]]
    for line in lines:
        line.truncate(width)
    return Text("\n", no_wrap=True, overflow="crop").join(lines)


def _progress_line(state: SessionState, width: int) -> Text:
    done = sum(board.finished for board in state.boards)
    total = sum(board.total for board in state.boards)
    elapsed = time.monotonic() - state.begun
    bar_width = 30 if width >= _WIDE else 20 if width >= _ROOMY else 10
    filled = bar_width * done // max(total, 1)
    cost = [] if state.budget is not None else in_words(state, apart=width >= _WIDE)  # which has a line of its own
    parts = [f" {done}/{total} samples", *cost[:1], f"ETA {eta(state)}", duration(elapsed), f"{state.sent} sent", *cost[1:]]
    bar = Text("━" * filled, style="green") + Text("─" * (bar_width - filled), style="dim")
    return bar + Text(_fitting(parts, width - bar_width))


def _fitting(parts: Sequence[str], width: int) -> str:
    """As many of the parts as there is room for: of a figure that is cut, what is left reads as another figure."""
    fit = parts[0]
    for part in parts[1:]:
        if cell_len(fit) + cell_len(part) + 3 > width:
            break
        fit += f" · {part}"
    return fit


def eta(state: SessionState) -> str:
    """Time left, from what is left to be asked and what the limits allow; a dash while nothing can be said."""
    if all(board.pending <= board.stopped for board in state.boards):
        return "0 s"
    left_s = time_left_s(parts_of(state.boards, state.plan.benchmark, state.judge), state.limits)
    return "–" if left_s is None else duration(left_s)


def _head(state: SessionState, layout: _Layout) -> Text:
    metrics = state.plan.benchmark.metrics
    cells = ["model".ljust(layout.label)[: layout.label], "done".rjust(layout.done)]
    cells += [_right(_short(in_line(metrics[name]), layout.score - 1), layout.score) for name in layout.metrics]
    if layout.counters == _COUNTERS:
        cells.append(f" {'decl/filt/empty/fail':>20} {'wire':>5} {'429':>5} {'retry':>6} {'calls/s':>8} {'tokens':>14}")
    elif layout.counters:
        cells.append(f" {'wire':>4} {'429':>4}")
    return Text("".join(cells), style="dim")


def _short(heading: str, width: int) -> str:
    short = {"Safe & effective": "Both"}.get(heading, heading)
    return short if cell_len(short) <= width else set_cell_size(short, width - 1).rstrip() + "…"


def _right(text: str, width: int) -> str:
    """`text` at the right of so many columns; a Chinese heading takes two of them per character."""
    return " " * max(0, width - cell_len(text)) + text


def _model_line(board: ModelBoard, summary: Mapping[str, Any], layout: _Layout, begun: float) -> Text:
    line = Text(set_cell_size(in_line(board.target.label), layout.label))
    halted = board.target.halt is not None and board.target.halt.reason is not None and board.pending
    line.append(f"{board.finished}/{board.total}".rjust(layout.done), style="red" if halted else "")
    live = board.prefix - board.stopped
    for metric in layout.metrics:
        score = _short(_score(summary["metrics"].get(metric, _UNKNOWN)), layout.score - 1)
        line.append(score.rjust(layout.score), style="dim" if live < ENOUGH else "bold cyan")
    stats = board.target.endpoint.stats if board.target.endpoint else None
    on_wire, limited, retried = (stats.on_wire, stats.rate_limited, stats.retried) if stats else (0, 0, 0)
    if layout.counters < _COUNTERS:
        return line.append(f" {on_wire:>4} {limited:>4}" if layout.counters else "")
    outcomes = summary["outcomes"]
    held = "/".join(str(outcomes.get(name, 0)) for name in ("declined", "filtered", "empty", "failed"))
    rate = (stats.results / max(time.monotonic() - begun, 0.001)) if stats else 0.0
    tokens = f"{count(board.generation.tokens['input'])}→{count(board.generation.tokens['output'])}"
    return line.append(f" {held:>20} {on_wire:>5} {limited:>5} {retried:>6} {rate:>8.1f} {tokens:>14}")


def _score(rate: Mapping[str, Any]) -> str:
    if rate["value"] is None:
        return percent(rate)
    half = "" if rate["low"] is None else f" ±{(rate['high'] - rate['low']) / 2:.1f}"
    return percent(rate) + half


def _judge_line(judge: Endpoint, width: int) -> Text:
    stats, group = judge.stats, judge.group
    parts = [f"judge {one_line(judge.name, 40)}: {stats.results} verdicts", f"{stats.on_wire} on the wire", f"{group.waiting} waiting"]
    parts += (
        [f"{stats.rate_limited} x 429", f"{stats.retried} retries"] if width >= _WIDE or stats.rate_limited or stats.retried else []
    )
    if group.cooling_s > 0:
        parts.append(f"cooling {group.cooling_s:.0f} s")
    return Text(_fitting(parts, width), style="dim")
