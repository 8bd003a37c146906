"""What one sample cost is told alike by the page and by the tables, and sums to what the summary says."""

from __future__ import annotations

from types import MappingProxyType

from siuo_async.analysis.gathered import Take
from siuo_async.benchmarks.base import GENERATE, SEARCH
from siuo_async.config import Price
from siuo_async.engine.records import CallRecord
from siuo_async.exchange.rows import take_row
from siuo_async.report.page.facts import money_of
from siuo_async.values import Answer, Outcome, Sample, Usage

PRICES = MappingProxyType({"lab@10.0.0.7:8000/vlm": Price(input=1, output=2)})
SAMPLE = Sample(id="1", text="?", category=())
ANSWERED = (Answer(Outcome.ANSWERED, "Yes."),)


def record(stage: str = GENERATE, provider: str = "lab@10.0.0.7:8000", model: str = "vlm", usage: Usage | None = None) -> CallRecord:
    return CallRecord("0" * 32, stage, provider, model, "1", 0, 1, ANSWERED, usage or Usage(input=1_000_000, output=500_000))


def test_a_checkpoint_has_the_price_of_its_model() -> None:
    calls = (record(model="vlm@step-8000"),)
    assert money_of(Take(None, calls), PRICES) == (2.0, 0.0)
    assert take_row("vlm", SAMPLE, None, calls, PRICES).cost_usd == 2.0


def test_a_model_without_a_price_does_not_get_another_ones() -> None:
    calls = (record(model="other@vlm"),)
    assert money_of(Take(None, calls), PRICES) == (None, 0.0)
    assert take_row("vlm", SAMPLE, None, calls, PRICES).cost_usd is None


def test_a_search_does_not_make_the_cost_of_its_sample_unknown() -> None:
    calls = (record(SEARCH, "search", "bm25", Usage()), record())
    assert money_of(Take(None, calls), PRICES) == (2.0, 0.0)
    assert take_row("vlm", SAMPLE, None, calls, PRICES).cost_usd == 2.0
