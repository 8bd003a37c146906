"""The canned server, from the outside: started on cores of its own, asked what it has used, ended."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.performance.processes import ROOT, Cores, run

NAME = "asyncio on uvloop, httptools parser"


@dataclass(frozen=True, slots=True)
class Server:
    """One or more processes that share a port."""

    port: int
    processes: tuple[subprocess.Popen[bytes], ...]
    tls: bool = False

    @property
    def url(self) -> str:
        """The base URL, as of an OpenAI-compatible provider."""
        return f"https://localhost:{self.port}/v1" if self.tls else f"http://127.0.0.1:{self.port}/v1"

    def cpu_s(self) -> list[float]:
        """CPU seconds used so far, by process."""
        return [_asked(process) for process in self.processes]


def _asked(process: subprocess.Popen[bytes]) -> float:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"\n")
    process.stdin.flush()
    return float(process.stdout.readline())


@contextmanager
def serving(cores: Cores, *, delay_s: float, judging: bool = False, certificate: Path | None = None) -> Iterator[Server]:
    """A server while the block runs.

    Args:
        delay_s: from the end of a request to its reply.
        judging: whether to look for judge's prompts and reply to them with verdicts.
        certificate: a PEM file of key and chain; speaks TLS then.
    """
    told = {"port": 0, "delay_s": delay_s, "judging": judging, "certificate": str(certificate or "")}
    processes: list[subprocess.Popen[bytes]] = []
    with ExitStack() as stack:
        for core in cores.servers:
            words = [sys.executable, "-m", "tests.performance.server", json.dumps({**told, "core": core})]
            process = stack.enter_context(subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            stack.callback(process.kill)
            processes.append(process)
            assert process.stdout is not None
            told["port"] = int(process.stdout.readline())
        yield Server(int(str(told["port"])), tuple(processes), certificate is not None)


def capacity(cores: Cores, requests: int) -> float:
    """Requests per second that the server can answer where its cores are its own, by what a request costs it."""
    with serving(cores, delay_s=0) as server:
        before = sum(server.cpu_s())
        run(["-m", "tests.performance.hammer", str(server.port), str(requests)], core=cores.client)
        return len(cores.servers) * requests / (sum(server.cpu_s()) - before)
