"""The tables of a summary, as rows of plain text; terminal and Markdown only draw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from siuo_async.report.text import count, interval, money, percent, share


@dataclass(frozen=True, slots=True)
class Grid:
    """One table."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def grids(summary: Mapping[str, Any], metrics: Mapping[str, str]) -> list[Grid]:
    """Overall, by category, outcomes, cost: models side by side."""
    models = summary["models"]
    judged = bool(summary["judge"]) and any(model["metrics"] for model in models)
    found = [_overall(summary, models, metrics), _categories(summary, models, metrics)] if judged else []
    return [*found, _outcomes(models), _cost(models, judged=judged)]


def _cell(rate: Mapping[str, Any]) -> str:
    spread = f"\n{interval(rate)}" if rate["low"] is not None else ""
    return f"{percent(rate)}  {share(rate)}{spread}"


def _overall(summary: Mapping[str, Any], models: Sequence[Mapping[str, Any]], metrics: Mapping[str, str]) -> Grid:
    ranked = sorted(models, key=lambda model: -(model["metrics"][list(metrics)[-1]]["value"] or -1))
    rows = tuple((model["label"], *(_cell(model["metrics"][metric]) for metric in metrics)) for model in ranked)
    primary = list(metrics)[-1]
    note = "percent of decided samples, votes for it/decided; below it the Wilson 95% interval"
    if summary["protocol"] == "released":
        note = (
            "as the released scripts count: a verdict they cannot read is -1 and stays in votes and means; votes for it/samples counted"
        )
    bounds = [
        f"{model['label']} {rate['worst']:.1f}–{rate['best']:.1f}"
        for model in ranked
        if (rate := model["metrics"][primary])["n"] != rate["total"]
    ]
    if bounds:
        note += f"\nif the undecided all went one way or the other, {metrics[primary].lower()}: {', '.join(bounds)}"
    return Grid("Overall", ("Model", *metrics.values()), rows, note)


def _categories(summary: Mapping[str, Any], models: Sequence[Mapping[str, Any]], metrics: Mapping[str, str]) -> Grid:
    primary = summary["primary"]
    names = list(models[0]["categories"])
    rows = tuple(
        (name, *(f"{percent(rate)} {share(rate)}" for model in models for rate in [model["categories"][name]["metrics"][primary]]))
        for name in names
    )
    return Grid(f"By category: {metrics[primary].lower()}", ("Category", *(model["label"] for model in models)), rows)


def _outcomes(models: Sequence[Mapping[str, Any]]) -> Grid:
    names = ("answered", "declined", "filtered", "empty", "failed")
    rows = []
    for model in models:
        pending = model["samples"]["pending"]
        finished = f"{model['samples']['finished']}/{model['samples']['total']}" + (f" ({pending} pending)" if pending else "")
        rows.append((model["label"], finished, *(str(model["outcomes"][name]) for name in names), str(model["answers"]["cut"])))
    return Grid("Outcomes of the answers", ("Model", "Samples", *(name.capitalize() for name in names), "Cut"), tuple(rows))


def _cost(models: Sequence[Mapping[str, Any]], *, judged: bool) -> Grid:
    headings = ("Model", "Tokens\nin → out", *(("Judge tokens\nin → out", "No verdict", "Re-asked") if judged else ()), "Cost")
    rows = []
    for model in models:
        asked, judging = model["tokens"]["generation"], model["tokens"]["judging"]
        row = [model["label"], f"{count(asked['input'])} → {count(asked['output'])}"]
        if judged:
            judge = model["judge"] or {}
            missing = sum(judge.get(state, 0) for state in ("unreadable", "declined", "filtered", "failed"))
            tokens = f"{count(judging['input'])} → {count(judging['output'])}"
            row += [tokens, f"{missing}/{judge.get('verdicts', 0)}", str(judge.get("re_asked", 0))]
        rows.append((*row, money(model["cost_usd"])))
    return Grid("Tokens and cost", headings, tuple(rows))
