"""What a living process holds, looked at from outside once a second, and whether that is flat."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

KNOWN_PER_CALL = 208
"""Bytes that a finished call takes, as documented."""
SPARE_BYTES = 24_000_000
"""What may come on top, once: buffers that were needed for the first time, and what the allocator keeps of them."""
SPARE_SHARE = 1.0
"""A table of ids that is made anew when it is full has up to twice the room it needs."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """One look at a process."""

    at_s: float
    written: int
    """Bytes of the journal."""
    resident: int
    """Bytes of memory."""
    highest: int
    fds: int
    threads: int


def look(pid: int, at_s: float, written: int) -> Gauge | None:
    """What the process holds now; None where it has ended, or the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        fields = dict(line.split(":", 1) for line in status.splitlines())
        resident, highest = (int(fields[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))
        return Gauge(at_s, written, resident, highest, len(os.listdir(f"/proc/{pid}/fd")), int(fields["Threads"]))
    except (OSError, KeyError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class Flatness:
    """How what a process holds went with the calls it made."""

    seconds: float
    calls: int
    first: int
    last: int
    highest: int
    per_call: float
    """Bytes of memory, by least squares over all looks."""
    first_fds: int
    last_fds: int
    most_fds: int
    most_threads: int

    @property
    def allowed(self) -> float:
        """Bytes of growth that are no leak."""
        return self.calls * KNOWN_PER_CALL * (1 + SPARE_SHARE) + SPARE_BYTES

    @property
    def words(self) -> str:
        """For the table."""
        known = KNOWN_PER_CALL * 10_000 / 1e6
        over = f"over {self.calls:,} calls in {self.seconds:.0f} s"
        slope = f"{self.per_call * 10_000 / 1e6:+.1f} MB per 10,000 calls, of which the index takes {known:.1f}"
        return f"{self.first / 1e6:.0f} MB first, {self.last / 1e6:.0f} MB last, {self.highest / 1e6:.0f} MB at most {over}; {slope}"

    @property
    def fd_words(self) -> str:
        """For the table."""
        return f"{self.first_fds} first, {self.last_fds} last, {self.most_fds} at most; threads at most {self.most_threads}"


def flatness(looks: Sequence[Gauge], bytes_per_call: float) -> Flatness | None:
    """Over one session, from its first call on; None where there is too little to tell.

    Args:
        looks: at one process, in order.
        bytes_per_call: of the journal.
    """
    calling = [gauge for gauge in looks if gauge.written > looks[0].written]
    calling = calling[len(calling) // 20 :]  # connections are being opened
    if len(calling) < 5:
        return None
    first, last = calling[0], calling[-1]
    calls = [(gauge.written - first.written) / bytes_per_call for gauge in calling]
    return Flatness(
        last.at_s - first.at_s,
        round(calls[-1]),
        first.resident,
        last.resident,
        last.highest,
        _slope(calls, [gauge.resident for gauge in calling]),
        first.fds,
        last.fds,
        max(gauge.fds for gauge in calling),
        max(gauge.threads for gauge in calling),
    )


def _slope(x: Sequence[float], y: Sequence[float]) -> float:
    x_mean, y_mean = mean(x), mean(y)
    spread = sum((each - x_mean) ** 2 for each in x)
    return sum((a - x_mean) * (b - y_mean) for a, b in zip(x, y, strict=True)) / spread if spread else 0.0
