"""What a process can hold; in processes of their own, since a limit that was raised stays."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from siuo_async.client.open_files import RESERVED, calls_at_once

RAISE = """
import resource, sys
from siuo_async.client.open_files import allow_many
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
print(allow_many(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(("soft", "hard"), [(256, 1_024), (512, 512)])
def test_the_limit_of_open_files_is_raised_as_far_as_it_may_be(soft: int, hard: int) -> None:
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < hard:
        pytest.skip("this machine allows fewer")
    done = subprocess.run([sys.executable, "-c", RAISE, str(soft), str(hard)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(hard)] * 3


def test_groups_share_what_is_left() -> None:
    alone, shared = calls_at_once(10_000, 1), calls_at_once(10_000, 4)
    assert 9_000 < alone < 10_000 - RESERVED
    assert shared == pytest.approx(alone / 4, abs=2)


def test_one_call_at_a_time_is_always_possible() -> None:
    assert calls_at_once(16, 9) == 1
