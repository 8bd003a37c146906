"""The call id: one hash that is checkpoint, cache key and resume in one.

BLAKE2b-128 over the canonical request *as asked*, before a profile or a dialect leaves anything out. How many answers are asked for,
limits, timeouts, keys, URLs, sample ids and benchmark names are not in it, so none of them makes a finished call be paid again.
Changing what this function returns is a change of the file format.
"""

from __future__ import annotations

from hashlib import blake2b

import orjson

from siuo_async.values import Json, Parameters, Prompt

FORMAT = 1


def call_id(*, stage: str, provider: str, model: str, revision: str | None, prompt: Prompt, parameters: Parameters, first: int) -> str:
    """The id of one call, 32 hex digits.

    Args:
        stage: what the call is for (`generate`, `judge.safety`, ...).
        provider: the provider identity, never a URL with a key.
        model: the model as the user named it, without its provider.
        revision: what pins the weights where the name alone does not.
        prompt: the turns, pictures standing in by their SHA-256.
        parameters: as asked for.
        first: the number of the first answer that the call is to give.
    """
    common = common_part(stage=stage, provider=provider, model=model, revision=revision, parameters=parameters)
    return joined_id(common, prompt_part(prompt), first)


def common_part(*, stage: str, provider: str, model: str, revision: str | None, parameters: Parameters) -> bytes:
    """What all calls of one model in one stage have in common: the same bytes for each of them, so they are made once."""
    request = {
        "stage": stage,
        "provider": provider,
        "model": model,
        "revision": revision,
        "parameters": canonical_parameters(parameters),
    }
    return b",%b," % orjson.dumps(request, option=orjson.OPT_SORT_KEYS)[1:-1]


def prompt_part(prompt: Prompt) -> bytes:
    """The turns of a prompt, which may be asked of several models and for several answers."""
    return orjson.dumps(
        [[turn.role, [["t", part] if isinstance(part, str) else ["p", part.sha256] for part in turn.parts]] for turn in prompt]
    )


def joined_id(common: bytes, prompt: bytes, first: int) -> str:
    """The id of a call from its parts: the hash of one JSON object, its keys sorted."""
    request = b'{"first":%d%b"turns":%b,"v":%d}' % (first, common, prompt, FORMAT)
    return blake2b(request, digest_size=16).hexdigest()


def search_id(source: str, query: str) -> str:
    """The id of one search, 32 hex digits.

    Args:
        source: what stands for the search engine, its settings included; never a URL with a key.
        query: as sent.
    """
    request = {"v": FORMAT, "stage": "search", "source": source, "query": query}
    return blake2b(orjson.dumps(request, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def canonical_parameters(parameters: Parameters) -> dict[str, Json]:
    """Parameters as a plain dict: floats are floats, what is absent is absent."""
    asked: dict[str, Json] = {}
    for name in ("max_tokens", "thinking_tokens", "seed", "top_logprobs"):
        value = getattr(parameters, name)
        if value is not None:
            asked[name] = int(value)
    for name in ("temperature", "top_p", "frequency_penalty"):
        value = getattr(parameters, name)
        if value is not None:
            asked[name] = float(value)
    if parameters.cap_scale != 1:
        asked["cap_scale"] = parameters.cap_scale
    if parameters.stop:
        asked["stop"] = list(parameters.stop)
    if parameters.safety_filters is not None:
        asked["safety_filters"] = parameters.safety_filters
    if parameters.answer_schema is not None:
        # As text: the id sorts keys, but a model answers in the order of the properties, and reasons first is another question.
        asked["answer_schema"] = orjson.dumps(parameters.answer_schema, default=dict).decode()
    if parameters.extra:
        asked["extra"] = dict(parameters.extra)
    return asked
