"""The pace alone, saturated, on the real clock: the share of the wanted rate, the fullest second, and what waiting costs.

python -m tests.performance.limits_pace [--seconds 10]
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import time

import uvloop

from siuo_async.client.controller import Ceilings, Controller
from siuo_async.client.halt import Halt
from siuo_async.client.limits import LimitGroup, Priority

RATES_PER_S = (0.5, 5.0, 8.3, 40.0, 50.0, 83.0, 500.0, 5_000.0)
CROWD, CROWD_RATE_PER_S = 2_000, 500.0


def fullest_second(times: list[float]) -> int:
    """The most starts in any second, wherever it begins."""
    return max(bisect.bisect_left(times, begin + 1.0) - position for position, begin in enumerate(times))


async def starts(rate_per_s: float, seconds: float, waiters: int) -> tuple[list[float], float]:
    """(when calls were let in, CPU seconds) with `waiters` always at the door."""
    group = LimitGroup("pace", Controller(Ceilings(calls_per_s=rate_per_s, slots=10**6)))
    group.succeeded(time.monotonic())
    times: list[float] = []
    halt = Halt()
    end = time.monotonic() + seconds

    async def come() -> None:
        while time.monotonic() < end:
            await group.enter(Priority.GENERATION, halt)
            times.append(time.monotonic())
            group.leave()

    tasks = [asyncio.ensure_future(come()) for _ in range(waiters)]
    cpu = time.process_time()
    await asyncio.sleep(seconds)
    spent = time.process_time() - cpu
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    group.close()
    return times, spent


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    told = parser.parse_args()
    print("Pace alone, saturated (targets: 0.98 to 1.00 of the rate, fullest second at most 1.02, 2,000 waiters at most 5% of a core)")
    print(f"{'calls/s':>8}{'waiters':>9}{'share of rate':>15}{'fullest second':>16}{'core':>8}")
    for rate_per_s, waiters in [*((rate, 64) for rate in RATES_PER_S), (CROWD_RATE_PER_S, CROWD)]:
        seconds = max(told.seconds, 20 / rate_per_s)
        times, cpu_s = uvloop.run(starts(rate_per_s, seconds, waiters))
        times = [at for at in times if at >= times[0] + 0.2 or rate_per_s < 100]
        share = (len(times) - 1) / (times[-1] - times[0]) / rate_per_s
        fullest = fullest_second(times) / max(1.0, rate_per_s)
        print(f"{rate_per_s:>8g}{waiters:>9,}{share:>15.3f}{fullest:>16.3f}{cpu_s / seconds:>8.1%}")


if __name__ == "__main__":
    main()
