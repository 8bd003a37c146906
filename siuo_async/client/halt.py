"""Saying that no new call may be sent, and waking whoever waits to send one."""

from __future__ import annotations

import asyncio

from siuo_async.errors import StoppedEarly


class Halt:
    """A flag that holds the reason why an endpoint sends nothing more. Calls on the wire are not its business."""

    __slots__ = ("_event", "reason")

    def __init__(self) -> None:
        self.reason: StoppedEarly | None = None
        self._event = asyncio.Event()

    def set(self, reason: StoppedEarly) -> bool:
        """Stops; the first reason stays. Returns whether this was the first."""
        if self.reason is not None:
            return False
        self.reason = reason
        self._event.set()
        return True

    def check(self) -> None:
        """Raises the reason, if there is one.

        Raises:
            StoppedEarly: no new call may be sent.
        """
        if self.reason is not None:
            raise self.reason.with_traceback(None)

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
