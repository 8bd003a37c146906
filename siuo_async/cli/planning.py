"""`siuo plan`: what a run would take before anything is paid; the same words as `siuo run`, nothing sent, no key needed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.text import Text

from siuo_async.benchmarks.base import GENERATE
from siuo_async.benchmarks.catalogue import entry_of
from siuo_async.benchmarks.custom_module import ModuleBenchmark
from siuo_async.cli.like import must_be_alike
from siuo_async.cli.output import console, print_json, say
from siuo_async.cli.preparing import Job, environment, prepared
from siuo_async.client.accounts import Environment
from siuo_async.config import Price, RunConfig
from siuo_async.engine.cheaper import Check, Situation, Way, half_width, ways
from siuo_async.engine.forecast import Forecast, forecast
from siuo_async.engine.lengths import Lengths
from siuo_async.engine.paying import Earlier, earlier
from siuo_async.engine.plan import Plan
from siuo_async.engine.plan_time import GroupTime, group_times
from siuo_async.engine.reckoned import Part, costs_together, ranged
from siuo_async.engine.spending import PICO
from siuo_async.engine.summary import protocol_line
from siuo_async.providers.prices import priced_beside
from siuo_async.providers.profiles import profile_for
from siuo_async.providers.token_counts import Range
from siuo_async.report.plan_tables import draw_ways, plan_grids, usd, usd_range
from siuo_async.report.render import draw
from siuo_async.report.text import duration, in_line
from siuo_async.values import Json

_NOWHERE = "http://127.0.0.1:9"
"""Stands for a simulator that is not there: nothing is sent."""
_SPECIAL = re.compile(r"codex|search|computer|realtime|audio|tts|live|image|embed|latest|preview|customtools|exp|-20\d\d|-\d{4}\b")
"""Names of models that are for something else, or the same as another one with a date."""
_DISAGREE = 0.2
"""Share of samples on which two models differ, for the smallest difference that a paired test sees."""


def tell_plans(
    configs: Sequence[RunConfig], *, run: Path | None, fresh: bool, like: str | None, uplink_mbit: float | None, as_json: bool
) -> None:
    """Prints the plan of each run.

    Raises:
        UsageError: what would keep the runs from beginning, keys aside.
    """
    surroundings = _without_sending()
    jobs = prepared(configs, surroundings, path=run, fresh=fresh)
    if like is not None:
        must_be_alike(like, configs[0].results, jobs[0])
    found = [_planned(job, uplink_mbit) for job in jobs]
    if as_json:
        print_json(found[0] if len(found) == 1 else found)
        return
    for number, plan in enumerate(found):
        if number:
            say("", to_stderr=False)
        _show(plan)


def _without_sending() -> Environment:
    here = environment()
    return environment({} if here.variables.get("SIUO_SIM_URL") else {"SIUO_SIM_URL": _NOWHERE}, sends=False)


def _planned(job: Job, uplink_mbit: float | None) -> dict[str, Json]:
    """The plan of one run, as `--json` has it."""
    plan = job.plan
    lengths = Lengths(plan.config.results, plan.benchmark.name, chinese=_is_chinese(plan))
    found = asyncio.run(forecast(plan, job.directory, job.spec_of, lengths))
    before = earlier(plan, job.directory)
    whole = costs_together(found.parts)
    budget = plan.config.budget
    rest = None if budget is None else budget - (before.spent_pico + before.kept_pico) / PICO
    over = rest is not None and whole is not None and whole.expected > rest
    cheaper = ways(_situation(plan, found, max(0.0, rest or 0.0)), lambda: _cheaper_judges(job)) if over else []
    return {
        "plan": True,
        "benchmark": plan.benchmark.name,
        "protocol_line": protocol_line(plan, complete=True),
        "simulated": plan.simulated,
        "run": str(job.directory.path),
        "continues": job.directory.calls.exists(),
        "samples": found.samples,
        "answers_per_sample": plan.benchmark.answers,
        "finished": dict(found.finished),
        "spent_usd": before.spent_pico / PICO,
        "maybe_billed_usd": before.kept_pico / PICO,
        "asked": _rows(plan, found.parts),
        "total": _sum(found.parts),
        "parts": [part.as_json() for part in found.parts],
        "searches": found.searches,
        "time": _time(group_times(found.parts, plan.config, job.spec_of), found.parts, uplink_mbit),
        "precision": _precision(found.samples),
        "budget_usd": budget,
        "over_budget": over,
        "ways": [way.as_json() for way in cheaper],
        "missing_keys": _missing_keys(job),
        "notes": _notes(plan, found, before, cheaper),
    }


def _is_chinese(plan: Plan) -> bool:
    return plan.benchmark.name.startswith("csqa") or plan.config.language == "zh"


def _rows(plan: Plan, parts: Sequence[Part]) -> list[dict[str, Json]]:
    """One for each model under test, one for each judge, over all models and stages."""
    roles: dict[str, str] = {judge.target({}).full_name: role for role, judge in reversed(plan.judges)}
    groups: dict[tuple[str, str], list[Part]] = {}
    for part in parts:
        role = "model" if part.stage == GENERATE else roles[part.full_name]
        groups.setdefault((role, part.label if role == "model" else part.full_name), []).append(part)
    rows = []
    for (role, _), own in groups.items():
        rows.append({"role": role, "label": own[0].label, "model": own[0].full_name, **_sum(own)})
    return rows


def _sum(parts: Sequence[Part]) -> dict[str, Json]:
    text, pictures, output = Range(), Range(), Range()
    for part in parts:
        text, pictures, output = text + part.text, pictures + part.pictures, output + part.output
    cost = costs_together(parts)
    return {
        "calls": sum(part.calls for part in parts),
        "tokens": {"text": ranged(text), "pictures": ranged(pictures), "output": ranged(output)},
        "upload_bytes": sum(part.upload_bytes for part in parts),
        "cost_usd": cost and asdict(cost),
    }


def _time(groups: Sequence[GroupTime], parts: Sequence[Part], uplink_mbit: float | None) -> dict[str, Json]:
    upload = sum(part.upload_bytes for part in parts)
    upload_s = upload * 8 / (uplink_mbit * 10**6) if uplink_mbit else None
    known = [group.seconds for group in groups]
    whole = None if None in known or not known else max([each for each in known if each is not None] + [upload_s or 0.0])
    return {
        "groups": [group.as_json() for group in groups],
        "upload_bytes": upload,
        "uplink_mbit": uplink_mbit,
        "upload_seconds": upload_s,
        "seconds": whole,
        "at_least_seconds": max([each for each in known if each is not None] + [upload_s or 0.0], default=0.0),
    }


def _precision(samples: int) -> dict[str, Json]:
    """In points. The smallest difference: McNemar's test at 95%, which needs 1.96 times the root of the samples that differ."""
    return {
        "half_width_at_50": half_width(samples),
        "smallest_difference": 100 * 1.96 * (_DISAGREE / samples) ** 0.5 if samples else None,
        "if_they_differ_on_percent": 100 * _DISAGREE,
    }


