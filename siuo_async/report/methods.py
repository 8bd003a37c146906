"""The paragraph that every reviewer asks for: what was asked of whom, when, and how it was counted.

Every sentence follows from what the run's files hold, so the same run always gives the same text. What would be read past at the end
(that answers are made up, or missing) stands first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from siuo_async.analysis.comparison import Comparison
from siuo_async.analysis.gathered import Gathered
from siuo_async.benchmarks.base import GENERATE
from siuo_async.benchmarks.data.sources import source_of
from siuo_async.config import Price
from siuo_async.engine.plan import Participant
from siuo_async.report.methods_calls import Facts, Made, made
from siuo_async.report.methods_rules import rule_of
from siuo_async.report.text import one_line
from siuo_async.values import Parameters

_MOST_LISTED = 12
"""Of a list in a sentence; how many more there are is said."""
_ROLES: Mapping[str, str] = {
    "panel": "A panel voted on {count} verdicts: {who}.",
    "stand-in": "Where the judge gave no verdict ({count} verdicts), {who} stood in for it.",
    "check": "{who} gave a second opinion on {count} verdicts, which is in no figure.",
    "retest": "{who} was asked the same once more for {count} verdicts; these are in no figure.",
}
"""By the role of an opinion: what is said of it."""


def methods(run: Gathered, comparison: Comparison | None) -> str:
    """Plain text, one paragraph per part, to be pasted into a paper."""
    facts = made(run)
    parts = (
        _first(run),
        _asked(run, facts),
        _models(run, facts),
        _judge(run, facts),
        _counted(run),
        _compared(comparison),
        _made_with(run),
    )
    return "\n\n".join(part for part in (" ".join(filter(None, sentences)) for sentences in parts) if part) + "\n"


def _first(run: Gathered) -> Iterator[str]:
    """What no reader may miss."""
    if run.plan.simulated:
        yield "SIMULATED: answers or verdicts of this run were made up by a simulator; no figure says anything about a real model."
    if run.plan.imported:
        yield (
            "IMPORTED: answers or verdicts were made elsewhere and brought in; how they were asked for is known only as far as is "
            "said here."
        )
    pending = sum(model["samples"]["pending"] for model in run.summary["models"])
    if pending:
        total = sum(model["samples"]["total"] for model in run.summary["models"])
        yield f"PARTIAL: {pending} of {total} samples (over all models) have no result yet and are in no figure."


def _asked(run: Gathered, facts: Made) -> Iterator[str]:
    plan, config = run.plan, run.plan.config
    source = source_of(plan.benchmark.name)
    what = f" ({source.title}, {source.paper})" if source else ""
    models = "One model was" if len(plan.models) == 1 else f"{len(plan.models)} models were"
    answers = "one answer" if plan.benchmark.answers == 1 else f"{plan.benchmark.answers} answers"
    yield (
        f"{models} evaluated on {_plain(plan.benchmark.name)}{what} under the protocol '{config.protocol}': {plan.asked} samples, "
        f"{answers} per sample."
    )
    if plan.asked < len(plan.all_samples):
        order = "the data's own order" if config.in_file_order else f"an order balanced over categories (seed {config.order_seed})"
        yield f"These are the first {plan.asked} of {len(plan.all_samples)} in {order}."
    if config.categories:
        yield f"Only these categories were asked: {_listed(config.categories)}."
    if plan.skipped:
        yield f"{len(plan.skipped)} samples of the data could not be used and are in no figure."
    if settings := plan.benchmark.settings():
        yield "Settings: " + ", ".join(f"{_plain(name.replace('_', ' '))} {_plain(value)}" for name, value in settings.items()) + "."
    yield f"Data digest {_plain(plan.identity.get('dataset', 'unknown'))}; prompts {_plain(plan.benchmark.prompt_set)}."
    first, last = facts.span()
    if first:
        when = f"at {first} UTC" if first == last else f"between {first} and {last} UTC"
        yield f"Calls were begun {when}."
    if facts.searches:
        yield f"{facts.searches} searches were made on behalf of the models."


def _models(run: Gathered, facts: Made) -> Iterator[str]:
    base = run.plan.generation()[GENERATE]
    yield f"Asked for by the protocol and the settings: {_parameters(base)}."
    for participant in run.plan.models:
        summary, calls = run.model(participant.label), facts.models[participant.label]
        name = _plain(summary["model"])
        called = "" if participant.label == participant.config.name else f" ('{_plain(participant.label)}')"
        yield f"{name}{called}{_served(calls, participant.config.name)} got {calls.calls} calls{_sent(calls)}."
        if calls.several:
            yield f"{calls.several} of these calls asked for several answers at once."
        reasoning = summary["tokens"]["generation"].get("reasoning")
        if reasoning:
            yield f"It reported {reasoning} reasoning tokens."
        if system := participant.config.system or run.plan.config.system:
            yield f"Its system prompt was: '{_plain(system)}'."


def _parameters(asked: Parameters) -> str:
    words = [
        "no cap on the visible answer" if asked.max_tokens is None else f"a cap of {asked.max_tokens} tokens on the visible answer"
    ]
    if asked.thinking_tokens is not None:
        words.append(f"{asked.thinking_tokens} more tokens for thinking")
    for name in ("temperature", "top_p", "frequency_penalty", "seed", "safety_filters"):
        value = getattr(asked, name)
        words.append(
            f"{name.replace('_', ' ')} {value:g}" if isinstance(value, float) else f"{name.replace('_', ' ')} {value}" if value else ""
        )
    words += [] if asked.temperature is not None else ["the provider's own temperature"]
    words += [f"{_plain(name)} {_plain(value)}" for name, value in asked.extra.items()]
    return ", ".join(filter(None, words))


def _served(calls: Facts, name: str) -> str:
    """Under which names the answers came, where they are not the one that was asked for."""
    others = [served for served in sorted(calls.served) if served != name]
    return f", served as {_listed(others)}," if others else ""


def _sent(calls: Facts) -> str:
    sent = f", with {told}" if (told := calls.parameters()) else ""
    left_out = f"; asked for but not accepted, so left out: {_listed(sorted(calls.left_out))}" if calls.left_out else ""
    return sent + left_out


def _judge(run: Gathered, facts: Made) -> Iterator[str]:
    plan = run.plan
    if not plan.benchmark.needs_judge:
        return
    if plan.judge is None and not facts.judges:
        yield "The answers were not judged."
        return
    if plan.judge is not None:
        yield f"The judge was {_plain(_full(plan.judge))}."
    for name, calls in facts.judges.items():
        served = _served(calls, name.partition("/")[2].partition("@")[0])
        yield f"{_plain(name)}{served} was asked for verdicts in {calls.calls} calls{_sent(calls)}."
    if plan.config.protocol == "corrected":
        yield (
            "A verdict that was cut short was asked for once more with four times the cap, one that could not be read once more as "
            "it was; a judge that declined was not asked again."
        )
    else:
        yield "No verdict was asked for twice."
    for role, (count, labels) in _roles(run).items():
        yield _ROLES[role].format(count=count, who=_listed(labels))
    for model in run.summary["models"]:
        if (judge := model.get("judge")) and judge["verdicts"]:
            missing = {state: judge[state] for state in ("unreadable", "declined", "filtered", "failed") if judge[state]}
            told = ", ".join(f"{count} {state}" for state, count in missing.items()) or "none missing"
            stood_in = f" {judge['stood_in']} of them are the stand-in's." if judge.get("stood_in") else ""
            yield f"Of {judge['verdicts']} verdicts on {_plain(model['label'])}: {told}, {judge['re_asked']} asked for again.{stood_in}"


def _full(participant: Participant) -> str:
    """`provider/name@revision`."""
    config = participant.config
    return f"{participant.provider}/{config.name}" + (f"@{config.revision}" if config.revision else "")


def _roles(run: Gathered) -> Mapping[str, tuple[int, list[str]]]:
    """Of whoever was asked beside the judge, by role: how many verdicts hold an opinion of theirs, and their labels."""
    counts: Counter[str] = Counter()
    labels: dict[str, dict[str, None]] = {role: {} for role in _ROLES}
    for item in run.items:
        for take in item.takes.values():
            for answer in take.seen.answers if take.seen else ():
                for verdict in answer.verdicts.values():
                    others = [opinion for opinion in verdict.opinions if opinion.role in _ROLES]
                    counts.update({opinion.role for opinion in others})
                    for opinion in others:
                        labels[opinion.role][opinion.judge] = None
    return {role: (counts[role], sorted(labels[role])) for role in _ROLES if counts[role]}


def _counted(run: Gathered) -> Iterator[str]:
    yield rule_of(run.plan.config.benchmark, run.plan.config.protocol)
    primary = run.plan.benchmark.primary
    heading = _plain(run.plan.benchmark.metrics.get(primary, primary)).lower()
    if not run.summary["scored"]:
        return
    for model in run.summary["models"]:
        rate = model["metrics"].get(primary)
        if rate and rate.get("n") is not None and rate.get("total") is not None and rate["n"] != rate["total"]:
            yield f"{_plain(model['label'])}: {rate['n']} of {rate['total']} are decided in '{heading}'."
        outcomes = {name: model["outcomes"][name] for name in ("declined", "filtered", "empty", "failed") if model["outcomes"][name]}
        if outcomes:
            told = ", ".join(f"{count} {name}" for name, count in outcomes.items())
            yield f"Of {model['answers']['finished']} answers of {_plain(model['label'])}: {told}."


def _compared(comparison: Comparison | None) -> Iterator[str]:
    if comparison is None:
        yield "Intervals are at 95%; no two models are compared here."
        return
    yield comparison.method
    yield from comparison.not_in_interval


def _made_with(run: Gathered) -> Iterator[str]:
    prices = run.plan.prices or {}
    if prices:
        told = [_price(name, price) for name, price in sorted(prices.items())]
        yield f"Cost is counted at these prices in US dollars per million tokens (input / output): {_listed(told)}."
    if unknown := [_plain(model["label"]) for model in run.summary["models"] if model["cost_usd"] is None]:
        yield f"The cost is not known of: {_listed(unknown)}."
    versions: Mapping[str, Any] = run.directory.manifest().get("versions") or {}
    if versions:
        yield "Made with " + ", ".join(f"{_plain(name)} {_plain(value)}" for name, value in versions.items()) + "."


def _price(name: str, price: Price) -> str:
    """`openai/gpt-4o 2.5 / 10 (1.25 where cached; genai-prices, 2026-11-20)`."""
    more = [] if price.cached is None else [f"{price.cached:g} where cached"]
    more += [] if price.cache_write is None else [f"{price.cache_write:g} where written into the cache"]
    more += [f"other prices above {min(tier.above for tier in price.tiers)} input tokens"] if price.tiers else []
    source = ", ".join(_plain(word) for word in (price.source, price.date) if word)
    told = "; ".join([*([", ".join(more)] if more else []), *([source] if source else [])])
    return f"{_plain(name)} {price.input:g} / {price.output:g}" + (f" ({told})" if told else "")


def _listed(words: Sequence[Any]) -> str:
    told = [_plain(word) for word in words[:_MOST_LISTED]]
    return ", ".join(told) + (f" and {len(words) - _MOST_LISTED} more" if len(words) > _MOST_LISTED else "")


def _plain(value: Any) -> str:
    """Text from elsewhere on its line, cut where nobody would read on."""
    return one_line(str(value), 200)
