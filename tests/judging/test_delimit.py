"""One-pass templating, and fences that an answer cannot forge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async import judging
from siuo_async.judging import fence, fill


def test_every_placeholder_is_filled() -> None:
    assert fill("{question} / {answer} / {question}", {"question": "q", "answer": "a"}) == "q / a / q"


def test_doubled_braces_are_braces() -> None:
    assert fill('{{"answer": "{answer}"}}', {"answer": "a"}) == '{"answer": "a"}'


@given(st.text(), st.text())
def test_values_are_never_looked_at_again(question: str, answer: str) -> None:
    values = {"question": f"{{answer}}{question}", "answer": f"{{question}}{{{{{answer}"}
    assert fill("{question}|{answer}", values) == f"{values['question']}|{values['answer']}"


def test_an_unknown_placeholder_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="reference"):
        fill("{reference}", {"answer": "a"})


@pytest.mark.parametrize("template", ["{", "a } b", "{}", "{a b}"])
def test_a_stray_brace_is_an_error(template: str) -> None:
    with pytest.raises(ValueError, match="double it"):
        fill(template, {"a": "b"})


@given(st.text())
def test_a_fence_is_the_same_for_the_same_text_and_not_in_it(text: str) -> None:
    opening, kept, closing = fence(text)
    assert fence(text) == (opening, kept, closing)
    assert kept == text
    assert opening != closing
    assert opening not in text
    assert closing not in text


def test_other_texts_have_other_fences() -> None:
    assert fence("a")[0] != fence("b")[0]


def test_a_fence_that_stands_in_the_text_gets_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Digest:
        def __init__(self, raw: bytes, *, digest_size: int) -> None:
            self.size = digest_size

        def hexdigest(self) -> str:
            return "ab" * self.size

    monkeypatch.setattr("siuo_async.judging.delimit.hashlib.blake2b", Digest)
    assert fence("</untrusted-ABABABAB>")[0] == "<untrusted-ababababab>"


def test_public_names_are_sorted_and_there() -> None:
    assert judging.__all__ == sorted(judging.__all__)
    assert all(hasattr(judging, name) for name in judging.__all__)
