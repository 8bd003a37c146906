"""Whose models they are, by their names: a judge may favour answers of its own family.

Names are looked at before providers, since gateways and servers of one's own serve everybody's models.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

_BY_NAME: Mapping[str, str] = MappingProxyType(
    {
        "OpenAI": r"gpt|chatgpt|davinci|o[134](?=$|-)|codex",
        "Anthropic": r"claude",
        "Google": r"gemini|gemma|paligemma|palm",
        "Meta": r"llama|meta-llama|muse",
        "Qwen": r"qwen\w*|qwq|qvq",
        "Mistral": r"mi[sx]tral|ministral|pixtral|codestral|magistral|devstral|open-mistral",
        "DeepSeek": r"deepseek|janus",
        "xAI": r"grok",
        "Zhipu": r"chatglm\d*|glm|cogvlm\d*",
        "Moonshot": r"kimi|moonshot",
        "Microsoft": r"phi",
        "Cohere": r"command|aya|c4ai",
        "Amazon": r"nova|titan",
        "NVIDIA": r"nemotron|nvlm",
        "01.AI": r"yi",
        "Baidu": r"ernie",
        "ByteDance": r"doubao|seed",
        "Tencent": r"hunyuan",
        "MiniMax": r"minimax|abab",
        "Shanghai AI Lab": r"internvl\d*|internlm\d*|intern-s1",
        "StepFun": r"step",
        "LLaVA": r"llava",
    }
)
_BY_PROVIDER: Mapping[str, str] = MappingProxyType(
    {
        "openai": "OpenAI",
        "anthropic": "Anthropic",
        "gemini": "Google",
        "google": "Google",
        "mistral": "Mistral",
        "mistralai": "Mistral",
        "deepseek": "DeepSeek",
        "xai": "xAI",
        "x-ai": "xAI",
        "moonshot": "Moonshot",
        "qwen": "Qwen",
        "meta-llama": "Meta",
        "cohere": "Cohere",
        "zhipu": "Zhipu",
    }
)
_PATTERNS = tuple(
    (family, re.compile(rf"(?:^|[/._:-])(?:{words})(?=$|[\d/._:@-])", re.IGNORECASE)) for family, words in _BY_NAME.items()
)
_NOBODYS = frozenset({"sim", "imported"})
"""Simulated models imitate wire formats, not families; of what was imported only a label is known."""


def family_of(model: str) -> str:
    """Whose model `provider/name` is, as in `OpenAI`; empty where nobody knows.

    Where a name holds several (a distilled model), the first counts.
    """
    provider, _, name = model.partition("/")
    if provider in _NOBODYS:
        return ""
    places = [(found.start(), family) for family, pattern in _PATTERNS if (found := pattern.search(name))]
    if places:
        return min(places)[1]
    owners = [part.lower() for part in name.split("/")[:-1]]
    return next((_BY_PROVIDER[each] for each in (*owners, provider) if each in _BY_PROVIDER), "")
