"""An event loop whose time passes only while nothing else is to be done: minutes of waiting take milliseconds."""

from __future__ import annotations

import asyncio
import contextlib
import selectors
from collections.abc import Iterator
from typing import Any

import asyncio_throttle.throttler

import siuo_async.client.endpoint


class _Jumping(selectors.DefaultSelector):
    """Waits for nothing but moves the loop's time on."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everybody waits for something that will never happen")
        self._loop.now += max(0.0, timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop with a time of its own, from `now` on."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now
        super().__init__(_Jumping(self))
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Seconds on the loop's own clock."""
        return self.now


class _Clock:
    """Stands for the `time` module where a module asks it what time it is."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.monotonic = self.time = loop.time


@contextlib.contextmanager
def virtual_loop() -> Iterator[VirtualLoop]:
    """A loop, and its time as that of the modules that take no clock: the throttler and the endpoint."""
    loop = VirtualLoop()
    modules: list[Any] = [asyncio_throttle.throttler, siuo_async.client.endpoint]
    before = [module.time for module in modules]
    for module in modules:
        module.time = _Clock(loop)
    try:
        yield loop
    finally:
        for module, clock in zip(modules, before, strict=True):
            module.time = clock
        loop.close()
