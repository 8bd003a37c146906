"""The live screen at every width: what is never shown without each other, and columns that stand under their headings."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from siuo_async.benchmarks.siuo_gen import SiuoGen
from siuo_async.benchmarks.usb import Usb
from siuo_async.ui.frame import frame

RATE = {"value": 100.0, "low": 92.4, "high": 100.0, "k": 30, "n": 30, "total": 30}
OUTCOMES = dict.fromkeys(("declined", "filtered", "empty", "failed"), 0)


def board(benchmark: Any, total: int, label: str) -> Any:
    summary = {"metrics": dict.fromkeys(benchmark.metrics, RATE), "outcomes": OUTCOMES}
    spend = SimpleNamespace(calls=40, pico_usd=0, unpriced=0, tokens={"input": 1200, "output": 30})
    stats = SimpleNamespace(on_wire=16, rate_limited=429, retried=2, results=40)
    endpoint = SimpleNamespace(stats=stats, max_n=1, group=SimpleNamespace(name=label))
    return SimpleNamespace(
        target=SimpleNamespace(label=label, halt=None, endpoint=endpoint), total=total, begun=total, finished=total - 1, pending=1,
        stopped=0, prefix=total - 1, totals={}, generation=spend, judging=spend, tally=SimpleNamespace(summary=lambda _: summary),
    )  # fmt: skip


def screen(benchmark: Any, width: int, *, total: int = 13175, label: str = "a-model-with-a-long-name") -> list[str]:
    """Heading and one model, as drawn."""
    state: Any = SimpleNamespace(
        plan=SimpleNamespace(benchmark=benchmark), boards=[board(benchmark, total, label)], judge=None, endpoints=[], notices=[],
        begun=time.monotonic(), sent=0, limits=(), grace_ends=None, offline_s=lambda: 0.0,
    )  # fmt: skip
    return [line.rstrip() for line in frame(state, width, heading="usb").plain.split("\n")[2:4]]


@pytest.mark.parametrize("width", range(40, 200))
def test_a_safety_rate_never_stands_without_the_whole_refusal_rate(width: int) -> None:
    head, line = screen(Usb(), width)
    assert line.count("100.0 ±3.8") >= 2
    assert "Over-re" in head
    assert max(len(head), len(line)) <= width


@pytest.mark.parametrize("benchmark", [SiuoGen(), Usb()])
@pytest.mark.parametrize("width", [60, 80, 100, 120, 160])
@pytest.mark.parametrize("total", [5, 167, 13175, 1_000_000])
def test_figures_end_under_the_ends_of_their_headings(benchmark: Any, width: int, total: int) -> None:
    head, line = screen(benchmark, width, total=total)
    assert line[head.index("done") + 4 - len(str(total)) :].startswith(str(total))
    if "429" in head:
        assert line[: head.index("429") + 3].endswith(" 429")


def test_a_wide_screen_has_room_for_everything() -> None:
    head, _ = screen(Usb(), 160)
    assert [word in head for word in ("Safety rate", "12-cell mean", "Over-refusal", "tokens")] == [True] * 4
