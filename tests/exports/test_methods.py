"""What a run says of how it was made: true to its files, the same each time, and nothing of it is markup."""

from __future__ import annotations

import re
from dataclasses import replace

from siuo_async.analysis.gathered import Gathered, gather
from siuo_async.benchmarks.judged import Opinion
from siuo_async.benchmarks.seen import SeenAnswer
from siuo_async.engine.records import CallRecord
from siuo_async.report.dossier import Dossier
from siuo_async.report.methods import methods
from siuo_async.report.methods_rules import rule_of
from siuo_async.values import Answer, Outcome
from tests.exports.conftest import SAMPLES, Hostile


def call(run: Gathered, label: str, **changes: object) -> Gathered:
    """The run with every call of a model to be tested changed."""

    def changed(record: CallRecord) -> CallRecord:
        return replace(record, **changes) if record.stage == "generate" else record  # type: ignore[arg-type]

    items = []
    for item in run.items:
        take = item.takes[label]
        items.append(replace(item, takes={**item.takes, label: replace(take, calls=tuple(map(changed, take.calls)))}))
    return replace(run, items=tuple(items))


def test_it_is_the_same_each_time(reported: Dossier) -> None:
    assert methods(gather(reported.run.directory), reported.comparison) == reported.methods


def test_what_is_made_up_is_said_first(reported: Dossier) -> None:
    assert reported.methods.startswith("SIMULATED: ")


def test_what_was_brought_in_is_said(hostile: Hostile) -> None:
    assert methods(gather(hostile.directory), None).startswith("IMPORTED: ")


def test_it_says_what_was_asked_of_whom_and_when(reported: Dossier) -> None:
    text = reported.methods
    assert f"{SAMPLES} samples, 3 answers per sample" in text
    assert f"These are the first {SAMPLES} of 27 in an order balanced over categories (seed 0)." in text
    assert re.search(r"Calls were begun (at|between) \d{4}-\d\d-\d\d \d\d:\d\d", text)
    for name in ("sim/openai-careful", "sim/anthropic-blunt", "sim/gemini-terse"):
        assert f"{name} got " in text
    assert "with max_tokens 500" in text
    assert "sim/openai-judge-odd was asked for verdicts in" in text


def test_it_names_the_digests_of_data_and_prompts(reported: Dossier) -> None:
    identity = reported.run.plan.identity
    assert f"Data digest {identity['dataset']}; prompts {identity['prompts']}." in reported.methods


def test_it_ends_with_the_prices_and_the_versions(reported: Dossier) -> None:
    last = reported.methods.strip().split("\n\n")[-1]
    assert "sim/openai-careful 1 / 4 (0.25 where cached; made up)" in last
    assert "siuo-async 0.1.0" in last


def test_how_models_were_compared_is_in_it(reported: Dossier) -> None:
    assert reported.comparison is not None
    assert reported.comparison.method in reported.methods


def test_a_parameter_that_was_left_out_is_named(reported: Dossier) -> None:
    run = call(reported.run, "openai-careful", sent={"max_tokens": 500, "left_out": {"temperature": 0.0}})
    assert "asked for but not accepted, so left out: temperature" in methods(run, None)


def test_another_name_that_a_server_gave_is_told(reported: Dossier) -> None:
    run = call(reported.run, "openai-careful", served_model="careful-2026-01-01")
    assert "sim/openai-careful, served as careful-2026-01-01, got" in methods(run, None)


def test_values_that_differ_between_calls_are_counted(reported: Dossier) -> None:
    run, number = reported.run, iter(range(10_000))
    items = []
    for item in run.items:
        take = item.takes["openai-careful"]
        calls = tuple(
            replace(each, sent={"max_tokens": 500 if next(number) % 2 else 2000}) for each in take.calls if each.stage == "generate"
        )
        items.append(replace(item, takes={**item.takes, "openai-careful": replace(take, calls=calls)}))
    assert re.search(
        r"max_tokens (500|2000) \(in \d+ of \d+ calls\) or (500|2000) \(in \d+ of \d+ calls\)",
        methods(replace(run, items=tuple(items)), None),
    )


def test_withheld_answers_are_counted(reported: Dossier) -> None:
    models = [dict(model) for model in reported.run.summary["models"]]
    models[0]["outcomes"] = {**models[0]["outcomes"], "filtered": 4}
    run = replace(reported.run, summary={**reported.run.summary, "models": models})
    assert re.search(r"Of \d+ answers of openai-careful: .*4 filtered", methods(run, None))


def test_pending_samples_make_it_partial(reported: Dossier) -> None:
    models = [dict(model) for model in reported.run.summary["models"]]
    models[0]["samples"] = {"total": SAMPLES, "finished": SAMPLES - 2, "pending": 2}
    run = replace(reported.run, summary={**reported.run.summary, "models": models})
    assert f"PARTIAL: 2 of {3 * SAMPLES} samples" in methods(run, None)


def test_hostile_names_stay_on_their_line_and_are_cut(hostile: Hostile) -> None:
    run = gather(hostile.directory)
    record = CallRecord("x", "generate", "p", "m", "1", 0, 1, (Answer(Outcome.ANSWERED),), served_model="a\x1b[2J\n\n\nb" + "c" * 5000)
    label = run.labels[0]
    first = run.items[0]
    hurt = replace(run, items=(replace(first, takes={label: replace(first.takes[label], calls=(record,))}), *run.items[1:]))
    text = methods(hurt, None)
    assert "\x1b" not in text
    assert "c" * 250 not in text
    assert text.count("\n\n") == methods(run, None).count("\n\n")


def test_every_benchmark_says_what_it_counts() -> None:
    for benchmark in ("siuo-gen", "siuo-mcqa", "usb-base", "usb-hard", "csqa-qa", "csqa-mcq", "demo"):
        rules = {rule_of(benchmark, protocol) for protocol in ("corrected", "released")}
        assert len(rules) == 2
        assert rule_of("mine.yaml", "corrected") not in rules


def test_whoever_judged_beside_the_judge_is_named_with_how_often(reported: Dossier) -> None:
    opinions = (
        Opinion("judge", "first", None, "unreadable"),
        Opinion("stand-in", "second", 1, "read"),
        Opinion("check", "third", 0, "read"),
    )
    item = reported.run.items[0]
    label = reported.run.labels[0]
    take = item.takes[label]
    assert take.seen is not None
    first, *others = take.seen.answers
    held = SeenAnswer(first.answer, {stage: replace(verdict, opinions=opinions) for stage, verdict in first.verdicts.items()})
    seen = replace(take.seen, answers=(held, *others))
    changed = replace(item, takes={**item.takes, label: replace(take, seen=seen)})
    text = methods(replace(reported.run, items=(changed, *reported.run.items[1:])), None)
    assert "Where the judge gave no verdict (2 verdicts), second stood in for it." in text
    assert "third gave a second opinion on 2 verdicts, which is in no figure." in text
