"""What a call costs: text, pictures, many at once, TLS, judging, and other clients beside it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from statistics import median

from tests.performance import inputs
from tests.performance.comparing import (
    FLOOR,
    FLOOR_PYBASE64,
    SIUO,
    Bench,
    Contender,
    Found,
    Targets,
    both,
    calls_table,
    compare,
    ratios,
)
from tests.performance.measuring import Load
from tests.performance.peers import PEERS, installed
from tests.performance.serving import serving
from tests.performance.tables import Table, Target, spread

DELAY_S = 0.05
WALL = Target(1.05)
_TEXT = Targets(cpu=Target(1.3), wall=WALL)


def _load(calls: int, at_once: int, **more: object) -> Load:
    return Load(**{"url": "", "folder": "", "calls": calls, "at_once": min(at_once, calls), **more})  # type: ignore[arg-type]


def text(bench: Bench) -> Iterator[Table]:
    """Short questions."""
    load = _load(bench.count(20_000, 20), 256)
    title = f"Text: {load.calls:,} calls, {load.at_once} at once, {1000 * DELAY_S:.0f} ms"
    with serving(bench.cores, delay_s=DELAY_S) as server:
        yield calls_table(title, compare(bench, "text", both(load, server)), load.calls, {SIUO: _TEXT})


def pictures(bench: Bench) -> Iterator[Table]:
    """Pictures read from disk by everybody; floor A reads and encodes for each call."""
    small = Targets(cpu=Target(0.8), wall=WALL)
    shared = Targets(cpu=Target(0.5), wall=WALL)
    yield _pictures(bench, bench.count(2_000, 10), 200_000, 1, small)
    yield _pictures(bench, bench.count(500, 10), 1_200_000, 1, Targets(wall=WALL))
    yield _pictures(bench, bench.count(500, 10), 1_200_000, 7, shared)


def _pictures(bench: Bench, count: int, size: int, per_picture: int, targets: Targets) -> Table:
    place = inputs.pictures(bench.folder, count, size)
    load = _load(count * per_picture, 64, pictures=str(place), per_picture=per_picture)
    each = "one call each" if per_picture == 1 else f"{per_picture} calls each"
    what = f"{count:,} pictures of {size / 1e6:g} MB, {each}"
    with serving(bench.cores, delay_s=DELAY_S) as server:
        floor, siuo = both(load, server)
        fast = Contender(FLOOR_PYBASE64, "floor-pybase64", load, server)
        found = compare(bench, what, [floor, fast, siuo])
    shutil.rmtree(place)
    title = f"Pictures: {what}, {load.at_once} at once, {1000 * DELAY_S:.0f} ms"
    return calls_table(title, found, load.calls, {SIUO: targets})


def at_once(bench: Bench) -> Iterator[Table]:
    """Many connections and a slow server: does all of it stay on the wire?"""
    load = _load(bench.count(6_000, 20), bench.count(2_000, 10))
    with serving(bench.cores, delay_s=1.0) as server:
        found = compare(bench, f"{load.at_once} at once", both(load, server))
    title = f"Many at once: {load.calls:,} calls, {load.at_once:,} at once, 1 s"
    yield calls_table(title, found, load.calls, {SIUO: Targets(wall=WALL)})


def judging(bench: Bench) -> Iterator[Table]:
    """`siuo-gen` with its judge; floor A makes as many calls and knows nothing of verdicts."""
    load = _load(3 * bench.count(6_000, 10), 256, judged=True)
    with serving(bench.cores, delay_s=DELAY_S, judging=True) as server:
        found = compare(bench, "judging", both(load, server))
    title = f"Judging: {load.calls:,} calls (one answer, two verdicts on it), {load.at_once} at once, {1000 * DELAY_S:.0f} ms"
    yield calls_table(title, found, load.calls, {SIUO: Targets(cpu=Target(1.4), wall=WALL)})


def tls(bench: Bench) -> Iterator[Table]:
    """What encryption adds; every run begins with all its handshakes."""
    load = _load(bench.count(10_000, 20), 256)
    mine, trusted = inputs.certificate(bench.folder)
    variables = {"SSL_CERT_FILE": str(trusted)}
    with serving(bench.cores, delay_s=DELAY_S) as plain, serving(bench.cores, delay_s=DELAY_S, certificate=mine) as encrypted:
        contenders = [
            Contender(f"{label}, {how}", kind, load, server, variables)
            for label, kind in ((FLOOR, "floor"), (SIUO, "siuo"))
            for how, server in (("plain", plain), ("TLS", encrypted))
        ]
        found = compare(bench, "TLS", contenders)
    how_often = f"medians of {bench.runs} interleaved runs"
    title = f"TLS: {load.calls:,} calls of text, {load.at_once} at once, {1000 * DELAY_S:.0f} ms; {how_often}"
    head = ("client", "plain, CPU ms/call", "TLS, CPU ms/call", "TLS adds, ms/call", "with TLS, x floor A", "with TLS, wall x floor A")
    rows = tuple(_with_tls(label, found, load.calls) for label in (FLOOR, SIUO))
    yield Table(title, head, rows, (f"{load.at_once} handshakes are in it.",))


def _with_tls(label: str, found: Found, calls: int) -> tuple[str, ...]:
    plain, encrypted = ([1000 * run.cpu_s / calls for run in found[f"{label}, {how}"]] for how in ("plain", "TLS"))
    added = [after - before for after, before in zip(encrypted, plain, strict=True)]
    cpu, wall = (spread(ratios(found, f"{label}, TLS", f"{FLOOR}, TLS", figure)) for figure in ("cpu_s", "wall_s"))
    return label, f"{median(plain):.3f}", f"{median(encrypted):.3f}", spread(added, 3), cpu, wall


def peers(bench: Bench) -> Iterator[Table]:
    """Other clients, as far as they are installed."""
    there = installed()
    if not there:
        return
    bench = bench.fewer()
    load = _load(bench.count(2_000, 20), 256)
    with serving(bench.cores, delay_s=DELAY_S) as server:
        others = [Contender(PEERS[name], name, load, server) for name in there]
        found = compare(bench, "peers", [*both(load, server), *others])
    title = f"Other clients: {load.calls:,} calls of text, {load.at_once} at once, {1000 * DELAY_S:.0f} ms"
    yield calls_table(title, found, load.calls, {})
