"""What a dialect sends, beyond the captures: order, caps, what is left out, what the user adds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from siuo_async.errors import ConfigError
from siuo_async.providers.dialects import parts
from siuo_async.providers.dialects.base import Dialect, Profile
from siuo_async.providers.dialects.openai_chat import OpenAIChat
from siuo_async.providers.profiles import profile_for
from siuo_async.values import Picture, Turn
from tests.providers.samples import ANTHROPIC, DIALECTS, GEMINI, JPEG, OPENAI, PLAIN, PNG, body_of, built, prompt, request

EVERY = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
HAIKU = profile_for("anthropic", "claude-haiku-4-5", {"thinking": "none"})


@EVERY
def test_pictures_keep_their_order_among_the_texts(dialect: Dialect) -> None:
    wire = dialect.build(request(parts=("one", PNG, "two", JPEG, "three")), None)
    kinds = [
        part if isinstance(part, Picture) else [word for word in ("one", "two", "three") if word.encode() in part] for part in wire.body
    ]
    assert kinds == [["one"], PNG, ["two"], JPEG, ["three"]]


@EVERY
def test_a_text_that_holds_a_marker_of_another_process_is_only_text(dialect: Dialect) -> None:
    text = f"{'0' * 32} <BASE64> {parts.PICTURE[:-1]}"
    assert text in str(built(dialect, parts=(text, PNG)))


@EVERY
def test_lone_surrogates_in_a_text_are_replaced(dialect: Dialect) -> None:
    assert "a\ufffdb" in str(built(dialect, parts=("a\ud800b",)))


@EVERY
def test_without_a_key_no_credentials_are_sent(dialect: Dialect) -> None:
    headers = {name.lower() for name in dialect.build(request(), None).headers}
    assert not headers & {"authorization", "x-api-key", "x-goog-api-key"}


def test_every_role_has_its_place() -> None:
    turns = (Turn("system", ("S",)), Turn("user", ("U",)), Turn("assistant", ("A",)), Turn("user", ("V",)))
    assert [message["role"] for message in built(OPENAI, turns=turns)["messages"]] == ["system", "user", "assistant", "user"]
    anthropic = built(ANTHROPIC, turns=turns)
    assert (anthropic["system"], [m["role"] for m in anthropic["messages"]]) == ("S", ["user", "assistant", "user"])
    gemini = built(GEMINI, turns=turns)
    assert gemini["systemInstruction"] == {"parts": [{"text": "S"}]}
    assert [content["role"] for content in gemini["contents"]] == ["user", "model", "user"]


def test_a_data_url_names_the_type_that_was_sniffed() -> None:
    content = built(OPENAI, parts=("Q", JPEG))["messages"][0]["content"]
    assert content[1]["image_url"]["url"].startswith("data:image/jpeg;base64,")


def test_a_turn_of_one_text_is_a_plain_string_to_openai_compatible_servers() -> None:
    assert built(OPENAI)["messages"] == [{"role": "user", "content": "Q"}]


def test_empty_text_blocks_are_not_sent_to_anthropic() -> None:
    assert built(ANTHROPIC, parts=(PNG, ""))["messages"][0]["content"][0]["type"] == "image"
    assert len(built(ANTHROPIC, parts=(PNG, ""))["messages"][0]["content"]) == 1


@pytest.mark.parametrize("dialect", [ANTHROPIC, GEMINI], ids=["anthropic", "gemini"])
def test_a_picture_in_a_system_turn_is_an_error(dialect: Dialect) -> None:
    with pytest.raises(ConfigError, match="system turn"):
        dialect.build(request(turns=(Turn("system", (PNG,)), *prompt("Q"))), None)


def test_no_cap_is_sent_where_none_is_asked_for_but_anthropic_requires_one() -> None:
    assert "max_tokens" not in built(OPENAI)
    assert "generationConfig" not in built(GEMINI)
    assert built(ANTHROPIC)["max_tokens"] == 4096
    assert built(ANTHROPIC, profile=Profile(thinking="always"))["max_tokens"] == 4096 + 8192


def test_a_ruled_out_cap_goes_into_the_other_field() -> None:
    body = built(OPENAI, max_tokens=500, ruled_out=frozenset({"max_tokens"}))
    assert (body.get("max_tokens"), body["max_completion_tokens"]) == (None, 500)
    turned = Profile(cap_field="max_completion_tokens")
    assert built(OPENAI, max_tokens=5, ruled_out=frozenset({"max_tokens"}), profile=turned)["max_tokens"] == 5


def test_what_a_profile_rules_out_is_left_out_and_recorded() -> None:
    profile = Profile(sampling="fixed", seed=False, logprobs=False)
    wire = OPENAI.build(request(temperature=0.0, top_p=0.5, seed=7, top_logprobs=3, max_tokens=9, profile=profile), None)
    assert wire.sent == {"max_tokens": 9, "left_out": {"temperature": 0.0, "top_p": 0.5, "seed": 7, "top_logprobs": 3}}
    assert set(body_of(wire)) == {"model", "messages", "max_tokens"}


def test_ignored_sampling_is_left_out_of_a_gemini_request() -> None:
    wire = GEMINI.build(request(temperature=0.0, profile=Profile(sampling="ignored")), None)
    assert wire.sent == {"left_out": {"temperature": 0.0}}


@EVERY
def test_what_an_endpoint_ruled_out_is_left_out_and_recorded(dialect: Dialect) -> None:
    wire = dialect.build(request(temperature=0.0, top_p=0.5, stop=("x",), ruled_out=frozenset({"temperature", "stop"})), None)
    assert wire.sent["left_out"] == {"temperature": 0.0, "stop": ["x"]}
    assert "temperature" not in str(body_of(wire))


def test_anthropic_has_no_seed_no_logprobs_and_no_penalty() -> None:
    wire = ANTHROPIC.build(request(seed=1, top_logprobs=2, frequency_penalty=1.0, max_tokens=5), None)
    assert wire.sent == {"max_tokens": 5, "left_out": {"frequency_penalty": 1.0, "seed": 1, "top_logprobs": 2}}
    assert wire.headers["anthropic-version"] == "2026-10-21"


def test_a_frequency_penalty_is_sent_where_there_is_one() -> None:
    assert built(OPENAI, frequency_penalty=1.0)["frequency_penalty"] == 1.0
    assert built(GEMINI, frequency_penalty=1.0)["generationConfig"] == {"frequencyPenalty": 1.0}


@pytest.mark.parametrize("profile", [Profile(sampling="fixed"), Profile(sampling="ignored"), Profile(penalties=False)])
@pytest.mark.parametrize("dialect", [OPENAI, GEMINI], ids=["openai", "gemini"])
def test_a_penalty_that_a_model_does_not_take_is_left_out_and_recorded(dialect: Dialect, profile: Profile) -> None:
    wire = dialect.build(request(frequency_penalty=1.0, profile=profile), None)
    assert wire.sent == {"left_out": {"frequency_penalty": 1.0}}
    assert "enalty" not in str(body_of(wire))


def test_a_model_without_penalties_still_gets_its_temperature() -> None:
    assert OPENAI.build(request(temperature=0.5, frequency_penalty=1.0, profile=Profile(penalties=False)), None).sent == {
        "temperature": 0.5,
        "left_out": {"frequency_penalty": 1.0},
    }


def test_log_probabilities_are_asked_for_with_their_candidates() -> None:
    assert OPENAI.build(request(top_logprobs=5), None).sent == {"logprobs": True, "top_logprobs": 5}
    assert GEMINI.build(request(top_logprobs=5), None).sent == {"generationConfig": {"responseLogprobs": True, "logprobs": 5}}


@pytest.mark.parametrize("dialect", [OPENAI, GEMINI], ids=["openai", "gemini"])
def test_log_probabilities_that_were_ruled_out_leave_no_half_of_themselves(dialect: Dialect) -> None:
    wire = dialect.build(request(top_logprobs=5, ruled_out=frozenset({"top_logprobs"})), None)
    assert wire.sent == {"left_out": {"top_logprobs": 5}}
    assert "ogprobs" not in str(body_of(wire))


def test_n_is_sent_only_above_one_and_clamped_to_the_profile() -> None:
    assert "n" not in built(OPENAI, n=1, profile=PLAIN)
    assert built(OPENAI, n=3, profile=PLAIN)["n"] == 3
    assert built(OPENAI, n=99, profile=PLAIN)["n"] == 8
    assert "n" not in built(OPENAI, n=3, profile=PLAIN, ruled_out=frozenset({"n"}))
    assert built(GEMINI, n=3, profile=PLAIN)["generationConfig"] == {"candidateCount": 3}
    assert "generationConfig" not in built(GEMINI, n=3)
    assert "left_out" not in OPENAI.build(request(n=3), None).sent


def test_thinking_is_switched_off_by_the_fragment_of_the_profile() -> None:
    profile = profile_for("gemini", "gemini-2.5-flash")
    config = built(GEMINI, max_tokens=500, profile=profile)["generationConfig"]
    assert config == {"maxOutputTokens": 500, "thinkingConfig": {"thinkingBudget": 0}}
    assert built(OPENAI, max_tokens=500, profile=profile_for("openai", "gpt-5.5"))["reasoning_effort"] == "none"


def test_thinking_set_by_the_user_stands_and_gets_its_room() -> None:
    extra = {"generationConfig": {"thinkingConfig": {"thinkingBudget": 1024}}}
    config = built(GEMINI, max_tokens=500, extra=extra, profile=profile_for("gemini", "gemini-2.5-flash"))["generationConfig"]
    assert config == {"maxOutputTokens": 8692, "thinkingConfig": {"thinkingBudget": 1024}}


def test_a_refused_switch_for_thinking_is_recorded_and_room_is_made() -> None:
    profile, ruled_out = profile_for("openai", "gpt-5.5"), frozenset({"thinking_tokens"})
    wire = OPENAI.build(request(max_tokens=500, profile=profile, ruled_out=ruled_out), None)
    assert wire.sent == {"max_completion_tokens": 8692, "left_out": {"thinking_off": {"reasoning_effort": "none"}}}


@pytest.mark.parametrize(
    "settings, version, header",
    [
        ({}, "2026-10-21", "Authorization"),
        ({"temperature": 0.0}, "2023-06-01", "X-Api-Key"),
        ({"top_p": 0.9}, "2023-06-01", "X-Api-Key"),
        ({"extra": {"top_k": 1}}, "2023-06-01", "X-Api-Key"),
        ({"temperature": 0.0, "ruled_out": frozenset({"temperature"})}, "2026-10-21", "Authorization"),
        ({"temperature": 0.0, "profile": Profile(sampling="fixed")}, "2026-10-21", "Authorization"),
        ({"profile": Profile(anthropic_version="2023-06-01")}, "2023-06-01", "X-Api-Key"),
    ],
)
def test_the_old_wire_version_is_spoken_only_where_sampling_is_sent(settings: dict, version: str, header: str) -> None:
    headers = ANTHROPIC.build(request(**settings), "k").headers
    assert headers["anthropic-version"] == version
    assert headers[header] == ("Bearer k" if header == "Authorization" else "k")
    assert len({"Authorization", "X-Api-Key"} & set(headers)) == 1


def test_safety_filters_are_sent_only_when_switched_off() -> None:
    assert "safetySettings" not in built(GEMINI)
    assert "safetySettings" not in built(GEMINI, safety_filters="as-shipped")
    settings = built(GEMINI, safety_filters="off")["safetySettings"]
    assert (len(settings), {one["threshold"] for one in settings}) == (4, {"OFF"})
    assert OPENAI.build(request(safety_filters="off"), None).sent["left_out"] == {"safety_filters": "off"}


def test_extra_fields_are_merged_last_and_recorded() -> None:
    wire = OPENAI.build(request(temperature=0.0, extra={"temperature": 1.0, "provider": {"order": ["a"]}}), None)
    assert wire.sent == {"temperature": 1.0, "provider": {"order": ["a"]}}


@pytest.mark.parametrize(
    "dialect, extra",
    [
        (OPENAI, {"messages": []}),
        (OPENAI, {"stream": True}),
        (OPENAI, {"n": 4}),
        (ANTHROPIC, {"system": "x"}),
        (GEMINI, {"contents": []}),
        (GEMINI, {"generationConfig": {"candidateCount": 2}}),
    ],
)
def test_extra_cannot_change_what_is_asked(dialect: Dialect, extra: dict) -> None:
    with pytest.raises(ConfigError):
        dialect.build(request(extra=extra), None)


@pytest.mark.parametrize(
    "model, path",
    [
        ("gemini-2.5-pro", "/models/gemini-2.5-pro:generateContent"),
        ("models/x", "/models/x:generateContent"),
        ("tunedModels/y", "/tunedModels/y:generateContent"),
        ("a b?c#d", "/models/a%20b%3Fc%23d:generateContent"),
    ],
)
def test_a_gemini_model_stands_in_the_path(model: str, path: str) -> None:
    assert GEMINI.build(request(model), None).path == path


def test_sent_holds_neither_model_nor_content() -> None:
    turns = prompt("Q", PNG, system="S")
    assert OPENAI.build(request(turns=turns, max_tokens=5), None).sent == {"max_tokens": 5}
    assert ANTHROPIC.build(request(turns=turns, max_tokens=5, temperature=0.0, profile=HAIKU), None).sent == {
        "max_tokens": 5,
        "temperature": 0.0,
    }
    assert GEMINI.build(request(turns=turns, max_tokens=5), None).sent == {"generationConfig": {"maxOutputTokens": 5}}


@EVERY
def test_what_was_built_before_changes_nothing_of_what_is_built_next(dialect: Dialect) -> None:
    asked = request(temperature=0.5, stop=("x",), extra={"user": "u"})
    others = [
        asked,
        replace(asked, turns=prompt("another", PNG)),
        replace(asked, n=2, profile=Profile(max_n=4)),
        replace(asked, ruled_out=frozenset({"temperature"})),
        replace(asked, model="other"),
        replace(asked, parameters=replace(asked.parameters, cap_scale=4)),
    ]
    for each in (*others, *reversed(others)):
        for key in (None, "k1", "k2"):
            assert dialect.build(each, key) == replace_dialect(dialect).build(each, key)


def replace_dialect(dialect: Dialect) -> Dialect:
    """One of the same kind that has built nothing yet."""
    return type(dialect)()


def test_no_number_of_different_requests_makes_a_dialect_grow() -> None:
    dialect = OpenAIChat()
    for number in range(1_000):
        dialect.build(request(max_tokens=number + 1), None)
    assert len(dialect._frames._kept) <= 64
