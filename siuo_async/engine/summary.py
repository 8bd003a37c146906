"""The summary of a run: only what follows from results, so that it is the same however often the run was killed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from siuo_async.benchmarks.base import GENERATE
from siuo_async.benchmarks.counting import MOST_UNDECIDED, undecided, without_verdict
from siuo_async.client.accounts import IMPORTED
from siuo_async.engine.plan import Participant, Plan
from siuo_async.engine.run_directory import fingerprint
from siuo_async.engine.scoreboard import ModelBoard
from siuo_async.providers.families import family_of
from siuo_async.values import Json

_MOST_NAME_CHARS = 100
COMPLETE, PENDING, INCOMPLETE_VERDICTS = 0, 3, 4


def summarise(plan: Plan, boards: Iterable[ModelBoard]) -> dict[str, Json]:
    """What stands in `summary.json` and, with this invocation's calls added, in `--json`."""
    boards = list(boards)
    models = [board.as_json() for board in boards]
    judge_served = _served(plan, boards)
    complete = all(model["complete"] for model in models)
    return {
        "run": f"{plan.name}-{fingerprint(plan.identity)}",
        "benchmark": plan.benchmark.name,
        "protocol": plan.config.protocol,
        "protocol_line": protocol_line(plan, complete=complete, judge_served=judge_served, stood_in=_stood_in(models)),
        "prompts": plan.benchmark.prompt_set,
        "primary": plan.benchmark.primary,
        "note": plan.benchmark.note,
        "headline": list(plan.benchmark.headline),
        "settings": dict(plan.benchmark.settings()),
        "licence": plan.licence,
        "complete": complete,
        "simulated": plan.simulated,
        "scored": plan.scored,
        "judge": judge_name(plan),
        "judges": _judges(plan),
        "judge_served": judge_served,
        "judge_left_out": sorted({name for board in boards for name in board.judge_left_out}),
        "samples": plan.asked,
        "answers_per_sample": plan.benchmark.answers,
        "skipped": list(plan.skipped),
        "notes": list(plan.notes),
        "models": models,
    }


def judge_name(plan: Plan) -> str | None:
    """Who judges, in a text: `provider/model`, or the members of the panel."""
    if plan.judge is not None:
        return _full_name(plan.judge)
    return f"panel of {', '.join(map(_full_name, plan.panel))}" if plan.panel else None


def _full_name(judge: Participant) -> str:
    return f"{judge.provider}/{judge.config.name}"


def _judges(plan: Plan) -> list[Json]:
    """All who are asked for verdicts, on which share of the samples; of a stand-in nobody knows before."""
    shares = {"check": plan.config.check_share, "stand-in": None}
    found: list[Json] = [
        {"role": role, "label": judge.label, "model": _full_name(judge), "share": shares.get(role, 1.0)} for role, judge in plan.judges
    ]
    again = [each for each in found if each["role"] in ("judge", "panel")] if plan.config.test_retest else []
    return found + [{**each, "role": "retest", "share": plan.config.test_retest} for each in again]


def _served(plan: Plan, boards: Iterable[ModelBoard]) -> list[str]:
    """What the judges whose verdicts count were served as."""
    deciding = {judge.target({}).full_name for role, judge in plan.judges if role in ("judge", "panel")}
    return sorted({name for board in boards for judge, name in board.judge_served if judge in deciding})


def _stood_in(models: Iterable[Mapping[str, Any]]) -> tuple[int, int]:
    """(verdicts of a stand-in, all verdicts)."""
    judges = [model["judge"] for model in models if model["judge"]]
    return sum(judge.get("stood_in", 0) for judge in judges), sum(judge.get("verdicts", 0) for judge in judges)


def protocol_line(plan: Plan, *, complete: bool, judge_served: Sequence[str] = (), stood_in: tuple[int, int] = (0, 0)) -> str:
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
        words += _stand_in(plan, stood_in)
    words.append(plan.created_at[:10])
    words += ["SIMULATED"] if plan.simulated else []
    words += ["IMPORTED"] if plan.imported else []
    words += [] if complete else ["PARTIAL"]
    words += [f"{len(plan.skipped)} SAMPLE{'S' if len(plan.skipped) > 1 else ''} LEFT OUT"] if plan.skipped else []
    return " · ".join(words)


def _judge(plan: Plan, served: Sequence[str]) -> str:
    deciding = (plan.judge,) if plan.judge else plan.panel
    if not deciding:
        return "not judged"
    as_served = f" (served as {', '.join(map(_short, served))})" if set(served) - {judge.config.name for judge in deciding} else ""
    return f"{'judge ' if plan.judge else ''}{judge_name(plan)}{as_served}"


def _stand_in(plan: Plan, stood_in: tuple[int, int]) -> list[str]:
    """Who stood in for the judge, and how often: it changes numbers."""
    for role, judge in plan.judges:
        if role == "stand-in":
            share = f" for {100 * stood_in[0] / stood_in[1]:.1f}% of the verdicts" if stood_in[1] else ""
            return [f"stand-in {_full_name(judge)}{share}"]
    return []


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
    return without_verdict(model["judge"] or {}) > 0 or bool(model["outcomes"]["empty"])


def _no_verdicts(model: Mapping[str, Any]) -> str:
    judge = model["judge"]
    stood_in = f", a stand-in gave {judge['stood_in']} of these" if judge.get("stood_in") else ""
    return (
        f"{model['label']}: the judge gave no verdict for {undecided(model['judge']):.1f}% of {judge['verdicts']} "
        f"({judge['unreadable']} unreadable, {judge['declined']} declined, {judge['filtered']} filtered, "
        f"{judge['failed']} failed{stood_in}); read the bounds, not the figure"
    )


def _no_opinions(model: Mapping[str, Any]) -> list[str]:
    """Second opinions that are missing make what is said of agreement a matter of the others alone."""
    words = {"check": "the check judge", "retest": "the judge, asked again,", "panel": "the panel's members"}
    told = (model["judge"].get("opinions") or {}).items()
    return [
        f"{model['label']}: {words[role]} gave no verdict {each['asked'] - each['read']} of {each['asked']} times; "
        "agreement is of the others alone"
        for role, each in told
        if role in words and 100 * (each["asked"] - each["read"]) > MOST_UNDECIDED * each["asked"]
    ]


def _families(summary: Mapping[str, Any]) -> list[str]:
    """Judges whose verdicts count and models of theirs: a judge may favour its own."""
    found = []
    for judge in summary.get("judges") or ():
        family = family_of(judge["model"])
        own = [model["label"] for model in summary["models"] if family and family_of(model["model"]) == family]
        if own and judge["role"] in ("judge", "panel", "stand-in"):
            found.append(
                f"the judge {judge['label']} and {', '.join(own)} are of one family ({family}), and a judge may favour its own; "
                "--check-judge asks one of another family"
            )
    return found


def warnings(summary: Mapping[str, Any]) -> list[str]:
    """What a reader of the numbers must know, one sentence each."""
    found: list[str] = []
    shares = {}
    for model in summary["models"]:
        if (judge := model.get("judge")) and judge["verdicts"]:
            shares[model["label"]] = undecided(model["judge"])
            if shares[model["label"]] > MOST_UNDECIDED:
                found.append(_no_verdicts(model))
            found += _no_opinions(model)
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
    found += _families(summary)
    if shares and max(shares.values()) - min(shares.values()) > 2:
        found.append(
            "the judge's missing verdicts differ between the models by more than 2 points, so their scores are less comparable"
        )
    return found
