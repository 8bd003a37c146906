"""`make soak`: every fault many times, then the long run; prints the tables of `docs/reliability.md`.

python -m tests.reliability [--minutes 60] [--seed 7] [--only crash,soak] [--few] [--markdown FILE]
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.reliability.catalogue import FAULTS
from tests.reliability.faults import Fault, Scene, Seen
from tests.reliability.soak import Soak, rows
from tests.reliability.soak_plan import FULL_MINUTES, Size

LONG_RUN = "soak"
FEW_MINUTES = 5
"""With so little time the faults are inflicted as often as in the test suite."""
FAULTS_SHARE = 1 / 3
"""Of the minutes, for the faults; once they are used up, the faults that are left are inflicted a few times only."""

Line = Callable[[str], None]


def _told() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__.splitlines()[0])
    parts = [*sorted({fault.part for fault in FAULTS}), LONG_RUN]
    parser.add_argument("--only", default="", help=f"some of {','.join(parts)}")
    parser.add_argument("--seed", type=int, default=1, help="of moments, choices and servers")
    parser.add_argument("--few", action="store_true", help="faults as often as in the test suite, for a quick look")
    parser.add_argument("--minutes", type=float, default=0, help="about how long; 60: 200,000 samples in the long run; 0: only faults")
    parser.add_argument("--markdown", type=Path, help="a file for the tables, which also go to standard output")
    told = parser.parse_args()
    told.only = set(filter(None, told.only.split(",")))
    if unknown := told.only - set(parts):
        parser.error(f"unknown part {', '.join(sorted(unknown))}; there are {', '.join(parts)}")
    if LONG_RUN in told.only and not told.minutes:
        parser.error("the long run needs --minutes")
    return told


def times(fault: Fault, minutes: float, *, few: bool) -> int:
    """How often a fault is inflicted where there are so many minutes for everything (0: as many as it takes)."""
    if few or 0 < minutes <= FEW_MINUTES:
        return fault.few
    return max(fault.few, round(fault.many * min(1.0, minutes / FULL_MINUTES))) if minutes else fault.many


def _row(fault: Fault, seen: Seen) -> str:
    verdict = "; ".join(f"BROKEN: {sentence}" for sentence in seen.broken) or ("kept" if seen.times else "not tried")
    return _cells(fault.part, fault.name, str(seen.times), fault.promised, seen.words, verdict)


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("\n", " ").replace("|", "\\|") for cell in cells) + " |"


def _all_faults(told: argparse.Namespace, line: Line) -> bool:
    """Row by row, each printed as soon as it is there; whether all promises were kept."""
    line("| part | fault | times | promised | seen | promise |\n|---|---|--:|---|---|---|")
    kept, ends = True, time.monotonic() + 60 * told.minutes * FAULTS_SHARE
    for fault in FAULTS:
        if told.only and fault.part not in told.only:
            continue
        if why := fault.needs():
            line(_cells(fault.part, fault.name, "0", fault.promised, f"not inflicted: {why}", ""))
            continue
        late = bool(told.minutes) and time.monotonic() > ends
        with tempfile.TemporaryDirectory(prefix="fault-") as folder:
            seen = fault.inflict(Scene(Path(folder), told.seed, times(fault, told.minutes, few=told.few or late)))
        kept = kept and not seen.broken
        line(_row(fault, seen))
    return kept


def _long_run(told: argparse.Namespace, line: Line) -> bool:
    """The table of the long run; whether all promises were kept. Its files stay where one was not."""
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    begun = time.monotonic()

    def tell(words: str) -> None:
        print(f"{time.monotonic() - begun:7.1f} s  {words}", file=sys.stderr, flush=True)

    soaked = Soak(folder, Size.of(told.minutes), told.seed, tell).run()
    line("\n| the long run | |\n|---|---|")
    for figure, value in rows(soaked):
        line(_cells(figure, value))
    if soaked.broken:
        tell(f"its files are in {folder}")
    else:
        shutil.rmtree(folder)
    return not soaked.broken


def _heading() -> Iterator[str]:
    yield f"`python -m tests.reliability {shlex.join(sys.argv[1:])}`".replace(" `", "`")
    yield f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def main() -> None:
    """All that was asked for; exit code 1 when a promise was broken."""
    told = _told()
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # under nohup, which the program would inherit and take for a wish
        signal.signal(signal.SIGHUP, lambda *_: None)
    found: list[str] = []

    def line(words: str) -> None:
        print(words, flush=True)
        found.append(words)
        if told.markdown:
            told.markdown.write_text("\n".join(found) + "\n", encoding="utf-8")

    line(f"{', '.join(_heading())}; seed {told.seed}\n")
    kept = True
    if not told.only or told.only != {LONG_RUN}:
        kept = _all_faults(told, line)
    if told.minutes and (not told.only or LONG_RUN in told.only):
        kept = _long_run(told, line) and kept
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
