"""The bench still runs, and says whether a target is met; how fast anything is no test looks at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.performance.comparing import FLOOR, SIUO, Targets, calls_table
from tests.performance.inputs import NoRoomError, room_for
from tests.performance.measuring import Measured, quantile
from tests.performance.processes import run
from tests.performance.tables import Table, Target, spread


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).resolve().parents[2]
    return subprocess.run(
        [sys.executable, "-m", "tests.performance", *words], cwd=root, capture_output=True, encoding="utf-8", timeout=100
    )


def test_the_text_row_runs_and_names_both_clients_and_the_targets() -> None:
    done = bench("--only", "text", "--scale", "0.002", "--runs", "1")
    assert done.returncode == 0, done.stderr
    assert "Text: 40 calls, 40 at once" in done.stdout
    lines = done.stdout.splitlines()
    assert any(line.startswith(FLOOR) for line in lines)
    assert any(line.startswith(SIUO) and "≤ 1.3" in line and "≤ 1.05" in line for line in lines)


def test_an_unknown_row_is_refused_with_the_names_of_those_there_are() -> None:
    done = bench("--only", "txt")
    assert done.returncode == 2
    assert "unknown row txt; there are text, pictures" in done.stderr


def test_a_child_that_fails_ends_the_bench_with_what_it_said() -> None:
    with pytest.raises(RuntimeError, match=r"ended with 1:[\s\S]*ZeroDivisionError"):
        run(["-c", "1/0"], core=None)


def table(*siuo_cpu_s: float) -> Table:
    floor = [Measured(1.0, 10.0, 0)] * len(siuo_cpu_s)
    siuo = [Measured(cpu_s, 10.6, 0, server_busy=0.9) for cpu_s in siuo_cpu_s]
    return calls_table("Text", {FLOOR: floor, SIUO: siuo}, 1000, {SIUO: Targets(cpu=Target(1.3), wall=Target(1.05))})


def test_ratios_are_medians_of_rounds_and_held_to_their_targets() -> None:
    _, siuo = table(1.2, 1.1, 1.9).rows
    assert siuo == ("siuo", "1.200", "1.20 (1.10-1.90)", "≤ 1.3 met", "10.60", "1.06 (1.06-1.06)", "≤ 1.05 NOT met", "90%")


def test_a_server_without_reserves_is_named() -> None:
    assert any("server was busy for over 80%" in note and "siuo" in note for note in table(1.0).notes)


def test_a_target_may_be_a_lower_bound() -> None:
    rate = Target(400, " MB/s", at_least=True)
    assert (rate.verdict(401), rate.verdict(399)) == ("≥ 400 MB/s met", "≥ 400 MB/s NOT met")


def test_a_single_run_has_no_spread() -> None:
    assert (spread([1.234]), spread([1.0, 3.0, 2.0])) == ("1.23", "2.00 (1.00-3.00)")


def test_markdown_has_a_table_with_figures_to_the_right() -> None:
    shown = Table("Start-up", ("command", "CPU s"), (("siuo --help", "0.2"),), ("A note.",)).markdown()
    assert shown == "**Start-up**\n\n| command | CPU s |\n| --- | --: |\n| siuo --help | 0.2 |\n\nA note."


def test_a_quantile_of_few_values_is_the_highest() -> None:
    assert quantile([1.0, 5.0, 3.0], 0.999) == 5.0


def test_a_disk_without_room_is_told_with_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(NoRoomError, match=r"1000000\.0 GB are needed in .* set TMPDIR"):
        room_for(tmp_path, 10**15)
