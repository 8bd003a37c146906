"""`make bench`: options, the order of the rows, what is printed.

python -m tests.performance [--only text,pictures] [--runs 7] [--scale 0.1] [--markdown]
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from tests.performance import rows_calls, rows_process
from tests.performance.comparing import Bench
from tests.performance.inputs import NoRoomError
from tests.performance.processes import Cores
from tests.performance.serving import NAME, capacity
from tests.performance.tables import Table

Row = Callable[[Bench], Iterator[Table]]
ROWS: Mapping[str, Row] = {
    "text": rows_calls.text,
    "pictures": rows_calls.pictures,
    "at-once": rows_calls.at_once,
    "tls": rows_calls.tls,
    "judging": rows_calls.judging,
    "startup": rows_process.startup,
    "resume": rows_process.resume,
    "memory": rows_process.memory,
    "stalls": rows_process.stalls,
    "peers": rows_calls.peers,
}


def _told() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.performance", description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(ROWS), help=f"some of {','.join(ROWS)}")
    parser.add_argument("--runs", type=int, default=7, help="interleaved runs; long rows make three at most")
    parser.add_argument("--scale", type=float, default=1.0, help="shrinks all counts, for a quick look whose figures mean little")
    parser.add_argument("--markdown", action="store_true", help="tables for docs/performance.md")
    told = parser.parse_args()
    if unknown := [name for name in told.only.split(",") if name not in ROWS]:
        parser.error(f"unknown row {', '.join(unknown)}; there are {', '.join(ROWS)}")
    if told.runs < 1 or told.scale <= 0:
        parser.error("--runs and --scale must be above zero")
    return told


def _about(bench: Bench) -> list[str]:
    libraries = ", ".join(f"{name} {version(name)}" for name in ("aiohttp", "uvloop", "orjson", "pybase64"))
    if bench.cores.client is None:
        pinned = "nobody is held to a core"
    else:
        pinned = f"clients on core {bench.cores.client}, server on {', '.join(map(str, bench.cores.servers))}"
    able = capacity(bench.cores, bench.count(50_000, 1_000))
    scaled = "" if bench.scale == 1 else f" Counts are scaled by {bench.scale:g}: ratios mean little."
    return [
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {libraries}.",
        f"Server: {NAME}, {len(bench.cores.servers)} process(es), {able:,.0f} requests/s by what one costs it; {pinned}.",
        "CPU: user and system time of a fresh process per run, from after one call for warming up to the end of the work; ratios are "
        "of runs of the same round, medians with lowest and highest. All on uvloop with the same settings of the garbage collector.",
        f"Load average at the start: {os.getloadavg()[0]:.1f}; a busy machine "
        f"widens the ranges, and its wall times mean little.{scaled}",
    ]


def main() -> None:
    """Row by row, each printed as soon as it is there."""
    told = _told()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers, runs and files end with it
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(told.runs, told.scale, Path(folder), Cores.here())
        print("\n\n".join(_about(bench)) if told.markdown else "\n".join(_about(bench)), flush=True)
        for name in told.only.split(","):
            try:
                for table in ROWS[name](bench):
                    print(f"\n{table.markdown() if told.markdown else table.text()}", flush=True)
            except NoRoomError as error:
                print(f"\n{name}: left out: {error}", flush=True)
    print(f"\nTook {(time.monotonic() - begun) / 60:.1f} min; load average at the end: {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