def _situation(plan: Plan, found: Forecast, rest_usd: float) -> Situation:
    options = entry_of(plan.config.benchmark).options
    return Situation(
        found.parts,
        found.samples,
        sum(found.samples - finished for finished in found.finished.values()),
        plan.benchmark.answers,
        "answers" in options and plan.benchmark.prompts_per_sample == 1,
        plan.config.judge.model if plan.config.judge else None,
        plan.judge.target({}).full_name if plan.judge else "",
        plan.benchmark.needs_judge,
        rest_usd,
        _check(plan),
    )


def _check(plan: Plan) -> Check | None:
    judge = next((judge for role, judge in plan.judges if role == "check"), None)
    return None if judge is None else Check(judge.config.model, judge.target({}).full_name, plan.config.check_share)


def _cheaper_judges(job: Job) -> list[tuple[str, Price]]:
    judge = job.plan.config.judge
    if judge is None:
        return []
    taken = {judge.model, *(model.model for model in job.plan.config.models)}
    dialect, base_url, known = job.spec_of(judge.provider).route(judge.name)
    found = []
    for name, price in priced_beside(base_url).items():
        thinks = profile_for(dialect.name, name, known).thinking == "always"  # its verdicts would be longer, nobody knows by how much
        if not thinks and not _SPECIAL.search(name) and (full := f"{judge.provider}/{name}") not in taken:
            found.append((full, price))
    return found


def _missing_keys(job: Job) -> list[str]:
    """The variables of which one must be set before this can be run."""
    found = []
    for name in job.plan.providers():
        spec = job.spec_of(name)
        if spec.key is None and spec.preset.key_required:
            found.append(" or ".join(spec.preset.key_env))
    return found


