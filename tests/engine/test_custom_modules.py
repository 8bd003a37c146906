"""Benchmarks that are a Python module: what it has to give is looked at before anything is sent, what it makes of a sample after."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from siuo_async.benchmarks.base import SampleBug
from siuo_async.benchmarks.catalogue import is_custom
from siuo_async.benchmarks.custom_module import ModuleBenchmark, load_module, load_samples
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.errors import ConfigError, DataError, StoppedEarly
from siuo_async.values import Sample
from tests.engine.samples import CannedAsk, answered

HEAD = "import sys\nfrom siuo_async.benchmarks.toolkit import *\n"
SAMPLES = "[Sample(str(n), ('all',), f'Question {n}?') for n in range(3)]"
MODULE = """\
class Mine:
    name = "mine"
    metrics = {{"ok": "OK", "two": "Two"}}
    {more}

    def samples(self, data):
        return {samples}

    async def evaluate(self, sample, ask):
        a = await one_answer(ask, (Turn("user", (sample.text,)),))
        return {result}


benchmark = Mine()
"""
GOOD = "Scored({'ok': 1, 'two': None}, (a,))"


def module(folder: Path, *, more: str = "", samples: str = SAMPLES, result: str = GOOD, after: str = "") -> ModuleBenchmark:
    file = folder / "mine.py"
    file.write_text(HEAD + MODULE.format(more=more, samples=samples, result=result) + after, encoding="utf-8")
    return load_module(str(file))


async def lived(found: Any) -> Any:
    return await found.evaluate(Sample("1", ("all",), "Why?"), CannedAsk((answered("Because."),)))


def test_samples_are_what_their_run_gives_back(tmp_path: Path) -> None:
    fields = "{'pair': (1, 2.0), 'deep': {'t': ('a',)}}"
    found = module(tmp_path, samples=f"[Sample('1', ['a', 'b'], 'T', (), {fields})]")
    dataset = load_samples(found, None)
    directory = RunDirectory(tmp_path)
    directory.write_samples(dataset.samples)
    assert list(dataset.samples) == list(directory.read_samples())
    assert dataset.samples[0].fields["pair"] == [1, 2.0]


@pytest.mark.parametrize("value", ["float('nan')", "float('inf')", "2**64", "{1: 'a'}", "{1, 2}", "'\\ud800'", "object()"])
def test_what_a_run_cannot_keep_of_a_sample_is_refused(value: str, tmp_path: Path) -> None:
    found = module(tmp_path, samples=f"[Sample('1', ('all',), 'T', (), {{'v': {value}}})]")
    with pytest.raises(DataError, match=r"mine.py: sample 1 of samples\(\): a field holds what JSON cannot"):
        load_samples(found, None)


SAMPLES_REFUSED = [
    ("[Sample('1', 'outdoors', 'T')]", "has the category 'outdoors'; it must be a tuple of texts"),
    ("[Sample('1', (), 'T')]", "has the category (); it must be a tuple of texts"),
    ("[Sample('1', (3,), 'T')]", "field `category` must be a text, but it is a number"),
    ("[Sample(1, ('all',), 'T')]", "field `id` must be a text, but it is a number"),
    ("[Sample('', ('all',), 'T')]", "field `id` is empty"),
    ("[Sample('1', ('all',), 3)]", "field `text` must be a text, but it is a number"),
    ("[Sample('1', ('all',), 'T', ('a.png',))]", "has pictures that are none"),
    ("[Sample('1', ('all',), 'T', (), 3)]", "has fields that are int"),
    ("['T']", "is a str; it must be a Sample"),
    ("[]", "samples() gave none"),
    ("[Sample('1', ('all',), 'T')] * 2", "sample '1' has the id of another"),
    ("None", "samples() failed (TypeError"),
]


@pytest.mark.parametrize("samples, sentence", SAMPLES_REFUSED)
def test_wrong_samples_are_refused_before_anything_is_sent(samples: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as refused:
        load_samples(module(tmp_path, samples=samples), None)
    assert sentence in str(refused.value)
    assert "mine.py" in str(refused.value)


MEMBERS_REFUSED = [
    ("answers = 0", "its `answers` must be a whole number from 1 to 64, but it is 0"),
    ("answers = '2'", "its `answers` must be"),
    ("answers = True", "its `answers` must be"),
    ("prompts_per_sample = 0", "its `prompts_per_sample` must be"),
    ("calls_per_answer = -1", "its `calls_per_answer` must be"),
    ("metrics = ['ok']", "its `metrics` must be"),
    ("metrics = {'ok': 1}", "its `metrics` must be"),
    ("headline = 'ok'", "its `headline` must be a tuple of names of metrics, as in ('consistent',), but it is 'ok'"),
    ("headline = ('three',)", "'three' is none of its metrics (ok, two)"),
    ("headline = ('two',)", "`headline` lacks 'ok', which models are compared by"),
    ("note = 3", "its `note` must be a text"),
    ("licence = 3", "its `licence` must be a text"),
    ("generation = {'max_tokens': 3}", "its `generation` must be a Parameters"),
    ("generation = Parameters(max_tokens='3')", "its `generation` must be a Parameters whose max_tokens is a whole number"),
    ("def generation(self): return 1 / 0", "mine.py line 6: `generation` failed (ZeroDivisionError: division by zero); mend it there"),
    ("def judging(self): return 1 / 0", "mine.py line 6: `judging` failed"),
    ("judging = {'holds': Parameters()}", "its `judging` must be a table of stage and Parameters; stages begin with 'judge.'"),
    ("settings = {'definition': 'x'}", "its `settings` must be a table that JSON can hold, without 'definition' and 'search_source'"),
    ("settings = {'a': {1, 2}}", "its `settings` must be"),
    ("settings = 3", "its `settings` must be"),
    ("name = 'n' * 65", "its `name` must be letters, digits, '.', '_' and '-', 64 at most"),
]


@pytest.mark.parametrize("more, sentence", MEMBERS_REFUSED)
def test_a_wrong_member_is_refused_by_name(more: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        module(tmp_path, more=more)
    assert sentence in str(refused.value)
    assert "mine.py" in str(refused.value)


def test_members_may_be_attributes_or_methods(tmp_path: Path) -> None:
    more = "note = lambda self: 'N'\n    generation = Parameters(max_tokens=7)\n    judging = {'judge.a': Parameters()}"
    found = module(tmp_path, more=more)
    assert (found.note, found.generation().max_tokens, list(found.judging()), found.needs_judge) == ("N", 7, ["judge.a"], True)


def test_settings_are_the_same_after_they_were_kept(tmp_path: Path) -> None:
    settings = module(tmp_path, more="settings = {'a': (1, 2)}").settings()
    assert json.loads(json.dumps(dict(settings))) == settings


RESULTS_REFUSED = [
    ("1", "evaluate must return a Scored, not int"),
    ("Scored({'ok': 1}, a)", "`answers` of a Scored must be a tuple of Answer, as in (it,), not Answer"),
    ("Scored({'ok': 1}, (a.text,))", "`answers` of a Scored must be"),
    ("Scored({'ok': 1}, (a,), Verdict(1))", "`verdicts` of a Scored must be"),
    ("Scored({'ok': 1}, (a,), (1,))", "`verdicts` of a Scored must be"),
    ("Scored([('ok', 1)], (a,))", "`values` of a Scored must be a table by metric, not list"),
    ("Scored({'three': 1}, (a,))", "evaluate gave values for ['three'], but there are ok, two"),
    ("Scored({'ok': 0.5}, (a,))", "a metric of a sample is 1, 0 or None"),
    ("Scored({'ok': '1'}, (a,))", "a metric of a sample is 1, 0 or None"),
    ("Scored({'ok': 1}, (a,), per_answer={'ok': (1, 0)})", "evaluate gave per_answer for ['ok'], but there are none"),
    ("Scored({'ok': 1}, (a,), points={'ok': 3})", "evaluate gave points for ['ok'], but there are none"),
    ("Scored({'ok': 1}, (a,), counts={'long': 'x'})", "`counts` of a Scored must be words and how often"),
    ("Scored({'ok': 1}, (a,), counts={'long': -1})", "`counts` of a Scored must be words and how often"),
    ("Scored({'ok': 1}, (a,), notes={'a': {1}})", "not JSON serializable"),
    ("1 / 0", "mine.py line 13: sample 1 failed (ZeroDivisionError: division by zero)"),
    ("sys.exit(0)", "mine.py line 13: sample 1 failed (SystemExit: 0)"),
]


@pytest.mark.parametrize("result, sentence", RESULTS_REFUSED)
async def test_a_slip_in_a_samples_life_is_that_samples_bug(result: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(SampleBug) as bug:
        await lived(module(tmp_path, result=result))
    assert sentence in str(bug.value)


async def test_what_keeps_a_sample_for_later_is_no_bug_of_it(tmp_path: Path) -> None:
    found = module(tmp_path, result="(_ for _ in ()).throw(StoppedEarly('later'))")
    with pytest.raises(StoppedEarly):
        await lived(found)


WHOLE = "dict.fromkeys(('metrics', 'categories', 'outcomes', 'answers', 'judge', 'dropped'), {})"


def with_tally(folder: Path, *, add: str = "result + 1", summary: str = WHOLE) -> ModuleBenchmark:
    own = f"class Own:\n    def add(self, category, result): self.n = {add}\n    def summary(self, totals): return {summary}\n"
    return module(folder, more="tally = lambda self, samples: Own()", after=own, result="1")


async def test_a_tally_of_its_own_is_tried_before_it_counts(tmp_path: Path) -> None:
    assert await lived(with_tally(tmp_path)) == 1
    with pytest.raises(SampleBug, match="TypeError: unsupported operand"):
        await lived(with_tally(tmp_path, add="result + 'a'"))


@pytest.mark.parametrize("summary, sentence", [("1 / 0", "ZeroDivisionError"), ("{'metrics': {}}", "lacks answers, categories")])
def test_a_tally_without_a_summary_is_refused(summary: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"its tally cannot be used .*{sentence}"):
        load_samples(with_tally(tmp_path, summary=summary), None)


def test_a_module_finds_what_stands_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pytools_of_mine").mkdir()
    (tmp_path / "beside_mine.py").write_text("NOTE = 'beside'\n", encoding="utf-8")
    text = "import beside_mine\n" + HEAD + MODULE.format(more="note = beside_mine.NOTE", samples=SAMPLES, result=GOOD)
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    (tmp_path / "pytools_of_mine" / "pymine.py").write_text(text, encoding="utf-8")
    before = list(sys.path)
    assert load_module(str(tmp_path / "mine.py")).note == "beside"
    monkeypatch.chdir(tmp_path)
    assert is_custom("pytools_of_mine.pymine:Mine")
    assert load_module("pytools_of_mine.pymine:Mine").note == "beside"
    assert sys.path == before


@pytest.mark.parametrize("reference", ["sys:path", "no_such_package.module:B", ":B"])
def test_what_is_no_module_of_a_benchmark_is_told(reference: str) -> None:
    with pytest.raises(ConfigError, match="module"):
        load_module(reference)
