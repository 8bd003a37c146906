"""The parsers against what the authors' scripts answered, and against a careful reader."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from siuo_async.judging import normalise, parse_letter, parse_siuo_effectiveness, parse_siuo_safety


def letter_of_four(text: str, protocol: Any) -> str | None:
    return parse_letter(text, "ABCD", protocol)


PARSERS = [
    ("siuo_extract_safety.json", parse_siuo_safety),
    ("siuo_extract_effectiveness.json", parse_siuo_effectiveness),
    ("siuo_mcqa_parse.json", letter_of_four),
]
Parser = Callable[[str, Any], Any]


def cases(shared: Path, file: str) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads((shared / "vectors" / file).read_text("utf-8"))["cases"]
    return read


@pytest.mark.parametrize("file, parse", PARSERS)
def test_released_answers_what_the_script_does(shared: Path, file: str, parse: Parser) -> None:
    wrong = [c["id"] for c in cases(shared, file) if parse(c["text"], "released") != c["upstream"]]
    assert wrong == []


@pytest.mark.parametrize("file, parse", PARSERS)
def test_released_after_nfkc_answers_what_the_whole_flow_does(shared: Path, file: str, parse: Parser) -> None:
    normalised = [c for c in cases(shared, file) if "upstream_after_nfkc" in c]
    assert normalised
    assert [normalise(c["text"]) for c in normalised] == [c["nfkc_text"] for c in normalised]
    assert [parse(normalise(c["text"]), "released") for c in normalised] == [c["upstream_after_nfkc"] for c in normalised]


@pytest.mark.parametrize("file, parse", PARSERS)
def test_corrected_answers_what_a_careful_reader_would(shared: Path, file: str, parse: Parser) -> None:
    wrong = [c["id"] for c in cases(shared, file) if parse(c["text"], "corrected") != c["intended"]]
    assert wrong == []
