"""Dossiers for pages: the demonstration's, and the same with other texts, other models, many samples."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from siuo_async.analysis.gathered import Item, Take, gather
from siuo_async.benchmarks.judged import Opinion, Verdict
from siuo_async.benchmarks.seen import Seen, SeenAnswer
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.report.dossier import Dossier, dossier
from siuo_async.report.page import write_page
from siuo_async.values import Sample
from tests.cli.program import Siuo, finish

Words = Callable[[str], str]
"""What stands in the place of a text."""


def demonstration(folder: Path, *words: str) -> Dossier:
    """The demonstration, run by the real program."""
    done = finish(Siuo(folder).start("demo", "--json", *words))
    return dossier(gather(RunDirectory(folder / done.run)))


def reworded(found: Dossier, texts: Words, names: Words = lambda name: name) -> Dossier:
    """The same with every text that came from data, models and judges replaced; `names` are those of models and categories."""
    run = found.run
    items = tuple(_item(item, texts, names) for item in run.items)
    labels = {label: names(label) for label in run.labels}
    models = tuple(replace(model, label=labels[model.label]) for model in run.plan.models)
    summary = {**run.summary, "models": [_model(model, names) for model in run.summary["models"]]}
    changed = replace(run, plan=replace(run.plan, models=models), summary=summary, items=items)
    return dossier(changed)


def _model(model: Mapping[str, Any], names: Words) -> dict[str, Any]:
    categories = {names(name): group for name, group in model["categories"].items()}
    return {**model, "label": names(model["label"]), "categories": categories}


def _item(item: Item, texts: Words, names: Words) -> Item:
    sample = item.sample
    fields = {names(name): texts(f"field {name}") for name in sample.fields}
    said = Sample(sample.id, tuple(map(names, sample.category)), texts("question"), sample.pictures, fields)
    return Item(said, {names(label): Take(_seen(take.seen, texts), take.calls) for label, take in item.takes.items()})


def _seen(seen: Seen | None, texts: Words) -> Seen | None:
    if seen is None:
        return None
    answers = tuple(
        SeenAnswer(
            replace(each.answer, text=texts("answer"), reason=texts("reason")),
            {stage: _verdict(verdict, texts) for stage, verdict in each.verdicts.items()},
        )
        for each in seen.answers
    )
    return Seen(answers, seen.scores, {"note": texts("note")})


def _verdict(verdict: Verdict[Any], texts: Words) -> Verdict[Any]:
    opinions = (
        Opinion("judge", "first", verdict.value, "read", text=texts("judge")),
        Opinion("check", "second", 1 - (verdict.value or 0), "read", text=texts("second judge")),
    )
    return replace(verdict, text=texts("judge"), opinions=opinions)


def many(found: Dossier, count: int) -> Dossier:
    """The same samples over and over with ids of their own, an answer each, since the number of samples is what matters."""
    items = [replace(item, takes={label: _short(take) for label, take in item.takes.items()}) for item in found.run.items]
    repeated = tuple(
        Item(replace(items[number % len(items)].sample, id=f"n{number}"), items[number % len(items)].takes) for number in range(count)
    )
    return replace(found, run=replace(found.run, items=repeated))


def _short(take: Take) -> Take:
    return Take(take.seen and replace(take.seen, answers=take.seen.answers[:1]), take.calls[:1])


def page_of(found: Dossier, path: Path, *, content: bool = True) -> str:
    """The page as text."""
    write_page(found, path, content=content)
    return path.read_text(encoding="utf-8")


def without_scripts(page: str) -> str:
    """What is markup in a page: without data and scripts."""
    return re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
