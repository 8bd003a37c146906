"""A simulator in a process of its own, for tests and for the demonstration."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from siuo_async.simulator.settings import Settings
from siuo_async.simulator.trouble import Trouble
from siuo_async.simulator.wire import Json

_SECRET = re.compile(r"(?i)(?:^|_)(?:api)?(?:key|token|secret|password|credentials?)(?:_|$)|_proxy$")
START_S = 30.0
STOP_S = 5.0
_ANNOUNCEMENT = "simulator listening on "


def _without_keys(variables: Mapping[str, str]) -> dict[str, str]:
    """A child that asks nobody needs no keys."""
    return {name: value for name, value in variables.items() if not _SECRET.search(name)}


class SimulatorProcess:
    """`with SimulatorProcess(Settings(seed=1)) as url:` starts a simulator and stops it at the end.

    The child is in a session of its own, so that a Ctrl-C meant for the parent does not end it, and it ends when its stdin
    closes, so that it does not outlive a parent that was killed.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._complaints: IO[bytes] | None = None

    def __enter__(self) -> str:
        """Start the child.

        Returns:
            The URL without a trailing slash, `http://127.0.0.1:PORT`.

        Raises:
            RuntimeError: the child did not start; with what it said.
        """
        self._complaints = tempfile.TemporaryFile()
        paths = [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "siuo_async.simulator", *self.settings.arguments(), "--with-parent"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            start_new_session=True,
            env={**_without_keys(os.environ), "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )
        line = self._first_line(self._process)
        if not line.startswith(_ANNOUNCEMENT):
            self._complaints.seek(0)
            said = self._complaints.read().decode(errors="replace")[-2000:]
            self._stop()
            raise RuntimeError(f"the simulator did not start: {said or line or 'it said nothing'}")
        self.url = line.removeprefix(_ANNOUNCEMENT).strip()
        return self.url

    def __exit__(self, *_: object) -> None:
        self._stop()

    @staticmethod
    def _first_line(process: subprocess.Popen[bytes]) -> str:
        assert process.stdout is not None
        too_late = threading.Timer(START_S, process.kill)
        too_late.start()
        try:
            return process.stdout.readline().decode()
        finally:
            too_late.cancel()

    def _stop(self) -> None:
        if self._process is not None:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.close()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process.stdout.close()
            self._process = None
        if self._complaints is not None:
            self._complaints.close()
            self._complaints = None

    def stats(self, *, calls: bool = False) -> dict[str, Json]:
        """The server's counters; with `calls` also the map of call ids to requests."""
        return dict(json.loads(self._request("/stats?calls=1" if calls else "/stats")))

    def reset(self) -> None:
        """Set counters, limits and memory of earlier calls back to nothing."""
        self._request("/reset", data=b"")

    def trouble(self, trouble: Trouble, seconds: float, share: float = 1.0) -> None:
        """Let the server suffer `trouble` from now on for so many seconds, a share of its requests where it can be a share."""
        self._request("/trouble", json.dumps({"trouble": trouble, "seconds": seconds, "share": share}).encode())

    def _request(self, path: str, data: bytes | None = None) -> bytes:
        # Without proxies: the server is on this machine, whatever the environment says.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.url + path, data=data, timeout=START_S) as reply:
            return bytes(reply.read())
