"""A reader that goes away takes neither the run nor its exit code with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from siuo_async.simulator import SimulatorProcess
from tests.cli.program import Siuo


def test_a_run_whose_reader_has_gone_ends_as_it_would(tmp_path: Path) -> None:
    with SimulatorProcess() as url:
        siuo = Siuo(tmp_path, SIUO_SIM_URL=url)
        words = ["run", "demo", "-m", "sim/openai-careful", "--judge", "sim/openai-judge", "--limit", "2"]
        with subprocess.Popen(
            [sys.executable, "-m", "siuo_async", *words],
            cwd=siuo.folder,
            env=siuo.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            assert process.stdout is not None
            process.stdout.close()
            assert process.wait(60) == 0
        assert len(list(tmp_path.glob("results/*/summary.json"))) == 1
