"""Taking keys out of text: however they are written, in little time, and without spoiling what is no key."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.keys import MARK, MOST, PART, Secrets, in_variables, looks_like_a_key, place_of, redact, unmistakable
from tests.reliability.secrets_search import told

KEY = 'sk-lab/4f1C+9a77=e0(x)%2Qz"7Wm\\&<'
keys = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=PART, max_size=60).filter(unmistakable)

WAYS = {
    "plain": lambda k: k,
    "URL": lambda k: quote(k, safe=""),
    "URL, small letters": lambda k: "".join(c if c.isalnum() else f"%{ord(c):02x}" for c in k),
    "JSON": lambda k: json.dumps(k)[1:-1],
    "JSON, slashes": lambda k: json.dumps(k)[1:-1].replace("/", "\\/"),
    "\\u": lambda k: "".join(c if c.isalnum() else f"\\u{ord(c):04X}" for c in k),
    "\\x": lambda k: "".join(c if c.isalnum() else f"\\x{ord(c):02x}" for c in k),
    "HTML": html.escape,
    "HTML, numbers": lambda k: "".join(c if c.isalnum() else f"&#{ord(c)};" for c in k),
    "base64": lambda k: base64.b64encode(k.encode()).decode(),
    "base64 behind one": lambda k: base64.b64encode(b"u" + k.encode()).decode(),
    "base64 behind two": lambda k: base64.b64encode(b"u:" + k.encode() + b"\n").decode(),
    "base64 of URLs": lambda k: base64.urlsafe_b64encode(b"u:" + k.encode()).decode(),
    "a host's small letters": str.lower,
    "its beginning": lambda k: k[:PART],
    "its end": lambda k: k[-PART:],
    "its middle": lambda k: k[5 : 5 + PART],
}


@pytest.mark.parametrize("way", WAYS)
@given(key=keys)
def test_no_way_of_writing_a_key_stays_in_an_errors_text(way: str, key: str) -> None:
    assert told(Secrets.of(key).out_of(f"Odd: <{WAYS[way](key)}>, is it?").encode(), key) is None


@pytest.mark.parametrize("way", ["plain", "URL", "JSON", "JSON, slashes", "HTML", "base64", "base64 behind one", "base64 behind two"])
def test_no_usual_way_of_writing_a_key_stays_in_an_answer(way: str) -> None:
    found = Secrets.of(KEY).out_of_answer(f"You sent {WAYS[way](KEY)} to me.")
    assert MARK in found
    assert told(found.encode(), KEY) is None


@given(st.text(max_size=300))
def test_an_answer_without_a_key_is_the_same_object(text: str) -> None:
    assert Secrets.of(KEY).out_of_answer(text) is text


def test_a_key_that_begins_like_another_leaves_no_end_of_it() -> None:
    short, long = "lab-0123456789-key", "lab-0123456789-key-and-more-7"
    assert Secrets.of(short, long).out_of_answer(f"{long} {short}") == f"{MARK} {MARK}"


@pytest.mark.parametrize("key", ["EMPTY", "x", "sk", "none", "ollama", "no-key"])
def test_what_only_stands_in_for_a_key_is_left_in_every_text(key: str) -> None:
    text = f"There is no {key} here: {key}{key}."
    assert Secrets.of(key).out_of(text) == text
    assert Secrets.of(key).out_of_answer(text) is text


LONG = {
    "a word": "a" * MOST,
    "words": "ab " * (MOST // 3),
    "slashes": "/" * MOST,
    "passwords that end nowhere": "//a:b" * (MOST // 5),
    "ats": "//" + "@" * MOST,
    "the key's beginning": KEY[:-1] * (MOST // len(KEY)),
    "prefixes": "sk-" * (MOST // 3),
    "dashes": "-*" * (MOST // 2),
    "a bearer of blanks": "Bearer" + " " * MOST,
    "percent signs": "%2" * (MOST // 2),
    "stars": "a" * MOST + "***",
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_long_text_of_any_kind_is_gone_through_in_one_sweep(text: str) -> None:
    found = Secrets.of(KEY).out_of(text)  # 0.1 s; what looked again from every place would take minutes
    assert told(found.encode(), KEY) is None


def test_of_an_endless_text_only_the_beginning_is_kept() -> None:
    assert len(redact("a b" * MOST, KEY)) == MOST


VARIABLES = {
    "OPENAI_API_KEY": "sk-0123456789abcdef",
    "LAB_TOKEN": "tok-0123456789abcdef",
    "DB_PASSWORD": "pass-0123456789",
    "https_proxy": "http://me:s3cr3t%2Fword@proxy.invalid:3128",
    "ODD": "named-by-the-user-1",
    "PWD": "/home/someone/0123456789",
    "KEYBOARD": "us-0123456789abcdef",
    "GOOGLE_CREDENTIALS": "/home/someone/key-0123456789.json",
    "TOKENIZERS_PARALLELISM": "false",
    "MONKEY": "see-0123456789abc",
    "SESSION_KEY": "short",
}


def test_secrets_are_found_among_variables_by_their_names_and_in_proxies() -> None:
    assert set(in_variables(VARIABLES, ["ODD"])) == {
        "sk-0123456789abcdef",
        "tok-0123456789abcdef",
        "pass-0123456789",
        "named-by-the-user-1",
        "s3cr3t/word",
        "s3cr3t%2Fword",
        base64.b64encode(b"me:s3cr3t/word").decode(),
    }


@pytest.mark.parametrize(
    "value",
    [
        "gpt-4o-mini-2024-07-18",
        "claude-sonnet-4-20250514",
        "safety2024bench",
        "us-east-1-region",
        "./certs/client1.key",
        "https://vault.invalid/v1/keys",
        "C:/Users/me1/keys.txt",
        "2024-07-18T00:00",
    ],
)
def test_a_variable_that_is_merely_called_a_key_and_holds_words_is_none(value: str) -> None:
    assert unmistakable(value)
    assert list(in_variables({"MODEL_KEY": value})) == []
    assert list(in_variables({"MODEL_KEY": value}, ["MODEL_KEY"])) == [value]


@given(st.integers(0, 2**160 - 1))
def test_what_is_drawn_by_chance_is_a_secret(number: int) -> None:
    drawn = hashlib.sha256(str(number).encode()).digest()
    keys = (drawn.hex(), base64.urlsafe_b64encode(drawn).decode().rstrip("="), f"tok-{drawn.hex()[:20]}")
    assert all(list(in_variables({"LAB_TOKEN": key})) == [key] for key in keys)


@pytest.mark.parametrize(
    "text, is_one",
    [
        ("sk-proj-4f1C9a77E0Qz7Wm31Bv5", True),
        ("Bearer sk-ant-api03-0123456789abcdef", True),
        ("AIzaSyA0123456789_-abcdefghijklmnopqrst", True),
        ("hf_AbCdEfGhIjKlMnOpQrStUv", True),
        ("gsk_0123456789abcdefghij", True),
        ("lab/sk-vision-language-model", False),
        ("risk-averse-and-task-oriented-answers-2024", False),
        ("meta-llama/Llama-3.2-90B-Vision-Instruct", False),
        ("You are a helpful assistant.", False),
        ("results/2026-01-01-siuo-gen-0123abcd", False),
    ],
)
def test_what_looks_like_a_key(text: str, is_one: bool) -> None:
    assert looks_like_a_key(text) is is_one


def test_looking_for_a_key_takes_time_in_proportion_to_the_text() -> None:
    assert not looks_like_a_key("sk-" * 100_000)  # quadratic, this is ten minutes
    assert looks_like_a_key("sk-" * 10_000 + "proj-4f1C9a77E0Qz7Wm31Bv5")


def test_the_place_of_a_key_in_settings_is_named() -> None:
    settings = {"models": [{"model": "a/b", "params": {"x": ["no", "KEY"]}}], "data": Path("KEY")}
    assert place_of(settings, lambda text: text == "KEY") == "models.0.params.x.1"
    assert place_of({"data": Path("KEY")}, lambda text: text == "KEY") == "data"
    assert place_of({"params": {"KEY": 1}}, lambda text: text == "KEY") == "params"
    assert place_of(settings, lambda text: text == "other") is None
