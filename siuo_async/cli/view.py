"""Who looks at the sessions of a command while they go on: a screen, or a caller of the library."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol

from siuo_async.cli.output import console
from siuo_async.engine.session import Outcomes, Session
from siuo_async.ui.watch import watching

if TYPE_CHECKING:  # which shows sessions through this seam
    from siuo_async.cli.preparing import Job


class View(Protocol):
    """Told of each session of a command."""

    def watching(self, session: Session, heading: str) -> AbstractAsyncContextManager[None]:
        """Looks at a session for as long as the block lasts."""

    async def ended(self, outcomes: Outcomes, job: Job) -> None:
        """Told what a session came to."""


class OnScreen:
    """The live screen, or a line now and then where there is no terminal.

    Args:
        as_json: whether stdout is for JSON alone.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    @contextlib.asynccontextmanager
    async def watching(self, session: Session, heading: str) -> AsyncIterator[None]:
        """Shows it."""
        async with watching(session.state, console(to_stderr=True), heading=heading):
            with contextlib.redirect_stdout(sys.stderr):  # stdout is for results, whatever a user's function prints
                yield

    async def ended(self, outcomes: Outcomes, job: Job) -> None:
        """Reports it."""
        from siuo_async.cli.running import show, worked_out

        with contextlib.suppress(OSError):  # the terminal may be gone; the run is on disk
            found = None if self._as_json else await worked_out(outcomes, job)
            show(outcomes, job, as_json=self._as_json, found=found)
