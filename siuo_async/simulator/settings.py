"""What a simulator is told, and how that is passed to its process."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from siuo_async.simulator.limits import Limiter, LimitSettings
from siuo_async.simulator.wire import Hints

E = TypeVar("E", bound=Enum)

_AT_LEAST_0 = ("latency_s", "latency_sigma", "rpm", "tpm", "rpd", "burst", "concurrency", "other_rpm", "knee")
_BY_FLAG = ("port", "seed", "latency_s", "latency_sigma", "window_s", "phase_s", *_AT_LEAST_0[2:])
"""Fields that are a number both here and on the command line."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that shapes a simulator's behaviour; equal settings and requests give equal replies.

    Raises:
        ValueError: a value that cannot be meant; one sentence that names the flag.
    """

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
    """Length of the window in which limits per minute are enforced; short windows make short tests of pace possible."""
    concurrency: int = 0
    """Requests in flight, over all models; 0: no limit."""
    keys: tuple[str, ...] = ()
    """Accepted keys; empty: any but `wrong`."""
    limiter: Limiter = Limiter.SLIDING
    tpm: int = 0
    """Tokens per minute and model; 0: no limit."""
    rpd: int = 0
    """Requests per day and model; 0: no limit."""
    burst: int = 0
    """What a bucket holds, in requests; 0: as many as a window."""
    phase_s: float = 0.0
    """Fixed windows: seconds from the first request to an edge."""
    limits_at: tuple[tuple[float, float], ...] = ()
    """`LimitSettings.schedule`."""
    other_rpm: int = 0
    """Requests per minute and model by which another client uses up the limit."""
    hints: Hints = Hints.FULL
    knee: int = 0
    """Above so many requests in flight every reply takes longer, in proportion; 0: it never does."""

    def __post_init__(self) -> None:
        for name in _AT_LEAST_0:
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{_flag(name)} is {getattr(self, name):g}; it must be a number from 0 on")
        if not 0 < self.window_s < math.inf:
            raise ValueError(f"--window-s is {self.window_s:g}; it must be a number of seconds above 0")
        if self.burst and self.limiter is not Limiter.BUCKET:
            raise ValueError(f"--burst is what a bucket holds, but --limiter is {self.limiter}; make it bucket, or leave --burst out")

    @property
    def limits(self) -> LimitSettings:
        """What is limited."""
        return LimitSettings(
            limiter=self.limiter,
            rpm=self.rpm,
            tpm=self.tpm,
            rpd=self.rpd,
            window_s=self.window_s,
            burst=self.burst,
            concurrency=self.concurrency,
            phase_s=self.phase_s,
            schedule=self.limits_at,
            other_rpm=self.other_rpm,
        )

    def arguments(self) -> list[str]:
        """The command line that `from_arguments` turns back into an equal value."""
        words = [f"{_flag(name)}={getattr(self, name)}" for name in _BY_FLAG]
        words += [f"--limiter={self.limiter}", f"--hints={self.hints}"]
        words.append("--limits-at=" + ",".join(f"{at_s!r}={factor!r}" for at_s, factor in self.limits_at))
        return words + [f"--key={key}" for key in self.keys]


def from_arguments(arguments: Sequence[str] | None = None) -> tuple[Settings, bool]:
    """Settings from a command line (None: the process's own), and whether to stop when stdin closes."""
    parser = _parser()
    told = parser.parse_args(arguments)
    try:
        settings = Settings(
            **{name: getattr(told, name) for name in _BY_FLAG},
            limiter=one_of(Limiter, told.limiter, "--limiter"),
            hints=one_of(Hints, told.hints, "--hints"),
            limits_at=schedule(told.limits_at),
            keys=tuple(told.key),
        )
    except ValueError as error:
        parser.error(str(error))
    return settings, told.with_parent


def one_of(kind: type[E], text: str, flag: str) -> E:
    """The member of `kind` that `text` names. Raises ValueError, one sentence that names `flag`."""
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{flag} is `{text}`; it must be one of {', '.join(member.value for member in kind)}") from None


def schedule(text: str) -> tuple[tuple[float, float], ...]:
    """`40=0.3,80=1`: from 40 s after the first request on 0.3 of the limits, from 80 s on all; empty: no change.

    Raises:
        ValueError: it is no such list; one sentence.
    """
    try:
        found = [tuple(map(float, part.split("="))) for part in text.split(",") if part.strip()]
        changes = tuple((at_s, factor) for at_s, factor in found)
        usable = all(0 <= at_s < math.inf and 0 < factor < math.inf for at_s, factor in changes)
    except ValueError:
        usable = False
    if not usable or list(changes) != sorted(changes):
        raise ValueError(f"--limits-at is `{text}`; it must look like 40=0.3,80=1: seconds=factor, in order, factors above 0")
    return changes


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _parser() -> argparse.ArgumentParser:
    default = Settings()
    helps = {
        "port": "0: any free port",
        "latency_s": "median time to a reply",
        "rpm": "requests per minute and model; 0: no limit",
        "tpm": "tokens per minute and model; 0: no limit",
        "rpd": "requests per day and model; 0: no limit",
        "concurrency": "in flight; 0: no limit",
        "burst": "what a bucket holds, in requests; 0: as many as a window",
        "phase_s": "seconds from the first request to an edge of fixed windows",
        "other_rpm": "requests per minute that another client takes of the limit",
        "knee": "in flight, above which replies take longer; 0: never",
    }
    parser = argparse.ArgumentParser(prog="python -m siuo_async.simulator", description="Simulated model APIs.")
    for name in _BY_FLAG:
        value = getattr(default, name)
        parser.add_argument(_flag(name), type=type(value), default=value, help=helps.get(name))
    parser.add_argument("--limiter", default=default.limiter.value, help=", ".join(Limiter))
    parser.add_argument("--hints", default=default.hints.value, help=f"what is told of the limits: {', '.join(Hints)}")
    parser.add_argument("--limits-at", default="", help="40=0.3,80=1: from 40 s on 0.3 of the limits, from 80 s on all")
    parser.add_argument("--key", action="append", default=[], help="an accepted key; none: any but `wrong`")
    parser.add_argument("--with-parent", action="store_true", help="stop when stdin closes")
    return parser
