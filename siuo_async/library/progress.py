"""What a caller is told while a run goes on: a few numbers, four times a second."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from siuo_async.engine.session import SessionState
from siuo_async.ui.frame import Scores

EVERY_S = 0.25
_SCORES_S = 0.001
"""Of each look, for bringing scores up to date; calls on the wire wait for as long."""


@dataclass(frozen=True, slots=True)
class ModelProgress:
    """One model of a run that goes on."""

    label: str
    finished: int
    total: int
    value: float | None
    """The primary metric over the finished prefix, in its unit; None before anything is decided."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is."""

    finished: int
    """Samples, over all models."""
    total: int
    sent: int
    """Calls of this session so far."""
    reused: int
    on_wire: int
    elapsed_s: float
    models: tuple[ModelProgress, ...]
    notices: tuple[str, ...]
    """What happened since the last look, one sentence each."""


OnProgress = Callable[[Progress], None]


class Teller:
    """Tells a caller of a session, four times a second.

    Args:
        on_progress: who is told.
        stop: called when that raised, with what was raised; it is not told again.
    """

    def __init__(self, on_progress: OnProgress, stop: Callable[[Exception], None]) -> None:
        self._on_progress = on_progress
        self._stop = stop
        self._stopped = False
        self._told = 0

    @contextlib.asynccontextmanager
    async def telling(self, state: SessionState) -> AsyncIterator[None]:
        """Tells for as long as the block lasts, and once more at its end."""
        task = asyncio.create_task(self._keep_telling(state))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            self._tell(state, Scores())

    async def _keep_telling(self, state: SessionState) -> None:
        scores = Scores(_SCORES_S)
        while True:
            self._tell(state, scores)
            await asyncio.sleep(EVERY_S)

    def _tell(self, state: SessionState, scores: Scores) -> None:
        if self._stopped:
            return
        try:
            self._on_progress(self._progress(state, scores))
        except Exception as error:
            self._stopped = True
            self._stop(error)

    def _progress(self, state: SessionState, scores: Scores) -> Progress:
        scores.look(state.boards)
        primary = state.plan.benchmark.primary
        models = tuple(
            ModelProgress(board.target.label, board.finished, board.total, scores.of(number)["metrics"].get(primary, {}).get("value"))
            for number, board in enumerate(state.boards)
        )
        notices, self._told = tuple(state.notices[self._told :]), len(state.notices)
        return Progress(
            finished=sum(model.finished for model in models),
            total=sum(model.total for model in models),
            sent=state.sent,
            reused=state.reused,
            on_wire=sum(endpoint.stats.on_wire for endpoint in state.endpoints),
            elapsed_s=round(time.monotonic() - state.begun, 3),
            models=models,
            notices=notices,
        )
