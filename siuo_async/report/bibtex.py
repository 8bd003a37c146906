"""Whom a paper about a run cites: the benchmark, the models and the judge as they were served, this program, the methods.

Published works stand in `references.toml`; what follows from the run (models, dates, version) is made here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from siuo_async.benchmarks.data.sources import source_of
from siuo_async.report.dossier import Dossier
from siuo_async.report.latex_text import escaped
from siuo_async.report.methods_calls import Facts, made
from siuo_async.values import Json

_TABLE = Path(__file__).with_name("references.toml")
_ORDER = ("title", "author", "year")


def references(found: Dossier) -> str:
    """The entries, the benchmark's first; keys are the same whenever the run is."""
    known = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    entries: list[str] = []
    source = source_of(found.run.plan.benchmark.name)
    if source and source.name in known:
        entries.append(_published(known[source.name]))
    entries += _made_here(found)
    entries += [_published(known[name]) for name in _methods(found)]
    return "\n\n".join(entries) + "\n"


def _methods(found: Dossier) -> Iterator[str]:
    """The methods that the figures of this run stand on."""
    words = found.comparison.method.lower() if found.comparison else ""
    yield "wilson"
    yield from (name for name in ("holm", "mcnemar", "krippendorff") if name in words or (name == "krippendorff" and found.agreements))


def _published(entry: Mapping[str, str]) -> str:
    fields = {name: entry[name] for name in (*_ORDER, *sorted(entry.keys() - {*_ORDER, "key", "type"}))}
    if "eprint" in fields:
        fields["archiveprefix"] = "arXiv"
    return _entry(entry["type"], entry["key"], {name: f"{{{value}}}" if name == "title" else value for name, value in fields.items()})


def _made_here(found: Dossier) -> Iterator[str]:
    facts, plan = made(found.run), found.run.plan
    versions: Mapping[str, Json] = found.run.directory.manifest().get("versions") or {}
    taken: set[str] = set()
    program = {
        "title": "{siuo\\_async}",
        "author": "{The siuo-async authors}",
        "year": plan.created_at[:4],
        "note": f"Version {escaped(str(versions.get('siuo-async', 'unknown')))}",
    }
    yield _entry("misc", _key("siuo-async", taken), program)
    for participant in plan.models:
        revision = f"@{participant.config.revision}" if participant.config.revision else ""
        full = f"{participant.provider}/{participant.config.name}{revision}"
        yield _model(full, facts.models[participant.label], "Model under test", taken)
    for name, calls in facts.judges.items():
        yield _model(name, calls, "Judge", taken)


def _model(full: str, calls: Facts, role: str, taken: set[str]) -> str:
    provider, _, name = full.partition("/")
    served = ", ".join(sorted(calls.served))
    told = [role, f"served as {served}" if served and served != name else "", f"asked {_days(calls)}" if calls.first else ""]
    fields = {
        "title": f"{{{escaped(name)}}}",
        "author": f"{{{escaped(provider)}}}",
        "year": calls.first[:4] if re.fullmatch(r"\d{4}", calls.first[:4]) else "n.d.",
        "howpublished": "API",
        "note": escaped("; ".join(filter(None, told))),
    }
    return _entry("misc", _key(full, taken), fields)


def _days(calls: Facts) -> str:
    first, last = calls.first[:10], calls.last[:10]
    return f"on {first}" if first == last else f"from {first} to {last}"


def _key(name: str, taken: set[str]) -> str:
    """A key of letters, digits and hyphens, no two the same in any case."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()[:60] or "model"
    key, number = plain, 2
    while key in taken:
        key, number = f"{plain}-{number}", number + 1
    taken.add(key)
    return key


def _entry(kind: str, key: str, fields: Mapping[str, str]) -> str:
    return f"@{kind}{{{key},\n" + "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items()) + "}"
