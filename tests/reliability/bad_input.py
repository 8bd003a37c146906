"""Configuration, flags, data and run directories that are not what they should be: a seeded fuzzer over the real commands.

python -m tests.reliability.bad_input [--only config] [--seed 1] [--cases 200 | --case 17] [--show 60]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.cli.program import Done
from tests.reliability import bad_input_config, bad_input_data, bad_input_flags, bad_input_runs, bad_input_surroundings
from tests.reliability.bad_input_cases import Case, Family, ground, inflict, one
from tests.reliability.faults import Fault, Scene

FAMILIES: Sequence[Family] = (
    bad_input_config.FAMILY,
    bad_input_flags.FAMILY,
    bad_input_data.FAMILY,
    *bad_input_runs.FAMILIES,
    bad_input_surroundings.FAMILY,
)
FEW, MANY = 20, 2000

FAULTS: Sequence[Fault] = tuple(
    Fault("input", family.name, family.promised, partial(inflict, family), few=FEW, many=MANY) for family in FAMILIES
)


def _told() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.bad_input", description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", choices=["", *(family.name for family in FAMILIES)])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--case", type=int, help="one alone, with all it said")
    parser.add_argument("--show", type=int, default=0, help="so many of the sentences, at random")
    return parser.parse_args()


def _show(case: Case, done: Done, wrong: Sequence[str]) -> None:
    print(f"{case.what}\n  words: {case.words}\n  exit code {done.code}\n  stdout: {done.out[-1500:]}\n  stderr: {done.err[-3000:]}")
    for sentence in wrong:
        print(f"  BROKEN: {sentence}")


def main() -> None:
    """Exit code 1 where a promise was broken."""
    told = _told()
    found, sentences = False, []
    for family in (each for each in FAMILIES if told.only in ("", each.name)):
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            if told.case is not None:
                with ground(Path(folder)) as there:
                    family.prepare(there)
                    _show(*one(family, there, told.seed, told.case, Path(folder) / "cases"))
                continue
            keep = lambda _n, case, done, _w: sentences.append(f"[{done.code}] {case.what}\n    {done.err.strip()[:1500]}")  # noqa: E731
            seen = inflict(family, Scene(Path(folder), told.seed, told.cases), keep)
        print(f"{family.name}: {seen.times} cases, {seen.words}; {len(seen.broken)} broken")
        for sentence in seen.broken:
            print(f"  {sentence}")
        found = found or bool(seen.broken)
    for sentence in random.Random(told.seed).sample(sentences, min(told.show, len(sentences))):
        print(sentence)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
