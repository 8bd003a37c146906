"""How well limits are learnt: every limiter of the simulator, with all hints, some and none.

    make bench-limits    or    python -m tests.performance.limits_scenarios [--only fixed] [--seeds 5] [--markdown]

10 s to warm up, 120 s that count, five seeds, the worst of them printed: requests let in as a share of the ideal, rejections as a share
of all requests, and from when on no 20 s were below 85% of the ideal. The ideal is what the limiter allows evenly over that time, for
slots their number over the mean time of a call. Virtual time (`limits_client`), since 400 runs of two minutes are 13 hours otherwise.
"""

from __future__ import annotations

import argparse
import os
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

from siuo_async.simulator import Hints, Limiter, LimitSettings
from tests.performance.limits_client import MEAN_S, ROUND_TRIP_S, Seen, ran

WARM_S, COUNTED_S = 10.0, 120.0
FALLS_S, RETURNS_S, ENDS_S, FALLS_TO = 60.0, 110.0, 180.0, 0.3
STRETCH_S, STRETCH_SHARE = 20, 0.85
TARGETS = {Hints.FULL: (0.97, 0.005), Hints.RETRY_AFTER: (0.92, 0.03), Hints.BODY: (0.92, 0.03), Hints.NONE: (0.88, 0.05)}
MOST_AFTER_STOP = 16
"""Rejections of a spent day: the calls that were under way."""
FALL_TARGET_S, RETURN_TARGET_S = 10.0, 60.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One limiter and what it tells."""

    name: str
    settings: LimitSettings
    hints: Hints
    dialect: str = "openai"
    knee: int = 0
    falls: bool = False
    stops: bool = False
    """Whether the limit is one of the day, which ends the account's part."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one run came to.

    For limits that fall, `settled_s` is the time to fall below and `share` that to return, in seconds; for those of the day, `rejected`
    is the number of rejections and `settled_s` when the account was stopped.
    """

    share: float
    rejected: float
    settled_s: float


def scenarios() -> Iterator[Scenario]:
    """All of them, in the order of the table."""
    for hints in Hints:
        dialect = "gemini" if hints is Hints.BODY else "openai"
        for limiter in Limiter:
            for rpm in (60, 600, 3_000):
                burst = rpm / 60 if limiter is Limiter.BUCKET else 0
                settings = LimitSettings(limiter=limiter, rpm=rpm, burst=burst)
                yield Scenario(f"{limiter} window, {rpm} a minute".replace("bucket window", "bucket of 1 s"), settings, hints, dialect)
        yield Scenario("bucket of 60 s, 600 a minute", LimitSettings(limiter=Limiter.BUCKET, rpm=600), hints, dialect)
        for slots in (8, 32):
            yield Scenario(f"{slots} at once", LimitSettings(concurrency=slots), hints, dialect)
        for limiter in Limiter:
            settings = LimitSettings(limiter=limiter, tpm=168_000)
            yield Scenario(f"168,000 tokens a minute, {limiter}", settings, hints, dialect)
        for limiter in Limiter:
            settings = LimitSettings(limiter=limiter, rpm=600, other_rpm=240)
            yield Scenario(f"600 a minute, {limiter}, another client takes 240", settings, hints, dialect)
        yield Scenario("slower above 32 at once", LimitSettings(), hints, dialect, knee=32)
    yield Scenario("sliding window, 600 a minute (Anthropic)", LimitSettings(rpm=600), Hints.FULL, "anthropic")
    for hints, dialect in ((Hints.FULL, "openai"), (Hints.BODY, "gemini")):
        yield Scenario("300 a day, 600 a minute", LimitSettings(rpm=600, rpd=300), hints, dialect, stops=True)
    for hints in (Hints.FULL, Hints.RETRY_AFTER, Hints.NONE):
        schedule = ((FALLS_S, FALLS_TO), (RETURNS_S, 1.0))
        for limiter in Limiter:
            settings = LimitSettings(limiter=limiter, rpm=600, burst=10 if limiter is Limiter.BUCKET else 0, schedule=schedule)
            yield Scenario(f"600 a minute, {limiter}, falls to 180 and returns", settings, hints, falls=True)
        settings = LimitSettings(concurrency=32, schedule=schedule)
        yield Scenario("32 at once, falls to 10 and returns", settings, hints, falls=True)


def _between(times: Sequence[float], begin: float, end: float) -> int:
    return bisect_left(times, end) - bisect_left(times, begin)


def _ideal_per_s(scenario: Scenario, seen: Seen, second: int) -> float:
    """What the limits allow in this second."""
    told = [per_s for per_s in seen.allowed[second:] if per_s is not None]  # of tokens, none before the first call
    rates = told[:1] or [per_s for per_s in seen.allowed if per_s is not None][-1:]
    slots = scenario.settings.concurrency
    if slots:
        fallen = scenario.falls and FALLS_S <= second < RETURNS_S
        rates.append(max(1, round(slots * (FALLS_TO if fallen else 1.0))) / (MEAN_S + ROUND_TRIP_S))
    if scenario.knee:
        rates.append(scenario.knee / (MEAN_S + ROUND_TRIP_S))
    return min(rates)


def run(scenario: Scenario, seed: int) -> Found:
    """One run."""
    phase_s = 1_000.0 + 7.3 * seed if scenario.settings.limiter is Limiter.FIXED else 0.0
    settings = replace(scenario.settings, phase_s=phase_s)
    seconds = ENDS_S if scenario.falls else WARM_S + COUNTED_S
    seen, _ = ran(settings, scenario.hints, seed=seed, seconds=seconds, dialect=scenario.dialect, knee=scenario.knee)
    if scenario.stops and seen.stopped is not None:
        return Found(len(seen.let_in) / settings.rpd, float(len(seen.turned_away)), max(seen.turned_away))
    if seen.stopped is not None or scenario.stops:
        raise RuntimeError(f"{scenario}: {seen.stopped}")
    let_in, turned_away = sorted(seen.let_in), sorted(seen.turned_away)
    everything = sorted(let_in + turned_away)
    rejected = _between(turned_away, WARM_S, seconds) / max(1, _between(everything, WARM_S, seconds))
    if scenario.falls:
        full = _ideal_per_s(scenario, seen, int(FALLS_S) - 1)
        fell_s = _first(lambda t: _between(everything, t, t + 3) <= 1.1 * 3 * FALLS_TO * full + 1, FALLS_S, RETURNS_S)
        back_s = _first(lambda t: _between(let_in, t, t + 5) >= 0.9 * 5 * full, RETURNS_S, seconds - 5)
        return Found(back_s, rejected, fell_s)
    ideal = sum(_ideal_per_s(scenario, seen, second) for second in range(int(WARM_S), int(WARM_S + COUNTED_S)))
    return Found(_between(let_in, WARM_S, WARM_S + COUNTED_S) / ideal, rejected, _settled(scenario, seen, let_in))


def _first(holds: object, begin: float, end: float) -> float:
    """Seconds from `begin` until something holds; the whole time if it never does."""
    at = begin
    while at < end and not holds(at):  # type: ignore[operator]
        at += 0.25
    return at - begin


def _settled(scenario: Scenario, seen: Seen, let_in: Sequence[float]) -> float:
    settled = 0.0
    for begin in range(int(WARM_S + COUNTED_S) - STRETCH_S):
        ideal = sum(_ideal_per_s(scenario, seen, begin + second) for second in range(STRETCH_S))
        if _between(let_in, begin, begin + STRETCH_S) < STRETCH_SHARE * ideal - 1:
            settled = begin + STRETCH_S
    return float(settled)


def worst(scenario: Scenario, seeds: int) -> Found:
    """The worst of several runs, each column by itself."""
    found = [run(scenario, seed) for seed in range(seeds)]
    share = max(each.share for each in found) if scenario.falls else min(each.share for each in found)
    return Found(share, max(each.rejected for each in found), max(each.settled_s for each in found))


def _worst(pair: tuple[Scenario, int]) -> Found:
    return worst(*pair)


def _row(scenario: Scenario, found: Found, markdown: bool) -> str:
    if scenario.stops:
        met = found.share == 1 and found.rejected <= MOST_AFTER_STOP
        cells = [f"{found.share:.0%} of the day's", f"{found.rejected:.0f} calls", f"stopped after {found.settled_s:.0f} s"]
    elif scenario.falls:
        met = found.settled_s <= FALL_TARGET_S and found.share <= RETURN_TARGET_S
        cells = [f"back after {found.share:.0f} s", f"{found.rejected:.2%}", f"below it after {found.settled_s:.0f} s"]
    else:
        share, rejected = TARGETS[scenario.hints]
        met = found.share >= share and found.rejected <= rejected
        cells = [f"{found.share:.3f}", f"{found.rejected:.2%}", f"{found.settled_s:.0f} s"]
    cells = [scenario.hints.value, scenario.name, *cells, "met" if met else "NOT met"]
    if markdown:
        return "| " + " | ".join(cells) + " |"
    return f"{cells[0]:<12}{cells[1]:<52}{cells[2]:>17}{cells[3]:>10}{cells[4]:>22}  {cells[5]}"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="scenarios whose hints or name contain this")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--markdown", action="store_true")
    told = parser.parse_args()
    wanted = [each for each in scenarios() if told.only in f"{each.hints.value} {each.name}"]
    targets = ", ".join(f"{hints.value} {share:.0%} and {rejected:.1%}" for hints, (share, rejected) in TARGETS.items())
    print(f"{len(wanted)} scenarios, worst of {told.seeds} seeds. Targets (share of the ideal, rejected): {targets};")
    print(f"after a fall below the limit within {FALL_TARGET_S:.0f} s, back at 90% within {RETURN_TARGET_S:.0f} s of its return.\n")
    if told.markdown:
        print("| told | limiter | of the ideal | rejected | settled | target |\n|---|---|--:|--:|--:|---|")
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for scenario, found in zip(wanted, pool.map(_worst, [(each, told.seeds) for each in wanted]), strict=True):
            print(_row(scenario, found, told.markdown), flush=True)


if __name__ == "__main__":
    main()
