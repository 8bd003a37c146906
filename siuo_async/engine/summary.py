"""The summary of a run: only what follows from results, so that it is the same however often the run was killed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from siuo_async.benchmarks.base import GENERATE
from siuo_async.client.accounts import IMPORTED
from siuo_async.engine.plan import Plan
from siuo_async.engine.run_directory import fingerprint
from siuo_async.engine.scoreboard import ModelBoard
from siuo_async.values import Json

_MOST_NAME_CHARS = 100
COMPLETE, PENDING, INCOMPLETE_VERDICTS = 0, 3, 4


def summarise(plan: Plan, boards: Iterable[ModelBoard]) -> dict[str, Json]:
    """What stands in `summary.json` and, with this invocation's calls added, in `--json`."""
    boards = list(boards)
    models = [board.as_json() for board in boards]
    judge_served = sorted({name for board in boards for name in board.judge_served})
    complete = all(model["complete"] for model in models)
    return {
        "run": f"{plan.name}-{fingerprint(plan.identity)}",
        "benchmark": plan.benchmark.name,
        "protocol": plan.config.protocol,
        "protocol_line": protocol_line(plan, complete=complete, judge_served=judge_served),
        "prompts": plan.benchmark.prompt_set,
        "primary": plan.benchmark.primary,
        "note": plan.benchmark.note,
        "headline": list(plan.benchmark.headline),
        "settings": dict(plan.benchmark.settings()),
        "licence": plan.licence,
        "complete": complete,
        "simulated": plan.simulated,
        "scored": plan.scored,
        "judge": plan.judge and f"{plan.judge.provider}/{plan.judge.config.name}",
        "judge_price": _judge_price(plan),
        "judge_served": judge_served,
        "judge_left_out": sorted({name for board in boards for name in board.judge_left_out}),
        "samples": plan.asked,
        "answers_per_sample": plan.benchmark.answers,
        "skipped": list(plan.skipped),
        "notes": list(plan.notes),
        "models": models,
    }


def _judge_price(plan: Plan) -> Json:
    price = (plan.prices or {}).get(plan.judge.priced_as) if plan.judge else None
    return price.model_dump(exclude_none=True, exclude_defaults=True) if price else None


def protocol_line(plan: Plan, *, complete: bool, judge_served: Sequence[str] = ()) -> str:
    """The line every table and file begins with."""
    config, benchmark = plan.config, plan.benchmark
    asked = plan.generation()[GENERATE]
    words = [
        benchmark.name,
        f"{plan.asked} samples x {benchmark.answers} answer{'s' if benchmark.answers > 1 else ''}",
        f"protocol {config.protocol}",
        f"prompts {benchmark.prompt_set}",
        "no cap" if asked.max_tokens is None else f"cap {asked.max_tokens}",
    ]
    words += [f"{name.replace('_', ' ')} {value}" for name, value in benchmark.settings().items()]
    if asked.temperature is not None:
        words.append(f"temperature {asked.temperature:g}")
    if config.safety_filters:
        words.append(f"safety filters {config.safety_filters}")
    if benchmark.needs_judge:
        words.append(_judge(plan, judge_served))
    words.append(plan.created_at[:10])
    words += ["SIMULATED"] if plan.simulated else []
    words += ["IMPORTED"] if plan.imported else []
    words += [] if complete else ["PARTIAL"]
    words += [f"{len(plan.skipped)} SAMPLE{'S' if len(plan.skipped) > 1 else ''} LEFT OUT"] if plan.skipped else []
    return " · ".join(words)


def _judge(plan: Plan, served: Sequence[str]) -> str:
    if plan.judge is None:
        return "not judged"
    as_served = f" (served as {', '.join(map(_short, served))})" if set(served) - {plan.judge.config.name} else ""
    return f"judge {plan.judge.provider}/{plan.judge.config.name}{as_served}"


def _short(name: str) -> str:
    """What a server calls its model, which may be of any length."""
    return name if len(name) <= _MOST_NAME_CHARS else name[: _MOST_NAME_CHARS - 1] + "…"


def exit_code(models: Sequence[Mapping[str, Any]], *, scored: bool) -> int:
    """0 complete; 3 something is pending; 4 complete, but some answers or searches failed, or some answers have no verdict."""
    if any(not model["complete"] for model in models):
        return PENDING
    lacking = any(
        model["outcomes"]["failed"]
        or model["dropped"]
        or _searches_failed(model)
        or (scored and _without_verdict(model))
        or 0 < model["answers"]["finished"] == model["outcomes"]["empty"]
        for model in models
    )
    return INCOMPLETE_VERDICTS if lacking else COMPLETE


def _searches_failed(model: Mapping[str, Any]) -> int:
    return int((model.get("counts") or {}).get("search_failed", 0))


def _without_verdict(model: Mapping[str, Any]) -> bool:
    judge = model["judge"] or {}
    return any(judge.get(state) for state in ("unreadable", "declined", "filtered", "failed")) or bool(model["outcomes"]["empty"])


def warnings(summary: Mapping[str, Any]) -> list[str]:
    """What a reader of the numbers must know, one sentence each."""
    found: list[str] = []
    shares = {}
    for model in summary["models"]:
        if (judge := model.get("judge")) and judge["verdicts"]:
            missing = sum(judge[state] for state in ("unreadable", "declined", "filtered", "failed"))
            shares[model["label"]] = 100 * missing / judge["verdicts"]
            if shares[model["label"]] > 2:
                found.append(
                    f"{model['label']}: the judge gave no verdict for {shares[model['label']]:.1f}% of {judge['verdicts']} "
                    f"({judge['unreadable']} unreadable, {judge['declined']} declined, {judge['filtered']} filtered, "
                    f"{judge['failed']} failed); read the bounds"
                )
        if model["outcomes"]["failed"]:
            imported = model.get("model", "").startswith(f"{IMPORTED}/")
            found.append(
                f"{model['label']}: {model['outcomes']['failed']} answers failed"
                + (
                    " where they were made; mend the files and import them again, or leave them out of account"
                    if imported
                    else "; run again (with --retry-failed if the provider rejected the request), or look at calls.jsonl"
                )
            )
        if failed := _searches_failed(model):
            found.append(
                f"{model['label']}: {failed} of {model['counts']['searched']} searches failed, and their questions were asked without "
                "material; --retry-failed searches again, and asks again where something is found"
            )
        if model["dropped"]:
            found.append(f"{model['label']}: {model['dropped']} samples were dropped, as the released scripts do, and are in no rate")
        if model["left_out"]:
            found.append(f"{model['label']}: {', '.join(model['left_out'])} could not be sent; this model does not accept it")
        if redacted := model.get("redacted"):
            found.append(
                f"{model['label']}: {redacted} calls gave a text that held a key of yours; it was taken out ([key]) before anything "
                "was judged or stored. Renew that key, and trust neither this server nor these answers"
            )
        if len(model["served_models"]) > 1:
            found.append(f"{model['label']}: answered as {', '.join(map(_short, model['served_models']))}")
    if summary.get("judge_left_out"):
        found.append(f"judge: {', '.join(summary['judge_left_out'])} could not be sent; this model does not accept it")
    if shares and max(shares.values()) - min(shares.values()) > 2:
        found.append(
            "the judge's missing verdicts differ between the models by more than 2 points, so their scores are less comparable"
        )
    return found
