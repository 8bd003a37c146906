"""The live screen at every width: what is never shown without each other, and columns that stand under their headings."""

from __future__ import annotations

import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from rich.cells import cell_len

from siuo_async.benchmarks.siuo_gen import SiuoGen
from siuo_async.benchmarks.usb import Usb
from siuo_async.ui.frame import Scores, frame

RATE = {"value": 100.0, "low": 92.4, "high": 100.0, "k": 30, "n": 30, "total": 30}
APART = "answers $0.2345, verdicts $0.2345"
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
        budget=None, begun=time.monotonic(), sent=0, limits=(), grace_ends=None, offline_s=lambda: 0.0,
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


@pytest.mark.parametrize("width", [40, 60, 80, 120, 160])
@pytest.mark.parametrize("label", ["\u6a21\u578b" * 20, "\U0001f469\u200d\U0001f467 \u05e9\u05dc\u05d5\u05dd\u200f"])
def test_headings_and_labels_of_wide_characters_stay_in_their_columns(width: int, label: str) -> None:
    benchmark = replace(Usb(), metrics={**Usb().metrics, "safety_rate": "\u5b89\u5168\u7387" * 10, "refusal_rate": "\u62d2\u7b54"})
    head, line = screen(benchmark, width, label=label)
    assert max(cell_len(head), cell_len(line)) <= width
    assert cell_len(head.partition("\u62d2\u7b54")[0]) + 4 == cell_len(line[: line.rindex("100.0 \u00b13.8") + len("100.0 \u00b13.8")])


def test_a_wide_screen_has_room_for_everything() -> None:
    head, _ = screen(Usb(), 160)
    assert [word in head for word in ("Safety rate", "12-cell mean", "Over-refusal", "tokens")] == [True] * 4


def boards(count: int, asked: list[str]) -> list[Any]:
    """Boards that note whose summary was made."""
    made = [board(SiuoGen(), 9, f"m{number}") for number in range(count)]
    for each in made:
        summary = each.tally.summary(())
        each.tally.summary = lambda _, label=each.target.label, summary=summary: asked.append(label) or summary
    return made


def test_models_take_turns_when_their_scores_take_longer_than_a_frame_may() -> None:
    asked: list[str] = []
    there, ticks = boards(3, asked), iter(range(99))
    scores = Scores(0.5, clock=lambda: next(ticks))
    for _ in range(3):
        scores.look(there)
    assert sorted(asked) == ["m0", "m1", "m2"]


def test_scores_are_made_again_only_where_something_was_finished() -> None:
    asked: list[str] = []
    there = boards(2, asked)
    scores = Scores()
    scores.look(there)
    asked.clear()
    there[1].finished += 1
    scores.look(there)
    assert asked == ["m1"]


def test_a_model_whose_turn_has_not_come_has_a_dash_for_its_scores() -> None:
    state: Any = SimpleNamespace(
        plan=SimpleNamespace(benchmark=SiuoGen()), boards=boards(2, []), judge=None, endpoints=[], notices=[],
        budget=None, begun=time.monotonic(), sent=0, grace_ends=None, offline_s=lambda: 0.0, limits=(),
    )  # fmt: skip
    ticks = iter(range(99))
    first, second = frame(state, 100, heading="x", scores=Scores(0.5, clock=lambda: next(ticks))).plain.split("\n")[3:5]
    assert ("–" in first, "–" in second) == (True, False)


@pytest.mark.parametrize("width", range(40, 130))
def test_no_figure_is_cut_in_the_line_of_progress(width: int) -> None:
    state: Any = SimpleNamespace(
        plan=SimpleNamespace(benchmark=SiuoGen()), boards=[board(SiuoGen(), 167, "m")], judge=None, endpoints=[], notices=[],
        budget=None, begun=time.monotonic(), sent=12_345, limits=(), grace_ends=None, offline_s=lambda: 0.0,
    )  # fmt: skip
    state.boards[0].generation.pico_usd = 234_500_000_000
    line = frame(state, width, heading="siuo").plain.split("\n")[1]
    assert cell_len(line) <= width
    last = line.rpartition(" · ")[2]
    assert last.endswith(" samples") or last in ("0 s", "ETA –", "12345 sent", "$0.4690", "about $0.4749 in all", APART)
