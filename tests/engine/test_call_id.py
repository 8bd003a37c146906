"""The call id: literals hold the format, properties hold what is in it and what is not."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from siuo_async.engine.call_id import call_id, canonical_parameters
from siuo_async.values import Parameters, Picture, Turn
from tests.engine.samples import OTHER_PICTURE, PICTURE

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"reason": {"type": "string"}, "label": {"type": "integer", "enum": [1, 2, 3]}},
    "required": ["reason", "label"],
    "additionalProperties": False,
}
PLAIN = (Turn("user", ("What is this?", PICTURE)),)


def identified(**changes: Any) -> str:
    request: dict[str, Any] = {"stage": "generate", "provider": "openai", "model": "gpt-4o", "revision": None, "first": 0}
    return call_id(**(request | {"prompt": PLAIN, "parameters": Parameters(max_tokens=500)} | changes))


REQUESTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "first": {"first": 2},
    "stage": {"stage": "judge.safety"},
    "provider": {"provider": "openai@gateway.example:8443"},
    "revision": {"provider": "lab", "model": "vlm", "revision": "step-8000"},
    "system": {"prompt": (Turn("system", ("Be brief.",)), *PLAIN)},
    "two pictures": {"prompt": (Turn("user", (PICTURE, "and", OTHER_PICTURE)),)},
    "turns": {"prompt": (*PLAIN, Turn("assistant", ("A roof.",)), Turn("user", ("And now?",)))},
    "unicode": {"prompt": (Turn("user", ("这是什么？ \u0085\u2028\x00 🙂", PICTURE)),)},
    "parameters": {
        "parameters": Parameters(
            max_tokens=4096,
            thinking_tokens=0,
            cap_scale=4,
            temperature=0.0,
            top_p=0.5,
            seed=7,
            stop=("END",),
            top_logprobs=5,
            safety_filters="off",
            extra={"b": {"y": 1, "x": [1.5, None, True]}, "a": "ä"},
        )
    },
    "frequency penalty": {"parameters": Parameters(temperature=1, top_p=0.01, frequency_penalty=1, top_logprobs=5)},
    "schema": {"parameters": Parameters(max_tokens=128, answer_schema=SCHEMA)},
}

LITERALS = {
    "plain": "d461d8ffd4acf7bd0daadff574e5f604",
    "first": "081085102427288ee9e94cc1e37dd142",
    "stage": "32f03a5824ca0d3a0d1251a008c1e63c",
    "provider": "7369a100cef38b89e8946cc3462ba208",
    "revision": "602bce9b4854ce789e396fcff3f8e1eb",
    "system": "3529554a0bb5635551c4c5948e16995c",
    "two pictures": "7ec949e583b31c85b6f78ba653ef53b1",
    "turns": "6ca77b593170c7199d269e3a13cdbe6b",
    "unicode": "f39e516e888a446b1a9897ae5931c5bc",
    "parameters": "a33eafc503dc4394b087f43e57548fc0",
    "frequency penalty": "84c736a76c4ed8f9345d46a419231855",
    "schema": "37f1ab21505c3189ab22bc8e80910e51",
}


@pytest.mark.parametrize("name", REQUESTS)
def test_an_id_is_the_same_for_ever(name: str) -> None:
    assert identified(**REQUESTS[name]) == LITERALS[name]


def test_twelve_different_requests_have_twelve_ids() -> None:
    assert len(set(LITERALS.values())) == len(LITERALS) == 12


def frozen(value: Any) -> Any:
    return MappingProxyType({name: frozen(inner) for name, inner in value.items()}) if isinstance(value, dict) else value


LABEL_FIRST = SCHEMA | {"properties": dict(reversed(SCHEMA["properties"].items()))}

PARAMETER_PAIRS: list[tuple[str, dict[str, Any], dict[str, Any], bool]] = [
    ("an integer and a float temperature are equal", {"temperature": 0}, {"temperature": 0.0}, True),
    ("an integer and a float top_p are equal", {"top_p": 1}, {"top_p": 1.0}, True),
    ("an integer and a float penalty are equal", {"frequency_penalty": 1}, {"frequency_penalty": 1.0}, True),
    ("no penalty asked for and a penalty of zero are different", {}, {"frequency_penalty": 0}, False),
    ("a schema of read-only mappings is the same schema", {"answer_schema": SCHEMA}, {"answer_schema": frozen(SCHEMA)}, True),
    ("the order of the properties matters", {"answer_schema": SCHEMA}, {"answer_schema": LABEL_FIRST}, False),
    ("absent and zero are different", {}, {"temperature": 0.0}, False),
    ("absent and null are equal", {}, {"temperature": None, "seed": None, "max_tokens": None}, True),
    ("no stop and an empty stop are equal", {}, {"stop": ()}, True),
    ("no extra and an empty extra are equal", {}, {"extra": {}}, True),
    ("extra matters", {}, {"extra": {"reasoning_effort": "low"}}, False),
    ("the order of extra does not matter", {"extra": {"a": 1, "b": 2}}, {"extra": {"b": 2, "a": 1}}, True),
    ("the order inside extra does not matter", {"extra": {"x": {"a": 1, "b": 2}}}, {"extra": {"x": {"b": 2, "a": 1}}}, True),
    ("the order of stop matters", {"stop": ("a", "b")}, {"stop": ("b", "a")}, False),
    ("no thinking asked for and zero thinking are different", {}, {"thinking_tokens": 0}, False),
    ("the cap's scale matters", {}, {"cap_scale": 4}, False),
    ("filters as shipped and not asked for are different", {}, {"safety_filters": "as-shipped"}, False),
]


@pytest.mark.parametrize("left, right, equal", [pair[1:] for pair in PARAMETER_PAIRS], ids=[pair[0] for pair in PARAMETER_PAIRS])
def test_parameters_are_normalised(left: dict[str, Any], right: dict[str, Any], equal: bool) -> None:
    ids = identified(parameters=Parameters(**left)), identified(parameters=Parameters(**right))
    assert (ids[0] == ids[1]) is equal


def test_every_parameter_is_in_the_id() -> None:
    """A parameter that is added and forgotten here would be shared by calls that differ in it."""
    other = {
        "max_tokens": 1,
        "thinking_tokens": 1,
        "cap_scale": 4,
        "temperature": 0.1,
        "top_p": 0.1,
        "frequency_penalty": 0.1,
        "seed": 1,
        "stop": ("x",),
        "top_logprobs": 1,
        "answer_schema": SCHEMA,
        "safety_filters": "off",
        "extra": {"a": 1},
    }
    assert set(other) == set(Parameters.__slots__)
    ids = {identified(parameters=Parameters(**{name: value})) for name, value in other.items()}
    assert len(ids) == len(other)


def test_absent_parameters_are_absent() -> None:
    assert canonical_parameters(Parameters()) == {}


def test_a_picture_stands_by_its_content_alone() -> None:
    moved = Picture("elsewhere/photo.jpeg", PICTURE.sha256, "image/jpeg", 5, mtime_ns=77)
    assert identified(prompt=(Turn("user", ("What is this?", moved)),)) == identified()


PROMPTS = {
    "the order of parts": (Turn("user", (PICTURE, "What is this?")),),
    "the picture": (Turn("user", ("What is this?", OTHER_PICTURE)),),
    "the role": (Turn("assistant", ("What is this?", PICTURE)),),
    "where a text is split": (Turn("user", ("What is", " this?", PICTURE)),),
    "a text that is a picture's hash": (Turn("user", ("What is this?", PICTURE.sha256)),),
    "how turns are split": (Turn("user", ("What is this?",)), Turn("user", (PICTURE,))),
}


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS.keys())
def test_the_prompt_is_in_the_id(prompt: tuple[Turn, ...]) -> None:
    assert identified(prompt=prompt) != identified()


def test_provider_and_model_cannot_run_into_each_other() -> None:
    assert identified(provider="a", model="b/c") != identified(provider="a/b", model="c")


def test_a_parameter_object_is_not_changed() -> None:
    extra = {"x": {"b": 1}}
    parameters = Parameters(extra=extra)
    canonical_parameters(parameters)["extra"]["y"] = 1
    assert parameters == replace(parameters, extra={"x": {"b": 1}})
