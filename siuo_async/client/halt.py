"""Saying that no new call may be sent, and waking whoever waits to send one."""

from __future__ import annotations

import asyncio

from siuo_async.errors import StoppedEarly


class Halt:
    """A flag that holds the reason why nothing more is sent. Calls on the wire are not its business.

    Args:
        above: a halt that holds for this one too (an endpoint's, for one of the models that share the endpoint).
    """

    __slots__ = ("_above", "_below", "_event", "_reason")

    def __init__(self, above: Halt | None = None) -> None:
        self._reason: StoppedEarly | None = None
        self._event = asyncio.Event()
        self._above = above
        self._below: list[Halt] = []
        if above is not None:
            above._below.append(self)

    @property
    def reason(self) -> StoppedEarly | None:
        """Why nothing more is sent, or None."""
        return self._reason or (self._above.reason if self._above is not None else None)

    def set(self, reason: StoppedEarly) -> bool:
        """Stops; the first reason stays. Returns whether this was the first."""
        if self._reason is not None:
            return False
        self._reason = reason
        self._wake()
        return True

    def _wake(self) -> None:
        self._event.set()
        for halt in self._below:
            halt._wake()

    def check(self) -> None:
        """Raises the reason, if there is one.

        Raises:
            StoppedEarly: no new call may be sent.
        """
        if (reason := self.reason) is not None:
            raise reason.with_traceback(None)

    async def sleep(self, seconds: float) -> None:
        """Sleeps, or ends early by raising the reason.

        Raises:
            StoppedEarly: no new call may be sent.
        """
        if self.reason is None and seconds > 0:
            try:
                async with asyncio.timeout(seconds):
                    await self._event.wait()
            except TimeoutError:
                return
        self.check()
