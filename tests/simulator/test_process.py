"""A simulator in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from siuo_async.simulator import Settings, SimulatorProcess


def test_it_serves_until_the_block_ends() -> None:
    process = SimulatorProcess(Settings(seed=3))
    with process as url:
        assert url.startswith("http://127.0.0.1:")
        assert process.stats(calls=True)["calls"] == {}
        process.reset()
    with pytest.raises(urllib.error.URLError):
        process.stats()


def test_a_simulator_that_cannot_start_says_why() -> None:
    with SimulatorProcess() as url:
        port = int(url.rsplit(":", 1)[1])
        with pytest.raises(RuntimeError, match="did not start"), SimulatorProcess(Settings(port=port)):
            pass


def started(*words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "siuo_async.simulator", *words]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"simulator listening on http://127.0.0.1:")
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_peace_and_it_said_one_line(number: signal.Signals) -> None:
    process = started()
    process.send_signal(number)
    said, complained = process.communicate(timeout=10)
    assert (process.returncode, said, complained) == (0, b"", b"")


def test_it_ends_with_its_parent_only_when_told_to() -> None:
    with_parent, alone = started("--with-parent"), started()
    for process in (with_parent, alone):
        assert process.stdin is not None
        process.stdin.close()
    assert with_parent.wait(timeout=10) == 0
    assert alone.poll() is None
    for process in (with_parent, alone):
        process.terminate()
        process.wait(timeout=10)
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()
