"""How a session that the library began ends: with a run, or with the error that a Python program expects."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from siuo_async.benchmarks.base import SampleBug
from siuo_async.cli.preparing import Job
from siuo_async.engine.session import Outcomes, Session
from siuo_async.engine.summary import PENDING
from siuo_async.errors import StoppedEarly, UsageError
from siuo_async.library.progress import OnProgress, Teller
from siuo_async.library.run import Run

_BY_CTRL_C = "stopped by SIGINT"


class Ending:
    """Looks at a session in place of the screen, can stop it from any thread, and knows what it came to."""

    def __init__(self, on_progress: OnProgress | None) -> None:
        self._teller = Teller(on_progress, self._raised_there) if on_progress else None
        self._raised: Exception | None = None
        self._session: Session | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._interrupts = 0
        self._ended: tuple[Outcomes, Job] | None = None

    @contextlib.asynccontextmanager
    async def watching(self, session: Session, heading: str) -> AsyncIterator[None]:
        """Looks at a session for as long as the block lasts."""
        self._session, self._loop = session, asyncio.get_running_loop()
        for _ in range(self._interrupts):  # those that came before there was a session
            self._loop.call_soon(session.interrupt)
        try:
            async with self._teller.telling(session.state) if self._teller else contextlib.nullcontext():
                yield
        finally:
            self._session = None

    async def ended(self, outcomes: Outcomes, job: Job) -> None:
        """Told what the session came to."""
        self._ended = outcomes, job

    def interrupt(self) -> None:
        """Stops the session as Ctrl-C does, from any thread; a second time cuts calls on the wire."""
        self._interrupts += 1
        if self._session is not None and self._loop is not None:
            with contextlib.suppress(RuntimeError):  # its loop has ended meanwhile
                self._loop.call_soon_threadsafe(self._session.interrupt)

    def _raised_there(self, error: Exception) -> None:
        self._raised = error
        if self._session is not None:
            self._session.interrupt("on_progress")

    def run(self) -> Run:
        """The run.

        Raises:
            StoppedEarly: it stopped before it was complete.
            KeyboardInterrupt: Ctrl-C stopped it.
            UsageError: a user's own benchmark failed.
            Exception: what `on_progress` raised; a bug in here.
        """
        if self._raised is not None:
            raise self._raised
        assert self._ended is not None  # what kept a session from ending was raised by it
        outcomes, job = self._ended
        path = job.directory.path
        if isinstance(outcomes.bug, SampleBug):
            raise UsageError(f"{outcomes.bug}; mend it and evaluate again with reuse=['{path}']") from outcomes.bug
        if outcomes.bug is not None:
            raise outcomes.bug
        if any(stop.startswith(_BY_CTRL_C) for stop in outcomes.stops):
            raise KeyboardInterrupt
        if outcomes.code == PENDING and outcomes.stops:
            raise StoppedEarly(f"{'; '.join(outcomes.stops)} (what is finished stands in {path})")
        return Run(job.directory, job.plan)
