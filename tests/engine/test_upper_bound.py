"""The most that a call may cost: safe before anything is known, near to the truth once something is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from siuo_async.config import Price, PriceTier
from siuo_async.engine.spending import cost_pico_usd
from siuo_async.engine.upper_bound import UNCAPPED, Size, UpperBound
from siuo_async.values import Picture, Turn, Usage

PRICE = Price(input=1.0, output=4.0)
PICTURE = Picture("p.png", "0" * 64, "image/png", 10)


def bound(**known: int) -> UpperBound:
    return UpperBound(PRICE, known.get("picture_tokens", 2000))


def test_a_token_is_at_least_one_byte_of_text() -> None:
    size = Size.of((Turn("user", ("é" * 100,)),))
    assert size.text_bytes == 200
    assert bound().input_tokens(size) >= 200


def test_pictures_and_the_form_of_the_answer_take_tokens_too() -> None:
    plain = Size.of((Turn("user", ("x",)),))
    seen = Size.of((Turn("user", ("x", PICTURE, PICTURE)),), schema=True)
    assert bound().input_tokens(seen) >= bound().input_tokens(plain) + 4000 + 500


def test_text_that_is_no_unicode_has_a_size() -> None:
    assert Size.of((Turn("user", ("\ud800",)),)).text_bytes == 3


def test_the_output_is_bounded_by_the_cap_of_every_answer() -> None:
    small, large = (bound().pico_usd(Size(100, 0), 500, n) for n in (1, 3))
    assert large - small == 2 * 500 * 4 * 10**6


def test_an_answer_without_a_cap_is_thought_long_until_some_were_seen() -> None:
    it = bound()
    assert it.pico_usd(Size(0, 0), None, 1) >= UNCAPPED * 4 * 10**6
    for _ in range(20):
        it.learn(Size(100, 0), 1, Usage(30, 200))
    assert 2 * 200 * 4 * 10**6 <= it.pico_usd(Size(0, 0), None, 1) <= UNCAPPED * 10**6


@given(
    st.lists(st.tuples(st.integers(1, 8000), st.integers(0, 3), st.floats(0.15, 0.6), st.integers(80, 2000)), min_size=20, max_size=60)
)
def test_a_call_like_those_seen_before_costs_no_more_than_its_bound(calls: list[tuple[int, int, float, int]]) -> None:
    it = bound(picture_tokens=10_000)
    used = [(Size(text, pictures), int(text * per_byte) + each * pictures) for text, pictures, per_byte, each in calls]
    for size, tokens in used:
        it.learn(size, 1, Usage(tokens, 10))
    for size, tokens in used:
        assert tokens <= it.input_tokens(size) <= Size(0, 0).around + size.text_bytes + 1.25 * 10_000 * size.pictures + 1


def test_what_was_seen_brings_the_bound_near_to_the_truth() -> None:
    it = bound(picture_tokens=50_000)
    for _ in range(30):
        it.learn(Size(4000, 1), 1, Usage(1800, 100))
    assert it.input_tokens(Size(4000, 1)) < 3 * 1800


def test_a_picture_larger_than_all_that_were_seen_is_as_dear_as_at_first() -> None:
    it = bound(picture_tokens=9000)
    for _ in range(50):
        it.learn(Size(400, 1, 0, (300 * 200, 258)), 1, Usage(360, 10))
    assert it.input_tokens(Size(400, 1, 0, (300 * 200, 258))) < 1000
    assert it.input_tokens(Size(400, 1, 0, (4000 * 4000, 258 * 36))) > 9000
    assert it.input_tokens(Size(400, 1, 0, (300 * 300, 258))) > 9000
    it.learn(Size(400, 1, 0, (4000 * 4000, 258 * 36)), 1, Usage(258 * 36, 10))
    assert it.input_tokens(Size(400, 1, 0, (300 * 300, 258))) > 258 * 36


def test_a_picture_that_is_larger_than_large_is_bounded_by_its_size() -> None:
    assert bound(picture_tokens=9000).input_tokens(Size(0, 1, 0, (8000 * 8000, 31_000))) > 31_000


def test_the_largest_of_several_pictures_counts() -> None:
    extents = iter([(5, 9), (7, 3)])
    size = Size.of((Turn("user", (PICTURE, PICTURE)),), lambda _: next(extents))
    assert (size.pictures, size.largest) == (2, (7, 9))


def test_a_server_that_counts_more_than_there_can_be_makes_later_calls_dearer() -> None:
    it = bound()
    before = it.pico_usd(Size(100, 0), 500, 1)
    it.was(before, 3 * before)
    assert it.pico_usd(Size(100, 0), 500, 1) >= 3 * before
    it.was(3 * before, before)
    assert it.pico_usd(Size(100, 0), 500, 1) >= 3 * before


def test_a_long_input_is_bounded_at_the_price_of_long_inputs() -> None:
    price = Price(input=1, output=2, cache_write=1.25, tiers=(PriceTier(above=1000, input=4, output=8),))
    it = UpperBound(price, 0)
    cost = cost_pico_usd(Usage(1500, 10), None, price)
    assert cost is not None
    assert it.pico_usd(Size(1500, 0), 10, 1) >= cost
    assert it.pico_usd(Size(500, 0), 10, 1) >= 500 * 1_250_000
