"""`python -m siuo_async.simulator`: serve until told to stop, or until the parent is gone."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable

from siuo_async.simulator.server import serve
from siuo_async.simulator.settings import Settings, from_arguments


def _announce(url: str) -> None:
    sys.stdout.write(f"simulator listening on {url}\n")
    sys.stdout.flush()


def _watch_stdin(closed: Callable[[], None]) -> None:
    # os.read, not sys.stdin: a thread that holds the buffer's lock would break the interpreter's shutdown.
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    closed()


async def serve_until_told(settings: Settings, *, with_parent: bool = False) -> None:
    """Serve until SIGTERM or SIGINT, or with `with_parent` until stdin closes."""
    _allow_many_connections()
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if with_parent:

        def closed() -> None:
            with contextlib.suppress(RuntimeError):  # the loop may be closed already
                loop.call_soon_threadsafe(stop.set)

        threading.Thread(target=_watch_stdin, args=(closed,), daemon=True).start()
    await serve(settings, _announce, stop)


def _allow_many_connections() -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else hard
    if soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def main() -> None:
    """Serve as the command line says."""
    settings, with_parent = from_arguments()
    gc.set_threshold(50_000)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(serve_until_told(settings, with_parent=with_parent))


if __name__ == "__main__":
    main()
