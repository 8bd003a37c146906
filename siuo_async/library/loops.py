"""From calls that wait to coroutines and back, wherever the caller stands: a script, a notebook's running event loop, a thread.

A notebook runs its cells inside an event loop, in which nothing can be waited for without awaiting it. There the work gets a thread
with a loop of its own, and the caller waits for the thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

T = TypeVar("T")
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def in_a_loop() -> bool:
    """Whether the caller stands in a running event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def without_a_loop(work: Callable[[], T]) -> T:
    """What `work` gives, which may run an event loop of its own; in a thread where one is running here."""
    return in_a_thread(work) if in_a_loop() else work()


def in_a_thread(work: Callable[[], T], interrupt: Callable[[], None] = lambda: None) -> T:
    """What `work` gives in another thread, in the caller's context.

    Args:
        interrupt: called on Ctrl-C, once for each; then the work is waited for, and KeyboardInterrupt raised.
    """
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), name="siuo", daemon=True)
    thread.start()
    interrupted = False
    with signals_kept():
        ctrl_c_is_raised()
        while thread.is_alive():
            try:
                thread.join()
            except KeyboardInterrupt:
                interrupted = True
                interrupt()
    if interrupted:
        raise KeyboardInterrupt
    if failed:
        raise failed[0]
    return done[0]


def ctrl_c_is_raised() -> None:
    """`asyncio.run` keeps Ctrl-C for when its loop goes on, which waits for us: calls would be made, and paid, to the end."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine in an event loop of its own: uvloop's where it is there."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(coroutine)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(coroutine)


@contextlib.contextmanager
def signals_kept() -> Iterator[None]:
    """Gives the caller's signal handlers back, which a session replaces while it runs."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:  # None: not set from Python, so nobody here can set it again
                signal.signal(number, handler)
