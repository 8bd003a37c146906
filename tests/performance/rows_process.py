"""What is not a matter of calls: start-up, resume, memory, stalls of the event loop."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from statistics import median
from typing import Any

import yaml

from tests.performance import inputs, journal
from tests.performance.comparing import FLOOR, SIUO, Bench, Found, both, compare, tell
from tests.performance.measuring import Load
from tests.performance.processes import measured, run
from tests.performance.serving import Server, serving
from tests.performance.tables import NOTHING, Table, Target, megabytes, spread

_LINE_BYTES = 1_600
_MB = 1e6
PICTURE_BYTES = 1_200_000
STALL = Target(5, " ms")
STALL_AT_ONCE = 8
"""So few that replies which waited together are no stall by themselves."""


def startup(bench: Bench) -> Iterator[Table]:
    """What a command costs before it does anything."""
    help_target = Target(0.25, " s")
    commands: tuple[tuple[str, tuple[str, ...], Target | None], ...] = (
        ("python alone", ("-c", ""), None),
        ("siuo --help", ("-m", "siuo_async", "--help"), help_target),
        ("siuo run --help", ("-m", "siuo_async", "run", "--help"), None),
    )
    found: dict[str, list[float]] = {name: [] for name, _, _ in commands}
    for number in range(bench.runs + 1):
        tell(f"start-up: run {number} of {bench.runs}")
        for name, words, _ in commands:
            used = run(words, core=bench.cores.client).cpu_s
            if number:  # the first compiles what was never imported
                found[name].append(used)
    rows = tuple((name, spread(found[name], 3), target.verdict(median(found[name])) if target else "") for name, _, target in commands)
    yield Table(f"Start-up; medians of {bench.runs} runs", ("command", "CPU s (range)", "target"), rows)


def resume(bench: Bench) -> Iterator[Table]:
    """Indexing a long journal, which every continued run begins with."""
    bench = bench.fewer()
    lines = bench.count(500_000, 100)
    inputs.room_for(bench.folder, lines * _LINE_BYTES)
    path = bench.folder / "calls.jsonl"
    tell(f"resume: writing {lines:,} lines")
    journal.write(path, lines)
    size = path.stat().st_size
    found: list[dict[str, Any]] = []
    for number in range(1, bench.runs + 1):
        tell(f"resume: run {number} of {bench.runs}")
        found.append(measured("index", journal.Reading(str(path)), core=bench.cores.client))
    path.unlink()
    if any(each["ids"] != lines for each in found):
        raise RuntimeError(f"{found[0]['ids']} of {lines} ids were found in the journal")
    rate = [size / each["cpu_s"] / _MB for each in found]
    wall = [size / each["wall_s"] / _MB for each in found]
    held = [each["held_bytes"] / lines for each in found]
    target = Target(400, " MB/s", at_least=True)
    rows = (
        ("MB per second of CPU", spread(rate, 0), target.verdict(median(rate))),
        ("MB per second of wall time", spread(wall, 0), NOTHING),
        ("bytes of memory per id", spread(held, 0), NOTHING),
    )
    title = f"Resume: indexing a journal of {lines:,} lines, {size / _MB:,.0f} MB, in the page cache; medians of {bench.runs} runs"
    yield Table(title, ("figure", "median (range)", "target"), rows)


def memory(bench: Bench) -> Iterator[Table]:
    """What grows with the number of samples, and what pictures in flight cost beside themselves."""
    yield _growth(bench.fewer())
    yield _in_flight(bench.fewer())


def _growth(bench: Bench) -> Table:
    counts = bench.count(10_000, 100), bench.count(100_000, 1_000)
    highest: dict[int, list[int]] = {count: [] for count in counts}
    with serving(bench.cores, delay_s=0) as server:
        for number in range(1, bench.runs + 1):
            for count in counts:
                tell(f"memory: run {number} of {bench.runs}, {count:,} samples")
                highest[count].append(_highest(bench, server, count))
    few, many = counts
    per_sample = [(high - low) / (many - few) for low, high in zip(highest[few], highest[many], strict=True)]
    target = Target(216, " bytes")
    rows = (
        *((f"highest at {count:,} samples, MB", spread([each / _MB for each in highest[count]], 1), NOTHING) for count in counts),
        ("growth per sample and its call, bytes", spread(per_sample, 0), target.verdict(median(per_sample))),
    )
    note = "The target is 200 bytes for each finished call and 16 for each sample."
    title = f"Memory of `siuo run`: text, one call per sample, no delay; medians of {bench.runs} runs"
    return Table(title, ("figure", "median (range)", "target"), rows, (note,))


def _highest(bench: Bench, server: Server, count: int) -> int:
    """VmHWM of the real command."""
    place = bench.folder / "command"
    place.mkdir()
    try:
        settings = {
            "benchmark": str(inputs.questions(place, count)),
            "models": ["canned/canned"],
            "concurrency": 256,
            "results": str(place / "results"),
            "providers": {"canned": {"base_url": server.url}},
        }
        (place / "run.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
        note = place / "highest"
        words = ["-m", "tests.performance.command", str(note), "run", "-c", "run.yaml", "--json"]
        run(words, core=bench.cores.client, cwd=place)
        if (finished := sum(len(file.read_bytes().splitlines()) for file in place.rglob("calls.jsonl"))) != count:
            raise RuntimeError(f"the run of {count} samples made {finished} calls")
        return int(note.read_text(encoding="ascii"))
    finally:
        shutil.rmtree(place)


def _in_flight(bench: Bench) -> Table:
    count = bench.count(200, 4)
    place = inputs.pictures(bench.folder, count, PICTURE_BYTES)
    load = Load("", count, count, "", pictures=str(place))
    with serving(bench.cores, delay_s=1.0) as server:
        found = compare(bench, "pictures in flight", both(load, server))
    shutil.rmtree(place)
    themselves = count * 4 * PICTURE_BYTES / 3
    target = Target(20, " MB")
    rows = []
    for label, runs in found.items():
        beside = [(each.grown_bytes - themselves) / _MB for each in runs]
        verdict = target.verdict(median(beside)) if label == SIUO else NOTHING
        rows.append((label, megabytes(median(each.grown_bytes for each in runs)), spread(beside, 1), verdict))
    title = (
        f"Memory with {count} calls in flight, each with a picture of its own, 1.6 MB as base64 ({megabytes(themselves)} together); "
        f"medians of {bench.runs} runs"
    )
    return Table(title, ("client", "growth", "beside the pictures, MB", "target"), tuple(rows))


def stalls(bench: Bench) -> Iterator[Table]:
    """How long the event loop stood still under a load that leaves it time, with everything on."""
    bench = bench.fewer()
    with serving(bench.cores, delay_s=0.05) as server:
        text = Load("", bench.count(2_000, 100), STALL_AT_ONCE, "", watch_stalls=True)
        yield _stalls("text", _watched(bench, text, server), text)
        place = inputs.pictures(bench.folder, bench.count(1_000, 50), 200_000)
        pictures = replace(text, calls=bench.count(1_000, 50), pictures=str(place))
        yield _stalls("pictures of 0.2 MB", _watched(bench, pictures, server), pictures)
        shutil.rmtree(place)


def _watched(bench: Bench, load: Load, server: Server) -> Found:
    return compare(bench, "stalls", both(load, server))


def _stalls(what: str, found: Found, load: Load) -> Table:
    longest = {label: [each.stalls.max_ms for each in runs if each.stalls] for label, runs in found.items()}
    rows = []
    for label, runs in found.items():
        seen = [each.stalls for each in runs if each.stalls]
        figures = ([each.p999_ms for each in seen], longest[label], [each.busy_max_ms for each in seen])
        rows.append((label, *(spread(values, 1) if values else "none seen" for values in figures), _verdict(label, longest)))
    title = (
        f"Stalls of the event loop: {what}, {load.calls:,} calls, {load.at_once} at once, 50 ms, screen on a terminal; "
        f"medians of {len(found[FLOOR])} interleaved runs"
    )
    head = ("client", "99.9%, ms", "longest, ms", "of it computing, at most, ms", "target")
    note = (
        "By how much a sleep of 1 ms was too long, from half a second after the start. Where floor A is late too, the kernel may have "
        "given the core to others; what the loop's own thread computed between two sleeps is its own."
    )
    return Table(title, head, tuple(rows), (note,))


def _verdict(label: str, longest: dict[str, list[float]]) -> str:
    """A stall that floor A had too may be the machine's."""
    if label != SIUO or not longest[SIUO]:
        return NOTHING
    mine, its = median(longest[SIUO]), median(longest[FLOOR] or [0.0])
    if STALL.met(mine) or STALL.met(its):
        return STALL.verdict(mine)
    return f"{STALL} cannot be told: floor A {its:.1f} ms"
