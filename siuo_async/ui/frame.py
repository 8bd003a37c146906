"""One frame of the live screen as text, from counters alone; built four times a second, so it is cheap."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from siuo_async.client.endpoint import Endpoint
from siuo_async.engine.scoreboard import ModelBoard
from siuo_async.engine.session import SessionState
from siuo_async.report.text import count, duration, harmless, money, one_line, percent

ENOUGH = 30
"""Below this many finished samples a score is shown dim."""
_WIDE = 120
_SCORE_WIDTH = 13


def frame(state: SessionState, width: int, *, heading: str) -> Text:
    """The screen: heading, one line per model, what the endpoints do, notices."""
    wide = width >= _WIDE
    lines = [Text(one_line(heading, width), style="bold"), _progress_line(state, width)]
    names = [harmless(board.target.label) for board in state.boards]
    label_width = min(max([5, *map(cell_len, names)]), 40 if wide else 18)
    lines.append(_head(state, label_width, wide=wide))
    lines += [_model_line(state, board, label_width, wide=wide) for board in state.boards]
    if state.judge is not None:
        lines.append(_judge_line(state.judge, width))
    if offline_s := state.offline_s():
        waited = f"offline for {duration(offline_s)}: the network is gone; trying again every 15 s, nothing is lost"
        lines.append(Text(waited, style="bold yellow"))
    if state.grace_ends is not None:
        left = max(0.0, state.grace_ends - time.monotonic())
        lines.append(Text(f"stopping: calls on the wire have {left:.0f} s; Ctrl-C again cuts them", style="bold yellow"))
    lines += [Text("! " + one_line(notice, width - 2), style="yellow") for notice in state.notices[-3:]]
    for line in lines:
        line.truncate(width)
    return Text("\n").join(lines)


def _progress_line(state: SessionState, width: int) -> Text:
    done = sum(board.finished for board in state.boards)
    total = sum(board.total for board in state.boards)
    elapsed = time.monotonic() - state.begun
    bar_width = 30 if width >= _WIDE else 20
    filled = bar_width * done // max(total, 1)
    spend = sum(board.generation.pico_usd + board.judging.pico_usd for board in state.boards)
    unknown = any(board.generation.unpriced or board.judging.unpriced for board in state.boards)
    cost = money(None if unknown else spend / 10**12)
    parts = [f" {done}/{total} samples", duration(elapsed), f"ETA {eta(state)}", f"{state.sent} sent", cost]
    return Text("━" * filled, style="green") + Text("─" * (bar_width - filled), style="dim") + Text(" · ".join(parts))


def eta(state: SessionState) -> str:
    """Time left at the pace of this invocation; a dash while nothing was measured."""
    done = sum(board.finished for board in state.boards)
    left = sum(board.pending - board.stopped for board in state.boards)
    elapsed = time.monotonic() - state.begun
    calls = sum(endpoint.stats.results for endpoint in state.endpoints)
    if left <= 0:
        return "0 s"
    if done < 1 or calls < 1 or elapsed < 1:
        return "–"
    return duration(elapsed / done * left)


def _head(state: SessionState, label_width: int, *, wide: bool) -> Text:
    metrics = state.plan.benchmark.metrics
    cells = ["model".ljust(label_width), "done".rjust(9), *(_short(metrics[name]).rjust(13) for name in _shown(state, wide=wide))]
    cells += (
        [f"{'decl/filt/empty/fail':>20}", f"{'wire':>5}", f"{'429':>5}", f"{'retry':>6}", f"{'calls/s':>8}", f"{'tokens':>14}"]
        if wide
        else [
            f"{'wire':>4}",
            f"{'429':>4}",
        ]
    )
    return Text(" ".join(cells), style="dim")


def _shown(state: SessionState, *, wide: bool) -> tuple[str, ...]:
    """The metrics that there is room for: those that are never shown without each other before all others."""
    benchmark = state.plan.benchmark
    most = 5 if wide else 3
    first = [name for name in benchmark.metrics if name in benchmark.headline]
    others = [name for name in benchmark.metrics if name not in benchmark.headline][: most - len(first)]
    return tuple(name for name in benchmark.metrics if name in {*first, *others})


def _short(heading: str) -> str:
    short = {"Safe & effective": "Both"}.get(heading, heading)
    return short if len(short) <= _SCORE_WIDTH else short[: _SCORE_WIDTH - 1] + "…"


def _model_line(state: SessionState, board: ModelBoard, label_width: int, *, wide: bool) -> Text:
    summary = board.tally.summary(board.totals)
    line = Text(set_cell_size(harmless(board.target.label), label_width))
    halted = board.target.halt is not None and board.target.halt.reason is not None and board.pending
    line.append(f" {board.finished}/{board.total}".rjust(10), style="red" if halted else "")
    live = board.prefix - board.stopped
    for metric in _shown(state, wide=wide):
        line.append(_score(summary["metrics"][metric]).rjust(14), style="dim" if live < ENOUGH else "bold cyan")
    stats = board.target.endpoint.stats if board.target.endpoint else None
    on_wire, limited, retried = (stats.on_wire, stats.rate_limited, stats.retried) if stats else (0, 0, 0)
    if not wide:
        return line.append(f" {on_wire:>4} {limited:>4}")
    outcomes = summary["outcomes"]
    held = "/".join(str(outcomes[name]) for name in ("declined", "filtered", "empty", "failed"))
    rate = (stats.results / max(time.monotonic() - state.begun, 0.001)) if stats else 0.0
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
    return Text(" · ".join(parts), style="dim")
