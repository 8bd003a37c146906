"""Shows a session while it runs: Rich's live display in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from rich.console import Console
from rich.live import Live
from rich.text import Text

from siuo_async.engine.session import SessionState
from siuo_async.report.text import duration, one_line, percent
from siuo_async.ui.frame import Scores, eta, frame
from siuo_async.ui.limit_lines import in_few_words
from siuo_async.ui.money_line import in_words
from siuo_async.ui.trouble import trouble

FRAMES_PER_S = 4
PLAIN_EVERY_S = 10.0
SCORES_S = 0.001
"""Of each frame, for bringing scores up to date; calls on the wire wait for as long."""


@contextlib.asynccontextmanager
async def watching(state: SessionState, console: Console, *, heading: str) -> AsyncIterator[None]:
    """Shows `state` until the block ends."""
    show = _live if console.is_terminal else _plain
    task = asyncio.create_task(show(state, console, heading))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):  # a terminal that was closed takes no run with it
            await task


async def _live(state: SessionState, console: Console, heading: str) -> None:
    with Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False) as live:
        scores = Scores(SCORES_S)
        while True:
            live.update(frame(state, console.width, heading=heading, scores=scores), refresh=True)
            await asyncio.sleep(1 / FRAMES_PER_S)


async def _plain(state: SessionState, console: Console, heading: str) -> None:
    def say(line: str) -> None:
        console.print(Text(line), soft_wrap=True)

    say(one_line(heading, 1000))
    said, slept, scores = 0, 0.0, Scores(SCORES_S)
    try:
        while True:
            await asyncio.sleep(1 / FRAMES_PER_S)
            slept += 1 / FRAMES_PER_S
            for notice in state.notices[said:]:
                say("! " + one_line(notice, 1000))
            said = len(state.notices)
            if slept >= PLAIN_EVERY_S:
                slept = 0.0
                for _ in state.boards:
                    scores.look(state.boards)
                    await asyncio.sleep(0)
                say(plain_line(state, scores))
    finally:
        for notice in state.notices[said:]:
            say("! " + one_line(notice, 1000))


def plain_line(state: SessionState, scores: Scores) -> str:
    """Where the run is, on one line."""
    models = []
    for number, board in enumerate(state.boards):
        metrics = scores.of(number)["metrics"]
        told = " / ".join(percent(metrics[name]) for name in state.plan.benchmark.headline)
        models.append(f"{one_line(board.target.label, 40)} {board.finished}/{board.total} ({told})")
    wire = sum(endpoint.stats.on_wire for endpoint in state.endpoints)
    limited = sum(endpoint.stats.rate_limited for endpoint in state.endpoints)
    elapsed = duration(asyncio.get_running_loop().time() - state.begun)
    offline = f"; offline for {duration(state.offline_s())}" if state.offline_s() else ""
    held = f"; {words}" if (words := in_few_words(state.limits)) and not offline else ""
    again = f"; {one_line(words, 160)}" if (words := trouble(state.endpoints)) and not offline else ""
    cost = ", ".join(in_words(state, apart=True))
    told = f"{state.sent} sent, {wire} on the wire, {limited} x 429, ETA {eta(state)}; {cost}"
    return f"{elapsed}: {', '.join(models)}; {told}{held}{again}{offline}"
