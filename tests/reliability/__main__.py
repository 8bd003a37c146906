"""`make soak`: every fault many times; prints the table of `docs/reliability.md`.

python -m tests.reliability [--only crash,wire] [--seed 7] [--few]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.reliability.catalogue import FAULTS
from tests.reliability.faults import Fault, Scene, Seen


def _told() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__.splitlines()[0])
    parts = sorted({fault.part for fault in FAULTS})
    parser.add_argument("--only", default="", help=f"some of {','.join(parts)}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--few", action="store_true", help="as often as the test suite, for a quick look")
    told = parser.parse_args()
    if unknown := set(filter(None, told.only.split(","))) - set(parts):
        parser.error(f"unknown part {', '.join(sorted(unknown))}; there are {', '.join(parts)}")
    return told


def _row(fault: Fault, seen: Seen) -> str:
    verdict = "; ".join(f"BROKEN: {sentence}" for sentence in seen.broken) or "kept"
    return f"| {fault.part} | {fault.name} | {seen.times} | {fault.promised} | {seen.words} | {verdict} |"


def main() -> None:
    """Row by row, each printed as soon as it is there; exit code 1 when a promise was broken."""
    told = _told()
    only = set(filter(None, told.only.split(",")))
    print("| part | fault | times | promised | seen | promise |\n|---|---|--:|---|---|---|", flush=True)
    broken = False
    for fault in FAULTS:
        if only and fault.part not in only:
            continue
        if why := fault.needs():
            print(f"| {fault.part} | {fault.name} | 0 | {fault.promised} | not inflicted: {why} | |", flush=True)
            continue
        with tempfile.TemporaryDirectory(prefix="fault-") as folder:
            seen = fault.inflict(Scene(Path(folder), told.seed, fault.few if told.few else fault.many))
        broken = broken or bool(seen.broken)
        print(_row(fault, seen), flush=True)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