def _notes(plan: Plan, found: Forecast, before: Earlier, cheaper: Sequence[Way]) -> list[str]:
    """What a reader of the figures must know, one sentence each."""
    notes = [_about_lengths(found.parts)] if any(part.calls for part in found.parts) else []
    unpriced = list(dict.fromkeys(part.full_name for part in found.parts if part.cost is None))
    for name in unpriced:
        given = next(part.provider + "/" + part.full_name.partition("/")[2] for part in found.parts if part.full_name == name)
        notes.append(
            f"nobody knows the price of {name}: add `prices: {{{given}: {{input: 1.0, output: 4.0}}}}` with the real figures "
            "(USD per million tokens; 0 is a price) to a config file and name it with -c"
        )
    if found.unknown_sizes:
        notes.append(f"the size of {found.unknown_sizes} pictures cannot be read; they are taken for 1024 x 1024")
    if found.odd:
        notes.append(f"{found.odd} samples could not be gone through with made-up answers, so they are missing in these figures")
    if isinstance(plan.benchmark, ModuleBenchmark):
        notes.append("what a benchmark's own code asks may depend on the answers; gone through with made-up ones it may ask too little")
    if any(role == "stand-in" for role, _ in plan.judges):
        notes.append("a stand-in judge is asked only where the judge gives no verdict, which nobody can foresee; it is not in here")
    if plan.search is not None:
        notes.append(
            "how long the texts are that searches find is a guess until some were made; the searches' own price is not in here"
        )
        if plan.config.search == "active":
            notes.append("for each answer that asks for a search one more call is made, which nobody can foresee")
    if before.unpriced:
        notes.append(f"nobody knows what {before.unpriced} finished calls cost")
    if plan.config.budget is not None and not cheaper and unpriced:
        notes.append("whether the budget is enough cannot be said while a price is unknown")
    return notes


def _about_lengths(parts: Sequence[Part]) -> str:
    used = [part for part in parts if part.calls and part.length]
    measured = [part for part in used if part.length and part.length.measured]
    if len(measured) == len(used):
        return "lengths of answers and verdicts are those of earlier runs here"
    what = "most lengths" if len(measured) * 2 > len(used) else "lengths"
    return (
        f"{what} of answers and verdicts are typical figures, hence the range; after a run with --limit 20, which the whole run "
        "continues, the same plan knows better"
    )


def _show(plan: Mapping[str, Any]) -> None:
    """The plan on the terminal."""
    screen = console()
    screen.print(Text(in_line(plan["protocol_line"]), style="bold yellow" if plan["simulated"] else "bold"))
    for grid in plan_grids(plan):
        screen.print()
        draw(screen, grid)
    if plan["ways"]:
        draw_ways(screen, plan["ways"])
        screen.print()
    for words in _closing(plan):
        say(words, to_stderr=False)
    for note in plan["notes"]:
        screen.print(Text("! " + in_line(note), style="yellow"))
    for names in plan["missing_keys"]:
        screen.print(Text(f"! no key is set: {names} has to be in the environment or in .env before this can be run", style="yellow"))
    verb = "continues" if plan["continues"] else "would be"
    say(f"Nothing was sent; the run {verb} {plan['run']}", to_stderr=False)


def _closing(plan: Mapping[str, Any]) -> list[str]:
    total, time, precision = plan["total"], plan["time"], plan["precision"]
    found = [f"Cost: {usd_range(total['cost_usd'])}{_against_budget(plan)}"]
    megabytes = time["upload_bytes"] / 10**6
    upload = f", {duration(time['upload_seconds'])} at {time['uplink_mbit']:g} Mbit/s" if time["uplink_mbit"] else ""
    if time["seconds"] is not None:
        found.append(f"Time: about {duration(time['seconds'])} at these limits")
    elif time["groups"]:
        found.append("Time: unknown; --rpm, --tpm or --concurrency tell a limit, and a short run finds them")
    found.append(f"Upload: {megabytes:,.1f} MB{upload or '; --uplink MBIT/S tells how long that takes'}")
    found.append(f"Precision: 95% intervals of up to ±{precision['half_width_at_50']:.1f} points at {plan['samples']} samples")
    if len([row for row in plan["asked"] if row["role"] == "model"]) > 1:
        found.append(
            f"           two models that disagree on {precision['if_they_differ_on_percent']:.0f}% of the samples are told apart "
            f"if they are {precision['smallest_difference']:.1f} points apart"
        )
    return found


def _against_budget(plan: Mapping[str, Any]) -> str:
    spent = f", {usd(plan['spent_usd'])} spent before" if plan["spent_usd"] else ""
    if plan["maybe_billed_usd"]:
        spent += f", up to {usd(plan['maybe_billed_usd'])} more for calls that may have been billed"
    budget = plan["budget_usd"]
    if budget is None or plan["total"]["cost_usd"] is None:
        return spent
    if plan["over_budget"]:
        return f"{spent}: more than the budget of {usd(budget)}"
    tight = plan["total"]["cost_usd"]["high"] + plan["spent_usd"] + plan["maybe_billed_usd"] > budget
    return f"{spent}: within the budget of {usd(budget)}" + (", if answers are not much longer than expected" if tight else "")
