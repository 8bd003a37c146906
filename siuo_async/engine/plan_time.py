"""How long a forecast takes: at the limits that are known, whoever told them, and over the uplink."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siuo_async.client.accounts import AccountSpec
from siuo_async.config import RunConfig
from siuo_async.engine.reckoned import Part
from siuo_async.engine.run_directory import all_runs
from siuo_async.values import Json

GIVEN = "given"
_LEARNT = "as an earlier run found it"


@dataclass(frozen=True, slots=True)
class GroupTime:
    """What one limit group takes: a model, or a whole account."""

    name: str
    calls: int
    tokens: float
    rpm: float | None = None
    tpm: float | None = None
    slots: float | None = None
    latency_s: float | None = None
    sources: Mapping[str, str] | None = None
    """Limit -> who told it."""

    @property
    def seconds(self) -> float | None:
        """At its limits; None where none is known."""
        found = []
        if self.rpm:
            found.append(60 * self.calls / self.rpm)
        if self.tpm:
            found.append(60 * self.tokens / self.tpm)
        if self.slots and self.latency_s:
            found.append(self.calls * self.latency_s / self.slots)
        return max(found) if found else None if self.calls else 0.0

    def as_json(self) -> dict[str, Json]:
        """For `--json`."""
        return {
            "name": self.name,
            "calls": self.calls,
            "tokens": round(self.tokens),
            "rpm": self.rpm,
            "tpm": self.tpm,
            "at_once": self.slots,
            "latency_s": self.latency_s,
            "sources": dict(self.sources or {}),
            "seconds": self.seconds,
        }


def group_times(parts: Iterable[Part], config: RunConfig, spec_of: Callable[[str], AccountSpec]) -> list[GroupTime]:
    """What each limit group takes, in the order they are met."""
    members: dict[str, list[Part]] = {}
    for part in parts:
        if part.calls:
            members.setdefault(_group_name(part, spec_of(part.provider)), []).append(part)
    earlier = _earlier_limits(config.results) if members else {}
    return [_time(name, own, config, spec_of(own[0].provider), earlier.get(name, {})) for name, own in members.items()]


def _group_name(part: Part, spec: AccountSpec) -> str:
    """As limit groups are called in `run_stats.json`."""
    model = part.full_name.removeprefix(f"{spec.identity}/").rpartition("@")
    return spec.identity if spec.shared_limits else f"{spec.identity}/{model[0] or model[2]}"


def _time(name: str, parts: list[Part], config: RunConfig, spec: AccountSpec, earlier: Mapping[str, Any]) -> GroupTime:
    found: dict[str, float] = {}
    sources: dict[str, str] = {}
    for limit, learnt in (
        ("rpm", _number(earlier, "calls", "per_min")),
        ("tpm", _number(earlier, "tokens", "per_min")),
        ("concurrency", _number(earlier, "slots", "at_once")),
    ):
        told = getattr(config, limit)
        given = told.get(spec.name) if isinstance(told, Mapping) else told
        value = given or getattr(spec, limit) or learnt
        if value:
            found[limit], sources[limit] = float(value), GIVEN if given or getattr(spec, limit) else _LEARNT
    calls = sum(part.calls for part in parts)
    timed = [part for part in parts if part.length and part.length.latency_s is not None]
    latency = sum(part.calls * (part.length.latency_s or 0) for part in timed if part.length) / max(1, sum(p.calls for p in timed))
    tokens = sum(part.input.expected + part.output.expected for part in parts)
    return GroupTime(
        name, calls, tokens, found.get("rpm"), found.get("tpm"), found.get("concurrency"), latency if timed else None, sources
    )


def _earlier_limits(results: Path) -> dict[str, Mapping[str, Any]]:
    """Limit group -> what the newest run that used it knew of its limits."""
    found: dict[str, Mapping[str, Any]] = {}
    for run, _ in all_runs(results):
        sessions = run.read_stats().get("sessions")
        for session in reversed(sessions if isinstance(sessions, list) else []):
            limits = session.get("limits") if isinstance(session, dict) else None
            for name, limit in (limits if isinstance(limits, dict) else {}).items():
                if isinstance(limit, dict):
                    found.setdefault(name, limit)
    return found


def _number(limits: Mapping[str, Any], kind: str, field: str) -> float | None:
    told = limits.get(kind)
    value = told.get(field) if isinstance(told, dict) else None
    return float(value) if isinstance(value, int | float) and value > 0 else None
