"""Answers are drawn for people by lot within strata, and every answer stands for a known number of others."""

from __future__ import annotations

from collections import Counter

import pytest

from siuo_async.analysis.drawing import FLOOR, draw
from siuo_async.analysis.questions import siuo_sheet
from siuo_async.analysis.units import Unit
from siuo_async.errors import ConfigError
from tests.analysis.answers import unit

SHEET = siuo_sheet(1)


def run_of(good: int = 90, bad: int = 10, models: tuple[str, ...] = ("a", "b")) -> list[Unit]:
    return [unit(model, number, int(number < good)) for model in models for number in range(good + bad)]


def test_the_same_seed_draws_the_same_answers_and_another_seed_others() -> None:
    units = run_of()
    assert draw(units, SHEET, 40, 3).drawn == draw(units, SHEET, 40, 3).drawn
    assert set(draw(units, SHEET, 40, 3).drawn) != set(draw(units, SHEET, 40, 4).drawn)


def test_as_many_are_drawn_as_were_asked_for_and_each_model_gets_as_many() -> None:
    drawn = draw(run_of(), SHEET, 40, 0).drawn
    assert len(set(drawn)) == 40
    assert Counter(model for model, _, _ in drawn) == {"a": 20, "b": 20}


def test_a_rare_verdict_is_drawn_more_often_than_its_share() -> None:
    strata = {each.words.split()[-1]: each for each in draw(run_of(models=("a",)), SHEET, 20, 0).strata}
    assert strata["low"].size == 10
    assert strata["low"].drawn >= FLOOR
    assert strata["low"].drawn / 10 > 2 * strata["high"].drawn / 90


def test_the_weights_of_what_was_drawn_add_up_to_the_run() -> None:
    units = run_of(83, 17)
    found = draw(units, SHEET, 30, 1)
    assert sum(found.strata[found.places[name]].weight for name in found.drawn) == pytest.approx(len(units))
    assert set(found.places) == {each.name for each in units}


def test_within_a_stratum_every_answer_is_as_likely_to_be_drawn() -> None:
    units = run_of(20, 10, models=("a",))
    times = Counter(name for seed in range(400) for name in draw(units, SHEET, 12, seed).drawn)
    found = draw(units, SHEET, 12, 0)
    for name, place in found.places.items():
        stratum = found.strata[place]
        expected = 400 * stratum.drawn / stratum.size
        assert abs(times[name] - expected) < 4.5 * (expected * (1 - stratum.drawn / stratum.size)) ** 0.5


def test_disputed_answers_are_a_stratum_of_their_own_and_more_likely_to_be_drawn() -> None:
    units = [unit("a", number, disputed=number < 20) for number in range(100)]
    disputed, plain = draw(units, SHEET, 30, 0).strata
    assert disputed.words.endswith("judges disagree")
    assert disputed.drawn / disputed.size > 2 * plain.drawn / plain.size


def test_an_answer_without_a_verdict_can_be_drawn_and_one_without_text_cannot() -> None:
    units = [unit("a", 0, None), *(unit("a", number) for number in range(1, 9)), unit("a", 9, 1, 0, text="")]
    found = draw(units, SHEET, 9, 0)
    assert ("a", "sample-0", 0) in found.drawn
    assert ("a", "sample-9", 0) not in found.places


def test_a_model_with_few_answers_leaves_its_share_to_the_others() -> None:
    units = [unit("a", number) for number in range(5)] + [unit("b", number) for number in range(100)]
    assert Counter(model for model, _, _ in draw(units, SHEET, 40, 0).drawn) == {"a": 5, "b": 35}


def test_where_more_are_asked_for_than_there_are_all_are_drawn() -> None:
    assert len(draw(run_of(), SHEET, 5000, 0).drawn) == 200


def test_too_few_for_the_models_is_said_with_the_least_number() -> None:
    with pytest.raises(ConfigError, match=r"--n 7 is too few for 2 models; take at least 8"):
        draw(run_of(), SHEET, 7, 0)


def test_a_run_without_any_text_has_nothing_to_draw() -> None:
    with pytest.raises(ConfigError, match="nothing to label yet"):
        draw([unit("a", 1, 1, 0, text="")], SHEET, 10, 0)
