"""What a simulator is told, and how that is passed to its process."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that shapes a simulator's behaviour; equal settings and requests give equal replies."""

    port: int = 0
    """0: any free port."""
    seed: int = 0
    latency_s: float = 0.0
    """Median time to a reply."""
    latency_sigma: float = 0.4
    """Sigma of the lognormal around the median; 0: every reply takes the median."""
    rpm: int = 0
    """Requests per minute and model; 0: no limit."""
    window_s: float = 60.0
    """Length of the sliding window in which `rpm` is enforced; short windows make short tests of pace possible."""
    concurrency: int = 0
    """Requests in flight, over all models; 0: no limit."""
    keys: tuple[str, ...] = ()
    """Accepted keys; empty: any but `wrong`."""

    def arguments(self) -> list[str]:
        """The command line that `from_arguments` turns back into an equal value."""
        words = [
            f"--port={self.port}",
            f"--seed={self.seed}",
            f"--latency-s={self.latency_s}",
            f"--latency-sigma={self.latency_sigma}",
            f"--rpm={self.rpm}",
            f"--window-s={self.window_s}",
            f"--concurrency={self.concurrency}",
        ]
        return words + [f"--key={key}" for key in self.keys]


def from_arguments(arguments: Sequence[str] | None = None) -> tuple[Settings, bool]:
    """Settings from a command line (None: the process's own), and whether to stop when stdin closes."""
    default = Settings()
    parser = argparse.ArgumentParser(prog="python -m siuo_async.simulator", description="Simulated model APIs.")
    parser.add_argument("--port", type=int, default=default.port, help="0: any free port")
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--latency-s", type=float, default=default.latency_s, help="median time to a reply")
    parser.add_argument("--latency-sigma", type=float, default=default.latency_sigma)
    parser.add_argument("--rpm", type=int, default=default.rpm, help="requests per minute and model; 0: no limit")
    parser.add_argument("--window-s", type=float, default=default.window_s)
    parser.add_argument("--concurrency", type=int, default=default.concurrency, help="in flight; 0: no limit")
    parser.add_argument("--key", action="append", default=[], help="an accepted key; none: any but `wrong`")
    parser.add_argument("--with-parent", action="store_true", help="stop when stdin closes")
    told = parser.parse_args(arguments)
    settings = Settings(
        port=told.port,
        seed=told.seed,
        latency_s=told.latency_s,
        latency_sigma=told.latency_sigma,
        rpm=told.rpm,
        window_s=told.window_s,
        concurrency=told.concurrency,
        keys=tuple(told.key),
    )
    return settings, told.with_parent
