"""Whose model a name is of."""

from __future__ import annotations

import pytest

from siuo_async.providers.families import family_of


@pytest.mark.parametrize(
    "model, family",
    [
        ("openai/gpt-4o-2024-08-06", "OpenAI"),
        ("openai/o3-mini", "OpenAI"),
        ("openai/computer-use", "OpenAI"),
        ("azure/gpt-4o", "OpenAI"),
        ("anthropic/claude-sonnet-4-5", "Anthropic"),
        ("bedrock/eu.anthropic.claude-3-haiku", "Anthropic"),
        ("gemini/gemini-2.5-pro", "Google"),
        ("vllm@localhost:8000/google/gemma-3-27b-it", "Google"),
        ("openrouter/qwen/qwen2.5-vl-72b-instruct", "Qwen"),
        ("together/meta-llama/Llama-3.2-90B-Vision", "Meta"),
        ("mistral/pixtral-large-latest", "Mistral"),
        ("openrouter/mistralai/some-new-model", "Mistral"),
        ("deepseek/deepseek-chat", "DeepSeek"),
        ("fireworks/deepseek-r1-distill-qwen-32b", "DeepSeek"),
        ("xai/grok-4", "xAI"),
        ("lab@10.0.0.1:80/our-model", ""),
        ("openai@10.0.0.1:80/our-model", ""),
        ("lab/photographer", ""),
        ("lab/o30", ""),
        ("sim/openai-careful", ""),
        ("imported/gpt-4o", ""),
    ],
)
def test_a_model_is_of_the_family_its_name_says(model: str, family: str) -> None:
    assert family_of(model) == family
