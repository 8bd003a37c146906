"""What is reckoned before a call: pictures by the providers' rules, text near to real tokenizers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.providers.picture_size import Size
from siuo_async.providers.token_counts import Range, family_of
from siuo_async.values import Picture, Turn

PICTURE = Picture("/p.png", "00", "image/png", 1)


@pytest.mark.parametrize(
    "dialect, model, size, tokens",
    [
        ("openai", "gpt-4o", (512, 512), 85 + 170),
        ("openai", "gpt-4o", (1024, 1024), 85 + 4 * 170),
        ("openai", "gpt-4o-2024-08-06", (2048, 4096), 85 + 6 * 170),
        ("openai", "gpt-4o", (4096, 8192), 85 + 6 * 170),
        ("openai", "gpt-4o", (1, 1), 85 + 170),
        ("openai", "gpt-4o-mini", (512, 512), 2833 + 5667),
        ("openai", "gpt-5-mini", (1024, 1024), 70 + 4 * 140),
        ("openai", "o3", (512, 513), 75 + 2 * 150),
        ("openai", "gpt-5.4", (320, 320), 120),
        ("openai", "gpt-5.6-sol", (3200, 3200), 12_000),
        ("anthropic", "claude-3-5-sonnet-20241022", (1000, 1000), 36 * 36),
        ("anthropic", "claude-sonnet-4-6", (3136, 1568), 56 * 28),
        ("anthropic", "claude-opus-4-8", (3136, 1568), 92 * 46),
        ("gemini", "gemini-2.5-pro", (384, 384), 258),
        ("gemini", "gemini-2.5-pro", (385, 100), 258),
        ("gemini", "gemini-2.5-flash", (1537, 768), 3 * 258),
        ("gemini", "gemini-3.5-flash", (4000, 3000), 1120),
        ("openai", "qwen2.5-vl-7b", (280, 280), 100),
        ("openai", "Qwen/Qwen3-VL-8B", (320, 320), 100),
    ],
)
def test_a_picture_is_counted_by_the_rule_of_its_model(dialect: str, model: str, size: Size, tokens: int) -> None:
    assert family_of(dialect, model).pictures.of(size) == tokens


def test_a_picture_is_never_more_than_its_model_has_patches_for() -> None:
    for size in ((3000, 2999), (9000, 400), (1569, 1569), (10_000, 10_000)):
        assert family_of("anthropic", "claude-sonnet-4-6").pictures.of(size) <= 1568


@pytest.mark.parametrize(
    "text, tokens",
    [  # as OpenAI's newer tokenizer counts them
        ("What is the capital of France, and why is it there?", 12),
        ("The quick brown fox jumps over the lazy dog.", 10),
        ("Answer with one JSON object and nothing else, the reason first.", 13),
        ("请把一份作答与标准答案对照，给出三个等级之一。", 16),
        ("There were 1234567 of 89 in 2026.", 12),
    ],
)
def test_a_text_is_reckoned_near_to_what_tokenizers_make_of_it(text: str, tokens: int) -> None:
    assert family_of("openai", "gpt-4o").text_tokens(text).expected == pytest.approx(tokens, rel=0.25)


def test_models_of_a_family_count_alike_and_others_differently() -> None:
    chinese = "请把一份作答与标准答案对照"
    by_model = {model: family_of(dialect, model).text_tokens(chinese).expected for dialect, model in MODELS}
    assert by_model["claude-sonnet-4-6"] > 1.3 * by_model["gpt-4o"] > 1.3 * 0.8 * by_model["gemini-2.5-pro"]


MODELS = (("openai", "gpt-4o"), ("anthropic", "claude-sonnet-4-6"), ("gemini", "gemini-2.5-pro"))


@pytest.mark.parametrize("dialect, model", [*MODELS, ("openai", "some-model"), ("lab", "x")])
@given(text=st.text(max_size=200), size=st.one_of(st.none(), st.tuples(st.integers(1, 9000), st.integers(1, 9000))))
def test_every_figure_is_within_its_range(dialect: str, model: str, text: str, size: Size | None) -> None:
    prompt = (Turn("system", ("Be brief.",)), Turn("user", (text, PICTURE)))
    found = family_of(dialect, model).prompt_tokens(prompt, lambda _: size)
    assert all(0 < each.low <= each.expected <= each.high for each in found)


def test_an_unknown_model_has_a_wide_range_for_pictures() -> None:
    known, unknown = (family_of("openai", model).picture_tokens((800, 600)) for model in ("gpt-4o", "my-finetune"))
    assert known.high / known.low < 1.2 < 4 < unknown.high / unknown.low


def test_ranges_add_as_if_they_erred_the_same_way() -> None:
    assert Range(1, 2, 3) + Range(10, 20, 30) == Range(11, 22, 33)
    assert Range(1, 2, 3) * 2 == Range(2, 4, 6)
