"""The tables of a summary, as rows of plain text; terminal and Markdown only draw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from siuo_async.analysis.comparison import Comparison, MetricComparison, Pair
from siuo_async.benchmarks.counting import without_verdict
from siuo_async.report.grid import Grid
from siuo_async.report.leaderboard import leaderboard, ranked
from siuo_async.report.text import count, money, share_of

__all__ = ["Grid", "differences", "grids", "probability"]


def grids(summary: Mapping[str, Any], metrics: Mapping[str, str], comparison: Comparison | None = None) -> list[Grid]:
    """Leaderboard, differences, categories, outcomes, cost: models side by side."""
    models = summary["models"]
    found = []
    if summary["scored"] and models:
        found = [leaderboard(summary, metrics, comparison), *differences(comparison)]
        found += [*_groups(summary, ranked(summary, comparison), metrics), *_calibration(models)]
    apart = [_counts(models)] if any(model.get("counts") for model in models) else []
    return [*found, _outcomes(models), *apart, _cost(models, judged=bool(summary["judge"]))]


def differences(comparison: Comparison | None) -> list[Grid]:
    """Each pair of models on the samples that both decided, in the metrics that are tested."""
    return [
        Grid(
            f"Differences: {each.heading.lower()}",
            ("Models", "Points", "95% interval", "Samples", "Only first", "Only second", "p", "p (Holm)"),
            tuple(_difference(pair) for pair in each.pairs),
            _how(each),
            breakdown=True,
            drop=(0, 0, 0, 2, 4, 4, 3, 0),
            strong=1,
        )
        for each in (comparison.metrics if comparison else ())
        if each.tested and each.pairs
    ]


def _how(found: MetricComparison) -> str:
    better = "higher is better" if found.higher_is_better else "lower is better, so a negative difference speaks for the first"
    unit = "points of the scale" if any(pair.on_scale for pair in found.pairs) else "points"
    means = " of means over the answers of each sample" if any(pair.of_answers for pair in found.pairs) else ""
    return f"first minus second, in {unit}{means}, on the samples that both decided; {better}"


def _difference(pair: Pair) -> tuple[str, ...]:
    spread = pair.difference
    ends = "–" if spread.low is None or spread.high is None else f"{spread.low:+z.{pair.places}f} to {spread.high:+z.{pair.places}f}"
    points = "–" if spread.value is None else f"{spread.value:+z.{pair.places}f}"
    counts = (str(pair.n), str(pair.only_a), str(pair.only_b))
    return (f"{pair.a} − {pair.b}", points, ends, *counts, probability(pair.p), probability(pair.p_adjusted))


def probability(p: float | None) -> str:
    """`0.031`; `<0.001` below what three places show."""
    if p is None:
        return "–"
    return "<0.001" if p < 0.0005 else f"{p:.3f}"


_UNTESTED = "intervals stand in the files, and no test is made between categories"


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
            "\n".join([_UNTESTED, *notes]),
            breakdown=True,
            heat=tuple((None, *(_warmth(groups.get(name), primary) for groups in per_model)) for name in per_model[0]),
        )
        for title, per_model in dimensions.items()
        if per_model[0]
    ]


def _warmth(group: Mapping[str, Any] | None, metric: str) -> float | None:
    """The middle of the 95% interval, which few samples draw towards one half: a cell of three is no strong colour."""
    rate = group["metrics"].get(metric) if group else None
    if not rate or rate.get("low") is None or rate.get("unit") == "points":
        return None
    return float(rate["low"] + rate["high"]) / 200


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
    """Tokens, then dollars; those for answers and for verdicts apart where the summary tells them apart."""
    apart = judged and all(model.get("cost") for model in models)
    headings = (
        "Model",
        "Tokens\nin → out",
        *(("Judge tokens\nin → out", "No verdict", "Re-asked") if judged else ()),
        *(("For answers", "For verdicts") if apart else ()),
        "Cost",
    )
    rows = []
    for model in models:
        asked, judging = model["tokens"]["generation"], model["tokens"]["judging"]
        row = [model["label"], f"{count(asked['input'])} → {count(asked['output'])}"]
        if judged:
            judge = model["judge"] or {}
            tokens = f"{count(judging['input'])} → {count(judging['output'])}"
            row += [tokens, f"{without_verdict(judge)}/{judge.get('verdicts', 0)}", str(judge.get("re_asked", 0))]
        if apart:
            row += [money(model["cost"].get(part)) for part in ("generation_usd", "judging_usd")]
        rows.append((*row, money(model["cost_usd"])))
    drop = (0, 0, *((0, 0, 1) if judged else ()), *((2, 2) if apart else ()), 0)
    return Grid("Tokens and cost", headings, tuple(rows), "\n".join(filter(None, map(_priced, models))), drop=drop)


def _priced(model: Mapping[str, Any]) -> str:
    """What a model's tokens were priced at, and how many of its calls have no price."""
    price, unpriced = model.get("price"), (model.get("cost") or {}).get("unpriced_calls")
    words = []
    if price and price.get("input") is not None:
        told = ", ".join(str(price[name]) for name in ("source", "date") if price.get(name))
        words.append(f"${price['input']:g} in, ${price['output']:g} out per million tokens" + (f" ({told})" if told else ""))
    if unpriced:
        words.append(f"{unpriced} calls without a price")
    return f"{model['label']}: {'; '.join(words)}" if words else ""
