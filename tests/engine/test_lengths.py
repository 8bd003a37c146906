"""How long answers are taken to be where no earlier run tells: by benchmark, by thinking, and short where they are simulated."""

from __future__ import annotations

from siuo_async.benchmarks.base import GENERATE
from siuo_async.engine.lengths import Lengths


def typical(benchmark: str, model: str, room: int = 0, stage: str = GENERATE, cap: int | None = None) -> tuple[float, float, float]:
    found = Lengths(None, benchmark).of(model, stage, cap, room).tokens
    return found.low, found.expected, found.high


def test_a_simulated_model_that_is_asked_for_a_letter_gives_no_more_than_any_other() -> None:
    assert typical("csqa-mcq", "sim/openai-careful") == typical("csqa-mcq", "openai/gpt-4o")
    assert typical("csqa-qa", "sim/openai-judge", stage="judge.correctness") == typical("csqa-qa", "openai/gpt-4o", stage="judge.x")


def test_a_simulated_model_is_terse_where_others_write_a_lot() -> None:
    assert typical("siuo-gen", "sim/openai-careful")[2] < typical("siuo-gen", "openai/gpt-4o")[0]


def test_a_model_that_thinks_is_expected_to_use_its_room_and_no_more() -> None:
    plain, thinking, short = (typical("siuo-gen", "openai/x", room) for room in (0, 8192, 300))
    assert thinking[1] > 2 * plain[1]
    assert short == (plain[0] + 200, plain[1] + 300, plain[2] + 300)
