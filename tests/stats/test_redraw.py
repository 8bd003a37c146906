"""What one draw of answers tells of how far another one would move the figures."""

from __future__ import annotations

import numpy as np
import pytest

from siuo_async.stats.redraw import redraw_sd_of_mean, redraw_sd_of_votes

RANDOM = np.random.default_rng(6)


def test_answers_that_always_agree_do_not_move() -> None:
    assert redraw_sd_of_mean([3, 0, 3], [3, 3, 3]) == 0
    assert redraw_sd_of_votes([3, 0, 3], 3) == 0


def test_one_answer_tells_nothing_of_another_draw() -> None:
    assert redraw_sd_of_mean([1, 0], [1, 1]) is None
    assert redraw_sd_of_votes([1, 0], 1) is None
    assert redraw_sd_of_mean([], []) is None


def test_the_mean_moves_by_the_variance_within_samples() -> None:
    """Two samples of 1 in 3 and 2 in 4: p(1 - p)/(m - 1) is 1/9 and 1/12."""
    assert redraw_sd_of_mean([1, 2, 1], [3, 4, 1]) == pytest.approx((1 / 9 + 1 / 12) ** 0.5 / 2)


@pytest.mark.parametrize("answers", [3, 4, 5])
@pytest.mark.parametrize("shape", [(0.5, 0.5), (4.0, 1.0), (8.0, 8.0)])
def test_both_are_what_redrawing_shows(answers: int, shape: tuple[float, float]) -> None:
    """The same 400 samples, their answers drawn 1,500 times; odd and even numbers, so that ties are met."""
    chances = RANDOM.beta(*shape, size=400)
    ones = RANDOM.binomial(answers, chances, size=(1500, 400))
    decided = 2 * ones != answers
    votes = ((2 * ones > answers) & decided).sum(axis=1) / decided.sum(axis=1)
    told = [(redraw_sd_of_mean(draw, [answers] * 400), redraw_sd_of_votes(draw, answers)) for draw in ones[:60]]
    assert np.mean([mean for mean, _ in told]) == pytest.approx((ones / answers).mean(axis=1).std(), rel=0.1)
    assert np.mean([vote for _, vote in told]) == pytest.approx(votes.std(), rel=0.15)


def test_samples_that_differ_no_more_than_draws_do_share_one_chance() -> None:
    """Half of the answers are ones in each sample but for chance: then a vote of 3 turns with 1/4 variance."""
    assert redraw_sd_of_votes([1, 2] * 50, 3) == pytest.approx((0.25 / 100) ** 0.5)
