"""What two runs were measured with, line by line: only where it is the same can a difference be the models'."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from importlib.metadata import version
from typing import Any, Literal

import orjson

from siuo_async.analysis.gathered import Gathered
from siuo_async.benchmarks.base import GENERATE
from siuo_async.engine.asking import Target
from siuo_async.engine.plan import Plan
from siuo_async.values import EMPTY, Json, Parameters, Sample

Kind = Literal["instrument", "noted", "subject"]
"""A difference of the first kind stops a comparison; of the second is told; the last is what is compared."""
_NOTHING = "–"
_WORDS: Mapping[str, str] = {"max_tokens": "cap", "thinking_tokens": "thinking room", "extra": "other parameters"}
_ONLY_LATER = frozenset({"cap_scale"})
"""Of `Parameters`: what a first try never has."""


@dataclass(frozen=True, slots=True)
class Part:
    """One line: what it was in the one run and in the other."""

    name: str
    a: str
    b: str
    kind: Kind = "instrument"
    note: str = ""
    """What the difference means, where the two values do not say it."""

    @property
    def differs(self) -> bool:
        """Whether the two are not the same."""
        return self.a != self.b

    @property
    def stops(self) -> bool:
        """Whether the difference makes the figures of the two runs no measure of the models."""
        return self.differs and self.kind == "instrument"


@dataclass(frozen=True, slots=True)
class Shared:
    """Which samples two runs have in common."""

    ids: tuple[str, ...]
    """In both runs, in the order of the second; finished with every model that is compared."""
    only_a: int
    only_b: int
    unfinished: int
    """In both runs, but not finished by every model that is compared."""
    changed: tuple[str, ...]
    """Of `ids`: those whose text, pictures, category or gold differ."""


def shared_samples(a: Gathered, b: Gathered, pairs: Sequence[tuple[str, str]]) -> Shared:
    """What can be compared of two runs.

    Args:
        pairs: labels of the models that are compared, in a and in b.
    """
    old = {item.sample.id: item for item in a.items}
    new = {item.sample.id: item for item in b.items}
    both = [name for name in new if name in old]
    finished = [
        name
        for name in both
        if all(old[name].takes[one].seen is not None and new[name].takes[other].seen is not None for one, other in pairs)
    ]
    changed = [name for name in finished if content(old[name].sample) != content(new[name].sample)]
    return Shared(tuple(finished), len(old) - len(both), len(new) - len(both), len(both) - len(finished), tuple(changed))


def content(sample: Sample) -> str:
    """A digest over what a sample is: its text, its pictures by content, its category, and what its judge needs."""
    pictures = [picture.sha256 for picture in sample.pictures]
    whole = [sample.text, pictures, list(sample.category), dict(sample.fields)]
    return blake2b(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS, default=str), digest_size=8).hexdigest()


def parts(a: Gathered, b: Gathered, pairs: Sequence[tuple[str, str]], shared: Shared) -> tuple[Part, ...]:
    """The two instruments side by side, what a reader looks for first on top."""
    return (
        Part("benchmark", a.plan.benchmark.name, b.plan.benchmark.name),
        *_samples(a, b, shared),
        Part("prompts", a.plan.benchmark.prompt_set, b.plan.benchmark.prompt_set),
        Part("protocol", a.plan.config.protocol, b.plan.config.protocol),
        *_settings(a.plan, b.plan),
        Part("answers per sample", str(a.plan.benchmark.answers), str(b.plan.benchmark.answers)),
        *_asked(a.plan, b.plan, pairs),
        *_judging(a, b),
        Part("answers come from", _origin(a.plan), _origin(b.plan)),
        Part("asked with", _release(a), _release(b), "noted", "both are read with the same parsers now"),
        Part("read with", *2 * (f"siuo-async {version('siuo-async')}",)),
        *_subjects(a, b, pairs),
    )


def _samples(a: Gathered, b: Gathered, shared: Shared) -> Iterator[Part]:
    left = [
        f"{count} {words}"
        for count, words in ((shared.only_a, "only in A"), (shared.only_b, "only in B"), (shared.unfinished, "unfinished"))
        if count
    ]
    note = f"{len(shared.ids)} that both finished are compared ({', '.join(left)})" if left else ""
    mine, yours = ({item.sample.id for item in run.items} for run in (a, b))
    yield Part("samples", _ids(mine), _ids(yours), "noted", note)
    old, new = ({item.sample.id: item.sample for item in run.items} for run in (a, b))
    digests = [_digest([content(run[name]) for name in sorted(shared.ids)]) for run in (old, new)]
    changed = f"{len(shared.changed)} of {len(shared.ids)} were changed, the first: {shared.changed[0]}" if shared.changed else ""
    yield Part("content of shared samples", digests[0], digests[1], note=changed)


def _ids(ids: set[str]) -> str:
    return f"{len(ids)} (ids {_digest(sorted(ids))})"


def _digest(value: Json) -> str:
    return blake2b(orjson.dumps(value), digest_size=4).hexdigest()


def _settings(a: Plan, b: Plan) -> Iterator[Part]:
    mine, yours = a.benchmark.settings(), b.benchmark.settings()
    for name in dict.fromkeys((*mine, *yours)):
        yield Part(name.replace("_", " "), _told(mine.get(name)), _told(yours.get(name)))


def _asked(a: Plan, b: Plan, pairs: Sequence[tuple[str, str]]) -> Iterator[Part]:
    """What was asked of the models beside the prompts; one line for all pairs of models where they agree."""
    found: dict[str, list[tuple[str, str]]] = {}
    for one, other in pairs:
        mine, yours = (_parameters(_target(plan, label), GENERATE) for plan, label in ((a, one), (b, other)))
        for name in (*mine, *(each for each in yours if each not in mine)):
            found.setdefault(name, []).append((mine.get(name, _NOTHING), yours.get(name, _NOTHING)))
    found["system prompt"] = [(_system(a, one), _system(b, other)) for one, other in pairs]
    for name, values in found.items():
        if len(set(values)) == 1:
            yield Part(name, *values[0])
            continue
        for (one, other), (before, after) in zip(pairs, values, strict=True):
            yield Part(f"{name} · {one if one == other else f'{one} → {other}'}", before, after)


def _target(plan: Plan, label: str) -> Target:
    participant = next(each for each in plan.models if each.label == label)
    return participant.target(plan.generation())


def _parameters(target: Target, stage: str) -> dict[str, str]:
    return told_parameters(target.parameters[stage])


def told_parameters(asked: Parameters) -> dict[str, str]:
    """What was asked for, by the words of a report; the usual ones stand there even where nothing was asked for."""
    always = ("max_tokens", "thinking_tokens", "temperature", "top_p", "safety_filters")
    found = {}
    for name in Parameters.__slots__:
        value = getattr(asked, name)
        if name in _ONLY_LATER or (name not in always and value in (None, (), EMPTY, {})):
            continue
        found[_WORDS.get(name, name.replace("_", " "))] = _told(value)
    return found


def _system(plan: Plan, label: str) -> str:
    own = _target(plan, label).system
    system = own if own is not None else plan.config.system
    return _NOTHING if not system else f"{len(system)} characters ({_digest(system)})"


def _judging(a: Gathered, b: Gathered) -> Iterator[Part]:
    if not a.plan.benchmark.needs_judge and not b.plan.benchmark.needs_judge:
        return
    yield Part("judge asked", _judge(a.plan), _judge(b.plan))
    mine, yours = (_judge_settings(run.plan) for run in (a, b))
    for name in dict.fromkeys((*mine, *yours)):
        yield Part(f"judge's {name}", mine.get(name, _NOTHING), yours.get(name, _NOTHING))
    served = [", ".join(run.summary["judge_served"]) or _NOTHING for run in (a, b)]
    told = _NOTHING not in served
    note = "" if told else "one of them was not told who judged"
    yield Part("judge served", served[0], served[1], "instrument" if told else "noted", note)
    others = [_others(run.summary) for run in (a, b)]
    if others[0] or others[1]:
        yield Part("other judges", others[0] or _NOTHING, others[1] or _NOTHING)


def _judge(plan: Plan) -> str:
    deciding = (plan.judge,) if plan.judge else plan.panel
    return ", ".join(each.target({}).full_name for each in deciding) or "nobody"


def _judge_settings(plan: Plan) -> dict[str, str]:
    """The same for all stages in one line, what differs between them apart."""
    judge = plan.judge or next(iter(plan.panel), None)
    if judge is None:
        return {}
    target = judge.target(plan.judging())
    by_stage = {stage: told_parameters(asked) for stage, asked in target.parameters.items()}
    found: dict[str, str] = {}
    for name in dict.fromkeys(name for told in by_stage.values() for name in told):
        values = {stage: told.get(name, _NOTHING) for stage, told in by_stage.items()}
        same = set(values.values())
        found[name] = same.pop() if len(same) == 1 else ", ".join(f"{stage} {value}" for stage, value in values.items())
    if judge.config.system:
        found["system prompt"] = f"{len(judge.config.system)} characters ({_digest(judge.config.system)})"
    return {name: value for name, value in found.items() if value != _NOTHING}


def _others(summary: Mapping[str, Any]) -> str:
    """Who stands in where the judge gives no verdict: those verdicts count too."""
    counted = [each for each in summary.get("judges") or () if each.get("role") == "stand-in"]
    return ", ".join(f"{each['role']} {each['model']}" for each in counted)


def _origin(plan: Plan) -> str:
    return "a simulator" if plan.simulated else "files (imported)" if plan.imported else "providers"


def _release(run: Gathered) -> str:
    found = run.directory.manifest().get("versions") or {}
    return f"siuo-async {found.get('siuo-async', '?')}"


def _subjects(a: Gathered, b: Gathered, pairs: Sequence[tuple[str, str]]) -> Iterator[Part]:
    """Who is compared with whom: what differs here is what the comparison is about."""
    for one, other in pairs:
        old, new = a.model(one), b.model(other)
        yield Part(one if one == other else f"{one} → {other}", _served(old), _served(new), "subject")
        if old["left_out"] != new["left_out"]:
            yield Part("could not be sent", ", ".join(old["left_out"]) or _NOTHING, ", ".join(new["left_out"]) or _NOTHING, "noted")
    yield Part("begun", a.plan.created_at[:10], b.plan.created_at[:10], "subject")


def _served(model: Mapping[str, Any]) -> str:
    full = str(model["model"])
    names = [name for name in model["served_models"] if name != full.partition("/")[2]]
    return full + (f" (served as {', '.join(names)})" if names else "")


def _told(value: Json) -> str:
    if value is None or value == () or value == {} or value is EMPTY:
        return _NOTHING
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        text = orjson.dumps(dict(value), option=orjson.OPT_SORT_KEYS, default=str).decode()
        return text if len(text) <= 60 else f"{len(text)} characters ({_digest(text)})"
    return str(value)
