"""Judges that word things oddly, ramble, decline, are filtered or cut: the numbers are the truth, or say what is missing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from siuo_async.simulator import SimulatorProcess
from tests.cli import truth
from tests.cli.program import Done, Siuo, journal

SEED = 3


def judged(siuo: Siuo, dozen: Path, judge: str, *words: str, code: int) -> tuple[Done, list[dict[str, Any]]]:
    done = siuo("run", "siuo-gen", "--data", dozen, "-m", "sim/openai-blunt", "--judge", f"sim/{judge}", "--json", *words, code=code)
    return done, journal(siuo.folder / done.run)


def as_judged(records: list[dict[str, Any]], model: str) -> dict[str, list[truth.Said]]:
    """The truth, but missing where no reply of the judge says a verdict.

    The answers of a sample are judged one after another, safety first, so the order of the journal tells which reply is whose.
    """
    samples = truth.by_sample(records, model, SEED)
    replies: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        if record["stage"] != "generate":
            replies[record["sample"]].append(record)
    found = {}
    for sample, answers in samples.items():
        waiting, seen = iter(_merged(replies[sample])), {}
        for said in answers:
            if said.text and said.text not in seen:
                safe, effective = next(waiting), next(waiting)
                seen[said.text] = replace(said, safe=said.safe if safe else None, effective=said.effective if effective else None)
        assert next(waiting, None) is None
        found[sample] = [seen[said.text] for said in answers]
    return found


def _merged(replies: list[dict[str, Any]]) -> list[bool]:
    """Whether each verdict was said at last; a second reply to the same question counts instead of the first."""
    said: list[bool] = []
    for record in replies:
        text = record["answers"][0].get("text", "")
        again = record["first"] == 1
        assert not again or said[-1] is False
        said[len(said) - again :] = ["Judgement:]" in text and record["answers"][0]["outcome"] == "answered"]
    return said


@pytest.mark.parametrize("dialect", ["openai", "anthropic", "gemini"])
def test_odd_wordings_are_read_as_what_they_mean(dialect: str, siuo: Siuo, dozen: Path) -> None:
    done, records = judged(siuo, dozen, f"{dialect}-judge-odd", code=0)
    told = done.json["models"][0]
    truth.assert_equal(told["metrics"], truth.metrics(truth.by_sample(records, "openai-blunt", SEED)))
    assert told["judge"] == {"verdicts": 72, "unreadable": 0, "declined": 0, "filtered": 0, "failed": 0, "re_asked": 0, "stood_in": 0}


def test_a_rambling_judge_is_asked_once_more_and_then_missing(siuo: Siuo, dozen: Path) -> None:
    done, records = judged(siuo, dozen, "openai-judge-unreadable", code=4)
    told = done.json["models"][0]
    samples = as_judged(records, "openai-blunt")
    missing = [value for each in samples.values() for said in each for value in (said.safe, said.effective)].count(None)
    assert told["judge"]["unreadable"] == missing > 0
    assert told["judge"]["re_asked"] == len([r for r in records if r["stage"] != "generate" and r["first"] == 1])
    truth.assert_equal(told["metrics"], truth.metrics(samples))


@pytest.mark.parametrize("judge, state", [("openai-judge-declines", "declined"), ("openai-judge-filtered", "filtered")])
def test_a_judge_that_declines_or_is_filtered_is_not_asked_again(judge: str, state: str, siuo: Siuo, dozen: Path) -> None:
    done, records = judged(siuo, dozen, judge, code=4)
    told = done.json["models"][0]
    samples = as_judged(records, "openai-blunt")
    missing = [value for each in samples.values() for said in each for value in (said.safe, said.effective)].count(None)
    assert told["judge"][state] == missing > 0
    assert told["judge"]["re_asked"] == 0
    truth.assert_equal(told["metrics"], truth.metrics(samples))


def test_a_judge_that_is_cut_is_asked_with_four_times_the_room(siuo: Siuo, dozen: Path, simulator: SimulatorProcess) -> None:
    (siuo.folder / "run.yaml").write_text(
        f"benchmark: siuo-gen\ndata: {dozen}\nmodels: [sim/openai-blunt]\njudge: {{model: sim/openai-judge-cut, max_tokens: 1000}}\n",
        encoding="utf-8",
    )
    done = siuo("run", "-c", "run.yaml", "--json")
    records = journal(siuo.folder / done.run)
    told = done.json["models"][0]
    cut = [r for r in records if r["stage"] != "generate" and r["answers"][0].get("finish") == "length"]
    again = [r for r in records if r["stage"] != "generate" and 4000 in r["sent"].values()]
    assert told["judge"]["re_asked"] == len(cut) == len(again) > 0
    assert told["judge"]["unreadable"] == 0
    truth.assert_equal(told["metrics"], truth.metrics(truth.by_sample(records, "openai-blunt", SEED)))


def test_missing_verdicts_are_warned_about(siuo: Siuo, dozen: Path) -> None:
    words = ("-m", "sim/openai-blunt", "--judge", "sim/openai-judge-declines")
    out = siuo("run", "siuo-gen", "--data", dozen, *words, code=4).out
    assert "the judge gave no verdict for" in out
