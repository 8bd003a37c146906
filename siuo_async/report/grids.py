"""The tables of a summary, as rows of plain text; terminal and Markdown only draw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from siuo_async.benchmarks.counting import without_verdict
from siuo_async.report.text import count, interval, money, share_of


@dataclass(frozen=True, slots=True)
class Grid:
    """One table."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    breakdown: bool = False
    """Whether a terminal may leave it out where it is long."""


def grids(summary: Mapping[str, Any], metrics: Mapping[str, str]) -> list[Grid]:
    """Overall, by category, outcomes, cost: models side by side."""
    models = summary["models"]
    found = []
    if summary["scored"] and models:
        found = [_overall(summary, models, metrics), *_groups(summary, models, metrics), *_calibration(models)]
    apart = [_counts(models)] if any(model.get("counts") for model in models) else []
    return [*found, _outcomes(models), *apart, _cost(models, judged=bool(summary["judge"]))]


def _cell(rate: Mapping[str, Any]) -> str:
    spread = f"\n{interval(rate)}" if rate["low"] is not None else ""
    return f"{share_of(rate, gap='  ')}{spread}"


def _overall(summary: Mapping[str, Any], models: Sequence[Mapping[str, Any]], metrics: Mapping[str, str]) -> Grid:
    primary = summary["primary"]
    ranked = sorted(models, key=lambda model: _value(model["metrics"][primary]), reverse=True)
    rows = tuple((model["label"], *(_cell(model["metrics"][metric]) for metric in metrics)) for model in ranked)
    note = summary["note"]
    for name in summary["headline"]:
        bounds = [
            f"{model['label']} {rate['worst']:.1f}–{rate['best']:.1f}"
            for model in ranked
            if (rate := model["metrics"][name])["n"] != rate["total"]
        ]
        if bounds:
            note += f"\nif the undecided all went one way or the other, {metrics[name].lower()}: {', '.join(bounds)}"
    if baselines := models[0].get("baselines"):
        note += "\nfor comparison: " + ", ".join(f"{words} {value:.1f}" for words, value in baselines.items() if value is not None)
    note += "".join(f"\n{model['label']}: {remark}" for model in ranked for remark in model.get("remarks") or ())
    return Grid("Overall", ("Model", *metrics.values()), rows, note)


def _value(rate: Mapping[str, Any]) -> float:
    return -1.0 if rate["value"] is None else float(rate["value"])


def _groups(summary: Mapping[str, Any], models: Sequence[Mapping[str, Any]], metrics: Mapping[str, str]) -> list[Grid]:
    """By category, and by whatever else the benchmark tells apart: the primary metric, models side by side."""
    dimensions = {"category": [model["categories"] for model in models]}
    for title in models[0].get("breakdowns", {}):
        dimensions[title] = [model["breakdowns"][title] for model in models]
    primary = summary["primary"]
    beside = [name for name in summary["headline"] if name != primary]
    notes = [
        f"{metrics[name].lower()}, over all: " + ", ".join(f"{model['label']} {share_of(model['metrics'][name])}" for model in models)
        for name in beside
    ]
    return [
        Grid(
            f"By {title}: {metrics[primary].lower()}",
            (_capital(title), *(model["label"] for model in models)),
            tuple((name, *(_small(groups.get(name), primary) for groups in per_model)) for name in per_model[0]),
            "\n".join(notes),
            breakdown=True,
        )
        for title, per_model in dimensions.items()
        if per_model[0]
    ]


def _small(group: Mapping[str, Any] | None, metric: str) -> str:
    rate = group["metrics"].get(metric) if group else None
    return share_of(rate) if rate else "–"


def _counts(models: Sequence[Mapping[str, Any]]) -> Grid:
    names = list(dict.fromkeys(name for model in models for name in model.get("counts") or {}))
    rows = tuple((model["label"], *(str((model.get("counts") or {}).get(name, 0)) for name in names)) for model in models)
    return Grid("Counted apart", ("Model", *(_capital(name.replace("_", " ")) for name in names)), rows)


def _capital(words: str) -> str:
    """Only the first letter: the rest may be a name or an option."""
    return words[:1].upper() + words[1:]


def _calibration(models: Sequence[Mapping[str, Any]]) -> list[Grid]:
    """Confidence against correctness: over all answers, when right and when wrong, and bin by bin; empty bins are left out."""
    found = [(model["label"], what, each) for model in models for what, each in (model.get("calibration") or {}).items() if each["n"]]
    if not found:
        return []
    rows = [
        (f"{label}: {what}", str(each["n"]), *(_percent(value) for value in _confidences(each)), _percent(each["accuracy"]))
        for label, what, each in found
    ]
    bins = [
        (
            f"{label}: {what}",
            f"{bin_['low']:g}–{bin_['high']:g}",
            str(bin_["n"]),
            *map(_percent, (bin_["mean_confidence"], bin_["accuracy"])),
        )
        for label, what, each in found
        for bin_ in each["bins"]
    ]
    note = "percent; ECE is the mean distance between confidence and accuracy over bins of 5 points, weighted by their answers"
    return [
        Grid("Calibration", ("Model", "Answers", "ECE", "Confidence", "When right", "When wrong", "Accuracy"), tuple(rows), note),
        Grid("Calibration by bin", ("Model", "Confidence", "Answers", "Mean confidence", "Accuracy"), tuple(bins), breakdown=True),
    ]


def _confidences(found: Mapping[str, Any]) -> tuple[float | None, ...]:
    return found["ece"], found["mean_confidence"], *((found.get(part) or {}).get("mean_confidence") for part in ("right", "wrong"))


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


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
            missing = without_verdict(judge)
            tokens = f"{count(judging['input'])} → {count(judging['output'])}"
            row += [tokens, f"{missing}/{judge.get('verdicts', 0)}", str(judge.get("re_asked", 0))]
        rows.append((*row, money(model["cost_usd"])))
    return Grid("Tokens and cost", headings, tuple(rows))
